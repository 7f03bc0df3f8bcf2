"""The same work over many files on a few threads: headers and stores are mostly waited for."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from contextlib import suppress
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
        YotoVideoError: work on one of them stands still; its thread is left behind, and keeps no process from ending.
            A supervised process ends in place of that, and is begun again (`touched.give_up`).
    """
    todo: queue.SimpleQueue[tuple[T, Future[U]]] = queue.SimpleQueue()
    answers = []
    for item in items:
        answers.append(Future[U]())
        todo.put((item, answers[-1]))

    def some() -> None:
        with suppress(queue.Empty):
            while True:
                item, answer = todo.get_nowait()
                try:
                    answer.set_result(work(item))
                except BaseException as error:  # handed to who waits for it, who raises it
                    answer.set_exception(error)

    # Not a ThreadPoolExecutor's: a process that ends waits for those.
    count = min(_WORKERS, cpu_count() or 1, len(answers))
    threads = [threading.Thread(target=some, name="glance", daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    watch = Watch(frozenset(sys._current_frames()) - {thread.ident for thread in threads})
    results = []
    try:
        for answer in answers:
            while not wait([answer], _LOOK_S).done:
                if watch.still_for() > STUCK_S:
                    touched.give_up(STUCK_S)
            results.append(answer.result())  # an error ends the rest
    finally:
        with suppress(queue.Empty):
            while True:
                todo.get_nowait()
    return results
