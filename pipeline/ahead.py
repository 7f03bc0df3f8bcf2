"""Iterators that run in threads of their own, a bounded number of items ahead of who reads them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


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
