"""What encoders take for their encodes: megabytes, and the time against the anchor where encoding times are known."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from . import bootstrap
from .bootstrap import Interval
from .compare import SEED, Comparison
from .titles import Title


@dataclass(frozen=True)
class Cost:
    """What a side's encodes take, of the titles of which it has a figure.

    `ratio`: seconds an encode over the anchor's, mean over titles. Sides need not have equally many encodes of a title,
    so sums are no measure of it.
    """

    label: str
    encodes: int
    megabytes: float
    seconds: float | None = None
    ratio: float | None = None
    interval: Interval | None = None  # of ratio


def costs(comparison: Comparison) -> list[Cost]:
    """Of each side, over the encodes that were compared (`Comparison.compared`)."""
    return [_cost(comparison, side) for side in range(len(comparison.sides))]


def _cost(comparison: Comparison, side: int) -> Cost:
    compared, label = comparison.compared(side), comparison.labels[side]
    encodes = [e for t in compared for e in t.sides[side]]
    size = sum(e.rate * (e.row.duration_s or 0.0) for e in encodes) / 8000
    known = [s for t in compared if (s := _seconds(comparison, t, side)) is not None]
    if not known or len(known) < len(compared):
        return Cost(label, len(encodes), size)
    cost = Cost(label, len(encodes), size, sum(known))
    both = [t for t in compared if t in comparison.compared(0)]
    logs = [math.log(ratio) for t in both if (ratio := _ratio(comparison, t, side))]
    if side == 0 or not logs or len(logs) < len(both):
        return cost
    mean = float(np.mean(logs))
    drawn = bootstrap.over_titles([np.full(bootstrap.DRAWS, v) for v in logs], np.random.default_rng(SEED))
    interval = bootstrap.interval(mean, drawn, len(logs))
    ratios = interval and replace(interval, low=math.exp(interval.low), high=math.exp(interval.high))
    return replace(cost, ratio=math.exp(mean), interval=ratios)


def _ratio(comparison: Comparison, title: Title, side: int) -> float | None:
    """Mean seconds an encode of a title over the anchor's."""
    own, base = (_seconds(comparison, title, s) for s in (side, 0))
    return own / len(title.sides[side]) / (base / len(title.sides[0])) if own and base else None


def _seconds(comparison: Comparison, title: Title, side: int) -> float | None:
    """Of all of a side's encodes of a title; None where one is not known."""
    known = [comparison.seconds.get(e.row.path) for e in title.sides[side]]
    return None if not known or None in known else sum(filter(None, known))
