"""How sure a comparison is: the same titles, and the same stretches of time in them, drawn again and again.

Everything is drawn in pairs: a title with all its encodes on both sides, a block of time out of all of them at once.
What both encoders find hard so cancels, as in a paired test. Blocks, because frames that follow one another look alike
(Künsch 1989). Of the two levels the upper one, titles, says how far a figure would move with other titles; with a
single title there are only its blocks.

`scipy.stats.bootstrap` resamples one level; the draws here are NumPy's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from ..pipeline.pool import one_second_means

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]

DRAWS = 1000
BLOCK_S = 1.0  # least length of a block
MOST_BLOCKS = 60  # of a title: of longer ones the blocks are longer
POOLS = ("mean", "p5", "worst_second")  # those a comparison is made for
_CELLS = 4_000_000  # of the largest array held at once
_EQUAL = 1e-12  # spread of draws that are all the same
_ENOUGH = 0.5  # share of draws that must give a figure


@dataclass(frozen=True)
class Interval:
    """A 95 % interval and the size of the effect: the figure in standard deviations of its units, titles or blocks.

    Both are None where they cannot be told.
    """

    low: float
    high: float
    effect: float | None


def blocks_of(times: Sequence[Floats]) -> tuple[list[Whole], int]:
    """The block of time each frame of a title falls into, for each of its encodes, and how many blocks there are.

    Args:
        times: seconds on one common time line, an array an encode.
    """
    start = min(float(t.min()) for t in times)
    length = max(float(t.max()) for t in times) - start
    width = max(BLOCK_S, length / MOST_BLOCKS)
    found = [np.minimum((t - start) // width, MOST_BLOCKS - 1).astype(np.intp) for t in times]
    used = np.unique(np.concatenate(found))  # a pause without any frame is no block
    return [np.searchsorted(used, f) for f in found], len(used)


def lost(spans: Sequence[Floats | None], blocks: int) -> float:
    """Share of the variance of blocks' means that does not show in their draws, for neighbouring frames share places.

    The first frame of a block shares half with the last one before it: of m frames the means vary by 1 - 1 / 2m of
    what those of as many frames would that share nothing.

    Args:
        spans: `FrameScore.span_s` of each encode's frames, above 0 where a frame shares; None: they share nothing.
        blocks: there are.
    """
    known = [s for s in spans if s is not None]
    frames, sharing = sum(map(len, known)), sum(int((s > 0).sum()) for s in known)
    return sharing / frames * min(0.5, blocks * len(known) / (2 * frames)) if frames else 0.0


def draw(units: int, rng: np.random.Generator, draws: int = DRAWS) -> Whole:
    """How often each unit is in each draw of as many; (draws, units)."""
    return rng.multinomial(units, np.full(units, 1 / units), size=draws).astype(np.intp)


def pooled(times: Floats, scores: Floats, block: Whole, counts: Whole) -> dict[str, Floats]:
    """An encode's pools in each draw of blocks; (draws,) each, NaN where a draw has none of its frames.

    Args:
        times, scores: of its frames, in order; (n,).
        block: of each frame; (n,).
        counts: how often each block is drawn; (draws, blocks).
    """
    order = np.argsort(scores, kind="stable")
    starts, seconds = one_second_means(times, scores)
    step = max(1, _CELLS // max(1, len(scores)))
    parts = []
    for i in range(0, len(counts), step):
        weight = counts[i : i + step][:, block]  # (draws, n): how often each frame is there
        total = weight.sum(axis=1)
        with np.errstate(invalid="ignore"):
            mean = weight @ scores / np.where(total, total, np.nan)
        low = np.where(weight[:, starts] > 0, seconds, np.inf).min(axis=1, initial=np.inf)
        worst = np.where(np.isnan(mean), np.nan, np.fmin(low, mean))
        parts.append((mean, _percentile(scores[order], weight[:, order], 0.05), worst))
    return {name: np.concatenate(column) for name, column in zip(POOLS, zip(*parts, strict=True), strict=True)}


def _percentile(values: Floats, weight: Whole, q: float) -> Floats:
    """Of rising values, each there `weight` times (draws, n), by linear interpolation; NaN where there is none."""
    reached = np.cumsum(weight, axis=1)
    total = reached[:, -1]
    place = q * np.maximum(total - 1, 0)
    below = np.floor(place)
    low, high = (values[(reached > rank[:, None]).argmax(axis=1)] for rank in (below, np.ceil(place)))
    found: Floats = np.where(total > 0, low + (place - below) * (high - low), np.nan)
    return found


def over_titles(by_title: Sequence[Floats], rng: np.random.Generator) -> Floats:
    """Mean over titles in each draw of titles, each with a draw of its own blocks; (draws,).

    Args:
        by_title: a figure in each draw of a title's blocks; (draws,) each, NaN where a draw gave none.
    """
    known = [v[np.isfinite(v)] for v in by_title]
    known = [v for v in known if len(v)]
    if not known:
        return np.full(DRAWS, np.nan)
    picks = rng.integers(len(known), size=(DRAWS, len(known)))
    total = np.zeros(DRAWS)
    for t, values in enumerate(known):
        times = (picks == t).sum(axis=1)
        for again in range(int(times.max(initial=0))):
            total += np.where(times > again, values[rng.integers(len(values), size=DRAWS)], 0.0)
    return total / len(known)


def interval(figure: float, draws: Floats, units: int, hidden: float = 0.0) -> Interval | None:
    """95 % interval of a figure from its draws; None where too few of them gave one, or there is one unit only.

    None, too, where it lies outside of what 95 % of the draws span: few draws hold as low a second as the lowest.

    Percentiles, expanded for few units (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015): a plain
    percentile interval over n units is too narrow by sqrt((n - 1) / n) and knows no t. No percentile lies beyond the
    draws, though, and those of two or three units hardly differ: it never ends before Student's interval does.

    Args:
        figure: as it is.
        draws: (draws,), NaN where a draw gave none.
        units: titles or blocks that were drawn.
        hidden: share of their variance that does not show in the draws (`lost`).
    """
    known = draws[np.isfinite(draws)]
    if units < 2 or len(known) < _ENOUGH * len(draws) or not math.isfinite(figure):
        return None
    tail = float(ndtr(math.sqrt(units / (units - 1) / (1 - hidden)) * stdtrit(units - 1, 0.025)))
    low, high = np.quantile(known, [tail, 1 - tail])
    if not low < figure < high and known.std() > _EQUAL:
        return None
    spread = float(known.std()) * math.sqrt(units / (1 - hidden))  # of the units
    half = spread / math.sqrt(units - 1) * -float(stdtrit(units - 1, 0.025))
    return Interval(
        min(float(low), figure - half), max(float(high), figure + half), figure / spread if spread > _EQUAL else None
    )
