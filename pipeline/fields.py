"""Interlaced pictures made whole, at frame rate: libavfilter's bwdif on frames whose two fields show different moments.

Progressive pictures in an interlaced stream (most film) are left as they are: weaving is right for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from av.error import EOFError, FFmpegError
from av.filter import Graph
from av.video.frame import VideoFrame

SAID = "interlaced: where its fields differ they are deinterlaced at frame rate (bwdif)"
_TICK = Fraction(1, 25)
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


def deinterlace(frames: Sequence[VideoFrame], at: int) -> VideoFrame:
    """Frame `at` of up to three consecutive ones, deinterlaced at the moment of its first field.

    Raises:
        FFmpegError: libavfilter cannot take this kind of picture.
    """
    middle = frames[at]
    graph = Graph()
    source = graph.add_buffer(width=middle.width, height=middle.height, format=middle.format, time_base=_TICK)
    bwdif, sink = graph.add("bwdif", "mode=send_frame:parity=auto:deint=all"), graph.add("buffersink")
    source.link_to(bwdif)
    bwdif.link_to(sink)
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


def whole(frames: Sequence[VideoFrame], at: int) -> VideoFrame:
    """Frame `at`, deinterlaced if it shows two moments and libavfilter can."""
    if not is_combed(frames[at]):
        return frames[at]
    try:
        return deinterlace(frames, at)
    except FFmpegError:
        return frames[at]
