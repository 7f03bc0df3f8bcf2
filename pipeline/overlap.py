"""Where an encode and its master are looked at, to see how the one lies on the other.

The head of both first, only as far as it takes: one and a half seconds where an encode begins with its master and
something moves. Where a head of bars, a slate or black tells no offset, two places behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from .laid import LEAST_AGREEMENT, TURNED_S, Laid, lay
from .luma import Sight, Stretch

WINDOWS_S = (1.5, TURNED_S, 14.0)  # of the head, one after the other until the offset is sure
_SHARES = (0.6, 0.2, 0.2)  # of the encode's frames in each that have to lie on the master
REACH_S = (1 - _SHARES[-1]) * WINDOWS_S[-1]  # offsets of long videos up to this are found, either way
_SOON = 0.85  # agreement with which a shorter window is enough
_LATER = (0.3, 0.7)  # of what both last after their heads: places looked at where these tell no offset
_IN_STEP = 0.001  # to which frames may last alike
_CLOSE = 0.97  # agreement of encodes that nothing was done to
_LATER_S, _BESIDE_S = 4.0, 10.0  # of the encode looked at there, and of the master before and after


@dataclass(frozen=True)
class Question:
    """What lies where on what: the arguments of `match`, and what follows from them."""

    encode: Sight
    master: Sight
    raster: tuple[int, int]
    size: tuple[int, int]
    rates: tuple[Fraction, Fraction]

    @cached_property
    def gap(self) -> float:
        """Seconds between two frames of whichever has more of them."""
        return min((g for g in (self.encode.gap, self.master.gap) if g), default=0.04)

    @cached_property
    def aspect(self) -> float:
        """The encode's aspect ratio over the master's."""
        return self.size[0] / self.size[1] * self.raster[1] / self.raster[0]

    @cached_property
    def in_step(self) -> bool:
        """Whether each frame lasts as long as one or some of the master's: what is off was left out or shown again."""
        each = self.encode.gap / self.master.gap if self.master.gap > 0 else 0.0
        return round(each) >= 1 and abs(each / round(each) - 1) < _IN_STEP

    @cached_property
    def ratios(self) -> list[Fraction]:
        """Speeds worth trying: equal, frame by frame at another rate, the whole length in another."""
        found = [Fraction(1)]
        spans = [s.times[-1] + s.gap for s in (self.encode, self.master)]
        if self.rates[0] and self.rates[1]:
            found.append(self.rates[0] / self.rates[1])
        if spans[0] and abs(spans[1] / spans[0] - 1) > 0.002:
            found.append(Fraction(spans[1] / spans[0]).limit_denominator(5000))
        usable = [r for r in found if Fraction(4, 5) < r < Fraction(5, 4)]
        return sorted(set(usable), key=usable.index)


class Seen(NamedTuple):
    """Stretches of the encode and of its master, and how the one lies on the other."""

    mine: Stretch
    theirs: Stretch
    laid: Laid

    @property
    def over(self) -> bool:
        """Whether more would tell nothing else: the offset is sure, or they show different things."""
        return self.laid.offset.sure or self.laid.agreement < LEAST_AGREEMENT


def look(asked: Question) -> Seen | None:
    """What tells how the one lies on the other; None where nothing shows."""
    best: Seen | None = None
    before = (0, 0)
    for seconds, share in zip(WINDOWS_S, _SHARES, strict=True):
        mine, theirs = asked.encode.head(seconds), asked.master.head(seconds)
        if before == (len(mine.times), len(theirs.times)):
            break  # there is no more of them
        before = (len(mine.times), len(theirs.times))
        if not all(before):
            break
        # In step another speed is what steps would look like: a head that is sure at equal speed is believed.
        for ratios in ([Fraction(1)], asked.ratios) if asked.in_step and len(asked.ratios) > 1 else (asked.ratios,):
            laid = lay(mine, theirs, ratios, asked.gap, share=share, aspect=asked.aspect)
            if laid is not None:
                best = Seen(mine, theirs, laid)
                if laid.offset.sure and laid.agreement >= _SOON:
                    return best
    if best is not None and best.over:
        return best
    last = asked.encode.times[-1], asked.master.times[-1]
    rest = min(last) - WINDOWS_S[-1] - _LATER_S
    if rest <= 0:
        return _behind_a_step(asked, best)
    for at in (WINDOWS_S[-1] + part * rest for part in _LATER):
        there = [one for ratio in asked.ratios if (one := _later(asked, at, ratio)) is not None]
        if there:
            one = max(there, key=lambda some: some.laid.agreement)
            best = best or one
            if one.over:
                return one
    return best


def _behind_a_step(asked: Question, best: Seen | None) -> Seen | None:
    """Of a short video all was seen, but frames left out of its head leave all of it unsure: then its later parts.

    Only where pictures lie on each other so well that few of them tell.
    """
    last = asked.encode.times[-1], asked.master.times[-1]
    if best is None or abs(last[0] - last[1]) <= asked.gap / 2:
        return best
    places = (_later(asked, part * min(last), Fraction(1)) for part in _LATER)
    sure = (one for one in places if one is not None and one.laid.offset.sure and one.laid.agreement >= _CLOSE)
    return next(sure, best)


def _later(asked: Question, at: float, ratio: Fraction) -> Seen | None:
    """The same at one moment of the encode and at one speed."""
    begin, end = float(ratio) * at - _BESIDE_S, float(ratio) * (at + _LATER_S) + _BESIDE_S
    mine, theirs = asked.encode.between(at, at + _LATER_S), asked.master.between(begin, end)
    if not len(mine.times) or not len(theirs.times):
        return None
    laid = lay(mine, theirs, [ratio], asked.gap, share=0.8, aspect=asked.aspect)
    return None if laid is None else Seen(mine, theirs, laid)
