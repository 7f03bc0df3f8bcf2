"""What a scan in hand says of itself for `yoto-video status`: a small file beside its results, written again and again.

The file is replaced whole every few seconds from a thread, so that a scan that died is told from one that works on a
long film. Nothing reads it but `status`; a disk that refuses it costs nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from .. import __version__
from ..pipeline.storage import is_remote
from ..pipeline.store import Store
from ..pipeline.text import plain
from ..pipeline.values import ClipScore
from .progress import Progress
from .request import End, Listener, ScanResult
from .work import Done

NAME = ".status.json"
EVERY_S = 2.0
BUCKET_EVERY_S = 15.0  # each time is a request
TOLD = 5  # failures, the last ones


class Heartbeat(Listener):
    """Writes OUT/.status.json while it is open.

    Args:
        store: of the results.
        command: what was asked for.
    """

    def __init__(self, store: Store, command: str) -> None:
        self._store = store
        self._every_s = BUCKET_EVERY_S if is_remote(store.place) else EVERY_S
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._at: Progress | None = None
        self._over = threading.Event()
        self._idle = True  # nothing was measured
        self._said: dict[str, Any] = {
            "state": "running", "stage": "planning", "command": plain(command), "version": __version__,
            "host": socket.gethostname(), "pid": os.getpid(), "started_at": _now(),
            "ok": 0, "skipped": 0, "failed": 0, "frames": 0, "failures": [],
        }  # fmt: skip
        self._rows: dict[tuple[str, str | None], str] = {}  # status by path and mode
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._write()

    @contextlib.contextmanager
    def stage(self, what: str, total: int, work: float | None = None) -> Iterator[None]:
        """Say what is done at present; a stage that comes again, as looks with a budget do, is counted on."""
        with self._lock:
            if self._at is not None and self._said["stage"] == what:
                self._at.go_on(total, work)
            else:
                self._said["stage"], self._at = what, Progress(total, work)
        self._write()
        yield

    def advanced(self, videos: int, work: float | None = None) -> None:
        """Count."""
        with self._lock:
            if self._at is not None:
                self._at.advance(videos, work)

    def known(self, rows: Sequence[ClipScore]) -> None:
        """Count rows by status."""
        with self._lock:
            for row in rows:
                self._count(row)

    def _count(self, row: ClipScore) -> None:
        before = self._rows.get((row.path, row.mode))
        if before is not None:  # measured anew
            self._said[before] -= 1
        self._rows[row.path, row.mode] = row.status
        self._said[row.status] += 1

    def measured(self, done: Done) -> None:
        """Count rows by status, and keep the last few sentences of failures."""
        with self._lock:
            self._idle = False
            self._said["frames"] += done.result.frames
            for row in (result.clip for result in done.result.results):
                self._count(row)
                if row.status == "failed":
                    self._said["failures"] = [*self._said["failures"][1 - TOLD :], _failure(row)]

    def ended(self, how: End, result: ScanResult | None = None, reason: str | None = None) -> None:
        """Say so; failures that an earlier scan met come before those of this one."""
        with self._lock:
            self._said |= {"state": how, "reason": reason}
            if result is not None:
                self._said |= {"ok": result.ok, "skipped": result.skipped, "failed": result.failed}
                failures = dict.fromkeys(_failure(row) for row in result.clips if row.status == "failed")
                new = [said for said in self._said["failures"] if failures.pop(said, said) is None]
                self._said["failures"] = [*failures, *new][-TOLD:]

    def _beat(self) -> None:
        while not self._over.wait(self._every_s):
            self._write()

    def _write(self) -> None:
        with self._lock:
            at = self._at
            said = self._said | {"updated_at": _now()}
            if at is not None:
                over = self._idle and said["state"] != "running"  # how fast results were looked up tells nothing
                said |= {
                    "videos": at.videos, "done": at.done, "seconds": round(at.seconds, 1),
                    "videos_a_minute": None if over or at.rate is None else round(at.rate, 2),
                    "left_s": None if over or at.left_s is None else round(at.left_s),
                }  # fmt: skip
        with self._writing, contextlib.suppress(OSError):
            aside = self._store.out / f"{NAME}.{os.getpid()}"
            aside.write_text(json.dumps(said), encoding="utf-8")
            aside.replace(self._store.out / NAME)
            self._store.send(NAME)


def _failure(row: ClipScore) -> str:
    return plain(f"{row.path}: {row.reason}")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
