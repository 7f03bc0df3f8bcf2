"""Opening a video with PyAV, and putting FFmpeg's refusals into sentences people can act on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO, TypeVar

import av
import av.error
import av.logging
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.stream import VideoStream

from . import storage, touched
from .boxes import Layout, read_layout
from .errors import BrokenVideo, SkippedVideo, TransientVideoError, VideoError
from .manifests import EXTENSIONS as MANIFESTS
from .matroska import Cropping, croppings
from .object_store import short
from .values import VideoRef

_T = TypeVar("_T")

av.logging.set_level(None)  # FFmpeg's chatter is not for our users; failures come back as exceptions

ENCRYPTED = "encrypted: its frames cannot be decoded without the key; give the clear file"
MOST_PIXELS = 200_000_000  # of a picture: 16K has 133 million; a larger one is taken for a mistake or an attack
DECODE_THREADS = 2  # a process decodes beside others: more would only take their cores
VIDEO_SUFFIXES = frozenset({
    ".3g2", ".3gp", ".264", ".265", ".apng", ".asf", ".av1", ".avc", ".avi", ".cmfv", ".divx", ".dv", ".f4v", ".flv",
    ".gif", ".gxf", ".h264", ".h265", ".hevc", ".ivf", ".m1v", ".m2ts", ".m2v", ".m4s", ".m4v", ".mj2", ".mjpeg",
    ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".obu", ".ogv", ".qt", ".rm", ".rmvb",
    ".ts", ".vc1", ".vob", ".webm", ".wmv", ".y4m",
})  # fmt: skip
# Demuxers that would take a text file for a video.
_NOT_VIDEO = frozenset({"adf", "bin", "ffmetadata", "idf", "tty", "xbin"})
# Demuxers that follow a list to other files, wherever these are: never begun, whatever a file is called or holds.
_FOLLOWING = frozenset({
    "concat", "concatf", "dash", "hls", "image2", "image2_alias_pix", "image2_brender_pix", "imf", "lavfi", "redir",
    "rtp", "rtsp", "sap", "sdp", "vapoursynth", "vobsub", "webm_dash_manifest",
})  # fmt: skip
_DEMUXERS = ",".join(sorted(name for name in av.formats_available if not set(name.split(",")) & _FOLLOWING))


@contextmanager
def opened(ref: VideoRef, *, timeout_s: float = 60.0) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video and choose its video track: FFmpeg's "best" one that has packets; other tracks are not read.

    Every error inside the `with` block leaves it as a VideoError.
    """
    source: str | BinaryIO | None = None
    container: InputContainer | None = None
    reading = ExitStack()
    try:
        source = storage.open_ref(ref)
        target = f"file:{source}" if isinstance(source, str) else source
        reading.enter_context(touched.noted(ref.path))
        container = av.open(
            target,
            "r",
            metadata_errors="replace",
            timeout=(timeout_s, timeout_s),
            options={"max_pixels": str(MOST_PIXELS)},  # also for what is decoded to look at the streams
            container_options={"protocol_whitelist": "file", "format_whitelist": _DEMUXERS},
        )
        if container.format.name in _NOT_VIDEO:
            kind = container.format.name
            raise SkippedVideo(ref.path, f"not a video but a {kind} text or list; give the video itself")
        stream = _choose(ref, container)
        width, height = stream.codec_context.width or 0, stream.codec_context.height or 0
        if width * height > MOST_PIXELS:
            raise BrokenVideo(ref.path, f"declares pictures of {width}x{height} pixels: more than any video has")
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
        reading.close()
        if source is not None and not isinstance(source, str):
            source.close()


def tracks(container: InputContainer) -> list[VideoStream]:
    """Its video tracks; a cover picture is none."""
    return [s for s in container.streams.video if not s.disposition & type(s.disposition).attached_pic]


def _choose(ref: VideoRef, container: InputContainer) -> VideoStream:
    videos = tracks(container)
    if not videos and container.streams.audio:
        raise SkippedVideo(ref.path, "audio only: there is no picture to score")
    if not videos:
        layout = layout_of(ref)
        if layout is not None and layout.missing_bytes:
            raise _truncated(ref, layout)
        raise SkippedVideo(ref.path, "no video track: there is no picture to score")
    usable = [s for s in videos if s.codec_context is not None]
    if not usable:
        raise BrokenVideo(ref.path, "its video codec is not known to this FFmpeg; convert it or update PyAV")
    best = container.streams.best("video")
    for stream in usable:
        if best is not None and stream.index == best.index:
            return stream
    return max(usable, key=lambda s: (s.codec_context.width or 0) * (s.codec_context.height or 0))


def decoder(stream: VideoStream, *, threads: int = DECODE_THREADS) -> None:
    """Set a stream's decoder up: threads, and frames that say which packet they came from."""
    context = stream.codec_context
    context.thread_type = "AUTO"
    context.thread_count = threads
    context.copy_opaque = True


def to_its_end(items: Iterator[_T]) -> Iterator[_T]:
    """What PyAV demuxes or decodes of a container.

    It ends with an IndexError, all given, where a track appears beyond the bytes that were looked at to open the file
    (FLV, MPEG-TS: sound that begins late).
    """
    try:
        yield from items
    except IndexError:
        return


def is_encrypted(packet: Packet[VideoStream]) -> bool:
    """True for a packet of Common Encryption that still needs its key; decoders would make noise of it."""
    return packet.has_sidedata("encryption_info")


def layout_of(ref: VideoRef) -> Layout | None:
    """The outer MP4 boxes of a video's bytes; None when they cannot be read."""
    return _looked_into(ref, read_layout)


def cropping_of(ref: VideoRef, container: InputContainer, stream: VideoStream) -> Cropping:
    """What the container asks players to cut off the pictures; nothing where it is not Matroska."""
    found = _looked_into(ref, croppings) if container.format.name.startswith("matroska") else None
    place = [track.index for track in tracks(container)].index(stream.index)
    return found[place] if found and place < len(found) else Cropping()


def _looked_into(ref: VideoRef, read: Callable[[BinaryIO], _T]) -> _T | None:
    try:
        source = storage.open_ref(ref)
        with open(source, "rb") if isinstance(source, str) else source as file:
            return read(file)
    except (OSError, VideoError):
        return None


def explain(ref: VideoRef, error: BaseException) -> VideoError:
    """The VideoError for a failure to open or read; looks at the bytes where FFmpeg's message says too little."""
    if isinstance(error, VideoError):
        return error
    if isinstance(error, (av.error.TimeoutError, av.error.ExitError)):
        return TransientVideoError(ref.path, "reading took too long; try again, or raise the decode time-out")
    if isinstance(error, FileNotFoundError):
        return SkippedVideo(ref.path, "no such file")
    if isinstance(error, IsADirectoryError):
        return SkippedVideo(ref.path, "a folder, not a video")
    if isinstance(error, PermissionError) and _denied(ref, error):
        return BrokenVideo(ref.path, "cannot be read: permission denied; allow reading it")
    if isinstance(error, OSError) and not isinstance(error, av.error.FFmpegError):
        return TransientVideoError(ref.path, f"storage error while reading ({short(error)}); try again")
    try:
        if storage.size(ref) == 0:
            return BrokenVideo(ref.path, "the file is empty (0 bytes); its copy or upload did not work, write it again")
    except VideoError as gone:
        return gone
    layout = layout_of(ref)
    if layout is not None and layout.is_iso:
        if layout.encrypted:
            return BrokenVideo(ref.path, ENCRYPTED)
        if not layout.has_moov:
            return BrokenVideo(ref.path, "truncated: its index (moov box) is missing; finish or write the file again")
        if layout.missing_bytes:
            return _truncated(ref, layout)
        return BrokenVideo(ref.path, "corrupt: its structure cannot be read; write it again")
    suffix = PurePosixPath(ref.path.partition("#")[0]).suffix.lower()
    if suffix[1:] in MANIFESTS and not ref.parts:
        return SkippedVideo(ref.path, "a manifest, not a video: `yoto-video scan` on it judges what it lists")
    if suffix in VIDEO_SUFFIXES:
        problem = "corrupt, cut short, or no video in spite of its name: its container cannot be read"
        return BrokenVideo(ref.path, f"{problem}; write the file again")
    return SkippedVideo(ref.path, "not a video or picture that can be read")


def _denied(ref: VideoRef, error: PermissionError) -> bool:
    """True where rights are what is missing: FFmpeg says the same of a stream in which it cannot seek."""
    if not isinstance(error, av.error.FFmpegError):
        return True
    paths = [storage.canonical(path) for path in ref.parts or (ref.path,)]
    return any(not storage.is_remote(path) and not os.access(path, os.R_OK) for path in paths)


def _truncated(ref: VideoRef, layout: Layout) -> BrokenVideo:
    return BrokenVideo(ref.path, f"truncated: {layout.missing_bytes} bytes are missing at its end; copy it again")
