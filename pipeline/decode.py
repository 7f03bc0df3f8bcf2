"""Wanted frames of a video, streamed in presentation order as upright R'G'B' pictures on one raster.

PyAV decodes; only wanted frames are converted. A first pass over the packets (no decoding) numbers the frames by time; the decoder
is then fed in order and says which packet each frame came from, so numbers and times hold on edit lists, open GOPs and damage.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction

from av.error import FFmpegError
from av.video.frame import VideoFrame

from . import stills
from .colour import Converter, orientation_of
from .errors import BrokenVideo, TransientVideoError
from .media import decoder as set_up
from .media import opened
from .packets import PacketTable, packet_table
from .settings import Decoder
from .values import Frame, VideoInfo, VideoRef


def frame_times(ref: VideoRef, info: VideoInfo, *, timeout_s: float = 60.0) -> list[Fraction]:
    """Presentation time of every frame, seconds as in the file, ascending; edit lists honoured. Nothing is decoded.

    Raises:
        VideoError: the video cannot be read.
    """
    if info.still and stills.is_still(ref):
        return [Fraction(0)]
    return packet_table(ref, timeout_s=timeout_s).times


def read_frames(
    ref: VideoRef,
    info: VideoInfo,
    indices: Sequence[int],
    *,
    raster: tuple[int, int] | None = None,
    decoder: Decoder = "pyav",
    timeout_s: float = 60.0,
) -> Iterator[Frame]:
    """Decode the frames with these numbers, one after the other.

    Args:
        ref: the video; `info`: its `probe`.
        indices: positions in `frame_times`, any order, repeats ignored; frames come in ascending order.
        raster: (width, height) frames are scaled to (bicubic); None: the video's own displayed size.
        decoder: "pyav" or "decord".
        timeout_s: longest wait for the next frame to leave the decoder.

    Yields:
        Frames with their number, exact time and uint8 (height, width, 3) picture.

    Raises:
        BrokenVideo: at the end, after all frames that could be decoded were given, when wanted ones are missing.
        TransientVideoError: no frame came for `timeout_s` seconds, or storage failed.
    """
    wanted = sorted(set(indices))
    if not wanted:
        return
    if info.still and stills.is_still(ref):
        yield stills.read_still(ref, raster)
        return
    yield from _read_pyav(ref, info, wanted, raster or (info.width, info.height), timeout_s)


def _read_pyav(
    ref: VideoRef, info: VideoInfo, wanted: list[int], raster: tuple[int, int], timeout_s: float
) -> Iterator[Frame]:
    table = packet_table(ref, timeout_s=timeout_s)
    order = table.order
    if wanted[0] < 0 or wanted[-1] >= len(order):
        raise ValueError(f"{ref.path}: frame {wanted[-1]} wanted of {len(order)}")
    number_of = {int(order[i]): i for i in wanted}  # packet number -> frame number
    left, convert, damaged = len(wanted), None, 0
    for packet_number, frame in _decoded(ref, table, timeout_s):
        if packet_number is None:
            damaged += 1
            continue
        index = number_of.pop(packet_number, None)
        if index is None or frame is None:
            continue
        if convert is None:
            convert = Converter(raster, info.color_space, info.color_range, orientation_of(frame))
        pts = int(table.pts[packet_number])
        yield Frame(index, pts * table.time_base, convert(frame))
        left -= 1
        if not left:
            return
    raise BrokenVideo(ref.path, _missing(left, len(wanted), damaged, table))


def _missing(left: int, wanted: int, damaged: int, table: PacketTable) -> str:
    cause = f"{damaged} damaged packets" if damaged else (table.error or "the file holds no data for them")
    return f"{left} of {wanted} wanted frames cannot be decoded ({cause}); write the file again"


def _decoded(ref: VideoRef, table: PacketTable, timeout_s: float) -> Iterator[tuple[int | None, VideoFrame | None]]:
    """All frames in presentation order with their packet's number; (None, None) for a packet the decoder refused."""
    with opened(ref, timeout_s=timeout_s) as (container, stream):
        set_up(stream)
        last = time.monotonic()
        number, counter = 0, 0
        for packet in container.demux(stream):
            if packet.size:
                packet.opaque = number
                number += 1
            try:
                frames = packet.decode()
            except FFmpegError:
                yield None, None
                frames = []
            for frame in frames:
                which = counter if table.counted else frame.opaque
                counter += 1
                if which is not None:
                    yield int(which), frame  # type: ignore[misc]
                last = time.monotonic()  # after the yield: the consumer's time is not ours
            if time.monotonic() - last > timeout_s:
                raise TransientVideoError(
                    ref.path, f"no frame was decoded in {timeout_s:g} s; try again, or raise the decode time-out"
                )
