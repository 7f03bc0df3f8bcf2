"""The paper's attention (Yun & Lin, arXiv 2310.09560, section 3) as the authors have it; `light` has the other form.

Tokens lie patch by patch, (B, P, n, C): P patches of 32x32 pixels in rows, n tokens in each, in rows too.
"""

from __future__ import annotations

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import YotoConfig
from .layout import Layout
from .projection import Known, Projection, Query


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(q k^T) v over the last two axes of (B, n, C) tensors."""
    if key.shape[1] <= 64:  # few keys: the next line would spend as long looking for masked rows as on the rest
        return torch.softmax(query @ key.transpose(1, 2), -1) @ value
    # One head, said: without that axis all scores would be written to memory.
    return F.scaled_dot_product_attention(query[:, None], key[:, None], value[:, None], scale=1.0)[:, 0]


def gate(dim: int) -> nn.Sequential:
    """One number a token: how much of the attended values joins it."""
    return nn.Sequential(nn.Linear(dim, 1), nn.GELU())


def attended(tokens: Tensor, query: Tensor, known: Known, share: Tensor, drop: nn.Dropout) -> Tensor:
    """tokens + share * softmax(q k^T + b) v, tokens and q (..., n, C), share (..., n, 1).

    Scores lie with one row a key: down the columns, many at a time, a softmax of few keys takes a fraction of the time.
    """
    key, bias, value = known
    n, m, c = query.shape[-2], key.shape[-2], query.shape[-1]
    scores = torch.baddbmm(bias.reshape(-1, m, 1), key.reshape(-1, m, c), query.reshape(-1, n, c).transpose(1, 2))
    # The weights are scaled, not what they find: there are fewer of them.
    weights = drop(torch.softmax(scores, 1)) * share.reshape(-1, 1, n)
    return torch.baddbmm(tokens.reshape(-1, n, c), weights.transpose(1, 2), value.reshape(-1, m, c)).view(tokens.shape)


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
        self.question = Query(self.query, self.key)

    def forward(self, source: Tensor, embed: nn.Linear, layout: Layout, _: object = None) -> Tensor:
        """(B, P, n, C) tokens of (B, P, n, d) features: 2 x + gate * attended x, where x = embed(features)."""
        rows, mixing = self._rows(layout.as_map(source).flatten(2), embed)
        scores = _mixed(mixing, _mixed(mixing, self.question(rows) @ rows.transpose(1, 2)).transpose(1, 2))
        weights = torch.softmax(scores, 1)  # (B, C asked, C asking)
        found = self.value(rows).transpose(1, 2) @ (weights if mixing is None else mixing.T @ weights)  # (B, N, C)
        if self.permuted:
            # The authors transpose to (B, N, C) and reshape that memory to (B, C, N): positions and channels are really
            # shuffled. Their weights were trained so and need it.
            found = found.view(found.transpose(1, 2).shape).transpose(1, 2)
        linear, bounded = self.gate
        share = bounded(_mixed(mixing, linear(rows))).transpose(1, 2)
        twice = F.linear(source, 2 * embed.weight, 2 * embed.bias)
        return torch.addcmul(twice, layout.cut(self.drop(found)), share[:, None])

    def _rows(self, features: Tensor, embed: nn.Linear) -> tuple[Tensor, Tensor | None]:
        """What the C channels over the N positions are mixed of, (B, r, N), and how, (C, r); None: they are those rows.

        Channels are mixtures of d features. Where d < C, the N x N projections see those in place of C channels, in far
        fewer steps: f(M F) = M f(F) for all that is linear, and with a bias too if each row of M is 1 in sum. So a row
        of ones stands for the embedding's bias, and one of noughts takes what is left to 1.
        """
        if features.shape[1] >= embed.out_features:
            return embed(features.transpose(1, 2)).transpose(1, 2), None
        weight, bias = embed.weight, embed.bias[:, None]
        ones, noughts = features.new_ones(len(features), 1, features.shape[2]), torch.zeros_like(features[:, :1])
        return torch.cat([features, ones, noughts], 1), torch.cat([weight, bias, 1 - weight.sum(1, True) - bias], 1)


def _mixed(mixing: Tensor | None, rows: Tensor) -> Tensor:
    return rows if mixing is None else mixing @ rows


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

    @cached_property
    def questions(self) -> tuple[Query, ...]:
        """Of the step over the whole map and of the local one."""
        whole = Query(self.query1, self.key1)
        return (whole, Query(self.query2, self.key2)) if self.local else (whole,)

    def forward(self, x: Tensor, y: Tensor, layout: Layout) -> Tensor:
        """Distorted x and reference y, (B, P, n, C)."""
        shape, x, y = x.shape, x.flatten(1, 2), y.flatten(1, 2)
        whole = self.drop(attend(self.questions[0](y), x, self.value1(x)))
        x = torch.addcmul(x, whole, self.gate1(x))
        if not self.local:
            return x.view(shape)
        mine, theirs = (layout.quarters(t) for t in (x, y))  # (4 B, N / 4, C)
        inside = self.drop(attend(self.questions[1](theirs), mine, self.value2(mine)))
        return layout.whole(torch.addcmul(mine, inside, self.gate2(mine))).view(shape)


class SemanticDistortionAware(nn.Module):
    """SDA (section 3.4): shallow tokens question the deep tokens of their patch."""

    def __init__(self, config: YotoConfig) -> None:
        super().__init__()
        c = config.width
        self.query, self.key, self.value = nn.Linear(c, c), nn.Linear(c, c), nn.Linear(c, c)
        self.gate = gate(c)
        self.drop = nn.Dropout(config.dropout)
        self.inside = Projection(self.query, self.key, self.value)

    def forward(self, shallow: Tensor, deep: Tensor) -> Tensor:
        """(B, P, n, C) shallow tokens to the same shape."""
        share = self.gate(shallow)
        if deep.shape[2] == 1:  # one deep token a patch takes all the attention
            return torch.addcmul(shallow, self.drop(self.value(deep)), share)
        return attended(shallow, shallow, self.inside(deep), share, self.drop)
