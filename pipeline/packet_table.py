"""The table of a video track's packets: what a demuxer alone can tell, and what follows of frames, times and rates.

It is the source of frame numbers and times: frame k is the k-th presented packet by presentation time. A decoder later
says which packet each of its frames came from, so frames keep their numbers whatever was skipped, dropped or cut by an
edit list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from statistics import median_low
from typing import overload

import numpy as np
from numpy.typing import NDArray

NONE = np.iinfo(np.int64).min  # a time that a packet does not carry
SKIP, NEEDED, WANTED = 0, 1, 2  # what `PacketTable.plan` says of a packet


class Times(Sequence[Fraction]):
    """Presentation times, seconds, ascending, exact: made when they are asked for, 8 bytes each until then."""

    def __init__(self, ticks: NDArray[np.int64], time_base: Fraction) -> None:
        self._ticks, self._time_base = ticks, time_base

    def __len__(self) -> int:
        return len(self._ticks)

    @overload
    def __getitem__(self, index: int) -> Fraction: ...

    @overload
    def __getitem__(self, index: slice) -> Times: ...

    def __getitem__(self, index: int | slice) -> Fraction | Times:
        if isinstance(index, slice):
            return Times(self._ticks[index], self._time_base)
        return int(self._ticks[index]) * self._time_base

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    @property
    def since_first(self) -> NDArray[np.float64]:
        """(n,) seconds from the first, each the float nearest to the exact time."""
        ticks = self._ticks - self._ticks[0]
        return np.asarray(ticks * self._time_base.numerator / self._time_base.denominator, np.float64)

    @property
    def gap(self) -> Fraction:
        """As `frame_gap`."""
        steps = np.diff(self._ticks)
        if not len(steps):
            return Fraction(0)
        usual = int(np.partition(steps, (len(steps) - 1) // 2)[(len(steps) - 1) // 2])
        near = steps[np.abs(steps - usual) <= int(_rounding(usual * self._time_base) / self._time_base)]
        return Fraction(int(near.sum()), len(near)) * self._time_base


def since_first(times: Sequence[Fraction]) -> NDArray[np.float64]:
    """(n,) seconds from the first of n times, as floats."""
    return times.since_first if isinstance(times, Times) else np.array([float(time - times[0]) for time in times])


def frame_gap(times: Sequence[Fraction]) -> Fraction:
    """Typical time from a frame to the next, seconds; 0 for a single frame.

    The mean of the gaps that are the median one but for rounding: Matroska and FLV have times in whole milliseconds,
    17, 16, 17 for 60 frames a second. Holes do not count.
    """
    if isinstance(times, Times):
        return times.gap
    gaps = [b - a for a, b in pairwise(times)]
    if not gaps:
        return Fraction(0)
    usual = median_low(gaps)
    near = [gap for gap in gaps if abs(gap - usual) <= _rounding(usual)]
    return sum(near, Fraction(0)) / len(near)


def _rounding(gap: Fraction) -> Fraction:
    """How far a gap may be off for its ends' being rounded to milliseconds; less where that would be another gap."""
    return min(Fraction(1, 1000), max(Fraction(0), gap) / 4)


@dataclass(frozen=True, eq=False)
class PacketTable:
    """Columns over the n packets of the track in file (decoding) order; small beside the file: 27 bytes a packet."""

    time_base: Fraction  # seconds a tick
    pts: NDArray[np.int64]  # (n,) presentation time, ticks
    size: NDArray[np.int64]  # (n,) bytes
    key: NDArray[np.bool_]  # (n,)
    shown: NDArray[np.bool_]  # (n,) False: decoded and not presented (edit list), never shown (VP8), or not decodable
    afresh: NDArray[np.bool_]  # (n,) decoding may start here without losing this frame or any later one
    last_ticks: int  # how long the last frame is shown, ticks
    counted: bool  # True: packets do not say their presentation times; frames are numbered as they leave the decoder
    drops_nonref: bool  # frames nothing refers to may be left undecoded
    error: str | None  # why reading ended early; None when the end was reached
    joins: int = 0  # how often the time stamps jumped back or far ahead: the pieces are put one after the other
    place: NDArray[np.int64] | None = None  # (n,) where `counted`, the frame that a packet shows all the same; -1
    doubt: str | None = None  # why its times are not, or not all, those that packets carry; AVI's never are

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """(frames,) packet number of each frame, in presentation order."""
        shown = np.flatnonzero(self.shown)
        return shown if self.counted else shown[np.argsort(self.pts[shown], kind="stable")]

    @property
    def times(self) -> Times:
        """Presentation time of each frame."""
        return Times(self.pts[self.order], self.time_base)

    @property
    def duration_s(self) -> Fraction:
        """From the first frame's start to the last one's end."""
        shown = self.pts[self.shown]
        return (int(shown.max()) - int(shown.min()) + self.last_ticks) * self.time_base if len(shown) else Fraction(0)

    @property
    def fps(self) -> Fraction | None:
        """Frames a second between the first and the last frame, as measured; None for a single frame."""
        shown = self.pts[self.shown]
        span = (int(shown.max()) - int(shown.min())) * self.time_base if len(shown) > 1 else Fraction(0)
        return (len(shown) - 1) / span if span else None

    @property
    def bitrate_kbps(self) -> float | None:
        """All packets' bytes over the duration."""
        seconds = self.duration_s
        return float(int(self.size.sum()) * 8 / seconds / 1000) if seconds > 0 else None

    def number(self, packet: int | None, following: int, *, lost: bool) -> int | None:
        """Number of a frame of a `counted` track that leaves the decoder after the one before `following`.

        None: it is not presented. Where others were `lost` its packet's own time tells, if it has one. Which packet it
        came from is not always known.
        """
        if packet is None:
            return following
        if not self.shown[packet]:
            return None
        place = -1 if self.place is None or not lost else int(self.place[packet])
        return following if place < 0 else place

    def plan(self, wanted: Collection[int]) -> NDArray[np.uint8]:
        """What to do with each packet so that the packets in `wanted` are decoded exactly, and little else.

        SKIP: need not be given to the decoder. NEEDED: others may refer to it. WANTED: its frame is wanted.
        After the last wanted packet of a group that starts afresh, the rest of the group is skipped.
        """
        if self.counted:  # every frame must come out to be counted
            return np.full(len(self.pts), WANTED, np.uint8)
        actions = np.full(len(self.pts), NEEDED, np.uint8)
        chosen = np.zeros(len(self.pts), np.bool_)
        chosen[list(wanted)] = True
        starts = np.flatnonzero(self.afresh)
        bounds = sorted({0, *starts.tolist(), len(self.pts)})
        for start, end in pairwise(bounds):
            inside = np.flatnonzero(chosen[start:end])
            actions[start + (int(inside[-1]) + 1 if len(inside) else 0) : end] = SKIP
        actions[chosen] = WANTED
        hidden = np.flatnonzero(~self.shown[1:]) + 1  # it may be the second field of what is wanted
        actions[hidden[chosen[hidden - 1]]] = WANTED
        return actions

    def shares(self, wanted: Sequence[int], lanes: int, most: int) -> list[list[int]]:
        """Wanted frames shared out among decoders that work side by side, none of which decodes what another does.

        Groups that start afresh go to one decoder after the other. One share holds all where there is no more than one
        group, or where more than `most` frames are wanted of one: the others would wait for that.
        """
        if self.counted:
            return [list(wanted)]
        group = np.searchsorted(np.flatnonzero(self.afresh), self.order[list(wanted)], side="right")
        _, place, counts = np.unique(group, return_inverse=True, return_counts=True)
        if counts.max() > most:
            return [list(wanted)]
        shares = [
            [frame for frame, k in zip(wanted, place.tolist(), strict=True) if k % lanes == i] for i in range(lanes)
        ]
        return [share for share in shares if share]
