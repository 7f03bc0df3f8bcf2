"""How often a clip's 95 % interval holds the score of a much closer look: real clips of the data, NR and FR.

python benchmarks/bench_coverage.py [--format json] [--clips NAME ...] [--looks 5]

The first seconds of each clip and an encode of them are judged at four frames a second, at the default's six places, as
often as `--looks` says, each time at others. A scan as it is by default is a part of one look: two frames a second,
drawn twenty times. Its interval is held against the mean of the other looks, all their frames: "both"; the interval of
the frames alone against all frames of its own look, "frames", and against those of the other looks, "frames elsewhere".
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

DENSE_FPS, SECONDS, DRAWS = 4, 4, 20
CRFS = {"master": 12, "encode": 36}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--clips", metavar="NAME", nargs="+", help="files of clips/sdr and clips/fr_pairs")
    parser.add_argument("--looks", type=int, default=5)
    options = parser.parse_args()
    folder = Path(os.environ.get("YOTO_DATA", "../shared/data")) / "clips"
    clips = [*sorted((folder / "sdr").glob("*.mp4")), folder / "fr_pairs/ferris-ref.mp4"]
    clips = [clip for clip in clips if clip.is_file() and clip.name in (options.clips or [clip.name])]
    if not clips:
        raise SystemExit(f"{folder}: no such clips; name the data folder in YOTO_DATA")
    from yoto_video.models.judge import Judge

    judge = Judge.load("yoto_mobilenetv2")
    totals: dict[str, list[dict[str, float]]] = {}
    for clip in clips:
        with tempfile.TemporaryDirectory() as made:
            looks = [_look(judge, seed, *_encodes(clip, Path(made))) for seed in range(options.looks)]
        for (name, mode), (size, shots, _, _) in looks[0].items():
            scores = [look[name, mode][2] for look in looks]
            row = _held(mode, np.asarray(scores), looks[0][name, mode][3], size, shots)
            totals.setdefault(mode, []).append(row)
            what = {"type": "coverage", "clip": clip.name, "video": name, "mode": mode, "score": float(np.mean(scores))}
            if options.format == "json":
                print(json.dumps(what | row), flush=True)
            else:
                print(f"{clip.name:24} {name:7} {mode} {what['score']:5.1f}: {_said(row)}", flush=True)
    for mode, rows in totals.items():
        mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        print(
            json.dumps({"type": "total", "mode": mode, **mean})
            if options.format == "json"
            else f"{mode}: {_said(mean)}"
        )


def _said(row: dict[str, float]) -> str:
    held = ", ".join(f"{name} {row[name]:.1%}" for name in ("both", "frames", "frames elsewhere"))
    return f"{held}; {row['width']:.1f} wide"


def _encodes(clip: Path, folder: Path) -> tuple[Path, Path]:
    """Its first seconds as a master and an encode."""
    import av
    from yoto_video.pipeline.encode import Rung, encode

    files = {name: folder / f"{name}.mp4" for name in CRFS}
    if not all(file.exists() for file in files.values()):
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            fps = round(stream.average_rate or 25)
            shown = (frame.to_ndarray(format="rgb24") for frame in container.decode(stream))
            first = next(shown)
            height, width = (side - side % 2 for side in first.shape[:2])
            rungs = [
                Rung(files[name], "libx264", width, height, None, (("crf", str(crf)), ("preset", "fast")))
                for name, crf in CRFS.items()
            ]
            some = itertools.islice(itertools.chain([first], shown), fps * SECONDS)
            encode((rgb[:height, :width] for rgb in some), rungs, fps=fps)
    return files["master"], files["encode"]


Look = dict[tuple[str, str], tuple[tuple[int, int], float, list[float], list[Fraction]]]


def _look(judge: object, seed: int, master: Path, encode: Path) -> Look:
    """By video and mode: the raster, shots, scores and times of a look at these places."""
    from yoto_video.pipeline.measure import measure_ladder
    from yoto_video.pipeline.rows import shots_worth
    from yoto_video.pipeline.settings import Settings
    from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

    judge.seed = seed  # type: ignore[attr-defined]
    ladder = Ladder("l", (Rendition(VideoRef(str(encode))),), VideoRef(str(master)))
    found: Look = {}
    for result in measure_ladder(ladder, judge, Settings(fps=DENSE_FPS, worst_frames=0)).results:  # type: ignore[arg-type]
        width, height = map(int, (result.clip.display or "0x0").split("x"))
        key = Path(result.clip.path).stem, str(result.clip.mode)
        scores, times = [f.score for f in result.frames], [Fraction(f.pts_time) for f in result.frames]
        found[key] = ((width, height), shots_worth(result.frames), scores, times)
    return found


def _held(mode: str, looks: np.ndarray, times: list[Fraction], size: tuple[int, int], shots: float) -> dict[str, float]:
    """Shares of the intervals of parts of (looks, frames) scores that hold; width of those over both."""
    from yoto_video.models.place_error import place_error
    from yoto_video.pipeline.pool import ci95
    from yoto_video.pipeline.sample import choose_frames

    found: dict[str, list[float]] = {"both": [], "frames": [], "frames elsewhere": [], "width": []}
    for draw in range(DRAWS):
        part = choose_frames(times, SECONDS, fps=2.0, min_frames=8, seed=draw)
        for k, own in enumerate(looks):
            scores = own[part]
            error = place_error(mode, float(scores.mean()), size, 6, shots)  # type: ignore[arg-type]
            alone, whole = ci95(scores.tolist()), ci95(scores.tolist(), error)
            assert alone is not None
            assert whole is not None
            elsewhere = float(np.delete(looks, k, 0).mean())
            found["both"].append(_inside(elsewhere, whole))
            found["frames"].append(_inside(float(own.mean()), alone))
            found["frames elsewhere"].append(_inside(elsewhere, alone))
            found["width"].append(whole[1] - whole[0])
    return {name: float(np.mean(values)) for name, values in found.items()}


def _inside(value: float, interval: tuple[float, float]) -> bool:
    return interval[0] - 1e-6 <= value <= interval[1] + 1e-6


if __name__ == "__main__":
    main()
