"""A video track's packets read into their table: one streamed pass of the demuxer.

Nothing is decoded, but for the first packets of tracks of which these leave doubts (see `first_look`).
"""

from __future__ import annotations

import time
from functools import lru_cache

from av.container import InputContainer
from av.error import ExitError, FFmpegError, TimeoutError
from av.video.stream import VideoStream

from . import bitstream, storage
from .errors import BrokenVideo, TransientVideoError
from .media import ENCRYPTED, explain, is_encrypted, opened, to_its_end
from .packet_table import NONE, PacketTable
from .packet_times import Columns, finished, joined
from .values import VideoRef

EMPTY_TRACK = "no frame is stored in its video track: cut short, or never written; write the file again"


def packet_table(ref: VideoRef, *, timeout_s: float = 60.0) -> PacketTable:
    """Read all packets of the video track once, keeping their numbers only. The last tables are remembered.

    Raises:
        VideoError: the video cannot be opened, or no packet can be read.
    """
    paths = ref.parts or (ref.path,)
    # A replaced file must not meet a remembered table. Objects of a store are not asked again within a process.
    local = [path for path in paths if not storage.is_remote(path)]
    stamp = tuple((entry.size, entry.mtime_ns, entry.changed_ns) for entry in storage.stat_all(local))
    return _remembered(ref, stamp, timeout_s)


@lru_cache(maxsize=16)  # a large ladder: its tables are asked for to match it, and again to sample it
def _remembered(ref: VideoRef, _stamp: object, timeout_s: float) -> PacketTable:
    with opened(ref, timeout_s=timeout_s) as (container, stream):
        return read_table(ref, container, stream, timeout_s=timeout_s)


def read_table(ref: VideoRef, container: InputContainer, stream: VideoStream, *, timeout_s: float) -> PacketTable:
    """The table of a freshly opened container; leaves it at its end."""
    columns, error = Columns(), None
    codec, extradata = stream.codec_context.codec.canonical_name, stream.codec_context.extradata
    last = time.monotonic()
    try:
        for packet in to_its_end(container.demux(stream)):
            now = time.monotonic()
            if now - last > timeout_s:
                raise TransientVideoError(ref.path, f"no data came for {timeout_s:g} s; try again")
            last = now
            if not packet.size:
                continue
            if is_encrypted(packet):  # perhaps after a clear beginning
                error = f"encrypted after {len(columns.size)} frames" if columns.size else ENCRYPTED
                break
            columns.pts.append(NONE if packet.pts is None else packet.pts)
            columns.dts.append(NONE if packet.dts is None else packet.dts)
            columns.duration.append(packet.duration or 0)
            columns.size.append(packet.size)
            columns.key.append(packet.is_keyframe)
            hidden = codec == "vp8" and bitstream.is_hidden(codec, memoryview(packet)[0])
            columns.shown.append(not packet.is_discard and not hidden)
            columns.afresh.append(packet.is_keyframe and bitstream.starts_afresh(codec, bytes(packet), extradata))
    except (TimeoutError, ExitError) as problem:
        raise explain(ref, problem) from problem
    except FFmpegError:
        error = f"the file cannot be read on after {len(columns.size)} frames"
    if not columns.size:
        raise BrokenVideo(ref.path, error or EMPTY_TRACK)
    kind = container.format
    joined(columns, stream, may_leap=kind.name in ("mpegts", "mpeg"), at_keys=kind.name.startswith("matroska"))
    return finished(ref, stream, kind, columns, error, timeout_s)
