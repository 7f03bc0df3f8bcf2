"""Ctrl-C: once, and what is in hand is finished; twice, and everything ends at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from .supervise import INTERRUPT

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
    """Inside, the first Ctrl-C only sets `asked`; the second raises KeyboardInterrupt. In other threads: nothing.

    Ctrl-C is SIGINT, or what a supervising process passes on in its place: whichever is listened to now.
    """
    stop = Stop()

    def handle(number: int, _: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt(signal.SIGINT)
        stop.asked = True
        with contextlib.suppress(OSError):
            os.write(2, SAID)  # no print: the interrupted code may be in the middle of one

    if threading.current_thread() is not threading.main_thread():  # the caller's signals are not ours
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, INTERRUPT) if number is not None}
    heard = {number: handler for number, handler in before.items() if callable(handler)}
    for number in heard:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
