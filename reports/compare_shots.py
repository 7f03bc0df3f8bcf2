"""Shot by shot: in which scenes one encoder loses against another, and how surely."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from . import bootstrap
from .bootstrap import Interval
from .compare import SEED, Comparison
from .compare_time import at_equal_rate, common_curves
from .shots import Floats
from .titles import Title


@dataclass(frozen=True, eq=False)
class Shot:
    """One shot of a title: BD-quality of the test against the anchor in its frames, points at equal rate.

    The rates are those of the whole encodes: what an encoder spends on a shot, and what it gets there, are one.
    """

    title: Title
    anchor: str
    test: str
    number: int  # from 1
    start_s: float
    end_s: float
    points: float  # above 0: the test looks better
    interval: Interval | None  # drawn from the shot's blocks of time; None where that cannot be told
    blocks: int

    @property
    def verdict(self) -> str:
        """Of the test: "better", "worse", "no difference shown" or "cannot be told"."""
        if self.interval is None:
            return "cannot be told"
        if self.interval.low <= 0 <= self.interval.high:
            return "no difference shown"
        return "better" if self.points > 0 else "worse"


def by_shot(comparison: Comparison) -> list[Shot]:
    """Every shot of titles that have several, of each side against the anchor, title by title in order of time."""
    return [
        shot
        for title in comparison.titles
        for b, test in enumerate(comparison.labels[1:], 1)
        for shot in _shots(title, b, comparison.labels[0], test)
    ]


def _shots(title: Title, b: int, anchor: str, test: str) -> list[Shot]:
    curves = common_curves(title, 0, b)
    if curves is None or len(title.shots) < 2:  # a single one is the title, of which the BD-rate tells
        return []
    found, first = [], len(curves[0])
    rng = np.random.default_rng([SEED, *title.name.encode()])
    for number, (start, end) in enumerate(title.shots, 1):
        inside = [(e.times >= start) & (e.times < end) for own in curves for e in own]
        if not all(there.any() for there in inside):
            continue
        pieces = [(e.times[f], e.scores[f]) for e, f in zip(itertools.chain(*curves), inside, strict=True)]
        blocks, count = bootstrap.blocks_of([times for times, _ in pieces])
        counts = np.concatenate([np.ones((1, count), np.intp), bootstrap.draw(count, rng)])  # as it is, then drawn
        means = np.stack([_means(scores, block, counts) for (_, scores), block in zip(pieces, blocks, strict=True)])
        points = at_equal_rate(curves, (means[:first], means[first:]))
        spans = [None if e.spans is None else e.spans[f] for e, f in zip(itertools.chain(*curves), inside, strict=True)]
        interval = bootstrap.interval(float(points[0]), points[1:], count, bootstrap.lost(spans, count))
        found.append(Shot(title, anchor, test, number, start, end, float(points[0]), interval, count))
    return found


def _means(scores: Floats, block: bootstrap.Whole, counts: bootstrap.Whole) -> Floats:
    """Mean score of an encode's frames in each draw of their blocks; (draws,), NaN where a draw has none of them."""
    total = counts @ np.bincount(block, scores, counts.shape[1])
    number = counts @ np.bincount(block, minlength=counts.shape[1])
    found: Floats = np.divide(total, number, out=np.full(len(counts), np.nan), where=number > 0)
    return found
