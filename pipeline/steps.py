"""Where an encode leaves out frames of its master, or shows some again, and plays on: a splice, a buffer that ran dry.

Its times tell nothing of it, for the frames behind close up. Between two moments that are off by different amounts
such a step is looked for by halves, and then to the frame. Where the first second or the last is unsure, with a step
in it perhaps, the two are taken to begin or to end together, if the pictures there say so surely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .laid import LEAST_AGREEMENT, Laid
from .luma import Sight, Stretch
from .places import AROUND_S, LOOK_S, NO_FURTHER, OFF, Place, distances, shift_at
from .timeline import SURE, lead

_MOST = 8  # steps that are told one by one: what has more of them plays at another speed
_NEAR_S = 3.0  # between two moments, from which on every frame between them is looked at
_BLURRED_S = 8.0  # the same where none of the places between them is sure
_ONE_S = 0.5  # between steps of what is told as one
_LEAST = 8  # frames that have to speak for what is only supposed
_FEW = 2  # frames that show nothing of the master, from which on something was put in


@dataclass(frozen=True)
class Step:
    """From a moment of the encode on, its frames show what lies this much later in its master than before."""

    at_s: float  # encode time of the first such frame, from the first frame
    skip_s: float  # negative: shown again


@dataclass(frozen=True)
class Way:
    """How an encode goes along its master, where it does not keep its place."""

    starts_s: float  # how much later its first frame lies in its master than thought
    steps: tuple[Step, ...]


def find(encode: Sight, master: Sight, laid: Laid, places: Sequence[Place], gap: float) -> Way | None:
    """The steps of an encode; None where none can be told, or too many, or where something else was put in.

    Args:
        encode, master: the videos, in step.
        laid: how the encode lies on its master where that was looked at.
        places: later moments and by how much they are off, ascending; one at least.
        gap: of frames, seconds.
    """
    known, offset = places[-1], laid.offset.offset_s
    ends = float(encode.times[-1]), float(master.times[-1]) - offset
    head = shift_at(encode, master, laid, 0.0, 1.0, gap)
    if head is not None and head[1] is not None:
        first = Place(0.0, head[1], OFF * gap <= abs(head[1]) < 2 * OFF * gap)  # by a frame a place may be by itself
    else:
        first = Place(0.0, -offset, True) if abs(offset) <= LOOK_S else Place(0.0, 0.0)
    between = list(pairwise([first, *places]))
    if known.at_s < min(ends) - 2 * LOOK_S and abs(ends[1] - ends[0]) <= LOOK_S:
        between.append((known, Place(min(ends) - LOOK_S, ends[1] - ends[0], True)))
    found, starts = list[Step](), first.off_s
    while between and len(together(found)) <= _MOST:
        start, end = between.pop()
        if abs(end.off_s - start.off_s) < gap / 2:
            continue
        middle = _sure_place(encode, master, laid, start, end, gap) if end.at_s - start.at_s > _NEAR_S else None
        if middle is not None:
            between += [(start, middle), (middle, end)]
        elif end.at_s - start.at_s <= _BLURRED_S:
            new = _to_the_frame(encode, master, laid, start, end, gap)
            if new is None:
                return None
            found += new
            if start.supposed and not new:
                starts = 0.0
                between.append((replace(start, off_s=0.0, supposed=False), end))
        else:
            return None
    if not 0 < len(together(found)) <= _MOST:
        return None
    return _without_false_head(encode, master, laid, Way(starts, tuple(sorted(found, key=lambda s: s.at_s))), gap)


def together(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps of one kind within half a second: a picture that stands still for some frames is one of them for each."""
    made: list[list[Step]] = []
    for step in sorted(steps, key=lambda step: step.at_s):
        last = made[-1][-1] if made else None
        if last and step.at_s - last.at_s <= _ONE_S and (step.skip_s > 0) == (last.skip_s > 0):
            made[-1].append(step)
        else:
            made.append([step])
    return made


def _sure_place(encode: Sight, master: Sight, laid: Laid, start: Place, end: Place, gap: float) -> Place | None:
    """A place about half-way; a step in that second leaves it unsure, so others are tried."""
    middle, offs = (start.at_s + end.at_s) / 2, (0.0, start.off_s, end.off_s)
    reach = (min(offs), max(offs)) if max(map(abs, offs)) > AROUND_S else NO_FURTHER
    for at in (middle, middle + LOOK_S, middle - LOOK_S):
        there = shift_at(encode, master, laid, at, 1.0, gap, reach)
        if there is not None and there[1] is not None:
            return Place(at, there[1])
    return None


def _to_the_frame(encode: Sight, master: Sight, laid: Laid, start: Place, end: Place, gap: float) -> list[Step] | None:
    """The way from one place to the other that agrees best with the pictures between, never back.

    Empty where one of the two is only supposed, and the frames there do not say surely that they lie so; None where
    frames show nothing that the master does: they were put in.
    """
    first, last = round(start.off_s / gap), round(end.off_s / gap)
    shifts = np.arange(first, last + 1) if last > first else np.arange(first, last - 1, -1)
    mine = encode.between(start.at_s, end.at_s + end.lasts_s)
    if not len(mine.times):  # none of them can be decoded
        return None
    cost, shows = _costs(mine, master, laid, shifts, gap)
    hit = np.isfinite(cost)
    # What has no counterpart, before the master begins or where it ended, speaks for nothing.
    way = _never_back(np.where(hit, cost, np.nanmin(cost, axis=1, keepdims=True, initial=1.0)))
    for place, own, other in ((start, 0, -1), (end, len(shifts) - 1, 0)):
        there = cost[(way == own) & hit[:, own] & hit[:, other]].astype(np.float32)
        if place.supposed and (len(there) < _LEAST or lead(there[:, own], there[:, other]) < SURE):
            return []
    foreign = shows & hit & (cost > 1 - LEAST_AGREEMENT)
    if np.take_along_axis(foreign, way[:, None], axis=1).sum() >= _FEW:
        return None
    at = np.flatnonzero(np.diff(way)) + 1
    return [Step(float(mine.times[i]), float(shifts[way[i]] - shifts[way[i - 1]]) * gap) for i in at]


def _costs(
    mine: Stretch, master: Sight, laid: Laid, shifts: NDArray[np.int64], gap: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """`distances` from all of the master that these shifts reach."""
    offset, low, high = laid.offset.offset_s, int(shifts.min()), int(shifts.max())
    theirs = master.between(offset + mine.times[0] + (low - 1) * gap, offset + mine.times[-1] + (high + 1) * gap)
    return distances(mine, theirs, laid, shifts, gap)


def _without_false_head(encode: Sight, master: Sight, laid: Laid, way: Way, gap: float) -> Way:
    """The same without its first step where its head lies as well behind it: on a loop that the head begins with."""
    step = together(way.steps)[0]
    behind = way.starts_s + sum(one.skip_s for one in step)
    mine = encode.between(0.0, min(step[0].at_s, _NEAR_S))
    if not len(mine.times):
        return way
    cost, _ = _costs(mine, master, laid, np.array([round(way.starts_s / gap), round(behind / gap)]), gap)
    own, other = cost[np.isfinite(cost[:, 1])].astype(np.float32).T
    if len(own) < _LEAST or lead(np.where(np.isfinite(own), own, other), other) >= SURE:
        return way
    return Way(behind, way.steps[len(step) :])


def _never_back(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) columns of least sum through (n, k) costs, from the first to the last one, never going back."""
    total = np.full(cost.shape, np.inf)
    came = np.zeros(cost.shape, np.int64)
    total[0, 0] = cost[0, 0]
    for i in range(1, len(cost)):
        best = np.minimum.accumulate(total[i - 1])
        new = np.concatenate(([True], total[i - 1][1:] < best[:-1]))
        came[i] = np.maximum.accumulate(np.where(new, np.arange(cost.shape[1]), 0))
        total[i] = best + cost[i]
    way = np.full(len(cost), cost.shape[1] - 1)
    for i in range(len(cost) - 1, 0, -1):
        way[i - 1] = came[i, way[i]]
    return way
