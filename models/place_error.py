"""How far a clip's score depends on where the places it is judged at happen to lie.

All frames of a clip are judged at the same few places, so that nothing in the spread of its frames tells of the places.
What other places would have said was measured instead, with the default network on 180 rated frames of ten contents
(`benchmarks/bench_places.py`), and is checked on clips (`benchmarks/bench_coverage.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np

from .crops import looks
from .own_raster import Part

# Points, of a score of 50 and six places of a frame that shows far more than these. Chosen so that 1.96 of them hold
# 95 % of the differences seen: contents differ, and in NR their root mean square, 4.0, would hold 93 %. "own": of what
# pictures that are shown larger score as they are stored.
SPREAD = {"nr": 4.8, "fr": 3.8, "own": 1.6}
PLACES, SIDE = 6, 224  # a frame is judged at, and their pixels a side
_CELL = 8  # pixels a side: how finely what places cover is counted
_DRAWS = 4


def place_error(
    mode: Literal["nr", "fr", "own"], score: float, size: tuple[int, int], count: int, pictures: float = 1.0
) -> float:
    """Standard deviation of a clip's score over the choice of places, points.

    It falls towards both ends of the scale, as a share's does; with the part of the frame that no place shows, as for
    any sample of a finite whole: nothing is left to chance on a frame that they cover; and with the number of places.
    Different shots lie at random under the same places (no correlation between clips was seen).

    Args:
        mode: "nr" or "fr"; "own" of pictures as they are stored.
        score: 0 to 100.
        size: (width, height) of the display raster, or of the picture as it is stored.
        count: places of a frame that are looked at, at most.
        pictures: how many different ones, shots, the clip is worth; at least 1.
    """
    shape = math.sqrt(max(0.0, score * (100 - score))) / 50
    return SPREAD[mode] * shape * math.sqrt((1 - _covered(size, count)) * PLACES / count / max(1.0, pictures))


def with_own(error: float, parts: Sequence[Part], frames: int, pictures: float) -> float:
    """`place_error` of a clip whose scores are partly of pictures as they are stored.

    Places of the two looks lie at random to one another (no correlation of what they said was seen).

    Args:
        error: of the pictures as they are shown.
        parts: what scores of its frames have of the pictures as they are stored; those of other frames have nothing.
        frames: that were scored.
        pictures: as for `place_error`.
    """
    share = sum(part.share for part in parts) / frames
    own = sum(part.share * part.error for part in parts) / frames
    return math.hypot((1 - share) * error, own / math.sqrt(max(1.0, pictures)))


@cache
def _covered(size: tuple[int, int], count: int) -> float:
    """Share of a frame that is looked at, 0 to 1."""
    width, height = size
    shares = []
    for seed in range(_DRAWS):
        seen = np.zeros((-(-height // _CELL), -(-width // _CELL)), bool)
        for top, left, step, *_ in looks(height, width, count, SIDE, overview=True, seed=seed):
            bottom, right = (math.ceil((side + SIDE * step) / _CELL) for side in (top, left))
            seen[top // _CELL : bottom, left // _CELL : right] = True
        shares.append(seen.mean())
    return float(np.mean(shares))
