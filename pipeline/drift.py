"""Whether an encode keeps its place on its master: a place far behind its head is laid over the master, too."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from . import geometry, timeline
from .laid import LEAST_AGREEMENT, Laid, seen, some_pairs
from .luma import Sight

_FAR_S = 15.0  # a common length from which drift is looked for
_LATE_S, _AROUND_S = 1.0, 1.0  # of the encode looked at there, and of the master before and after
_OFF = 0.75  # frame gaps by which a place has to be off to count as moved
_ALIKE = 0.002  # of two speeds, that a head does not tell apart
_CUT = "not compared with its master: after its first seconds something was cut out or put in"


def late(encode: Sight, master: Sight, laid: Laid, ratios: Sequence[Fraction], gap: float) -> Fraction | str | None:
    """The speed as a place far behind tells it; a sentence where that place does not fit; None: nothing to add."""
    offset = laid.offset
    end = min(encode.times[-1], (master.times[-1] - offset.offset_s) / offset.ratio)
    at = 0.9 * end - _LATE_S
    if at < 1 or (end < _FAR_S and len(ratios) == 1):
        return None
    best: tuple[float, Fraction] | None = None
    agreed = []
    # First the one the head chose: over a short time two speeds may fit alike.
    for ratio in sorted(ratios, key=lambda r: abs(float(r) - offset.ratio) > _ALIKE):
        there = _at(encode, master, laid, at, float(ratio), gap)
        if there is None:
            continue
        agreed.append(there[0])
        fits = there[1] is not None and abs(there[1]) < _OFF * gap
        # Another speed may fit; that it does not says nothing of the head's, whose place may only be less than sure.
        if there[1] is not None and (fits or abs(float(ratio) - offset.ratio) <= _ALIKE):
            best = (there[1], ratio)
        if fits:
            break
    if best is None:
        if agreed and max(agreed) < LEAST_AGREEMENT:
            return f"not compared with its master: {at:.1f} s after its start it shows other pictures"
        return None
    moved, ratio = best
    if _OFF * gap <= abs(moved) < 2 * _OFF * gap and _fits(encode, master, laid, at - _LATE_S, float(ratio), gap):
        moved = 0.0  # where little moves a place may be a frame off by itself
    if abs(moved) >= _OFF * gap:
        drift = float(ratio) + moved / at
        if abs(drift - 1) >= _ALIKE:
            return _CUT
        ratio = Fraction(drift).limit_denominator(10**6)
    if ratio != 1:  # a cut of a few frames looks like another speed, but not from everywhere
        midway = _at(encode, master, laid, at / 2, float(ratio), gap)
        if midway is not None and midway[1] is not None and abs(midway[1]) >= _OFF * gap:
            return _CUT
    return ratio


def _fits(encode: Sight, master: Sight, laid: Laid, at: float, ratio: float, gap: float) -> bool:
    """Whether the second from a moment on is surely where it should be."""
    there = _at(encode, master, laid, at, ratio, gap)
    return there is not None and there[1] is not None and abs(there[1]) < _OFF * gap


def _at(
    encode: Sight, master: Sight, laid: Laid, at: float, ratio: float, gap: float
) -> tuple[float, float | None] | None:
    """At a moment of the encode: how well pictures agree, and how many seconds off they are, where that is sure."""
    offset = laid.offset
    mine = encode.between(at, at + _LATE_S)
    middle = offset.offset_s + ratio * at
    theirs = master.between(middle - _AROUND_S, middle + _LATE_S + _AROUND_S)
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
