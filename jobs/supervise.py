"""A command that survives its decoders: run in a process of its own, begun again when that crashes.

Begun again, it no longer opens for a glance the files that were being read, and measures in workers that are replaced
when they die: each file that crashes its worker gets a row that says so. What had been measured before is kept.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from ..pipeline import touched
from ..pipeline.text import printable

MOST_CRASHES = 20
INTERRUPT = getattr(signal, "SIGUSR2", None)  # what Ctrl-C becomes on its way to the child, which else had it twice
_ORDINARY = {getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE")} | {INTERRUPT}
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux's prctl.h


def supervised() -> bool:
    """Go on in a process of its own; the caller's waits for it, begins it again after a crash, and ends as it ends.

    To be called before anything heavy is imported and any thread is started.

    Returns:
        In the new process: whether it was begun again after a crash. The old one does not return. Where there is no
        fork (Windows), the caller's process goes on by itself.
    """
    if not hasattr(os, "fork") or INTERRUPT is None:
        return False
    import tempfile  # not for --help

    with tempfile.TemporaryFile() as note:
        for crashes in range(MOST_CRASHES):
            parent, child = os.getpid(), os.fork()
            if child == 0:
                _die_with(parent)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(INTERRUPT, _interrupted)
                touched.note_in(os.dup(note.fileno()))
                return crashes > 0
            status = _wait_for(child)
            if not os.WIFSIGNALED(status) or os.WTERMSIG(status) in _ORDINARY:
                _end_like(status)
            read = touched.read_note(note.fileno())
            ended = os.WTERMSIG(status)
            how = "stood still" if ended == touched.STILL else f"crashed ({signal.strsignal(ended) or ended})"
            if not read - touched.suspects and crashes:  # workers have the files now: it is not a file
                break
            touched.suspects |= read
            of = f" while it read {printable(', '.join(sorted(read)))}" if read else ""
            print(f"yoto-video: {how}{of}; goes on with workers that may crash", file=sys.stderr, flush=True)
    print(f"yoto-video: error: {how} again; what was measured is kept", file=sys.stderr, flush=True)
    os._exit(1)


def _wait_for(child: int) -> int:
    """The child's wait status; signals that ask to end are passed on."""

    def pass_on(number: int, _: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, INTERRUPT if number == signal.SIGINT and INTERRUPT is not None else number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        return os.waitpid(child, 0)[1]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt(signal.SIGINT)


def _end_like(status: int) -> NoReturn:
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 + (signal.SIGINT if -code == INTERRUPT else -code))


def _die_with(parent: int) -> None:
    """End when the parent is killed: nobody would wait for this process any more."""
    import ctypes

    try:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    except (OSError, AttributeError):
        return  # not Linux
    if os.getppid() != parent:
        os._exit(1)  # it was killed meanwhile
