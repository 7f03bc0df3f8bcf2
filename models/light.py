"""The light form's attention, for CPUs and any size: see `yoto`. The same three parts as the paper's in `attention`.

Tokens lie patch by patch, (B, P, n, C): P patches of 32x32 pixels in rows, n tokens in each. Only tokens of one patch
meet in the local steps, so that nothing is cut up or put together between them. What is linear is multiplied together
first where that is smaller: a query's projection goes into the keys, channel attention into the embedding.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import attention
from .attention import gate
from .config import GRID, YotoConfig
from .layout import Layout


class Known(NamedTuple):
    """What tokens are known by to queries that are not projected."""

    key: Tensor  # (..., C)
    bias: Tensor  # (..., 1), of the scores
    value: Tensor  # (..., C)


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


Product = tuple[Tensor, Tensor | None, Tensor]  # `Projection._product`


class _Kept(NamedTuple):
    stamp: list[tuple[int, int]]  # address and version of each weight
    of: list[Tensor]  # the weights' memory: while we hold it, no other weights get its addresses
    product: Product


class Projection:
    """Keys over sqrt(C), their bias and values (the tokens, without `value`), what is linear multiplied together first.

    (Wq s + bq) (Wk d + bk) = s Wq^T Wk d + bq Wk d, but for what is the same for all d and no matter to a softmax.
    """

    def __init__(self, query: nn.Linear, key: nn.Linear, value: nn.Linear | None = None) -> None:
        self._parts = query, key, value
        self._kept: _Kept | None = None

    def __getstate__(self) -> dict[str, object]:
        """Without the product: of copies, versions say nothing."""
        return {**self.__dict__, "_kept": None}

    def __call__(self, tokens: Tensor) -> Known:
        """Of (..., C) tokens."""
        weight, bias, asked = self._product() if torch.is_grad_enabled() else self._remembered()
        both = F.linear(tokens, weight, bias)
        key, value = (both, tokens) if bias is None else both.chunk(2, -1)
        return Known(key, F.linear(tokens, asked), value)

    def _remembered(self) -> Product:
        """The product of weights that nobody trains: computed once, and anew when they have changed.

        Changes in place through `.data` are not seen, for torch does not count them.
        """
        query, key, value = self._parts
        parameters = [query.weight, query.bias, key.weight, *(() if value is None else (value.weight, value.bias))]
        if any(p.is_inference() for p in parameters):  # nothing tells whether these have changed
            return self._product()
        now, kept = [(p.data_ptr(), p._version) for p in parameters], self._kept
        if kept is None or kept.stamp != now:
            of = [p.detach() for p in parameters]
            kept = self._kept = _Kept([(p.data_ptr(), p._version) for p in of], of, self._product())
        return kept.product

    def _product(self) -> Product:
        """Weights (2C, C) and biases (2C) of keys and values, weights (1, C) of the scores' bias."""
        query, key, value = self._parts
        projection = key.weight * query.weight.shape[0] ** -0.5
        weight, asked = query.weight.T @ projection, query.bias[None] @ projection
        if value is None:
            return weight, None, asked
        return torch.cat([weight, value.weight]), F.pad(value.bias, (len(projection), 0)), asked


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


class SemanticDistortionAware(attention.SemanticDistortionAware):
    """SDA (section 3.4): shallow tokens question the deep tokens of their patch."""

    def __init__(self, config: YotoConfig) -> None:
        super().__init__(config)
        self.inside = Projection(self.query, self.key, self.value)

    def forward(self, shallow: Tensor, deep: Tensor, *_: Layout) -> Tensor:
        """(B, P, n, C) shallow tokens to the same shape."""
        share = self.gate(shallow)
        if deep.shape[2] == 1:  # one deep token a patch takes all the attention
            return torch.addcmul(shallow, self.drop(self.value(deep)), share)
        return attended(shallow, shallow, self.inside(deep), share, self.drop)
