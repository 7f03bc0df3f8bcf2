"""How a decoded picture is turned to stand upright."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, cast

from av.sidedata.sidedata import SideData, SideDataContainer
from av.video.frame import VideoFrame

from .values import RGB


@dataclass(frozen=True)
class Orientation:
    """How a decoded picture is turned to stand upright: transposed first, then flipped.

    One of the eight symmetries of a rectangle, from FFmpeg's 3x3 display matrix.
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_matrix(cls, data: bytes) -> Orientation:
        """From the 9 native-endian int32 of AV_FRAME_DATA_DISPLAYMATRIX: x' = a x + c y, y' = b x + d y."""
        a, b, _, c, d, *_ = struct.unpack("=9i", data[:36])
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    @classmethod
    def of(cls, clockwise_degrees: int, *, mirrored: bool) -> Orientation:
        """The one of which `clockwise_degrees` and `mirrored` say this."""
        transpose, flip_x = clockwise_degrees in (90, 270), clockwise_degrees == 90
        if not transpose:
            return cls(False, mirrored ^ (clockwise_degrees == 180), clockwise_degrees == 180)
        return cls(True, flip_x, not mirrored ^ flip_x)

    @property
    def mirrored(self) -> bool:
        """True when an odd number of reflections is in it."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    @property
    def clockwise_degrees(self) -> int:
        """The turn that remains after a left-right mirroring of the picture (where `mirrored`): 0, 90, 180 or 270."""
        if not self.transpose:
            return 180 if self.flip_y else 0
        return 90 if self.flip_x else 270

    def apply(self, rgb: RGB) -> RGB:
        """Turn a (height, width, 3) picture: the same one where it stands upright."""
        if self == Orientation():
            return rgb
        if self.transpose:
            rgb = rgb.transpose(1, 0, 2)
        if self.flip_x:
            rgb = rgb[:, ::-1]
        if self.flip_y:
            rgb = rgb[::-1]
        return rgb.copy(order="K")


def orientation_of(frame: VideoFrame) -> Orientation:
    """The display matrix a frame carries; the identity when none."""
    try:
        data = side_data(frame).get("DISPLAYMATRIX")
    except ValueError:  # PyAV 18 fails on side data it does not know (EXIF); the turn it can tell without
        turn = {90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), -180: (-1, 0, 0, -1), -90: (0, 1, -1, 0)}
        a, b, c, d = turn.get(frame.rotation, (1, 0, 0, 1))
        return Orientation.from_matrix(struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 1))
    return Orientation.from_matrix(bytes(data)) if isinstance(data, SideData) else Orientation()


def side_data(frame: VideoFrame) -> SideDataContainer:
    """What came with a frame's picture.

    Not `frame.side_data`: that and the frame refer to each other, so a frame that was asked for it is freed by the
    garbage collector alone, which counts objects and not their bytes: 4K frames took gigabytes until it ran.
    """
    return cast(SideDataContainer, cast(Any, SideDataContainer)(frame))
