"""Content ids of files that have not changed since they were last hashed: a second scan need not read them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import IO

RACY_NS = 2_000_000_000  # coarsest time stamps in use (FAT): a file this young may change again with the same mtime


class ContentIds:
    """(path, size, times) to content id, kept in a file of JSON lines.

    Lines are appended as they come, so that a killed run loses nothing it finished; a path's last line counts. Lines
    that cannot be read are passed over: the worst that happens is that a file is hashed once more.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._read_only = read_only
        self._path = path
        self._known: dict[str, tuple[int, int, int, str]] = {}
        self._file: IO[str] | None = None
        lines = 0
        try:
            with path.open(encoding="ascii", errors="replace") as file:
                for line in file:
                    lines += 1
                    self._take(line)
        except OSError:
            lines = 0
        if lines > 2 * len(self._known) + 1000 and not read_only:
            self._rewrite()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, path: str, size: int, mtime_ns: int, changed_ns: int = 0) -> str | None:
        """The content id of this path if it still has this size and these times, else None."""
        entry = self._known.get(path)
        return entry[3] if entry is not None and entry[:3] == (size, mtime_ns, changed_ns) else None

    def put(
        self, path: str, size: int, mtime_ns: int, content_id: str, *, changed_ns: int = 0, seen_ns: int | None = None
    ) -> None:
        """Remember a content id.

        Of a file modified in the two seconds before it is not: that may have changed since without showing it.

        Args:
            path: of the file.
            size, mtime_ns: as they were before its content was read.
            content_id: of what was read.
            changed_ns: when the file was last changed, as the system says: copies bring its size and time along alone.
            seen_ns: when size and time were looked at; None: just now.
        """
        if (seen_ns or time.time_ns()) - mtime_ns < RACY_NS:
            return
        known = size, mtime_ns, changed_ns, content_id
        if self._known.get(path) == known:
            return
        self._known[path] = known
        if self._read_only:
            return
        try:
            if self._file is None:
                self._file = self._path.open("a", encoding="ascii")
                self._file.write("\n")  # ends a line that a killed run left unfinished
            self._file.write(json.dumps([path, *known]) + "\n")
            self._file.flush()
        except OSError:
            pass  # a cache that cannot be written costs time, not results

    def close(self) -> None:
        """Close the file; the cache can still be asked, and opens it again when told something new."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> ContentIds:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _take(self, line: str) -> None:
        try:
            path, *times, content_id = json.loads(line)
            size, mtime_ns, changed_ns = times
        except (ValueError, TypeError):
            return
        if isinstance(path, str) and isinstance(content_id, str) and all(isinstance(one, int) for one in times):
            self._known[path] = (size, mtime_ns, changed_ns, content_id)

    def _rewrite(self) -> None:
        """Leave out the lines that were overtaken."""
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
        try:
            with temporary.open("w", encoding="ascii") as file:
                for path, entry in self._known.items():
                    file.write(json.dumps([path, *entry]) + "\n")
            temporary.replace(self._path)
        except OSError:
            temporary.unlink(missing_ok=True)
