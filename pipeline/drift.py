"""Whether an encode keeps its place on its master: a place far behind its head is laid over the master, too.

At one rate, or half of it, frames stand for frames: what is off there left some out, or showed some again (`steps`),
and may come back to its place (`astray`). At another speed frames keep what they show, and last longer or shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from . import astray, steps
from .laid import LEAST_AGREEMENT, Laid
from .luma import Sight, still
from .places import AROUND_S, LOOK_S, OFF, Place, shift_at
from .steps import Way

_FAR_S = 15.0  # a common length from which drift is looked for, of what begins and ends together
_WIDE_S, _WIDEST_S = 5.0, 12.0  # off by more than usual: looked for this far, and as far as lengths differ up to that
_ALIKE = 0.002  # of two speeds, that a head does not tell apart
_CUT = "not compared with its master: after its first seconds something was cut out or put in"
_OTHER = "not compared with its master: {:.1f} s after its start it shows other pictures"


def late(
    encode: Sight,
    master: Sight,
    laid: Laid,
    ratios: Sequence[Fraction],
    gap: float,
    *,
    in_step: bool,
    closely: bool = False,
) -> Fraction | Way | str | None:
    """What a place far behind tells: the speed, or steps on the way; a sentence where neither fits; or nothing.

    Args:
        encode, master: the videos.
        laid: how the encode's head lies on its master.
        ratios: speeds that may be.
        gap: of frames, seconds.
        in_step: whether each frame lasts as long as one or some of the master's.
        closely: whether to look for steps there and back, too.
    """
    offset = laid.offset
    ends = encode.times[-1], (master.times[-1] - offset.offset_s) / offset.ratio
    end, together = min(ends), abs(ends[0] - ends[1]) <= max(encode.gap, gap) - gap / 2
    at = 0.9 * end - LOOK_S
    if at < 1:
        return None
    last, cut = end - LOOK_S - 2 * gap, None
    if end < _FAR_S and len(ratios) == 1 and together:
        if not (closely and in_step and offset.ratio == 1):
            return None
        return _short(encode, master, laid, (at, last, at - LOOK_S), gap)
    if in_step and offset.ratio == 1:
        # Where they do not end together, the last second too; and one more, for a step in a place leaves it unsure.
        places = (last, at, at - LOOK_S) if not together else (at, last, at - LOOK_S) if closely else (at,)
        looks = ((place, shift_at(encode, master, laid, place, 1.0, gap)) for place in places)
        sure = next(((place, there[1]) for place, there in looks if there and there[1] is not None), None)
        if sure is None:
            sure = cut = _far_off(encode, master, laid, places, ends[1] - ends[0], gap)
        place, off = sure or (at, 0.0)
        moved = cut is not None or _moved(encode, master, laid, place, off, 1.0, gap)
        if moved or not together or abs(offset.offset_s) > gap / 2:  # they begin or end apart: perhaps for a step
            way = steps.find(encode, master, laid, [Place(place, off if moved else 0.0)], gap)
            if way is not None:
                return way
            at = place if moved else at  # which was sure
        if closely and not moved and (way := back_again(encode, master, laid, gap)) is not None:
            return way
    best: tuple[float, Fraction] | None = None
    agreed = []
    # First the one the head chose: over a short time two speeds may fit alike.
    for ratio in sorted(ratios, key=lambda r: abs(float(r) - offset.ratio) > _ALIKE):
        there = shift_at(encode, master, laid, at, float(ratio), gap)
        if there is None:
            continue
        agreed.append(there[0])
        fits = there[1] is not None and abs(there[1]) < OFF * gap
        # Another speed may fit; that it does not says nothing of the head's, whose place may only be less than sure.
        if there[1] is not None and (fits or abs(float(ratio) - offset.ratio) <= _ALIKE):
            best = (there[1], ratio)
        if fits:
            break
    if best is None:
        if agreed and max(agreed) < LEAST_AGREEMENT:
            return _OTHER.format(at)
        return _CUT if cut is not None else None
    off, ratio = best
    if _moved(encode, master, laid, at, off, float(ratio), gap):
        drift = float(ratio) + off / at
        if abs(drift - 1) >= _ALIKE:
            return _CUT
        ratio = Fraction(drift).limit_denominator(10**6)
    if ratio != 1:  # a cut of a few frames looks like another speed, but not from everywhere
        midway = shift_at(encode, master, laid, at / 2, float(ratio), gap)
        if midway is not None and midway[1] is not None and abs(midway[1]) >= OFF * gap:
            return _CUT
    return ratio


def _moved(encode: Sight, master: Sight, laid: Laid, at: float, off: float, ratio: float, gap: float) -> bool:
    """Whether a place is off; where little moves it may be by one frame, all by itself: then the second before fits."""
    if not OFF * gap <= abs(off) < 2 * OFF * gap:
        return abs(off) >= OFF * gap
    before = shift_at(encode, master, laid, at - LOOK_S, ratio, gap)
    return before is None or before[1] is None or abs(before[1]) >= OFF * gap


def _far_off(
    encode: Sight, master: Sight, laid: Laid, places: Sequence[float], longer: float, gap: float
) -> tuple[float, float] | None:
    """The first of some places that surely shows what the master does seconds before or after, and by how many.

    `longer`: seconds that the master goes on when the encode has ended.
    """
    reach = (min(-_WIDE_S, longer), max(_WIDE_S, longer)) if abs(longer) <= _WIDEST_S else (longer, longer)
    for place in places:
        there = shift_at(encode, master, laid, place, 1.0, gap, reach)
        if there is None or there[1] is None or abs(there[1]) < AROUND_S:
            continue
        if not _stands_still(encode, place):  # else it is like what the master showed when it stopped
            return place, there[1]
    return None


def _short(encode: Sight, master: Sight, laid: Laid, places: Sequence[float], gap: float) -> Way | str | None:
    """The same of a short encode that begins and ends with its master, by a closer look."""
    way = back_again(encode, master, laid, gap)
    if way is not None:
        return way
    if _far_off(encode, master, laid, places, 0.0, gap) is not None:
        return _CUT
    there = shift_at(encode, master, laid, places[0], 1.0, gap)
    other = there is not None and there[0] < LEAST_AGREEMENT and not _stands_still(encode, places[0])
    return _OTHER.format(places[0]) if other else None


def _stands_still(encode: Sight, at: float) -> bool:
    """Whether most of a place is one picture: a freeze, which says so by itself and shows nothing else."""
    found = still(encode.between(at, at + LOOK_S).small)
    return 2 * int(found.sum()) > len(found)


def back_again(encode: Sight, master: Sight, laid: Laid, gap: float) -> Way | None:
    """The steps of an encode that leaves its place and comes back to it; None where none are sure."""
    places = astray.places(encode, master, laid, gap)
    return steps.find(encode, master, laid, places, gap) if places else None
