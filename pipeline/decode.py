"""Wanted frames of a video, streamed in presentation order as upright R'G'B' pictures on one raster.

PyAV decodes. A first pass over the packets (no decoding) numbers the frames by time; the decoder is then fed in order
and says which packet each frame came from, so numbers and times hold on edit lists, open GOPs and damage. Only wanted
frames are converted, unwanted ones that nothing refers to are not decoded, and groups of pictures without a wanted
frame are passed over.

decord can be chosen. Where its frames would be wrong (see `decord_reader`) PyAV reads, and `choose_decoder` says so.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction

import numpy as np
from av.container import InputContainer
from av.error import ExitError, FFmpegError, TimeoutError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from . import decord_reader, fields, stills
from .cadence import Rhythm
from .colour import Converter, orientation_of
from .errors import BrokenVideo, TransientVideoError, VideoError
from .media import decoder as prepare_decoder
from .media import explain, opened
from .packets import SKIP, WANTED, PacketTable, packet_table
from .settings import Decoder
from .values import Frame, VideoInfo, VideoRef

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def frame_times(ref: VideoRef, info: VideoInfo, *, timeout_s: float = 60.0) -> list[Fraction]:
    """Presentation time of every frame, seconds as in the file, ascending; edit lists honoured. Nothing is decoded.

    Raises:
        VideoError: the video cannot be read.
    """
    if info.still and stills.is_still(ref):
        return [Fraction(0)]
    return packet_table(ref, timeout_s=timeout_s).times


def rhythm(ref: VideoRef, info: VideoInfo, *, timeout_s: float = 60.0) -> Rhythm:
    """Times, key frames and packet sizes of all frames, for findings; empty for a still picture. Nothing is decoded.

    Raises:
        VideoError: the video cannot be read.
    """
    if info.still and stills.is_still(ref):
        return Rhythm.of_times([Fraction(0)])
    return Rhythm.of_table(packet_table(ref, timeout_s=timeout_s), info.codec)


def choose_decoder(
    ref: VideoRef, info: VideoInfo, decoder: Decoder, *, timeout_s: float = 60.0
) -> tuple[Decoder, str | None]:
    """The decoder `read_frames` will use, and a sentence for the findings where it is not the one asked for.

    Raises:
        UsageError: decord is asked for and not installed.
        VideoError: the video cannot be read.
    """
    if decoder == "pyav" or info.still:
        return "pyav", None
    reason = decord_reader.why_not(ref, info, packet_table(ref, timeout_s=timeout_s))
    return ("decord", None) if reason is None else ("pyav", f"read with PyAV, not decord: {reason}")


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
        ref: the video.
        info: its `probe`; its colour matrix and range are used, so a caller may replace what was assumed.
        indices: positions in `frame_times`, any order, repeats ignored; frames come in ascending order.
        raster: (width, height) frames are scaled to (bicubic); None: the video's own displayed size.
        decoder: "pyav" or "decord".
        timeout_s: longest wait for the next frame to leave the decoder.

    Yields:
        Frames with their number, exact time and uint8 (height, width, 3) picture.

    Raises:
        BrokenVideo: at the end, after all frames that could be decoded were given, when wanted ones are missing.
        TransientVideoError: no frame came for `timeout_s` seconds, or storage failed.
        ValueError: there is no frame of such a number.
    """
    wanted = sorted({int(index) for index in indices})
    if not wanted:
        return
    raster = raster or (info.width, info.height)
    if info.still and stills.is_still(ref):
        yield stills.read_still(ref, raster)
        return
    table = packet_table(ref, timeout_s=timeout_s)
    if wanted[0] < 0 or wanted[-1] >= len(table.order):
        raise ValueError(f"{ref.path}: frames {wanted[0]} to {wanted[-1]} wanted of {len(table.order)}")
    if choose_decoder(ref, info, decoder, timeout_s=timeout_s)[0] == "decord":
        yield from decord_reader.read(ref, info, table, wanted, raster)
    else:
        convert: Converter | None = None
        read = _read_fields if info.interlaced else _read_pyav
        for index, frame in read(ref, table, wanted, timeout_s):
            if convert is None:
                turn = orientation_of(frame)
                convert = Converter(raster, info.color_space, info.color_range, turn, info.color_transfer)
            yield Frame(index, int(table.pts[table.order[index]]) * table.time_base, convert(frame))


def read_luma(
    ref: VideoRef, info: VideoInfo, indices: Sequence[int], size: tuple[int, int], *, timeout_s: float = 60.0
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Small luma pictures of the frames with these numbers, as `read_frames` gives them; converting is cheap.

    Args:
        ref, info, indices, timeout_s: as in `read_frames`.
        size: (width, height) each displayed picture is scaled to, whatever its shape.

    Yields:
        Number and uint8 (height, width) picture, ascending, as far as they can be decoded.
    """
    wanted = sorted(set(indices))
    if not wanted:
        return
    if info.still and stills.is_still(ref):
        yield 0, (stills.read_still(ref, size).rgb @ _LUMA).astype(np.uint8)
        return
    try:
        for index, frame in _read_pyav(ref, packet_table(ref, timeout_s=timeout_s), wanted, timeout_s):
            turn = orientation_of(frame)
            width, height = size[::-1] if turn.transpose else size
            shrinks = frame.width >= width and frame.height >= height
            gray = frame.reformat(width, height, "gray", interpolation="AREA" if shrinks else "BICUBIC", threads=1)
            yield index, turn.apply(np.asarray(gray.to_ndarray(), np.uint8)[:, :, None])[:, :, 0]
    except VideoError:
        return  # who decodes the frames to judge meets it again, and says so


def _read_fields(
    ref: VideoRef, table: PacketTable, wanted: list[int], timeout_s: float
) -> Iterator[tuple[int, VideoFrame]]:
    """As `_read_pyav`, of an interlaced stream: each frame made whole with the help of the two beside it."""
    last = len(table.order) - 1
    beside = sorted({n for w in wanted for n in (w - 1, w, w + 1) if 0 <= n <= last})
    woven = _read_pyav(ref, table, beside, timeout_s)
    near: dict[int, VideoFrame] = {}
    todo, problem = list(reversed(wanted)), None
    while todo:
        try:
            number, frame = next(woven, (last + 2, None))
        except BrokenVideo as error:
            number, frame, problem = last + 2, None, error
        if frame is not None:
            near[number] = frame
        while todo and number > todo[-1]:
            index = todo.pop()
            if index in near:
                around = [n for n in (index - 1, index, index + 1) if n in near]
                yield index, fields.whole([near[n] for n in around], around.index(index))
            elif problem is not None:
                raise problem
            near = {n: f for n, f in near.items() if n >= index}


def _read_pyav(
    ref: VideoRef, table: PacketTable, wanted: list[int], timeout_s: float
) -> Iterator[tuple[int, VideoFrame]]:
    """Decoded frames with their numbers."""
    # By packet number; by the frame's own number where only the decoder knows which packet a frame came from.
    number_of = {index if table.counted else int(table.order[index]): index for index in wanted}
    damaged = 0
    for packet_number, frame in _decoded(ref, table, number_of, timeout_s):
        if frame is None:
            damaged += 1
            continue
        index = number_of.pop(packet_number, None)
        if index is None:
            continue
        yield index, frame
        if not number_of:
            return
    cause = f"{damaged} damaged packets" if damaged else table.error or "the file holds no usable data for them"
    missing = f"{len(number_of)} of {len(wanted)} wanted frames cannot be decoded ({cause})"
    raise BrokenVideo(ref.path, f"{missing}; write the file again")


def _decoded(
    ref: VideoRef, table: PacketTable, wanted: dict[int, int], timeout_s: float
) -> Iterator[tuple[int, VideoFrame | None]]:
    """Frames in presentation order, each with its packet's number (with its own where these are unknown: `counted`).

    None in place of a frame stands for a packet the decoder refused.
    """
    with opened(ref, timeout_s=timeout_s) as (container, stream):
        prepare_decoder(stream)
        counter = 0
        last = time.monotonic()
        for packet in _fed(ref, container, stream, table, wanted):
            try:
                frames = stream.codec_context.decode(packet)
            except FFmpegError:
                frames = []
                yield -1, None
            for frame in frames:
                mark = frame.opaque
                origin = counter if table.counted else mark.packet if isinstance(mark, _Mark) else None
                counter += 1
                last = time.monotonic()
                if origin is not None:
                    yield origin, frame
                    last = time.monotonic()  # the time the caller took is not ours
            if time.monotonic() - last > timeout_s:
                problem = f"no frame was decoded in {timeout_s:g} s; try again, or raise the decode time-out"
                raise TransientVideoError(ref.path, problem)


class _Mark:
    """A packet's number, to be found again on its frame.

    An object of its own for each packet: PyAV keeps what it is given by identity, and would take two equal small
    integers in two decoders for the same thing, and lose one.
    """

    __slots__ = ("packet",)

    def __init__(self, packet: int) -> None:
        self.packet = packet


def _readable(ref: VideoRef, container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The track's packets as far as they can be read; the table of packets ends there too, and says why."""
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except (TimeoutError, ExitError) as error:
        raise explain(ref, error) from error
    except FFmpegError:
        return


def _fed(
    ref: VideoRef, container: InputContainer, stream: VideoStream, table: PacketTable, wanted: Collection[int]
) -> Iterator[Packet[VideoStream] | None]:
    """The packets the decoder is to be given, marked with their number, as far as the last wanted one; then None."""
    plan = table.plan(wanted)
    end = len(plan) if table.counted else max(wanted) + 1
    for number, packet in enumerate(_readable(ref, container, stream)):
        if number >= end:
            break
        if plan[number] != SKIP:
            packet.opaque = _Mark(number)
            if table.drops_nonref:
                stream.codec_context.skip_frame = "DEFAULT" if plan[number] == WANTED else "NONREF"
            yield packet
    yield None  # what the decoder still holds back
