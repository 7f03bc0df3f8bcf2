"""A picture that is shown larger than it is stored, judged as it is stored: what its encoder did shows there alone.

Scaled up to the display, a picture that was starved and one that was only made small look alike, soft, and opinions of
them differ. Near by, in its own pixels, the one is blocked and the other clean; and by how much it is enlarged is known
of every video. So part of its score is what the network says of its own pixels, less what its enlargement costs
viewers: three numbers, chosen by people's opinions and by what FR says of real ladders (`docs/model-card.md`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

LEAST = 0.1  # octaves of enlargement below which a picture is taken as shown as it is stored
FULL = 0.5  # octaves of enlargement from which on the own raster has its whole share; less has as much less


def octaves(stored: tuple[int, int], shown: tuple[int, int]) -> float:
    """How many times the sides of a picture are doubled, by its area; negative where it is shown smaller.

    Args:
        stored: (width, height), upright and with square pixels.
        shown: (width, height).
    """
    return 0.5 * math.log2(shown[0] * shown[1] / (stored[0] * stored[1]))


class Part(NamedTuple):
    """What a picture as it is stored has in its score."""

    share: float  # 0 to 1; the rest is what the network says of the picture as shown
    score: float  # 0 to 100, enlargement counted
    error: float = 0.0  # standard deviation of that over the choice of places, points

    def blended(self, shown: float) -> float:
        """The score of the picture that scores `shown` as it is shown."""
        return shown + self.share * (self.score - shown)


NONE = Part(0.0, 0.0)


class OwnRaster(NamedTuple):
    """How an enlarged picture's score is made up."""

    share: float  # of the own raster, 0 to 1
    step: float  # points that an octave of enlargement costs
    part: float  # and the part of the score that it costs

    def of(self, own: float, octaves: float) -> Part:
        """Of a picture that scores `own` as it is stored and is shown larger by `octaves`, above 0; NaN stays NaN."""
        score = own - octaves * (self.step + self.part * own)
        return Part(self.share * min(1.0, octaves / FULL), min(max(score, 0.0), 100.0))

    def behind(self, score: float, octaves: float) -> float:
        """What a picture scores as it is stored, at most 100, whose `score` as shown larger by `octaves` is all its."""
        return min((score + octaves * self.step) / max(1 - octaves * self.part, 1e-6), 100.0)
