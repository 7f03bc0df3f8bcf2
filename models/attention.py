"""The paper's attention (Yun & Lin, arXiv 2310.09560, section 3) as the authors have it; `light` has the other form."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import GRID, YotoConfig
from .layout import Layout


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(C)) v over the last two axes."""
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


class ChannelAttention(nn.Module):
    """Attention across channels: each attends to the others by what they show over the N positions of a fixed map."""

    def __init__(self, positions: int, config: YotoConfig) -> None:
        super().__init__()
        self.query = nn.Linear(positions, positions)
        self.key = nn.Linear(positions, positions)
        self.value = nn.Linear(positions, positions)
        self.gate = gate(positions)
        self.drop = nn.Dropout(config.dropout)
        self.permuted = config.permuted_channels

    def forward(self, source: Tensor, embed: nn.Linear, *_: object) -> Tensor:
        """(B, 1, N, C) tokens of (B, 1, N, d) features: 2 x + gate * attended x, where x = embed(features)."""
        source = source[:, 0]
        tokens: Tensor = embed(source)
        x = tokens.transpose(1, 2)  # (B, C, N)
        narrow = source.shape[2] < tokens.shape[2]
        out = self._narrow(source, embed) if narrow else attend(self.query(x), self.key(x), self.value(x))
        if self.permuted:
            # The authors transpose to (B, N, C) and reshape that memory to (B, C, N): positions and channels are really
            # shuffled. Their weights were trained so and need it.
            out = out.transpose(1, 2).reshape(x.shape)
        refined: Tensor = 2 * x + self.drop(out) * self.gate(x)
        return refined.transpose(1, 2)[:, None]

    def _narrow(self, source: Tensor, embed: nn.Linear) -> Tensor:
        """Attention over C channels that are mixtures of d < C features, x = M [e; 1]: the same in far fewer steps.

        The N x N projections see the d + 1 rows of [e; 1] in place of C, and the mixing M waits until after them. Of
        the scores (M q + bq) (M k + bk)^T what does not vary along a row makes no difference to its softmax: left out.
        """
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
        self.query1, self.key1, self.value1 = nn.Linear(c, c), nn.Linear(c, c), nn.Linear(c, c)
        self.gate1 = gate(c)
        self.local = local
        if local:
            self.query2, self.key2, self.value2 = nn.Linear(c, c), nn.Linear(c, c), nn.Linear(c, c)
            self.gate2 = gate(c)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, y: Tensor, layout: Layout) -> Tensor:
        """Distorted x and reference y, (B, 1, N, C)."""
        x, y, size = x[:, 0], y[:, 0], layout.size
        whole: Tensor = self.drop(attend(self.query1(y), self.key1(x), self.value1(x)))
        x = x + torch.mul(whole, self.gate1(x))
        if not self.local:
            return x[:, None]
        quarters = (2, 2)
        query = patches(self.query2(y), size, quarters)
        key, value = patches(self.key2(x), size, quarters), patches(self.value2(x), size, quarters)
        inside: Tensor = self.drop(unpatch(attend(query, key, value), size))
        return (x + torch.mul(inside, self.gate2(x)))[:, None]


class SemanticDistortionAware(nn.Module):
    """SDA (section 3.4): shallow tokens question the deep tokens of the same patch of the deepest map's grid."""

    def __init__(self, config: YotoConfig) -> None:
        super().__init__()
        c = config.width
        self.query, self.key, self.value = nn.Linear(c, c), nn.Linear(c, c), nn.Linear(c, c)
        self.gate = gate(c)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, shallow: Tensor, deep: Tensor, layout: Layout, deep_layout: Layout) -> Tensor:
        """(B, 1, N, C) shallow tokens to the same shape."""
        shallow, size, deep_size, grid = shallow[:, 0], layout.size, deep_layout.size, (GRID, GRID)
        deep = deep[:, 0]
        value = patches(self.value(deep), deep_size, grid)
        tokens = patches(shallow, size, grid)
        if value.shape[-2] == 1:  # one deep token a patch takes all the attention
            found = value.expand(tokens.shape)
        else:
            # (s Wq + bq) k = s (Wq k) + bq k: the deep tokens are fewer, so they are projected in place of the shallow.
            key = patches(self.key(deep), deep_size, grid)
            scores = tokens @ (key @ self.query.weight).transpose(-2, -1) + (key @ self.query.bias)[..., None, :]
            found = torch.softmax(scores * key.shape[-1] ** -0.5, -1) @ value
        return (shallow + torch.mul(self.drop(unpatch(found, size)), self.gate(shallow)))[:, None]
