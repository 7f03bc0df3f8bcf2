"""What a video is: size as shown, rate, duration, colour, orientation. One frame is decoded, never the whole file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction

from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from . import colour, fields, stills, tone, track_numbers
from .errors import BrokenVideo, TransientVideoError
from .findings import Finding
from .matroska import Cropping
from .media import ENCRYPTED, cropping_of, is_encrypted, opened, to_its_end, tracks
from .media import decoder as prepare_decoder
from .orientation import Orientation, orientation_of
from .packets import EMPTY_TRACK
from .track_numbers import TrackNumbers
from .values import VideoInfo, VideoRef

_TRIES = 400  # packets tried until a first frame comes out
_GOES_ON = (
    2.0,
    0.01,
)  # seconds, and share of the length, by which sound may outlast pictures: encoders pad, music fades


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
        numbers = track_numbers.from_index(ref, container, stream)
        try:
            frame = first_frame(ref, container, stream, timeout_s=timeout_s)
        except BrokenVideo as error:
            if numbers is not None and numbers.truncated:
                raise BrokenVideo(ref.path, f"{numbers.notes[0]}, its first one too; copy it again") from error
            raise
        if numbers is None:
            numbers = track_numbers.without_index(ref, container, stream, timeout_s=timeout_s)
        others = len(tracks(container)) - 1 if numbers.frames > 1 else 0  # a picture's alpha may be a track, too
        cropping = cropping_of(ref, container, stream)
        found = [] if ref.parts else _outlasted(container, numbers)  # segments' headers say nothing of the whole
        return _describe(stream, frame, numbers, missing=ref.missing, others=others, cropping=cropping, found=found)


def first_frame(ref: VideoRef, container: InputContainer, stream: VideoStream, *, timeout_s: float) -> VideoFrame:
    """Decode until one frame comes out, passing over damaged packets."""
    prepare_decoder(stream, threads=1)  # frame threads would hold the first frame back
    deadline, tried, damage = time.monotonic() + timeout_s, 0, None
    for packet in to_its_end(container.demux(stream)):
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


def _outlasted(container: InputContainer, numbers: TrackNumbers) -> list[Finding]:
    """Whether sound goes on without pictures, as far as headers say; not of a still, nor of what lacks parts."""
    if numbers.frames == 1 or numbers.truncated or not numbers.duration_s:
        return []
    until = container.format.name in track_numbers.UNTIL  # counted from 0, not from the track's first packet
    ends = [
        length + (0.0 if until else float((sound.start_time or 0) * (sound.time_base or 0)))
        for sound in container.streams.audio
        if (length := track_numbers.own_length(container, sound))
    ]
    more = max(ends, default=0.0) - numbers.start_time_s - numbers.duration_s
    if more <= max(_GOES_ON[0], _GOES_ON[1] * numbers.duration_s):
        return []
    return [Finding(f"its sound goes on for {more:.1f} s after the last picture", "audio", "warning")]


def _describe(
    stream: VideoStream,
    frame: VideoFrame,
    numbers: TrackNumbers,
    *,
    missing: Sequence[str],
    others: int,
    cropping: Cropping,
    found: Sequence[Finding],
) -> VideoInfo:
    context = stream.codec_context
    codec = stream.codec_context.codec.canonical_name
    look = colour.decide(frame, codec=codec)
    turn = orientation_of(frame)
    notes: list[str | Finding] = [Finding(f"truncated: {said}", "truncated", "error") for said in missing]
    notes += [*numbers.notes, *found, *look.notes]
    if others:
        size = f"{frame.width}x{frame.height}"
        notes.append(f"it holds {others + 1} video tracks: the one of {size} is judged, the others are not looked at")
    if any(cropping):
        said = f"its container asks players to cut off {cropping}: judged uncut, as it is coded"
        notes.append(Finding(said, severity="warning"))
    if turn != Orientation():
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
