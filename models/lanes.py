"""Frames side by side, one a thread, in place of threads that share each frame's work.

Two threads halve the time of a large matrix product, but not of the small steps between: a frame's hundred of these
leave one core in three idle. A frame a thread keeps all of them busy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
U = TypeVar("U")


class Lanes:
    """Threads that compute, each on one core. They are made when first needed, and wait in between."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._count = 0

    def each(self, function: Callable[[T], U], items: Sequence[T], count: int) -> list[U]:
        """The function of every item, in order, up to `count` at a time. One alone has torch's own threads."""
        if min(count, len(items)) < 2:
            return [function(item) for item in items]
        if self._pool is None or self._count != count:
            self._count = count
            self._pool = ThreadPoolExecutor(count, "judge", initializer=lambda: torch.set_num_threads(1))
        before = torch.get_num_threads()
        torch.set_num_threads(1)  # a thread takes over what is set when it first computes; MKL asks each time
        try:
            return list(self._pool.map(function, items))
        finally:
            torch.set_num_threads(before)
