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
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pyarrow import fs as pafs

from .errors import UsageError, YotoVideoError
from .object_store import asked_again, resolve, short

LEASE_S = 30.0  # a claim that was not renewed for so long is given up
_RENEW_S = 8.0
_AT_ONCE = 16  # requests
_LOCK = ".lock"


class Mirror:
    """The objects of one results folder.

    Args:
        uri: canonical URI of the folder.

    Raises:
        UsageError: the store cannot be set up.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._system, self._base = resolve(uri)
        self._claim: _Claim | None = None

    # --- objects -----------------------------------------------------------------------------------------------------

    def names(self, folder: str = "") -> list[str]:
        """Files and folders directly in a folder, relative to it; none where it is not there.

        Raises:
            UsageError: it cannot be listed.
        """
        return [info.base_name for info in self._list(folder, recursive=False)]

    def read(self, relative: str) -> bytes | None:
        """An object's content; None where there is none.

        Raises:
            UsageError: it cannot be read.
        """
        try:
            return asked_again(partial(self._read, relative))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"{self.uri}/{relative}: cannot be read ({short(error)})") from None

    def fetch(self, target: Path, *names: str) -> None:
        """Copy objects, and folders with all that is below them, to the same places under a local folder.

        Raises:
            UsageError: they cannot be read.
            YotoVideoError: the local disk refused.
        """
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for name in names:  # one after the other: who reads clips before frames never sees a clip without them
                list(threads.map(partial(self._fetch_one, target), self._files(name)))

    def put(self, relative: str, content: bytes) -> None:
        """Write an object, whole.

        Raises:
            YotoVideoError: the store refused, or another run took over; the older object is untouched.
        """
        self._must_hold()
        try:
            asked_again(partial(self._put, relative, content))
        except OSError as error:
            raise YotoVideoError(
                f"{self.uri}/{relative}: cannot write results ({short(error)}); run again to resume"
            ) from None

    def put_all(self, source: Path, names: Iterable[str]) -> None:
        """`put` files of a local folder at the same places, several at once."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(lambda name: self.put(name, (source / name).read_bytes()), names))

    def remove(self, relative: str) -> None:
        """Take an object, or a folder with all that is in it, away, if it is there.

        Raises:
            YotoVideoError: it could not be removed.
        """
        self._must_hold()
        try:
            asked_again(partial(self._remove, relative))
        except OSError as error:
            raise YotoVideoError(f"{self.uri}/{relative}: cannot remove old results ({short(error)})") from None

    def prune(self, folder: str, *, keep: Iterable[str]) -> None:
        """Take away what is below a folder but for these objects."""
        stays = set(keep)
        for relative in self._files(folder):
            if relative not in stays:
                self.remove(relative)

    # --- one writer --------------------------------------------------------------------------------------------------

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
            others = {i.path: i.mtime_ns or 0 for i in self._list(_LOCK, recursive=False) if i.base_name != own}
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

    # --- single requests ---------------------------------------------------------------------------------------------

    def _place(self, relative: str) -> str:
        return f"{self._base}/{relative}" if relative else self._base

    def _files(self, name: str) -> list[str]:
        """A file, or the files below a folder, relative to the whole; none where there is neither."""
        info = self._ask(self._place(name))
        found = [info] if info.is_file else self._list(name, recursive=True)
        return [str(one.path[len(self._base) + 1 :]) for one in found if one.is_file]

    def _list(self, folder: str, *, recursive: bool) -> list[Any]:
        return list(self._ask(pafs.FileSelector(self._place(folder), allow_not_found=True, recursive=recursive)))

    def _ask(self, what: Any) -> Any:
        try:
            return asked_again(partial(self._system.get_file_info, what))
        except OSError as error:
            problem = f"cannot be listed ({short(error)}); check the address and credentials"
            raise UsageError(f"{self.uri}: {problem}") from None

    def _read(self, relative: str) -> bytes:
        with self._system.open_input_file(self._place(relative)) as file:
            return bytes(file.read())

    def _put(self, relative: str, content: bytes) -> None:
        with self._system.open_output_stream(self._place(relative)) as file:
            file.write(content)

    def _remove(self, relative: str) -> None:
        info = self._system.get_file_info(self._place(relative))
        with suppress(FileNotFoundError):  # done by a request whose answer was lost
            if info.type == pafs.FileType.Directory:
                self._system.delete_dir(info.path)
            elif info.type == pafs.FileType.File:
                self._system.delete_file(info.path)

    def _fetch_one(self, target: Path, relative: str) -> None:
        content = self.read(relative)
        if content is None:
            return
        file = target / relative
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            raise YotoVideoError(f"{file}: cannot write a copy of {self.uri} ({error.strerror}); make room") from None


class _Claim:
    """This run's object under `.lock/`, renewed by a thread."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self.name = f"{uuid.uuid4().hex}.json"
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
        asked_again(partial(self._mirror._put, f"{_LOCK}/{self.name}", self._content))
        self._renewed = now

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take the object away."""
        self._over.set()
        self._thread.join()
        with suppress(OSError):
            asked_again(partial(self._mirror._remove, f"{_LOCK}/{self.name}"))

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
