"""Times for packets that carry none: MPEG streams need not stamp every picture."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from .packet_table import NONE

_NEAR = 16  # frames that a picture may be shown before or after its neighbour in the file


def filled(pts: NDArray[np.int64], shown: NDArray[np.bool_], step: int) -> NDArray[np.int64]:
    """(n,) `pts` with times for shown packets without one: those that the others leave free, `step` ticks apart.

    Each takes the free time nearest to the packet before it, so that all free ones that frames can have are taken, not
    which frame has which: a decoder alone knows their order. A packet with none near keeps NONE.
    """
    missing, known = np.flatnonzero(shown & (pts == NONE)), np.flatnonzero(shown & (pts != NONE))
    if not len(missing) or not len(known) or step <= 0:
        return pts
    times = np.sort(pts[known])
    lost = np.rint(np.diff(times) / step).astype(np.int64) - 1
    early = int(np.searchsorted(missing, known[0]))  # before any that has a time
    free = [int(times[0]) - k * step for k in range(early, 0, -1)]
    free += [
        int(times[i]) + round(k * int(times[i + 1] - times[i]) / (int(lost[i]) + 1))
        for i in np.flatnonzero(lost > 0)
        for k in range(1, min(int(lost[i]), 2 * _NEAR) + 1)
    ]
    free += [int(times[-1]) + k * step for k in range(1, len(missing) + 1)]
    pts = pts.copy()
    before = known[np.maximum(np.searchsorted(known, missing) - 1, 0)]
    for number, time in zip(missing.tolist(), pts[before].tolist(), strict=True):
        at = bisect_left(free, time)
        nearest = min(range(max(0, at - 1), min(len(free), at + 1)), key=lambda i: abs(free[i] - time), default=None)
        if nearest is not None and abs(free[nearest] - time) <= _NEAR * step:
            pts[number] = free.pop(nearest)
    return pts
