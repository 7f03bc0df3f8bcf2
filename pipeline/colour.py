"""From a decoded frame to R'G'B' on a raster: the stream's own matrix and range, bicubic, display matrix applied.

swscale does conversion and scaling in one pass. What the stream does not say is assumed here, in one place, and said.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from .values import RGB

# FFmpeg's AVColorSpace and AVColorTransferCharacteristic numbers (ITU-T H.273) and its names for them.
MATRICES = {
    0: "gbr", 1: "bt709", 2: "unknown", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco",
    9: "bt2020nc", 10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc", 13: "chroma-derived-c", 14: "ictcp",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 2: "unknown", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100",
    10: "log316", 11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12",
    16: "smpte2084", 17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
_SWS = {
    "bt709": Colorspace.ITU709, "fcc": Colorspace.FCC, "bt470bg": Colorspace.ITU601, "smpte170m": Colorspace.ITU601,
    "smpte240m": Colorspace.SMPTE240M, "bt2020nc": Colorspace.BT2020,
}  # fmt: skip
_RANGE = {"tv": 1, "pc": 2}


@dataclass(frozen=True)
class Colour:
    """Matrix, range and transfer a stream is read with, and what had to be assumed."""

    matrix: str
    range: str  # "tv" or "pc"
    transfer: str
    notes: tuple[str, ...] = ()


def decide(frame: VideoFrame, *, codec: str) -> Colour:
    """Read a stream's colour from its first decoded frame.

    Unstated matrix: bt709 from 720 lines or 1280 columns up, else bt601 (smpte170m), as mpv and VLC do; FFmpeg's own tools take bt601
    at any size. Unstated range: full for RGB, gray pictures of JPEG and the `yuvj` formats, else limited.
    """
    notes = []
    pixel = frame.format.name
    is_rgb = bool(frame.format.is_rgb) or pixel == "pal8"
    matrix = MATRICES.get(int(frame.colorspace), "unknown")
    if is_rgb:
        matrix = "gbr"
    elif matrix in ("unknown", "gbr"):
        matrix = "bt709" if frame.height >= 720 or frame.width >= 1280 else "smpte170m"
        notes.append(f"colour matrix not stated, {matrix} assumed")
    elif matrix not in _SWS:
        notes.append(f"colour matrix {matrix} converted as bt2020nc")
    stated = {1: "tv", 2: "pc"}.get(int(frame.color_range))
    if stated is None:
        full = is_rgb or pixel.startswith("yuvj") or codec in ("mjpeg", "png", "webp")
        stated = "pc" if full else "tv"
        if not full:
            notes.append("colour range not stated, limited assumed")
    if is_rgb:
        stated = "pc"
    transfer = TRANSFERS.get(int(frame.color_trc), "unknown")
    return Colour(matrix, stated, transfer, tuple(notes))


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

    @property
    def mirrored(self) -> bool:
        """True when an odd number of reflections is in it."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    @property
    def clockwise_degrees(self) -> int:
        """The turn that remains after a left-right mirroring of the picture (where `mirrored`): 0, 90, 180 or 270."""
        if not self.transpose:
            return 180 if self.flip_y else 0
        if not self.mirrored:
            return 90 if self.flip_x else 270
        return 90 if self.flip_x else 270

    def apply(self, rgb: RGB) -> RGB:
        """Turn a (height, width, 3) picture; the result is contiguous."""
        if self.transpose:
            rgb = rgb.transpose(1, 0, 2)
        if self.flip_x:
            rgb = rgb[:, ::-1]
        if self.flip_y:
            rgb = rgb[::-1]
        return np.ascontiguousarray(rgb)


def orientation_of(frame: VideoFrame) -> Orientation:
    """The display matrix a frame carries; the identity when none."""
    for data in frame.side_data:  # a mapping that iterates over its values
        if data.type.name == "DISPLAYMATRIX":
            return Orientation.from_matrix(bytes(data))
    return Orientation()


class Converter:
    """Turns decoded frames of one stream into pictures on one display raster. Keeps swscale's tables between frames."""

    def __init__(self, raster: tuple[int, int], matrix: str, range_: str, orientation: Orientation) -> None:
        self._raster = raster
        self._matrix = _SWS.get(matrix, Colorspace.BT2020)
        self._range = _RANGE[range_]
        self._orientation = orientation
        self._swscale = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> RGB:
        """uint8 (height, width, 3) on the raster, upright, full range."""
        width, height = self._raster[::-1] if self._orientation.transpose else self._raster
        alpha = _has_alpha(frame)
        keywords: dict[str, Any] = {}
        if not frame.format.is_rgb:
            keywords = {"src_colorspace": self._matrix, "src_color_range": self._range}
        converted = self._swscale.reformat(
            frame,
            width=width,
            height=height,
            format="rgba" if alpha else "rgb24",
            dst_color_range=_RANGE["pc"],
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT,
            threads=1,
            **keywords,
        )
        rgb = converted.to_ndarray()
        if alpha:  # shown over black, as players do
            rgb = (rgb[..., :3].astype(np.uint16) * rgb[..., 3:] // 255).astype(np.uint8)
        return self._orientation.apply(rgb)


def _has_alpha(frame: VideoFrame) -> bool:
    name = frame.format.name
    return name == "pal8" or "yuva" in name or "gbrap" in name or name[:4] in ("rgba", "bgra", "argb", "abgr", "ya8", "ya16")
