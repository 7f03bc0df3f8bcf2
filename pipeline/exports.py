"""Results in the forms that other tools read: the JSON of libvmaf, and tidy CSV.

The JSON has libvmaf's layout (`frames[].frameNum`, `frames[].metrics`, `pooled_metrics`), so that scripts which walk it
read ours. Its metrics are called yoto_nr and yoto_fr: they are no VMAF, and do not pretend to be.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TextIO

from .. import __version__
from .convert import clip_json
from .pool import POOLS, pool
from .schema import FRAMES
from .text import safe_cell
from .values import ClipResult, ClipScore, FrameScore

METRICS = {"nr": "yoto_nr", "fr": "yoto_fr"}
_LIBVMAF_POOLS = ("min", "max", "mean", "harmonic_mean")
CLIP_COLUMNS = (
    *("path", "ladder", "mode", "status", "reason", "score", *POOLS, "ci95_low", "ci95_high", "frames", "display"),
    *("width", "height", "fps", "codec", "bitrate_kbps", "duration_s", "offset_frames", "offset_s"),
    *("match_confidence", "is_master", "reference", "master_score", "findings", "model", "model_sha256"),
)


def libvmaf_json(results: Sequence[ClipResult]) -> dict[str, object]:
    """One video as libvmaf would log it: its modes are metrics, frames judged in both are merged.

    Args:
        results: the rows of one video, one or both modes, each with its frames.

    Raises:
        ValueError: rows of more than one video, a mode twice, or nothing that was scored.
    """
    scored = [result for result in results if result.clip.status == "ok"]
    if not scored:
        raise ValueError("nothing was scored, so there is nothing to export")
    if len({r.clip.path for r in scored}) > 1 or len({r.clip.mode for r in scored}) < len(scored):
        raise ValueError("a libvmaf log is about one video, each mode once")
    frames: dict[int, dict[str, float]] = {}
    for frame in sorted((f for r in scored for f in r.frames), key=lambda f: (f.frame_num, f.mode == "fr")):
        frames.setdefault(frame.frame_num, {})[METRICS[frame.mode]] = frame.score
    return {
        "version": f"yoto-video {__version__}",
        "fps": _finite(scored[0].clip.fps),
        "frames": [{"frameNum": number, "metrics": metrics} for number, metrics in frames.items()],
        "pooled_metrics": {METRICS[r.frames[0].mode]: _pooled(r.frames) for r in scored},
        "aggregate_metrics": {},
    }


def write_libvmaf_json(results: Sequence[ClipResult], file: TextIO) -> None:
    """`libvmaf_json` as text. NaN never appears in it."""
    json.dump(libvmaf_json(results), file, indent=2, allow_nan=False)
    file.write("\n")


def write_frames_csv(results: Iterable[ClipResult], file: TextIO) -> int:
    """One line a judged frame and mode, with the columns of the `frames` data set; returns the number of lines.

    Open the file with `newline=""`, as the csv module asks.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(FRAMES.names)
    count = 0
    for result in results:
        clip = result.clip
        for frame in result.frames:
            own = {f.name: getattr(frame, f.name) for f in fields(frame)}
            row = [own[name] if name in own else getattr(clip, name) for name in FRAMES.names]
            writer.writerow(map(safe_cell, row))
            count += 1
    return count


def write_clips_csv(clips: Iterable[ClipScore], file: TextIO) -> int:
    """One line a video and mode, with the names of the JSON objects and of the data set; returns the number of lines.

    Pools are columns of their own, `ci95` is `ci95_low` and `ci95_high`, findings are joined with "; ", and what does
    not apply is empty. Open the file with `newline=""`.
    """
    writer = csv.DictWriter(file, CLIP_COLUMNS, lineterminator="\n")
    writer.writeheader()
    count = 0
    for count, clip in enumerate(clips, 1):  # noqa: B007 (the count is what is returned)
        writer.writerow(_flat(clip))
    return count


def _flat(clip: ClipScore) -> dict[str, object]:
    row = clip_json(clip)
    low, high = clip.ci95 or (None, None)
    row |= clip.pools | {"ci95_low": low, "ci95_high": high, "findings": "; ".join(f.dated for f in clip.findings)}
    row |= {"fps": clip.fps, "is_master": clip.is_master, "reference": clip.reference}
    return {name: safe_cell(row.get(name)) for name in CLIP_COLUMNS}


def _pooled(frames: Sequence[FrameScore]) -> dict[str, float]:
    scores = [frame.score for frame in frames]
    pools = pool([frame.pts_time for frame in frames], scores) | {"max": max(scores)}
    return {name: pools[name] for name in _LIBVMAF_POOLS}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
