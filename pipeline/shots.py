"""Cuts between sampled frames: whether two frames that follow one another are of one shot, by two small signatures.

PySceneDetect and FFmpeg's scdet look for a jump from one frame to the next; frames half a second apart differ by motion
as much as those two expect of a cut. So both have to change here: which colours there are, which motion inside a
picture hardly does, and where it is light and dark, which a fade does not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CUT = 0.15  # of `unlike`. Motion within shots was seen up to 0.14, cuts of real clips from 0.165 on
KEPT = 0.6  # correlation of light and dark from which on it is the same picture: a fade; at cuts up to 0.5 was seen
FLAT = 4.0  # standard deviation of the blocks' luma below which a picture has nothing to recognise it by
_CHROMA = np.array([-12, 12])  # bounds between three levels of a colour difference

Floats = NDArray[np.float64]


class Signature(NamedTuple):
    """What a picture is recognised by."""

    colours: Floats  # (72,) shares of its points by 8 levels of luma and 3 of each colour difference
    blocks: Floats  # (rows, columns) luma, means over blocks


def signature(points: NDArray[np.uint8], luma: NDArray[np.int16], blocks: Floats) -> Signature:
    """Of a picture's points (rows, columns, 3), their luma, and means of that over blocks."""
    level = luma[::2, ::2]
    red, blue = (points[::2, ::2, channel].astype(np.int16) - level for channel in (0, 2))
    place = (level >> 5) * 9 + np.digitize(red, _CHROMA) * 3 + np.digitize(blue, _CHROMA)
    shares = np.bincount(place.ravel(), minlength=72).reshape(8, 9) / place.size
    padded = np.concatenate([shares[:1], shares, shares[-1:]])  # light that sways around a bound moves little
    return Signature((padded[:-2] + 2 * shares + padded[2:]).ravel() / 4, blocks)


def unlike(one: Signature, other: Signature) -> float:
    """0 for pictures alike in colours or in structure, towards 1 for another picture."""
    alike = max(0.0, _correlation(one.blocks, other.blocks))
    if alike > KEPT:
        return 0.0
    return 0.5 * float(np.abs(one.colours - other.colours).sum()) * (1.0 - alike)


def _correlation(one: Floats, other: Floats) -> float:
    flat = [bool(blocks.std() < FLAT) for blocks in (one, other)]
    if any(flat) or one.shape != other.shape:
        return float(all(flat))  # grey after grey is no other picture
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))
