"""An opened picture as the upright 8-bit RGB that everything looks at: what is scored, evaluated and trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(width, height) as it is to be shown, from its header alone."""
    turn = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)  # not PNG's own, which decodes all pixels first
    if image.format == "TIFF":  # Pillow turns these by itself
        return image.size
    return image.size[::-1] if turn in (5, 6, 7, 8) else image.size


def upright_rgb(image: Image.Image) -> tuple[NDArray[np.uint8], bool]:
    """Its (height, width, 3) uint8 pixels, shown over black, and whether any of it is transparent.

    Turned as EXIF asks; 16-bit gray is scaled to 8 bits.

    Raises:
        OSError, SyntaxError or ValueError: its pixels cannot be read.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16-bit gray: Pillow's own conversion clips in place of scaling
        gray = np.asarray(image).astype(np.uint32)
        return np.repeat((gray // 257).astype(np.uint8)[..., None], 3, axis=2), False
    transparent = False
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        transparent = rgba.getchannel("A").getextrema()[0] < 255  # type: ignore[operator]
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, rgba)
    return np.asarray(image.convert("RGB")).copy(), transparent
