"""Pictures made worse step by step, each step certainly worse than the one before it: what the sanity suite shows a
network. Apart from `distortions`, which training shows it, so that a network is not only tested on what it learnt.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageFilter

from . import distortions
from .distortions import Picture

STEPS = 4
BLOCK = 8  # pixels a side


def _clipped(picture: np.ndarray) -> Picture:
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def _filtered(picture: Picture, how: ImageFilter.Filter) -> Picture:
    return np.asarray(Image.fromarray(picture).filter(how))


def _noise(picture: Picture, deviation: float) -> Picture:
    grain = np.random.Generator(np.random.PCG64(7)).normal(0, 1, picture.shape)  # one field, only stronger each step
    return _clipped(picture + deviation * grain)


def _blocking(picture: Picture, share: float) -> Picture:
    """Every block pulled towards its mean, as a starved encoder leaves it; what no whole block covers stays."""
    h, w = (side // BLOCK * BLOCK for side in picture.shape[:2])
    blocks = picture[:h, :w].reshape(h // BLOCK, BLOCK, w // BLOCK, BLOCK, 3).astype(np.float32)
    out = picture.astype(np.float32)
    pulled = (1 - share) * blocks + share * blocks.mean((1, 3), keepdims=True)
    out[:h, :w] = pulled.reshape(h, w, 3)
    return _clipped(out)


def _shifted(picture: Picture, steps: float) -> Picture:
    return _clipped(picture.astype(np.float32) + steps)


def _stretched(picture: Picture, factor: float) -> Picture:
    middle = picture.mean()
    return _clipped(middle + factor * (picture.astype(np.float32) - middle))


def _sharpened(picture: Picture, percent: float) -> Picture:
    return _filtered(picture, ImageFilter.UnsharpMask(radius=2, percent=int(percent), threshold=0))


# Kind: chains of it, each a name, what it does, and its strengths from weak to strong.
Chain = tuple[str, Callable[[Picture, float], Picture], Sequence[float]]
HARMS: dict[str, tuple[Chain, ...]] = {
    "blur": (("blur", lambda p, v: _filtered(p, ImageFilter.GaussianBlur(v)), (0.8, 1.6, 3.2, 6.4)),),  # sigma, pixels
    "noise": (("noise", _noise, (4, 8, 16, 32)),),  # standard deviation, 8-bit steps
    "blocking": (("blocking", _blocking, (0.25, 0.5, 0.75, 1.0)),),  # share of the block's mean
    "brightness": (  # 8-bit steps
        ("brighter", _shifted, (8, 16, 32, 64)), ("darker", _shifted, (-8, -16, -32, -64)),
    ),
    "contrast": (  # factor about the mean
        ("more contrast", _stretched, (1.15, 1.3, 1.6, 2.2)), ("less contrast", _stretched, (0.85, 0.7, 0.5, 0.3)),
    ),
    "sharpening": (("sharpening", _sharpened, (50, 100, 200, 400)),),  # per cent of the unsharp mask
}  # fmt: skip


def harmed(picture: Picture, kind: str) -> dict[str, list[Picture]]:
    """By chain of that kind, the picture made worse in `STEPS` steps."""
    return {name: [make(picture, v) for v in strengths] for name, make, strengths in HARMS[kind]}


def compressed(picture: Picture) -> dict[str, list[Picture]]:
    """By codec, the picture compressed ever more in `STEPS` steps: JPEG, and each of our video encoders, last of three
    frames of a slow pan, over CRF.
    """
    shot = [np.roll(picture, 2 * step, axis=1) for step in (2, 1, 0)]
    size = (picture.shape[1] // 2 * 2, picture.shape[0] // 2 * 2)
    made = {"JPEG": [jpeg(picture, quality) for quality in (80, 50, 25, 10)]}
    for codec in distortions.ENCODERS:
        h26x = "264" in codec or "265" in codec
        rates = (20, 28, 36, 44) if h26x else (25, 36, 47, 58)
        made[codec.removeprefix("lib")] = [distortions.encode(shot, codec, crf, size) for crf in rates]
    return made


def jpeg(picture: Picture, quality: int) -> Picture:
    """Compressed and read back; quality as Pillow has it, up to 95."""
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", quality=quality)
    return np.asarray(Image.open(memory).convert("RGB"))


def letterboxed(picture: Picture, share: float = 0.12) -> Picture:
    """With black bars over this share of its height above and below it."""
    bar = round(picture.shape[0] * share)
    return np.pad(picture, ((bar, bar), (0, 0), (0, 0)))


def flat(height: int, width: int, level: int) -> Picture:
    """One grey everywhere."""
    return np.full((height, width, 3), level, np.uint8)
