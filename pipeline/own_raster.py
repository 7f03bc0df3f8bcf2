"""Frames that are shown larger than they are stored, and which of them are looked at as they are stored, too.

What an enlarged picture's own pixels say of it changes slowly within a shot: one frame in three seconds is looked at
so, and the others are scored with what it said. Of 39 encodes of real clips, some of them fading, means lay 1.3 points
on average from those of three times as many frames, each looked at so (`benchmarks/bench_own_raster.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..models.own_raster import Part
from .values import Frame

WITHIN_S = 3  # how old what is known of a shot may be
FLAT = 4.0  # standard deviation of its green below which a picture, black as a rule, tells nothing of its shot
FADED = 1.5  # times that by which a picture is another one: faded in or out
FOLLOWS = 0.5  # of what a frame scores more as shown than the one that was looked at, its own pixels are taken to have


class Due:
    """Tells, frame by frame of one video, which have to be looked at as they are stored."""

    def __init__(self) -> None:
        self._last: tuple[int, Fraction, float] | None = None  # shot, time and spread of the last such frame

    def __call__(self, frame: Frame) -> bool:
        """Whether this one has to be: of what is scored, in order of presentation."""
        if frame.own is None:
            return False
        spread = float(frame.rgb[::8, ::8, 1].std())
        if spread < FLAT:
            return False
        if self._last is not None:
            shot, pts_s, before = self._last
            alike = 1 / FADED < spread / before < FADED
            if shot == frame.shot and frame.pts_s - pts_s < WITHIN_S and alike:
                return False
        self._last = frame.shot, frame.pts_s, spread
        return True


class Looked(NamedTuple):
    """What was said of the frame of a shot that was looked at as it is stored."""

    shot: int
    shown: float  # its score as shown
    part: Part

    def blended(self, shown: float) -> float:
        """The score of a frame of the shot that scores `shown` as it is shown."""
        moved = self.part.score + FOLLOWS * (shown - self.shown)
        return self.part._replace(score=float(np.clip(moved, 0, 100))).blended(shown)


def with_own(
    judge_own: Callable[..., Sequence[Part]],
    frames: Sequence[tuple[int, Frame]],
    scores: Sequence[float],
    known: Mapping[int, Looked],
) -> list[tuple[float, Looked | None]]:
    """Scores without a reference of frames, and the look that each has in it: None where there is none.

    Args:
        judge_own: `models.judge.Judge.own`.
        frames: each with the place of its video.
        scores: of the frames as shown.
        known: by a video's place, its last look.
    """
    due = [(k, own) for k, (_, frame) in enumerate(frames) if (own := frame.own) is not None]
    parts = judge_own([own.picture() for _, own in due], [own.octaves for _, own in due]) if due else []
    new = dict(zip((k for k, _ in due), parts, strict=True))
    last, found = dict(known), list[tuple[float, Looked | None]]()
    for k, ((video, frame), score) in enumerate(zip(frames, scores, strict=True)):
        if k in new:
            last[video] = Looked(frame.shot, score, new[k])
        look = last.get(video)
        if look is not None and look.shot != frame.shot:
            look = None
        found.append((score if look is None else look.blended(score), look))
    return found
