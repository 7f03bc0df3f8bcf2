"""The objects of one folder in a bucket: listed, read, written and taken away, each whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pyarrow import fs as pafs

from .errors import UsageError, YotoVideoError
from .object_store import asked_again, resolve, short

_AT_ONCE = 16  # requests


class Bucket:
    """A folder of an object store.

    Args:
        uri: canonical URI of the folder.

    Raises:
        UsageError: the store cannot be set up.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._system, self._base = resolve(uri)

    def names(self, folder: str = "") -> list[str]:
        """Files and folders directly in a folder, relative to it; none where it is not there.

        Raises:
            UsageError: it cannot be listed.
        """
        return [info.base_name for info in self.entries(folder)]

    def entries(self, folder: str, *, recursive: bool = False) -> list[Any]:
        """`pyarrow.fs.FileInfo` of what is in a folder; none where it is not there.

        Raises:
            UsageError: it cannot be listed.
        """
        return list(self._ask(pafs.FileSelector(self._place(folder), allow_not_found=True, recursive=recursive)))

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
            YotoVideoError: the store refused; the older object is untouched.
        """
        try:
            self.write(relative, content)
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
        try:
            self.delete(relative)
        except OSError as error:
            raise YotoVideoError(f"{self.uri}/{relative}: cannot remove old results ({short(error)})") from None

    def prune(self, folder: str, *, keep: Iterable[str]) -> None:
        """Take away what is below a folder but for these objects."""
        stays = set(keep)
        for relative in self._files(folder):
            if relative not in stays:
                self.remove(relative)

    def write(self, relative: str, content: bytes) -> None:
        """As `put`, without a sentence for users: raises OSError as it comes."""
        asked_again(partial(self._write, relative, content))

    def delete(self, relative: str) -> None:
        """As `remove`, without a sentence for users: raises OSError as it comes."""
        asked_again(partial(self._delete, relative))

    def _place(self, relative: str) -> str:
        return f"{self._base}/{relative}" if relative else self._base

    def _files(self, name: str) -> list[str]:
        """A file, or the files below a folder, relative to the whole; none where there is neither."""
        info = self._ask(self._place(name))
        found = [info] if info.is_file else self.entries(name, recursive=True)
        return [str(one.path[len(self._base) + 1 :]) for one in found if one.is_file]

    def _ask(self, what: Any) -> Any:
        try:
            return asked_again(partial(self._system.get_file_info, what))
        except OSError as error:
            problem = f"cannot be listed ({short(error)}); check the address and credentials"
            raise UsageError(f"{self.uri}: {problem}") from None

    def _read(self, relative: str) -> bytes:
        with self._system.open_input_file(self._place(relative)) as file:
            return bytes(file.read())

    def _write(self, relative: str, content: bytes) -> None:
        with self._system.open_output_stream(self._place(relative)) as file:
            file.write(content)

    def _delete(self, relative: str) -> None:
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
