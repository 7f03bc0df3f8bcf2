"""An encode on its master, tried every way: which turn, which areas and which offset make their pictures agree best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import geometry, timeline
from .geometry import TURNS, UPRIGHT
from .luma import HEIGHT, WHOLE, WIDTH, Rect, Stretch, resample
from .orientation import Orientation
from .timeline import Offset, Seen

LEAST_AGREEMENT = 0.5  # of the pictures' structure, below which two videos are held to show different things
TURNED_S = 4.5  # of the encode looked at for turns and mirroring: what is longer was looked at before
VECTOR = (32, 18)  # (width, height) of the pictures that the search in time compares
STARVED = 40.0  # pixels that noise may move an encode by, for each 1 that its pictures lack in correlation
_FEW = 5  # pairs of frames by which pictures are laid over each other


@dataclass(frozen=True)
class Laid:
    """One try: the encode turned, one area on another, at the best offset."""

    turn: Orientation
    area: Rect
    part: Rect  # of the master
    offset: Offset
    agreement: float

    @property
    def bars(self) -> bool:
        """True where only a part of one of them shows what the other shows."""
        return self.area != WHOLE or self.part != WHOLE


def lay(
    mine: Stretch, theirs: Stretch, ratios: Sequence[Fraction], gap: float, *, share: float, aspect: float = 1.0
) -> Laid | None:
    """The try whose pictures agree best; turned ones only where none upright agrees.

    `aspect`: of the encode's whole picture, over that of the master's.
    """
    speeds = [float(r) for r in ratios]
    best: Laid | None = None
    long = mine.times[-1] - mine.times[0] > TURNED_S
    upright, lit = mine.active_area, theirs.active_area
    for turn in TURNS:
        if turn != UPRIGHT and (best is None or best.agreement > LEAST_AGREEMENT or long):
            break
        small, area = geometry.turned(mine.small, turn), geometry.turned_rect(upright, turn)
        tries = [(WHOLE, WHOLE)]
        if max(abs(a - b) for a, b in zip(area, lit, strict=True)) > 1.5:
            tries += [(area, lit), (area, area)]  # the picture scaled down between its bars, or bars laid over it
            if not turn.transpose and (shaped := geometry.in_shape(area, lit, aspect)) != area:
                tries.append((shaped, lit))
        for one, two in tries:
            found = timeline.search(
                seen(mine.times, small, one),
                seen(theirs.times, theirs.small, two),
                speeds, gap=gap, share=share,
            )  # fmt: skip
            if found is None:
                continue
            a, b = some_pairs(mine, theirs, found)
            agreed = geometry.agreement(geometry.turned(mine.luma[a], turn), theirs.luma[b], one, two)
            if best is None or agreed > best.agreement + 0.02:
                best = Laid(turn, one, two, found, agreed)
    return best


def seen(times: NDArray[np.float64], pictures: NDArray[Any], rect: Rect) -> Seen:
    """A part of each picture as the search in time compares it."""
    return timeline.see(times, resample(pictures, rect, VECTOR))


def some_pairs(mine: Stretch, theirs: Stretch, offset: Offset) -> tuple[list[int], list[int]]:
    """A few corresponding frames of both, spread over the stretch, those that show most."""
    moments = offset.offset_s + offset.ratio * mine.times
    near = np.abs(theirs.times[None, :] - moments[:, None]).argmin(axis=1)
    step = float(np.median(np.diff(theirs.times))) if len(theirs.times) > 1 else 1.0
    inside = np.flatnonzero(np.abs(theirs.times[near] - moments) <= 0.75 * step)
    if not len(inside):
        inside = np.arange(1)
    strength = mine.small.std(axis=(1, 2))
    groups = np.array_split(inside, min(_FEW, len(inside)))
    chosen = [int(g[strength[g].argmax()]) for g in groups]
    return chosen, [int(near[i]) for i in chosen]


def registered(
    mine: Stretch, theirs: Stretch, laid: Laid, gap: float, raster: tuple[int, int], size: tuple[int, int]
) -> Laid:
    """The same with its areas fitted exactly, where they do not fit already."""
    chosen, near = some_pairs(mine, theirs, laid.offset)
    a, b = geometry.turned(mine.luma[chosen], laid.turn), theirs.luma[near]
    part, first, last = geometry.register(a, b, laid.area, laid.part)
    # What the coarser of the two pictures can show.
    shown = size[::-1] if laid.turn.transpose else size
    pixel = np.array([WIDTH / min(shown[0], raster[0]), HEIGHT / min(shown[1], raster[1])] * 2)
    off = np.abs(np.array(part) - np.array(laid.part)) / pixel
    if laid.bars:  # their exact edge matters
        slack, better = 0.75, 1.02
        if off.max() <= slack:
            return replace(laid, part=part)
    else:  # coding noise moves a starved encode by a pixel or a few, and borders that somebody cut are wider
        slack, better = 1.4 + STARVED * (1 - last), 1.1
    if off.max() <= slack or 1 - first < better * (1 - last):
        return laid
    agreed = geometry.agreement(a, b, laid.area, part)
    offset = laid.offset
    again = timeline.search(
        seen(mine.times, geometry.turned(mine.small, laid.turn), laid.area),
        seen(theirs.times, theirs.small, part),
        [offset.ratio], gap=gap, share=0.2,
    )  # fmt: skip
    if again is not None and again.sure and not (offset.sure and abs(again.offset_s - offset.offset_s) > 3 * gap):
        offset = again
    return Laid(laid.turn, laid.area, part, offset, agreed)
