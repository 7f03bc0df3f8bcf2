"""Whether threads of this process still move: told from outside, since a decoder's C code cannot be asked."""

from __future__ import annotations

import gc
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
        self._held: list[object] = []
        self._still = 0.0
        self._asked = time.monotonic()

    def still_for(self) -> float:
        """Seconds since something was last seen to have moved; pauses of the whole process do not count. Ask often."""
        now = time.monotonic()
        self._still += min(now - self._asked, 1.0)
        self._asked = now
        held: list[object] = []
        places = _places(self._before, held)
        self._held = held  # what the last look saw may go now, and not before
        if places != self._seen:
            self._seen, self._still = places, 0.0
        return self._still


def _places(leave_out: frozenset[int], held: list[object]) -> dict[int, _Place]:
    """Where threads are, by ident; what their variables are is added to `held`.

    Before Python 3.13 `f_locals` of a function is a dict that stays with its frame and is filled anew each time. If it
    were the last to hold what a variable was at the last look, that would be freed while C code goes through the frame,
    which may let its thread run on and return, and leave that C code with memory that is somebody else's now: a
    segmentation fault. So the last look's objects are held until this one is over, and nothing is collected meanwhile.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        threads = sys._current_frames()
        return {ident: _place(frame, held) for ident, frame in threads.items() if ident not in leave_out}
    finally:
        if collects:
            gc.enable()


def _place(frame: FrameType | None, held: list[object]) -> _Place:
    """Where a thread is, in every frame of its stack, and which objects its variables are."""
    place = []
    while frame is not None:
        variables = list(frame.f_locals.values())
        held.append(variables)
        place.append((id(frame), frame.f_lasti, tuple(map(id, variables))))
        frame = frame.f_back
    return place
