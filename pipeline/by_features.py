"""The offset of pictures in which little moves, told by the network's own features.

Small luma pictures find where an encode lies on its master, but lose what moves by less than their coarse points: they
cannot tell a nearly still frame from its neighbour. The first maps of the network's encoder can. They are asked only
where luma is sure of the neighbourhood and not of the frame.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from . import geometry, timeline
from .laid import LEAST_AGREEMENT, Laid
from .luma import HEIGHT, WIDTH, Rect, Stretch, resample
from .timeline import LEAST_FRAMES, SURE, Offset, Seen
from .values import RGB

Features = Callable[[Sequence[RGB]], NDArray[np.float32]]  # pictures of one size to (n, d)
FRAMES = 72  # of the encode that are compared
BESIDE = 8  # frame gaps of the master before and after them: offsets so far from luma's are tried
SAID = "too little moves for small pictures: the network's features told its offset in time"
_MOVES = 0.5  # standard errors by which luma has to prefer its frame to its neighbours: else nothing moves at all
_AT_ONCE = 8


def in_turn(features: Features) -> Features:
    """The same for threads: one asks at a time."""
    lock = threading.Lock()

    def asked(pictures: Sequence[RGB]) -> NDArray[np.float32]:
        with lock:
            return features(pictures)

    return asked


def settled(mine: Stretch, theirs: Stretch, laid: Laid, gap: float, features: Features) -> Laid:
    """The same with an offset that is sure, where the features make it so.

    Args:
        mine, theirs: the stretches that were laid on each other.
        laid: how; its offset is not sure.
        gap: the shorter of the two videos' frame gaps, master seconds.
        features: the network's, of 320x180 grey pictures.
    """
    offset = laid.offset
    if not (offset.inside and offset.unique >= SURE and offset.moves >= _MOVES):
        return laid
    moments = offset.offset_s + offset.ratio * mine.times
    beside = BESIDE * max(gap, float(np.median(np.diff(theirs.times))))
    inside = np.flatnonzero((moments >= theirs.times[0] + beside) & (moments <= theirs.times[-1] - beside))
    inside = inside[max(0, (len(inside) - FRAMES) // 2) :][:FRAMES]
    if len(inside) < LEAST_FRAMES:
        return laid
    first, last = moments[inside[0]] - beside, moments[inside[-1]] + beside
    near = np.flatnonzero((theirs.times >= first - 1e-9) & (theirs.times <= last + 1e-9))
    found = timeline.search(
        Seen(mine.times[inside], _vectors(geometry.turned(mine.luma[inside], laid.turn), laid.area, features)),
        Seen(theirs.times[near], _vectors(theirs.luma[near], laid.part, features)),
        [offset.ratio], gap=gap, share=0.99,
    )  # fmt: skip
    if found is None or not found.sure or 1 - found.distance < LEAST_AGREEMENT:
        return laid
    return replace(laid, offset=_merged(offset, found))


def _merged(offset: Offset, found: Offset) -> Offset:
    """What features say of the frame, and luma of everything further away."""
    return replace(found, unique=min(found.unique, offset.unique), over_start=offset.over_start, uneven=offset.uneven)


def _vectors(luma: NDArray[np.uint8], rect: Rect, features: Features) -> NDArray[np.float32]:
    """(n, d) zero mean, unit length: what `timeline.search` compares."""
    parts = []
    for i in range(0, len(luma), _AT_ONCE):
        grey = resample(luma[i : i + _AT_ONCE], rect, (WIDTH, HEIGHT)).clip(0, 255).astype(np.uint8)
        parts.append(features(list(np.repeat(grey[..., None], 3, axis=3))))
    vectors = np.concatenate(parts)
    vectors -= vectors.mean(axis=1, keepdims=True)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
