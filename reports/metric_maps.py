"""The map that carries a threshold of another measure over to ours, fitted to encodes that have both scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression
from scipy.stats import spearmanr

from .compare import SEED
from .titles import Encode

Floats = NDArray[np.float64]
LEAST = 4  # encodes a map is fitted to
DRAWS = 400
VMAF_THRESHOLDS = (60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 93.0, 95.0, 97.0)  # those people use


@dataclass(frozen=True)
class Map:
    """How a measure and ours go together over the encodes that have both.

    Attributes:
        pairs: (encode, its label, their score) of each.
        knots: (their score, ours) that the monotone map goes through.
        rows: (their threshold, ours, low, high): 95 % interval over the titles, None where it cannot be told.
        srocc: rank correlation.
        rmse: of ours around the map, points.
    """

    metric: str
    mode: str
    pairs: list[tuple[Encode, str, float]]
    knots: list[tuple[float, float]]
    rows: list[tuple[float, float, float | None, float | None]]
    srocc: float
    rmse: float


def fit(metric: str, mode: str, pairs: Sequence[tuple[Encode, str, float]], title_of: Mapping[str, str]) -> Map | None:
    """The monotone map from a measure to ours; None for fewer than four encodes.

    Isotonic regression (pool adjacent violators) says which encodes count as equal, PCHIP goes through their means:
    monotone as they are, and smooth. Nothing is said beyond the encodes' own range.

    Args:
        title_of: title by path, to draw titles as a whole.
    """
    if len(pairs) < LEAST or len({score for _, _, score in pairs}) < 2:
        return None
    x, y = (np.array(v) for v in ([s for _, _, s in pairs], [e.row.pools["mean"] for e, _, _ in pairs]))
    srocc = float(spearmanr(x, y).statistic)
    rising = not srocc < 0  # of CAMBI and CIEDE2000 less is better
    knots = _knots(x, y, rising)
    curve = _through(knots)
    if metric.startswith("vmaf"):
        wanted = [t for t in VMAF_THRESHOLDS if x.min() <= t <= x.max()]
    else:
        wanted = [float(f"{q:.3g}") for q in np.linspace(x.min(), x.max(), 7)[1:-1]]
    titles = sorted({title_of[e.row.path] for e, _, _ in pairs})
    of = np.array([titles.index(title_of[e.row.path]) for e, _, _ in pairs])
    rng, drawn = np.random.default_rng(SEED), []
    for _ in range(DRAWS):
        if len(titles) > 1:
            picks = np.concatenate([np.flatnonzero(of == t) for t in rng.integers(len(titles), size=len(titles))])
        else:
            picks = rng.integers(len(x), size=len(x))
        if len(np.unique(x[picks])) > 1:
            ends = x[picks].min(), x[picks].max()
            own = _through(_knots(x[picks], y[picks], rising))
            drawn.append([float(own(t)) if ends[0] <= t <= ends[1] else math.nan for t in wanted])
    rows: list[tuple[float, float, float | None, float | None]] = []
    for i, threshold in enumerate(wanted):
        values = np.array([d[i] for d in drawn if math.isfinite(d[i])])
        bounds = [float(v) for v in np.quantile(values, [0.025, 0.975])] if len(values) > DRAWS / 2 else [None, None]
        rows.append((float(threshold), float(curve(threshold)), bounds[0], bounds[1]))
    rmse = float(np.sqrt(np.mean((curve(x) - y) ** 2)))
    return Map(metric, mode, list(pairs), knots, rows, srocc, rmse)


def curve_of(fitted: Map) -> PchipInterpolator:
    """The map as a function of their score."""
    return _through(fitted.knots)


def _knots(x: Floats, y: Floats, rising: bool) -> list[tuple[float, float]]:
    """Means of the blocks that isotonic regression makes equal, and both ends."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    at = np.unique(x)
    weights = np.array([(x == v).sum() for v in at], float)
    means = np.array([y[x == v].mean() for v in at])
    level = isotonic_regression(means, weights=weights, increasing=rising).x
    knots: list[tuple[float, float]] = []
    for value in np.unique(level):
        own = level == value
        knots.append((float(np.average(at[own], weights=weights[own])), float(value)))
    knots.sort()
    if knots[0][0] > at[0]:
        knots.insert(0, (float(at[0]), knots[0][1]))
    if knots[-1][0] < at[-1]:
        knots.append((float(at[-1]), knots[-1][1]))
    return [a for a, b in pairwise([*knots, (math.inf, 0.0)]) if b[0] > a[0]]


def _through(knots: Sequence[tuple[float, float]]) -> PchipInterpolator:
    return PchipInterpolator(*np.array(knots).T)
