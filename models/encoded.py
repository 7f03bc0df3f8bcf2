"""Frames on their way through the network: where they are looked at, and what the encoder makes of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .crops import Look
from .seen import Seen

Picture = NDArray[np.uint8]  # (H, W, 3) RGB


class View(NamedTuple):
    """A frame, and where it is looked at."""

    frame: Picture
    grid: list[Look]  # all of its places
    places: list[Look]  # those whose turn it is

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frame."""
        return self.frame.shape[0], self.frame.shape[1]


@dataclass(frozen=True)
class Encoded:
    """One frame as the network's encoder sees it, at the places it looks at. Opaque to those who measure."""

    seen: Seen  # the places as a batch
    view: View
