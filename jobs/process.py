"""What a process of ours is told before it computes. Never done to a caller's own process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
from math import ceil
from pathlib import Path

THREADS = "OMP_NUM_THREADS"  # environment variable
_TRIM, _MMAP, _ARENAS = -1, -3, -8  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX of glibc's malloc.h
_LARGE = 1 << 30
_TURN_S = 1e-4  # how long a thread that computes in Python keeps others waiting: 5 ms by default, a layer takes 0.1


def cores(control_groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores this process may use: those it is bound to, and no more than its container's quota of time, rounded up."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        if (control_groups / "cpu.max").exists():
            quota, period = (control_groups / "cpu.max").read_text().split()
        else:  # the older kind
            quota, period = ((control_groups / "cpu" / f"cpu.cfs_{w}_us").read_text() for w in ("quota", "period"))
        if int(quota) > 0:  # not -1; the newer kind says "max", which is no number
            return max(1, min(bound, ceil(int(quota) / int(period))))
    return bound


def tune() -> str | None:
    """Set up threads and memory of this process; to be called before numpy and torch are imported.

    Returns a sentence where OMP_NUM_THREADS was set to what is no number of threads, and could not be heeded.

    Threads that wait for each other sleep: by default they spin, which beside decoders and other processes cost four
    times the processor time of the work itself. numpy's cannot but spin, so its small products have one thread.
    Python's lock changes hands soon: a frame's hundreds of small steps would each wait for what looks at other frames.
    And memory, once had, is kept: layers' outputs are large, and giving each back to the system and faulting it in
    again was a third of the network's time.
    """
    given = os.environ.get(THREADS, "").strip()
    heeded = re.fullmatch(r"0*[1-9]\d{0,8}( *,.*)?", given) is not None  # OpenMP takes a list, by depth of nesting
    if not heeded:
        os.environ[THREADS] = str(cores())  # torch and OpenMP know nothing of a container's quota
    sys.setswitchinterval(_TURN_S)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        library = ctypes.CDLL(None)
        for what, value in ((_MMAP, _LARGE), (_TRIM, _LARGE), (_ARENAS, 1)):
            library.mallopt(what, value)
    return f"{THREADS}={given} is no number of threads; {os.environ[THREADS]} taken" if given and not heeded else None
