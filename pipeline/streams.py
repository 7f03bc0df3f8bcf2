"""Byte streams that FFmpeg and others can seek in: an object of a store, or many files read as one."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, BinaryIO

from . import kept
from .errors import TransientVideoError
from .kept import PIECE, Pieces
from .object_store import TRAFFIC, asked_again


class Ranged(io.RawIOBase):
    """A pyarrow `NativeFile` as a raw file: a ranged request gives the bytes from the position on, the last are kept.

    FFmpeg jumps between an index and the media data, and to the end and back; what is at hand is not asked for again.

    Args:
        native: the object.
        block_size: bytes of a request, at most: it ends where bytes are at hand.
        blocks: as many such stay with this reader, whatever others read.
        pieces: shared with other readers; those of this process unless others are given.
        version: names the object and what it holds; None: nothing is shared.
    """

    def __init__(
        self, native: Any, *, block_size: int = 1 << 20, blocks: int = 8, pieces: Pieces | None = None,
        version: Hashable | None = None,
    ) -> None:  # fmt: skip
        self._native, self._version = native, version
        self._pieces = kept.PIECES if pieces is None else pieces
        self._size = int(native.size())
        self._piece_size = min(block_size, PIECE)
        self._run, self._most = block_size // self._piece_size, block_size * blocks // self._piece_size
        self._own: OrderedDict[int, bytes] = OrderedDict()
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; costs no request."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Position in bytes."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Bytes of the piece the position is in, as many as fit: a short read is no end of file."""
        view = memoryview(buffer).cast("B")
        if self._position >= self._size:
            return 0
        number, start = divmod(self._position, self._piece_size)
        data = memoryview(self._piece(number))[start : start + len(view)]
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _piece(self, number: int) -> bytes:
        if number not in self._own:
            shared = None if self._version is None else self._pieces.get(self._version, number)
            if shared is not None:
                self._keep(number, shared)
            else:
                self._fetch(number)
        self._own.move_to_end(number)
        return self._own[number]

    def _fetch(self, number: int) -> None:
        """This piece and those after it, up to one that is at hand."""
        end = number + 1
        while end < number + self._run and end * self._piece_size < self._size and not self._at_hand(end):
            end += 1
        data = asked_again(partial(self._ask, number * self._piece_size, (end - number) * self._piece_size))
        for each in range(number, end):
            piece = data[(each - number) * self._piece_size :][: self._piece_size]
            self._keep(each, piece)
            if self._version is not None and len(piece) == min(self._piece_size, self._size - each * self._piece_size):
                self._pieces.put(self._version, each, piece)

    def _at_hand(self, number: int) -> bool:
        return number in self._own or (self._version is not None and self._pieces.has(self._version, number))

    def _keep(self, number: int, piece: bytes) -> None:
        self._own[number] = piece
        if len(self._own) > self._most:
            self._own.popitem(last=False)

    def _ask(self, start: int, count: int) -> bytes:
        self._native.seek(start)
        data = bytes(self._native.read(count))
        TRAFFIC.add(len(data))
        return data

    def close(self) -> None:
        """Close the object."""
        if not self.closed:
            self._native.close()
            self._own.clear()
        super().close()


class Concatenated(io.RawIOBase):
    """Several files read one after the other as one seekable stream; at most one of them is open at a time."""

    def __init__(self, paths: Sequence[str], sizes: Sequence[int], opener: Callable[[str], BinaryIO]) -> None:
        self._paths, self._opener = list(paths), opener
        self._ends: list[int] = []
        for size in sizes:
            self._ends.append((self._ends[-1] if self._ends else 0) + size)
        self._position, self._open_index = 0, -1
        self._file: BinaryIO | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Position in the whole stream, bytes."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move in the whole stream."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._ends[-1] if self._ends else 0}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read up to the end of the current file; the next call goes on in the next one."""
        view = memoryview(buffer).cast("B")
        index = bisect_right(self._ends, self._position)  # steps over empty files
        if index >= len(self._paths):
            return 0
        if index != self._open_index or self._file is None:
            self._close_part()
            self._file, self._open_index = self._opener(self._paths[index]), index
        self._file.seek(self._position - (self._ends[index - 1] if index else 0))
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
        """Close the file that is open, if any."""
        self._close_part()
        super().close()
