"""Where on a frame the network looks, and from how far."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BAR_LEVEL = 10  # of 255, the highest of R, G and B: encoded black strays a little
PARTED = 4  # places from which on they are looked at in turns
OVERVIEW_LINES = 540  # about what an overview sees of a frame, whatever its size: see `looks`


class Look(NamedTuple):
    """A square of a frame, in pixels of the frame; `step` of them, a side, are one pixel to the network."""

    top: int
    left: int
    step: int = 1
    mirrored: bool = False
    turn: int = 0  # 0 or 1: see `in_turn`


def inside_bars(picture: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of an (H, W, 3) picture without black bars at its edges.

    Bars are blacker and emptier than night: all but one in a hundred of their pixels at most `BAR_LEVEL`. They come in
    pairs, one at most twice as wide as the other, and leave at least a third of a side; else it is a dark scene or a
    title, and nothing is left out.
    """
    height, width = picture.shape[:2]
    rows, columns = picture[:, :: max(1, width // 240)], picture[:: max(1, height // 240)]
    edges = []
    for lines, side in ((rows, height), (columns.transpose(1, 0, 2), width)):
        if _lit(lines[:: side - 1 or 1]).any():  # at one of the edges there is none, so there is no pair
            edges.append((0, side))
            continue
        lit = _lit(lines)
        before, after = (int(lit.argmax()), int(lit[::-1].argmax())) if lit.any() else (0, 0)
        bars = max(before, after) <= 2 * min(before, after) and 3 * (before + after) <= 2 * side
        edges.append((before, side - after) if bars else (0, side))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


def _lit(lines: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n,) which of the lines (n, pixels, 3) are not black."""
    found: NDArray[np.bool_] = (lines > BAR_LEVEL).any(2).mean(1) > 0.01
    return found


def picture_looks(picture: NDArray[np.uint8], count: int, size: int, *, overview: bool, seed: int = 0) -> list[Look]:
    """`looks` at a picture, none of them at its black bars.

    What lies in the right half is seen mirrored, or a network that is no mirror of itself would judge a mirrored frame
    otherwise.
    """
    top, left, bottom, right = inside_bars(picture)
    height, width = bottom - top, right - left
    found = looks(height, width, count, size, overview=overview, seed=seed)
    return [
        look._replace(
            top=look.top + top,
            left=look.left + left,
            mirrored=2 * look.left + min(size * look.step, width - look.left) > width,
        )
        for look in found
    ]


def in_turn(places: list[Look], turn: int | None) -> list[Look]:
    """About half of a frame's places, spread over it like the squares of one colour of a board, overviews too.

    The others are those of the other turn. All of them for None, and where they are fewer than four.
    """
    if turn is None or len(places) < PARTED:
        return places
    return [look for look in places if look.turn == turn]


def alike(one: list[Look], other: list[Look], size: int) -> bool:
    """Whether two frames are looked at much the same places: not where bars came or went between them."""
    if len(one) != len(other):
        return False
    off = [max(abs(a.top - b.top), abs(a.left - b.left)) / a.step for a, b in zip(one, other, strict=True)]
    return max(off) <= size / 4 and [a.step for a in one] == [b.step for b in other]


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
    near = [Look(top, left, turn=turn) for top, left, turn in crop_places(height, width, count - far, size, seed)]
    if not far:
        return near
    places = crop_places(height // step, width // step, far, size, seed + 1)
    return near + [Look(top * step, left * step, step, turn=turn) for top, left, turn in places]


def cut(picture: NDArray[np.uint8], look: Look, size: int) -> NDArray[np.uint8]:
    """What a look sees of an (H, W, 3) picture: at most (size, size, 3), area means where it looks from afar."""
    top, left, step, mirrored, _ = look
    seen = picture[top : top + size * step, left : left + size * step]
    seen = seen if step == 1 else _reduced(seen, step)
    return _turned_over(seen) if mirrored else seen


def _turned_over(seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Left and right exchanged."""
    turned = np.empty_like(seen)
    for channel in range(seen.shape[2]):  # each by itself: a fifth of the time of all at once
        turned[:, :, channel] = seen[:, ::-1, channel]
    return turned


def _reduced(seen: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Means of blocks of step x step pixels; what is left over at the right and below is left out."""
    rows, cols = seen.shape[0] // step, seen.shape[1] // step
    seen = seen[: rows * step, : cols * step]
    wide = np.uint16 if step <= 16 else np.uint32  # holds the sum of a block
    # Sums of shifted pictures: a tenth of the time of a sum over the axes of blocks.
    tall = sum((seen[i::step] for i in range(1, step)), seen[::step].astype(wide))
    summed = sum((tall[:, i::step] for i in range(1, step)), tall[:, ::step])
    mean: NDArray[np.uint8] = ((summed + step * step // 2) // (step * step)).astype(np.uint8)
    return mean


def crop_places(height: int, width: int, count: int, size: int, seed: int = 0) -> list[tuple[int, int, int]]:
    """(top, left) corners of at most `count` size x size places, spread over the frame and jittered, and their turns.

    The frame is cut into a grid of about as many cells as places; each cell holds one place at a random spot, so that
    the whole frame is looked at and no fixed lattice (a logo, a letterbox) decides. Along an axis that is looked at
    whole, places are evenly spaced. Same arguments, same places: those of a frame and of its reference coincide.

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
            top = max(0, height - size) * (r / max(1, rows - 1) if rows == most_rows else (r + v) / rows)
            left = max(0, width - size) * (c / max(1, cols - 1) if cols == most_cols else (c + u) / cols)
            places.append((int(top), int(left), (r + c) % 2))
    return places


def tiles(height: int, width: int, size: int) -> list[tuple[int, int]]:
    """(top, left) corners of size x size places that cover the whole frame; those at the far edges overlap others."""
    tops = sorted({min(top, max(0, height - size)) for top in range(0, height, size)})
    lefts = sorted({min(left, max(0, width - size)) for left in range(0, width, size)})
    return [(top, left) for top in tops for left in lefts]
