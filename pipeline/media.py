"""Opening a video with PyAV, and putting FFmpeg's refusals into sentences people can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO

import av
import av.error
import av.logging
from av.container import InputContainer
from av.stream import Discard
from av.video.stream import VideoStream

from . import storage
from .boxes import Layout, read_layout
from .errors import BrokenVideo, SkippedVideo, TransientVideoError, VideoError
from .values import VideoRef

av.logging.set_level(None)  # FFmpeg's chatter is not for our users; failures come back as exceptions

DECODE_THREADS = 2  # a process decodes beside others: more would only take their cores
VIDEO_SUFFIXES = frozenset(
    [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".vob", ".flv", ".wmv", ".asf", ".3gp", ".3g2", ".mxf", ".ogv", ".y4m", ".h264", ".264", ".avc", ".h265", ".265", ".hevc", ".ivf", ".obu", ".av1", ".cmfv", ".m4s", ".mjpeg", ".mjpg", ".gif", ".apng", ".dv", ".gxf", ".rm", ".rmvb", ".nut", ".mj2", ".f4v", ".qt", ".divx", ".m1v", ".m2v", ".vc1"]
)
# Demuxers that would take a text file for a video, or follow a list to other files.
_NOT_VIDEO = {"tty", "hls", "dash", "concat", "webm_dash_manifest", "ffmetadata", "imf", "sdp", "rtsp", "lavfi", "bin", "xbin", "adf", "idf"}


@contextmanager
def opened(ref: VideoRef, *, timeout_s: float = 60.0) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video and choose its video track: FFmpeg's "best" one that has packets; other tracks are not read.

    Every error inside the `with` block leaves it as a VideoError.
    """
    source: str | BinaryIO | None = None
    container: InputContainer | None = None
    try:
        source = storage.open_ref(ref)
        target = f"file:{source}" if isinstance(source, str) else source
        container = av.open(
            target,
            "r",
            metadata_errors="replace",
            timeout=(timeout_s, timeout_s),
            container_options={"protocol_whitelist": "file"},
            buffer_size=storage.READ_SIZE if not isinstance(source, str) else 32768,
        )
        if container.format.name in _NOT_VIDEO:
            raise SkippedVideo(ref.path, f"not a video but a {container.format.name} text or list; give the video itself")
        stream = _choose(ref, container)
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        yield container, stream
    except VideoError:
        raise
    except (av.error.FFmpegError, OSError, EOFError) as error:
        raise explain(ref, error) from error
    finally:
        if container is not None:
            container.close()
        if source is not None and not isinstance(source, str):
            source.close()


def _choose(ref: VideoRef, container: InputContainer) -> VideoStream:
    videos = [s for s in container.streams.video if not s.disposition & type(s.disposition).attached_pic]
    if not videos:
        what = "audio only" if container.streams.audio else "no video track"
        raise SkippedVideo(ref.path, f"{what}: there is no picture to score")
    usable = [s for s in videos if s.codec_context is not None]
    if not usable:
        raise BrokenVideo(ref.path, "its video codec is not known to this FFmpeg; convert it or update PyAV")
    best = container.streams.best("video")
    if best in usable:
        return best  # type: ignore[return-value]
    return max(usable, key=lambda s: (s.codec_context.width or 0) * (s.codec_context.height or 0))


def decoder(stream: VideoStream, *, threads: int = DECODE_THREADS) -> None:
    """Set a stream's decoder up: threads, and frames that say which packet they came from."""
    context = stream.codec_context
    context.thread_type = "AUTO"  # type: ignore[assignment]
    context.thread_count = threads
    context.copy_opaque = True


def layout_of(ref: VideoRef) -> Layout | None:
    """The outer MP4 boxes of a video's bytes; None when they cannot be read."""
    try:
        source = storage.open_ref(ref)
        with open(source, "rb") if isinstance(source, str) else source as file:
            return read_layout(file)
    except (OSError, VideoError):
        return None


def explain(ref: VideoRef, error: BaseException) -> VideoError:
    """The VideoError for a failure to open or read, looking at the bytes again where FFmpeg's message says too little."""
    if isinstance(error, VideoError):
        return error
    if isinstance(error, (av.error.TimeoutError, av.error.ExitError)):
        return TransientVideoError(ref.path, "reading took too long; try again, or raise the decode time-out")
    if isinstance(error, FileNotFoundError):
        return SkippedVideo(ref.path, "no such file")
    if isinstance(error, PermissionError):
        return BrokenVideo(ref.path, "cannot be read: permission denied; allow reading it")
    if isinstance(error, OSError) and not isinstance(error, av.error.FFmpegError):
        return TransientVideoError(ref.path, f"storage error while reading ({str(error).splitlines()[0][:200]}); try again")
    try:
        if storage.size(ref) == 0:
            return BrokenVideo(ref.path, "the file is empty (0 bytes); its copy or upload did not work, write it again")
    except VideoError as gone:
        return gone
    layout = layout_of(ref)
    if layout is not None and layout.is_iso:
        if layout.encrypted:
            return BrokenVideo(ref.path, "encrypted: its frames cannot be decoded without the key; give the clear file")
        if not layout.has_moov:
            return BrokenVideo(ref.path, "truncated: the index (moov box) is missing; the file was not finished, write it again")
        if layout.missing_bytes:
            return BrokenVideo(ref.path, f"truncated: {layout.missing_bytes} bytes are missing at its end; copy it again")
        return BrokenVideo(ref.path, "corrupt: its structure cannot be read; write it again")
    suffix = PurePosixPath(ref.path.partition("#")[0]).suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return BrokenVideo(ref.path, "corrupt or not a video in spite of its name: no known container starts its bytes")
    return SkippedVideo(ref.path, "not a video or picture that can be read")
