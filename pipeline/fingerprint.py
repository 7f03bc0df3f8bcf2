"""Do two files show the same pictures? A header's facts first, then luma thumbnails of a few moments.

Cheap on purpose: `glance` reads a header; `opening` decodes one frame; only files that agree in both are decoded at
three more moments. Thumbnails of different encodes of one title correlate above 0.98, of unrelated clips below 0.5
(measured on real ladders and clips). What decides between two takes of one scene is the change between the moments:
where nothing moves, pictures cannot tell, and `Alike.SAME_STILL` says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import Enum
from fractions import Fraction

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from . import stills, touched
from .errors import VideoError
from .media import opened, to_its_end
from .orientation import orientation_of
from .values import VideoRef

Thumbnail = NDArray[np.float32]  # (18, 32) luma 0 to 255 as displayed; the aspect ratio is not kept

WIDTH, HEIGHT = 32, 18
MOMENTS = (0.2, 0.5, 0.8)  # of the shorter duration
SAME_PICTURE = 0.9  # least correlation of two thumbnails of the same moment
SAME_STILL = 0.99  # least correlation where nothing moves, so that nothing else is there to go by
SAME_CHANGE = 0.8  # least correlation of the change between moments
FADED = 0.4  # of one's luma standard deviation, below which a thumbnail is the other's picture faded out
FLAT = 2.0  # luma standard deviation below which a thumbnail shows nothing
MOVES = 1.5  # luma standard deviation over the moments above which pictures change
_MOST_FRAMES = 600  # decoded for one moment: a file with rarer key frames is not worth the time
_SEEK_HEADS = (1, 4, 16, 64)  # seconds ahead of a moment where decoding starts in a stream without an index
_NEAR = Fraction(1, 4)  # seconds a frame may be late to still show the moment


class Alike(Enum):
    """What comparing two files' pictures gave."""

    SAME = "same"
    SAME_STILL = "same, but nothing moves: they may be two takes"
    DIFFERENT = "different"
    UNKNOWN = "unknown"  # black, unreadable, too long to look at


def opening(ref: VideoRef) -> Thumbnail | None:
    """Thumbnail of the first frame; None when there is none."""
    return _thumbnails(ref, (Fraction(0),))[0]


def moments(ref: VideoRef, duration_s: float) -> tuple[Thumbnail | None, ...]:
    """Thumbnails at `MOMENTS` of a duration, counted from the stream's start; None where there is no frame near."""
    length = Fraction(duration_s).limit_denominator(1000)
    return tuple(_thumbnails(ref, [length * Fraction(part).limit_denominator(100) for part in MOMENTS]))


def same_picture(a: Thumbnail | None, b: Thumbnail | None) -> bool | None:
    """True when two thumbnails may show the same moment, False when they do not, None when they show nothing."""
    correlation = _correlation(a, b)
    return None if correlation is None else correlation >= SAME_PICTURE


def compare(a: Sequence[Thumbnail | None], b: Sequence[Thumbnail | None]) -> Alike:
    """Compare two files by thumbnails of the same moments."""
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    found = [c for c in (_correlation(x, y) for x, y in pairs) if c is not None]
    if any(c < SAME_PICTURE for c in found):
        return Alike.DIFFERENT
    # A moment that is black, or nearly, in one of them alone says what became of it, not what it is of; that HDR has
    # less contrast at all of them is something else.
    ratios = np.array([x.std() / max(float(y.std()), 1e-6) for x, y in pairs])
    usual = float(np.median(ratios)) if len(ratios) else 1.0
    likely = (ratios >= FADED * usual) & (FADED * ratios <= usual)
    pairs = [(x, y) for (x, y), kept in zip(pairs, likely, strict=True) if kept or _flat(x, y)]
    if min(len(found), len(pairs)) < 2:
        return Alike.UNKNOWN
    first, second = np.stack([x for x, _ in pairs]), np.stack([y for _, y in pairs])
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)  # (moments, 18, 32): what changes
    if min(first.std(), second.std()) < MOVES:
        return Alike.SAME_STILL if min(found) >= SAME_STILL else Alike.DIFFERENT
    change = float((first * second).mean() / (first.std() * second.std()))
    return Alike.SAME if change >= SAME_CHANGE else Alike.DIFFERENT


def _thumbnails(ref: VideoRef, times: Sequence[Fraction]) -> list[Thumbnail | None]:
    """The first frame at or after each time (ascending, seconds from the stream's start). Seeks, so it reads little."""
    if ref.path in touched.suspects:
        return [None] * len(times)
    try:
        if stills.is_still(ref):
            rgb = stills.read_still(ref, (WIDTH, HEIGHT)).rgb.astype(np.float32)
            return [rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)] * len(times)
        with opened(ref) as (container, stream):
            stream.codec_context.thread_count = 1  # files are looked at side by side
            # Deblocking costs a fifth of decoding and does not show at this size.
            stream.codec_context.options = {"skip_loop_filter": "all"}
            return list(_seek_and_decode(container, stream, times))
    except (VideoError, ValueError):
        return [None] * len(times)


def _seek_and_decode(
    container: InputContainer, stream: VideoStream, times: Sequence[Fraction]
) -> Iterator[Thumbnail | None]:
    base = stream.time_base or Fraction(1, 1000)
    start = (stream.start_time or 0) * base
    keys = [entry.timestamp * base for entry in stream.index_entries if entry.is_keyframe]
    frames, reached = to_its_end(container.decode(stream)), start
    for time in times:
        target = start + time
        key = keys[bisect_right(keys, target) - 1] if keys and keys[0] <= target else None
        # Without an index (transport streams) a seek may land behind its target: then again, from further ahead.
        heads: tuple[int | None, ...] = (0,) if keys else _SEEK_HEADS
        if time == 0 or (key is not None and key <= reached):
            heads = (None,)  # the way from here is the shorter one
        found = None
        for head in heads:
            if head is not None:
                container.seek(int(max(start, target - head) / base), stream=stream)
                frames = to_its_end(container.decode(stream))
            first, at, frame = _decode_to(frames, target, base)
            if frame is not None and (time == 0 or at < target + _NEAR):
                found, reached = _thumbnail(frame), at
            if found is not None or first is None or first <= target or target - (head or 0) <= start:
                break
        yield found


def _decode_to(
    frames: Iterator[VideoFrame], target: Fraction, base: Fraction
) -> tuple[Fraction | None, Fraction, VideoFrame | None]:
    """The first frame at or after `target`, its time, and the time of the first frame that came at all."""
    first: Fraction | None = None
    for _, frame in zip(range(_MOST_FRAMES), frames, strict=False):
        at = target if frame.pts is None else frame.pts * base
        first = at if first is None else first
        if at >= target - Fraction(1, 1000):
            return first, at, frame
    return first, target, None


def _thumbnail(frame: VideoFrame) -> Thumbnail:
    turn = orientation_of(frame)
    width, height = (HEIGHT, WIDTH) if turn.transpose else (WIDTH, HEIGHT)
    gray = np.asarray(frame.reformat(width, height, "gray", interpolation="AREA").to_ndarray(), np.uint8)
    return turn.apply(gray[:, :, None])[:, :, 0].astype(np.float32)


def _flat(a: Thumbnail, b: Thumbnail) -> bool:
    return bool(max(a.std(), b.std()) < FLAT)


def _correlation(a: Thumbnail | None, b: Thumbnail | None) -> float | None:
    if a is None or b is None or a.std() < FLAT or b.std() < FLAT:
        return None
    return float(((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std()))
