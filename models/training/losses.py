"""What training asks of scores."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .batches import Batch


def agreement(score: Tensor, opinion: Tensor, weight: Tensor) -> Tensor:
    """Weighted Huber distance of (B,) scores to opinions, both 0 to 1; beyond half an ACR step it grows linearly."""
    return (weight * F.smooth_l1_loss(score, opinion, beta=0.12, reduction="none")).sum() / weight.sum()


def ranking(score: Tensor, ahead: Tensor, slope: float = 20.0) -> Tensor:
    """Pairs in the wrong order (RankNet's logistic loss) of (B,) scores; `ahead` (B, B): who is better than whom."""
    if not bool(ahead.any()):
        return score.new_zeros(())
    gap = score[:, None] - score[None, :]
    return F.softplus(-slope * gap[ahead]).mean() / torch.log(torch.tensor(2.0))


def order(batch: Batch, margin: float = 0.04) -> Tensor:
    """(F, F) bool: which frame of a batch is better than which.

    Frames of one family are in the order of their opinions, but opinions closer than `margin` say nothing. Frames of
    one chain are in the order of their levels, for certain, whatever the opinions.
    """
    related = batch.family[:, None] == batch.family[None, :]
    better = related & (batch.opinion[:, None] - batch.opinion[None, :] > margin)
    chained = (batch.chain[:, None] == batch.chain[None, :]) & (batch.chain[:, None] >= 0)
    milder = batch.level[:, None] < batch.level[None, :]
    return torch.where(chained, milder, better)
