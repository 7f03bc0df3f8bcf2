"""What the packets alone say of motion: when frames are shown, how much data each has, where key frames are.

Times are exact, so holes, uneven steps and doubled instants are found wherever they are in the clip. That a frame is a
repeat of the one before is only likely where its packet is all but empty beside the others, and only in codecs that
store each frame as one packet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from .findings import Finding, Severity
from .packet_table import PacketTable
from .stretches import Floats, Stretch, merged, of_flags

MOST = 8  # stretches of one kind that are told one by one; of more, their number
EMPTY_SHARE = 0.02  # a packet smaller than this part of the clip's large ones (90th percentile) is all but empty
EMPTY_BYTES = 80  # nor is it larger than this: B-frames of a smooth pan take a few hundred bytes and repeat nothing
_ONE_PACKET_A_FRAME = frozenset({"h264", "hevc"})  # VP9 and AV1 show stored frames again with packets of a few bytes
_DROPPED = 1 / 3  # of a grid's frames, above which it is none
_LENGTHS = 3  # of gaps, different ones, from which they are irregular
_LONG_S = 1.0  # a hole as long as this is an error
_SLACK_S = 0.0021  # Matroska and FLV round to milliseconds


@dataclass(frozen=True, eq=False)
class Rhythm:
    """The packets of one video as far as findings need them."""

    times: Floats  # (n,) presentation times, seconds from the first frame, ascending
    keys: Floats  # (k,) of these, the key frames'
    sizes: Floats  # (n,) bytes of each frame's packet; (0,) where packets do not stand for frames

    @classmethod
    def of_times(cls, times: list[Fraction]) -> Rhythm:
        """Of frame times alone."""
        return cls(np.array([float(t - times[0]) for t in times], np.float64), np.empty(0), np.empty(0))

    @classmethod
    def of_table(cls, table: PacketTable, codec: str) -> Rhythm:
        """Of a packet table; empty where its times are not the stream's own."""
        order = table.order
        if table.counted or not len(order):
            return cls(np.empty(0), np.empty(0), np.empty(0))
        ticks = table.pts[order]
        times = (ticks - ticks[0]).astype(np.float64) * float(table.time_base)
        sizes = table.size[order].astype(np.float64) if codec in _ONE_PACKET_A_FRAME else np.empty(0)
        return cls(times, times[table.key[order]], sizes)


def findings(rhythm: Rhythm) -> list[Finding]:
    """Holes, uneven steps, doubled instants and all but empty frames."""
    times = rhythm.times
    if len(times) < 4:
        return []
    steps = np.diff(times)
    found = []
    doubled = int((steps <= 0).sum())
    if doubled:
        found.append(Finding(f"{doubled} of {len(times)} frames have the time of another one", "cadence", "warning"))
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if usual:
        found += _holes(times, steps, usual)
    return found + _repeats(times, rhythm.sizes)


def _holes(times: Floats, steps: Floats, usual: float) -> list[Finding]:
    if _pulled_down(steps):
        said = "frames are shown for two and three fields in turn (3:2 pulldown): film, flagged for telecine"
        return [Finding(said, "telecine")]
    slack = max(0.2 * usual, _SLACK_S)
    lost = np.maximum(np.rint(steps / usual) - 1, 0)
    uneven = (np.abs(steps - (lost + 1) * usual) > slack) & (steps > 0)
    if uneven.mean() > 0.1 or _irregular(times, lost):  # no grid that frames could be missing from
        low, high = (1 / float(np.percentile(steps[steps > 0], q)) for q in (95, 5))
        said = f"variable frame rate: {low:.3g} to {high:.3g} frames a second (5th to 95th percentile)"
        few = uneven.mean() <= 0.1  # all on one grid: a picture stored when it changes, or a grid with most of it lost
        found = [Finding(f"{said}, or frames are missing", "cadence", "warning") if few else Finding(said, "cadence")]
        lost = np.where(steps >= _LONG_S, lost, 0)
    else:
        said = f"{int(uneven.sum())} of {len(steps)} frames are shown early or late"
        found = [Finding(said, "cadence")] if uneven.any() else []
    holes = [Stretch(float(times[i]), float(times[i + 1]), int(lost[i])) for i in np.flatnonzero(lost)]
    return found + _told(holes, "cadence", "1 frame is missing", "{} frames are missing")


def _irregular(times: Floats, lost: Floats) -> bool:
    """True where gaps of many lengths are everywhere, as where a picture is stored only when it changes.

    Of a grid from which frames were dropped most is still there, or what is lost lies in one place.
    """
    gaps = lost[lost > 0]
    missing = float(gaps.sum()) / (float(lost.sum()) + len(lost))
    where = times[:-1][lost > 0] / times[-1]
    everywhere = len(np.unique(np.floor(4 * where))) == 4
    return missing > _DROPPED and len(np.unique(gaps)) >= _LENGTHS and len(gaps) > 0.1 * len(lost) and everywhere


def _pulled_down(steps: Floats) -> bool:
    """True where short and half as long again alternate, as repeat_first_field makes film of a 59.94 Hz raster."""
    field = float(steps.sum()) / (2.5 * len(steps))
    fields = np.rint(steps / field)
    exact = np.abs(steps - fields * field) <= _SLACK_S
    inside = np.isin(fields[1:] + fields[:-1], (5.0,)) & exact[1:] & exact[:-1]
    return len(steps) >= 8 and abs(field - 1001 / 60000) < 0.0001 and bool(inside.mean() > 0.9)


def _repeats(times: Floats, sizes: Floats) -> list[Finding]:
    if not len(sizes):
        return []
    limit = min(EMPTY_BYTES, EMPTY_SHARE * float(np.percentile(sizes, 90)))
    empty = sizes < limit
    empty[0] = False
    if empty.sum() < 2:
        return []
    ends = np.append(times[1:], 2 * times[-1] - times[-2])
    said = "{} frames carry almost no data: repeats, stillness or foretold motion"
    near = merged(of_flags(empty, times, ends), within_s=1.0)
    several = [stretch for stretch in near if stretch.frames > 1]
    return [replace(told, severity="info") for told in _told(several, "repeated", said, said)]


def _told(stretches: list[Stretch], kind: str, one: str, many: str) -> list[Finding]:
    """A finding a stretch, or one for all of them where they are many; those within a second are one stretch."""
    near = merged(stretches, within_s=1.0)
    if not near:
        return []
    if len(near) > MOST:
        total = sum(s.frames for s in near)
        near = [Stretch(near[0].start_s, near[-1].end_s, total)]
    longest = max((s.end_s - s.start_s for s in stretches), default=0.0)
    severity: Severity = "error" if longest >= _LONG_S else "warning"
    return [
        Finding(
            (one if s.frames == 1 else many).format(s.frames), kind, severity, round(s.start_s, 3), round(s.end_s, 3)
        )
        for s in near
    ]
