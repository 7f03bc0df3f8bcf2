"""A part of an encode laid over its master anew, wherever it is: how far it is off from where its head says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import geometry, timeline
from .laid import LEAST_AGREEMENT, Laid, seen, some_pairs
from .luma import Overview, Sight, Stretch
from .timeline import Offset

LOOK_S, AROUND_S = 1.0, 1.0  # of the encode looked at, and of the master before and after
Reach = tuple[float, float]  # seconds off, least and most, around which the master is looked at, too
NO_FURTHER: Reach = (0.0, 0.0)
OFF = 0.75  # frame gaps by which a place has to be off to count as moved


@dataclass(frozen=True)
class Place:
    """A moment of the encode and how far it is off, seconds."""

    at_s: float
    off_s: float
    supposed: bool = False
    lasts_s: float = LOOK_S  # for how long it is off by as much


def shift_at(
    encode: Sight, master: Sight, laid: Laid, at: float, ratio: float, gap: float, reach: Reach = NO_FURTHER
) -> tuple[float, float | None] | None:
    """At a moment of the encode: how well pictures agree, and how many seconds off they are, where that is sure."""
    found = laid_anew(encode, master, laid, at, ratio, gap, reach=reach)
    if found is None:
        return None
    agreed, offset = found
    sure = offset.sure and agreed >= LEAST_AGREEMENT
    return agreed, offset.offset_s - laid.offset.offset_s if sure else None


def laid_anew(
    encode: Sight,
    master: Sight,
    laid: Laid,
    at: float,
    ratio: float,
    gap: float,
    lasts: float = LOOK_S,
    reach: Reach = NO_FURTHER,
) -> tuple[float, Offset] | None:
    """At a moment of the encode: how well pictures agree, and where; None where nothing shows there."""
    mine = encode.between(at, at + lasts)
    middle = laid.offset.offset_s + ratio * at
    theirs = master.between(middle + reach[0] - AROUND_S, middle + reach[1] + lasts + AROUND_S)
    if len(mine.times) < 4 or len(theirs.times) < 4:
        return None
    shown = seen(mine.times, geometry.turned(mine.small, laid.turn), laid.area)
    if not shown.textured.all():  # a film that ends there, in black or on a card: that agrees with whatever is as flat
        return None
    found = timeline.search(
        shown,
        seen(theirs.times, theirs.small, laid.part),
        [ratio], gap=gap, share=0.8,
    )  # fmt: skip
    if found is None:
        return None
    a, b = some_pairs(mine, theirs, found)
    luma = geometry.turned(mine.luma[a], laid.turn)
    return geometry.agreement(luma, theirs.luma[b], laid.area, laid.part), found


def distances(
    mine: Stretch | Overview,
    theirs: Stretch | Overview,
    laid: Laid,
    shifts: NDArray[np.int64],
    gap: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(n, k) distances of frames from the master's at shifts, NaN where it has none; and whether either shows any."""
    if not len(theirs.times):
        return np.full((len(mine.times), len(shifts)), np.nan), np.zeros((len(mine.times), len(shifts)), bool)
    shown = seen(mine.times, geometry.turned(mine.small, laid.turn), laid.area)
    there = seen(theirs.times, theirs.small, laid.part)
    apart = 1 - shown.vectors @ there.vectors.T
    offsets = np.asarray(laid.offset.offset_s + shifts * gap, np.float64)
    near, hit = timeline.nearest(mine.times, theirs.times, offsets, gap)
    cost = np.where(hit.T, np.take_along_axis(apart, near.T, axis=1), np.nan)
    return cost, shown.textured[:, None] | there.textured[near.T]
