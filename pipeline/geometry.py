"""Where an encode's picture lies on its master's: turned or mirrored, with bars or without, cut at its borders.

Bars are looked for over many frames; a difference of the two areas, or of the two borders, is then measured to a
fraction of a pixel by least squares on luma (Lucas and Kanade's registration, one scale and one shift an axis). The
result is a `View` for each side: how to read it so that both show the same part of the picture, pixel on pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.own_raster import LEAST, octaves
from .colour import rescaled
from .luma import HEIGHT, WHOLE, WIDTH, Rect, resample
from .orientation import Orientation
from .values import RGB, Frame, Own

BLEED = 8.0  # 320ths or 180ths by which coding moves the edge of a bar
_OFF = 0.26  # of a pixel by which a fit misses an edge (measured on starved encodes)
_EDGE = 1.0  # 320ths or 180ths that are kept from the edge of bars laid over a picture
_LEVELS = ((80, 45), (160, 90), (320, 180))
_STEPS = 8
_HOPELESS = 0.4  # correlation after the coarsest fit below which finer ones are not tried

UPRIGHT = Orientation()
TURNS = (
    UPRIGHT,
    Orientation(flip_x=True), Orientation(flip_y=True), Orientation(flip_x=True, flip_y=True),
    Orientation(True), Orientation(True, True), Orientation(True, False, True), Orientation(True, True, True),
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """How a video's frames are read: scaled to `size` as they stand, turned, cut, then scaled to `raster`."""

    size: tuple[int, int]  # (width, height) after the turn
    cut: tuple[int, int, int, int]  # left, top, right, bottom in pixels of `size`
    raster: tuple[int, int]  # (width, height) of what comes out
    turn: Orientation = UPRIGHT

    @property
    def read_size(self) -> tuple[int, int]:
        """(width, height) to read the video at, before the turn."""
        return self.size[::-1] if self.turn.transpose else self.size

    def apply(self, rgb: RGB) -> RGB:
        """A picture of `read_size` as this view shows it."""
        return rescaled(self._uncovered(rgb), self.raster)

    def own(self, frame: Frame) -> Own | None:
        """What is stored of the picture that this view shows, where that is shown larger; of a frame of `read_size`."""
        left, top, right, bottom = self.cut
        if (right - left, bottom - top) == self.raster:  # scaled before it is cut
            own = frame.own
            return own and Own(own.octaves, lambda: self.turn.apply(own.picture()))
        larger = octaves((right - left, bottom - top), self.raster)
        return Own(larger, lambda: self._uncovered(frame.rgb)) if larger >= LEAST else None

    def _uncovered(self, rgb: RGB) -> RGB:
        left, top, right, bottom = self.cut
        return np.ascontiguousarray(self.turn.apply(rgb)[top:bottom, left:right])


def turned(pictures: NDArray[Any], turn: Orientation) -> NDArray[Any]:
    """Pictures (n, height, width) after a turn, scaled to their old shape where they were laid on their side."""
    if turn.transpose:
        height, width = pictures.shape[1:]
        pictures = resample(pictures, WHOLE, (height, width)).transpose(0, 2, 1)
    if turn.flip_x:
        pictures = pictures[:, :, ::-1]
    return pictures[:, ::-1] if turn.flip_y else pictures


def turned_rect(rect: Rect, turn: Orientation) -> Rect:
    """Where a part of the picture lies after a turn."""
    left, top, right, bottom = rect
    if turn.transpose:
        stretch = WIDTH / HEIGHT
        left, top, right, bottom = top * stretch, left / stretch, bottom * stretch, right / stretch
    if turn.flip_x:
        left, right = WIDTH - right, WIDTH - left
    if turn.flip_y:
        top, bottom = HEIGHT - bottom, HEIGHT - top
    return left, top, right, bottom


def register(encode: NDArray[Any], master: NDArray[Any], area: Rect, start: Rect) -> tuple[Rect, float, float]:
    """Which part of the master the encode's `area` shows, `start` being a guess a few percent off at most.

    Args:
        encode, master: (n, 180, 320) pictures of the same moments.

    Returns:
        That part, and the mean correlation of the pictures there: at `start` and at the end.
    """
    rect, first = start, correlation(encode, master, area, start)
    for size in _LEVELS:
        mine = _normal(resample(encode, area, size))
        for _ in range(_STEPS):
            change = _step(mine, master, rect, size)
            rect = (rect[0] + change[0], rect[1] + change[1], rect[2] + change[2], rect[3] + change[3])
            if abs(change).max() < 0.01:
                break
        off = np.abs(np.array(rect) - np.array(start))
        if not np.isfinite(off).all() or off[::2].max() > 0.15 * WIDTH or off[1::2].max() > 0.15 * HEIGHT:
            return start, first, first
        if float((mine * _normal(resample(master, rect, size))).mean()) < _HOPELESS:
            return start, first, first
    last = correlation(encode, master, area, rect)
    return (rect, first, last) if last > first else (start, first, first)


def _step(mine: NDArray[np.float32], master: NDArray[Any], rect: Rect, size: tuple[int, int]) -> NDArray[np.float64]:
    """Least squares for a better `rect`: d picture / d border, with gain and bias left free."""
    width, height = size
    theirs = _normal(resample(master, rect, size))
    across = np.gradient(theirs, axis=2) * (width / (rect[2] - rect[0]))
    down = np.gradient(theirs, axis=1) * (height / (rect[3] - rect[1]))
    u = ((np.arange(width) + 0.5) / width).astype(np.float32)
    v = ((np.arange(height) + 0.5) / height).astype(np.float32)[:, None]
    inner = np.s_[:, 1:-1, 1:-1]
    parts = [across * (1 - u), down * (1 - v), across * u, down * v, theirs, np.ones_like(theirs)]
    columns = np.stack([part[inner].ravel() for part in parts]).astype(np.float64)
    wanted = (mine - theirs)[inner].ravel().astype(np.float64)
    normal = columns @ columns.T + 1e-3 * np.eye(6)
    return np.asarray(np.linalg.solve(normal, columns @ wanted)[:4])


def _normal(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    return np.asarray(flat / np.maximum(flat.std(axis=(1, 2), keepdims=True), 1.0), np.float32)


def correlation(encode: NDArray[Any], master: NDArray[Any], area: Rect, other: Rect) -> float:
    """Mean correlation of the pictures in two areas."""
    mine, theirs = _normal(resample(encode, area, (WIDTH, HEIGHT))), _normal(resample(master, other, (WIDTH, HEIGHT)))
    return float((mine * theirs).mean())


def agreement(encode: NDArray[Any], master: NDArray[Any], area: Rect, other: Rect) -> float:
    """How well pictures agree in structure, -1 to 1: the median correlation of their middle frequencies.

    Coarse light and dark, which unrelated pictures may share, and fine detail, which a strong encoder takes away, are
    left out. Pictures without structure do not count; 0 where none has any.
    """
    mine, theirs = (_middle(resample(p, r, (64, 36))) for p, r in ((encode, area), (master, other)))
    found = []
    for one, two in zip(mine, theirs, strict=True):
        if min(one.std(), two.std()) > 0.8:
            found.append(float((one * two).mean() / (one.std() * two.std())))
    return float(np.median(found)) if found else 0.0


def _middle(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Less their local mean over 9 x 9 pixels, slightly smoothed."""
    return np.asarray(_smooth(pictures, 3) - _smooth(pictures, 9), np.float32)


def in_shape(area: Rect, lit: Rect, aspect: float) -> Rect:
    """The area between bars where an encode's picture has its master's shape: where it lies, if nothing was stretched.

    Args:
        area: of the encode, by its black bars; coding that bleeds over them moves their edges.
        lit: the same of the master.
        aspect: of the encode's whole picture, over that of the master's.

    Returns:
        The area without these bars, or `area` where they would lie elsewhere than it says.
    """
    high = aspect * (lit[3] - lit[1]) / HEIGHT / ((lit[2] - lit[0]) / WIDTH)  # share of its height, if all its width
    x, y = max(0.0, 1 - 1 / high) * WIDTH / 2, max(0.0, 1 - high) * HEIGHT / 2
    found = (x, y, WIDTH - x, HEIGHT - y)
    return found if max(abs(a - b) for a, b in zip(found, area, strict=True)) < BLEED else area


def _smooth(pictures: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    out = pictures
    for axis in (1, 2):
        pad = [(0, 0)] * 3
        pad[axis] = (side // 2 + 1, side // 2)
        total = np.cumsum(np.pad(out, pad, mode="edge"), axis=axis, dtype=np.float64)
        ends = np.take(total, range(side, total.shape[axis]), axis=axis)
        out = ((ends - np.take(total, range(total.shape[axis] - side), axis=axis)) / side).astype(np.float32)
    return out


def views(
    raster: tuple[int, int], area: Rect, part: Rect, turn: Orientation, size: tuple[int, int]
) -> tuple[View, View]:
    """How to read (encode, master) so that both show the same, from two areas that correspond.

    Only what one of them lacks is cut away: borders, or what bars lie over that are the encode's own. An encode's bars
    are cut off before it is scaled, or they would bleed into its picture.

    Args:
        raster: (width, height) the master's whole picture is judged at.
        area, part: of the encode's and of the master's luma pictures, showing the same.
        turn: of the encode.
        size: (width, height) the encode is shown at, after the turn.
    """
    ends = []
    laid_over = max(abs(a - b) for a, b in zip(area, part, strict=True)) < 2 * _EDGE
    for axis, luma in enumerate((WIDTH, HEIGHT)):
        scale = (part[axis + 2] - part[axis]) / (area[axis + 2] - area[axis])
        start, unit = part[axis] - area[axis] * scale, raster[axis] / luma
        low, high = (area[axis], area[axis + 2]) if laid_over else (0.0, float(luma))
        shares = (low + _EDGE * (low > 0)) / luma, (high - _EDGE * (high < luma)) / luma
        ends.append(_common(start * unit, (start + luma * scale) * unit, raster[axis], size[axis], shares))
    ((a, c), (left, right)), ((b, d), (top, bottom)) = ends
    master, box = View(raster, (a, b, c, d), (c - a, d - b)), (left, top, right, bottom)
    if box == (0, 0, *size):
        return View(master.raster, (0, 0, *master.raster), master.raster, turn), master
    return View(size, box, master.raster, turn), master


def _common(
    low: float, high: float, length: int, pixels: int, inside: tuple[float, float]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """What both show of an axis, in pixels of the master's raster and of the encode.

    Whole ones: bars add whole pixels to an encode, cutting takes whole ones from the master. A fit is off by up to
    `_OFF` of one of the encode's.

    Args:
        low, high: where a fit lays the encode's ends on the master's raster.
        length: of the master's raster.
        pixels: of the encode.
        inside: from where to where the encode has no bars laid over it, shares of it.
    """
    if abs(high - low - pixels) < 0.5:  # not scaled: both ends tell where it lies
        low = round((low + high - pixels) / 2)
        high = low + pixels
    scale = (high - low) / pixels
    # A small encode's quarter of a pixel may be a whole one of the master: where it reaches the end, it ends there.
    low = 0 if abs(low) <= _OFF * scale else low
    high = length if abs(high - length) <= _OFF * scale else high
    first, last = max(0, round(-low / scale)), min(pixels, round((length - low) / scale))
    theirs = max(0, round(low)), min(length, round(high))
    if (begin := math.ceil(inside[0] * pixels)) > first:
        first, theirs = begin, (round(low + begin * scale), theirs[1])
    if (end := math.floor(inside[1] * pixels)) < last:
        last, theirs = end, (theirs[0], round(low + end * scale))
    return theirs, (first, last)
