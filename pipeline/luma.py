"""Small luma pictures of stretches of a video: what an encode and its master are laid over each other by.

They are decoded apart from the frames that are judged, and only as far as is asked for; a master's are read once for
all its encodes.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import decode
from .packet_table import frame_gap, since_first
from .values import VideoInfo, VideoRef

WIDTH, HEIGHT = 320, 180  # of a luma picture, whatever the video's shape: a displayed picture in a frame of its own
KEPT = 1500  # frames of stretches beside its head that are remembered of a video: 86 MB
OVERVIEW = 9000  # frames of a video that an overview shows: 32 MB, and six minutes of 25 a second

STILL = 0.5  # levels by which pictures that stand still differ on average
BAR_LUMA = 12.0  # above the picture's darkest level: no brighter in a bar
BRIGHT = 40.0  # mean luma above the darkest level of frames in which bars are looked for
_LEAST_PART = 0.4  # of each axis that is no bar
_ALONE = 1 << 18  # multiplications in a product; larger ones OpenBLAS shares out among threads that spin meanwhile
_LINES = 4  # at a time: fewer cost more calls, more cost products with weights of 0

Rect = tuple[float, float, float, float]  # left, top, right, bottom; in pixels of a luma picture unless said otherwise
WHOLE: Rect = (0.0, 0.0, float(WIDTH), float(HEIGHT))


@dataclass(frozen=True)
class Stretch:
    """Consecutive frames of a video."""

    first: int  # number of the first frame
    times: NDArray[np.float64]  # (n,) seconds from the video's first frame, ascending
    luma: NDArray[np.uint8]  # (n, 180, 320)

    @cached_property
    def small(self) -> NDArray[np.float32]:
        """(n, 45, 80) averages of 4 x 4 pixels: what time is told by."""
        return np.asarray(_blocks(self.luma) / np.float32(16), np.float32)

    @cached_property
    def active_area(self) -> Rect:
        """The part of the picture without black bars, over all bright frames; the whole where there are none."""
        if not len(self.luma):
            return WHOLE
        dark = float(np.percentile(self.luma[:, ::4, ::4], 0.5))
        bright = self.luma[self.luma[:, ::4, ::4].mean(axis=(1, 2)) > dark + BRIGHT / 2]
        if len(bright) < 3:
            return WHOLE
        bright = bright[:: max(1, len(bright) // 24)]
        limit = min(dark, 32.0) + BAR_LUMA
        rows = np.percentile(bright, 97, axis=2).max(axis=0)  # a few bright pixels are noise, or a ringing edge
        columns = np.percentile(bright, 97, axis=1).max(axis=0)
        top, bottom = _inside(rows > limit)
        left, right = _inside(columns > limit)
        if bottom - top < _LEAST_PART * HEIGHT or right - left < _LEAST_PART * WIDTH:
            return WHOLE
        return float(left), float(top), float(right), float(bottom)

    def __repr__(self) -> str:
        return f"Stretch(first={self.first}, frames={len(self.times)})"


def still(small: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) whether pictures, (n, 45, 80), are the one before once more; the first is as the second."""
    apart = np.abs(np.diff(small.astype(np.float32), axis=0)).mean(axis=(1, 2)) < STILL
    return np.concatenate([apart[:1], apart]) if len(apart) else np.zeros(len(small), bool)


def _blocks(luma: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(n, 45, 80) sums of 4 x 4 pixels."""
    rows = luma[:, 0::4].astype(np.uint16)  # by whole rows, then columns: 7 times as fast as one mean
    for k in range(1, 4):
        rows += luma[:, k::4]
    return np.asarray(rows[:, :, 0::4] + rows[:, :, 1::4] + rows[:, :, 2::4] + rows[:, :, 3::4])


@dataclass(frozen=True)
class Overview:
    """Frames of a whole video, or of its first `OVERVIEW` ones, with less than a `Stretch` remembers of each."""

    times: NDArray[np.float64]  # (n,) seconds from the video's first frame, ascending
    small: NDArray[np.uint8]  # (n, 45, 80)


def _inside(lit: NDArray[np.bool_]) -> tuple[int, int]:
    found = np.flatnonzero(lit)
    return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, len(lit))


class Sight:
    """Looks at one video's luma, from its head on as far as needed, and at other places. Several threads may ask.

    Args:
        ref, info: the video.
        times: presentation times of all its frames, ascending, seconds.
        timeout_s: longest wait for the next frame.
    """

    def __init__(self, ref: VideoRef, info: VideoInfo, times: Sequence[Fraction], *, timeout_s: float = 60.0) -> None:
        self.times = since_first(times)
        self.gap = float(frame_gap(times))  # seconds from a frame to the next; 0 of a single one
        self._ref, self._info, self._timeout_s = ref, info, timeout_s
        self._head: list[NDArray[np.uint8]] = []
        self._shown: Stretch | None = None  # what was asked for last of it
        self._more: Generator[tuple[int, NDArray[np.uint8]], None, None] | None = None
        self._one_at_a_time = threading.Lock()
        self._stretches: dict[tuple[int, int], Stretch] = {}
        self._overviews: dict[tuple[int, int], Overview] = {}  # by how many frames each shows one of, up to which

    def head(self, seconds: float) -> Stretch:
        """The frames of the first `seconds`; reads on where an earlier call stopped."""
        with self._one_at_a_time:
            wanted = int(np.searchsorted(self.times, seconds))
            self._read_on(wanted)
            shown = self._head[:wanted]
            if self._shown is None or len(self._shown.luma) != len(shown):
                self._shown = Stretch(0, self.times[: len(shown)], np.stack(shown) if shown else _NONE)
            return self._shown

    def _read_on(self, wanted: int) -> None:
        if self._more is None:
            self._more = self._read(0, len(self.times))
        while len(self._head) < wanted and (read := next(self._more, None)) is not None:
            number, picture = read
            while len(self._head) < number:  # a frame that cannot be decoded: the one after it, so that times hold
                self._head.append(picture)
            self._head.append(picture)

    def between(self, start_s: float, end_s: float) -> Stretch:
        """The frames of a stretch anywhere in the video; the last few stretches are remembered."""
        first, last = (int(i) for i in np.searchsorted(self.times, (start_s, end_s)))
        with self._one_at_a_time:
            if (first, last) not in self._stretches:
                got = dict(self._read(first, last))
                numbers = sorted(got)
                luma = np.stack([got[i] for i in numbers]) if numbers else _NONE
                while self._stretches and sum(len(s.luma) for s in self._stretches.values()) + len(luma) > KEPT:
                    self._stretches.pop(next(iter(self._stretches)))
                self._stretches[first, last] = Stretch(first, self.times[numbers], luma)
            return self._stretches[first, last]

    def overview(self, every: int = 1, until_s: float = inf) -> Overview:
        """One in so many of all frames, up to that second or somewhat further, remembered.

        What was read of the head is not read again.
        """
        with self._one_at_a_time:
            last = int(np.searchsorted(self.times, until_s, "right"))
            last = min(-(-last // KEPT) * KEPT, len(self.times), OVERVIEW)  # of few lengths: encodes share them
            if (every, last) not in self._overviews:
                wanted = range(0, last, every)
                known = [n for n in wanted if n < len(self._head)]
                small = [_blocks(self._head[n][None])[0] >> 4 for n in known]
                numbers, rest = list(known), list(wanted[len(known) :])
                for number, luma in self.stream(rest) if rest else ():
                    numbers.append(number)
                    small.append(_blocks(luma[None])[0] >> 4)
                shown = np.array(small, np.uint8).reshape(-1, HEIGHT // 4, WIDTH // 4)
                self._overviews[every, last] = Overview(self.times[numbers], shown)
            return self._overviews[every, last]

    def stream(self, numbers: list[int]) -> Generator[tuple[int, NDArray[np.uint8]], None, None]:
        """Single frames with their numbers, ascending; those that cannot be decoded are left out."""
        return decode.read_luma(self._ref, self._info, numbers, (WIDTH, HEIGHT), timeout_s=self._timeout_s)

    def close(self) -> None:
        """Release the file."""
        if self._more is not None:
            self._more.close()

    def _read(self, first: int, last: int) -> Generator[tuple[int, NDArray[np.uint8]], None, None]:
        size = (WIDTH, HEIGHT)
        return decode.read_luma(self._ref, self._info, range(first, last), size, timeout_s=self._timeout_s)


_NONE = np.zeros((0, HEIGHT, WIDTH), np.uint8)


def resample(pictures: NDArray[Any], rect: Rect, size: tuple[int, int]) -> NDArray[np.float32]:
    """The part of each picture inside `rect` as (n, height, width) float32: averages over the area of each new pixel.

    What lies outside the picture repeats its border. `size` is (width, height); `rect` is in 320ths and 180ths of the
    picture, however many pixels it has.
    """
    height, width = pictures.shape[1:]
    left, right = rect[0] * width / WIDTH, rect[2] * width / WIDTH
    top, bottom = rect[1] * height / HEIGHT, rect[3] * height / HEIGHT
    rows, columns = _weights(top, bottom, size[1], height), _weights(left, right, size[0], width)
    lines = _weighted(rows, pictures.astype(np.float32, copy=False))
    return np.ascontiguousarray(_weighted(columns, lines.transpose(0, 2, 1)).transpose(0, 2, 1))


def _weighted(weights: NDArray[np.float32], pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """`weights @ pictures`, a few new lines at a time, from the old ones that have weight in them."""
    if weights.size * pictures.shape[2] <= _ALONE:
        return np.asarray(weights @ pictures)
    out = np.empty((len(pictures), len(weights), pictures.shape[2]), np.float32)
    for start in range(0, len(weights), _LINES):
        some = weights[start : start + _LINES]
        used = np.flatnonzero(some.any(axis=0))
        old = slice(used[0], used[-1] + 1)
        out[:, start : start + _LINES] = some[:, old] @ pictures[:, old]
    return out


def _weights(start: float, end: float, count: int, pixels: int) -> NDArray[np.float32]:
    """(count, pixels) matrix of the area average, linear interpolation where pixels are spread instead."""
    edges = np.linspace(start, end, count + 1)
    weights = np.zeros((count, pixels), np.float32)
    if end - start < count:  # spread
        at = np.clip((edges[1:] + edges[:-1]) / 2 - 0.5, 0, pixels - 1)
        low = np.minimum(at.astype(int), max(0, pixels - 2))
        part = (at - low).astype(np.float32)
        weights[np.arange(count), low] = 1 - part
        weights[np.arange(count), np.minimum(low + 1, pixels - 1)] += part
        return weights
    edges = np.clip(edges, 0, pixels)
    cells = np.arange(pixels)
    inside = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights[:] = np.maximum(inside, 0)
    outside = weights.sum(axis=1) == 0
    weights[outside & (edges[:-1] <= 0), 0] = 1
    weights[outside & (edges[:-1] > 0), -1] = 1
    weights /= weights.sum(axis=1, keepdims=True)
    return weights
