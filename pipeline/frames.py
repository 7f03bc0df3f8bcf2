"""Decoded frames with their numbers, by PyAV.

A first pass over the packets numbers the frames by time; decoders are then fed in order and say which packet each frame
came from (`one_decoder`), so numbers and times hold on edit lists, open GOPs and damage.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction

from av.video.frame import VideoFrame

from .errors import BrokenVideo
from .media import DECODE_THREADS
from .one_decoder import from_packets
from .packet_table import PacketTable
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
