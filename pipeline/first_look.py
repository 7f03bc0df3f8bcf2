"""What a decoder makes of a track's first packets: asked where the packets alone leave doubts, and only of these."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .one_decoder import from_packets
from .packet_table import NONE, PacketTable
from .values import VideoRef

PACKETS = 64  # looked at from the first key frame on: no codec reorders over more


@dataclass(frozen=True)
class FirstLook:
    """Packets by number."""

    came: list[int]  # whose pictures left the decoder, in their order
    refused: set[int]

    def without_picture(self, key: int) -> list[int]:
        """From this first key frame on: packets at its side of which nothing came, as they refer to what is not there.

        Leading pictures of an open group, and those from which an intra refresh takes its time to recover.
        """
        there = self.refused.union(self.came)
        next_there = min((packet for packet in there if packet > key), default=key)
        return [packet for packet in range(key, next_there) if packet not in there]

    def contradicts(self, pts: NDArray[np.int64]) -> bool:
        """True where pictures come in another order than that of these times, one a packet, as far as it has one."""
        times = pts[self.came]
        return bool((np.diff(times[times != NONE]) < 0).any())

    def gave_none_of(self, packets: NDArray[np.bool_]) -> bool:
        """True where pictures came of others alone, though some of these (n,) lay among them."""
        passed = packets[: max(self.came, default=0)]
        return bool(passed.any()) and not packets[self.came].any()


def first_look(ref: VideoRef, table: PacketTable, key: int, timeout_s: float, *, for_order: bool) -> FirstLook:
    """Decode from the beginning to some packets after this first key frame, or until its picture and the next came.

    Raises:
        VideoError: as `frames.decoded`.
    """
    look = FirstLook([], set())
    packets = {number: number for number in range(min(len(table.pts), key + PACKETS))}
    with closing(from_packets(ref, table, packets, timeout_s, threads=1)) as pictures:
        for packet, picture in pictures:
            if picture is not None:
                look.came.append(packet)
            elif packet >= 0:
                look.refused.add(packet)
            if not for_order and {key, key + 1} <= look.refused.union(look.came):
                break
    return look
