"""Ctrl-C: once, and what is in hand is finished; twice, and everything ends at once."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

SAID = b"\nstopping: what is in hand is finished first; Ctrl-C again stops at once\n"


class Stop:
    """Whether somebody asked for an end."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """Whether it is."""
        return self.asked


@contextlib.contextmanager
def gently() -> Iterator[Stop]:
    """Inside, the first SIGINT only sets `asked`; the second raises KeyboardInterrupt. In other threads: nothing."""
    stop = Stop()

    def handle(number: int, _: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt(number)
        stop.asked = True
        with contextlib.suppress(OSError):
            os.write(2, SAID)  # no print: the interrupted code may be in the middle of one

    try:
        before = signal.signal(signal.SIGINT, handle)
    except ValueError:  # not in the main thread: the caller's signals are not ours
        yield stop
        return
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
