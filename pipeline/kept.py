"""What this process read of object stores last, shared by all who open an object, so that a file is not fetched again
for its content's id, its header, its packets and its pictures.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

PIECE = 1 << 16  # bytes; objects are kept in aligned pieces of this size
KEPT_BYTES = 64 << 20  # of all objects together


class Pieces:
    """Pieces of objects, by version and number; the ones that were not asked for the longest go first.

    A version names what an object held when it was opened: one that was written anew has another, and none of the old
    one's pieces.
    """

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most, self._held = most, 0
        self._pieces: OrderedDict[tuple[Hashable, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, version: Hashable, number: int) -> bytes | None:
        """A piece, if it is here."""
        with self._lock:
            piece = self._pieces.get((version, number))
            if piece is not None:
                self._pieces.move_to_end((version, number))
            return piece

    def put(self, version: Hashable, number: int, piece: bytes) -> None:
        """Keep a piece."""
        with self._lock:
            self._held += len(piece) - len(self._pieces.pop((version, number), b""))
            self._pieces[version, number] = piece
            while self._held > self._most:
                self._held -= len(self._pieces.popitem(last=False)[1])

    def has(self, version: Hashable, number: int) -> bool:
        """Whether a piece is here."""
        return (version, number) in self._pieces


PIECES = Pieces()
