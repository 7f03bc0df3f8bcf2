"""How long, how fast and how large a video track is: from its container's index, its packets, or its first megabytes.

Where the container has an index of every frame (ordinary MP4/MOV) the bitrate and duration come from it and a few
hundred KiB are read. Else all packets are passed over (local files), or, in an object store, the bitrate is estimated
from the file's head.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard
from av.video.stream import VideoStream

from . import storage
from .errors import BrokenVideo
from .findings import Finding
from .media import to_its_end
from .packet_table import PacketTable
from .packet_times import UNTIMED
from .packets import packet_table
from .values import VideoInfo, VideoRef

_HEAD_BYTES = 4 << 20  # of an object-store file without an index: read to estimate the video's share of the bitrate
_USUAL_RATES = [Fraction(n) for n in (12, 15, 24, 25, 30, 48, 50, 60, 90, 100, 120)]
_USUAL_RATES += [Fraction(n * 1000, 1001) for n in (24, 30, 60, 120)]
_SHORTER_S = 1.0  # a video track may end this much before the sound does
UNTIL = frozenset({"asf", "matroska,webm", "nut"})  # headers that say when the track ends, not how long it lasts
_NO_TIMESTAMPS = 0x80  # AVFMT_NOTIMESTAMPS: a raw stream
_ESTIMATED = "bitrate estimated from the head of the file, duration as its header says"
_LATE_S = 0.2  # what the order of B-frames alone moves a first frame by is less


@dataclass(frozen=True)
class TrackNumbers:
    """Rates and times, from the index, the packets or (estimated) the head."""

    fps: Fraction | None
    duration_s: float | None
    start_time_s: float
    bitrate_kbps: float | None
    frames: int
    notes: tuple[str | Finding, ...] = ()

    @property
    def truncated(self) -> bool:
        """The first note says that frames are missing."""
        return any(isinstance(note, Finding) and note.kind == "truncated" for note in self.notes[:1])


def without_index(ref: VideoRef, container: InputContainer, stream: VideoStream, *, timeout_s: float) -> TrackNumbers:
    """Numbers where `from_index` has none: measured, or of an object in a store estimated from where it was read to.

    Raises:
        VideoError: no packet can be read or shown.
    """
    if any(storage.is_remote(path) for path in ref.parts or (ref.path,)):
        return _from_head(ref, container, stream)
    return from_packets(ref, container, stream, timeout_s=timeout_s)


def from_index(ref: VideoRef, container: InputContainer, stream: VideoStream) -> TrackNumbers | None:
    """Numbers from the container's own list of all frames, where it has a complete one (MP4/MOV without fragments)."""
    if not container.format.name.startswith("mov") or ref.parts or not stream.frames:
        return None
    entries = [(e.timestamp, e.size, e.pos) for e in stream.index_entries if not e.is_discard]
    everything = list(stream.index_entries)
    if len(everything) < stream.frames or len(entries) < 1:
        return None
    base = stream.time_base or Fraction(1, 1000)
    steps = [b[0] - a[0] for a, b in pairwise(entries)]
    last = steps[-1] if steps else (stream.duration or 0)
    if steps and max(steps) > 2 * sorted(steps)[len(steps) // 2]:
        return None  # variable rate: the index's decoding times do not tell when the last frame is shown
    ticks = entries[-1][0] - entries[0][0] + last
    if stream.duration and abs(stream.duration - ticks) > max(0.05 * ticks, 2 * last):
        return None  # fragments follow, or the header lies: measure the packets
    notes: list[str | Finding] = []
    end = storage.size(ref)
    there = [e for e in everything if e.pos + e.size <= end]
    if missing := len(everything) - len(there):
        said = f"truncated: {missing} of {len(everything)} frames are missing from the file"
        notes.append(Finding(said, "truncated", "error"))
    if hidden := len(everything) - len(entries):
        notes.append(Finding(f"its edit list leaves out {hidden} of {len(everything)} stored frames", "edit_list"))
    whole = Fraction(ticks) * base
    shown = [e.timestamp for e in there if not e.is_discard]
    duration = Fraction(shown[-1] - shown[0] + last) * base if missing and shown else whole
    kbps = float(sum(e.size for e in there) * 8 / duration / 1000) if duration > 0 else None
    start = Fraction(stream.start_time or 0) * base
    if start > _LATE_S:
        said = f"its edit list shows the first frame {float(start):.2f} s late: times are counted from that frame"
        notes.append(Finding(said, "edit_list"))
    several = whole > 0 and len(entries) > 1
    fps = _rate(_rates(stream), len(entries) / whole, base, span=whole) if several else None
    return TrackNumbers(fps, float(duration) or None, float(start), kbps, len(entries), tuple(notes))


def from_packets(ref: VideoRef, container: InputContainer, stream: VideoStream, *, timeout_s: float) -> TrackNumbers:
    """Numbers measured over all packets of the track.

    Raises:
        VideoError: none of them can be read or shown.
    """
    table = packet_table(ref, timeout_s=timeout_s)
    if not len(table.order):
        problem = "no frame can be shown: every packet lacks a time or a key frame before it; write it again"
        raise BrokenVideo(ref.path, problem)
    start = int(table.pts[table.order[0]]) * table.time_base
    own = own_length(container, stream)
    sure = own is not None or len(container.streams) == 1  # else it may be the sound that lasts so long
    notes = _notes(table, _stated_length(container, stream, start), sure=sure)
    fps = _rate(_rates(stream), table.fps, stream.time_base, span=table.duration_s) if table.fps else None
    duration = float(table.duration_s) or None
    return TrackNumbers(fps, duration, float(start), table.bitrate_kbps, len(table.order), tuple(notes))


def measured(ref: VideoRef, info: VideoInfo, *, timeout_s: float = 60.0) -> VideoInfo:
    """The same with what was estimated of an object in a store measured over all packets.

    Raises:
        VideoError: none of them can be read.
    """
    if _ESTIMATED not in info.notes and not (UNTIMED in info.notes and info.duration_s is None):
        return info
    table = packet_table(ref, timeout_s=timeout_s)
    if not len(table.order):
        return info  # nothing to judge, which is said elsewhere
    notes = [note for note in info.notes if note not in (_ESTIMATED, UNTIMED)]  # the table tells of the times itself
    stated = [info.fps] if info.fps else []
    return replace(
        info,
        fps=_rate(stated, table.fps, table.time_base, span=table.duration_s) if table.fps else None,
        duration_s=float(table.duration_s) or None,
        start_time_s=float(int(table.pts[table.order[0]]) * table.time_base),
        bitrate_kbps=table.bitrate_kbps,
        still=len(table.order) == 1,
        notes=(*notes, *_notes(table, Fraction(info.duration_s or 0), sure=False)),
    )


def _notes(table: PacketTable, stated: Fraction | None, *, sure: bool) -> list[str | Finding]:
    """What is wrong with a table whose header states such a length."""
    notes: list[str | Finding] = [] if table.error is None else [f"reading ended early: {table.error}"]
    if stated and table.duration_s < min(0.9 * stated, stated - _SHORTER_S):
        said = f"truncated: {float(table.duration_s):.1f} s of video where the header says {float(stated):.1f} s"
        notes.append(Finding(said, "truncated", "error" if sure else "warning"))
    if table.joins:
        notes.append(f"time stamps start anew {table.joins} times: the pieces are taken one after the other")
    if table.doubt is not None:
        notes.append(table.doubt)
    return notes


def _stated_length(container: InputContainer, stream: VideoStream, start: Fraction) -> Fraction | None:
    """How long the header says that the track, or else the file, lasts, which begins at `start`."""
    if not container.duration:
        return None
    length = Fraction(container.duration, av.time_base)
    own = own_length(container, stream)
    length = min(length, Fraction(own)) if own else length
    return length - start if container.format.name in UNTIL and 0 < start < length else length


def own_length(container: InputContainer, stream: VideoStream | AudioStream) -> float | None:
    """What the header says of the track itself, seconds. Of Matroska a tag: FFmpeg may take the whole file's length."""
    if not container.format.name.startswith("matroska"):
        return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    tag = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3]) if tag else None


def _from_head(ref: VideoRef, container: InputContainer, stream: VideoStream) -> TrackNumbers:
    """Duration from the header, bitrate from the video track's share of the next bytes.

    Those after the packets that the first frame took: raw streams refuse to be rewound, and others are asked for twice.
    """
    start = (stream.start_time or 0) * (stream.time_base or Fraction(1, 1000))
    untimed = bool(container.format.flags & _NO_TIMESTAMPS)  # a length guessed from the file's size says nothing
    duration = None if untimed else _stated_length(container, stream, start)
    for other in container.streams:
        other.discard = Discard.default
    video = total = 0
    for packet in to_its_end(container.demux()):
        total += packet.size
        video += packet.size if packet.stream_index == stream.index else 0
        if total > _HEAD_BYTES:
            break
    share = video / total if total else 1.0
    kbps = float(storage.size(ref) * 8 / duration / 1000) * share if duration else None
    return TrackNumbers(
        stream.average_rate or stream.guessed_rate, float(duration) if duration else None, float(start), kbps,
        stream.frames or 2, (UNTIMED if untimed else _ESTIMATED,),
    )  # fmt: skip


def _rate(stated: Sequence[Fraction], measured: Fraction, tick: Fraction | None, *, span: Fraction) -> Fraction:
    """The average rate as a fraction people know: a stated one, else a usual one, else as measured.

    The stated is believed within a tenth of what was measured (gaps of lost frames stay below that); a usual rate only
    within what rounded time stamps allow over `span` seconds (Matroska's milliseconds: 29.9897 measured is 30).
    """
    nominal = min(stated, key=lambda rate: abs(rate - measured), default=None)
    if nominal and abs(nominal - measured) < measured / 10:
        return nominal
    slack = measured * max(Fraction(1, 1000), 2 * (tick or Fraction(0))) / max(span, Fraction(1, 100))
    best = min(_USUAL_RATES, key=lambda rate: abs(rate - measured))
    return best if abs(best - measured) <= slack else measured.limit_denominator(1001)


def _rates(stream: VideoStream) -> list[Fraction]:
    return [rate for rate in (stream.average_rate, stream.guessed_rate) if rate]
