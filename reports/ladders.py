"""The ladder an encoder's encodes would make: the hull over all sizes, where sizes hand over, the rungs worth it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from .rd import RatePoint, hull
from .titles import Encode, Title

STEP = 6.0  # points between rungs: about a quarter of a step of the five-point scale; closer ones look alike


@dataclass(frozen=True, eq=False)
class ChosenLadder:
    """One side's ladder for one title.

    Attributes:
        hull: the encodes on the upper convex envelope over log-rate, by rising rate.
        rungs: those of the hull that are at least `STEP` points apart, from the best one down.
        crossings: (smaller size, larger size, rate below, rate above): between these rates the larger one takes over.
    """

    hull: tuple[Encode, ...]
    rungs: tuple[Encode, ...]
    crossings: tuple[tuple[str, str, float, float], ...]


def choose(title: Title, side: int) -> ChosenLadder:
    """The ladder of a side's encodes of a title."""
    own = title.sides[side]
    corners = hull([RatePoint(e.rate, e.row.pools["mean"], str(i)) for i, e in enumerate(own)])
    encodes = tuple(own[int(p.key)] for p in corners)
    rungs: list[Encode] = []
    for encode in reversed(encodes):
        if not rungs or rungs[-1].row.pools["mean"] - encode.row.pools["mean"] >= STEP:
            rungs.append(encode)
    crossings = tuple((a.size, b.size, a.rate, b.rate) for a, b in pairwise(encodes) if a.size != b.size)
    return ChosenLadder(encodes, tuple(reversed(rungs)), crossings)
