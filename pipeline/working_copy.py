"""Folders for copies of what lies in a bucket: each belongs to one process, and goes when that does."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
import weakref
from pathlib import Path
from typing import IO

_PREFIX = "yoto-video-copy-"
_NEW_S = 60.0  # one so young may not have been locked yet


def working_copy(owner: object) -> Path:
    """A new, empty folder under the system's temporary one, removed with its owner.

    What processes that were killed left behind is removed too.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if _age_s(left) > _NEW_S and (lock := _locked(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            lock.close()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    weakref.finalize(owner, _remove, folder, _locked(folder))
    return folder


def _remove(folder: Path, lock: IO[str] | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        lock.close()


def _age_s(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0


def _locked(folder: Path) -> IO[str] | None:
    """A lock on the folder, held until it is closed or this process ends; None where another process holds it."""
    file = None
    with contextlib.suppress(OSError, ImportError):
        file = (folder / ".in-use").open("a")
        import fcntl  # not on Windows: there, what is left behind stays

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file
    if file is not None:
        file.close()
    return None
