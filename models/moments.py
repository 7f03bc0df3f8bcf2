"""Means and mean squares of a map over square cells, read once: both tokens and statistics are made of them.

The finest maps are the largest by far. On a CPU, passing over them costs more than all arithmetic with them.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Moments(NamedTuple):
    """Of a map (B, C, H, W) over side x side cells."""

    mean: Tensor  # (B, C, H / side, W / side)
    square: Tensor  # of the same shape: mean of squares

    def variance(self) -> Tensor:
        """(B, C, H / side, W / side), that of each cell's pixels."""
        return (self.square - self.mean * self.mean).clamp_min(0)

    def whole(self) -> tuple[Tensor, Tensor]:
        """(B, C) mean and variance of the whole map: the cells' own variances, and how far their means lie apart."""
        mean = self.mean.mean((2, 3), keepdim=True)
        variance = self.variance().mean((2, 3)) + (self.mean - mean).square().mean((2, 3))
        return mean.flatten(1), variance


def moments(feature: Tensor, side: int) -> Moments:
    """Those of a (B, C, H, W) map; `side`, 2 or more, divides H and W."""
    rows = [feature[:, :, row::side] for row in range(side)]  # of all cells the first one, the second one, and so on
    mean, square = rows[0] + rows[1], (rows[0] * rows[0]).addcmul_(rows[1], rows[1])
    for row in rows[2:]:
        mean += row
        square.addcmul_(row, row)
    return Moments(_across(mean, side), _across(square, side))


def _across(rows: Tensor, side: int) -> Tensor:
    """Sums of a cell's rows to means of its pixels."""
    total = rows[..., ::side] + rows[..., 1::side]
    for column in range(2, side):
        total += rows[..., column::side]
    return total.mul_(side**-2)
