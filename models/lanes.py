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

MOST = 8  # lanes: so many frames are given at once; further threads share a frame


class Lanes:
    """Threads that compute, torch's own shared out among them. They are made when first needed, and wait in between."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._kind = 0, 0  # lanes, threads of each

    def each(self, function: Callable[[T], U], items: Sequence[T], count: int) -> list[U]:
        """The function of every item, in order, up to `count` at a time. One alone has all of torch's threads."""
        if min(count, len(items)) < 2:
            return [function(item) for item in items]
        before = torch.get_num_threads()
        kind = count, max(1, before // count)
        if self._pool is None or self._kind != kind:
            self._kind = kind
            self._pool = ThreadPoolExecutor(count, "judge", initializer=lambda: torch.set_num_threads(kind[1]))
        torch.set_num_threads(kind[1])  # MKL has one number for the whole process
        try:
            return list(self._pool.map(function, items))
        finally:
            torch.set_num_threads(before)
