"""Decoded frames with their numbers, by PyAV.

A first pass over the packets (no decoding) numbers the frames by time; the decoder is then fed in order and says which
packet each frame came from, so numbers and times hold on edit lists, open GOPs and damage. Unwanted frames that
nothing refers to are not decoded, and groups of pictures without a wanted frame are passed over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction

from av.container import InputContainer
from av.error import ExitError, FFmpegError, TimeoutError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from .errors import BrokenVideo, TransientVideoError
from .media import DECODE_THREADS, explain, opened, to_its_end
from .media import decoder as prepare_decoder
from .packet_table import SKIP, WANTED, PacketTable
from .text import counted
from .values import VideoRef

Numbered = Generator[tuple[int, VideoFrame], None, None]


@dataclass
class Loss:
    """What one decoder could not do."""

    frames: int = 0  # wanted and missing at the end
    damaged: int = 0  # packets it refused
    times: set[Fraction] = field(default_factory=set)  # of pictures that it refused, or gave in part


def decoded(
    ref: VideoRef,
    table: PacketTable,
    wanted: list[int],
    timeout_s: float,
    threads: int = DECODE_THREADS,
    damaged: set[Fraction] | None = None,
) -> Generator[tuple[int, VideoFrame], None, None]:
    """Frames with these numbers, ascending, as the decoder gives them; `damaged` is as in `decode.read_frames`.

    Raises:
        BrokenVideo: at the end, after all frames that could be decoded were given, when wanted ones are missing.
        TransientVideoError: no frame came for `timeout_s` seconds, or storage failed.
    """
    loss = Loss() if damaged is None else Loss(times=damaged)
    yield from as_far_as(ref, table, wanted, timeout_s, threads, loss)
    told([loss], ref, table)


def as_far_as(
    ref: VideoRef,
    table: PacketTable,
    wanted: list[int],
    timeout_s: float,
    threads: int,
    loss: Loss,
    *,
    groups_apart: bool = False,
) -> Generator[tuple[int, VideoFrame], None, None]:
    """As `decoded`, but wanted frames that are missing are no error: `loss` says how many.

    From the first damage on every group of pictures is decoded by itself (`groups_apart`): what else a decoder makes of
    it depends on what it decoded before, so on the frames that are wanted and on the number of decoders.

    Raises:
        TransientVideoError: as `decoded` does.
    """
    # By packet number; by the frame's own number where only the decoder knows which packet a frame came from.
    number_of = {index if table.counted else int(table.order[index]): index for index in wanted}
    newest, last_try = -1, threads == 1 and (groups_apart or table.counted)
    with closing(from_packets(ref, table, number_of, timeout_s, threads, groups_apart=groups_apart)) as frames:
        for packet_number, frame in frames:
            if frame is None and threads > 1:
                break
            if (frame is None or frame.is_corrupt) and (at := _shown_at(table, packet_number)) is not None:
                loss.times.add(at)
            if (frame is None or frame.is_corrupt) and not last_try:
                break
            if frame is None:
                loss.damaged += 1
                continue
            index = number_of.pop(packet_number, None)
            if index is None:
                continue
            given = [(index, frame)]
            del frame  # it waits nowhere while the caller works: it is large
            newest = index
            yield given.pop()
            if not number_of:
                return
    # Where one of several threads fails, what the others gave just then is dropped with it: the rest by one alone.
    again = [] if last_try else sorted(index for index in number_of.values() if index > newest)
    loss.frames += len(number_of) - len(again)
    if again:
        yield from as_far_as(ref, table, again, timeout_s, 1, loss, groups_apart=True)


def _shown_at(table: PacketTable, packet_number: int) -> Fraction | None:
    """When a packet's picture is presented; None where it is not, or is not known."""
    if table.counted:
        return table.times[packet_number] if 0 <= packet_number < len(table.order) else None
    known = 0 <= packet_number < len(table.shown) and table.shown[packet_number]
    return int(table.pts[packet_number]) * table.time_base if known else None


def told(losses: Sequence[Loss], ref: VideoRef, table: PacketTable) -> None:
    """Raise BrokenVideo where frames are missing."""
    if any(loss.frames for loss in losses):
        damaged = sum(loss.damaged for loss in losses)
        cause = counted(damaged, "damaged packet") if damaged else table.error or "it holds no usable data for them"
        raise BrokenVideo(ref.path, f"frames are damaged or missing in the file ({cause}); write the file again")


def decoded_whole(
    ref: VideoRef,
    table: PacketTable,
    wanted: list[int],
    timeout_s: float,
    whole: Callable[[Sequence[VideoFrame], int], VideoFrame],
    threads: int = DECODE_THREADS,
    damaged: set[Fraction] | None = None,
) -> Generator[tuple[int, VideoFrame], None, None]:
    """As `decoded`, of a stream of fields: each frame made `whole` (see `fields`) by means of the two beside it."""
    last = len(table.order) - 1
    beside = sorted({n for w in wanted for n in (w - 1, w, w + 1) if 0 <= n <= last})
    near: dict[int, VideoFrame] = {}
    todo, problem = list(reversed(wanted)), None
    with closing(decoded(ref, table, beside, timeout_s, threads, damaged)) as woven:
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
                    yield index, whole([near[n] for n in around], around.index(index))
                elif problem is not None:
                    raise problem
                near = {n: f for n, f in near.items() if n >= index}


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
    end = len(plan) if table.counted else max(wanted) + 1
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
