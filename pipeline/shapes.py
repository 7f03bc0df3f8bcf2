"""Shapes of pictures, as far as headers and names say."""

from __future__ import annotations

from .glance import Glance
from .values import Declared

SAME_SHAPE = 0.04  # share by which aspect ratios may differ: sizes are rounded to even numbers


def same_shape(one: Glance, other: Glance) -> bool:
    """Whether two pictures have one shape, or one of them says none."""
    return _near(one.width, one.height, other.width, other.height)


def reframed(said: Declared, other: Glance) -> bool:
    """Whether a name says another shape than that of a picture: promo_1080x1920 beside 1920x1080 is no mistake."""
    return not _near(said.width, said.height, other.width, other.height)


def _near(*sides: int | None) -> bool:
    if not all(sides):
        return True
    width, height, other_width, other_height = (side or 1 for side in sides)
    shapes = width / height, other_width / other_height
    return max(shapes) / min(shapes) <= 1 + SAME_SHAPE
