"""When one encoder loses against another: quality at equal rate over time, and the moments worth a look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from ..pipeline.pool import alone
from . import bootstrap
from .shots import Floats
from .titles import Encode, Title

APART_S = 2.0  # between two moments of one title
LEAST_LOSS = 0.5  # points at equal rate; less is not worth a picture
NEAR = 1.5  # times the rate: encodes further apart do not stand beside each other
EVEN = 1.02  # times the rate: hardly half a point
SHOWN = 0.5  # of a loss over all rates that two encodes have to show


@dataclass(frozen=True, eq=False)
class Loss:
    """An instant at which the test looks worse than the anchor at the same rate, with the frames that show it.

    `points` is BD-quality of that second (below 0). The two encodes are near in rate, and show it best.
    """

    title: Title
    seconds: float
    points: float
    anchor: Encode
    anchor_frame: int  # place in the encode's `frame_nums`
    test: Encode
    test_frame: int


def over_time(title: Title, a: int, b: int) -> tuple[Floats, Floats]:
    """BD-quality of side b against side a in each block of time: points of score at equal rate, above 0 is better.

    Returns:
        Middle of each block in seconds, and the difference; empty where the sides have no common rates.
    """
    curves = common_curves(title, a, b)
    if curves is None:
        return np.empty(0), np.empty(0)
    blocks, count = bootstrap.blocks_of([e.times for e in title.encodes])
    first = {id(e): block for e, block in zip(title.encodes, blocks, strict=True)}
    means = [np.stack([_block_means(e.scores, first[id(e)], count) for e in own]) for own in curves]
    points = at_equal_rate(curves, means)
    there = np.isfinite(points)
    times = np.concatenate([e.times for e in title.encodes])
    return _block_means(times, np.concatenate(blocks), count)[there], points[there]


def common_curves(title: Title, a: int, b: int) -> tuple[list[Encode], list[Encode]] | None:
    """The encodes that make each side's curve, by rising rate; None where the sides have no common rates."""
    if title.reason:
        return None
    curves = [[title.sides[s][int(p.key)] for p in title.curve(s, "mean")[0]] for s in (a, b)]
    one, other = ([e for i, e in enumerate(own) if i == 0 or e.rate > own[i - 1].rate] for own in curves)
    if min(len(one), len(other)) < 2 or min(one[-1].rate, other[-1].rate) <= max(one[0].rate, other[0].rate):
        return None
    return one, other


def at_equal_rate(curves: Sequence[Sequence[Encode]], means: Sequence[Floats]) -> Floats:
    """BD-quality of the second side against the first, in points, for each of n sets of scores; (n,).

    Args:
        curves: of `common_curves`.
        means: scores of each side's encodes; (encodes, n). A set that lacks one gives NaN.
    """
    rates = [np.log([e.rate for e in own]) for own in curves]
    low, high = max(r[0] for r in rates), min(r[-1] for r in rates)
    areas = [PchipInterpolator(x, np.nan_to_num(m)).integrate(low, high) for x, m in zip(rates, means, strict=True)]
    there = np.isfinite(means[0]).all(axis=0) & np.isfinite(means[1]).all(axis=0)
    found: Floats = np.where(there, (areas[1] - areas[0]) / (high - low), np.nan)
    return found


def losses(titles: Sequence[Title], a: int, b: int, most: int = 4) -> list[Loss]:
    """The moments at which side b loses most against side a, the worst first: of every title its worst, then more."""
    found: list[tuple[int, float, Loss]] = []
    for title in titles:
        curves = common_curves(title, a, b)
        if curves is None:
            continue
        times, points = over_time(title, a, b)
        kept: list[float] = []
        for i in np.argsort(points):
            at = float(times[i])
            if points[i] > -LEAST_LOSS or len(kept) == most:
                break
            if any(abs(at - other) < APART_S for other in kept):
                continue
            loss = _loss(title, curves, at, float(points[i]))
            if loss is not None:
                kept.append(at)
                found.append((len(kept), loss.points, loss))
    best = sorted(found, key=lambda f: f[:2])[:most]
    return [loss for _, _, loss in sorted(best, key=lambda f: f[1])]


def _loss(title: Title, curves: tuple[list[Encode], list[Encode]], at: float, points: float) -> Loss | None:
    """The two frames near an instant that show its loss best; None where none show it.

    Each of the test's encodes is held to the anchor's that is nearest in rate. What the two show is what the test falls
    behind both that encode and the anchor at the test's very rate; what other rates add to it counts against them.
    """
    anchors, tests = curves
    rates, found = np.log([e.rate for e in anchors]), list[tuple[float, Loss]]()
    for test in tests:
        rate = float(np.log(test.rate))
        anchor = anchors[int(np.argmin(np.abs(rates - rate)))]
        if abs(np.log(anchor.rate) - rate) > np.log(NEAR) or rate < rates[0] - np.log(EVEN):
            continue
        near = np.flatnonzero(np.abs(test.times - at) <= bootstrap.BLOCK_S / 2)
        near = near if len(near) else np.array([_nearest(test, at)])
        beside = np.array([_nearest(anchor, float(test.times[i])) for i in near])
        worst = int(np.argmin(alone(test.scores, test.spans)[near] - alone(anchor.scores, anchor.spans)[beside]))
        seconds = float(test.times[near[worst]])
        at_rate = np.interp(rate, rates, [float(e.scores[_nearest(e, seconds)]) for e in anchors])
        seen = float(anchor.scores[beside[worst]] - test.scores[near[worst]])
        shown = min(seen, float(at_rate - test.scores[near[worst]]))
        if shown >= max(LEAST_LOSS, -SHOWN * points):
            loss = Loss(title, seconds, points, anchor, int(beside[worst]), test, int(near[worst]))
            found.append((2 * shown - seen, loss))
    return max(found, key=lambda f: f[0])[1] if found else None


def _nearest(encode: Encode, seconds: float) -> int:
    """Place of the frame nearest to a moment."""
    return int(np.argmin(np.abs(encode.times - seconds)))


def _block_means(values: Floats, block: np.ndarray, count: int) -> Floats:
    """Mean of the values of each block; NaN for a block without one."""
    total, number = np.bincount(block, values, count), np.bincount(block, minlength=count)
    found: Floats = np.divide(total, number, out=np.full(count, np.nan), where=number > 0)
    return found
