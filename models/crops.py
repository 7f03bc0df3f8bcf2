"""Where on a frame the network looks, and from how far."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

OVERVIEW_LINES = 540  # about what an overview sees of a frame, whatever its size: see `looks`


class Look(NamedTuple):
    """A square of a frame, in pixels of the frame; `step` of them, a side, are one pixel to the network."""

    top: int
    left: int
    step: int = 1


def overview_step(height: int, width: int, size: int) -> int:
    """How many times smaller a frame is seen in overviews of size x size pixels; 1: it is too small to have any."""
    step = max(1, round(height / OVERVIEW_LINES))
    return step if min(height, width) // step >= size else 1


def looks(height: int, width: int, count: int, size: int, *, overview: bool, seed: int = 0) -> list[Look]:
    """At most `count` places a frame is judged at, from near and, with `overview`, a third of them from afar.

    A crop of 224 pixels of a UHD frame shows a patch of skin and cannot tell defocus from a starved encode. An overview
    shows a place of the frame reduced to about 540 lines: less detail, but what it is a detail of.

    Raises:
        ValueError: a frame without pixels, or no place asked for.
    """
    step = overview_step(height, width, size) if overview else 1
    far = round(count / 3) if step > 1 else 0
    near = [Look(*place) for place in crop_places(height, width, count - far, size, seed)]
    if not far:
        return near
    places = crop_places(height // step, width // step, far, size, seed + 1)
    return near + [Look(top * step, left * step, step) for top, left in places]


def cut(picture: NDArray[np.uint8], look: Look, size: int) -> NDArray[np.uint8]:
    """What a look sees of an (H, W, 3) picture: at most (size, size, 3), area means where it looks from afar."""
    top, left, step = look
    seen = picture[top : top + size * step, left : left + size * step]
    if step == 1:
        return np.ascontiguousarray(seen)
    rows, cols = seen.shape[0] // step, seen.shape[1] // step
    seen = seen[: rows * step, : cols * step]
    wide = np.uint16 if step <= 16 else np.uint32  # holds the sum of a block
    # Sums of shifted pictures: a tenth of the time of a sum over the axes of blocks.
    tall = sum((seen[i::step] for i in range(1, step)), seen[::step].astype(wide))
    summed = sum((tall[:, i::step] for i in range(1, step)), tall[:, ::step])
    mean: NDArray[np.uint8] = ((summed + step * step // 2) // (step * step)).astype(np.uint8)
    return mean


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
