"""Where on an image each token lies."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import GRID


class Layout(NamedTuple):
    """Where the tokens of a stage lie."""

    size: tuple[int, int]  # (h, w) of the map they come from
    grid: tuple[int, int]  # (rows, columns) of patches

    def by_patch(self, *features: Tensor) -> Tensor:
        """(B, C_i, h, w) maps, one after the other, to (B, P, n, sum of C_i)."""
        (h, w), (rows, cols) = self.size, self.grid
        joined = torch.cat(features, 1) if len(features) > 1 else features[0]
        cells = joined.permute(0, 2, 3, 1).reshape(len(joined), rows, h // rows, cols, w // cols, -1)
        return cells.transpose(2, 3).reshape(len(joined), rows * cols, -1, joined.shape[1])

    def as_map(self, tokens: Tensor) -> Tensor:
        """The inverse: (B, P, n, C), or (B, P n, C), to (B, C, h, w)."""
        (h, w), (rows, cols) = self.size, self.grid
        b, c = tokens.shape[0], tokens.shape[-1]
        cut = tokens.reshape(b, rows, cols, h // rows, w // cols, c)
        return cut.permute(0, 5, 1, 3, 2, 4).reshape(b, c, h, w)

    def pooled(self, tokens: Tensor) -> Tensor:
        """Means over a 7x7 grid: (B, P, n, C) to (B, 49, C)."""
        if self.grid == (GRID, GRID):
            return tokens.mean(2)
        return F.adaptive_avg_pool2d(self.as_map(tokens), GRID).flatten(2).transpose(1, 2)
