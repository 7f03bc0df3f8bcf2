"""What the network says of a frame's places, before it is one score: places of two frames can be scored together."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .crops import Look, alike

CHANGED = 0.15  # of the scale, between what places vote and what they voted before: under 1 % of frames without a fault


class Said(NamedTuple):
    """Of N places, a row each."""

    votes: Tensor  # (N,) sums of their tokens' scores, each times its weight
    weights: Tensor  # (N,) sums of their tokens' weights
    figures: Tensor | None  # (N, 2C) what the readout reads: `statistics` without a reference, `pairing` with one
    afar: Tensor  # (N,) bool: which are overviews
    turns: Tensor  # (N,) whole numbers: `crops.in_turn`
    compared: bool  # with a reference
    grid: list[Look]  # all of the frame's places, those of the other turn too


def joined(said: Said, before: Said | None, size: int) -> Said | None:
    """A frame's places, and of an earlier frame those that were not this one's turn.

    None where that leaves some out: nothing is known of an earlier frame, or it was looked at elsewhere. None, too,
    where the places whose turn it is vote much otherwise than when it was theirs before: the others will as well.

    Args:
        said: of the frame.
        before: of the earlier one, both turns.
        size: pixels a side of a place.
    """
    if len(said.grid) == len(said.turns):
        return said
    if before is None or not alike(said.grid, before.grid, size):
        return None
    rest = ~torch.isin(before.turns, said.turns)
    change = _voted(said.votes, said.weights) - _voted(before.votes[~rest], before.weights[~rest])
    if bool(change.abs() > CHANGED):
        return None
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
        said.grid,
    )


def _voted(votes: Tensor, weights: Tensor) -> Tensor:
    """What places make of their part of a frame, 0 to 1."""
    return votes.sum() / weights.sum()
