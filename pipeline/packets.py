"""The table of a video track's packets: what a demuxer alone can tell, in one streamed pass without decoding.

It is the source of frame numbers and times: frame k is the k-th presented packet by presentation time. A decoder later says
which packet each of its frames came from, so frames keep their numbers whatever was skipped, dropped or cut by an edit list.
"""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from . import storage
from .errors import BrokenVideo, TransientVideoError
from .media import explain, opened
from .values import VideoRef

_NONE = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class PacketTable:
    """Columns over the n packets of the track in file (decoding) order; small against the file: 30 bytes a packet."""

    time_base: Fraction  # seconds a tick
    pts: NDArray[np.int64]  # (n,) presentation time in ticks
    size: NDArray[np.int64]  # (n,) bytes
    key: NDArray[np.bool_]  # (n,)
    shown: NDArray[np.bool_]  # (n,) False: decoded but not presented (edit list), or hidden (VP8 reference frames)
    last_ticks: int  # how long the last frame is shown, ticks
    counted: bool  # True: the stream carries no times; frames are numbered as they leave the decoder
    error: str | None  # why reading ended early; None when the end was reached

    @property
    def order(self) -> NDArray[np.int64]:
        """(frames,) packet number of each frame, in presentation order."""
        shown = np.flatnonzero(self.shown)
        if self.counted:
            return shown
        return shown[np.argsort(self.pts[shown], kind="stable")]

    @property
    def times(self) -> list[Fraction]:
        """Presentation time of each frame, seconds, ascending, exact."""
        return [Fraction(int(t)) * self.time_base for t in self.pts[self.order]]

    @property
    def duration_s(self) -> Fraction:
        """From the first frame's start to the last one's end."""
        shown = self.pts[self.shown]
        if not len(shown):
            return Fraction(0)
        return (int(shown.max()) - int(shown.min()) + self.last_ticks) * self.time_base

    @property
    def bitrate_kbps(self) -> float | None:
        """All packets' bytes over the duration."""
        seconds = self.duration_s
        return float(int(self.size.sum()) * 8 / seconds / 1000) if seconds > 0 else None


def packet_table(ref: VideoRef, *, timeout_s: float = 60.0) -> PacketTable:
    """Read all packets of the video track once, keeping their numbers only. The last few tables are remembered.

    Raises:
        VideoError: the video cannot be opened, or no packet can be read.
    """
    return _remembered(ref, _stamp(ref), timeout_s)


def _stamp(ref: VideoRef) -> tuple[tuple[int, int], ...]:
    """Changes when a file was replaced, so that a remembered table is not used for other bytes."""
    return tuple((entry.size, entry.mtime_ns) for entry in map(storage.stat, ref.parts or (ref.path,)))


@lru_cache(maxsize=8)
def _remembered(ref: VideoRef, _stamp: object, timeout_s: float) -> PacketTable:
    with opened(ref, timeout_s=timeout_s) as (container, stream):
        return read_table(ref, container, stream, timeout_s=timeout_s)


def read_table(ref: VideoRef, container: InputContainer, stream: VideoStream, *, timeout_s: float) -> PacketTable:
    """The table of a freshly opened container; leaves it at its end."""
    pts, durations, sizes = array("q"), array("q"), array("q")
    key, shown = bytearray(), bytearray()
    error = None
    hides = stream.codec_context.codec.name.startswith(("vp8", "libvpx")) and stream.codec_context.codec.name != "libvpx-vp9"
    last = time.monotonic()
    try:
        for packet in container.demux(stream):
            now = time.monotonic()
            if now - last > timeout_s:
                raise TransientVideoError(ref.path, f"no data for {timeout_s:g} s; try again")
            last = now
            if not packet.size:
                continue
            stamp = packet.pts if packet.pts is not None else packet.dts
            pts.append(_NONE if stamp is None or packet.pts is None else stamp)
            durations.append(packet.duration or 0)
            sizes.append(packet.size)
            key.append(packet.is_keyframe)
            shown.append(not packet.is_discard and not (hides and _vp8_hidden(packet)))
    except (FFmpegError, OSError) as problem:
        if not isinstance(problem, FFmpegError):
            raise
        error = explain(ref, problem).reason
    if not sizes:
        raise BrokenVideo(ref.path, error or "its video track is empty: no frame is stored in it")
    return _finish(stream, pts, durations, sizes, key, shown, error)


def _finish(stream: VideoStream, pts_: Any, durations_: Any, sizes: Any, key_: Any, shown_: Any, error: str | None) -> PacketTable:
    pts, durations = np.array(pts_, np.int64), np.array(durations_, np.int64)
    key, shown = np.array(key_, np.bool_), np.array(shown_, np.bool_)
    time_base = stream.time_base or Fraction(1, 90000)
    counted = bool((pts == _NONE).mean() > 0.5)
    if counted:  # raw elementary streams: only the order is known
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        tick = int(1 / (rate * time_base))
        pts = np.arange(len(pts), dtype=np.int64) * tick
    else:
        shown &= pts != _NONE
        if key.any():
            shown[: int(np.argmax(key))] = False  # before the first key frame nothing can be decoded
    presented = np.sort(pts[shown])
    steps = np.diff(presented)
    steps = steps[steps > 0]
    at_end = durations[shown][int(np.argmax(pts[shown]))] if shown.any() else 0
    last_ticks = int(at_end) if at_end > 0 else int(np.median(steps)) if len(steps) else 0
    return PacketTable(time_base, pts, np.array(sizes, np.int64), key, shown, last_ticks, counted, error)


def _vp8_hidden(packet: Any) -> bool:
    """VP8 stores frames that are only referred to as packets of their own: bit 4 of the first byte is `show_frame`."""
    return not memoryview(packet)[0] >> 4 & 1
