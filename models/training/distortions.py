"""Pictures made worse in the ways of a transcoding chain, in memory, with real encoders through PyAV."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

Picture = NDArray[np.uint8]  # (H, W, 3) RGB

# Fast presets: what a picture of them looks like differs little from slow ones at a slightly higher rate.
ENCODERS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "b": "0"},
    "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
}
CRFS = {"libx264": (18, 46), "libx265": (18, 46), "libvpx-vp9": (22, 60), "libsvtav1": (24, 62)}
SIZES = (0.75, 2 / 3, 0.5, 1 / 3, 0.25, 1 / 6)  # of encodes below the source's size, as ladders have them


@dataclass(frozen=True)
class Version:
    """One distorted picture of a ladder.

    `chain` names what is comparable for certain: of two versions of one chain the one of lower `level` is better.
    """

    picture: Picture
    what: str
    chain: str
    level: float


def resize(picture: Picture, size: tuple[int, int], how: Image.Resampling = Image.Resampling.BICUBIC) -> Picture:
    """To (width, height)."""
    return np.asarray(Image.fromarray(picture).resize(size, how))


def pan(picture: Picture, frames: int, step: int) -> list[Picture]:
    """A short shot that moves diagonally over a picture; all frames one size, even sides."""
    h, w = picture.shape[:2]
    h, w = (h - step * frames) // 2 * 2, (w - step * frames) // 2 * 2
    return [np.ascontiguousarray(picture[i * step : i * step + h, i * step : i * step + w]) for i in range(frames)]


def encode(shot: list[Picture], codec: str, crf: float, size: tuple[int, int]) -> Picture:
    """Last frame of a shot after an encoder at (width, height) `size`, scaled back up as a player would."""
    os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 otherwise tells its settings on stderr, every time
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as sink:
        options = {**ENCODERS[codec], "crf": str(crf)}
        stream: Any = sink.add_stream(codec, rate=Fraction(25), options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for picture in shot:
            frame = av.VideoFrame.from_ndarray(resize(picture, size), format="rgb24")
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory, "r") as source:
        *_, last = source.decode(video=0)
        decoded: Any = last.to_ndarray(format="rgb24")
    height, width = shot[-1].shape[:2]
    return resize(decoded, (width, height))


def codec_ladder(shot: list[Picture], rng: np.random.Generator) -> list[Version]:
    """Five rungs of one random encoder: two sizes, several CRFs; within a size more CRF is certainly worse."""
    codec = str(rng.choice(list(ENCODERS)))
    height, width = shot[-1].shape[:2]
    versions = []
    for scale, count in ((1.0, 3), (float(rng.choice(SIZES)), 2)):
        # SVT-AV1 takes nothing smaller than 64 pixels a side.
        size = (max(64, round(width * scale / 2) * 2), max(64, round(height * scale / 2) * 2))
        for crf in sorted(rng.uniform(*CRFS[codec], size=count)):
            picture = encode(shot, codec, round(float(crf)), size)
            what, chain = f"{codec} crf {crf:.0f} at {scale:.2f}", f"{codec}@{scale:.2f}"
            versions.append(Version(picture, what, chain, float(crf)))
    return versions


def _jpeg(picture: Picture, level: float) -> Picture:
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", quality=round(90 - 85 * level))
    return np.asarray(Image.open(memory).convert("RGB"))


def _blur(picture: Picture, level: float) -> Picture:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(0.6 + 5 * level)))


def _noise(picture: Picture, level: float) -> Picture:
    grain = np.random.Generator(np.random.PCG64(int(level * 1e6))).normal(0, 3 + 45 * level, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def _banding(picture: Picture, level: float) -> Picture:
    step = 4 + 60 * level
    return np.clip(np.round(picture / step) * step, 0, 255).astype(np.uint8)


def _upscaled(picture: Picture, level: float) -> Picture:
    h, w = picture.shape[:2]
    scale = 1.3 + 7 * level
    small = resize(picture, (max(8, round(w / scale)), max(8, round(h / scale))), Image.Resampling.BICUBIC)
    return resize(small, (w, h), Image.Resampling.BICUBIC)


def _blocking(picture: Picture, level: float) -> Picture:
    """Block averages mixed in, as a starved encoder without a loop filter leaves them."""
    h, w = (s // 8 * 8 for s in picture.shape[:2])
    blocks = picture[:h, :w].reshape(h // 8, 8, w // 8, 8, 3).mean((1, 3), keepdims=True)
    flat = np.broadcast_to(blocks, (h // 8, 8, w // 8, 8, 3)).reshape(h, w, 3)
    out = picture.copy()
    share = 0.15 + 0.8 * level
    out[:h, :w] = (1 - share) * picture[:h, :w] + share * flat
    return out


def _enhanced(kind: Callable[[Image.Image], Any], strongest: float) -> Callable[[Picture, float], Picture]:
    """One of Pillow's enhancers as a distortion, at 1 (nothing) to `strongest`."""

    def distort(picture: Picture, level: float) -> Picture:
        enhanced = kind(Image.fromarray(picture)).enhance(1 + (strongest - 1) * (0.1 + 0.9 * level))
        return np.asarray(enhanced)

    return distort


def _colour(picture: Picture, level: float) -> Picture:
    """A cast, as a wrong matrix or white point gives it."""
    cast = np.array([1 + 0.35 * level, 1.0, 1 - 0.35 * level])
    shifted: Picture = np.clip(np.round(picture * cast), 0, 255).astype(np.uint8)
    return shifted


def _ghost(picture: Picture, level: float) -> Picture:
    """Two instants of a moving shot in one frame, as blended frame rate conversion leaves them."""
    share, step = 0.15 + 0.35 * level, 2 + round(10 * level)
    earlier = np.pad(picture, ((0, 0), (step, 0), (0, 0)), mode="edge")[:, : picture.shape[1]]
    return np.round((1 - share) * picture + share * earlier).astype(np.uint8)


def _starved(picture: Picture, level: float) -> Picture:
    """A small JPEG of a slightly noisy picture scaled up: several harms at once."""
    return _upscaled(_jpeg(_noise(picture, 0.1 * level), 0.3 + 0.7 * level), 0.3 * level)


SIMPLE: dict[str, Callable[[Picture, float], Picture]] = {
    "jpeg": _jpeg, "blur": _blur, "noise": _noise, "banding": _banding, "upscaled": _upscaled, "blocking": _blocking,
    "brighter": _enhanced(ImageEnhance.Brightness, 1.9), "darker": _enhanced(ImageEnhance.Brightness, 0.35),
    "contrast": _enhanced(ImageEnhance.Contrast, 2.2), "flat": _enhanced(ImageEnhance.Contrast, 0.3),
    "saturated": _enhanced(ImageEnhance.Color, 2.6), "pale": _enhanced(ImageEnhance.Color, 0.0),
    "sharpened": _enhanced(ImageEnhance.Sharpness, 9.0), "colour": _colour, "ghost": _ghost, "starved": _starved,
}  # fmt: skip


def simple_chain(picture: Picture, rng: np.random.Generator) -> list[Version]:
    """Three strengths of one random plain distortion; stronger is certainly worse."""
    names = list(SIMPLE)
    # Harms of compression and scaling more often than shifts of light and colour: so do viewers meet them.
    first = [*names[: names.index("brighter")], "starved"]
    name = str(rng.choice(first if rng.random() < 0.6 else names))
    levels = sorted((rng.random(3) ** 1.5).tolist())
    return [Version(SIMPLE[name](picture, v), f"{name} {v:.2f}", name, v) for v in levels]
