"""Where an encode shows other moments of its master than before and after: frames left out here, others repeated there.

It begins and ends with its master, so neither its length nor a late place tells. Some of its frames are compared with
all those of the master around them: a stretch in which others fit clearly better than those that are due is laid over
the master by itself, and counts where it is surely off.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .laid import LEAST_AGREEMENT, Laid
from .luma import Overview, Sight
from .places import AROUND_S, LOOK_S, OFF, Place, distances, laid_anew
from .timeline import SURE, lead

EVERY_S = 0.13  # between frames of the encode that are looked at
_BETTER = 0.1  # as (due - other) / (due + other) of distances, from which on another moment fits a frame better
_LEAST = 0.8  # of the sum of what is above that, from which on a stretch is looked at closely
_MOST = 4  # stretches that are
_LONGEST_S = 3.0  # of a stretch that is laid over the master
MOST_AT_ONCE = 300  # frames that are compared at once
_FLOOR = 2e-4  # distance that rounding and noise alone may make


def places(encode: Sight, master: Sight, laid: Laid, gap: float) -> list[Place]:
    """Stretches that are off from where the head says, each with one behind it that is not, if there is one.

    Args:
        encode, master: the videos, in step.
        laid: how the encode's head lies on its master.
        gap: of frames, seconds.
    """
    mine, theirs = encode.overview(max(1, round(EVERY_S / encode.gap))), master.overview()
    reach = round(AROUND_S / gap)
    shifts = np.arange(-reach, reach + 1)
    better = _better(mine, theirs, laid, shifts, gap)
    found = list[tuple[float, Place, float]]()
    for _ in range(_MOST):
        first, last, column = _best(better)
        if better[first : last + 1, column].sum() < _LEAST:
            break
        better[first : last + 1] = -1
        begin, end = float(mine.times[first]), float(mine.times[last])
        known = _closely(encode, master, laid, begin, end, gap)
        if known is not None:
            found.append((begin, known, end))
    found.sort(key=lambda one: one[0])
    made = list[Place]()
    nexts = [begin for begin, *_ in found[1:]] + [float(encode.times[-1])]
    for (_, known, end), after in zip(found, nexts, strict=False):
        made.append(known)
        room = after - end - 4 * EVERY_S
        if room > 2 * EVERY_S:
            made.append(Place(end + 2 * EVERY_S, 0.0, lasts_s=min(LOOK_S, room)))
    return made


def _better(mine: Overview, theirs: Overview, laid: Laid, shifts: NDArray[np.int64], gap: float) -> NDArray[np.float64]:
    """(n, k) by how much each frame looks more like the master's at a shift than like the one that is due."""
    made = [np.empty((0, len(shifts)))]
    reach = (int(shifts[-1]) + 2) * gap
    for first in range(0, len(mine.times), MOST_AT_ONCE):
        some = Overview(mine.times[first : first + MOST_AT_ONCE], mine.small[first : first + MOST_AT_ONCE])
        moments = laid.offset.offset_s + some.times[[0, -1]]
        low, high = np.searchsorted(theirs.times, (moments[0] - reach, moments[1] + reach))
        cost, shows = distances(some, Overview(theirs.times[low:high], theirs.small[low:high]), laid, shifts, gap)
        due = cost[:, len(shifts) // 2, None]
        made.append(np.where(shows & np.isfinite(cost) & np.isfinite(due), (due - cost) / (due + cost + _FLOOR), -1))
    return np.concatenate(made) - _BETTER


def _best(better: NDArray[np.float64]) -> tuple[int, int, int]:
    """First and last row and the column of the stretch of largest sum."""
    total = np.cumsum(np.concatenate((np.zeros((1, better.shape[1])), better)), axis=0)
    gain = total - np.minimum.accumulate(total, axis=0)
    end, column = np.unravel_index(int(gain.argmax()), gain.shape)
    first = int(total[: end + 1, column].argmin())
    return first, max(first, int(end) - 1), int(column)


def _closely(encode: Sight, master: Sight, laid: Laid, begin: float, end: float, gap: float) -> Place | None:
    """The middle of a stretch, where it is surely not what is due; by a frame it may be another one than is said."""
    lasts = min(_LONGEST_S, end - begin)
    at = (begin + end - lasts) / 2
    there = laid_anew(encode, master, laid, at, 1.0, gap, lasts)
    if there is None or there[0] < LEAST_AGREEMENT or not there[1].near:
        return None
    off = there[1].offset_s - laid.offset.offset_s
    mine, moment = encode.between(at, at + lasts), at + laid.offset.offset_s
    theirs = master.between(moment - AROUND_S, moment + lasts + AROUND_S)
    cost, _ = distances(mine, theirs, laid, np.array([0, round(off / gap)]), gap)
    due, other = cost[np.isfinite(cost).all(axis=1)].astype(np.float32).T
    return Place(at, off, lasts_s=lasts) if abs(off) >= OFF * gap and lead(other, due) >= SURE else None
