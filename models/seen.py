"""An image as judging sees it: the encoder's maps, the tokens of its stages, and how two images' maps differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .layout import Layout
from .moments import Moments, moments
from .readout import mean_squares

FINE = (4, 2)  # the light form's two finest maps: pixels a side of their cells on the third one's grid


@dataclass(frozen=True)
class Seen:
    """Encoded images and what both modes ask of either side of a comparison: computed once an image.

    Tokens of a stage are (B, P, n, width), as `Layout` says.
    """

    maps: tuple[Tensor, ...]  # the encoder's, (B, C_i, H_i, W_i)
    tokens: tuple[Tensor, ...]
    figures: tuple[Tensor, ...]  # (B, 2C) `statistics` of the maps, where there is a readout
    # SDA's votes on each stage's tokens but the deepest's, summed; computed when first asked, for references never
    deeper: Callable[[], tuple[Tensor, ...]]
    layouts: tuple[Layout, ...]


class Gaps(NamedTuple):
    """Absolute differences of two sides' encoder maps."""

    stages: list[list[Tensor]]  # of each stage, (B, C_i, h, w) on its own grid
    squares: Tensor  # (B, C) their mean squares, of every channel of every map


def layouts_of(maps: Sequence[Tensor], form: str) -> tuple[Layout, ...]:
    """Where the tokens of all stages lie: in the light form the finest two maps join on the third one's grid."""
    coarse = [maps[2], *maps[2:]] if form == "light" else maps
    sizes = [(m.shape[2], m.shape[3]) for m in coarse]
    return tuple(Layout(size, sizes[-1]) for size in sizes)


def fine_of(maps: Sequence[Tensor]) -> list[Moments]:
    """Of the light form's two finest maps, on the third one's grid."""
    return [moments(m, side) for m, side in zip(maps, FINE, strict=False)]


def gaps_of(mine: Sequence[Tensor], theirs: Sequence[Tensor]) -> Gaps:
    """How the light form's maps of an image and of its reference differ."""
    gaps = [(x - y).abs_() for x, y in zip(mine, theirs, strict=True)]
    fine, rest = fine_of(gaps), gaps[len(FINE) :]
    squares = torch.cat([*[m.square.mean((2, 3)) for m in fine], mean_squares(rest)], 1)
    return Gaps([[m.mean for m in fine], *[[gap] for gap in rest]], squares)
