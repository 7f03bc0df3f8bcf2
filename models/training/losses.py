"""What training asks of scores."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def agreement(score: Tensor, opinion: Tensor, weight: Tensor) -> Tensor:
    """Weighted Huber distance of (B,) scores to opinions, both 0 to 1; beyond half an ACR step it grows linearly."""
    return (weight * F.smooth_l1_loss(score, opinion, beta=0.12, reduction="none")).sum() / weight.sum()


def ranking(score: Tensor, opinion: Tensor, comparable: Tensor, margin: float = 0.04, slope: float = 20.0) -> Tensor:
    """Pairs in the wrong order (RankNet's logistic loss), over the pairs that `comparable` (B, B) allows.

    Opinions closer than `margin` say nothing of order.
    """
    ahead = opinion[:, None] - opinion[None, :]
    pairs = comparable & (ahead > margin)
    if not bool(pairs.any()):
        return score.new_zeros(())
    gap = score[:, None] - score[None, :]
    return F.softplus(-slope * gap[pairs]).mean() / torch.log(torch.tensor(2.0))
