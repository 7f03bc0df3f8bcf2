"""How a ladder's cost grows with its rungs: time and peak memory of 1, 3, 6 and 12 encodes of one 720p master.

python benchmarks/bench_ladder.py [--format json] [--rungs 1 3 6 12] [--seconds 8] [--threads 2] [--model NAME_OR_FILE]
                                  [--longer 8]

Each ladder is measured by a process of its own, through `measure_ladder`, with pictures of worst frames. The master is
decoded, and encoded by the network, once for all its encodes and both modes: N + 1 passes for N encodes. "network
frames" counts those passes. "cpu s" is processor time of all threads, which a busy machine changes less than "wall s";
"cpu s a video" is that over N + 1. Peak memory is the process's own maximum, the network included. `--longer K`
measures the largest ladder again K times as long (the same packets, one after the other) with a judge that costs
nothing: memory that grows with length would show there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
from bench_scan import FPS, Idle, canvas, load, pan, tuned

SIZE = (1280, 720)
MOST = [
    (1280, 720, 4000), (1280, 720, 3000), (1280, 720, 2200), (1280, 720, 1600), (960, 540, 1900), (960, 540, 1300),
    (960, 540, 900), (640, 360, 1000), (640, 360, 650), (640, 360, 400), (426, 240, 300), (256, 144, 150),
]  # fmt: skip


def some(count: int) -> list[tuple[int, int, int]]:
    """So many of the twelve rungs, evenly over the sizes."""
    return [MOST[(2 * k + 1) * len(MOST) // (2 * count)] for k in range(count)]


def make(folder: Path, seconds: int, threads: int) -> None:
    """The master and all twelve encodes."""
    from yoto_video.pipeline.encode import Rung, encode

    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    wanted = [(*SIZE, 9000, "master.mp4"), *[(w, h, k, name((w, h, k))) for w, h, k in MOST]]
    rungs = [Rung(folder / n, "libx264", w, h, k, (("preset", "veryfast"),)) for w, h, k, n in wanted]
    frames = (frame[: SIZE[1], : SIZE[0]] for frame in pan(canvas(data), seconds * FPS))
    encode(frames, rungs, fps=FPS, threads=threads)


def name(rung: tuple[int, int, int]) -> str:
    return f"{rung[1]}p_{rung[2]}k.mp4"


def lengthen(file: Path, times: int) -> None:
    """Put a file's packets one after the other so many times."""
    longer = file.with_suffix(".long.mp4")
    with av.open(str(file)) as source, av.open(str(longer), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        length = stream.duration or 0
        for turn in range(times):
            source.seek(0)
            for packet in source.demux(stream):
                if packet.size:
                    packet.pts, packet.dts = (packet.pts or 0) + turn * length, (packet.dts or 0) + turn * length
                    packet.stream = copy
                    target.mux(packet)
    longer.replace(file)


def one(folder: Path, count: int, model: str | None, idle: bool) -> dict[str, Any]:
    """Measure one ladder in this process."""
    from yoto_video.pipeline.measure import measure_ladder
    from yoto_video.pipeline.pictures import PictureSink
    from yoto_video.pipeline.settings import Settings
    from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

    judge: Any = Idle() if idle else load(model)
    encoded, real = 0, judge.encode

    def counting(frames: Any, turns: Any) -> Any:
        nonlocal encoded
        encoded += len(frames)
        return real(frames, turns)

    judge.encode = counting
    before, began = peak_mb(), time.process_time()
    encodes = tuple(Rendition(VideoRef(str(folder / name(rung)))) for rung in some(count))
    ladder = Ladder("ladder", encodes, VideoRef(str(folder / "master.mp4")))
    result = measure_ladder(ladder, judge, Settings(), pictures=None if idle else PictureSink())
    cpu_s = time.process_time() - began
    bad = [f"{r.clip.path}: {r.clip.reason}" for r in result.results if r.clip.status != "ok"]
    if bad:
        raise SystemExit("\n".join(bad))
    took = {f"{stage}_s": seconds for stage, seconds in result.seconds.items()}
    return {
        "rungs": count, "videos": count + 1, "rows": len(result.results), "network_frames": encoded, **took,
        "cpu_s": cpu_s, "cpu_s_a_video": cpu_s / (count + 1), "start_mb": before, "peak_mb": peak_mb(),
    }  # fmt: skip


def peak_mb() -> float:
    """The most memory this process has had, MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage's figure starts at what the parent had
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1024  # type: ignore[index]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--rungs", type=int, nargs="+", default=[1, 3, 6, 12], choices=range(1, len(MOST) + 1))
    parser.add_argument("--seconds", type=int, default=8, help="length of the master")
    parser.add_argument("--threads", type=int, default=2, help="of the network, and videos decoded at once")
    parser.add_argument("--longer", type=int, default=8, help="times; 1: leave this out")
    parser.add_argument("--model", help="name or .safetensors file; default: the default network")
    parser.add_argument("--folder", help=argparse.SUPPRESS)  # of a process that measures one ladder
    parser.add_argument("--idle", action="store_true", help="without the network: decoding and book-keeping alone")
    options = parser.parse_args()
    tuned(options.threads)
    if options.folder:
        print(json.dumps(one(Path(options.folder), options.rungs[0], options.model, options.idle)))
        return

    head = (
        "rungs",
        "network_frames",
        "decode_s",
        "inference_s",
        "pictures_s",
        "wall_s",
        "cpu_s",
        "cpu_s_a_video",
        "peak_mb",
    )
    if options.format == "table":
        print(f"{options.seconds} s of {SIZE[0]}x{SIZE[1]} at {FPS} fps, 2 frames a second")
        print("".join(f"{h.replace('_', ' '):>16}" for h in head))

    def measured(folder: str, count: int, *flags: str, length: int) -> None:
        rest = ["--folder", folder, "--rungs", str(count), "--threads", str(options.threads), *flags]
        rest += ["--model", options.model] if options.model else []
        done = subprocess.run([sys.executable, __file__, *rest], stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout)
        if options.format == "json":
            print(json.dumps({"type": "bench_ladder", "seconds": length, "idle": "--idle" in flags, **row}), flush=True)
            return
        cells = "".join(f"{row[k]:16.0f}" if float(row[k]).is_integer() else f"{row[k]:16.2f}" for k in head)
        print(cells + (f"   {length} s, no network" if flags else ""), flush=True)

    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), options.seconds, options.threads)
        for count in options.rungs:
            measured(folder, count, *(["--idle"] if options.idle else []), length=options.seconds)
        if options.longer > 1:
            most = max(options.rungs)
            if not options.idle:
                measured(folder, most, "--idle", length=options.seconds)
            for file in Path(folder).glob("*.mp4"):
                lengthen(file, options.longer)
            measured(folder, most, "--idle", length=options.seconds * options.longer)


if __name__ == "__main__":
    main()
