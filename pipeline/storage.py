"""Where bytes come from: local files by path, object stores (`s3://`, `gs://`, ...) by ranged reads through pyarrow.fs.

A path is *canonical* when it is an absolute local path or a URI; that is what the `path` column holds. A rendition of a
manifest is many objects read as one stream (`VideoRef.parts`). Nothing here reads a whole object into memory.
"""

from __future__ import annotations

import hashlib
import io
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from pyarrow import fs as pafs

from .errors import SkippedVideo, TransientVideoError, UsageError, VideoError
from .values import VideoRef

READ_SIZE = 1 << 20  # bytes an object store is asked for at a time: a request costs about as much as reading this
EDGE = 1 << 16  # bytes of an object's head and tail that identify it together with its size and time


@dataclass(frozen=True)
class FileEntry:
    """One file found by `walk`."""

    path: str  # canonical
    size: int  # bytes
    mtime_ns: int  # 0 where the store does not say

    @property
    def name(self) -> str:
        """Last component of the path."""
        return self.path.rsplit("/", 1)[-1]


def is_remote(path: str) -> bool:
    """True for a URI of an object store, False for a local path or `file://` URI."""
    return "://" in path and not path.startswith("file://")


def canonical(path: str) -> str:
    """Absolute local path, or the URI without a trailing slash. `file://` URIs become local paths."""
    if is_remote(path):
        return path.rstrip("/")
    if path.startswith("file://"):
        path = unquote(urlsplit(path).path)
    return os.path.abspath(os.path.expanduser(path))


def join(base: str, relative: str) -> str:
    """`relative` (forward slashes, may hold `..`) seen from the folder `base`; absolute paths and URIs stay as they are."""
    if "://" in relative or os.path.isabs(relative):
        return canonical(relative)
    if is_remote(base):
        scheme, _, rest = base.partition("://")
        return f"{scheme}://" + os.path.normpath(f"{rest.rstrip('/')}/{relative}")
    return os.path.normpath(os.path.join(base, relative))


def resolve(root: str) -> tuple[Any, str]:
    """The `pyarrow.fs.FileSystem` that holds `root` and the path inside it.

    Raises:
        UsageError: unknown scheme, or a store that cannot be set up (bucket, region, credentials).
    """
    path = canonical(root)
    if not is_remote(path):
        return pafs.LocalFileSystem(), path
    try:
        return cast(tuple[Any, str], pafs.FileSystem.from_uri(path))
    except (OSError, ValueError, NotImplementedError) as error:
        raise UsageError(f"{root}: this storage cannot be opened ({_short(error)}); check the address and credentials") from error


def walk(root: str) -> Iterator[FileEntry]:
    """Every file below `root` (or `root` itself when it is a file), sorted inside each folder, one folder in memory at a time.

    Names that start with a dot are left out, and folders that lead back into themselves through links.

    Raises:
        UsageError: `root` does not exist or cannot be listed.
    """
    path = canonical(root)
    if is_remote(path):
        filesystem, inside = resolve(path)
        yield from _walk_store(filesystem, path[: len(path) - len(inside)], inside, root)
        return
    if os.path.isfile(path):
        stat = os.stat(path)
        yield FileEntry(path, stat.st_size, stat.st_mtime_ns)
    elif os.path.isdir(path):
        yield from _walk_local(path, frozenset())
    else:
        raise UsageError(f"{root}: no such file or folder")


def _walk_local(folder: str, above: frozenset[str]) -> Iterator[FileEntry]:
    real = os.path.realpath(folder)
    if real in above:
        return
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        if not above:
            raise UsageError(f"{folder}: cannot be listed ({_short(error)})") from error
        return  # an unreadable folder deep inside must not stop the batch
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir():
                yield from _walk_local(entry.path, above | {real})
            elif entry.is_file():
                stat = entry.stat()
                yield FileEntry(entry.path, stat.st_size, stat.st_mtime_ns)
        except OSError:
            continue  # gone since it was listed, or a broken link


def _walk_store(filesystem: Any, prefix: str, inside: str, root: str) -> Iterator[FileEntry]:
    try:
        info = filesystem.get_file_info(inside)
        if info.type == pafs.FileType.File:
            yield FileEntry(prefix + info.path, info.size, info.mtime_ns or 0)
            return
        if info.type == pafs.FileType.NotFound:
            raise UsageError(f"{root}: no such object or folder in this storage")
        found = sorted(filesystem.get_file_info(pafs.FileSelector(inside)), key=lambda item: str(item.path))
    except OSError as error:
        raise UsageError(f"{root}: cannot be listed ({_short(error)}); check the address and credentials") from error
    for item in found:
        if item.base_name.startswith("."):
            continue
        if item.type == pafs.FileType.Directory:
            yield from _walk_store(filesystem, prefix, item.path, root)
        elif item.type == pafs.FileType.File:
            yield FileEntry(prefix + item.path, item.size, item.mtime_ns or 0)


def stat(path: str) -> FileEntry:
    """Size and time of one file.

    Raises:
        SkippedVideo: there is no such file.
        TransientVideoError: the store did not answer.
    """
    path = canonical(path)
    try:
        filesystem, inside = resolve(path)
        info = filesystem.get_file_info(inside)
    except (OSError, UsageError) as error:
        raise TransientVideoError(path, f"storage did not answer ({_short(error)}); try again") from error
    if info.type != pafs.FileType.File:
        raise SkippedVideo(path, "no such file" if info.type == pafs.FileType.NotFound else "not a file")
    return FileEntry(path, info.size, info.mtime_ns or 0)


def open_binary(path: str) -> BinaryIO:
    """A seekable, buffered, read-only file of one object, read by range.

    Raises:
        TransientVideoError: the store did not answer.
        SkippedVideo: there is no such file.
    """
    path = canonical(path)
    try:
        if not is_remote(path):
            return open(path, "rb")
        filesystem, inside = resolve(path)
        return io.BufferedReader(_Ranged(filesystem.open_input_file(inside)), READ_SIZE)
    except FileNotFoundError as error:
        raise SkippedVideo(path, "no such file") from error
    except (OSError, UsageError) as error:
        raise TransientVideoError(path, f"cannot be read ({_short(error)}); check access and try again") from error


def open_ref(ref: VideoRef) -> str | BinaryIO:
    """What `av.open` is given: a local file's path, or a seekable binary file the caller closes."""
    if ref.parts:
        if len(ref.parts) > 1:
            return io.BufferedReader(Concatenated(ref.parts), READ_SIZE)
        return open_binary(ref.parts[0])
    return open_binary(ref.path) if is_remote(ref.path) else canonical(ref.path)


def size(ref: VideoRef) -> int:
    """Bytes of the whole stream: all parts together."""
    return sum(stat(path).size for path in ref.parts or (ref.path,))


def content_id(ref: VideoRef, *, known: FileEntry | None = None) -> str:
    """A hex name for the content: changes when the bytes do.

    Local files: BLAKE2b of all bytes. Object stores: size, modification time, head and tail (reading it all would be a
    download). Parts count each, in order. `known` spares one request where the entry is at hand.
    """
    digest = hashlib.blake2b(digest_size=20)
    for path in ref.parts or (ref.path,):
        if is_remote(path):
            entry = known if known is not None and known.path == path else stat(path)
            digest.update(f"{entry.size} {entry.mtime_ns} ".encode())
            with open_binary(path) as file:
                digest.update(file.read(EDGE))
                file.seek(max(0, entry.size - EDGE))
                digest.update(file.read(EDGE))
        else:
            with open_binary(path) as file:
                while chunk := file.read(READ_SIZE):
                    digest.update(chunk)
        digest.update(b"|")
    return digest.hexdigest()


class _Ranged(io.RawIOBase):
    """A pyarrow `NativeFile` as a raw file: each read is one ranged request."""

    def __init__(self, native: Any) -> None:
        self._native = native

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(self._native.seek(offset, whence))

    def tell(self) -> int:
        return int(self._native.tell())

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._native.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._native.close()
        super().close()


class Concatenated(io.RawIOBase):
    """Several files read one after the other as one seekable stream; at most one is open at a time."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = [canonical(path) for path in paths]
        self._ends: list[int] = []
        for path in self._paths:
            self._ends.append((self._ends[-1] if self._ends else 0) + stat(path).size)
        self._position = 0
        self._open_index = -1
        self._file: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._ends[-1]}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        index = bisect_right(self._ends, self._position)  # empty parts are stepped over
        if index >= len(self._paths):
            return 0
        if index != self._open_index:
            self._close_part()
            self._file, self._open_index = open_binary(self._paths[index]), index
        assert self._file is not None
        start = self._ends[index - 1] if index else 0
        self._file.seek(self._position - start)
        data = self._file.read(min(len(view), self._ends[index] - self._position))
        if not data:
            raise TransientVideoError(self._paths[index], "became shorter while it was read; try again")
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _close_part(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._open_index = None, -1

    def close(self) -> None:
        self._close_part()
        super().close()


def _short(error: BaseException) -> str:
    """First line of a storage error, without the store's long tail."""
    if isinstance(error, VideoError):
        return error.reason
    text = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
