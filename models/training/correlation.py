"""How well scores agree with people: the field's four figures, how sure they are, and their medians over splits."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import OptimizeWarning, curve_fit

Values = NDArray[np.float64]
FIGURES = ("srocc", "plcc", "krocc", "rmse")
LEAST = 3  # rows that a correlation takes
RESAMPLES = 300
SPLITS = 10  # seeds
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Agreement:
    """Figures of one measure on one set of rows. RMSE is in points of 100; NaN where rows are too few or all equal."""

    n: int
    srocc: float
    plcc: float
    krocc: float
    rmse: float


def hundredths(mos: Sequence[float]) -> Values:
    """MOS of 1 to 5 on the scale of scores, 0 to 100."""
    return 25 * (np.asarray(mos, float) - 1)


def fitted_curve(scores: Sequence[float], mos: Sequence[float]) -> Callable[[Values], Values]:
    """The usual four-parameter logistic (VQEG) from a measure to MOS on 0 to 100, rising or falling.

    Where it finds no fit, and for fewer than five rows, the straight line is the honest remainder.
    """
    x, y = np.asarray(scores, float), hundredths(mos)

    def logistic(v: Values, low: float, high: float, middle: float, slope: float) -> Values:
        out: Values = low + (high - low) / (1 + np.exp(np.clip(-(v - middle) / (abs(slope) + 1e-9), -60, 60)))
        return out

    tilt, base = (float(v) for v in np.polyfit(x, y, 1))
    if len(x) >= 5:
        ends = (y.min(), y.max()) if tilt >= 0 else (y.max(), y.min())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OptimizeWarning)
                fitted, _ = curve_fit(logistic, x, y, p0=(*ends, np.median(x), np.std(x) / 2), maxfev=20000)
            return lambda v: logistic(v, *fitted)
        except RuntimeError:
            pass
    return lambda v: base + tilt * v


def agreement(scores: Sequence[float], mos: Sequence[float]) -> Agreement:
    """SROCC and KROCC as they are; PLCC and RMSE after `fitted_curve`."""
    x, y = np.asarray(scores, float), hundredths(mos)
    if len(x) < LEAST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Agreement(len(x), math.nan, math.nan, math.nan, math.nan)
    return Agreement(len(x), *_figures(x, fitted_curve(scores, mos)(x), y))


def _figures(x: Values, mapped: Values, y: Values) -> tuple[float, float, float, float]:
    """SROCC, PLCC, KROCC and RMSE of scores and what a curve made of them; NaN where one side is all equal."""
    rmse = float(np.sqrt(np.mean((mapped - y) ** 2)))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return math.nan, math.nan, math.nan, rmse
    srocc = float(np.corrcoef(stats.rankdata(x), stats.rankdata(y))[0, 1])
    plcc = float(np.corrcoef(mapped, y)[0, 1]) if np.ptp(mapped) > 0 else math.nan
    return srocc, plcc, float(stats.kendalltau(x, y).statistic), rmse


def intervals(
    scores: Sequence[float], mos: Sequence[float], contents: Sequence[Hashable], seed: int = 0
) -> dict[str, tuple[float, float]] | None:
    """95 % bootstrap intervals of the four figures, by name.

    Whole contents are drawn again, since rows of one content err together; the curve is the one of all rows. None for
    fewer than `LEAST` contents.
    """
    names, content = np.unique(np.asarray([str(c) for c in contents]), return_inverse=True)
    x, y = np.asarray(scores, float), hundredths(mos)
    if len(names) < LEAST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    mapped = fitted_curve(scores, mos)(x)
    rows_of = np.split(np.argsort(content, kind="stable"), np.cumsum(np.bincount(content))[:-1])
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = []
    for _ in range(RESAMPLES):
        rows = np.concatenate([rows_of[i] for i in rng.integers(0, len(rows_of), len(rows_of))])
        drawn.append(_figures(x[rows], mapped[rows], y[rows]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # so few rows that no figure ever comes of them: NaN
        low, high = np.nanpercentile(np.asarray(drawn), [2.5, 97.5], axis=0)
    return {name: (float(a), float(b)) for name, a, b in zip(FIGURES, low, high, strict=True)}


def content_splits(
    contents: Sequence[str], seeds: int = SPLITS, share: float = TEST_SHARE
) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """(training, test) contents for each seed: `share` of them are for testing, drawn at random, at least one.

    The same contents give the same splits, in whatever order they come.
    """
    names = sorted(set(contents))
    tested = max(1, round(share * len(names)))
    for seed in range(seeds):
        order = np.random.Generator(np.random.PCG64(seed)).permutation(len(names))
        test = frozenset(names[i] for i in order[:tested])
        yield frozenset(names) - test, test


def split_median(scores: Sequence[float], mos: Sequence[float], contents: Sequence[str]) -> Agreement | None:
    """The median of each figure over the test parts of ten splits by content, as papers report it; n is rows a part.

    None where a fifth of the contents is not a whole one.
    """
    if len(set(contents)) < 1 / TEST_SHARE:
        return None
    parts = []
    for _, test in content_splits(contents):
        rows = [i for i, content in enumerate(contents) if content in test]
        parts.append(astuple(agreement([scores[i] for i in rows], [mos[i] for i in rows])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # parts too small for figures, all of them
        n, *figures = np.nanmedian(np.asarray(parts, float), axis=0)
    return Agreement(int(n), *map(float, figures))
