"""From places of a frame to the tensors that the encoder takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .config import STRIDE
from .crops import Look, cut
from .encoded import Picture
from .zoo import Entry


def padded(side: int, entry: Entry) -> int:
    """Pixels of an axis of `side` pixels as the network sees it."""
    return entry.crop if entry.config.form == "paper" else -(-side // STRIDE) * STRIDE


def pixels(frame: Picture, spots: Sequence[Look], side: int, entry: Entry) -> Tensor:
    """Places of one size as (places, 3, h, w) uint8; too small ones are filled up by repeating their border."""
    seen = torch.from_numpy(np.stack([cut(frame, spot, side).transpose(2, 0, 1) for spot in spots]))
    h, w = seen.shape[2:]
    pad = (0, padded(w, entry) - w, 0, padded(h, entry) - h)
    return F.pad(seen.float(), pad, mode="replicate").to(torch.uint8) if any(pad) else seen


def together(seen: Sequence[Tensor], most: int) -> Iterator[list[Tensor]]:
    """Crops of several frames, all of one shape, as many as go into a batch."""
    part: list[Tensor] = []
    for crops in seen:
        full = sum(map(len, part)) + len(crops) > most
        if part and (full or part[0].shape[1:] != crops.shape[1:]):
            yield part
            part = []
        part.append(crops)
    if part:
        yield part
