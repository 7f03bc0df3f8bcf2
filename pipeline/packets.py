"""A video track's packets read into their table: one streamed pass of the demuxer, nothing is decoded."""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import numpy as np
from av.container import InputContainer
from av.error import ExitError, FFmpegError, TimeoutError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from . import bitstream, storage
from .errors import BrokenVideo, TransientVideoError
from .media import ENCRYPTED, explain, is_encrypted, opened
from .packet_table import PacketTable
from .values import VideoRef

_NONE = np.iinfo(np.int64).min
EMPTY_TRACK = "no frame is stored in its video track: cut short, or never written; write the file again"


def packet_table(ref: VideoRef, *, timeout_s: float = 60.0) -> PacketTable:
    """Read all packets of the video track once, keeping their numbers only. The last tables are remembered.

    Raises:
        VideoError: the video cannot be opened, or no packet can be read.
    """
    paths = ref.parts or (ref.path,)
    # A replaced file must not meet a remembered table. Objects of a store are not asked again within a process.
    local = [path for path in paths if not storage.is_remote(path)]
    return _remembered(ref, tuple((entry.size, entry.mtime_ns) for entry in storage.stat_all(local)), timeout_s)


@lru_cache(maxsize=16)  # a large ladder: its tables are asked for to match it, and again to sample it
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
    leaps = kind in ("mpegts", "mpeg")
    _join(columns, stream.time_base or Fraction(1, 90000), may_leap=leaps, at_keys=kind.startswith("matroska"))
    return _finish(stream, codec, columns, kind == "avi", error)


def _join(columns: _Columns, time_base: Fraction, *, may_leap: bool, at_keys: bool) -> None:
    """Move pieces with time stamps of their own (HLS discontinuities, joined recordings) one after the other, in place.

    A piece begins where decoding times fall back by over a quarter second; in MPEG streams, whose clock may be reset,
    also where they leap ahead by more than ten. Matroska stores no decoding times: of VVC FFmpeg takes those of
    presentation, which fall wherever frames are reordered, but never `at_keys`.
    """
    dts = np.array(columns.dts, np.int64)
    known = np.flatnonzero(dts != _NONE)
    steps = np.diff(dts[known])
    jumps = steps < -float(Fraction(1, 4) / time_base)
    if at_keys:
        jumps &= np.array(columns.key, np.bool_)[known[1:]]
    if may_leap:
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
        afresh[1:] = False  # the container marks none, so marks all; others were looked into
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
