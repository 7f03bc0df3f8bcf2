"""What a frame looks like, in a dozen numbers: taken while frames pass by, so that no frame is kept for it.

Measured on every 6th pixel of a 1080p frame (320x180 points), contrast and change on means of 8x8 of these, which grain
and coding noise hardly move, gradients along every 32nd row and column at full size.
"""

from __future__ import annotations

from array import array
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import shots
from .values import RGB, Frame

LINES = 180  # about as many lines of points are looked at
DARK = 0.10 * 255  # a pixel below is black, as FFmpeg's blackdetect has it (pixel_black_th)
BLOCK = 8  # points
APART_S = 0.3  # between frames that are compared for change: neighbours of a slow scene always look alike
RUN = 32  # pixels of a stretch that is looked at for contours
_LINE_EVERY = 32  # rows, and columns, from one that is looked at for contours to the next


class Look(NamedTuple):
    """One frame. Levels are 0 to 255 of full range R'G'B', luma is of BT.709; shares are 0 to 1."""

    frame: float  # 0-based index in the stream
    time_s: float  # seconds from the stream's first frame
    dark: float  # share of pixels with a luma below 25.5
    luma: float  # mean
    spread: float  # standard deviation of the blocks' luma
    red: float  # mean
    green: float
    blue: float
    chroma: float  # mean of how far the largest of a pixel's red, green and blue lies above the smallest: 0 of grey
    lowest: float  # luma that half a percent of the pixels do not reach
    highest: float  # luma that half a percent surpasses
    black: float  # share of pixels at luma 0 in the middle of the picture, where no bars are
    white: float  # share of pixels at luma 254 or 255, there too
    contours: float  # share of gradients that rise in visible steps
    change: float  # mean absolute difference of the blocks' luma from a frame 0.3 s or more before; nan for the first
    peak: float  # the same, but of the block that changed most


class Watch:
    """The looks of one video's sampled frames, in order; 68 bytes a frame. One thread at a time may use it."""

    def __init__(self) -> None:
        self._numbers = array("f")
        self._before: NDArray[np.float64] | None = None  # blocks of the frame to compare with
        self._before_s = 0.0
        self._last: shots.Signature | None = None  # of the scored frame before, however near
        self._shot = 0
        self.transparent = False  # whether a frame was, anywhere
        self.sizes = list[tuple[float, tuple[int, int]]]()  # from when on frames were stored at which size

    def see(self, frame: Frame, start_s: Fraction, *, scored: bool = True) -> int:
        """Look at the next frame of a stream whose first frame is shown at `start_s`.

        Returns the number of its shot, from 0: cuts between the scored frames up to it. Those that are not scored
        begin none: which there are depends on other videos.
        """
        time_s = float(frame.pts_s - start_s)
        self.transparent |= frame.transparent
        if frame.stored is not None and (not self.sizes or self.sizes[-1][1] != frame.stored):
            self.sizes.append((time_s, frame.stored))
        numbers, signature = _look(frame.rgb, self._before)
        if self._before is None or time_s - self._before_s >= APART_S:
            self._before, self._before_s = signature.blocks, time_s
        if scored:
            self._shot += self._last is not None and shots.unlike(self._last, signature) >= shots.CUT
            self._last = signature
        self._numbers.extend((frame.index, time_s, *numbers))
        return self._shot

    @property
    def looks(self) -> NDArray[np.float32]:
        """(n, fields of `Look`)."""
        return np.array(self._numbers, np.float32).reshape(-1, len(Look._fields))

    def column(self, name: str) -> NDArray[np.float64]:
        """(n,) one field of `Look` over the frames."""
        return self.looks[:, Look._fields.index(name)].astype(np.float64)


def luma_of(rgb: RGB) -> NDArray[np.int16]:
    """BT.709 luma, 0 to 255, of (..., 3) full-range R'G'B'; within one level."""
    wide = rgb.astype(np.uint16)
    return ((54 * wide[..., 0] + 183 * wide[..., 1] + 19 * wide[..., 2] + 128) >> 8).astype(np.int16)


def contours(rgb: RGB) -> float:
    """Share of stretches of 32 pixels that hold a slow gradient in visible steps: where banding shows.

    Such a stretch only rises or only falls, by single steps at least 8 pixels from one another and of 1.5 levels or
    more on average (one level of 8-bit video is 1.16 here): without the grain or dither that hides them.
    """
    found = total = 0
    lines = (rgb[_LINE_EVERY // 2 :: _LINE_EVERY], rgb[:, _LINE_EVERY // 2 :: _LINE_EVERY].transpose(1, 0, 2))
    for some in lines:
        windows = (some.shape[1] - 1) // RUN
        if not windows or not len(some):
            continue
        step = np.diff(luma_of(some[:, : windows * RUN + 1]), axis=1)
        moves = step != 0
        begins = moves.copy()
        begins[:, 1:] &= ~moves[:, :-1]  # a step that scaling has spread over neighbours is one
        shape = (len(some), windows, RUN)
        rise = np.abs(step.reshape(shape).sum(axis=2, dtype=np.int16))
        way = np.abs(step).reshape(shape).sum(axis=2, dtype=np.int16)
        steps = begins.reshape(shape).sum(axis=2, dtype=np.int16)
        slow = (rise == way) & (steps >= 2) & (steps <= RUN // 8) & (rise <= RUN)
        found += int((slow & (2 * rise >= 3 * steps)).sum())
        total += windows * len(some)
    return found / total if total else 0.0


def _look(rgb: RGB, before: NDArray[np.float64] | None) -> tuple[tuple[float, ...], shots.Signature]:
    stride = max(1, round(min(rgb.shape[:2]) / LINES))
    points = rgb[::stride, ::stride]
    luma = luma_of(points)
    some = points[::2, ::2]
    red, green, blue = (float(mean) for mean in some.mean(axis=(0, 1)))
    chroma = float((some.max(axis=2) - some.min(axis=2)).mean())
    low, high = luma.size // 200, luma.size - 1 - luma.size // 200
    ranked = np.partition(luma, (low, high), axis=None)
    rows, columns = luma.shape
    middle = luma[rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
    blocks = _blocks(luma)
    change = peak = float("nan")
    if before is not None and before.shape == blocks.shape:
        moved = np.abs(blocks - before)
        change, peak = float(moved.mean()), float(moved.max())
    numbers = (
        float((luma < DARK).mean()), float(luma.mean()), float(blocks.std()), red, green, blue, chroma,
        float(ranked[low]), float(ranked[high]), float((middle == 0).mean()), float((middle >= 254).mean()),
        contours(rgb), change, peak,
    )  # fmt: skip
    return numbers, shots.signature(points, luma, blocks)


def _blocks(luma: NDArray[np.int16]) -> NDArray[np.float64]:
    """Means over blocks of points; the points themselves of a picture with too few."""
    rows, columns = (n // BLOCK for n in luma.shape)
    if rows < 4 or columns < 4:
        return luma.astype(np.float64)
    whole = luma[: rows * BLOCK, : columns * BLOCK]
    return np.asarray(whole.reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3)), np.float64)
