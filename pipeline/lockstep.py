"""Decode all videos of a ladder in step, ahead of the network, with a bounded number of frames alive.

Nothing here collects frames: a video is read once, forward, and a frame lives from its decoder through a short queue to
the scorer. Decoders run in a few threads (FFmpeg and swscale release the interpreter lock), the network in the
caller's (`ahead`).
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from .align import Sample
from .values import Frame

IN_HAND = 2  # samples a worker: where order waits for a slow video, a master as a rule, quicker ones go on


@dataclass(frozen=True)
class Taken:
    """One sample's frame, or why it and the rest of its video did not come (`error`), or neither: it was not there."""

    video: int  # place in the ladder's list of videos
    sample: Sample
    frame: Frame | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class Reading:
    """One video to read: its samples, and how to open the stream of just these frames."""

    video: int
    samples: Sequence[Sample]
    open: Callable[[], Iterator[Frame]]


def in_step(readings: Sequence[Reading], workers: int) -> Iterator[Taken]:
    """Every sample of every reading, ordered by step, then by video (a master is first and comes before its encodes).

    Up to `workers` videos are decoded at once, each no further than its next sample. A video that fails gives one
    `Taken` with its error and then no more; the others go on.
    """
    cursors = {r.video: _Cursor(r) for r in readings}
    order = heapq.merge(*map(_jobs, readings), key=lambda job: job[:2])
    pending: deque[tuple[int, Future[Taken | None]]] = deque()

    def finish() -> Iterator[Taken]:
        taken = pending.popleft()[1].result()
        if taken is not None:
            yield taken

    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        for _, video, sample in order:
            while len(pending) >= IN_HAND * workers or any(video == busy for busy, _ in pending):
                yield from finish()
            pending.append((video, pool.submit(cursors[video].take, sample)))
        while pending:
            yield from finish()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for cursor in cursors.values():
            cursor.close()


def _jobs(reading: Reading) -> Iterator[tuple[int, int, Sample]]:
    return ((sample.step, reading.video, sample) for sample in reading.samples)


class _Cursor:
    """One video's place in its stream of frames."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._frames: Iterator[Frame] | None = None
        self._held: Frame | None = None  # decoded, but belonging to a later sample
        self._wanted = Counter(sample.frame for sample in reading.samples)  # how often yet: large frames are let go
        self._failed = False

    def take(self, sample: Sample) -> Taken | None:
        """The frame of this sample; an error once, and None ever after it."""
        if self._failed:
            return None
        try:
            if self._frames is None:
                self._frames = self._reading.open()
            while self._held is None or self._held.index < sample.frame:
                self._held = None
                self._held = next(self._frames)
        except StopIteration:
            self._held = None
            return Taken(self._reading.video, sample)
        except Exception as error:  # of whatever kind: this video's row says so, the others go on
            self._failed = True
            return Taken(self._reading.video, sample, error=error)
        if self._held.index != sample.frame:
            return Taken(self._reading.video, sample)
        taken = Taken(self._reading.video, sample, self._held)
        self._wanted[sample.frame] -= 1
        if not self._wanted[sample.frame]:
            self._held = None
        return taken

    def close(self) -> None:
        """Release the file, also in the middle of the stream."""
        self._held = None
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()
