"""Pictures that move, stand still or turn into others: for `clips.make(picture=...)`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

Picture = Callable[[int, int, int], Any]  # (number, width, height) -> rgb


@cache
def canvas() -> Any:
    """Grainy shapes to move over."""
    rng = np.random.default_rng(7)
    shapes = rng.integers(30, 225, (30, 60, 1)) + rng.integers(-25, 25, (30, 60, 3))
    coarse = Image.fromarray(shapes.clip(0, 255).astype(np.uint8)).resize((960, 480))
    return np.clip(np.asarray(coarse) + rng.normal(0, 6, (480, 960, 1)), 20, 240).astype(np.uint8)


def moving(number: int, width: int, height: int) -> Any:
    """Another place of the canvas at each frame."""
    left, top = (number * 3) % (960 - width), number % (480 - height)
    return canvas()[top : top + height, left : left + width]


def still(number: int) -> Picture:
    """One of these for ever."""
    return lambda n, w, h: moving(number, w, h)


def instead(first: int, last: int, other: Picture) -> Picture:
    """Frames from `first` up to `last` as `other` has them, else moving."""
    return lambda n, w, h: other(n, w, h) if first <= n < last else moving(n, w, h)
