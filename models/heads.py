"""What every token says: the two heads, and their votes on a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import YotoConfig
from .layout import Layout
from .products import linear


class Head(nn.Module):
    """One number a token from its features: width -> hidden -> 1, and the activation that bounds it."""

    def __init__(self, config: YotoConfig, activation: nn.Module) -> None:
        super().__init__()
        self.inner = nn.Linear(config.width, config.hidden)
        self.context = nn.Linear(2 * config.width, config.hidden, bias=False) if config.context else None
        self.outer = nn.Linear(config.hidden, 1)
        self.drop = nn.Dropout(config.dropout)
        self.activation = activation

    def bias(self, spread: Tensor | None) -> Tensor:
        """(B or 1, hidden), the first layer's. `spread`: (B, 2C) `YotoConfig.context`, where there is one."""
        if self.context is None:
            return self.inner.bias[None]
        assert spread is not None
        bias: Tensor = self.context(spread) + self.inner.bias
        return bias

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, n, hidden), what the first layer gives, to (B, n)."""
        out: Tensor = self.activation(self.outer(self.drop(hidden)))
        return out.squeeze(-1)


def votes(heads: Sequence[Head], tokens: Tensor, *, context: bool) -> list[Tensor]:
    """What each head says of (B, T, C) tokens: (B, T) a head.

    Args:
        heads: their first layers are computed as one product.
        tokens: of all stages, one after the other.
        context: tokens are also told mean and spread of all T.
    """
    spread = _spread(tokens) if context else None
    weight = torch.cat([head.inner.weight for head in heads])
    bias = torch.cat([head.bias(spread) for head in heads], 1)[:, None]
    hidden = linear(tokens, weight).add_(bias).relu_()
    return [head(part) for head, part in zip(heads, hidden.chunk(len(heads), -1), strict=True)]


def _spread(tokens: Tensor) -> Tensor:
    """(B, 2C) mean and standard deviation of each channel over all tokens."""
    count, mean = tokens.shape[1], tokens.mean(1)
    # One pass in place of two: layer norms keep the tokens near one, where a difference of squares is exact enough.
    variance = (tokens.square().sum(1) - count * mean.square()) / (count - 1)
    return torch.cat([mean, variance.clamp_min(1e-12).sqrt()], 1)


@dataclass(frozen=True)
class TokenMaps:
    """What every token says: (B, T) scores and weights, T running over the stages' tokens as they lie, finest first."""

    scores: Tensor
    weights: Tensor
    layouts: tuple[Layout, ...]

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(h, w) of each stage's map."""
        return tuple(layout.size for layout in self.layouts)

    def summed(self) -> tuple[Tensor, Tensor]:
        """(B,) weighted votes of each image and (B,) what they weigh."""
        return (self.scores * self.weights).sum(1), self.weights.sum(1)

    def pooled(self) -> Tensor:
        """(B,) score of each image: sum(s * w) / sum(w), the paper's equation 8."""
        votes, weights = self.summed()
        return votes / weights

    def heat(self) -> tuple[Tensor, Tensor]:
        """(B, h, w) score and weight on the finest grid, every stage's tokens voting where they look."""
        counts = [h * w for h, w in self.sizes]
        finest = self.sizes[0]
        score = self.scores.new_zeros(len(self.scores), 1, *finest)
        weight = torch.zeros_like(score)
        scores, weights = torch.split(self.scores, counts, 1), torch.split(self.weights, counts, 1)
        for s, w, layout in zip(scores, weights, self.layouts, strict=True):
            share = s.shape[1] / counts[0]  # a deep token's vote is spread over its patch
            score += F.interpolate(layout.as_map((s * w)[..., None]), finest, mode="nearest") * share
            weight += F.interpolate(layout.as_map(w[..., None]), finest, mode="nearest") * share
        return (score / weight)[:, 0], weight[:, 0]
