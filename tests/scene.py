"""A scene that moves and never repeats, drawn at any moment: masters and disturbed encodes of it, without files."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np
from PIL import Image

SIZE = (320, 180)
Draw = Callable[[float, int, int], Any]


@cache
def _ground(seed: int) -> Image.Image:
    """960 x 540: clouds of many sizes."""
    rng = np.random.default_rng(seed)
    total = np.zeros((540, 960, 3), np.float32)
    for step in (4, 12, 40, 120):
        small = rng.normal(size=(540 // step + 2, 960 // step + 2, 3)).astype(np.float32)
        for channel in range(3):
            wide = Image.fromarray(small[..., channel]).resize((960, 540), Image.Resampling.BICUBIC)
            total[..., channel] += np.asarray(wide) * step**0.5
    low, high = np.percentile(total, (1, 99))
    clipped: Any = np.clip((total - low) / (high - low) * 200 + 25, 0, 255)
    return Image.fromarray(clipped.astype(np.uint8))


@cache
def _cards(seed: int) -> Any:
    """Start, speed, size and colour of things that fly across."""
    rng = np.random.default_rng(seed + 1000)
    return [
        (rng.random(2), rng.uniform(-0.3, 0.3, 2), rng.uniform(0.08, 0.25), rng.integers(0, 255, 3)) for _ in range(6)
    ]


@cache
def _grain() -> Any:
    return np.random.default_rng(1).normal(size=70_000).astype(np.float32)


def scene(moment: float, seed: int = 0, pan: float = 30.0) -> Any:
    """uint8 (180, 320, 3) at a moment in seconds; `pan` in pixels a second, 0: nothing moves."""
    return _scene(moment, seed, pan).copy()


@lru_cache(maxsize=500)  # most tests have the same master; 90 MB
def _scene(moment: float, seed: int, pan: float) -> Any:
    x, y = 300 + 150 * np.sin(pan * moment / 150), 150 + 60 * np.sin(pan * moment / 97 + 0.7)
    box = (x, y, x + SIZE[0], y + SIZE[1])
    shown = _ground(seed).resize(SIZE, Image.Resampling.BICUBIC, box=box)
    picture = np.array(shown)
    for start, speed, size, colour in _cards(seed) if pan else ():
        at = (start + speed * moment) % 1.0
        left, top, side = int(at[0] * SIZE[0]), int(at[1] * SIZE[1]), int(size * SIZE[1])
        picture[top : top + side, left : left + side] = colour
    return picture


def drawn(
    *,
    shift_s: float = 0.0,
    speed: float = 1.0,
    seed: int = 0,
    pan: float = 30.0,
    noise: float = 3.0,
    clock: Callable[[float], float] = lambda moment: moment,
    change: Callable[[Any], Any] = lambda picture: picture,
) -> Draw:
    """An encode of the scene: `shift_s` of its beginning cut away, `change`d as a picture, with the encoder's noise.

    `clock` maps a moment of the encode to the moment whose picture it shows.
    """

    def draw(moment: float, width: int, height: int) -> Any:
        picture = change(scene(shift_s + speed * clock(moment), seed, pan)).astype(np.float32)
        if noise:
            start = int(1e6 * (moment + 1)) * 7919 % 4001
            picture += noise * np.resize(_grain()[start:], picture.shape[:2])[..., None]
        picture = np.clip(picture, 0, 255).astype(np.uint8)
        if picture.shape[:2] != (height, width):
            picture = np.array(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))
        return picture

    return draw


def resized(picture: Any, width: int, height: int) -> Any:
    """Bicubic."""
    return np.array(Image.fromarray(np.ascontiguousarray(picture)).resize((width, height), Image.Resampling.BICUBIC))


def barred(picture: Any, top: int = 0, left: int = 0) -> Any:
    """The picture made smaller, between black bars of so many pixels."""
    height, width = picture.shape[:2]
    out = np.zeros_like(picture)
    out[top : height - top, left : width - left] = resized(picture, width - 2 * left, height - 2 * top)
    return out
