"""Film woven into fields (3:2 pulldown, "hard" telecine): five pictures for four frames of film, two of them combed.

In each cycle of five one picture has the upper field of the picture before it once more, and another one, two pictures
away, the lower one. So the two fields do not change alike from picture to picture, and always at the same places of the
cycle; in progressive and in interlaced video they do. FFmpeg's idet looks for such repeats picture by picture, by a
threshold that coding noise passes; the medians over many cycles tell them far below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import pairwise

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from .errors import VideoError
from .frames import decoded
from .packet_table import PacketTable, frame_gap
from .packets import packet_table
from .values import VideoRef

RATE = 30000 / 1001  # pictures a second of the raster that film is woven into; 30 is taken for it
CYCLE = 5
RUN = 36  # pictures looked at in one place: seven cycles
PLACES = (0.1, 0.3)  # of the video, at the key frames before them
MOVES = 0.43  # levels of luma, of 219, by which both fields together have to change for a picture to count
LEAST = 0.03  # by which the upper field's share in the change is off one half at the two places of the cycle
SURE = 0.85  # part of the pictures there that agree


def is_woven(ref: VideoRef, *, timeout_s: float = 60.0) -> bool:
    """True where a video of 29.97 pictures a second is film in fields; some 70 pictures are decoded to tell.

    What cannot be decoded tells nothing: who reads the frames to judge them meets it again, and says so.
    """
    try:
        table = packet_table(ref, timeout_s=timeout_s)
        if table.counted or len(table.order) < RUN:
            return False
        if abs(float(frame_gap(table.times)) * RATE - 1) > 0.01:
            return False
        runs = _runs(table)
        wanted = sorted({number for first in runs for number in range(first, first + RUN)})
        with closing(decoded(ref, table, wanted, timeout_s)) as frames:
            return any(shows_film(run) for run in _consecutive((n, _luma(frame)) for n, frame in frames))
    except (VideoError, FFmpegError, ValueError):
        return False


def shows_film(pictures: Iterable[NDArray[np.uint8]]) -> bool:
    """Whether consecutive pictures, (height, width) luma each, repeat their fields as 3:2 pulldown does."""
    shares: list[list[float]] = [[] for _ in range(CYCLE)]
    for number, (one, two) in enumerate(pairwise(pictures)):
        rows = len(one) // 2 * 2
        change = np.maximum(one[:rows], two[:rows]) - np.minimum(one[:rows], two[:rows])
        upper, lower = float(change[0::2].mean()), float(change[1::2].mean())
        if upper + lower >= MOVES:
            shares[number % CYCLE].append(upper / (upper + lower) - 0.5)
    if min(map(len, shares)) < 3:
        return False
    middle = np.array([np.median(some) for some in shares])
    third, *two_places = (int(i) for i in np.argsort(np.abs(middle))[-3:])
    first, second = two_places
    opposed = middle[first] * middle[second] < 0 and abs(first - second) in (2, 3)
    if not opposed or abs(middle[first]) < max(LEAST, 2 * abs(middle[third])):
        return False
    return all(np.mean(np.sign(shares[i]) == np.sign(middle[i])) >= SURE for i in two_places)


def _runs(table: PacketTable) -> list[int]:
    """First pictures of the runs: at key frames, so that little is decoded before them."""
    last = len(table.order) - RUN
    keys = np.append(0, np.flatnonzero(table.afresh[table.order]))
    return sorted({min(last, int(keys[keys <= place * last].max())) for place in PLACES})


def _consecutive(pictures: Iterable[tuple[int, NDArray[np.uint8]]]) -> Iterator[list[NDArray[np.uint8]]]:
    """Runs of `RUN` pictures, or of as many as follow each other."""
    run: list[NDArray[np.uint8]] = []
    before = -1
    for number, picture in pictures:
        if run and (number != before + 1 or len(run) == RUN):
            yield run
            run = []
        run.append(picture)
        before = number
    yield run


def _luma(frame: VideoFrame) -> NDArray[np.uint8]:
    """Every line, every fourth column; a copy, for the frame is large."""
    luma, form = frame.planes[0], frame.format
    if form.is_planar and not form.is_rgb and form.components[0].bits == 8:  # as it lies there: seventy are looked at
        lines: NDArray[np.uint8] = np.frombuffer(luma, np.uint8).reshape(-1, luma.line_size)  # type: ignore[call-overload]
        return lines[: frame.height, : frame.width : 4].copy()
    return np.ascontiguousarray(frame.reformat(format="gray").to_ndarray()[:, ::4], np.uint8)
