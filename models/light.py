"""The light form's attention, for CPUs and any size: see `yoto`. The same three parts as the paper's in `attention`.

Tokens lie patch by patch, (B, P, n, C): P patches of 32x32 pixels in rows, n tokens in each. Only tokens of one patch
meet in the local steps, so that nothing is cut up or put together between them. What is linear is multiplied together
first where that is smaller: a query's projection goes into the keys, channel attention into the embedding.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import attention
from .attention import gate
from .config import GRID, YotoConfig
from .layout import Layout


def gated(query: Tensor, key: Tensor, bias: Tensor, value: Tensor, share: Tensor) -> Tensor:
    """softmax(q k^T + b) v, each row times its `share`: of q (..., n, C), k and v (..., m, C), b (..., m).

    The weights are scaled, not what they find: there are fewer of them.
    """
    n, m, c = query.shape[-2], key.shape[-2], query.shape[-1]
    keys = key.reshape(-1, m, c).transpose(1, 2)
    scores = torch.baddbmm(bias.reshape(-1, 1, m), query.reshape(-1, n, c), keys)
    weights = torch.softmax(scores, -1) * share.reshape(-1, n, 1)
    return (weights @ value.reshape(-1, m, c)).view(query.shape)


def folded(tokens: Tensor, key: nn.Linear, query: nn.Linear) -> tuple[Tensor, Tensor]:
    """Keys (..., C) and their bias (...) for queries that are not projected, over sqrt(C).

    (Wq s + bq) (Wk d + bk) = s Wq^T (Wk d + bk) + bq (Wk d + bk): one product with the tokens d, and none with s.
    """
    both = torch.cat([query.weight, query.bias[:, None]], 1).T * query.weight.shape[0] ** -0.5  # (C + 1, C)
    keys = F.linear(tokens, both @ key.weight, both @ key.bias)
    return keys[..., :-1], keys[..., -1]


class ChannelAttention(nn.Module):
    """Each channel attends to the others by what they show over the image pooled to 49 positions."""

    def __init__(self, config: YotoConfig) -> None:
        super().__init__()
        self.query = nn.Linear(GRID**2, GRID**2)
        self.key = nn.Linear(GRID**2, GRID**2)
        self.gate = gate(GRID**2)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, source: Tensor, embed: nn.Linear, layout: Layout) -> Tensor:
        """(B, P, n, C) tokens of (B, P, n, d) features: 2 x + gate * attended x, where x = embed(features)."""
        seen = embed(layout.pooled(source)).transpose(1, 2)  # (B, C, 49)
        scores = (self.query(seen) * GRID**-1) @ self.key(seen).transpose(1, 2)
        # One matrix an image says it all: its channels are mixed by it, and so is what embeds them.
        mixing = self.drop(torch.softmax(scores, -1)) * self.gate(seen)
        mixing = mixing + 2 * torch.eye(mixing.shape[1], dtype=mixing.dtype, device=mixing.device)
        weight, bias = mixing @ embed.weight, mixing @ embed.bias  # (B, C, d), (B, C)
        b, p, n, d = source.shape
        tokens = torch.baddbmm(bias[:, None], source.reshape(b, p * n, d), weight.transpose(1, 2))
        return tokens.view(b, p, n, -1)


class HierarchicalAttention(attention.HierarchicalAttention):
    """HA (section 3.3): the reference's tokens question the distorted ones pooled to 49, then those of their own patch.

    The local step is left out on the deepest stage, which has one token a patch.
    """

    def forward(self, x: Tensor, y: Tensor, layout: Layout) -> Tensor:
        """Distorted x and reference y, (B, P, n, C)."""
        seen = layout.pooled(x)
        key, bias = folded(seen, self.key1, self.query1)
        whole: Tensor = self.drop(gated(y.flatten(1, 2), key, bias, self.value1(seen), self.gate1(x)))
        x = x + whole.view(x.shape)
        if not self.local:
            return x
        key, bias = folded(x, self.key2, self.query2)
        inside: Tensor = self.drop(gated(y, key, bias, self.value2(x), self.gate2(x)))
        return x + inside


class SemanticDistortionAware(attention.SemanticDistortionAware):
    """SDA (section 3.4): shallow tokens question the deep tokens of their patch."""

    def forward(self, shallow: Tensor, deep: Tensor, *_: Layout) -> Tensor:
        """(B, P, n, C) shallow tokens to the same shape."""
        value, share = self.value(deep), self.gate(shallow)
        if deep.shape[2] == 1:  # one deep token a patch takes all the attention
            found: Tensor = self.drop(value * share)
        else:
            key, bias = folded(deep, self.key, self.query)
            found = self.drop(gated(shallow, key, bias, value, share))
        return shallow + found
