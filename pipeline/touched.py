"""Which files a decoder has open in this process, noted where a supervisor can read it after a crash.

A decoder's C code may bring the whole process down, or never return. What it was reading then is told by a small file
that the supervisor holds too (`jobs/supervise.py`). `suspects` are the files that an earlier try ended with.

Each open file has a slot of its own there, and no lock is needed. A lock would be a trap: the garbage collector may run
while it is held and close a file that was forgotten, which would wait for the lock in the very thread that holds it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from collections.abc import Iterator
from typing import NoReturn

from .errors import YotoVideoError

STILL = getattr(signal, "SIGALRM", signal.SIGTERM)  # ends a process that stands still; no decoder ends by it
SLOT = 8192  # bytes: more than a path of any system or key of any store takes

suspects: frozenset[str] = frozenset()  # paths: not to be opened for a mere glance

_note: int | None = None  # file descriptor
_new = itertools.count()  # slots not used so far
_free: list[int] = []  # slots used before
_open: dict[int, str] = {}  # by slot


def note_in(descriptor: int) -> None:
    """Keep the list of open paths in the file of this descriptor; what it held is wiped."""
    global _note
    os.ftruncate(descriptor, 0)
    _note = descriptor


@contextlib.contextmanager
def noted(path: str) -> Iterator[None]:
    """A stretch in which a decoder reads this file."""
    try:
        slot = _free.pop()
    except IndexError:
        slot = next(_new)
    _write(slot, os.fsencode(path)[:SLOT])
    _open[slot] = path
    try:
        yield
    finally:
        del _open[slot]
        _write(slot, b"")
        _free.append(slot)


def _write(slot: int, content: bytes) -> None:
    if _note is not None:
        with contextlib.suppress(OSError):  # no room for it: the file is read all the same
            os.pwrite(_note, content.ljust(SLOT, b"\0"), slot * SLOT)


def give_up(after_s: float) -> NoReturn:
    """End a process in which a decoder stands still: its supervisor begins again, and tells which files were open.

    Raises:
        YotoVideoError: there is no supervisor: a caller's own process is not ours to end.
    """
    if _note is not None:
        os.kill(os.getpid(), STILL)
    names = ", ".join(sorted(set(_open.values()))) or "a file"
    raise YotoVideoError(
        f"{names}: nothing moved for {after_s:g} s while it was opened; it may be damaged, leave it out"
    )


def read_note(descriptor: int) -> frozenset[str]:
    """The paths that were open when the process that wrote the file last changed it."""
    text = os.pread(descriptor, 1 << 24, 0)
    slots = (text[at : at + SLOT].rstrip(b"\0") for at in range(0, len(text), SLOT))
    return frozenset(os.fsdecode(path) for path in slots if path)
