"""What a video is: size as shown, rate, duration, colour, orientation. One frame is decoded, never the whole file.

Where the container has an index of every frame (ordinary MP4/MOV) the bitrate and duration come from it and a few
hundred KiB are read. Else all packets are passed over (local files), or, in an object store, the bitrate is estimated
from the file's head.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from . import colour, fields, stills, storage, tone
from .errors import BrokenVideo, TransientVideoError
from .media import ENCRYPTED, is_encrypted, opened
from .media import decoder as prepare_decoder
from .packets import EMPTY_TRACK, packet_table
from .values import Finding, VideoInfo, VideoRef

_HEAD_BYTES = 4 << 20  # of an object-store file without an index: read to estimate the video's share of the bitrate
_USUAL_RATES = [Fraction(n) for n in (12, 15, 24, 25, 30, 48, 50, 60, 90, 100, 120)]
_USUAL_RATES += [Fraction(n * 1000, 1001) for n in (24, 30, 60, 120)]
_SHORTER_S = 1.0  # a video track may end this much before the sound does
_LATE_S = 0.2  # what the order of B-frames alone moves a first frame by is less
_TRIES = 400  # packets tried until a first frame comes out


@dataclass(frozen=True)
class _Numbers:
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


def probe(ref: VideoRef, *, timeout_s: float = 60.0) -> VideoInfo:
    """Look at one video (or still picture).

    Raises:
        SkippedVideo: nothing to score: audio only, no video track, not a video, no such file.
        BrokenVideo: empty, truncated, encrypted or corrupt, so that not one frame can be decoded.
        TransientVideoError: storage did not answer, or `timeout_s` seconds passed without data.
    """
    if stills.is_still(ref):
        return stills.probe_still(ref)
    with opened(ref, timeout_s=timeout_s) as (container, stream):
        numbers = _from_index(ref, container, stream)
        if numbers is None and _must_estimate(ref):
            numbers = _from_head(ref, container, stream)
        try:
            frame = first_frame(ref, container, stream, timeout_s=timeout_s)
        except BrokenVideo as error:
            if numbers is not None and numbers.truncated:
                raise BrokenVideo(ref.path, f"{numbers.notes[0]}, its first one too; copy it again") from error
            raise
        if numbers is None:
            numbers = _from_packets(ref, container, stream, timeout_s)
        return _describe(stream, frame, numbers)


def first_frame(ref: VideoRef, container: InputContainer, stream: VideoStream, *, timeout_s: float) -> VideoFrame:
    """Decode until one frame comes out, passing over damaged packets."""
    prepare_decoder(stream, threads=1)  # frame threads would hold the first frame back
    deadline, tried, damage = time.monotonic() + timeout_s, 0, None
    for packet in container.demux(stream):
        if is_encrypted(packet):
            raise BrokenVideo(ref.path, ENCRYPTED)
        try:
            for frame in packet.decode():
                return frame
        except FFmpegError as error:
            damage = error
        tried += 1
        if tried > _TRIES:
            break
        if time.monotonic() > deadline:
            problem = f"no frame was decoded in {timeout_s:g} s; try again, or raise the decode time-out"
            raise TransientVideoError(ref.path, problem)
    if tried <= 1 and damage is None:  # nothing but the flush packet
        raise BrokenVideo(ref.path, EMPTY_TRACK)
    why = "its data is damaged or encrypted" if damage is not None else "its data holds no complete frame"
    raise BrokenVideo(ref.path, f"no frame can be decoded: {why}; write the file again")


def _describe(stream: VideoStream, frame: VideoFrame, numbers: _Numbers) -> VideoInfo:
    context = stream.codec_context
    codec = stream.codec_context.codec.canonical_name
    look = colour.decide(frame, codec=codec)
    turn = colour.orientation_of(frame)
    notes = [*numbers.notes, *look.notes]
    if turn != colour.Orientation():
        words = ["mirrored"] if turn.mirrored else []
        words += [f"turned clockwise by {turn.clockwise_degrees} degrees"] if turn.clockwise_degrees else []
        notes.append(Finding(f"{' and '.join(words)} to be shown, as its display matrix asks", "display_matrix"))
    aspect = stream.sample_aspect_ratio or context.sample_aspect_ratio or Fraction(1)
    if aspect <= 0 or not Fraction(1, 16) < aspect < 16:
        aspect = Fraction(1)
    width, height = max(1, round(frame.width * aspect)), frame.height
    if turn.transpose:
        width, height = height, width
    interlaced = bool(frame.interlaced_frame) and numbers.frames > 1
    if interlaced:
        notes.append(Finding(fields.SAID, "interlaced"))
    if colour.is_dolby_vision(frame):
        notes.append("Dolby Vision: its base picture is judged, without the metadata that a display would apply")
    if colour.has_alpha(frame):
        notes.append(colour.OVER_BLACK)
    if look.transfer in tone.HDR:
        notes.append(Finding(f"HDR ({tone.HDR[look.transfer]}): {tone.SAID}", "hdr"))
    return VideoInfo(
        codec=codec,
        coded_width=frame.width,
        coded_height=frame.height,
        width=width,
        height=height,
        fps=numbers.fps,
        duration_s=numbers.duration_s,
        start_time_s=numbers.start_time_s,
        bitrate_kbps=numbers.bitrate_kbps,
        pixel_format=frame.format.name,
        bit_depth=max(component.bits for component in frame.format.components),
        color_space=look.matrix,
        color_range=look.range,
        color_transfer=look.transfer,
        rotation_degrees=turn.clockwise_degrees,
        mirrored=turn.mirrored,
        still=numbers.frames == 1,
        interlaced=interlaced,
        notes=tuple(notes),
    )


def _from_index(ref: VideoRef, container: InputContainer, stream: VideoStream) -> _Numbers | None:
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
    fps = _rate(stream, Fraction(len(entries)) / whole, span=whole) if whole > 0 and len(entries) > 1 else None
    return _Numbers(fps, float(duration) or None, float(start), kbps, len(entries), tuple(notes))


def _from_packets(ref: VideoRef, container: InputContainer, stream: VideoStream, timeout_s: float) -> _Numbers:
    table = packet_table(ref, timeout_s=timeout_s)
    order = table.order
    if not len(order):
        problem = "no frame can be shown: every packet lacks a time or a key frame before it; write it again"
        raise BrokenVideo(ref.path, problem)
    start = int(table.pts[order[0]]) * table.time_base
    duration = table.duration_s
    notes: list[str | Finding] = [] if table.error is None else [f"reading ended early: {table.error}"]
    own = _own_length(container, stream)
    stated = min(own or inf, container.duration / av.time_base if container.duration else 0.0)
    if float(duration) < min(0.9 * stated, stated - _SHORTER_S):
        said = f"truncated: {float(duration):.1f} s of video where the header says {stated:.1f} s"
        sure = own is not None or len(container.streams) == 1  # else it may be the sound that lasts so long
        notes.append(Finding(said, "truncated", "error" if sure else "warning"))
    if table.joins:
        notes.append(f"time stamps start anew {table.joins} times: the pieces are taken one after the other")
    if table.counted and container.format.name != "avi":
        notes.append("no times in the stream: frames are numbered at its nominal rate")
    fps = _rate(stream, table.fps, span=duration) if table.fps else None
    return _Numbers(fps, float(duration) or None, float(start), table.bitrate_kbps, len(order), tuple(notes))


def _own_length(container: InputContainer, stream: VideoStream) -> float | None:
    """What the header says of the track itself, seconds. Of Matroska a tag: FFmpeg may take the whole file's length."""
    if not container.format.name.startswith("matroska"):
        return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    tag = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    return int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3]) if tag else None


def _must_estimate(ref: VideoRef) -> bool:
    return any(storage.is_remote(path) for path in ref.parts or (ref.path,))


def _from_head(ref: VideoRef, container: InputContainer, stream: VideoStream) -> _Numbers:
    """Duration from the header, bitrate from the video track's share of the first bytes."""
    duration = Fraction(container.duration, av.time_base) if container.duration else None
    if stream.duration and stream.time_base:
        duration = stream.duration * stream.time_base
    for other in container.streams:
        other.discard = Discard.default
    video = total = 0
    for packet in container.demux():
        total += packet.size
        video += packet.size if packet.stream_index == stream.index else 0
        if total > _HEAD_BYTES:
            break
    container.seek(0)
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    base = stream.time_base or Fraction(1, 1000)
    kbps = float(storage.size(ref) * 8 / duration / 1000) * video / total if duration and total else None
    return _Numbers(
        stream.average_rate or stream.guessed_rate, float(duration) if duration else None,
        float((stream.start_time or 0) * base), kbps, stream.frames or 2,
        ("bitrate estimated from the head of the file, duration as its header says",),
    )  # fmt: skip


def _rate(stream: VideoStream, measured: Fraction, *, span: Fraction) -> Fraction:
    """The average rate as a fraction people know: the container's nominal one, else a usual one, else as measured.

    Nominal is believed within a tenth of what was measured (gaps of lost frames stay below that); a usual rate only
    within what rounded time stamps allow over `span` seconds (Matroska's milliseconds: 29.9897 measured is 30).
    """
    stated = [rate for rate in (stream.average_rate, stream.guessed_rate) if rate]
    nominal = min(stated, key=lambda rate: abs(rate - measured), default=None)
    if nominal and abs(nominal - measured) < measured / 10:
        return nominal
    slack = measured * max(Fraction(1, 1000), 2 * (stream.time_base or Fraction(0))) / max(span, Fraction(1, 100))
    best = min(_USUAL_RATES, key=lambda rate: abs(rate - measured))
    return best if abs(best - measured) <= slack else measured.limit_denominator(1001)
