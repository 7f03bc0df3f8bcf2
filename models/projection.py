"""Queries, keys and values of an attention with as few products as there can be: what is linear is multiplied first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .products import linear


class Known(NamedTuple):
    """What tokens are known by to queries that are not projected."""

    key: Tensor  # (..., C)
    bias: Tensor  # (..., 1), of the scores
    value: Tensor  # (..., C)


P = TypeVar("P")


class _Kept(NamedTuple, Generic[P]):
    stamp: list[tuple[int, int]]  # address and version of each weight
    of: list[Tensor]  # the weights' memory: while we hold it, no other weights get its addresses
    product: P


class _Products(ABC, Generic[P]):
    """What some layers' weights come to, multiplied together."""

    def __init__(self, *layers: nn.Linear) -> None:
        self._layers = layers
        self._kept: _Kept[P] | None = None

    def __getstate__(self) -> dict[str, object]:
        """Without the product: of copies, versions say nothing."""
        return {**self.__dict__, "_kept": None}

    def _parameters(self) -> Iterator[Tensor]:
        return (p for layer in self._layers for p in (layer.weight, layer.bias))

    @abstractmethod
    def _compute(self) -> P:
        """The product."""

    @property
    def keeps(self) -> bool:
        """Whether the product is computed once: of weights that nobody trains.

        Of weights made in inference mode nothing tells whether they have changed.
        """
        return not torch.is_grad_enabled() and not any(p.is_inference() for p in self._parameters())

    def product(self) -> P:
        """Computed anew when the weights have changed, but in place through `.data`: torch does not count that."""
        if not self.keeps:
            return self._compute()
        parameters = list(self._parameters())
        now, kept = [(p.data_ptr(), p._version) for p in parameters], self._kept
        if kept is None or kept.stamp != now:
            of = [p.detach() for p in parameters]
            kept = self._kept = _Kept([(p.data_ptr(), p._version) for p in of], of, self._compute())
        return kept.product


class Query(_Products[tuple[Tensor, Tensor]]):
    """Queries over sqrt(C) for keys that are not projected.

    (Wq s + bq) (Wk d + bk) = (Wk^T Wq s + Wk^T bq) d, but for what is the same for all d and no matter to a softmax.
    """

    def __init__(self, query: nn.Linear, key: nn.Linear) -> None:
        super().__init__(query, key)

    def __call__(self, tokens: Tensor) -> Tensor:
        """(..., C) tokens to the same shape."""
        if self.keeps:
            return linear(tokens, *self.product())
        query, key = self._layers  # one after the other: often fewer steps than their product alone
        return F.linear(query(tokens) * tokens.shape[-1] ** -0.5, key.weight.T)

    def _compute(self) -> tuple[Tensor, Tensor]:
        query, key = self._layers
        projection = key.weight.T * query.weight.shape[0] ** -0.5
        return projection @ query.weight, projection @ query.bias


class Projection(_Products[tuple[Tensor, Tensor | None, Tensor]]):
    """Keys over sqrt(C), their bias and values (the tokens, without `value`), for queries that are not projected.

    (Wq s + bq) (Wk d + bk) = s Wq^T Wk d + bq Wk d, but for what is the same for all d and no matter to a softmax.
    """

    def __init__(self, query: nn.Linear, key: nn.Linear, value: nn.Linear | None = None) -> None:
        super().__init__(query, key, *([] if value is None else [value]))

    def __call__(self, tokens: Tensor) -> Known:
        """Of (..., C) tokens."""
        weight, bias, asked = self.product()
        both = linear(tokens, weight, bias)
        key, value = (both, tokens) if bias is None else both.chunk(2, -1)
        return Known(key, F.linear(tokens, asked), value)

    def _compute(self) -> tuple[Tensor, Tensor | None, Tensor]:
        """Weights (2C, C) and biases (2C) of keys and values, weights (1, C) of the scores' bias."""
        query, key, *value = self._layers
        projection = key.weight * query.weight.shape[0] ** -0.5
        weight, asked = query.weight.T @ projection, query.bias[None] @ projection
        if not value:
            return weight, None, asked
        return torch.cat([weight, value[0].weight]), F.pad(value[0].bias, (len(projection), 0)), asked
