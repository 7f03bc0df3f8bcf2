"""Whether two still pictures show the same, as a ladder's still and its master are asked."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .colour import rescaled
from .errors import ScalingError
from .luma import HEIGHT, WIDTH, Sight, Stretch
from .match import match
from .values import RGB

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def shows_another(picture: RGB, reference: RGB) -> bool:
    """Whether a picture shows something else than its reference; False where too little shows to tell.

    Args:
        picture, reference: (height, width, 3), both on one raster.
    """
    size = reference.shape[1], reference.shape[0]
    try:
        return match(_Still(picture), _Still(reference), size, size, (Fraction(0), Fraction(0))).reason is not None
    except ScalingError:  # of hardly any lines
        return False


class _Still(Sight):
    """A picture whose pixels are at hand, as a video of one frame."""

    def __init__(self, rgb: RGB) -> None:
        self.times: NDArray[np.float64] = np.zeros(1)
        self.gap = 0.0
        luma = (rescaled(rgb, (WIDTH, HEIGHT)) @ _LUMA).astype(np.uint8)
        self._still = Stretch(0, self.times, luma[None])

    def head(self, seconds: float) -> Stretch:
        return self._still

    def between(self, start_s: float, end_s: float) -> Stretch:
        return self._still

    def close(self) -> None:
        pass
