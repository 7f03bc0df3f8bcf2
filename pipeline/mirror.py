"""A results folder in a bucket: the bucket holds the truth, a working copy of its tables lies on the local disk.

An object appears whole or not at all, so writing a part to the bucket commits it as renaming does on a disk, and in the
same order. Buckets have no locks. A run claims its results with an object of its own under `.lock/`, which it renews
every few seconds; one that is not renewed for a while, or whose process is gone from this machine, counts no more. Two
runs that begin together see each other's claim, and both give way.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from .bucket import Bucket
from .errors import UsageError, YotoVideoError
from .object_store import short

LEASE_S = 30.0  # a claim that was not renewed for so long is given up
_RENEW_S = 8.0
_LOCK = ".lock"


class Mirror(Bucket):
    """A bucket's folder that one run at a time writes to. Arguments and errors as of `Bucket`."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self._claim: _Claim | None = None

    def put(self, relative: str, content: bytes) -> None:
        """Write an object, whole.

        Raises:
            YotoVideoError: the store refused, or another run took over; the older object is untouched.
        """
        self._must_hold()
        super().put(relative, content)

    def remove(self, relative: str) -> None:
        """Take an object, or a folder with all that is in it, away, if it is there.

        Raises:
            YotoVideoError: it could not be removed, or another run took over.
        """
        self._must_hold()
        super().remove(relative)

    def lock(self) -> None:
        """Keep other runs from writing here until `unlock`, or until this process has been gone for a while.

        Raises:
            UsageError: another run holds it, or the bucket cannot be written to.
        """
        claim = _Claim(self)
        try:
            claim.renew()
        except OSError as error:
            raise UsageError(
                f"{self.uri}: cannot write there ({short(error)}); check the address and credentials"
            ) from None
        claim.start()
        try:
            self._outwait(claim.name)
        except BaseException:
            claim.stop()
            raise
        self._claim = claim

    def unlock(self) -> None:
        """Let other runs write here. Safe to call twice."""
        if self._claim is not None:
            self._claim.stop()
            self._claim = None

    def _outwait(self, own: str) -> None:
        """Return when no other claim is alive."""
        deadline, first = time.monotonic() + LEASE_S, dict[str, int]()
        while True:
            others = {i.path: i.mtime_ns or 0 for i in self.entries(_LOCK) if i.base_name != own}
            for path, renewed in list(others.items()):
                holder = self.read(f"{_LOCK}/{path.rsplit('/', 1)[-1]}")
                if first.setdefault(path, renewed) != renewed:
                    raise UsageError(
                        f"{self.uri}: another run is writing there{_who(holder)}; wait for it, or choose another --out"
                    )
                if _is_gone(holder) or time.monotonic() > deadline:
                    self.remove(f"{_LOCK}/{path.rsplit('/', 1)[-1]}")
                    del others[path]
            if not others:
                return
            time.sleep(1.0)

    def _must_hold(self) -> None:
        if self._claim is not None and self._claim.lost:
            raise YotoVideoError(
                f"{self.uri}: the store did not answer for {LEASE_S:.0f} s, and another run may write there now; "
                "run again to resume"
            )


class _Claim:
    """This run's object under `.lock/`, renewed by a thread."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self.name = f"{uuid.uuid4().hex}.json"
        self._object = f"{_LOCK}/{self.name}"
        self._content = json.dumps({"host": _machine(), "process": os.getpid(), "began": _began(os.getpid())}).encode()
        self._renewed = time.time()
        self._given_up = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="claim", daemon=True)

    @property
    def lost(self) -> bool:
        """Whether others may have taken over; once lost it stays so."""
        self._given_up = self._given_up or time.time() - self._renewed > LEASE_S * 0.8
        return self._given_up

    def renew(self) -> None:
        """Write the object anew."""
        now = time.time()
        self._bucket.write(self._object, self._content)
        self._renewed = now

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take the object away."""
        self._over.set()
        self._thread.join()
        with suppress(OSError):
            self._bucket.delete(self._object)

    def _keep(self) -> None:
        while not self._over.wait(_RENEW_S) and not self.lost:
            with suppress(OSError):
                self.renew()


def _machine() -> str:
    """This machine since it was started: processes have the same numbers elsewhere."""
    try:
        booted = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        booted = ""
    return f"{socket.gethostname()} {booted}"


def _began(process: int) -> str:
    """When a process of this machine began, as the system counts it; "" where it is gone or that is not told."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _is_gone(holder: bytes | None) -> bool:
    """Whether a claim is that of a process of this machine that has ended."""
    try:
        told = json.loads(holder or b"")
        here = told["host"] == _machine() and bool(_began(os.getpid()))
        return here and _began(int(told["process"])) != told["began"]
    except (ValueError, KeyError, TypeError):
        return holder is None


def _who(holder: bytes | None) -> str:
    try:
        told = json.loads(holder or b"")
        return f" (process {told['process']} on {told['host'].split(' ')[0]})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
