"""Interlaced pictures made whole, at frame rate: libavfilter's bwdif on frames whose two fields show different moments.

Progressive pictures in an interlaced stream (most film) are left as they are: weaving is right for them. Where film was
woven into fields (3:2 pulldown) fieldmatch first looks in the pictures beside for the field of the same film frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from av.error import EOFError, FFmpegError
from av.filter import Graph
from av.video.frame import VideoFrame

SAID = "interlaced: where its fields differ they are deinterlaced at frame rate (bwdif)"
SAID_OF_FILM = "film woven into fields (3:2 pulldown): its frames are put together again to be judged (fieldmatch)"
SHOWN_COMBED = "; its pictures are marked progressive, so players show two of five of them combed"
_TICK = Fraction(1, 25)
_BWDIF = "mode=send_frame:parity=auto:deint="
# The film frame of each picture's upper field, whichever comes first: the same choice in an encode and its master.
_FIELDMATCH = "order=tff:field=top:mode=pc_n:combmatch=full"
COMB = 12  # luma levels by which a line differs from both its neighbours, in the same direction
COMBED = 0.003  # part of the pixels that do so in a picture of two moments


def is_combed(frame: VideoFrame) -> bool:
    """True where the lines of two fields alternate: each unlike both neighbours, which are alike."""
    if frame.height < 8:
        return False
    y = np.asarray(frame.reformat(format="gray").to_ndarray(), np.int16)
    above, below = y[1:-1] - y[:-2], y[1:-1] - y[2:]
    teeth = (np.sign(above) == np.sign(below)) & (np.minimum(abs(above), abs(below)) > COMB)
    teeth &= 2 * abs(above - below) < abs(above) + abs(below)
    return bool(teeth.mean() > COMBED)


def deinterlaced(frames: Sequence[VideoFrame], at: int) -> VideoFrame:
    """Frame `at` of up to three consecutive ones, at the moment of its first field if it shows two."""
    return _whole(frames, at, ("bwdif", f"{_BWDIF}all"))


def film(frames: Sequence[VideoFrame], at: int) -> VideoFrame:
    """The same of film in fields: the film frame of its upper field, if it shows two; deinterlaced where that fails."""
    return _whole(frames, at, ("fps", "25"), ("fieldmatch", _FIELDMATCH), ("bwdif", f"{_BWDIF}interlaced"))


def _whole(frames: Sequence[VideoFrame], at: int, *filters: tuple[str, str]) -> VideoFrame:
    """As it is where it shows one moment, or libavfilter cannot take this kind of picture."""
    if not is_combed(frames[at]):
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
