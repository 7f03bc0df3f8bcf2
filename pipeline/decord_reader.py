"""decord as the reader of frames, where it is right: H.264, HEVC and ProRes in local MP4/MOV files with closed GOPs.

decord 0.6 gives wrong frames on edit lists, open GOPs and MPEG-TS, and fails on VP9 and AV1; it mirrors nothing, reads
a whole object into memory where it is not given a local path, and takes an unstated matrix for bt601, which is
corrected here.

No case was found where it is better. CPU seconds on a 1080p H.264 minute (groups of 60, B-frames), PyAV as `decode`
uses it and decord with two threads, by `benchmarks/bench_decode.py`: 2 frames a second 9.5 and 24.4; one in 10 s 0.9
and 2.5 (with one thread 2.1); 5 frames anywhere 0.9 and 2.2; 200 in a row 4.5 and 24.0. It is there for those who
compare with figures made with it; its rounding leaves pictures about one level darker.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from itertools import islice
from typing import Any

import numpy as np

from ..models.own_raster import LEAST, octaves
from . import storage, tone
from .colour import UNSTATED_MATRIX, rematrix, rescaled
from .errors import BrokenVideo, UsageError
from .media import opened
from .orientation import orientation_of
from .packet_table import PacketTable
from .values import Frame, Own, VideoInfo, VideoRef

THREADS = 2
_CODECS = frozenset({"h264", "hevc", "prores"})


@cache
def _decord() -> Any:
    try:
        import decord
    except (ImportError, OSError) as error:
        raise UsageError("decord is not installed (it has no build for this machine); use --decoder pyav") from error
    decord.logging.set_level(decord.logging.QUIET)
    return decord


def why_not(ref: VideoRef, info: VideoInfo, table: PacketTable) -> str | None:
    """Why decord must not read this video, as the end of a sentence; None where its frames are right.

    Raises:
        UsageError: decord is not installed.
        VideoError: the video cannot be read.
    """
    _decord()
    if ref.parts or storage.is_remote(ref.path):
        return "it reads local files only"
    if info.codec not in _CODECS:
        return f"it does not decode {info.codec} rightly"
    if not ref.path.lower().endswith((".mp4", ".mov", ".m4v")) or table.counted:
        return "it is right in MP4 and MOV files only"
    if not table.shown.all():
        return "it does not honour edit lists"
    if not bool(np.array_equal(table.key, table.key & table.afresh)):
        return "it gives wrong frames on open groups of pictures"
    if info.interlaced or info.telecine:
        return "it does not deinterlace"
    if info.color_transfer in tone.HDR:
        return "it does not tone-map HDR"
    if info.mirrored:
        return "it does not mirror"
    if info.rotation_degrees and not _turned_by_container(ref):
        return "it does not turn pictures where only the stream itself asks for it"
    if table.error is not None:
        return "the file is damaged"
    return None


def _turned_by_container(ref: VideoRef) -> bool:
    """True where each frame says its turn, not key frames alone as in the streams themselves."""
    with opened(ref) as (container, stream):
        first = list(islice(container.decode(stream), 2))
    return len({orientation_of(frame) for frame in first}) == 1


def read(
    ref: VideoRef, info: VideoInfo, table: PacketTable, wanted: list[int], raster: tuple[int, int], *, own: bool
) -> Iterator[Frame]:
    """The wanted frames (ascending numbers) on `raster`: the same as PyAV's, a few levels apart at coloured edges.

    Raises:
        BrokenVideo: decord cannot read the file, or counts other frames in it than it holds.
    """
    try:
        reader = _decord().VideoReader(storage.canonical(ref.path), num_threads=THREADS)
    except Exception as error:  # decord raises its own DECORDError, RuntimeError or MXNet-like errors
        raise BrokenVideo(ref.path, "decord cannot open it; use --decoder pyav") from error
    if len(reader) != len(table.order):
        counts = f"decord counts {len(reader)} frames where there are {len(table.order)}"
        raise BrokenVideo(ref.path, f"{counts}; use --decoder pyav")
    assumed = any(str(note).startswith(UNSTATED_MATRIX) for note in info.notes)
    stored = info.width, info.height
    larger = octaves(stored, raster) if own else 0.0
    for index in wanted:
        try:
            rgb = reader[index].asnumpy()
        except Exception as error:
            raise BrokenVideo(ref.path, f"decord cannot decode frame {index}; use --decoder pyav") from error
        if assumed and info.color_space not in ("smpte170m", "bt470bg"):
            rgb = rematrix(rgb, used="smpte170m", right=info.color_space)
        pts = int(table.pts[table.order[index]]) * table.time_base
        rgb = np.ascontiguousarray(rgb)  # decord has turned the picture itself
        as_stored = Own(larger, partial(rescaled, rgb, stored)) if larger >= LEAST else None
        yield Frame(index, pts, rescaled(rgb, raster), own=as_stored)
