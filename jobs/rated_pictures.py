"""Rated pictures as `evaluate` judges them."""

from __future__ import annotations

from pathlib import Path

from ..models.training.making import load_picture
from ..pipeline.colour import rescaled
from ..pipeline.values import RGB


def as_scored(path: Path, display: tuple[int, int]) -> RGB:
    """A picture on its display raster (width, height), as `score` and `scan` show it to the network.

    Training scales rated pictures with Pillow in place of swscale, and is left at that: the shipped weights learnt so.
    Scores of the two were seen to be up to 1.3 points apart.

    Raises:
        DataError: it cannot be read.
    """
    picture = load_picture(path)
    return picture if picture.shape[1::-1] == display else rescaled(picture, display)
