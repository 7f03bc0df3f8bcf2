"""Where on a frame the network looks."""

from __future__ import annotations

import math

import numpy as np


def crop_places(height: int, width: int, count: int, size: int, seed: int = 0) -> list[tuple[int, int]]:
    """(top, left) corners of at most `count` size x size places, spread over the frame and jittered.

    The frame is cut into a grid of about as many cells as places; each cell holds one place at a random spot, so that
    the whole frame is looked at and no fixed lattice (a logo, a letterbox) decides. Same arguments, same places: the
    places of a frame and of its reference coincide. An axis not longer than `size` has one place, at 0.

    Raises:
        ValueError: a frame without pixels, or no place asked for.
    """
    if height < 1 or width < 1 or count < 1:
        raise ValueError(f"no place to look at in a {width}x{height} frame ({count} asked for)")
    most_rows, most_cols = math.ceil(height / size), math.ceil(width / size)
    rows = min(most_rows, count, max(1, round(math.sqrt(count * height / width))))
    cols = min(most_cols, max(1, count // rows))
    rng = np.random.Generator(np.random.PCG64([seed, height, width, count]))
    places = []
    for r in range(rows):
        for c in range(cols):
            v, u = rng.random(2)
            top = max(0, height - size) * (r + v) / rows
            left = max(0, width - size) * (c + u) / cols
            places.append((int(top), int(left)))
    return places


def tiles(height: int, width: int, size: int) -> list[tuple[int, int]]:
    """(top, left) corners of size x size places that cover the whole frame; those at the far edges overlap others."""
    tops = sorted({min(top, max(0, height - size)) for top in range(0, height, size)})
    lefts = sorted({min(left, max(0, width - size)) for left in range(0, width, size)})
    return [(top, left) for top in tops for left in lefts]
