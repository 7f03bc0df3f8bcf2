"""Runs of flagged frames as stretches of time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Stretch(NamedTuple):
    """From `start_s` to `end_s`, seconds from the first frame; so many `frames` of it have what was looked for."""

    start_s: float
    end_s: float
    frames: int


def of_flags(flags: NDArray[np.bool_], starts: Floats, ends: Floats) -> list[Stretch]:
    """Runs of True. `starts` and `ends` say from when to when each frame is shown; all (n,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [
        Stretch(float(starts[a]), float(ends[b - 1]), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def between_samples(times: Floats, duration_s: float) -> tuple[Floats, Floats]:
    """From when to when a sampled frame speaks: halfway to its neighbours, and to the ends of the clip; both (n,)."""
    middles = (times[1:] + times[:-1]) / 2
    end = max(duration_s, float(times[-1]))
    return np.concatenate([[0.0], middles]), np.concatenate([middles, [end]])


def merged(stretches: Iterable[Stretch], *, within_s: float) -> list[Stretch]:
    """Stretches in order of time, those no more than `within_s` apart as one."""
    found: list[Stretch] = []
    for one in sorted(stretches):
        if found and one.start_s - found[-1].end_s <= within_s:
            last = found.pop()
            one = Stretch(last.start_s, max(last.end_s, one.end_s), last.frames + one.frames)
        found.append(one)
    return found
