"""What scores mean: whether they lie where opinions lie, and how far apart they must be for viewers to see it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import minimize

from .correlation import Values, hundredths
from .tables import Sample

BIN = 20.0  # points: a step of the five-point scale
LEAST_PAIRS = 100


@dataclass(frozen=True)
class Bin:
    """Rows whose score lies in one fifth of the scale: their mean score and mean opinion, both 0 to 100."""

    low: float
    n: int
    score: float
    opinion: float


@dataclass(frozen=True)
class Noticed:
    """Score differences, in points, of pairs of one content and test.

    `ordered`: from here on at least three pairs in four are rated in the order of their scores, the usual
    definition of a just noticeable difference (JND). `significant`: half of the pairs have opinions that differ that
    way beyond their 95 % intervals; NaN where the set gives no intervals.
    """

    pairs: int
    ordered: float
    significant: float


def calibration(scores: Sequence[float], mos: Sequence[float]) -> list[Bin]:
    """Mean opinion (MOS of 1 to 5, on 0 to 100) by fifth of the scores; fifths without rows are left out."""
    x, y = np.asarray(scores, float), hundredths(mos)
    place = np.minimum(x // BIN, 100 / BIN - 1)
    return [
        Bin(float(fifth * BIN), int(mine.sum()), float(x[mine].mean()), float(y[mine].mean()))
        for fifth in np.unique(place)
        for mine in [place == fifth]
    ]


def noticed(scores: Sequence[float], samples: Sequence[Sample]) -> Noticed | None:
    """Score differences that viewers notice, by logistic regression over pairs; None for fewer than `LEAST_PAIRS`.

    Only pictures of one content in one test are paired: scores of different contents differ for other reasons than
    what an encoder did.
    """
    together: dict[tuple[str, str, str], list[tuple[float, Sample]]] = {}
    for score, s in zip(scores, samples, strict=True):
        test = str(s.published.get("test", ""))
        together.setdefault((s.dataset, s.content, test), []).append((score, s))
    gaps, ordered, sure, significant = [], [], [], []
    for group in together.values():
        for (one, first), (other, second) in combinations(group, 2):
            better, worse = (first, second) if one >= other else (second, first)
            gaps.append(abs(one - other))
            ordered.append(better.mos > worse.mos)
            intervals = [s.published.get("mos_ci", math.nan) for s in (better, worse)]
            sure.append(not any(map(math.isnan, intervals)))
            significant.append(better.mos - worse.mos > math.hypot(*intervals))
    if len(gaps) < LEAST_PAIRS:
        return None
    far, known = np.asarray(gaps), np.asarray(sure)
    half = math.nan
    if known.sum() >= LEAST_PAIRS:
        half = _reached(far[known], np.asarray(significant)[known], 0.5)
    return Noticed(len(gaps), _reached(far, np.asarray(ordered), 0.75), half)


def _reached(gaps: Values, happened: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], share: float) -> float:
    """The gap at which something happens in this share of pairs, by logistic regression; at least 0."""

    def loss(w: Values) -> float:
        logit = np.where(happened, -1, 1) * (w[0] + w[1] * gaps)
        return float(np.logaddexp(0, logit).mean())

    base, slope = minimize(loss, [0.0, 0.1]).x
    return max(0.0, float((math.log(share / (1 - share)) - base) / slope)) if slope > 0 else math.nan
