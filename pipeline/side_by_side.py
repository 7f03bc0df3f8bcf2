"""The same work over many files on a few threads: headers and stores are mostly waited for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from os import cpu_count
from typing import TypeVar

from . import touched
from .watch import Watch

STUCK_S = 90.0  # FFmpeg gives up a file that does not answer after 60
_LOOK_S = 1.0  # between two looks at whether anything moves
_WORKERS = 4

T = TypeVar("T")
U = TypeVar("U")


def in_parallel(work: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """`work` over `items`, results in order.

    Raises:
        YotoVideoError: work on one of them stands still; its thread is left behind. A supervised process ends in place
            of that, and is begun again (`touched.give_up`).
    """
    items = list(items)
    pool = ThreadPoolExecutor(max(1, min(_WORKERS, cpu_count() or 1, len(items))), thread_name_prefix="glance")
    results, watch = [], Watch(frozenset(sys._current_frames()))
    try:
        for future in [pool.submit(work, item) for item in items]:
            while not wait([future], _LOOK_S).done:
                if watch.still_for() > STUCK_S:
                    touched.give_up(STUCK_S)
            results.append(future.result())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return results
