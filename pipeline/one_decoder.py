"""One decoder and the packets it is given: frames, each with the number of the packet that it came from.

Unwanted frames that nothing refers to are not decoded, and groups of pictures without a wanted frame are passed over.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Iterator

import numpy as np
from av.container import InputContainer
from av.error import ExitError, FFmpegError, TimeoutError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from .errors import TransientVideoError
from .media import decoder as prepare_decoder
from .media import explain, opened, to_its_end
from .packet_table import SKIP, WANTED, PacketTable
from .values import VideoRef


def from_packets(
    ref: VideoRef,
    table: PacketTable,
    wanted: dict[int, int],
    timeout_s: float,
    threads: int,
    *,
    groups_apart: bool = False,
) -> Generator[tuple[int, VideoFrame | None], None, None]:
    """Frames in presentation order, each with its packet's number (with its own where these are unknown: `counted`).

    None in place of a frame stands for a packet the decoder refused; -1 where it is not known which.
    """
    with opened(ref, timeout_s=timeout_s) as (container, stream):
        prepare_decoder(stream, threads=threads)
        following, lost = 0, False
        last = time.monotonic()
        try:
            for packet in _fed(ref, container, stream, table, wanted, groups_apart):
                try:
                    frames = stream.codec_context.decode(packet)
                except FFmpegError:
                    frames, lost = [], True
                    mark = None if packet is None else packet.opaque
                    yield mark.packet if isinstance(mark, _Mark) and not table.counted else -1, None
                if packet is None:  # another group may follow
                    stream.codec_context.flush_buffers()
                while frames:  # none waits here while the caller works: their decoder wants them back
                    frame = frames.pop(0)
                    mark = frame.opaque
                    origin = mark.packet if isinstance(mark, _Mark) else None
                    if table.counted:
                        origin = table.number(origin, following, lost=lost)
                        following = following if origin is None else origin + 1
                    last = time.monotonic()
                    if origin is not None:
                        given: list[tuple[int, VideoFrame | None]] = [(origin, frame)]
                        del frame  # it waits nowhere while the caller works: it is large
                        yield given.pop()
                        last = time.monotonic()  # the time the caller took is not ours
                if time.monotonic() - last > timeout_s:
                    problem = f"no frame was decoded in {timeout_s:g} s; try again, or raise the decode time-out"
                    raise TransientVideoError(ref.path, problem)
        finally:
            # PyAV frees a decoder while it holds the interpreter lock, which waits for FFmpeg's threads, and one of
            # these may be about to ask for that lock to let a packet's mark go. Here they are waited for without it.
            stream.codec_context.flush_buffers()


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
        for packet in to_its_end(container.demux(stream)):
            if packet.size:
                yield packet
    except (TimeoutError, ExitError) as error:
        raise explain(ref, error) from error
    except FFmpegError:
        return


def _fed(
    ref: VideoRef,
    container: InputContainer,
    stream: VideoStream,
    table: PacketTable,
    wanted: Collection[int],
    groups_apart: bool,
) -> Iterator[Packet[VideoStream] | None]:
    """The packets the decoder is to be given, marked with their number, as far as the last wanted one; then None.

    None, too, between `groups_apart`.
    """
    plan, fed = table.plan(wanted), False
    end = int(np.flatnonzero(plan == WANTED)[-1]) + 1
    for number, packet in enumerate(_readable(ref, container, stream)):
        if number >= end:
            break
        if plan[number] != SKIP:
            if groups_apart and fed and table.afresh[number] and not table.counted:
                yield None
            fed = True
            packet.opaque = _Mark(number)
            if table.drops_nonref:
                stream.codec_context.skip_frame = "DEFAULT" if plan[number] == WANTED else "NONREF"
            yield packet
    yield None  # what the decoder still holds back
