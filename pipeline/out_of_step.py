"""Whether pairs really show the same, where lengths say that they may not: what no place that was looked at has told.

Some frames of all of the encode are compared with the master's that are due, and with the others around them. A stretch
of it that shows another picture, or another moment by half a second and more, must not be scored as if it did not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .astray import EVERY_S, MOST_AT_ONCE
from .laid import LEAST_AGREEMENT, Laid
from .luma import Overview, Sight, still
from .places import distances
from .steps import Step

LONGER_S = 0.8  # by which lengths differ, from which on this is looked for
_APART_S = 0.5  # from the moment that is due: another one
_FURTHER_S, _FURTHEST_S = 1.0, 12.0  # moments looked at: by so much more than lengths differ, and at most
_BETTER = 0.5  # of the distance of what is due, below which another moment fits
_FAR = 0.004  # distance of what is due, from which on it may be another moment
_FEW = 4  # frames in a row that count, by the same shift: half a second
_ALONE = 1e-6  # of distance 1: one of two pictures shows nothing


def first(encode: Sight, master: Sight, laid: Laid, shift: float, steps: tuple[Step, ...], gap: float) -> float | None:
    """The encode's time, seconds, from which on it shows for half a second what is not due.

    None where there is no such time, or where lengths differ by so little, but for what steps explain, that none is
    looked for.

    Args:
        encode, master: the videos, at one speed.
        laid: how the encode's pictures lie on its master's.
        shift: of its first frame in its master, seconds.
        steps: from where on it lies later by more.
        gap: of frames, seconds.
    """
    if len(encode.times) < 2 or len(master.times) < 2:
        return None
    skips = sum(step.skip_s for step in steps)
    longer = float(master.times[-1] - shift - encode.times[-1])
    if abs(longer - skips) < LONGER_S:
        return None
    starts = shift - laid.offset.offset_s
    reach_s = min(_FURTHEST_S, abs(longer) + _FURTHER_S + abs(starts) + sum(abs(s.skip_s) for s in steps))
    mine = encode.overview(max(1, round(EVERY_S / encode.gap)))
    if not len(mine.times):  # none of them can be decoded
        return None
    theirs = master.overview(until_s=float(mine.times[-1]) + laid.offset.offset_s + reach_s + 1)
    if len(theirs.times) < 2:
        return None
    shifts = np.arange(-round(reach_s / gap), round(reach_s / gap) + 1)
    due = np.full(len(mine.times), starts) + sum((mine.times >= s.at_s - gap / 2) * s.skip_s for s in steps)
    found = [np.empty((0, len(shifts) + 1), bool)]
    for i in range(0, len(mine.times), MOST_AT_ONCE):
        some = Overview(mine.times[i : i + MOST_AT_ONCE], mine.small[i : i + MOST_AT_ONCE])
        found.append(_elsewhere(some, theirs, laid, due[i : i + MOST_AT_ONCE], shifts, gap))
    other = np.concatenate(found)
    if len(other) < _FEW:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(other, _FEW, axis=0)
    in_a_row = np.any(np.all(windows, axis=2), axis=1)
    return float(mine.times[in_a_row.argmax()]) if in_a_row.any() else None


def _elsewhere(
    mine: Overview, theirs: Overview, laid: Laid, due: NDArray[np.float64], shifts: NDArray[np.int64], gap: float
) -> NDArray[np.bool_]:
    """(n, k + 1) whether each frame fits clearly better at a shift than at its due one; last, there not at all."""
    moments, reach = laid.offset.offset_s + mine.times[[0, -1]], (int(shifts[-1]) + 2) * gap
    low, high = np.searchsorted(theirs.times, (moments[0] - reach, moments[1] + reach))
    some = Overview(theirs.times[low:high], theirs.small[low:high])
    cost, _ = distances(mine, some, laid, shifts, gap)
    shows = np.isfinite(cost) & (np.abs(cost - 1) > _ALONE)
    off = shifts[None] * gap - due[:, None]
    column = np.abs(off).argmin(axis=1)
    rows = np.arange(len(cost))
    own = np.where(shows[rows, column], cost[rows, column], 0.0)
    better = shows & (np.abs(off) >= _APART_S) & (cost < _BETTER * own[:, None]) & (own > _FAR)[:, None]
    found = np.concatenate([better, (own > 1 - LEAST_AGREEMENT)[:, None]], axis=1)
    return np.asarray(found & ~still(mine.small)[:, None])  # of a freeze, which says so by itself
