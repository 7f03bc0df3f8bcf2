"""Whether threads of this process still move: told from outside, since a decoder's C code cannot be asked."""

from __future__ import annotations

import gc
import inspect
import sys
import time
from types import FrameType

_Place = list[tuple[int, int, tuple[int, ...]]]


class Watch:
    """Notices when threads that began after `before` all stand still: same instruction, same variables, each time.

    A thread inside one long C call (a decoder that loops, a disk that does not answer) looks like that, and so do those
    that wait for it; a loop in Python that makes progress changes at least one variable of its own.

    Args:
        before: idents of the threads that are not looked at.
    """

    def __init__(self, before: frozenset[int]) -> None:
        self._before = before
        self._seen: object = None
        self._still = 0.0
        self._asked = time.monotonic()

    def still_for(self) -> float:
        """Seconds since something was last seen to have moved; pauses of the whole process do not count. Ask often."""
        now = time.monotonic()
        self._still += min(now - self._asked, 1.0)
        self._asked = now
        places = _places(self._before)
        if places != self._seen:
            self._seen, self._still = places, 0.0
        return self._still


def _places(leave_out: frozenset[int]) -> dict[int, _Place]:
    """Where threads are, by ident. Without the garbage collector: what it frees may let them run on half way."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return {ident: _place(frame) for ident, frame in sys._current_frames().items() if ident not in leave_out}
    finally:
        if collects:
            gc.enable()


def _place(frame: FrameType | None) -> _Place:
    """Where a thread is, in every frame of its stack, and which objects its variables are."""
    place = []
    while frame is not None:
        place.append((id(frame), frame.f_lasti, _variables(frame)))
        frame = frame.f_back
    return place


def _variables(frame: FrameType) -> tuple[int, ...]:
    """Which objects a function's variables are.

    Before Python 3.13 `f_locals` of a function is a dict that stays with its frame and is filled anew each time. If the
    last one's objects were still in it, they would be freed while C code goes through the frame, which may let its
    thread run on, return, and leave that C code with memory that is somebody else's now: a segmentation fault. So the
    dict is emptied, and asked for only once.
    """
    if not frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        return ()  # a module or class: these variables are no copy
    variables = frame.f_locals
    found = tuple(map(id, variables.values()))
    if sys.version_info < (3, 13):
        variables.clear()
    return found
