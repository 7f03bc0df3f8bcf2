"""When a track's packets are shown, and in which order: their time stamps, where these are there and can be true."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from av.format import ContainerFormat, Flags
from av.video.stream import VideoStream
from numpy.typing import NDArray

from . import bitstream
from .first_look import first_look
from .missing_times import filled
from .packet_table import NONE, PacketTable
from .values import VideoRef

UNTIMED = "no times in the stream: frames are numbered at its nominal rate"
CONTRADICTED = "time stamps contradict the order of frames: these are numbered as they are decoded"
FILLED = "some pictures carry no time stamp: they are shown where the others' times leave room"


@dataclass
class Columns:
    """Growing columns of the table."""

    pts: array[int] = field(default_factory=lambda: array("q"))
    dts: array[int] = field(default_factory=lambda: array("q"))
    duration: array[int] = field(default_factory=lambda: array("q"))
    size: array[int] = field(default_factory=lambda: array("q"))
    key: bytearray = field(default_factory=bytearray)
    shown: bytearray = field(default_factory=bytearray)
    afresh: bytearray = field(default_factory=bytearray)
    joins: int = 0


def joined(columns: Columns, stream: VideoStream, *, may_leap: bool, at_keys: bool) -> None:
    """Move pieces with time stamps of their own (HLS discontinuities, joined recordings) one after the other, in place.

    A piece begins where decoding times fall back by over a quarter second; in MPEG streams, whose clock may be reset,
    also where they leap ahead by more than ten. Matroska stores no decoding times: of VVC FFmpeg takes those of
    presentation, which fall wherever frames are reordered, but never `at_keys`.
    """
    time_base = stream.time_base or Fraction(1, 90000)
    dts = np.array(columns.dts, np.int64)
    known = np.flatnonzero(dts != NONE)
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
        if columns.pts[number] != NONE:
            columns.pts[number] += int(shift[number])
    columns.joins = int(jumps.sum())


def finished(
    ref: VideoRef, stream: VideoStream, kind: ContainerFormat, columns: Columns, error: str | None, timeout_s: float
) -> PacketTable:
    """The table of what was read.

    Raises:
        VideoError: the first packets had to be looked at, and could not be read again.
    """
    context = stream.codec_context
    codec, reorders = context.codec.canonical_name, bool(context.has_b_frames)
    pts, dts, durations, sizes = (
        np.array(column, np.int64) for column in (columns.pts, columns.dts, columns.duration, columns.size)
    )
    key, shown, afresh = (np.array(flags, np.bool_) for flags in (columns.key, columns.shown, columns.afresh))
    time_base = stream.time_base or Fraction(1, 90000)
    first = int(np.argmax(key))
    shown[:first] = False  # before the first key frame nothing can be decoded
    # AVI knows decoding times only: the k-th frame shown has the k-th of them, whichever packet it came from.
    in_order, doubt = kind.name == "avi", None
    made_up = Flags.no_timestamps in Flags(kind.flags)  # by FFmpeg, for raw streams: those of decoding without a fault
    untimed = bool((pts == NONE).mean() > 0.5)
    if untimed:  # raw elementary streams: only the order is known
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        time_base, doubt = 1 / rate, UNTIMED
        pts = np.arange(len(pts), dtype=np.int64)
        durations = np.ones_like(pts)
    elif reorders and made_up:
        pts, in_order, doubt = dts, True, UNTIMED
    else:
        afresh &= _nothing_earlier_follows(pts)
    if key.all() and codec in ("vp9", "av1") and len(key) > 1:
        afresh[1:] = False  # the container marks none, so marks all; others were looked into
    # Writers that know of no reordering stamp each packet with its place in the file.
    doubtful = reorders and doubt is None and not in_order and bool((np.diff(pts[pts != NONE]) >= 0).all())
    bare = shown & (pts == NONE)
    halves = codec in ("h264", "hevc") and doubt is None and bool(bare.any())  # bare ones may be second fields
    if (doubtful or halves or doubt is not None or not afresh[first]) and len(pts) > first + 1:
        plain = PacketTable(time_base, pts, sizes, key, shown, np.zeros_like(key), 0, False, False, error)
        look = first_look(ref, plain, first, timeout_s, for_order=doubtful or halves)
        shown[look.without_picture(first)] = False
        if halves and look.gave_none_of(bare):  # one picture comes of two packets
            shown, durations = shown & ~bare, 2 * durations
        if doubtful and look.contradicts(pts):
            in_order, doubt = True, CONTRADICTED
    if doubt == UNTIMED:  # frames follow each other, whatever lies between their packets
        pts[shown] = pts[: np.count_nonzero(shown)].copy()
    stamped = pts != NONE
    pts = filled(pts, shown, int(np.median(durations)))
    shown &= pts != NONE
    place = None
    if not (shown <= stamped).all():
        place, doubt = _places(pts, shown, stamped & (not in_order)), doubt or FILLED
    counted = untimed or in_order or place is not None
    if kind.name == "avi":  # where that is as it should be
        doubt = None
    if counted:
        pts[shown] = np.sort(pts[shown])
    steps = np.diff(np.sort(pts[shown]))
    steps = steps[steps > 0]
    usual = int(np.median(steps)) if len(steps) else 0
    at_end = int(durations[shown][int(np.argmax(pts[shown]))]) if shown.any() else 0
    # A last packet's duration is often missing or nonsense (Matroska, cut files).
    last_ticks = at_end if at_end > 0 and (not usual or usual < 4 * at_end < 16 * usual) else usual
    drops = bitstream.may_drop_nonref(codec, context.extradata)
    return PacketTable(
        time_base, pts, sizes, key, shown, afresh, last_ticks, counted, drops, error, columns.joins, place, doubt
    )


def _places(pts: NDArray[np.int64], shown: NDArray[np.bool_], sure: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,) number of the frame that each packet shows; -1 where its time is not `sure` to be its own."""
    order = np.flatnonzero(shown)[np.argsort(pts[shown], kind="stable")]
    place = np.full(len(pts), -1, np.int64)
    place[order] = np.arange(len(order))
    return np.where(sure, place, -1)


def _nothing_earlier_follows(pts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) True where every later packet is presented later too: no leading pictures (open GOP)."""
    known = np.where(pts == NONE, np.iinfo(np.int64).max, pts)
    least_after = np.append(np.minimum.accumulate(known[::-1])[::-1][1:], np.iinfo(np.int64).max)
    return np.asarray(least_after >= pts)
