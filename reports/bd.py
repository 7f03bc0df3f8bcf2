"""Bjøntegaard deltas: what one encoder saves against another, over the quality (or the rates) that both reach.

BD-rate integrates log-rate as a function of quality, BD-quality the other way round (VCEG-M33; PCHIP as in the common
test conditions of JVET and AOM, Akima beside it). The figures are those of the `bjontegaard` package; what it leaves
to its caller is here: fewer than four points, no overlap or a curve that does not rise give NaN and a
sentence, never 0 or 100,421 %. Resampled curves, thousands of them, go through `pchip`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import pchip
from .rd import RatePoint, by_rate, pareto

LEAST_POINTS = 4
LEAST_COMMON = 0.2  # of the smaller range of quality: the mean over less says nothing of the curves
NAN = math.nan
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Delta:
    """A comparison of two curves; NaN with a `reason` where they cannot be compared.

    `pchip` and `akima`: BD-rate in percent, negative means that the test encoder saves bits. `quality`: BD-quality by
    PCHIP, points of score, positive means that it looks better at the same rate.
    """

    pchip: float
    akima: float
    quality: float
    reason: str | None = None


def delta(
    anchor: Sequence[RatePoint], test: Sequence[RatePoint], names: tuple[str, str] = ("the anchor", "the test")
) -> Delta:
    """BD-rate and BD-quality of the test against the anchor.

    Args:
        anchor, test: one point an encode, in any order; see `usable` for encodes of several sizes.
        names: of the two, for the reason.
    """
    import bjontegaard  # imports Matplotlib

    curves = [by_rate(points) for points in (anchor, test)]
    reason = next((f"{name}: {fault}" for name, c in zip(names, curves, strict=True) if (fault := flaw(c))), None)
    (r1, q1), (r2, q2) = (arrays(c) for c in curves)
    reason = reason or _apart(q1, q2)
    if reason:
        return Delta(NAN, NAN, NAN, reason)

    def rate(method: str) -> float:
        return float(bjontegaard.bd_rate(r1, q1, r2, q2, method, require_matching_points=False, min_overlap=0))

    with warnings.catch_warnings():  # of curves without common rates, which have no BD-quality
        warnings.simplefilter("ignore")
        quality = bjontegaard.bd_psnr(r1, q1, r2, q2, "pchip", require_matching_points=False, min_overlap=0)
    return Delta(rate("pchip"), rate("akima"), float(quality))


class File(NamedTuple):
    """What an encode is called, and which bytes it holds; empty where that is not known."""

    name: str
    content_id: str


def flaw(curve: Sequence[RatePoint], files: Mapping[str, File] | None = None) -> str | None:
    """Why a curve, by rising rate, cannot be integrated; None when it can. `files` are those of `usable`."""
    if len(curve) < LEAST_POINTS:
        few = f"{len(curve)} encode{'' if len(curve) == 1 else 's'} with a score and a bit rate"
        return f"{few}, at least {LEAST_POINTS} are needed"
    return _not_rising(curve, files or {})


def usable(
    points: Sequence[RatePoint], sizes: Sequence[str], files: Mapping[str, File] | None = None
) -> tuple[list[RatePoint], str | None]:
    """The points that make an encoder's curve, by rising rate, and what is wrong with it.

    With one size these are all points. With several, each size's own points have to rise, and the curve is their Pareto
    front: at each rate the size that looks best, as a player would be given it.

    Args:
        points: one an encode.
        sizes: of each point's picture, for people.
        files: by a point's key, to name those that are in one another's way.
    """
    curve = by_rate(points)
    if len(set(sizes)) < 2:
        return curve, flaw(curve, files)
    for size in dict.fromkeys(sizes):
        own = by_rate([p for p, s in zip(points, sizes, strict=True) if s == size])
        if fault := _not_rising(own, files or {}):
            return curve, f"at {size}, {fault}"
    front = pareto(points)
    return front, flaw(front, files)


def arrays(curve: Sequence[RatePoint]) -> tuple[Floats, Floats]:
    """Rates in kbit/s and scores of a curve."""
    return np.array([p.bitrate_kbps for p in curve]), np.array([p.score for p in curve])


def log_deltas(rates: tuple[Floats, Floats], scores: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Mean difference of log-rate, and BD-quality, of many resampled pairs of curves.

    Args:
        rates: kbit/s by rising rate, of anchor and test; (k,) each.
        scores: of anchor and test; (n, k) each. A curve that does not rise, or no overlap, gives NaN.

    Returns:
        Two arrays (n,): a BD-rate in percent is `percent` of the first.
    """
    x1, x2 = np.log(rates[0]), np.log(rates[1])
    q1, q2 = scores
    fair = np.all(np.diff(q1) > 0, axis=-1) & np.all(np.diff(q2) > 0, axis=-1)
    low, high = np.maximum(q1[:, 0], q2[:, 0]), np.minimum(q1[:, -1], q2[:, -1])
    fair = np.asarray(fair & (high > low))
    width = np.where(fair, high - low, NAN)
    steady1, steady2 = (np.where(fair[:, None], q, np.arange(q.shape[1])) for q in (q1, q2))
    with np.errstate(invalid="ignore"):
        rate = (pchip.area(steady2, x2, low, high) - pchip.area(steady1, x1, low, high)) / width
    left, right = max(x1[0], x2[0]), min(x1[-1], x2[-1])
    if right <= left:
        return rate, np.full(len(rate), NAN)
    quality = (pchip.area(x2, q2, left, right) - pchip.area(x1, q1, left, right)) / (right - left)
    return rate, quality


def log_ratios(rates: tuple[Floats, Floats], scores: tuple[Floats, Floats], level: float) -> Floats:
    """Difference of log-rate (n,) at one quality, NaN where either curve does not reach it; arguments as above."""
    logs = []
    for rate, q in zip(rates, scores, strict=True):
        fair = np.asarray(np.all(np.diff(q) > 0, axis=-1))
        steady = np.where(fair[:, None], q, np.arange(q.shape[1]))
        logs.append(np.where(fair, pchip.value(steady, np.log(rate), level), NAN))
    found: Floats = logs[1] - logs[0]
    return found


def percent(log_difference: float) -> float:
    """A difference of log-rates as a change of rate in percent."""
    return 100.0 * math.expm1(log_difference)


def _not_rising(curve: Sequence[RatePoint], files: Mapping[str, File]) -> str | None:
    for low, high in pairwise(curve):
        if high.bitrate_kbps == low.bitrate_kbps:
            one, other = (files.get(point.key) for point in (low, high))
            who = f"{one.name} and {other.name}" if one and other else "two encodes"
            copies = one and other and one.content_id and one.content_id == other.content_id
            what = ": they are the same, byte for byte; take one away" if copies else ""
            return f"{who} have the same bit rate ({low.bitrate_kbps:,.1f} kbit/s){what}"
        if high.score <= low.score:
            return (
                f"quality does not rise from {low.bitrate_kbps:,.0f} to {high.bitrate_kbps:,.0f} kbit/s "
                f"({low.score:.2f}, then {high.score:.2f})"
            )
    return None


def _apart(q1: Floats, q2: Floats) -> str | None:
    common = min(q1.max(), q2.max()) - max(q1.min(), q2.min())
    if common >= LEAST_COMMON * min(np.ptp(q1), np.ptp(q2)):
        return None
    spans = " and ".join(f"{q.min():.1f} to {q.max():.1f}" for q in (q1, q2))
    return f"the curves reach {'hardly any' if common > 0 else 'no'} common quality ({spans})"
