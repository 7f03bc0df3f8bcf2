"""What a process of ours is told before it computes. Never done to a caller's own process."""

from __future__ import annotations

import contextlib
import ctypes
import os

_TRIM, _MMAP, _ARENAS = -1, -3, -8  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX of glibc's malloc.h
_LARGE = 1 << 30


def tune() -> None:
    """Set up threads and memory of this process; to be called before torch is imported.

    Threads that wait for each other sleep: by default they spin, which beside decoders and other processes cost four
    times the processor time of the work itself. And memory, once had, is kept: layers' outputs are large, and giving
    each back to the system and faulting it in again was a third of the network's time.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        library = ctypes.CDLL(None)
        for what, value in ((_MMAP, _LARGE), (_TRIM, _LARGE), (_ARENAS, 1)):
            library.mallopt(what, value)
