"""Which files a decoder has open in this process, noted where a supervisor can read it after a crash.

A decoder's C code may bring the whole process down. What it was reading then is told by a small file that the
supervisor holds too (`jobs/supervise.py`); with none, nothing is noted. `suspects` are the files that an earlier try
ended with.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Iterator

suspects: frozenset[str] = frozenset()  # paths: not to be opened for a mere glance

_lock = threading.Lock()
_open = Counter[str]()
_note: int | None = None  # file descriptor


def note_in(descriptor: int) -> None:
    """Keep the file of this descriptor equal to the list of open paths, NUL after each."""
    global _note
    _note = descriptor


@contextlib.contextmanager
def noted(path: str) -> Iterator[None]:
    """A stretch in which a decoder reads this file."""
    _change(path, 1)
    try:
        yield
    finally:
        _change(path, -1)


def _change(path: str, by: int) -> None:
    if _note is None:
        return
    with _lock:
        _open[path] += by
        text = b"".join(os.fsencode(name) + b"\0" for name, count in _open.items() if count > 0)
        os.pwrite(_note, text, 0)
        os.ftruncate(_note, len(text))
        if _open[path] <= 0:
            del _open[path]


def read_note(descriptor: int) -> frozenset[str]:
    """The paths that were open when the process that wrote the file last changed it."""
    text = os.pread(descriptor, 1 << 24, 0)
    return frozenset(os.fsdecode(name) for name in text.split(b"\0")[:-1])
