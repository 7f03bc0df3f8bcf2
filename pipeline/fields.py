"""Interlaced pictures made whole, at frame rate: libavfilter's bwdif on frames whose two fields show different moments.

Progressive pictures in an interlaced stream (most film) are left as they are: weaving is right for them. Where film was
woven into fields (3:2 pulldown) fieldmatch first looks in the pictures beside for the field of the same film frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from fractions import Fraction

import numpy as np
from av.error import EOFError, FFmpegError
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from .errors import BrokenVideo
from .frames import Loss, Numbered, decoded_whole
from .packet_table import PacketTable
from .values import VideoRef

SAID = "interlaced: where its fields differ they are deinterlaced at frame rate (bwdif)"
SAID_OF_A_PART = (
    "interlaced in part, first at {:.1f} s: where fields differ they are deinterlaced at frame rate (bwdif)"
)
SAID_OF_FILM = "film woven into fields (3:2 pulldown): its frames are put together again to be judged (fieldmatch)"
SHOWN_COMBED = "; its pictures are marked progressive, so players show two of five of them combed"
_TICK = Fraction(1, 25)
_BWDIF = "mode=send_frame:parity=auto:deint="
# The film frame of each picture's upper field, whichever comes first: the same choice in an encode and its master.
_FIELDMATCH = "order=tff:field=top:mode=pc_n:combmatch=full"
COMB = 12  # luma levels by which a line differs from both its neighbours, in the same direction
COMBED = 0.003  # part of the pixels that do so in a picture of two moments
PROGRESSIVE = 0.7  # of what it does with fields of the pictures beside: a picture of one moment does so less
ORDERED = 0.8  # of what one order's mixtures do, that the other's do: combed 0.2 to 0.75, others 0.85 to 1
COLUMNS = 480  # at least so many are looked at


def is_combed(frames: Sequence[VideoFrame], at: int) -> bool:
    """True where frame `at` of up to three consecutive ones shows two moments, one in each field.

    Where something moves, lines alternate there: each unlike both neighbours, which are alike. Fine progressive detail
    does so too, but more with a field of a picture beside it; fields of two moments are as near to those as to each
    other.
    """
    if frames[at].height < 8:
        return False
    own = _luma(frames[at])
    beside = [luma for i in (at - 1, at + 1) if 0 <= i < len(frames) and (luma := _luma(frames[i])).shape == own.shape]
    if not beside:
        return float(teeth_of(own).mean()) > COMBED
    moves = np.max([abs(own - other) for other in beside], axis=0)[1:-1] > COMB
    teeth = float((teeth_of(own) & moves).mean())
    if teeth <= COMBED or len(beside) < 2:  # from one side alone, slowing down looks like progressive pictures
        return teeth > COMBED
    mixed = [_woven(*pair) for other in beside for pair in ((own, other), (other, own))]
    return teeth > PROGRESSIVE * min(float((teeth_of(woven) & moves).mean()) for woven in mixed)


def field_order(frames: Sequence[VideoFrame]) -> int | None:
    """Which field of the middle one of three frames is the earlier: 1 the upper, -1 the lower, 0 neither.

    The earlier is nearer to the other one of the picture before than the later is, and so do its lines alternate less
    there. Fine detail may alternate in whatever way, and gone up or down by a line not at all: in both orders alike.

    Returns:
        None where too little of it moves.
    """
    before, own, after = map(_luma, frames)
    if not before.shape == own.shape == after.shape or len(own) < 8:
        return None
    moves = np.maximum(abs(own - before), abs(own - after))[1:-1] > COMB

    def teeth(*pairs: tuple[NDArray[np.int16], NDArray[np.int16]]) -> float:
        return sum(float((teeth_of(_woven(*pair)) & moves).mean()) for pair in pairs)

    if teeth((own, own)) <= COMBED:
        return None
    upper, lower = teeth((own, before), (after, own)), teeth((before, own), (own, after))
    if min(upper, lower) >= ORDERED * max(upper, lower):
        return 0
    return 1 if upper < lower else -1


def _luma(frame: VideoFrame) -> NDArray[np.int16]:
    """(height, n) some of its columns."""
    luma = np.asarray(frame.reformat(format="gray").to_ndarray(), np.uint8)
    return luma[:, :: max(1, frame.width // COLUMNS)].astype(np.int16)


def _woven(upper: NDArray[np.int16], lower: NDArray[np.int16]) -> NDArray[np.int16]:
    """The even lines of one, the odd ones of another."""
    woven = upper.copy()
    woven[1::2] = lower[1::2]
    return woven


def teeth_of(y: NDArray[np.int16]) -> NDArray[np.bool_]:
    """The pixels, without the first and last line, at which lines alternate."""
    above, below = y[1:-1] - y[:-2], y[1:-1] - y[2:]
    teeth = (np.sign(above) == np.sign(below)) & (np.minimum(abs(above), abs(below)) > COMB)
    return np.asarray(teeth & (2 * abs(above - below) < abs(above) + abs(below)))


def deinterlaced(frames: Sequence[VideoFrame], at: int) -> VideoFrame:
    """Frame `at` of up to three consecutive ones, at the moment of its first field if it shows two."""
    return _whole(frames, at, ("bwdif", f"{_BWDIF}all"))


def where_marked(frames: Sequence[VideoFrame], at: int) -> VideoFrame:
    """The same where frame `at` is marked as coded in fields, in a stream that does not begin so; else as it is."""
    return deinterlaced(frames, at) if frames[at].interlaced_frame else frames[at]


def as_marked(
    given: Numbered, wanted: Sequence[int], again: Callable[[list[int]], Numbered], table: PacketTable,
    interlaced: set[Fraction],
) -> Numbered:  # fmt: skip
    """The frames as they are given up to the first that is marked as coded in fields, then the others `again`.

    A video that does not begin with fields may go on with them (recordings of broadcasts). Others are decoded once.
    """
    done: set[int] = set()
    with closing(given) as frames:
        for index, frame in frames:
            if frame.interlaced_frame:
                del frame
                break
            done.add(index)
            one = [(index, frame)]
            del frame  # it waits nowhere while the caller works: it is large
            yield one.pop()
        else:
            return
    interlaced.add(table.times[index])
    yield from again([number for number in wanted if number not in done])


def as_far_as_marked(ref: VideoRef, table: PacketTable, wanted: list[int], *, timeout_s: float, loss: Loss) -> Numbered:
    """As `frames.as_far_as`, but frames `where_marked` are made whole."""
    try:
        yield from decoded_whole(ref, table, wanted, timeout_s, where_marked, 1, loss.times)
    except BrokenVideo:
        loss.frames += 1  # at least: told with those of the other decoders


def film(frames: Sequence[VideoFrame], at: int) -> VideoFrame:
    """The same of film in fields: the film frame of its upper field, if it shows two; deinterlaced where that fails."""
    constant = ("fps", str(1 / _TICK))  # fieldmatch takes no other rate
    return _whole(frames, at, constant, ("fieldmatch", _FIELDMATCH), ("bwdif", f"{_BWDIF}interlaced"))


def _whole(frames: Sequence[VideoFrame], at: int, *filters: tuple[str, str]) -> VideoFrame:
    """As it is where it shows one moment, or libavfilter cannot take this kind of picture."""
    if not is_combed(frames, at):
        return frames[at]
    try:
        return _filtered(frames, at, filters)
    except FFmpegError:
        return frames[at]


def _filtered(frames: Sequence[VideoFrame], at: int, filters: Sequence[tuple[str, str]]) -> VideoFrame:
    middle = frames[at]
    graph = Graph()
    last = graph.add_buffer(width=middle.width, height=middle.height, format=middle.format, time_base=_TICK)
    for name, options in (*filters, ("buffersink", "")):
        added = graph.add(name, options) if options else graph.add(name)
        last.link_to(added)
        last = added
    graph.configure()
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base = number, _TICK  # only the order counts; a flushed frame may lack its time base
        graph.push(frame)
    graph.push(None)
    out: list[object] = []
    while len(out) <= at:
        try:
            out.append(graph.pull())
        except EOFError:
            break
    shown = out[at] if len(out) > at else None
    return shown if isinstance(shown, VideoFrame) else middle
