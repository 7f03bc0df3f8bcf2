"""How far a stretch of work is, how fast it goes, and when it may end."""

from __future__ import annotations

import time
from collections.abc import Callable


class Progress:
    """Counts videos, and the work in them: a long film weighs more than a clip, and time left goes by that.

    Args:
        videos: in all.
        work: in all; None: as many as videos.
        clock: seconds, of any beginning.
    """

    def __init__(self, videos: int, work: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.videos = videos
        self.done = 0
        self._work = float(videos if work is None else work)
        self._worked = 0.0
        self._clock = clock
        self._began = clock()

    def advance(self, videos: int, work: float | None = None) -> None:
        """So many more are done; what is done twice counts once at the most."""
        self.done = min(self.done + videos, self.videos)
        self._worked = min(self._worked + (videos if work is None else work), self._work)

    def go_on(self, videos: int, work: float | None = None) -> None:
        """Another round: so many are to be done beside those that are. What the last one left is among them or out."""
        self.videos = self.done + videos
        self._work = self._worked + (videos if work is None else work)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self._clock() - self._began

    @property
    def rate(self) -> float | None:
        """Videos a minute; None before the first."""
        return 60 * self.done / self.seconds if self.done and self.seconds > 0 else None

    @property
    def left_s(self) -> float | None:
        """Seconds until the end at the pace so far; None before anything worth mentioning is done."""
        return self.seconds * (self._work / self._worked - 1) if self._worked > 1e-6 * self._work else None

    def __str__(self) -> str:
        """Rate and time left, in words; empty before anything is known."""
        if self.rate is None or self.left_s is None:
            return ""
        return f"{self.rate:.1f} videos a minute, {duration(self.left_s)} left"


class Clock:
    """Seconds since a moment."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since this was made."""
        return time.perf_counter() - self._began


def duration(seconds: float) -> str:
    """Seconds as people say them: "40 s", "12 min", "3 h 05 min", "2 days 3 h"."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min"
    return f"{hours // 24} days {hours % 24} h"
