"""A look at an MP4/MOV file's outer boxes, to say *why* it does not open: encrypted, cut short, index missing.

FFmpeg reads the files; this only explains its refusals ("Invalid data found"), which do not tell these cases apart.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
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
    position, is_iso, moov, fragments, encrypted, missing = 0, False, False, False, False, 0
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            break
        length, kind = struct.unpack(">I4s", header[:8])
        head = 8
        if length == 1 and len(header) == 16:
            length, head = struct.unpack(">Q", header[8:])[0], 16
        elif length == 0:
            length = size - position  # "to the end of the file"
        if kind not in _TOP or length < head:
            break
        is_iso = True
        if kind == b"moov":
            moov = True
            file.seek(position + head)
            body = file.read(min(length - head, _LOOK_INSIDE))
            encrypted = encrypted or (b"encv" in body) or (b"schm" in body and b"tenc" in body)
        fragments = fragments or kind == b"moof"
        missing = max(0, position + length - size)
        position += length
        if fragments and moov:
            break  # a long file has thousands of these, and they tell nothing new
    return Layout(is_iso, moov, encrypted, missing)
