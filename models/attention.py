"""The paper's attention (Yun & Lin, arXiv 2310.09560, section 3), in the authors' form and a light one: see `yoto`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import GRID, YotoConfig


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(C)) v over the last two axes."""
    if key.shape[-2] == 1:  # one key takes all the attention: the usual case of SDA's deepest stage
        return value.expand(*query.shape[:-1], value.shape[-1])
    if key.shape[-2] <= 64:  # few keys: the next line would spend as long looking for masked rows as on the rest
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        return torch.softmax(scores, -1) @ value
    if query.ndim == 3:  # one head, said: without that axis all scores would be written to memory
        return F.scaled_dot_product_attention(query[:, None], key[:, None], value[:, None])[:, 0]
    return F.scaled_dot_product_attention(query, key, value)


def gate(dim: int) -> nn.Sequential:
    """One number a token: how much of the attended values joins it."""
    return nn.Sequential(nn.Linear(dim, 1), nn.GELU())


def patches(tokens: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Cut (B, H W, C) tokens of an HxW map into a grid: (B, rows, cols, tokens of a patch, C)."""
    (h, w), (rows, cols) = size, grid
    b, _, c = tokens.shape
    cut = tokens.view(b, rows, h // rows, cols, w // cols, c).transpose(2, 3)
    return cut.reshape(b, rows, cols, -1, c)


def unpatch(cut: Tensor, size: tuple[int, int]) -> Tensor:
    """The inverse of `patches`."""
    b, rows, cols, _, c = cut.shape
    h, w = size
    return cut.view(b, rows, cols, h // rows, w // cols, c).transpose(2, 3).reshape(b, h * w, c)


def pool_grid(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """Mean tokens of a 7x7 grid: (B, H W, C) to (B, 49, C)."""
    b, _, c = tokens.shape
    return F.adaptive_avg_pool2d(tokens.transpose(1, 2).view(b, c, *size), GRID).flatten(2).transpose(1, 2)


class ChannelAttention(nn.Module):
    """Attention across channels: each channel attends to the others by what they show over the positions.

    In the paper's form the projections run over the N positions of a fixed map. In the light form queries and keys see
    the map pooled to 49 positions, and values are the positions themselves, so that any size goes.
    """

    def __init__(self, positions: int, config: YotoConfig) -> None:
        super().__init__()
        self.query = nn.Linear(positions, positions)
        self.key = nn.Linear(positions, positions)
        self.value = nn.Linear(positions, positions) if config.form == "paper" else None
        self.gate = gate(positions)
        self.drop = nn.Dropout(config.dropout)
        self.permuted = config.permuted_channels

    def forward(self, tokens: Tensor, size: tuple[int, int], source: Tensor, embed: nn.Linear) -> Tensor:
        """(B, N, C) tokens to the same shape; they are `embed(source)` of (B, N, d) features."""
        x = tokens.transpose(1, 2)  # (B, C, N)
        if self.value is None:
            seen = F.adaptive_avg_pool2d(x.reshape(*x.shape[:2], *size), GRID).flatten(2)  # (B, C, 49)
            out = attend(self.query(seen), self.key(seen), x)
        else:
            seen = x
            narrow = source.shape[2] < tokens.shape[2]
            out = self._narrow(source, embed) if narrow else attend(self.query(x), self.key(x), self.value(x))
        if self.permuted:
            # The authors transpose to (B, N, C) and reshape that memory to (B, C, N): positions and channels are really
            # shuffled. Their weights were trained so and need it.
            out = out.transpose(1, 2).reshape(x.shape)
        refined: Tensor = 2 * x + self.drop(out) * self.gate(seen)
        return refined.transpose(1, 2)

    def _narrow(self, source: Tensor, embed: nn.Linear) -> Tensor:
        """Attention over C channels that are mixtures of d < C features, x = M [e; 1]: the same in far fewer steps.

        The N x N projections see the d + 1 rows of [e; 1] in place of C, and the mixing M waits until after them. Of
        the scores (M q + bq) (M k + bk)^T what does not vary along a row makes no difference to its softmax: left out.
        """
        assert self.value is not None
        b, n, _ = source.shape
        mixing = torch.cat([embed.weight, embed.bias[:, None]], 1)  # (C, d + 1)
        features = torch.cat([source, source.new_ones(b, n, 1)], 2).transpose(1, 2)  # (B, d + 1, N)
        query, key, value = (features @ p.weight.T for p in (self.query, self.key, self.value))
        scores = (mixing @ (query @ key.transpose(1, 2)) + (self.query.bias @ key.transpose(1, 2))[:, None]) @ mixing.T
        return torch.softmax(scores * n**-0.5, -1) @ mixing @ value + self.value.bias


class HierarchicalAttention(nn.Module):
    """HA (section 3.3): the reference's tokens question the distorted ones, over the whole map and then inside regions.

    The local step is left out on the deepest stage, whose map is already as coarse as a region.
    """

    def __init__(self, config: YotoConfig, *, local: bool) -> None:
        super().__init__()
        c = config.width
        self.light = config.form == "light"
        self.query1, self.key1, self.value1 = nn.Linear(c, c), nn.Linear(c, c), nn.Linear(c, c)
        self.gate1 = gate(c)
        self.local = local
        if local:
            self.query2, self.key2, self.value2 = nn.Linear(c, c), nn.Linear(c, c), nn.Linear(c, c)
            self.gate2 = gate(c)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, y: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
        """Distorted x and reference y, (B, N, C) of a map of `size`; `grid` is the deepest map's size."""
        seen = pool_grid(x, size) if self.light else x
        whole: Tensor = self.drop(attend(self.query1(y), self.key1(seen), self.value1(seen)))
        x = x + torch.mul(whole, self.gate1(x))
        if not self.local:
            return x
        regions = grid if self.light else (2, 2)
        query = patches(self.query2(y), size, regions)
        key, value = patches(self.key2(x), size, regions), patches(self.value2(x), size, regions)
        inside: Tensor = self.drop(unpatch(attend(query, key, value), size))
        return x + torch.mul(inside, self.gate2(x))


class SemanticDistortionAware(nn.Module):
    """SDA (section 3.4): shallow tokens question the deep tokens of the same patch of the deepest map's grid."""

    def __init__(self, config: YotoConfig) -> None:
        super().__init__()
        c = config.width
        self.query, self.key, self.value = nn.Linear(c, c), nn.Linear(c, c), nn.Linear(c, c)
        self.gate = gate(c)
        self.drop = nn.Dropout(config.dropout)

    def forward(
        self, shallow: Tensor, deep: Tensor, size: tuple[int, int], deep_size: tuple[int, int], grid: tuple[int, int]
    ) -> Tensor:
        """(B, N, C) shallow tokens to the same shape."""
        value = patches(self.value(deep), deep_size, grid)
        tokens = patches(shallow, size, grid)
        if value.shape[-2] == 1:  # one deep token a patch takes all the attention
            found = value.expand(tokens.shape)
        else:
            # (s Wq + bq) k = s (Wq k) + bq k: the deep tokens are fewer, so they are projected in place of the shallow.
            key = patches(self.key(deep), deep_size, grid)
            scores = tokens @ (key @ self.query.weight).transpose(-2, -1) + (key @ self.query.bias)[..., None, :]
            found = torch.softmax(scores * key.shape[-1] ** -0.5, -1) @ value
        return shallow + torch.mul(self.drop(unpatch(found, size)), self.gate(shallow))
