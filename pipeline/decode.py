"""Wanted frames of a video, streamed in presentation order as upright R'G'B' pictures on one raster.

PyAV decodes (see `frames`), and only wanted frames are converted.

decord can be chosen. Where its frames would be wrong (see `decord_reader`) PyAV reads, and `choose_decoder` says so.
"""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Callable, Generator, Sequence
from fractions import Fraction
from functools import partial

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from ..models.own_raster import LEAST, octaves
from . import decord_reader, fields, stills
from .ahead import Ahead
from .cadence import Rhythm
from .colour import Converter
from .combs import part_combed
from .errors import VideoError
from .frames import Loss, Numbered, as_far_as, decoded, decoded_whole, told
from .media import DECODE_THREADS
from .orientation import Orientation
from .packet_table import PacketTable
from .packets import packet_table
from .settings import Decoder
from .storage import is_remote
from .values import Frame, Own, VideoInfo, VideoRef

LANE_FRAMES, LANE_BYTES = 64, 100 << 20  # that wait in each of several lanes

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)

DECORD = (
    "read with decord, which converts colours in its own way, with coarser chroma: scores of small encodes lie up to "
    "4 points in NR and 2.5 in FR from those of PyAV"
)


def frame_times(ref: VideoRef, info: VideoInfo, *, timeout_s: float = 60.0) -> Sequence[Fraction]:
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
    """The decoder `read_frames` will use, and a sentence for the findings where that is not what PyAV would give.

    Raises:
        UsageError: decord is asked for and not installed.
        VideoError: the video cannot be read.
    """
    if decoder == "pyav" or info.still:
        return "pyav", None
    reason = decord_reader.why_not(ref, info, packet_table(ref, timeout_s=timeout_s))
    return ("decord", DECORD) if reason is None else ("pyav", f"read with PyAV, not decord: {reason}")


def read_frames(
    ref: VideoRef,
    info: VideoInfo,
    indices: Sequence[int],
    *,
    raster: tuple[int, int] | None = None,
    decoder: Decoder = "pyav",
    timeout_s: float = 60.0,
    cores: int = 1,
    damaged: set[Fraction] | None = None,
    interlaced: set[Fraction] | None = None,
    combs: dict[int, float] | None = None,
    own: bool = False,
) -> Generator[Frame, None, None]:
    """Decode the frames with these numbers, one after the other.

    Args:
        ref: the video.
        info: its `probe`; its colour matrix and range are used, so a caller may replace what was assumed.
        indices: positions in `frame_times`, any order, repeats ignored; frames come in ascending order.
        raster: (width, height) frames are scaled to (bicubic); None: the video's own displayed size.
        decoder: "pyav" or "decord".
        timeout_s: longest wait for the next frame to leave the decoder.
        cores: that decoding may use. From two on there are as many decoders side by side, each of groups of pictures of
            its own, where the video and its place allow that; elsewhere one decoder with two threads.
        damaged: takes the presentation times of pictures that could not be decoded, or only in part, of all that the
            wanted ones needed (PyAV alone tells).
        interlaced: takes the presentation times from which on wanted pictures are deinterlaced though `info` does not
            say that they are (PyAV alone); None: they are not.
        combs: takes `combs.part_combed` of each frame, by number, of what is not deinterlaced (PyAV alone).
        own: whether frames that `raster` enlarges come with what is stored, too; convert it before the next is read.

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
        yield stills.read_still(ref, raster, own=own)
        return
    table = packet_table(ref, timeout_s=timeout_s)
    if wanted[0] < 0 or wanted[-1] >= len(table.order):
        raise ValueError(f"{ref.path}: frames {wanted[0]} to {wanted[-1]} wanted of {len(table.order)}")
    if choose_decoder(ref, info, decoder, timeout_s=timeout_s)[0] == "decord":
        yield from decord_reader.read(ref, info, table, wanted, raster, own=own)
        return
    whole = fields.film if info.telecine else fields.deinterlaced if info.interlaced else None
    larger = octaves((info.width, info.height), raster) if own else 0.0
    kept = info.coded_width * info.coded_height if larger >= LEAST else 0  # pixels beside what is shown
    most = max(2, min(LANE_FRAMES, LANE_BYTES // (3 * (raster[0] * raster[1] + kept))))
    shares = table.shares(wanted, cores, most) if cores > 1 and whole is None and not is_remote(ref.path) else [wanted]
    if len(shares) == 1:
        threads = min(cores, DECODE_THREADS)
        given = _decoded(ref, wanted, timeout_s, whole, threads, damaged)
        if whole is None and interlaced is not None:
            again = partial(
                _decoded, ref, timeout_s=timeout_s, whole=fields.where_marked, threads=threads, damaged=damaged
            )
            given = fields.as_marked(given, wanted, again, table, interlaced)
        yield from _shown(given, info, table, raster, larger, None if whole else combs)
        return
    losses = [Loss(times=set() if damaged is None else damaged) for _ in shares]
    with contextlib.ExitStack() as stack:
        side_by_side = []
        for share, loss in zip(shares, losses, strict=True):
            given = as_far_as(ref, table, share, timeout_s, 1, loss)
            if interlaced is not None:
                again = partial(fields.as_far_as_marked, ref, table, timeout_s=timeout_s, loss=loss)
                given = fields.as_marked(given, share, again, table, interlaced)
            frames = _shown(given, info, table, raster, larger, combs, alone=False)
            side_by_side.append(stack.enter_context(Ahead(frames, depth=most)))
        yield from heapq.merge(*side_by_side, key=lambda frame: frame.index)
    told(losses, ref, table)


def _shown(
    given: Numbered,
    info: VideoInfo,
    table: PacketTable,
    raster: tuple[int, int],
    larger: float,
    combs: dict[int, float] | None,
    *,
    alone: bool = True,
) -> Generator[Frame, None, None]:
    colour = info.color_space, info.color_range, _turn(info), info.color_transfer
    convert, convert_own = Converter(raster, *colour), Converter((info.width, info.height), *colour)
    with contextlib.closing(given) as frames:
        for index, frame in frames:
            if combs is not None:
                combs[index] = part_combed(frame)
            stored = frame.width, frame.height
            rgb, pts_s = convert(frame), int(table.pts[table.order[index]]) * table.time_base
            own = Own(larger, partial(convert_own, frame)) if larger >= LEAST else None
            if own is not None and not alone:  # the reader is in another thread, and PyAV marks frames it converts
                own = own.converted()
            shown = [Frame(index, pts_s, rgb, transparent=convert.transparent, own=own, stored=stored)]
            del frame, rgb, own  # none waits here while the caller works: they are large
            yield shown.pop()


def _turn(info: VideoInfo) -> Orientation:
    """As the first frame asks for: where the stream itself says it, H.264 and HEVC do so with key frames alone."""
    return Orientation.of(info.rotation_degrees, mirrored=info.mirrored)


def read_luma(
    ref: VideoRef, info: VideoInfo, indices: Sequence[int], size: tuple[int, int], *, timeout_s: float = 60.0
) -> Generator[tuple[int, NDArray[np.uint8]], None, None]:
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
    turn = _turn(info)
    width, height = size[::-1] if turn.transpose else size
    try:
        # As it will be judged: two moments woven into one picture look as much like the one as like the other.
        whole = fields.film if info.telecine else fields.deinterlaced if info.interlaced else None
        with contextlib.closing(_decoded(ref, wanted, timeout_s, whole)) as frames:
            for index, frame in frames:
                shrinks = frame.width >= width and frame.height >= height
                gray = frame.reformat(width, height, "gray", interpolation="AREA" if shrinks else "BICUBIC", threads=1)
                yield index, turn.apply(np.asarray(gray.to_ndarray(), np.uint8)[:, :, None])[:, :, 0]
    except VideoError:
        return  # who decodes the frames to judge meets it again, and says so


def _decoded(
    ref: VideoRef,
    wanted: list[int],
    timeout_s: float,
    whole: Callable[[Sequence[VideoFrame], int], VideoFrame] | None,
    threads: int = DECODE_THREADS,
    damaged: set[Fraction] | None = None,
) -> Numbered:
    """Frames with these numbers as the decoder gives them, or made whole of their fields."""
    table = packet_table(ref, timeout_s=timeout_s)
    if whole is None:
        return decoded(ref, table, wanted, timeout_s, threads, damaged)
    return decoded_whole(ref, table, wanted, timeout_s, whole, threads, damaged)
