"""Rated pictures as `evaluate` judges them."""

from __future__ import annotations

from pathlib import Path

from ..models.training.evaluation import Judged
from ..models.training.making import load_picture
from ..pipeline.colour import rescaled
from ..pipeline.values import RGB


def as_scored(path: Path, display: tuple[int, int] | None) -> RGB:
    """A picture as `score` and `scan` show it to the network: on its display raster (width, height), or as stored.

    Training scales rated pictures with Pillow in place of swscale, and is left at that: the shipped weights learnt so.
    Scores of the two were seen to be up to 1.3 points apart.

    Raises:
        DataError: it cannot be read.
    """
    picture = load_picture(path)
    return rescaled(picture, display or picture.shape[1::-1])


def why_not_compared(judged: Judged) -> str | None:
    """A sentence where a rated picture was not compared with its reference; None where it was, or has none."""
    reference = judged.sample.reference
    if reference is None or not judged.foreign:
        return None
    return f"not compared with its reference {reference.name}: they do not show the same picture; name the right one"
