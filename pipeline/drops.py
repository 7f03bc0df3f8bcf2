"""Findings from the scores themselves: key frames that starve, and stretches where quality collapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np

from .detect import MOST
from .fades import Paired
from .findings import Finding
from .pool import alone
from .stretches import Floats, Stretch, between_samples, of_flags
from .values import FrameScore

PUMPING = {"fr": 10.0, "nr": 15.0}  # points; NR also follows the content
SETTLED_S = 1.0  # after a key frame
STARTS_S = 0.6
OTHER_LIGHT = 10.0  # levels of luma; coding moves means by one or two
COLLAPSE = 25.0  # points of FR below the clip's median: three just noticeable differences and more
ALONE = 40.0  # below both neighbours, of one frame by itself


class Drop(NamedTuple):
    """A stretch that looks worse, by so many points."""

    stretch: Stretch
    points: float


def quality_drops(
    scores: Sequence[FrameScore], keys: Floats, duration_s: float | None, paired: Paired | None = None
) -> list[Finding]:
    """Where scores of one mode fall, key frames first: what these explain is not told again.

    `paired`: what is known of frames beside their master's, of those that were paired with it.
    """
    if len(scores) < 4:
        return []
    paired = paired or Paired()
    starts, looked = starved(scores, keys, paired.lighter)
    rest = [drop for drop in collapses(scores, duration_s or 0.0, paired.black) if _share(drop.stretch, starts) < 0.5]
    told = [*starts, *rest]
    lone = [drop for drop in lone_falls(scores, paired.steady) if _share(drop.stretch, told) < 0.5]
    said = "quality collapses{}: FR is {{:.0f}} points lower than {}".format
    return [
        *_of_key_frames(starts, looked, scores[0].mode),
        *_of_collapses(rest, said("", "the clip's median")),
        *_of_collapses(lone, said(" in one sampled frame", "in those beside it")),
    ]


def collapses(scores: Sequence[FrameScore], duration_s: float, black: Set[int] = frozenset()) -> list[Drop]:
    """Two frames or more in a row, a third of the clip at most, that compare far worse with the master than its median.

    Blur, mosaic, a broken segment: whatever the cause. Without a master a hard scene would look the same. `black`
    frames, which compare perfectly, say nothing of what the others should.
    """
    if scores[0].mode != "fr":
        return []
    times = np.array([s.pts_time for s in scores])
    own = alone([s.score for s in scores], [s.span_s for s in scores])
    shown = np.array([s.frame_num not in black for s in scores])
    if not shown.any():
        return []
    usual = float(np.median(own[shown]))
    low = own <= usual - COLLAPSE
    if low.sum() > shown.sum() / 3:  # it is no collapse but what it looks like
        return []
    drops = []
    for stretch in of_flags(low, *between_samples(times, duration_s)):
        if stretch.frames > 1:
            inside = own[(times >= stretch.start_s) & (times <= stretch.end_s) & low]
            drops.append(Drop(stretch, usual - float(inside.mean())))
    return drops


def lone_falls(scores: Sequence[FrameScore], steady: Set[int]) -> list[Drop]:
    """Single frames that compare far worse with the master than both their neighbours: other pictures, or broken ones.

    Of a few frames spliced in, one is sampled. Only of those that cannot be another moment of the master (`steady`).
    """
    if scores[0].mode != "fr":
        return []
    own = alone([s.score for s in scores], [s.span_s for s in scores])
    points = np.minimum(own[:-2], own[2:]) - own[1:-1]
    starts, ends = between_samples(np.array([s.pts_time for s in scores]), 0.0)
    return [
        Drop(Stretch(float(starts[k]), float(ends[k]), 1), float(points[k - 1]))
        for k in range(1, len(scores) - 1)
        if points[k - 1] >= ALONE and scores[k].frame_num in steady
    ]


def starved(scores: Sequence[FrameScore], keys: Floats, lighter: Mapping[int, float]) -> tuple[list[Drop], int]:
    """Key frames after which quality is low and recovers while the shot goes on, and how many could be looked at.

    The frame sampled within 0.6 s of a key frame is compared with the median of those from 1 s after it up to the next
    key frame (or 4 s), which show the same shot, and with the frame before. Where it shares half of its places with
    that one, its score tells half of what it looks like itself. One that is darker or lighter beside its master than
    those a second on fades, or flashes: no key frame does that.
    """
    if not len(keys):
        return [], 0
    times = np.array([s.pts_time for s in scores])
    values = np.array([s.score for s in scores])
    own = alone(values, [s.span_s for s in scores])
    light = np.array([lighter.get(s.frame_num, np.nan) for s in scores])
    least = PUMPING[scores[0].mode]
    ends = np.append(keys[1:], np.inf)
    long = ends - keys > SETTLED_S  # where every frame is one, none says anything
    drops: list[Drop] = []
    looked = 0
    for key, end in zip(keys[long], ends[long], strict=True):
        first, settled, stop = np.searchsorted(times, [key, key + SETTLED_S, min(end, key + 4.0)]).tolist()
        if not first < settled < stop or times[first] > key + STARTS_S:
            continue
        if abs(light[first] - np.median(light[settled:stop])) >= OTHER_LIGHT:
            continue
        looked += 1
        drop = float(np.median(values[settled:stop]) - own[first])
        before = float(values[first - 1] - own[first]) if first and key > 0 else drop
        if min(drop, before) >= least:
            drops.append(Drop(Stretch(float(key), float(times[settled]), 1), drop))
    return drops, looked


def _of_key_frames(drops: Sequence[Drop], looked: int, mode: str) -> list[Finding]:
    if len(drops) > MOST or (len(drops) >= 3 and len(drops) >= 0.3 * looked):
        many = f"{len(drops)} of {looked} key frames"
        said = f"quality pumps: {mode.upper()} is {_mean(drops):.0f} points lower after {many} than a second on"
        return [_finding("quality_drop", said, drops[0], drops[-1])]
    said = f"quality drops at a key frame: {mode.upper()} is {{:.0f}} points lower than a second on"
    return [_finding("quality_drop", said.format(drop.points), drop) for drop in drops]


def _of_collapses(drops: Sequence[Drop], said: str) -> list[Finding]:
    if len(drops) > MOST:
        return [_finding("collapse", f"{said.format(_mean(drops))}, in {len(drops)} places", drops[0], drops[-1])]
    return [_finding("collapse", said.format(drop.points), drop) for drop in drops]


def _finding(kind: str, said: str, first: Drop, last: Drop | None = None) -> Finding:
    start_s, end_s = first.stretch.start_s, (last or first).stretch.end_s
    return Finding(said, kind, "warning", round(start_s, 3), round(end_s, 3))


def _mean(drops: Sequence[Drop]) -> float:
    return float(np.mean([drop.points for drop in drops]))


def _share(one: Stretch, drops: Sequence[Drop]) -> float:
    """The part of a stretch that lies in others, which lie apart."""
    common = sum(max(0.0, min(one.end_s, d.stretch.end_s) - max(one.start_s, d.stretch.start_s)) for d in drops)
    return common / (one.end_s - one.start_s)
