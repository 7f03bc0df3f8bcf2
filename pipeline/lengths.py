"""Durations of files that may be one content, as far as headers say them."""

from __future__ import annotations

from collections.abc import Iterable

OTHER_CUT = 0.75  # ratio of durations below which a name-mate is taken for something else: a trailer, an episode
SAME_LENGTH = (0.2, 0.01)  # seconds, or share of the duration: containers round, encoders pad by a frame or two
NOTE_LENGTH = (0.5, 0.02)  # a larger difference is worth a word
NEAR = 0.9  # ratio of durations from which HLS and DASH of one name, or a file beside them, are one title


def ratio(a: float | None, b: float | None) -> float:
    """Shorter over longer; 1 where a duration is not known: nothing speaks against."""
    return min(a, b) / max(a, b) if a and b else 1.0


def most_usual(lengths: Iterable[float | None]) -> float | None:
    """The length that most others have too; of equally many the longest."""
    known = [length for length in lengths if length]
    alike = 1 - NOTE_LENGTH[1]
    return max(known, key=lambda one: (sum(ratio(one, other) > alike for other in known), one), default=None)


def same(one: float | None, two: float | None) -> bool:
    """Whether both are known, and equal but for what containers round."""
    return bool(one and two) and abs((one or 0) - (two or 0)) <= max(SAME_LENGTH[0], SAME_LENGTH[1] * (one or 0))
