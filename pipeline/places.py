"""A second of an encode laid over its master anew, wherever it is: how far it is off from where its head says."""

from __future__ import annotations

from . import geometry, timeline
from .laid import LEAST_AGREEMENT, Laid, seen, some_pairs
from .luma import Sight

LOOK_S, AROUND_S = 1.0, 1.0  # of the encode looked at, and of the master before and after
OFF = 0.75  # frame gaps by which a place has to be off to count as moved


def shift_at(
    encode: Sight, master: Sight, laid: Laid, at: float, ratio: float, gap: float
) -> tuple[float, float | None] | None:
    """At a moment of the encode: how well pictures agree, and how many seconds off they are, where that is sure."""
    offset = laid.offset
    mine = encode.between(at, at + LOOK_S)
    middle = offset.offset_s + ratio * at
    theirs = master.between(middle - AROUND_S, middle + LOOK_S + AROUND_S)
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
    agreed = geometry.agreement(luma, theirs.luma[b], laid.area, laid.part)
    sure = found.sure and agreed >= LEAST_AGREEMENT
    return agreed, found.offset_s - offset.offset_s if sure else None
