"""Which half of its places a sampled frame is looked at: what the other half shows, the frame before has just shown.

A frame is judged at a few places. Frames that follow one another within a second of one shot show much the same at
each of them, so each is looked at half of the places, in turns, and scored with what was said of the other half a frame
before. Where nothing fresh is known of that half, at a cut, after a gap, of frames far apart, it is looked at whole.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

WITHIN_S = 1  # how old what is known of a half may be


class Turn(NamedTuple):
    """How one frame is looked at."""

    half: int | None  # 0 or 1; None: all of its places
    span_s: float = 0.0  # how old what is known of the other half is


WHOLE = Turn(None)


class Turns:
    """The turns of one video's frames in one mode, in order of presentation.

    `said`: what was last said of both halves, for whoever says it to keep here.
    """

    def __init__(self) -> None:
        self.said: Any = None
        self._seen: dict[int, tuple[Fraction, int]] = {}  # when each half was last looked at, and in which shot

    def take(self, half: int, pts_s: Fraction, shot: int) -> Turn:
        """How the next frame is looked at.

        Args:
            half: whose turn it is.
            pts_s: the frame's time.
            shot: number of the shot it is in.
        """
        at, then = self._seen.get(1 - half, (None, None))
        if at is None or then != shot or pts_s - at > WITHIN_S:
            self._seen = dict.fromkeys((0, 1), (pts_s, shot))
            return WHOLE
        self._seen[half] = pts_s, shot
        return Turn(half, float(pts_s - at))
