"""The one hand that changes a results folder, on a disk or in a bucket.

What is in a bucket is read through a working copy of its tables on the local disk, and every change is made in both:
the bucket's objects are the results, the copy goes with this process. Pictures and pages go straight to the bucket.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import IO

import pyarrow as pa

from .errors import YotoVideoError
from .mirror import Mirror
from .parts import remove_part, write_part
from .pictures import write_pictures
from .results_folder import (
    check_readable,
    clear_leftovers,
    fetch_tables,
    local_path,
    lock,
    place_of,
    prepare,
    prepare_copy,
)
from .storage import is_remote
from .working_copy import working_copy

PICTURES = "pictures"


class ResultsFolder:
    """A folder of results, opened for reading or as its one writer.

    Args:
        out: folder, or URI of one.
        read_only: neither create, lock, clean nor change anything.

    Attributes:
        place: the folder, absolute, or its URI: for messages, and to tell folders from each other.
        out: where its tables are on this machine: the folder itself, or the working copy.

    Raises:
        UsageError: it cannot be used: not writable, a file, not ours, in use, written by a newer version.
    """

    def __init__(self, out: str | os.PathLike[str], *, read_only: bool) -> None:
        self.place = place_of(out)
        self._lock: IO[str] | None = None
        self._mirror = Mirror(self.place) if is_remote(self.place) else None
        self.out = local_path(out) if self._mirror is None else working_copy(self)
        if self._mirror is not None and read_only:
            fetch_tables(self._mirror, self.out)
            check_readable(self.out, self.place)
        elif self._mirror is not None:
            prepare_copy(self._mirror, self.out)
        elif read_only:
            check_readable(self.out)
        else:
            prepare(self.out)
            self._lock = lock(self.out)
            clear_leftovers(self.out)

    @property
    def is_remote(self) -> bool:
        """Whether the results are in a bucket."""
        return self._mirror is not None

    def write_part(self, data_set: str, name: str, table: pa.Table) -> None:
        """Put a part in place, whole.

        Raises:
            YotoVideoError: it could not be written; the old part is untouched where readers look.
        """
        write_part(self.out, data_set, name, table)
        if self._mirror is not None:
            self._mirror.put(f"{data_set}/{name}", (self.out / data_set / name).read_bytes())

    def remove_part(self, data_set: str, name: str) -> None:
        """Take a part away, if it is there.

        Raises:
            YotoVideoError: it could not be removed.
        """
        there = (self.out / data_set / name).exists()
        remove_part(self.out, data_set, name)
        if self._mirror is not None and there:
            self._mirror.remove(f"{data_set}/{name}")

    def set_aside(self, data_set: str, name: str) -> None:
        """Move a damaged part out of readers' way; where that fails it stays until its rows are measured again."""
        here, aside = self.out / data_set / name, f".damaged/{data_set}-{name}"
        with suppress(OSError, YotoVideoError):
            (self.out / aside).parent.mkdir(exist_ok=True)
            if self._mirror is not None:
                self._mirror.put(aside, here.read_bytes())
                self._mirror.remove(f"{data_set}/{name}")
            here.replace(self.out / aside)

    def save_pictures(self, files: Mapping[str, bytes]) -> None:
        """Write pictures, by path relative to the folder.

        Raises:
            YotoVideoError: they could not be written.
        """
        if self._mirror is not None:
            for relative, content in files.items():
                self._mirror.put(relative, content)
            return
        try:
            write_pictures(self.out, files)
        except OSError as error:
            raise YotoVideoError(
                f"{self.place}: cannot write pictures ({error.strerror}); make room, run again"
            ) from None

    def pictured(self) -> list[str]:
        """Ids of the results that have pictures."""
        if self._mirror is not None:
            return self._mirror.names(PICTURES)
        with suppress(OSError):
            return [entry.name for entry in (self.out / PICTURES).iterdir() if entry.is_dir()]
        return []

    def drop_pictures(self, result_ids: Iterable[str]) -> None:
        """Take away the pictures of these results."""
        for result_id in result_ids:
            if self._mirror is not None:
                with suppress(YotoVideoError):  # the next run drops them
                    self._mirror.remove(f"{PICTURES}/{result_id}")
            else:
                shutil.rmtree(self.out / PICTURES / result_id, ignore_errors=True)

    def fetch(self, *names: str) -> None:
        """Have these folders or files of the bucket in the working copy too. Nothing to do for a local folder."""
        if self._mirror is not None:
            self._mirror.fetch(self.out, *names)

    def replace(self, name: str, *, last: str) -> None:
        """Make the bucket's folder `name` what it is in the working copy, its file `last` at the end of all.

        Raises:
            YotoVideoError: the store refused; as long as the old `last` stands, so do the files it needs.
        """
        if self._mirror is None:
            return
        files = sorted(str(file.relative_to(self.out)) for file in (self.out / name).rglob("*") if file.is_file())
        self._mirror.put_all(self.out, [file for file in files if file != f"{name}/{last}"])
        self._mirror.put_all(self.out, [f"{name}/{last}"])
        self._mirror.prune(name, keep=files)

    def send(self, relative: str) -> None:
        """Bring one file of the working copy to the bucket; one that cannot be brought costs the next run time."""
        if self._mirror is not None and (self.out / relative).exists():
            with suppress(YotoVideoError, OSError):
                self._mirror.put(relative, (self.out / relative).read_bytes())

    def close(self) -> None:
        """Let other runs write here. Safe to call twice; what was read stays readable."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if self._mirror is not None:
            self._mirror.unlock()
