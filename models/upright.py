"""An opened picture as the upright 8-bit RGB that everything looks at: what is scored, evaluated and trained on."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

TAIL = 1 << 17  # bytes at the end of a PNG file that hold any EXIF after its pixels: EXIF is 64 KB at most


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) as it is to be shown, of a picture that was just opened; its pixels are not decoded as a rule."""
    if image.format == "TIFF":  # Pillow turns these by itself
        return image.size
    # PNG's own way decodes all pixels, to see whether EXIF comes after them.
    exif = image.getexif() if _late_exif(image) else Image.Image.getexif(image)
    turn = exif.get(ExifTags.Base.Orientation, 1)
    return image.size[::-1] if turn in (5, 6, 7, 8) else image.size


def _late_exif(image: Image.Image) -> bool:
    """Whether a PNG file seems to end in EXIF."""
    file = getattr(image, "fp", None)
    if image.format != "PNG" or "exif" in image.info or file is None:
        return False
    place = file.tell()
    file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
    end = file.read()
    file.seek(place)
    return any(chunk in end for chunk in (b"eXIf", b"iTXt", b"zTXt", b"tEXt"))  # text may hold it, too


def upright_rgb(image: Image.Image) -> tuple[NDArray[np.uint8], bool]:
    """Its (height, width, 3) uint8 pixels, shown over black, and whether any of it is transparent.

    Turned as EXIF asks; 16-bit gray is scaled to 8 bits.

    Raises:
        OSError, SyntaxError or ValueError: its pixels cannot be read, or nobody says which number is white.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise ValueError("its samples are floating-point numbers, of which no file says what is white")
    if image.mode.startswith("I"):  # 16-bit gray: Pillow's own conversion clips in place of scaling
        gray = np.asarray(image).astype(np.int64)
        if gray.min() < 0 or gray.max() > 65535:
            raise ValueError("its samples are of more than 16 bits")
        return np.repeat((gray // 257).astype(np.uint8)[..., None], 3, axis=2), False
    transparent = False
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        transparent = rgba.getchannel("A").getextrema()[0] < 255  # type: ignore[operator]
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, rgba)
    return np.asarray(image.convert("RGB")).copy(), transparent
