"""Still pictures, read with Pillow: PNG, JPEG and WebP are videos of one frame.

Pillow rather than FFmpeg: it knows EXIF orientation, palettes with transparency, CMYK and 16-bit gray.
"""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import PurePosixPath
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from ..models.own_raster import LEAST, octaves
from ..models.upright import upright_rgb
from . import storage, touched
from .colour import OVER_BLACK, rescaled
from .errors import BrokenVideo
from .media import MOST_PIXELS, VIDEO_SUFFIXES, explain
from .object_store import short
from .values import RGB, Frame, Own, VideoInfo, VideoRef

FORMATS = ("PNG", "JPEG", "WEBP")
_CODECS = {"PNG": "png", "JPEG": "mjpeg", "MPO": "mjpeg", "WEBP": "webp"}  # MPO: JPEGs one after the other


def is_still(ref: VideoRef) -> bool:
    """True when the bytes start like a PNG, JPEG or WebP picture that is no motion JPEG stream and no animated PNG.

    An object whose name says that it is a video is not asked: that would be two requests more, each time it is opened.

    Raises:
        VideoError: the file cannot be read.
    """
    path = ref.parts[0] if ref.parts else ref.path
    if path.lower().endswith((".mjpeg", ".mjpg")) or len(ref.parts) > 1:
        return False
    if storage.is_remote(path) and PurePosixPath(path).suffix.lower() in VIDEO_SUFFIXES:
        return False
    try:
        with storage.open_binary(path) as file:
            head = file.read(64)
            if head.startswith(b"\xff\xd8\xff") or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
                return True
            return head.startswith(b"\x89PNG\r\n\x1a\n") and b"acTL" not in head + file.read(4096)
    except OSError as error:
        raise explain(ref, error) from error


def probe_still(ref: VideoRef) -> VideoInfo:
    """What the picture's header says. Raises BrokenVideo when it cannot be decoded."""
    picture, codec, notes = _load(ref)
    height, width = picture.shape[:2]
    return VideoInfo(
        codec=codec, coded_width=width, coded_height=height, width=width, height=height, fps=None, duration_s=None,
        start_time_s=0.0, bitrate_kbps=None, pixel_format="rgb24", bit_depth=8, color_space="gbr", color_range="pc",
        color_transfer="iec61966-2-1", still=True, notes=notes,
    )  # fmt: skip


def read_still(ref: VideoRef, raster: tuple[int, int] | None, *, own: bool = False) -> Frame:
    """The picture as frame 0 at time 0, scaled to `raster` (width, height) as video frames are; `own`: as for them."""
    picture, _, _ = _load(ref)
    stored = picture.shape[1], picture.shape[0]
    larger = octaves(stored, raster or stored) if own else 0.0
    as_stored = Own(larger, lambda: picture) if larger >= LEAST else None
    return Frame(0, Fraction(0), rescaled(picture, raster or stored), own=as_stored)


def _load(ref: VideoRef) -> tuple[RGB, str, tuple[str, ...]]:
    path = ref.parts[0] if ref.parts else ref.path
    notes = []
    try:
        with touched.noted(path), storage.open_binary(path) as file, Image.open(_whole(file), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                size = f"{image.width}x{image.height}"
                raise BrokenVideo(ref.path, f"{size} pixels is too large a picture; scale it down")
            codec = _CODECS[image.format or "PNG"]
            if getattr(image, "n_frames", 1) > 1 and image.format == "WEBP":
                notes.append("animated picture: only its first frame is judged")
            if image.format == "MPO":
                notes.append("several pictures in one file: only its first one is judged")
            rgb, transparent = upright_rgb(image)
            if transparent:
                notes.append(OVER_BLACK)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        text = short(error)
        what = "is truncated" if "truncated" in text else f"cannot be decoded ({text})"
        raise BrokenVideo(ref.path, f"the picture {what}; write it again") from error
    return rgb, codec, tuple(notes)


def _whole(file: BinaryIO) -> BinaryIO:
    """A picture is small: one read in place of many ranged ones."""
    return io.BytesIO(file.read())
