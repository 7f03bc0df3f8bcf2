"""PCHIP for many curves at once: thousands of resampled curves, each with its own abscissae.

SciPy's `PchipInterpolator` takes many ordinates over one set of abscissae; here each curve's quality, which is the
abscissa of a BD-rate, is another one, and a Python loop over SciPy takes a hundred times as long. Derivatives as there:
Fritsch and Butland's weighted harmonic means inside, one-sided three-point formula at the ends. A test holds the two
equal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def slopes(x: Floats, y: Floats) -> Floats:
    """Derivatives at the points of each curve.

    Args:
        x: (..., k) strictly rising, k >= 3.
        y: (..., k), or what broadcasts with `x`.
    """
    x, y = np.broadcast_arrays(x, y)
    h = np.diff(x)
    d = np.diff(y) / h
    left, right = 2 * h[..., 1:] + h[..., :-1], h[..., 1:] + 2 * h[..., :-1]
    same = d[..., :-1] * d[..., 1:] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (left + right) / (left / d[..., :-1] + right / d[..., 1:])
    inner = np.where(same, mean, 0.0)
    first = _end(h[..., 0], h[..., 1], d[..., 0], d[..., 1])
    last = _end(h[..., -1], h[..., -2], d[..., -1], d[..., -2])
    return np.concatenate([first[..., None], inner, last[..., None]], axis=-1)


def _end(h0: Floats, h1: Floats, d0: Floats, d1: Floats) -> Floats:
    slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    slope = np.where(np.sign(slope) != np.sign(d0), 0.0, slope)
    overshoot = (np.sign(d0) != np.sign(d1)) & (np.abs(slope) > 3 * np.abs(d0))
    return np.where(overshoot, 3 * d0, slope)


def area(x: Floats, y: Floats, low: ArrayLike, high: ArrayLike) -> Floats:
    """Integral of each curve from `low` to `high` (...), which lie inside its `x`."""
    m = slopes(x, y)
    return _area_to(x, y, m, np.asarray(high, np.float64)) - _area_to(x, y, m, np.asarray(low, np.float64))


def value(x: Floats, y: Floats, at: ArrayLike) -> Floats:
    """Each curve's value at one abscissa (...); NaN outside its `x`."""
    x, y = np.broadcast_arrays(x, y)
    m, z = slopes(x, y), np.broadcast_to(np.asarray(at, np.float64), x.shape[:-1])
    i = np.clip((x <= z[..., None]).sum(axis=-1) - 1, 0, x.shape[-1] - 2)[..., None]

    def near(a: Floats, step: int = 0) -> Floats:
        return np.take_along_axis(a, i + step, axis=-1)[..., 0]

    h = near(x, 1) - near(x)
    u = (z - near(x)) / h
    found = (
        near(y) * (1 + 2 * u) * (1 - u) ** 2
        + near(y, 1) * u**2 * (3 - 2 * u)
        + h * u * (1 - u) * (near(m) * (1 - u) - near(m, 1) * u)
    )
    return np.where((z >= x[..., 0]) & (z <= x[..., -1]), found, np.nan)


def _area_to(x: Floats, y: Floats, m: Floats, z: Floats) -> Floats:
    """Integral from the first point to `z`: each piece's cubic Hermite antiderivative, up to where `z` cuts it."""
    h = np.diff(x)
    u = np.clip((z[..., None] - x[..., :-1]) / h, 0.0, 1.0)
    u2, u3, u4 = u**2, u**3, u**4
    pieces = h * (
        y[..., :-1] * (u - u3 + u4 / 2)
        + y[..., 1:] * (u3 - u4 / 2)
        + h * (m[..., :-1] * (u2 / 2 - 2 * u3 / 3 + u4 / 4) + m[..., 1:] * (u4 / 4 - u3 / 3))
    )
    total: Floats = pieces.sum(axis=-1)
    return total
