"""Where bytes are: local files by path, object stores (`s3://`, `gs://`, ...) by ranged reads through pyarrow.fs.

A path is *canonical* when it is an absolute local path or a URI with the key written plainly (`s3://bucket/a b.mp4`);
that is what the `path` column holds. Nothing here reads a whole object into memory. How stores are opened, and asked
again when they fail, is in object_store.py; how folders are listed in listing.py.
"""

from __future__ import annotations

import hashlib
import io
import os
import posixpath
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from stat import S_ISREG
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from pyarrow import fs as pafs

from . import object_store
from .errors import BrokenVideo, SkippedVideo, TransientVideoError, UsageError
from .object_store import asked_again, resolve, short
from .streams import Concatenated, Ranged
from .values import VideoRef

READ_SIZE = 1 << 20  # bytes an object store is asked for at a time: a request costs about as much as reading this
_EDGE = 1 << 16  # bytes of an object's head and tail that identify it together with its size and time


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file found by `walk`."""

    path: str  # canonical
    size: int  # bytes
    mtime_ns: int  # 0 where the store does not say
    changed_ns: int = 0  # last change of a local file, its name and time included: no copy brings it along

    @property
    def name(self) -> str:
        """Last component of the path."""
        return self.path.rsplit("/", 1)[-1]


def is_remote(path: str) -> bool:
    """True for a URI of an object store, False for a local path or `file://` URI."""
    return "://" in path and not path.startswith("file://")


def canonical(path: str) -> str:
    """Absolute local path, or the URI without a trailing slash. `file://` URIs become local paths.

    Raises:
        UsageError: a URI with a key in it; nothing at all, as of a shell's variable that is not set.
    """
    if not path:
        raise UsageError("a path is empty: name a file or folder (. is the one you are in)")
    if is_remote(path):
        object_store.refuse_secrets(path)
        return path.rstrip("/")
    if path.startswith("file://"):
        path = unquote(urlsplit(path).path)
    return os.path.abspath(os.path.expanduser(path))


def join(base: str, relative: str) -> str:
    """`relative` (forward slashes, may hold `..`) seen from the folder `base`; absolute paths and URIs stay."""
    if "://" in relative or os.path.isabs(relative):
        return canonical(relative)
    if is_remote(base):
        scheme, _, rest = base.partition("://")
        return f"{scheme}://" + posixpath.normpath(f"{rest.rstrip('/')}/{relative}")
    return os.path.normpath(os.path.join(base, relative))


def stat(path: str) -> FileEntry:
    """Size and time of one file.

    Raises:
        SkippedVideo: there is no such file.
        TransientVideoError: the store did not answer.
    """
    return stat_all([path])[0]


def stat_all(paths: Sequence[str]) -> list[FileEntry]:
    """`stat` of many files, asked together where they are in one store. Raises as `stat` does."""
    places: dict[int, tuple[Any, list[int], list[str]]] = {}
    names = [canonical(path) for path in paths]
    entries: list[FileEntry | None] = [None] * len(names)
    for number, name in enumerate(names):
        if not is_remote(name):
            entries[number] = _stat_local(name)
            continue
        try:
            filesystem, inside = resolve(name)
        except UsageError as error:
            raise _unresolved(name, error) from error
        place = places.setdefault(id(filesystem), (filesystem, [], []))
        place[1].append(number)
        place[2].append(inside)
    for filesystem, numbers, insides in places.values():
        try:
            infos = asked_again(partial(filesystem.get_file_info, insides))
        except OSError as error:
            problem = f"storage did not answer ({short(error)}); try again"
            raise TransientVideoError(names[numbers[0]], problem) from error
        for number, info in zip(numbers, infos, strict=True):
            if info.type != pafs.FileType.File:
                missing = info.type == pafs.FileType.NotFound
                raise SkippedVideo(names[number], "no such file" if missing else "not a file but a folder or device")
            entries[number] = FileEntry(names[number], info.size, info.mtime_ns or 0)
    return [entry for entry in entries if entry is not None]


def _unresolved(uri: str, error: UsageError) -> TransientVideoError:
    """What is wrong with a store, about one file in it."""
    return TransientVideoError(uri, str(error).removeprefix(f"{uri}: "))


def _stat_local(path: str) -> FileEntry:
    """Asked of the system, not of pyarrow, which has no path for a name that is no UTF-8."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SkippedVideo(path, "no such file") from error
    except (OSError, ValueError) as error:  # a zero byte, or half of a character, in the name
        raise TransientVideoError(path, f"cannot be read ({short(error)}); check its name and access") from error
    if not S_ISREG(found.st_mode):
        raise SkippedVideo(path, "not a file but a folder or device")
    return FileEntry(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def open_binary(path: str, *, block_size: int = READ_SIZE) -> BinaryIO:
    """A seekable, buffered, read-only file of one object, read by range, `block_size` bytes at a time.

    Raises:
        SkippedVideo: there is no such file.
        TransientVideoError: the store did not answer.
    """
    path = canonical(path)
    try:
        if not is_remote(path):
            return open(path, "rb")
        filesystem, inside = resolve(path)
        native = asked_again(partial(filesystem.open_input_file, inside))
        return io.BufferedReader(Ranged(native, block_size=block_size, version=_version(path, native)))
    except FileNotFoundError as error:
        raise SkippedVideo(path, "no such file") from error
    except IsADirectoryError as error:
        raise SkippedVideo(path, "a folder, not a file") from error
    except PermissionError as error:
        raise BrokenVideo(path, "cannot be read: permission denied; allow reading it") from error
    except UsageError as error:
        raise _unresolved(path, error) from error
    except OSError as error:
        raise TransientVideoError(path, f"cannot be read ({short(error)}); check access and try again") from error


def _version(path: str, native: Any) -> Hashable | None:
    """What tells an object's contents from those it had before, told with its opening; None where no tag is."""
    told = native.metadata()
    return (path, frozenset(told.items())) if any(name.lower() == "etag" for name in told) else None


def open_ref(ref: VideoRef) -> str | BinaryIO:
    """What `av.open` is given: a local file's path, or a seekable binary file that the caller closes."""
    if len(ref.parts) > 1:
        sizes = [entry.size for entry in stat_all(ref.parts)]
        return io.BufferedReader(Concatenated(ref.parts, sizes, open_binary))
    path = ref.parts[0] if ref.parts else ref.path
    return open_binary(path) if is_remote(path) else canonical(path)


def size(ref: VideoRef) -> int:
    """Bytes of the whole stream: all parts together."""
    return sum(entry.size for entry in stat_all(ref.parts or (ref.path,)))


def content_id(ref: VideoRef, *, known: FileEntry | None = None) -> str:
    """A hex name for the content: changes when the bytes do.

    Local files: BLAKE2b of all bytes. Object stores: size, modification time, head and tail (reading it all would be a
    download). Parts count each, in order. `known` spares one request where the entry is at hand.

    Raises:
        VideoError: a file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=20)
    for path in ref.parts or (ref.path,):
        try:
            if is_remote(path):
                entry = known if known is not None and known.path == path else stat(path)
                digest.update(f"{entry.size} {entry.mtime_ns} ".encode())
                little = READ_SIZE if entry.size <= READ_SIZE else 2 * _EDGE  # a small object is one request
                with open_binary(path, block_size=little) as file:
                    digest.update(file.read(_EDGE))
                    file.seek(max(0, entry.size - _EDGE))
                    digest.update(file.read(_EDGE))
            else:
                with open_binary(path) as file:
                    while chunk := file.read(READ_SIZE):
                        digest.update(chunk)
        except OSError as error:
            raise TransientVideoError(ref.path, f"cannot be read ({short(error)}); try again") from error
        digest.update(b"|")
    return digest.hexdigest()
