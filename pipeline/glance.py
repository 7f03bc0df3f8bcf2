"""What a video's header says, read in a moment: enough to plan by."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer

from . import stills, storage, touched
from .boxes import display_matrix
from .errors import TransientVideoError, VideoError
from .media import opened
from .orientation import Orientation
from .values import VideoRef


@dataclass(frozen=True)
class Glance:
    """What a header says: enough to group by, not to report. None where it does not say."""

    width: int | None = None  # sample aspect ratio applied; turned as an MP4's header asks, no other's
    height: int | None = None
    duration_s: float | None = None
    bitrate_kbps: float | None = None  # of the whole file: size over duration
    codec: str | None = None


def glance(ref: VideoRef, size: int = 0) -> Glance | None:
    """Read a file's header; None when it cannot be opened as a video (scoring will say why)."""
    try:
        return header(ref, size)
    except VideoError:
        return None


def header(ref: VideoRef, size: int = 0) -> Glance | None:
    """As `glance`, but None of a still alone, which has no duration to group by. Raises VideoError for what it is."""
    if ref.path in touched.suspects:
        raise TransientVideoError(ref.path, "a process ended while it was read")
    if stills.is_still(ref):
        return None
    with opened(ref) as (container, stream):
        context = stream.codec_context
        duration = Fraction(container.duration, av.time_base) if container.duration else None
        if stream.duration and stream.time_base:
            duration = stream.duration * stream.time_base
        seconds = float(duration) if duration and duration > 0 else None
        aspect = stream.sample_aspect_ratio or Fraction(1)
        width, height = round(context.width * aspect) if aspect > 0 else context.width, context.height
        if _lies(ref, container, stream.id):
            width, height = height, width
        return Glance(
            width=width,
            height=height,
            duration_s=seconds,
            bitrate_kbps=size * 8 / seconds / 1000 if seconds and size else None,
            codec=context.codec.canonical_name,
        )


def _lies(ref: VideoRef, container: InputContainer, track: int) -> bool:
    """Whether a track is stored on its side. FFmpeg knows of every file, and tells with a decoded frame alone."""
    if "mp4" not in container.format.name:
        return False
    with ExitStack() as stack:
        source = storage.open_ref(ref) if container.file is None else container.file.file
        file = stack.enter_context(open(source, "rb")) if isinstance(source, str) else source
        matrix = display_matrix(file, track)
    return matrix is not None and Orientation.from_matrix(matrix).transpose
