"""The ladder an encoder's encodes would make: the hull over all sizes, where sizes hand over, the rungs worth it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from .lint import GAP
from .rd import RatePoint, hull, pareto
from .titles import Encode, Title

STEP = 6.0  # points between rungs: about a quarter of a step of the five-point scale; closer ones look alike


@dataclass(frozen=True, eq=False)
class ChosenLadder:
    """One side's ladder for one title.

    Attributes:
        hull: the encodes on the upper convex envelope over log-rate, by rising rate.
        rungs: those of the hull that are at least `STEP` points apart, from the best one down; where they would lie
            further apart than `lint.GAP`, those of the Pareto front between them, too.
        crossings: (smaller size, larger size, rate below, rate above): between these rates the larger one takes over.
    """

    hull: tuple[Encode, ...]
    rungs: tuple[Encode, ...]
    crossings: tuple[tuple[str, str, float, float], ...]


def choose(title: Title, side: int) -> ChosenLadder:
    """The ladder of a side's encodes of a title."""
    own = title.sides[side]
    points = [RatePoint(e.rate, e.row.pools["mean"], str(i)) for i, e in enumerate(own)]
    encodes = tuple(own[int(p.key)] for p in hull(points))
    front = [own[int(p.key)] for p in reversed(pareto(points))]
    rungs: list[Encode] = []
    for encode in reversed(encodes):
        if rungs and _apart(rungs[-1], encode) < STEP:
            continue
        if rungs and _apart(rungs[-1], encode) > GAP:
            for between in front:
                if min(_apart(rungs[-1], between), _apart(between, encode)) >= STEP:
                    rungs.append(between)
        rungs.append(encode)
    crossings = tuple((a.size, b.size, a.rate, b.rate) for a, b in pairwise(encodes) if a.size != b.size)
    return ChosenLadder(encodes, tuple(reversed(rungs)), crossings)


def _apart(high: Encode, low: Encode) -> float:
    return high.row.pools["mean"] - low.row.pools["mean"]
