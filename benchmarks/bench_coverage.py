"""How often a clip's 95 % interval holds the score of a much closer look: real clips of the data, NR and FR.

python benchmarks/bench_coverage.py [--format json] [--clips NAME ...] [--looks 5]

The first seconds of each clip and an encode of them are judged at four frames a second, at the default's six places, as
often as `--looks` says, each time at others. A scan as it is by default is a part of a look: two frames a second, half
of the places at a time, drawn twenty times. Its interval is held against the mean of the other looks, all their frames:
"both"; the interval of the frames alone against all frames of its own look, "frames", and against those of the other
looks, "frames elsewhere". "off" is by how many points a scan differs from its own look on average.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

DENSE_FPS, SECONDS, DRAWS = 4, 4, 20
CRFS = {"master": 12, "encode": 36}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--clips", metavar="NAME", nargs="+", help="files of clips/sdr and clips/fr_pairs")
    parser.add_argument("--looks", type=int, default=5)
    parser.add_argument("--whole", action="store_true", help="scans look at all places of each frame, to compare")
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
        for name, mode in looks[0]:
            seen = [look[name, mode] for look in looks]
            row = _held(judge, mode, seen, whole=options.whole)  # type: ignore[arg-type]
            totals.setdefault(mode, []).append(row)
            mean = float(np.mean([judge.score(said) for look in seen for said in look.said]))
            what = {"type": "coverage", "clip": clip.name, "video": name, "mode": mode, "score": mean}
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
    return f"{held}; {row['width']:.1f} wide, {row['off']:.2f} off"


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


class Look(NamedTuple):
    """What was said of a video's frames at some places, in one mode."""

    size: tuple[int, int]
    times: list[Fraction]
    shots: list[int]  # of each frame
    said: list[Any]  # `models.said.Said` of each frame, all places


def _look(judge: Any, seed: int, master: Path, encode: Path) -> dict[tuple[str, str], Look]:
    """By video and mode, at these places."""
    from yoto_video.pipeline import decode
    from yoto_video.pipeline.looks import Watch
    from yoto_video.pipeline.probe import probe
    from yoto_video.pipeline.sample import choose_frames
    from yoto_video.pipeline.values import VideoRef

    judge.seed = seed
    found: dict[tuple[str, str], Look] = {}
    encoded: dict[str, list[Any]] = {}
    for file in (master, encode):
        ref = VideoRef(str(file))
        info = probe(ref)
        times, watch, seen = list(decode.frame_times(ref, info)), Watch(), []
        numbers = choose_frames(times, float(times[-1]), fps=DENSE_FPS, min_frames=8, seed=0)
        frames = list(decode.read_frames(ref, info, numbers))
        shots = [watch.see(frame, times[0]) for frame in frames]
        for frame in frames:
            seen += judge.encode([frame.rgb])
        encoded[file.stem] = seen
        own = [frame.pts_s for frame in frames]
        found[file.stem, "nr"] = Look((info.width, info.height), own, shots, judge.say(seen))
    found[encode.stem, "fr"] = found[encode.stem, "nr"]._replace(said=judge.say(encoded["encode"], encoded["master"]))
    return found


def _scanned(judge: Any, look: Look, part: Sequence[int], *, whole: bool) -> list[Any]:
    """Rows of these frames as a scan gives them: half of a frame's places at a time, or the whole of each."""
    from yoto_video.models.crops import PARTED
    from yoto_video.models.said import Said
    from yoto_video.pipeline.turns import Turns
    from yoto_video.pipeline.values import FrameScore

    turns, rows = Turns(), []
    for k, i in enumerate(part):
        said, shot = look.said[i], look.shots[i]
        turn = turns.take(k % 2, look.times[i], shot)
        both = said
        if turn.half is not None and len(said.turns) >= PARTED and not whole:
            mine = said.turns == turn.half
            half = Said(*(rows_of[mine] for rows_of in said[:-2]), *said[-2:])
            both = judge.joined(half, turns.said) or said
        turns.said = both
        span_s = 0.0 if both is said else turn.span_s
        rows.append(FrameScore(i, float(look.times[i]), judge.score(both), "nr", shot, span_s))
    return rows


def _held(judge: Any, mode: Literal["nr", "fr"], looks: Sequence[Look], *, whole: bool) -> dict[str, float]:
    """Shares of the intervals of scans that hold; width of those over both."""
    from yoto_video.models.place_error import place_error
    from yoto_video.pipeline.pool import ci95
    from yoto_video.pipeline.rows import shots_worth
    from yoto_video.pipeline.sample import choose_frames

    closer = [float(np.mean([judge.score(said) for said in look.said])) for look in looks]
    found: dict[str, list[float]] = {"both": [], "frames": [], "frames elsewhere": [], "width": [], "off": []}
    for draw in range(DRAWS):
        part = choose_frames(looks[0].times, SECONDS, fps=2.0, min_frames=8, seed=draw)
        for k, look in enumerate(looks):
            rows = _scanned(judge, look, part, whole=whole)
            scores, spans = [row.score for row in rows], [row.span_s for row in rows]
            mean = float(np.mean(scores))
            alone = ci95(scores, spans=spans)
            both = ci95(scores, place_error(mode, mean, look.size, 6, shots_worth(rows)), spans)
            assert alone is not None
            assert both is not None
            elsewhere = float(np.mean(closer[:k] + closer[k + 1 :]))
            found["both"].append(_inside(elsewhere, both))
            found["frames"].append(_inside(closer[k], alone))
            found["frames elsewhere"].append(_inside(elsewhere, alone))
            found["width"].append(both[1] - both[0])
            found["off"].append(abs(mean - closer[k]))
    return {name: float(np.mean(values)) for name, values in found.items()}


def _inside(value: float, interval: tuple[float, float]) -> bool:
    return interval[0] - 1e-6 <= value <= interval[1] + 1e-6


if __name__ == "__main__":
    main()
