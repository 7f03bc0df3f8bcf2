"""NIQE: how far a picture's local statistics lie from those of good photographs, without any opinions.

Mittal, Soundararajan and Bovik, "Making a completely blind image quality analyzer", IEEE Signal Processing Letters
20(3), 2013. The method is theirs, the photographs that it compares with are not: `benchmarks/fit_niqe.py` fitted
`weights/niqe.safetensors` on 176 good ones, so values differ from those of the authors' own model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import correlate1d
from scipy.special import gamma

from .distortions import Picture

Floats = NDArray[np.float64]

MODEL = Path(__file__).parent.parent / "weights" / "niqe.safetensors"
PATCH = 96  # pixels a side; half of it on the picture at half size
SHARP = 0.75  # of a photograph's sharpest patch: those above it tell what good ones look like
FEATURES = 36  # 18 a scale
_TAPS = np.exp(-0.5 * (np.arange(-3, 4) / (7 / 6)) ** 2)
_SHAPES = np.arange(0.2, 10.001, 0.001)
_RATIOS = gamma(2 / _SHAPES) ** 2 / (gamma(1 / _SHAPES) * gamma(3 / _SHAPES))  # rises with the shape
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # rows and columns on: right, below, and the two diagonals


@dataclass(frozen=True)
class Statistics:
    """A Gaussian over the features of patches."""

    mean: Floats  # (36,)
    covariance: Floats  # (36, 36)


def niqe(picture: Picture, good: Statistics | None = None) -> float | None:
    """Distance of a picture from good photographs (the paper's equation 10).

    Args:
        picture: (H, W, 3) uint8.
        good: what they look like; None: as `weights/niqe.safetensors` has it.

    Returns:
        From 0, higher is worse: about 3 for a photograph, above 8 when it is spoilt. None for a picture of fewer than
        two patches of 96x96 pixels that are not flat.
    """
    found, _ = _patches(picture)
    if len(found) < 2:
        return None
    own, good = _statistics(found), good or _stored()
    apart = own.mean - good.mean
    return float(np.sqrt(apart @ np.linalg.pinv((own.covariance + good.covariance) / 2) @ apart))


def fit(photographs: Iterable[Picture]) -> Statistics:
    """What good photographs look like, from the sharp patches of each; of (H, W, 3) uint8.

    Raises:
        ValueError: none of them has a patch that is not flat.
    """
    sharp = []
    for picture in photographs:
        found, sharpness = _patches(picture)
        if len(found):
            sharp.append(found[sharpness > SHARP * sharpness.max()])
    return _statistics(np.concatenate(sharp))


@cache
def _stored() -> Statistics:
    from safetensors.numpy import load_file

    stored = load_file(MODEL)
    return Statistics(stored["mean"], stored["covariance"])


def _statistics(found: Floats) -> Statistics:
    return Statistics(found.mean(0), np.cov(found, rowvar=False))


def _patches(picture: Picture) -> tuple[Floats, Floats]:
    """(patches, 36) features and (patches,) sharpness of the patches that are not flat."""
    luma = np.rint(picture.astype(np.float64) @ [0.2989, 0.5870, 0.1140])
    rows, columns = luma.shape[0] // PATCH, luma.shape[1] // PATCH
    if not rows * columns:
        return np.empty((0, FEATURES)), np.empty(0)
    luma = luma[: rows * PATCH, : columns * PATCH]
    half = (luma.shape[1] // 2, luma.shape[0] // 2)
    small = Image.fromarray(luma.astype(np.float32)).resize(half, Image.Resampling.BICUBIC)
    with np.errstate(divide="ignore", invalid="ignore"):  # a flat patch has no shape
        found, deviation = _scale(luma, PATCH)
        found = np.hstack([found, _scale(np.asarray(small, np.float64), PATCH // 2)[0]])
    sharpness = _cut(deviation, PATCH).mean((1, 2))
    usable = np.isfinite(found).all(1)
    return found[usable], sharpness[usable]


def _scale(luma: Floats, side: int) -> tuple[Floats, Floats]:
    """(patches, 18) features of one scale, and the local deviation of every pixel."""
    mean = _smooth(luma)
    deviation = np.sqrt(np.abs(_smooth(luma * luma) - mean * mean))
    patches = _cut((luma - mean) / (deviation + 1), side)
    shape, left, right, _ = _fitted(patches)
    columns = [shape, (left + right) / 2]
    for down, on in _NEIGHBOURS:
        # Round the patch's edge, as the authors' own program does.
        shape, left, right, mean_of_fit = _fitted(patches * np.roll(patches, (down, on), (1, 2)))
        columns += [shape, mean_of_fit, left, right]
    return np.stack(columns, 1), deviation


def _fitted(patches: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Asymmetric generalised Gaussian of each of (n, side, side) patches: shape, left and right scale, mean.

    By moments, as in the paper's section II.B (Lasmar, Stitou and Berthoumieu 2009).
    """
    squares = patches**2
    left, right = (np.sqrt((squares * side).sum((1, 2)) / side.sum((1, 2))) for side in (patches < 0, patches > 0))
    ratio = left / right
    flatness = np.abs(patches).mean((1, 2)) ** 2 / squares.mean((1, 2))
    flatness *= (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shape = np.interp(flatness, _RATIOS, _SHAPES)
    scale = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    left, right = left * scale, right * scale
    return shape, left, right, (right - left) * gamma(2 / shape) / gamma(1 / shape)


def _smooth(values: Floats) -> Floats:
    """Gaussian window of 7x7 pixels, deviation 7/6."""
    taps = _TAPS / _TAPS.sum()
    across: Floats = correlate1d(values, taps, axis=1, mode="nearest")
    return correlate1d(across, taps, axis=0, mode="nearest")  # type: ignore[no-any-return]


def _cut(values: Floats, side: int) -> Floats:
    """(n, side, side) of an (H, W) array whose sides are multiples of `side`."""
    rows, columns = values.shape[0] // side, values.shape[1] // side
    return values.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)
