"""Every file below a folder of the local disk or of an object store, in an order that does not change."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pyarrow import fs as pafs

from .errors import UsageError
from .object_store import asked_again, resolve, short
from .storage import FileEntry, canonical, is_remote

HIDDEN = "is hidden"


def walk(root: str, missed: Callable[[str, str], object] = lambda *_: None) -> Iterator[FileEntry]:
    """Every file below `root`, sorted inside each folder, one folder in memory at a time; a file gives itself.

    Left out: names that start with a dot, and folders that links lead to a second time; other links are followed, those
    to folders when everything else is listed.

    Args:
        root: folder, file or URI.
        missed: told of what is there and cannot be seen on a local disk: its path, and why in a few words; and of
            hidden files, and files that lie right in a hidden folder, that they are `HIDDEN`.

    Raises:
        UsageError: `root` does not exist or cannot be listed.
    """
    path = canonical(root)
    if is_remote(path):
        filesystem, inside = resolve(path)
        yield from _walk_store(filesystem, path[: len(path) - len(inside)], inside, root, missed)
    elif os.path.isfile(path):
        found = os.stat(path)
        yield FileEntry(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    elif os.path.isdir(path):
        yield from _walk_local(path, missed)
    else:
        raise UsageError(f"{root}: no such file or folder; check the path")


def _walk_local(root: str, missed: Callable[[str, str], object]) -> Iterator[FileEntry]:
    seen: set[str] = set()  # folders by their real paths
    links = deque([root])  # of those that lead to one folder the first is followed, and no link where it lies below
    while links:
        folder = links.popleft()
        if os.path.realpath(folder) in seen:
            missed(folder, "is a link to a folder that is listed without it")
        else:
            yield from _walk_folder(folder, seen, links, missed)


def _walk_folder(
    folder: str, seen: set[str], links: deque[str], missed: Callable[[str, str], object]
) -> Iterator[FileEntry]:
    """What lies below a folder, but for what lies behind links to folders, which are added to `links`."""
    real = os.path.realpath(folder)
    if real in seen:
        return  # a link led here before
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        if not seen:
            raise UsageError(f"{folder}: cannot be listed ({short(error)}); allow reading it") from error
        missed(folder, f"cannot be listed ({short(error)})")
        return  # an unreadable folder deep inside must not stop the batch
    seen.add(real)
    for entry in entries:
        try:
            if entry.name.startswith("."):  # a hidden folder may be huge: a look, and no walk
                for path in [entry.path] if not entry.is_dir() else sorted(e.path for e in os.scandir(entry.path)):
                    missed(path, HIDDEN)
                continue
            if entry.is_dir():
                if entry.is_symlink():
                    links.append(entry.path)
                else:
                    yield from _walk_folder(entry.path, seen, links, missed)
            elif entry.is_file():
                stat_ = entry.stat()
                yield FileEntry(entry.path, stat_.st_size, stat_.st_mtime_ns, stat_.st_ctime_ns)
            elif os.path.exists(entry.path):
                missed(entry.path, "is a pipe, a device or a socket, no file")
            elif entry.is_symlink():
                missed(entry.path, "is a link that leads nowhere")
        except OSError:
            continue  # gone since it was listed


def _walk_store(
    filesystem: Any, prefix: str, inside: str, root: str, missed: Callable[[str, str], object]
) -> Iterator[FileEntry]:
    try:
        info = asked_again(partial(filesystem.get_file_info, inside))
        if info.type == pafs.FileType.File:
            yield FileEntry(prefix + info.path, info.size, info.mtime_ns or 0)
            return
        if info.type == pafs.FileType.NotFound:
            raise UsageError(f"{root}: no such object or folder in this storage; check the address")
        yield from _walk_keys(filesystem, prefix, inside, missed)
    except OSError as error:
        raise UsageError(f"{root}: cannot be listed ({short(error)}); check the address and credentials") from error


def _walk_keys(filesystem: Any, prefix: str, folder: str, missed: Callable[[str, str], object]) -> Iterator[FileEntry]:
    found = asked_again(partial(filesystem.get_file_info, pafs.FileSelector(folder)))
    found.sort(key=lambda item: str(item.path), reverse=True)
    while found:  # what was seen is let go: a folder may hold a million
        item = found.pop()
        if not item.path.startswith(f"{folder}/") or item.path.endswith("/"):
            continue  # empty parts of a key (a//b), which pyarrow has no path for
        if item.base_name.startswith("."):
            if item.type == pafs.FileType.File:  # a hidden folder would cost a request
                missed(prefix + item.path, HIDDEN)
        elif item.type == pafs.FileType.Directory:
            yield from _walk_keys(filesystem, prefix, item.path, missed)
        elif item.type == pafs.FileType.File:
            yield FileEntry(prefix + item.path, item.size, item.mtime_ns or 0)
