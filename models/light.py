"""The light form's attention, for CPUs and any size: see `yoto`. Two of the three parts in `attention`, lighter.

HA's local step too stays inside the patches that tokens lie in, so that nothing is cut up or put together. What is
linear is multiplied together first where that is smaller: a query's projection goes into the keys, channel attention
into the embedding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import attention
from .attention import attended, gate
from .config import GRID, YotoConfig
from .layout import Layout
from .projection import Projection


class ChannelAttention(nn.Module):
    """Each channel attends to the others by what they show over the image pooled to 49 positions."""

    def __init__(self, config: YotoConfig) -> None:
        super().__init__()
        self.query = nn.Linear(GRID**2, GRID**2)
        self.key = nn.Linear(GRID**2, GRID**2)
        self.gate = gate(GRID**2)
        self.drop = nn.Dropout(config.dropout)
        self.known = Projection(self.query, self.key)

    def forward(self, source: Tensor, embed: nn.Linear, layout: Layout, shift: Tensor | None = None) -> Tensor:
        """(B, P, n, C) tokens of (B, P, n, d) features: 2 x + gate * attended x, where x = embed(features).

        `shift`: (B, C), added to all of an image's tokens.
        """
        seen = embed(layout.pooled(source)).transpose(1, 2).contiguous()  # (B, C, 49)
        key, bias, _ = self.known(seen)
        scores = torch.baddbmm(bias.transpose(1, 2), seen, key.transpose(1, 2))
        # One matrix an image says it all: its channels are mixed by it, and so is what embeds them.
        mixing = self.drop(torch.softmax(scores, -1)) * self.gate(seen)
        mixing.diagonal(dim1=1, dim2=2).add_(2)
        weight, bias = mixing @ embed.weight, mixing @ embed.bias  # (B, C, d), (B, C)
        if shift is not None:
            bias = bias + shift
        b, p, n, d = source.shape
        tokens = torch.baddbmm(bias[:, None], source.reshape(b, p * n, d), weight.transpose(1, 2))
        return tokens.view(b, p, n, -1)


class HierarchicalAttention(attention.HierarchicalAttention):
    """HA (section 3.3): the reference's tokens question the distorted ones pooled to 49, then those of their own patch.

    The local step is left out on the deepest stage, which has one token a patch.
    """

    def __init__(self, config: YotoConfig, *, local: bool) -> None:
        super().__init__(config, local=local)
        self.whole = Projection(self.query1, self.key1, self.value1)
        self.inside = Projection(self.query2, self.key2, self.value2) if local else None

    def forward(self, x: Tensor, y: Tensor, layout: Layout) -> Tensor:
        """Distorted x and reference y, (B, P, n, C)."""
        pooled = self.whole(layout.pooled(x))
        x = attended(x.flatten(1, 2), y.flatten(1, 2), pooled, self.gate1(x), self.drop).view(x.shape)
        return x if self.inside is None else attended(x, y, self.inside(x), self.gate2(x), self.drop)
