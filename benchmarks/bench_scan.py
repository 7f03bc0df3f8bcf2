"""Where the time of a scan goes: decoding alone, inference alone, both at once beside the larger and the sum of them.

python benchmarks/bench_scan.py [--format json] [--threads 2] [--seconds 10] [--model NAME_OR_FILE]

Two pieces of work: one 1080p H.264 clip, and that clip as the master of a ladder of five rungs (1080p to 240p). The
clip is made here: a photograph of the data (YOTO_DATA) panned, or a texture where there is none. All figures
come from `measure_ladder`, the path every scan takes: "decode" with a judge that does nothing, "inference" with frames
that lie in memory, "whole" as it is. Pictures of worst frames, which every scan makes too, are the last column.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

FPS = 30
SIZE = (1920, 1080)
RUNGS = [(1920, 1080, 4500), (1280, 720, 2500), (960, 540, 1400), (640, 360, 700), (426, 240, 300)]
MASTER_KBPS = 12000


def canvas(data: Path) -> np.ndarray:
    """A picture larger than the frame, to pan over: (1350, 2400, 3) uint8."""
    photographs = sorted((data / "pristine" / "wallpapers").glob("*.*"))
    if photographs:
        picture = Image.open(photographs[0]).convert("RGB").resize((2400, 1350), Image.Resampling.LANCZOS)
        return np.asarray(picture)
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (34, 60, 3), dtype=np.uint8)).resize((2400, 1350))
    return np.clip(np.asarray(coarse) + rng.normal(0, 12, (1350, 2400, 1)), 0, 255).astype(np.uint8)


def pan(picture: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """Frames that wander over the picture, never twice at one place."""
    width, height = SIZE
    for i in range(count):
        left = int((picture.shape[1] - width) * (0.5 + 0.5 * np.sin(i / 41)))
        top = int((picture.shape[0] - height) * (0.5 + 0.5 * np.sin(i / 29 + 1)))
        yield np.ascontiguousarray(picture[top : top + height, left : left + width])


class Idle:
    """A judge that costs nothing."""

    model_name, model_sha256, engine, fallback = "idle", "0" * 64, "none", None
    sees_own = False

    def encode(self, frames: Sequence[Any], turns: Sequence[int | None]) -> list[Any]:
        return [None] * len(frames)

    def say(self, encoded: Sequence[Any], references: Sequence[Any] | None = None) -> list[Any]:
        return [None] * len(encoded)

    def own(self, pictures: Sequence[Any], octaves: Sequence[float]) -> list[Any]:
        return []  # it is asked for none

    def joined(self, said: Any, before: Any) -> Any:
        return said

    def score(self, said: Any) -> float:
        return 50.0

    def features(self, pictures: Sequence[Any]) -> Any:
        return np.zeros((len(pictures), 1), np.float32)

    def heat_map(self, frame: Any, reference: Any = None) -> Any:
        return np.full((1, 1), 50, np.float32)


def timed(ladder: Any, judge: Any, settings: Any, **rest: Any) -> tuple[float, Any]:
    """Seconds of decoding and judging together, without probing and pictures, and the result."""
    from yoto_video.pipeline.measure import measure_ladder

    result = measure_ladder(ladder, judge, settings, **rest)
    bad = [f"{r.clip.path}: {r.clip.reason or r.clip.findings}" for r in result.results if r.clip.status != "ok"]
    if bad:
        raise SystemExit("\n".join(bad))
    took = result.seconds
    return took["wall"] - took["probe"] - took["pictures"], result


def compare(ladder: Any, judge: Any, settings: Any) -> dict[str, float]:
    """The figures of one piece of work, seconds."""
    from yoto_video.models.own_raster import LEAST, octaves
    from yoto_video.pipeline import decode
    from yoto_video.pipeline.pictures import PictureSink
    from yoto_video.pipeline.values import Frame, Own

    width, height = SIZE
    still = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)

    def from_memory(ref: Any, info: Any, indices: Sequence[int], **_: Any) -> Iterator[Any]:
        times, larger = decode.frame_times(ref, info), octaves((info.width, info.height), SIZE)
        own = Own(larger, lambda: still[: info.height, : info.width]) if larger >= LEAST else None
        return (Frame(i, Fraction(times[i]), still, own=own) for i in indices)

    decode_s, _ = timed(ladder, Idle(), settings)
    whole_s, result = timed(ladder, judge, settings, pictures=PictureSink())
    real, decode.read_frames = decode.read_frames, from_memory  # type: ignore[assignment]
    try:
        inference_s, _ = timed(ladder, judge, settings)
    finally:
        decode.read_frames = real
    frames = sum(r.clip.frames for r in result.results if r.clip.mode == "nr")
    larger, total = max(decode_s, inference_s), decode_s + inference_s
    return {
        "frames": frames,
        "decode_s": decode_s,
        "inference_s": inference_s,
        "whole_s": whole_s,
        "larger_s": larger,
        "sum_s": total,
        "whole_over_larger": whole_s / larger,
        "frames_per_s": frames / whole_s,
        "pictures_s": result.seconds["pictures"],
    }


def tuned(threads: int) -> None:
    """Set this process up as the command does its own: begun anew where numpy has already chosen its threads."""
    from yoto_video.jobs.process import tune

    os.environ["OMP_NUM_THREADS"] = str(threads)  # decoding goes by it too
    anew = "OPENBLAS_NUM_THREADS" not in os.environ
    tune()
    if anew:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def load(model: str | None) -> Any:
    """The judge of a scan; with random weights, which cost the same, where none are shipped."""
    from yoto_video.models import zoo
    from yoto_video.models.judge import Judge
    from yoto_video.models.yoto import Yoto
    from yoto_video.pipeline.settings import Settings

    name = model or Settings().model
    try:
        return Judge.load(name)
    except zoo.UnknownModelError:
        if model is not None:
            raise
        entry = zoo.entry(name)
        return Judge(zoo.Loaded(entry, Yoto(entry.config).eval(), "random"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--threads", type=int, default=2, help="of the network, and videos decoded at once")
    parser.add_argument("--seconds", type=int, default=10, help="length of the clip")
    parser.add_argument("--model", help="name or .safetensors file; default: the default network")
    options = parser.parse_args()
    tuned(options.threads)
    from yoto_video.pipeline.encode import Rung, encode
    from yoto_video.pipeline.settings import Settings
    from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        names = [f"{height}p_{kbps}k.mp4" for _, height, kbps in RUNGS]
        wanted = [(*SIZE, MASTER_KBPS, "master.mp4"), *[(*rung, n) for rung, n in zip(RUNGS, names, strict=True)]]
        rungs = [Rung(Path(folder, n), "libx264", w, h, k, (("preset", "veryfast"),)) for w, h, k, n in wanted]
        encode(pan(canvas(data), options.seconds * FPS), rungs, fps=FPS)
        made_s = time.perf_counter() - began

        master, *encodes = (VideoRef(str(r.file)) for r in rungs)
        works = {
            "one 1080p clip": Ladder("clip", (), master),
            "ladder of 5 rungs": Ladder("ladder", tuple(Rendition(v) for v in encodes), master),
        }
        judge = load(options.model)
        judge.nr(judge.encode([np.zeros((*SIZE[::-1], 3), np.uint8)]))  # warm
        if options.format == "table":
            print(f"{options.seconds} s at {FPS} fps, made in {made_s:.0f} s; {judge.model_name}, 2 frames a second")
            head = (
                "frames",
                "decode s",
                "inference s",
                "larger s",
                "sum s",
                "whole s",
                "/ larger",
                "frames/s",
                "pictures s",
            )
            print(f"{'':18}" + "".join(f"{h:>12}" for h in head))
        for name, ladder in works.items():
            row = compare(ladder, judge, Settings())
            if options.format == "json":
                facts = {"type": "bench_scan", "work": name, "seconds": options.seconds, "model": judge.model_name}
                print(json.dumps({**facts, **row}))
                continue
            order = ("frames", "decode_s", "inference_s", "larger_s", "sum_s", "whole_s", "whole_over_larger",
                     "frames_per_s", "pictures_s")  # fmt: skip
            print(f"{name:18}" + "".join(f"{row[k]:12.0f}" if k == "frames" else f"{row[k]:12.2f}" for k in order))


if __name__ == "__main__":
    main()
