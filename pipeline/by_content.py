"""Pairs of frames by what they show, where an encode repeats or leaves out frames of its master."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from . import geometry
from .align import Sample
from .laid import Laid, seen
from .luma import Rect, Sight

Pictures = Iterator[tuple[int, NDArray[np.uint8]]]  # with their numbers, ascending


def by_content(encode: Sight, master: Sight, laid: Laid, samples: Sequence[Sample]) -> list[Sample]:
    """Paired samples with the master's frame that each really shows: the nearest in time or one up to two beside it."""
    around = {n for s in samples if s.paired for n in range(s.step - 2, s.step + 3) if 0 <= n < len(master.times)}
    mine = dict.fromkeys(s.frame for s in samples if s.paired)
    with closing(master.stream(sorted(around))) as theirs, closing(encode.stream(list(mine))) as shown:
        return _nearest(theirs, shown, laid, samples)


def _nearest(theirs: Pictures, shown: Pictures, laid: Laid, samples: Sequence[Sample]) -> list[Sample]:
    window: dict[int, NDArray[np.float32]] = {}
    number, picture = next(shown, (-1, None))
    out: list[Sample] = []
    for sample in samples:
        while picture is not None and number < sample.frame:
            number, picture = next(shown, (-1, None))
        step = sample.step
        if sample.paired and number == sample.frame and picture is not None:
            while max(window, default=-1) < step + 2 and (read := next(theirs, None)) is not None:
                window[read[0]] = _vector(read[1][None], laid.part)
            window = {n: v for n, v in window.items() if n >= step - 2}
            one = _vector(geometry.turned(picture[None], laid.turn), laid.area)
            apart = {n: float(1 - one @ v) for n, v in window.items() if n <= step + 2}
            best = min(apart, key=lambda n: (apart[n], abs(n - step)), default=step)
            if step not in apart or apart[best] < 0.6 * apart[step] - 1e-4:
                step = best
        if out and step <= out[-1].step:
            if sample.step <= out[-1].step:
                continue
            step, sample = sample.step, replace(sample, paired=False)
        out.append(replace(sample, step=step))
    return out


def _vector(picture: NDArray[np.uint8], rect: Rect) -> NDArray[np.float32]:
    return np.asarray(seen(np.zeros(1), picture, rect).vectors[0])
