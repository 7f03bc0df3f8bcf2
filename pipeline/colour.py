"""From a decoded frame to R'G'B' on a raster: the stream's own matrix and range, bicubic, display matrix applied.

swscale does conversion and scaling in one pass. What the stream does not say is assumed here, in one place, and said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from av.error import ArgumentError
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from . import tone
from .errors import ScalingError
from .orientation import Orientation, side_data
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
_KR_KB = {  # luma weights of red and blue
    "bt709": (0.2126, 0.0722),
    "smpte170m": (0.299, 0.114),
    "bt2020nc": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
}
OVER_BLACK = "transparent areas are shown over black"
UNSTATED_MATRIX = "colour matrix not stated"
_PICTURE_CODECS = frozenset({"mjpeg", "jpeg2000", "jpegls", "png", "apng", "webp", "gif", "bmp", "tiff"})
_LOSSLESS = frozenset(
    {"ffv1", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "magicyuv"}
)  # hold FFmpeg's full-range gray
# Planar output and accurate rounding: swscale's short cut to packed RGB doubles chroma samples in place of
# interpolating them, and only where it does not scale, so that a rendition at the raster's size would look unlike its
# neighbours. 1080p to 1080p 12 ms a frame in place of 2; packed RGB with interpolated chroma would take 23.
_FLAGS = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


@dataclass(frozen=True)
class Colour:
    """Matrix, range and transfer a stream is read with, and what had to be assumed."""

    matrix: str
    range: str  # "tv" or "pc"
    transfer: str
    notes: tuple[str, ...] = ()


def decide(frame: VideoFrame, *, codec: str) -> Colour:
    """Read a stream's colour from its first decoded frame.

    Unstated matrix: bt709 above 576 lines or from 1280 columns on, else bt601 (smpte170m): mpv's rule; browsers and
    television sets do alike, FFmpeg's own tools take bt601 at any size. Unstated range: full for RGB, `yuvj` and
    picture codecs, else limited.
    """
    notes = []
    pixel = frame.format.name
    is_rgb, is_gray = bool(frame.format.is_rgb) or pixel == "pal8", _is_gray(frame)
    matrix = MATRICES.get(int(frame.colorspace), "unknown")
    if is_rgb:
        matrix = "gbr"
    elif matrix in ("unknown", "gbr"):
        matrix = "bt709" if frame.height > 576 or frame.width >= 1280 else "smpte170m"
        if not is_gray:
            notes.append(f"{UNSTATED_MATRIX}, {matrix} assumed")
    elif matrix not in _SWS:
        notes.append(f"colour matrix {matrix} converted as bt2020nc")
    stated = {1: "tv", 2: "pc"}.get(int(frame.color_range))
    if stated is None:
        full = is_rgb or pixel.startswith("yuvj") or codec in _PICTURE_CODECS or (is_gray and codec in _LOSSLESS)
        stated = "pc" if full else "tv"
        if not full:
            notes.append("colour range not stated, limited assumed")
    if is_rgb:
        stated = "pc"
    transfer = TRANSFERS.get(int(frame.color_trc), "unknown")
    return Colour(matrix, stated, transfer, tuple(notes))


def rematrix(rgb: RGB, *, used: str, right: str) -> RGB:
    """Undo a conversion with the matrix `used` and do it with the `right` one; what was clipped stays lost."""
    turn = (_to_rgb(right) @ np.linalg.inv(_to_rgb(used))).astype(np.float32)
    turned: RGB = np.clip(np.rint(rgb.astype(np.float32) @ turn.T), 0, 255).astype(np.uint8)
    return turned


def _to_rgb(matrix: str) -> NDArray[np.float64]:
    """(3, 3) Y'CbCr (chroma -0.5 to 0.5) to R'G'B'."""
    red, blue = _KR_KB[matrix]
    to_ycc = np.array([[red, 1 - red - blue, blue], [0, 0, 0], [0, 0, 0]])
    to_ycc[1] = (np.array([0, 0, 1]) - to_ycc[0]) / (2 * (1 - blue))
    to_ycc[2] = (np.array([1, 0, 0]) - to_ycc[0]) / (2 * (1 - red))
    return np.asarray(np.linalg.inv(to_ycc))


def rescaled(rgb: RGB, size: tuple[int, int]) -> RGB:
    """A (height, width, 3) picture at another (width, height); ScalingError where it cannot be scaled so."""
    if rgb.shape[1::-1] == size:
        return rgb
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    return Converter(size, "gbr", "pc", Orientation())(frame)


class Converter:
    """Turns decoded frames of one stream into pictures on one display raster. Keeps swscale's tables between frames."""

    def __init__(
        self, raster: tuple[int, int], matrix: str, range_: str, orientation: Orientation, transfer: str = "bt709"
    ) -> None:
        self._raster = raster
        self._matrix = _SWS.get(matrix, Colorspace.BT2020)
        self._range = _RANGE[range_]
        self._orientation = orientation
        self._hdr = transfer if transfer in tone.HDR else None
        self._stretch_gray = range_ == "tv"
        self._swscale = VideoReformatter()
        self.transparent = False  # whether the picture that was converted last is, anywhere

    def __call__(self, frame: VideoFrame) -> RGB:
        """uint8 (height, width, 3) on the raster, upright, full range; ScalingError where it cannot be scaled so."""
        width, height = self._raster[::-1] if self._orientation.transpose else self._raster
        layout = frame.format
        alpha = layout.has_palette or any(component.is_alpha for component in layout.components)
        keywords: dict[str, Any] = {}
        if not layout.is_rgb:
            keywords = {"src_colorspace": self._matrix, "src_color_range": self._range}
        planes = "gbrp16le" if self._hdr else "gbrap" if alpha else "gbrp"
        keywords |= {"format": planes, "dst_color_range": _RANGE["pc"], "interpolation": _FLAGS, "threads": 1}
        try:
            converted = self._swscale.reformat(frame, width=width, height=height, **keywords)
        except ArgumentError as error:  # of swscale, which cannot go from every size to every other
            raise ScalingError(f"{frame.width}x{frame.height}", f"{width}x{height}") from error
        if self._hdr:
            return self._orientation.apply(tone.to_sdr(cast(NDArray[np.uint16], converted.to_ndarray()), self._hdr))
        rgb = cast(RGB, converted.to_ndarray()) if alpha else _in_planes(converted)
        if self._stretch_gray and _is_gray(frame):
            rgb[..., :3] = _LIMITED_TO_FULL[rgb[..., :3]]
        self.transparent = alpha and bool(rgb[..., 3].min() < 255)
        if alpha:  # shown over black, as players do
            rgb = (rgb[..., :3].astype(np.uint16) * rgb[..., 3:] // 255).astype(np.uint8)
        return self._orientation.apply(rgb)


def _in_planes(frame: VideoFrame) -> RGB:
    """(height, width, 3) of a planar G'B'R' frame, in memory still a plane a channel: what reads it, reads lines."""
    planes = np.empty((3, frame.height, frame.width), np.uint8)
    for channel, plane in zip((1, 2, 0), frame.planes, strict=True):
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        planes[channel] = lines[: frame.height, : frame.width]
    return planes.transpose(1, 2, 0)


# swscale takes every gray format for full range, whatever it is told.
_LIMITED_TO_FULL = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)


def _is_gray(frame: VideoFrame) -> bool:
    return frame.format.name.startswith(("gray", "ya8", "ya16", "mono"))


def is_dolby_vision(frame: VideoFrame) -> bool:
    """True where a frame carries Dolby Vision metadata, which nothing here applies."""
    try:
        return any(side_data(frame).get(name) is not None for name in ("DOVI_METADATA", "DOVI_RPU_BUFFER"))
    except ValueError:  # as in `orientation_of`
        return False
