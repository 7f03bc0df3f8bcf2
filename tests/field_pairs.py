"""H.264 whose pictures are pairs of fields, as 1080i is broadcast, written bit by bit: no encoder at hand makes it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_GROUP = 12  # pictures from one IDR picture to the next


class _Bits:
    def __init__(self) -> None:
        self.bits: list[int] = []

    def u(self, count: int, value: int) -> _Bits:
        self.bits += [(value >> i) & 1 for i in range(count - 1, -1, -1)]
        return self

    def ue(self, *values: int) -> _Bits:
        for value in values:
            count = (value + 1).bit_length()
            self.u(2 * count - 1, value + 1)
        return self

    def samples(self, data: bytes) -> None:
        self.u(-len(self.bits) % 8, 0)
        self.bits += np.unpackbits(np.frombuffer(data, np.uint8)).tolist()

    def unit(self, header: int) -> bytes:
        """As a NAL unit, with its trailing bits and emulation prevention."""
        self.u(1, 1).u(-len(self.bits) % 8, 0)
        out, zeros = bytearray(), 0
        for byte in np.packbits(np.array(self.bits, np.uint8)).tolist():
            if zeros >= 2 and byte <= 3:
                out.append(3)
                zeros = 0
            out.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return b"\0\0\0\1" + bytes([header]) + bytes(out)


def _parameters() -> bytes:
    sequence = _Bits().u(8, 77).u(8, 0).u(8, 30).ue(0, 0, 0, 4, 1).u(1, 0).ue(3, 1).u(5, 0b00101)
    sequence.u(4, 0).u(1, 1).u(32, 1).u(32, 50).u(1, 1).u(3, 0).u(2, 0b11).ue(0, 0, 10, 10, 0, 1)
    picture = _Bits().ue(0, 0).u(2, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(3, 0b100)
    return sequence.unit(0x67) + picture.unit(0x68)


def _field(number: int, bottom: int, level: int) -> bytes:
    """One field of a 64x64 picture, its macroblocks uncompressed (I_PCM)."""
    idr = number == 0 and not bottom
    bits = _Bits().ue(0, 7, 0).u(4, number).u(1, 1).u(1, bottom)
    if idr:
        bits.ue(0)
    bits.u(8, 2 * number + bottom).u(2 if idr else 1, 0).ue(0, 1)
    for _ in range(8):
        bits.ue(25).samples(bytes([level]) * 256 + bytes([128]) * 128)
    return bits.unit(0x65 if idr else 0x61)


def _pictures(count: int) -> Iterator[tuple[bool, bytes]]:
    start = b"\0\0\0\1\x09\xf0"  # an access unit begins
    for k in range(count):
        number, level = k % _GROUP, 30 + k * 4 % 200
        top = start + (b"" if number else _parameters()) + _field(number, 0, level)
        yield number == 0, top + start + _field(number, 1, level)


def write(path: Path, count: int) -> None:
    """A transport stream at 25 pictures a second; picture k is gray of level 30 + 4 k, time stamps one a picture."""
    raw = path.with_suffix(".h264")
    raw.write_bytes(b"".join(data for _, data in _pictures(count)))
    with av.open(str(raw)) as source, av.open(str(path), "w", format="mpegts") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        stream.time_base = Fraction(1, 90000)
        for k, (key, data) in enumerate(_pictures(count)):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 90000)
            packet.pts = packet.dts = 90000 + k * 3600
            packet.duration, packet.is_keyframe = 3600, key
            out.mux(packet)
    raw.unlink()
