"""Where on an image each token lies."""

from __future__ import annotations

from functools import cache
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
        joined = torch.cat(features, 1) if len(features) > 1 else features[0]
        return self.cut(joined.permute(0, 2, 3, 1).flatten(1, 2))

    def cut(self, tokens: Tensor) -> Tensor:
        """(B, N, C) tokens in rows of the map to (B, P, n, C)."""
        (h, w), (rows, cols) = self.size, self.grid
        b, _, c = tokens.shape
        cells = tokens.view(b, rows, h // rows, cols, w // cols, c)
        return cells.transpose(2, 3).reshape(b, rows * cols, -1, c)

    def quarters(self, tokens: Tensor) -> Tensor:
        """(B, P n, C) to the tokens of each quarter of the map, (4 B, N / 4, C)."""
        return tokens[:, _by_quarter(self).to(tokens.device)].view(4 * len(tokens), -1, tokens.shape[-1])

    def whole(self, quarters: Tensor) -> Tensor:
        """The inverse."""
        back = _by_quarter(self).argsort().to(quarters.device)
        return quarters.view(len(quarters) // 4, -1, quarters.shape[-1])[:, back]

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


@cache
def _by_quarter(layout: Layout) -> Tensor:
    """(N,) which of the tokens, as they lie, comes when quarter follows quarter."""
    h, w = layout.size
    with torch.inference_mode(False):  # it is kept, and may be trained with later
        rows = torch.arange(h * w).view(1, 1, h, w)
        lying, wanted = layout.by_patch(rows).flatten(), layout._replace(grid=(2, 2)).by_patch(rows).flatten()
        return lying.argsort()[wanted]
