"""Where shots end, as several encodes of one title tell it together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64] | None  # of the shots that frames are in; None where they were not looked for


def shots_of(numbers: Sequence[int | None]) -> Numbers:
    """The `shot` column of a clip's frames; None where a frame lacks it: older results do."""
    known = [n for n in numbers if n is not None]
    return np.array(known, np.int64) if known and len(known) == len(numbers) else None


def cuts(clips: Iterable[tuple[Floats, Numbers]]) -> list[tuple[float, float]]:
    """The last moment before and the first after each cut, in seconds, in order.

    A cut is where more than half of the clips have one between two frames: what a poor encode or a whip of the camera
    makes one clip see is none.

    Args:
        clips: times and shot numbers of each clip's frames, on one time line; (n,) each.
    """
    known = [(times, numbers) for times, numbers in clips if numbers is not None and len(times)]
    edges: list[tuple[float, int]] = []
    for times, numbers in known:
        for i in np.flatnonzero(np.diff(numbers)):
            edges += [(float(times[i]), 1), (float(times[i + 1]), -1)]
    found, covered, since = [], 0, 0.0
    for at, change in sorted(edges):  # at one time, what ends comes before what begins
        most = covered > len(known) / 2
        covered += change
        if most and covered <= len(known) / 2:
            found.append((since, at))
        elif not most:
            since = at
    return found


def spans(found: Sequence[tuple[float, float]], start_s: float, end_s: float) -> list[tuple[float, float]]:
    """From when to when each shot is: cuts are halfway between the frames around them."""
    middles = [(a + b) / 2 for a, b in found]
    return list(pairwise([start_s, *(m for m in middles if start_s < m < end_s), end_s]))
