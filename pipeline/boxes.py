"""A look at an MP4/MOV file's outer boxes, to say *why* it does not open: encrypted, cut short, index missing.

FFmpeg reads the files; this only explains its refusals ("Invalid data found"), which do not tell these cases apart.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

_TOP = frozenset({
    b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"sidx", b"styp", b"emsg", b"mfra", b"uuid", b"pnot",
    b"meta", b"prft",
})  # fmt: skip
_LOOK_INSIDE = 1 << 22  # bytes of a moov box read to look for them: sample descriptions stand near its start


@dataclass(frozen=True)
class Layout:
    """What the outer boxes of an ISO base media file tell."""

    is_iso: bool  # starts like an MP4/MOV file at all
    has_moov: bool
    encrypted: bool
    missing_bytes: int  # how many bytes the last box claims beyond the end of the file; 0 when none


def read_layout(file: BinaryIO) -> Layout:
    """Walk the outer boxes of a seekable file, stepping over media data; reads a few KiB plus the moov box."""
    size = file.seek(0, os.SEEK_END)
    is_iso, moov, fragments, encrypted, missing = False, False, False, False, 0
    for kind, begins, ends in _boxes(file, 0, size):
        if kind not in _TOP:
            break
        is_iso = True
        if kind == b"moov":
            moov = True
            file.seek(begins)
            body = file.read(min(ends - begins, _LOOK_INSIDE))
            encrypted = encrypted or (b"encv" in body) or (b"schm" in body and b"tenc" in body)
        fragments = fragments or kind == b"moof"
        missing = max(0, ends - size)
        if fragments and moov:
            break  # a long file has thousands of these, and they tell nothing new
    return Layout(is_iso, moov, encrypted, missing)


def display_matrix(file: BinaryIO, track: int) -> bytes | None:
    """How the track with this number is turned to be shown: 9 native int32, as FFmpeg has them; None where none says.

    Not in every file that FFmpeg knows a turn of: only what an MP4's track header says is seen, and read in a moment.
    """
    end = file.seek(0, os.SEEK_END)
    for moov in islice(_inside(file, b"moov", 0, end), 1):
        for trak in _inside(file, b"trak", *moov):
            for start, _ in _inside(file, b"tkhd", *trak):
                file.seek(start)
                header = file.read(96)
                times = 16 if header[:1] == b"\1" else 8  # bytes of the two times before the number
                number, matrix = header[4 + times : 8 + times], header[28 + 3 * times // 2 :][:36]
                if len(matrix) == 36 and int.from_bytes(number) == track:
                    return struct.pack("=9i", *struct.unpack(">9i", matrix))
    return None


def _inside(file: BinaryIO, wanted: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the contents of boxes of one kind begin and end, among those that follow each other from `start`."""
    for kind, begins, ends in _boxes(file, start, end):
        if kind == wanted:
            yield begins, min(end, ends)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, where the content begins, and where it claims to end, of boxes that follow each other, up to a bad one."""
    while start + 8 <= end:
        file.seek(start)
        header = file.read(16)
        if len(header) < 8:
            return
        length, kind = struct.unpack(">I4s", header[:8])
        head = 8
        if length == 1 and len(header) == 16:
            length, head = struct.unpack(">Q", header[8:])[0], 16
        elif length == 0:
            length = end - start  # "to the end of the file"
        if length < head:
            return
        yield kind, start + head, start + length
        start += length
