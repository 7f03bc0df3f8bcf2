"""Rate-quality curves as pure numbers: which encodes are worth their bits, and the hull over them.

Bit rates are kilobits a second and are compared on a log axis; quality is a score of 0 to 100.
`bjontegaard` draws no hull, so the envelope is SciPy's; the Pareto filter is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

SAME = 1e-9  # log-rates or scores (as shares of their range) closer than this are one value to the hull


@dataclass(frozen=True)
class RatePoint:
    """One encode on the rate-quality plane. `key` says whose it is (a path); it is carried along, never looked at."""

    bitrate_kbps: float
    score: float
    key: str = ""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.bitrate_kbps) and self.bitrate_kbps > 0):
            raise ValueError(f"bit rate of {self.key or 'a rate point'} must be above 0 kbit/s: {self.bitrate_kbps!r}")
        if not np.isfinite(self.score):
            raise ValueError(f"score of {self.key or 'a rate point'} must be a number: {self.score!r}")


def by_rate(points: Sequence[RatePoint]) -> list[RatePoint]:
    """The points in drawing order: by rising bit rate, the better first at equal rates."""
    return sorted(points, key=lambda p: (p.bitrate_kbps, -p.score))


def pareto(points: Sequence[RatePoint]) -> list[RatePoint]:
    """The points that no other beats at the same or a lower rate; rates and scores both rise strictly.

    Of points equal in rate and score the first given stays.
    """
    kept: list[RatePoint] = []
    for point in by_rate(points):
        if not kept or point.score > kept[-1].score:
            kept.append(point)
    return kept


def hull(points: Sequence[RatePoint]) -> list[RatePoint]:
    """The upper convex envelope of the Pareto front over log-rate, by rising rate.

    What a ladder could be built from: every other encode lies on or below a straight line between two of these.
    One point is its own hull; none gives none.
    """
    front = pareto(points)
    x = _unit([np.log(p.bitrate_kbps) for p in front])
    y = _unit([p.score for p in front])
    if len(front) < 3 or np.min(np.diff(x)) < SAME:
        front, x, y = _distinct(front, x, y)
    if len(front) < 3:
        return front
    # Two anchors below the front give Qhull an area even where the front is a straight line.
    anchors = np.array([[x[0], -1.0], [x[-1], -1.0]])
    corners = ConvexHull(np.concatenate([np.stack([x, y], axis=1), anchors])).vertices
    return [front[i] for i in sorted(int(c) for c in corners) if i < len(front)]


def _unit(values: Sequence[float]) -> NDArray[np.float64]:
    """Scale rising values to 0..1, so that Qhull's tolerance means the same on both axes."""
    v = np.asarray(values, dtype=np.float64)
    return v if len(v) == 0 else (v - v[0]) / max(v[-1] - v[0], np.finfo(np.float64).tiny)


def _distinct(
    front: list[RatePoint], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[list[RatePoint], NDArray[np.float64], NDArray[np.float64]]:
    """Of neighbours at practically one rate keep the better (a vertical wall is no slope)."""
    keep = [i for i in range(len(front)) if i + 1 == len(front) or x[i + 1] - x[i] >= SAME]
    return [front[i] for i in keep], x[keep], y[keep]
