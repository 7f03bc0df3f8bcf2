"""What the network says of a frame's places, before it is one score: places of two frames can be scored together."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Said(NamedTuple):
    """Of N places, a row each."""

    votes: Tensor  # (N,) sums of their tokens' scores, each times its weight
    weights: Tensor  # (N,) sums of their tokens' weights
    figures: Tensor | None  # (N, 2C) what the readout reads: `statistics` without a reference, `pairing` with one
    afar: Tensor  # (N,) bool: which are overviews
    turns: Tensor  # (N,) whole numbers: `crops.in_turn`
    compared: bool  # with a reference


def joined(said: Said, before: Said | None) -> Said:
    """A frame's places, and of an earlier frame those that were not this one's turn."""
    if before is None:
        return said
    rest = ~torch.isin(before.turns, said.turns)
    if not bool(rest.any()):
        return said
    figures = None
    if said.figures is not None and before.figures is not None:
        figures = torch.cat([said.figures, before.figures[rest]])
    return Said(
        torch.cat([said.votes, before.votes[rest]]),
        torch.cat([said.weights, before.weights[rest]]),
        figures,
        torch.cat([said.afar, before.afar[rest]]),
        torch.cat([said.turns, before.turns[rest]]),
        said.compared,
    )
