"""Pictures of two moments that are marked progressive: interlaced video that somebody encoded as frames.

Players show them combed. While sampled frames pass by, a few columns of each tell whether lines alternate; of a video
in which they do, some frames are looked at with those beside them, for fine detail alternates, too: of two moments one
field is the earlier, and always the same one.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from contextlib import closing

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from .errors import VideoError
from .fields import field_order, teeth_of
from .findings import Finding
from .frames import decoded
from .packet_table import PacketTable
from .packets import packet_table
from .values import VideoRef

FOUND = Finding(
    "its pictures are combed: of two moments each, line by line, and marked progressive; deinterlace before encoding",
    "interlaced",
    "warning",
)
_COLUMNS = 64  # about so many are looked at: 0.1 to 0.8 ms a frame
_SUSPECT = 0.004  # part of the pixels at which lines alternate, in a quarter of the frames
_FEWEST = 4  # frames that are needed
_KEYS, _A_KEY, _STEP = 3, 6, 3  # key frames; frames behind each, so far apart, that are looked at with their neighbours
_SURE, _PART = 3, 0.6  # of those that move have to have one and the same order of fields


def part_combed(frame: VideoFrame) -> float:
    """Part of the pixels of some columns at which lines alternate; 0 where luma does not lie by itself."""
    form, luma = frame.format, frame.planes[0]
    if not form.is_planar or form.is_rgb or frame.height < 8:
        return 0.0
    bits = form.components[0].bits
    lines = np.frombuffer(luma, np.uint8 if bits <= 8 else np.uint16)  # type: ignore[call-overload]  # a buffer
    lines = lines.reshape(frame.planes[0].height, -1)
    some = lines[: frame.height, : frame.width : max(1, frame.width // _COLUMNS)].astype(np.int32) >> max(0, bits - 8)
    return float(teeth_of(some.astype(np.int16)).mean())


def are_shown(ref: VideoRef, parts: Mapping[int, float], *, timeout_s: float = 60.0) -> bool:
    """Whether pictures of a video are combed, of whose frames these parts are, by number.

    Where that is enough to suspect it, a few of them are decoded with their neighbours. What cannot be decoded
    tells nothing: who reads the frames to judge them meets it, and says so.
    """
    if len(parts) < _FEWEST or float(np.percentile(list(parts.values()), 75)) < _SUSPECT:
        return False
    try:
        table = packet_table(ref, timeout_s=timeout_s)
        chosen = _near_keys(table, parts)
        wanted = sorted({near for number in chosen for near in range(number - 1, number + 2)})
        found: Counter[int] = Counter()
        with closing(decoded(ref, table, wanted, timeout_s)) as frames:
            near: deque[tuple[int, VideoFrame]] = deque(maxlen=3)
            for number, frame in frames:
                near.append((number, frame))
                if len(near) < 3 or near[1][0] not in chosen or number - near[0][0] > 2:
                    continue
                if (order := field_order([one for _, one in near])) is not None:
                    found[order] += 1
                    if found[0] == found.total() == _SURE:  # fine detail, as a rule
                        return False
    except (VideoError, FFmpegError, ValueError):
        return False
    return max(found[1], found[-1]) >= max(_SURE, _PART * found.total())


def _near_keys(table: PacketTable, parts: Mapping[int, float]) -> set[int]:
    """Frames right behind the key frames before the most suspect ones: there little is decoded to see them."""
    keys = np.append(0, np.flatnonzero(table.afresh[table.order]))
    before: list[int] = []
    for number in sorted(parts, key=lambda number: -parts[number]):
        key = int(keys[keys <= number].max())
        # Where all are key frames, three beside each other would show one moment.
        if len(before) < _KEYS and all(abs(key - other) >= _STEP * _A_KEY for other in before):
            before.append(key)
    behind = {key + ahead for key in before for ahead in range(1, _STEP * _A_KEY, _STEP)}
    return {number for number in behind if number + 1 < len(table.order)}
