"""The table of a video track's packets: what a demuxer alone can tell, in one streamed pass without decoding.

It is the source of frame numbers and times: frame k is the k-th presented packet by presentation time. A decoder later
says which packet each of its frames came from, so frames keep their numbers whatever was skipped, dropped or cut by an
edit list.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import overload

import numpy as np
from av.container import InputContainer
from av.error import ExitError, FFmpegError, TimeoutError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from . import bitstream, storage
from .errors import BrokenVideo, TransientVideoError
from .media import ENCRYPTED, explain, is_encrypted, opened
from .values import VideoRef

_NONE = np.iinfo(np.int64).min
EMPTY_TRACK = "no frame is stored in its video track: cut short, or never written; write the file again"
SKIP, NEEDED, WANTED = 0, 1, 2  # what `PacketTable.plan` says of a packet


class Times(Sequence[Fraction]):
    """Presentation times, seconds, ascending, exact: made when they are asked for, 8 bytes each until then."""

    def __init__(self, ticks: NDArray[np.int64], time_base: Fraction) -> None:
        self._ticks, self._time_base = ticks, time_base

    def __len__(self) -> int:
        return len(self._ticks)

    @overload
    def __getitem__(self, index: int) -> Fraction: ...

    @overload
    def __getitem__(self, index: slice) -> Times: ...

    def __getitem__(self, index: int | slice) -> Fraction | Times:
        if isinstance(index, slice):
            return Times(self._ticks[index], self._time_base)
        return int(self._ticks[index]) * self._time_base

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class PacketTable:
    """Columns over the n packets of the track in file (decoding) order; small beside the file: 27 bytes a packet."""

    time_base: Fraction  # seconds a tick
    pts: NDArray[np.int64]  # (n,) presentation time, ticks
    size: NDArray[np.int64]  # (n,) bytes
    key: NDArray[np.bool_]  # (n,)
    shown: NDArray[np.bool_]  # (n,) False: decoded and not presented (edit list), never shown (VP8), or not decodable
    afresh: NDArray[np.bool_]  # (n,) decoding may start here without losing this frame or any later one
    last_ticks: int  # how long the last frame is shown, ticks
    counted: bool  # True: packets do not say their presentation times; frames are numbered as they leave the decoder
    drops_nonref: bool  # frames nothing refers to may be left undecoded
    error: str | None  # why reading ended early; None when the end was reached
    joins: int = 0  # how often the time stamps jumped back or far ahead: the pieces are put one after the other

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """(frames,) packet number of each frame, in presentation order."""
        shown = np.flatnonzero(self.shown)
        return shown if self.counted else shown[np.argsort(self.pts[shown], kind="stable")]

    @property
    def times(self) -> Times:
        """Presentation time of each frame."""
        return Times(self.pts[self.order], self.time_base)

    @property
    def duration_s(self) -> Fraction:
        """From the first frame's start to the last one's end."""
        shown = self.pts[self.shown]
        return (int(shown.max()) - int(shown.min()) + self.last_ticks) * self.time_base if len(shown) else Fraction(0)

    @property
    def fps(self) -> Fraction | None:
        """Frames a second between the first and the last frame, as measured; None for a single frame."""
        shown = self.pts[self.shown]
        span = (int(shown.max()) - int(shown.min())) * self.time_base if len(shown) > 1 else Fraction(0)
        return (len(shown) - 1) / span if span else None

    @property
    def bitrate_kbps(self) -> float | None:
        """All packets' bytes over the duration."""
        seconds = self.duration_s
        return float(int(self.size.sum()) * 8 / seconds / 1000) if seconds > 0 else None

    def plan(self, wanted: Collection[int]) -> NDArray[np.uint8]:
        """What to do with each packet so that the packets in `wanted` are decoded exactly, and little else.

        SKIP: need not be given to the decoder. NEEDED: others may refer to it. WANTED: its frame is wanted.
        After the last wanted packet of a group that starts afresh, the rest of the group is skipped.
        """
        if self.counted:  # every frame must come out to be counted
            return np.full(len(self.pts), WANTED, np.uint8)
        actions = np.full(len(self.pts), NEEDED, np.uint8)
        chosen = np.zeros(len(self.pts), np.bool_)
        chosen[list(wanted)] = True
        starts = np.flatnonzero(self.afresh)
        bounds = sorted({0, *starts.tolist(), len(self.pts)})
        for start, end in pairwise(bounds):
            inside = np.flatnonzero(chosen[start:end])
            actions[start + (int(inside[-1]) + 1 if len(inside) else 0) : end] = SKIP
        actions[chosen] = WANTED
        return actions


def packet_table(ref: VideoRef, *, timeout_s: float = 60.0) -> PacketTable:
    """Read all packets of the video track once, keeping their numbers only. The last few tables are remembered.

    Raises:
        VideoError: the video cannot be opened, or no packet can be read.
    """
    paths = ref.parts or (ref.path,)
    # A replaced file must not meet a remembered table. Objects of a store are not asked again within a process.
    local = [path for path in paths if not storage.is_remote(path)]
    return _remembered(ref, tuple((entry.size, entry.mtime_ns) for entry in storage.stat_all(local)), timeout_s)


@lru_cache(maxsize=8)
def _remembered(ref: VideoRef, _stamp: object, timeout_s: float) -> PacketTable:
    with opened(ref, timeout_s=timeout_s) as (container, stream):
        return read_table(ref, container, stream, timeout_s=timeout_s)


@dataclass
class _Columns:
    """Growing columns of the table."""

    pts: array[int] = field(default_factory=lambda: array("q"))
    dts: array[int] = field(default_factory=lambda: array("q"))
    duration: array[int] = field(default_factory=lambda: array("q"))
    size: array[int] = field(default_factory=lambda: array("q"))
    key: bytearray = field(default_factory=bytearray)
    shown: bytearray = field(default_factory=bytearray)
    afresh: bytearray = field(default_factory=bytearray)
    joins: int = 0


def read_table(ref: VideoRef, container: InputContainer, stream: VideoStream, *, timeout_s: float) -> PacketTable:
    """The table of a freshly opened container; leaves it at its end."""
    columns, error = _Columns(), None
    codec, extradata = stream.codec_context.codec.canonical_name, stream.codec_context.extradata
    last = time.monotonic()
    try:
        for packet in container.demux(stream):
            now = time.monotonic()
            if now - last > timeout_s:
                raise TransientVideoError(ref.path, f"no data came for {timeout_s:g} s; try again")
            last = now
            if not packet.size:
                continue
            if is_encrypted(packet):  # perhaps after a clear beginning
                error = f"encrypted after {len(columns.size)} frames" if columns.size else ENCRYPTED
                break
            columns.pts.append(_NONE if packet.pts is None else packet.pts)
            columns.dts.append(_NONE if packet.dts is None else packet.dts)
            columns.duration.append(packet.duration or 0)
            columns.size.append(packet.size)
            columns.key.append(packet.is_keyframe)
            hidden = codec == "vp8" and bitstream.is_hidden(codec, memoryview(packet)[0])
            columns.shown.append(not packet.is_discard and not hidden)
            columns.afresh.append(packet.is_keyframe and bitstream.starts_afresh(codec, bytes(packet), extradata))
    except (TimeoutError, ExitError) as problem:
        raise explain(ref, problem) from problem
    except FFmpegError:
        error = f"the file cannot be read on after {len(columns.size)} frames"
    if not columns.size:
        raise BrokenVideo(ref.path, error or EMPTY_TRACK)
    # AVI knows decoding times only: the k-th frame shown has the k-th of them, whichever packet it came from.
    kind = container.format.name
    _join(columns, stream.time_base or Fraction(1, 90000), may_jump_ahead=kind in ("mpegts", "mpeg"))
    return _finish(stream, codec, columns, kind == "avi", error)


def _join(columns: _Columns, time_base: Fraction, *, may_jump_ahead: bool) -> None:
    """Move pieces with time stamps of their own (HLS discontinuities, joined recordings) one after the other, in place.

    A piece begins where decoding times fall back by over a quarter second; in MPEG streams, whose clock may be reset,
    also where they leap ahead by more than ten.
    """
    dts = np.array(columns.dts, np.int64)
    known = np.flatnonzero(dts != _NONE)
    steps = np.diff(dts[known])
    jumps = steps < -float(Fraction(1, 4) / time_base)
    if may_jump_ahead:
        jumps |= steps > float(10 / time_base)
    if not jumps.any():
        return
    usual = int(np.median(steps[~jumps])) if (~jumps).any() else 0
    shift = np.zeros(len(dts), np.int64)
    for at in np.flatnonzero(jumps):
        shift[known[at + 1] :] += usual - int(steps[at])
    for number in np.flatnonzero(shift):
        if columns.pts[number] != _NONE:
            columns.pts[number] += int(shift[number])
    columns.joins = int(jumps.sum())


def _finish(stream: VideoStream, codec: str, columns: _Columns, in_order: bool, error: str | None) -> PacketTable:
    pts, durations = np.array(columns.pts, np.int64), np.array(columns.duration, np.int64)
    key, shown, afresh = (np.array(flags, np.bool_) for flags in (columns.key, columns.shown, columns.afresh))
    time_base = stream.time_base or Fraction(1, 90000)
    untimed = bool((pts == _NONE).mean() > 0.5)
    if untimed:  # raw elementary streams: only the order is known
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        time_base = 1 / rate
        pts = np.arange(len(pts), dtype=np.int64)
        durations = np.ones_like(pts)
    else:
        shown &= pts != _NONE
        if key.any():
            shown[: int(np.argmax(key))] = False  # before the first key frame nothing can be decoded
        afresh &= _nothing_earlier_follows(pts)
    if in_order:
        pts[shown] = np.sort(pts[shown])
    if key.all() and codec in ("vp9", "av1") and len(key) > 1:
        afresh[1:] = False  # the container marks none, so marks all; H.264 and HEVC were looked into
    steps = np.diff(np.sort(pts[shown]))
    steps = steps[steps > 0]
    usual = int(np.median(steps)) if len(steps) else 0
    at_end = int(durations[shown][int(np.argmax(pts[shown]))]) if shown.any() else 0
    # A last packet's duration is often missing or nonsense (Matroska, cut files).
    last_ticks = at_end if at_end > 0 and (not usual or usual < 4 * at_end < 16 * usual) else usual
    sizes = np.array(columns.size, np.int64)
    drops = bitstream.may_drop_nonref(codec, stream.codec_context.extradata)
    return PacketTable(
        time_base, pts, sizes, key, shown, afresh, last_ticks, untimed or in_order, drops, error, columns.joins
    )


def _nothing_earlier_follows(pts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) True where every later packet is presented later too: no leading pictures (open GOP)."""
    known = np.where(pts == _NONE, np.iinfo(np.int64).max, pts)
    least_after = np.append(np.minimum.accumulate(known[::-1])[::-1][1:], np.iinfo(np.int64).max)
    return np.asarray(least_after >= pts)
