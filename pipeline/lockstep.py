"""Decode all videos of a ladder in step, ahead of the network, with a bounded number of frames alive.

Nothing here collects frames: a video is read once, forward, and a frame lives from its decoder through a short queue to
the scorer. Decoders run in a few threads (FFmpeg and swscale release the interpreter lock), the network in the
caller's.
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from .align import Sample
from .values import Frame

T = TypeVar("T")


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

    Up to `workers` videos are decoded at once. A video that fails gives one `Taken` with its error and then no more;
    the others go on.
    """
    cursors = {r.video: _Cursor(r) for r in readings}
    order = heapq.merge(*([(s.step, r.video, s) for s in r.samples] for r in readings), key=lambda job: job[:2])
    pending: deque[tuple[int, Future[Taken | None]]] = deque()

    def finish() -> Iterator[Taken]:
        taken = pending.popleft()[1].result()
        if taken is not None:
            yield taken

    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        for _, video, sample in order:
            while len(pending) >= workers or any(video == busy for busy, _ in pending):
                yield from finish()
            pending.append((video, pool.submit(cursors[video].take, sample)))
        while pending:
            yield from finish()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for cursor in cursors.values():
            cursor.close()


class _Cursor:
    """One video's place in its stream of frames."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._frames: Iterator[Frame] | None = None
        self._held: Frame | None = None  # decoded, but belonging to a later sample
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
        return Taken(self._reading.video, sample, self._held if self._held.index == sample.frame else None)

    def close(self) -> None:
        """Release the file, also in the middle of the stream."""
        self._held = None
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()


class Ahead(Generic[T]):
    """Run an iterator in a thread of its own, at most `depth` items ahead of who reads it.

    `busy_s` is the time the iterator itself took, without waiting for its reader: what the whole would cost if nobody
    did anything with the items. `waited_s` is the time that the reader waited. Use it as a context manager: leaving it
    stops the thread and closes the iterator.
    """

    def __init__(self, items: Iterator[T], depth: int) -> None:
        self.busy_s = self.waited_s = 0.0
        self._items = items
        self._queue: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(maxsize=depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._produce, name="decode-ahead", daemon=True)

    def __enter__(self) -> Ahead[T]:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        while self._thread.is_alive():
            try:  # make room, in case the thread waits to hand over an item
                self._queue.get_nowait()
            except queue.Empty:
                self._thread.join(0.05)

    def __iter__(self) -> Iterator[T]:
        while True:
            began = time.perf_counter()
            item, error = self._queue.get()
            self.waited_s += time.perf_counter() - began
            if error is not None:
                raise error
            if item is None:
                return
            yield item

    def _produce(self) -> None:
        error: BaseException | None = None
        try:
            while not self._stop.is_set():
                began = time.perf_counter()
                item = next(self._items, None)
                self.busy_s += time.perf_counter() - began
                if item is None:
                    break
                self._queue.put((item, None))
                del item  # or this thread keeps one more frame alive while it waits for the next
        except BaseException as problem:  # handed to the reader, which raises it
            error = problem
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
            self._queue.put((None, error))


def batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size` items, in order."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
