"""Frames that are shown larger than they are stored, and which of them are looked at as they are stored, too.

What an enlarged picture's own pixels say of it hardly changes within a shot: one frame in four seconds tells it, and
the others take from that frame by how many points it moved the score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from .values import Frame

WITHIN_S = 4  # how old what is known of a shot may be


class Due:
    """Tells, frame by frame of one video, which have to be looked at as they are stored."""

    def __init__(self) -> None:
        self._last: tuple[int, Fraction] | None = None  # shot and time of the last such frame

    def __call__(self, frame: Frame) -> bool:
        """Whether this one has to be: of what is scored, in order of presentation."""
        if frame.own is None:
            return False
        if self._last is not None and self._last[0] == frame.shot and frame.pts_s - self._last[1] < WITHIN_S:
            return False
        self._last = frame.shot, frame.pts_s
        return True


class Correction(NamedTuple):
    """By how much a shot's own pixels move its scores."""

    shot: int
    points: float


def corrected(
    correct: Callable[..., Sequence[float]],
    frames: Sequence[tuple[int, Frame]],
    scores: Sequence[float],
    known: Mapping[int, Correction],
) -> list[tuple[float, Correction | None]]:
    """Scores without a reference of frames, and what their own pictures have in them: None where that is nothing.

    Args:
        correct: `models.judge.Judge.corrections`.
        frames: each with the place of its video.
        scores: of the frames as shown.
        known: by a video's place, the correction of its last frame.
    """
    looked = [(k, own) for k, (_, frame) in enumerate(frames) if (own := frame.own) is not None]
    pictures, enlarged = [own.picture() for _, own in looked], [own.octaves for _, own in looked]
    points = correct(pictures, enlarged, [scores[k] for k, _ in looked]) if looked else []
    new = dict(zip((k for k, _ in looked), points, strict=True))
    last, found = dict(known), list[tuple[float, Correction | None]]()
    for k, ((video, frame), score) in enumerate(zip(frames, scores, strict=True)):
        if k in new:
            last[video] = Correction(frame.shot, new[k])
        now = last.get(video)
        if now is None or now.shot != frame.shot:
            found.append((score, None))
        else:
            found.append((float(np.clip(score + now.points, 0, 100)), now))
    return found
