"""The worst frames of a clip, kept while it is scored: the frame, its reference, where the network saw the damage."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .findings import Finding
from .values import RGB, ClipResult, FrameScore, Moment

WIDTH = 960  # of kept pictures, at most: what is held for a ladder of 13 videos stays under 100 MB, UHD or not
APART_S = 1.0  # moments closer than this tell the same story
_LEAST_RANGE = 20.0  # points a heat map's colours span at least, so that an even picture does not look dramatic

# Cividis (Nuñez, Anderton, Renslow 2018), made to read the same with and without colour-blindness; yellow is worse.
_CIVIDIS = np.array([[0, 32, 81], [60, 77, 110], [127, 124, 117], [187, 174, 108], [253, 234, 69]], np.float64)


class Shown:
    """A frame that may be shown: scaled down the first time that is asked for, once for all who keep it."""

    def __init__(self, rgb: RGB) -> None:
        self._rgb = rgb

    @cached_property
    def picture(self) -> RGB:
        """At most 960 columns wide; holds no memory of the frame itself."""
        return at_most(self._rgb, WIDTH)


@dataclass(frozen=True, eq=False)
class Kept:
    """One candidate: its score, and its pictures as they will be shown, at most 960 columns wide."""

    row: FrameScore
    encode: RGB
    reference: RGB | None


class WorstFrames:
    """The `count` worst frames offered so far, `apart_s` seconds from each other. Holds no more than these.

    They are the worst by the scores of their rows, which people find beside them; the first of equal ones. Of a bad
    frame and the next one, whose score shares half with it, that is mostly the bad one.

    Args:
        count: how many to keep; 0 keeps nothing.
        apart_s: least distance in time, seconds.
    """

    def __init__(self, count: int, apart_s: float = APART_S) -> None:
        self._count = count
        self._apart_s = apart_s
        self._kept: list[Kept] = []

    def offer(self, row: FrameScore, encode: Shown, reference: Shown | None) -> None:
        """Keep this frame if it is among the worst, in place of milder ones near it in time."""
        near = [k for k in self._kept if abs(k.row.pts_time - row.pts_time) < self._apart_s]
        rest = [k for k in self._kept if k not in near]
        if any(_rank(k.row) <= _rank(row) for k in near) or self._count < 1:
            return
        if len(rest) >= self._count:
            mildest = max(rest, key=lambda k: _rank(k.row))
            if _rank(mildest.row) <= _rank(row):
                return
            rest.remove(mildest)
        self._kept = [*rest, Kept(row, encode.picture, None if reference is None else reference.picture)]

    def found(self) -> list[Kept]:
        """What was kept, the worst first; only comparisons where there is one."""
        best = sorted(self._kept, key=lambda k: (*_rank(k.row), k.row.frame_num))
        return [k for k in best if k.row.mode == best[0].row.mode]


def _rank(row: FrameScore) -> tuple[bool, float]:
    """Smaller is kept rather: a comparison tells more than a score without a reference, then the lower score."""
    return row.mode != "fr", row.score


def apart(count: int, duration_s: float) -> float:
    """Seconds between kept frames: a second, less in a clip too short to hold `count` of them that far apart."""
    return min(APART_S, duration_s / (2 * max(count, 1)))


class PictureSink:
    """Where pictures go: OUT/pictures/RESULT_ID, or, without `out`, `files`, for a worker that has no access to OUT.

    Attributes:
        files: content by path relative to OUT; empty where pictures are written at once. See `write_pictures`.
    """

    def __init__(self, out: str | Path | None = None) -> None:
        self._out = out
        self.files: dict[str, bytes] = {}

    def save(self, result_id: str, name: str, content: bytes) -> str:
        """Take one picture of a result; returns its path relative to OUT, with forward slashes."""
        relative = f"pictures/{result_id}/{name}"
        if self._out is None:
            self.files[relative] = content
        else:
            write_pictures(self._out, {relative: content})
        return relative


def write_pictures(out: str | Path, files: Mapping[str, bytes]) -> None:
    """Write pictures that a sink collected, under OUT."""
    for relative, content in files.items():
        file = Path(out) / relative
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


HeatMap = Callable[[RGB, RGB | None], NDArray[np.float32]]


def with_pictures(result: ClipResult, worst: WorstFrames, heat_map: HeatMap, sink: PictureSink) -> ClipResult:
    """The same result with its moments: the worst frame, and others as far as they are no better than the clip.

    Pictures that cannot be made are a finding, the scores stand without them.
    """
    found = [kept for kept in worst.found() if kept.row.mode == result.clip.mode]
    usual = result.clip.score
    found = found[:1] + [kept for kept in found[1:] if usual is None or kept.row.score <= usual]
    try:
        moments = tuple(save_moment(kept, heat_map, sink, result.clip.result_id) for kept in found)
    except Exception as error:
        why = f"pictures of the worst frames could not be made ({type(error).__name__}: {error})"
        return replace(result, clip=replace(result.clip, findings=(*result.clip.findings, Finding(why))))
    return replace(result, clip=replace(result.clip, moments=moments))


def save_moment(kept: Kept, heat_map: HeatMap, sink: PictureSink, result_id: str) -> Moment:
    """Write one frame's pictures: as encoded, as it should be, and where it looks bad.

    The heat map is judged on the picture as shown here: a UHD frame has 19 times as many places to look at, and two
    frames of a short clip would cost more than all its scores.
    """
    row, encode = kept.row, Image.fromarray(kept.encode)

    def save(what: str, picture: Image.Image) -> str:
        return sink.save(result_id, f"{row.mode}-{row.frame_num:07d}-{what}.webp", webp(picture))

    return Moment(
        frame_num=row.frame_num,
        pts_time=row.pts_time,
        score=row.score,
        encode=save("encode", encode),
        heat_map=save("heat", overlay(encode, heat_map(kept.encode, kept.reference))),
        reference=None if kept.reference is None else save("reference", Image.fromarray(kept.reference)),
    )


def overlay(picture: Image.Image, scores: NDArray[np.float32]) -> Image.Image:
    """A heat map over the gray picture, yellow where it is worse.

    Args:
        picture: RGB, any size.
        scores: (h, w) coarse grid of scores 0 to 100 covering the whole picture.
    """
    low, high = _colour_range(scores)
    grid = Image.fromarray(scores.astype(np.float32))
    fine = np.asarray(grid.resize(picture.size, Image.Resampling.BILINEAR))
    badness = np.clip((high - fine) / (high - low), 0, 1)
    gray = np.asarray(picture.convert("L").convert("RGB"), np.float32)
    alpha = (0.25 + 0.4 * badness)[..., None]  # what is bad is covered more, what is good stays visible
    out = Image.fromarray(((1 - alpha) * gray + alpha * _colours(badness)).round().astype(np.uint8))
    _draw_legend(out)
    return out


def webp(picture: Image.Image) -> bytes:
    """Encoded well enough that the damage seen is the video's."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=90, method=2)
    return buffer.getvalue()


def at_most(rgb: RGB, width: int) -> RGB:
    """A picture of its own, scaled down to `width` columns if it is wider."""
    if rgb.shape[1] <= width:
        return rgb.copy()  # not a view that keeps a decoder's buffer alive
    size = (width, max(1, round(rgb.shape[0] * width / rgb.shape[1])))
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    scaled = picture.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)  # as sharp as bicubic, half the time
    return np.array(scaled)  # Pillow's own array is read-only


def _colour_range(scores: NDArray[np.float32]) -> tuple[float, float]:
    """The scores at the two ends of the colours: the map's own, widened where it is nearly even."""
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    if high - low < _LEAST_RANGE:
        middle = min(max((low + high) / 2, _LEAST_RANGE / 2), 100 - _LEAST_RANGE / 2)
        low, high = middle - _LEAST_RANGE / 2, middle + _LEAST_RANGE / 2
    return low, high


def _colours(badness: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Badness 0 to 1, any shape, to (..., 3) colours 0 to 255."""
    place = np.linspace(0, 1, len(_CIVIDIS))
    return np.stack([np.interp(badness, place, _CIVIDIS[:, c]) for c in range(3)], axis=-1)


def _draw_legend(picture: Image.Image) -> None:
    """A bar from worse to better, bottom left; pictures too small for it go without."""
    if picture.width < 240 or picture.height < 120:
        return
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=13)
    left, top, length = 58, picture.height - 24, 100
    draw.rectangle((6, top - 6, left + length + 52, top + 18), fill=(20, 20, 20))
    bar = np.repeat(_colours(np.linspace(1, 0, length))[None], 12, axis=0)
    picture.paste(Image.fromarray(bar.astype(np.uint8)), (left, top))
    draw.text((left - 6, top + 6), "worse", fill="white", font=font, anchor="rm")
    draw.text((left + length + 6, top + 6), "better", fill="white", font=font, anchor="lm")
