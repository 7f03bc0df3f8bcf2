"""How much of its pictures a Matroska or WebM file asks players to cut off: FFmpeg knows, PyAV does not pass it on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_SEGMENT, _TRACKS, _CLUSTER, _VIDEO = 0x18538067, 0x1654AE6B, 0x1F43B675, 0xE0
_TYPE, _VIDEO_TYPE = 0x83, 1
_SIDES = {0x54CC: "left", 0x54BB: "top", 0x54DD: "right", 0x54AA: "bottom"}
_MOST_ELEMENTS = 64  # before the tracks; there are five or six
_MOST_BYTES = 1 << 20  # of the tracks


class Cropping(NamedTuple):
    """Pixels of the coded picture that are not to be shown, at each side."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def __str__(self) -> str:
        """20 pixels at the top, 4 at the left."""
        sides = [f"{pixels} at the {side}" for side, pixels in self._asdict().items() if pixels]
        return ", ".join(sides).replace(" at", " pixels at", 1)


def croppings(file: BinaryIO) -> list[Cropping]:
    """That of each video track, in the file's order; as far as its head can be read."""
    position = 0
    for _ in range(_MOST_ELEMENTS):
        file.seek(position)
        kind, size, at = _head(file.read(12), 0)
        if not at or kind == _CLUSTER:
            break
        position += at
        if kind == _TRACKS:
            file.seek(position)
            tracks = [dict(_elements(entry)) for kind, entry in _elements(file.read(min(size, _MOST_BYTES)))]
            return [_of_track(track) for track in tracks if _value(track.get(_TYPE, b"")) == _VIDEO_TYPE]
        if kind != _SEGMENT:
            position += size
    return []


def _of_track(track: dict[int, bytes]) -> Cropping:
    sides = {_SIDES[kind]: _value(data) for kind, data in _elements(track.get(_VIDEO, b"")) if kind in _SIDES}
    return Cropping(**sides)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        kind, size, at = _head(data, at)
        if not at:
            return
        yield kind, data[at : at + size]
        at += size


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """An element's kind and size, and where its content begins; 0 where there is none."""
    kind, after = _number(data, at)
    size, begins = _number(data, after) if after else (0, 0)
    return (kind, size & ~(1 << 7 * (begins - after)), begins) if begins else (0, 0, 0)


def _value(data: bytes) -> int:
    return int.from_bytes(data[:8], "big")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number whose first byte says its length, that included, and where it ends; 0 where there is none."""
    length = 9 - data[at].bit_length() if at < len(data) else 9
    if length > 8 or at + length > len(data):
        return 0, 0
    return int.from_bytes(data[at : at + length], "big"), at + length
