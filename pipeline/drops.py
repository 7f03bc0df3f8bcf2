"""Findings from the scores themselves: key frames that starve, and stretches where quality collapses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .detect import MOST
from .pool import alone
from .stretches import Floats, Stretch, between_samples, merged, of_flags
from .values import Finding, FrameScore

PUMPING = {"fr": 10.0, "nr": 15.0}  # points; NR also follows the content
SETTLED_S = 1.0  # after a key frame
STARTS_S = 0.6
COLLAPSE = 25.0  # points of FR below the clip's median: three just noticeable differences and more


def quality_drops(scores: Sequence[FrameScore], keys: Floats, duration_s: float | None) -> list[Finding]:
    """Where scores of one mode fall, key frames first: what these explain is not told again."""
    found = pumping(scores, keys)
    told = [(f.start_s or 0.0, f.end_s or 0.0) for f in found]
    rest = collapses(scores, duration_s or 0.0)
    return found + [f for f in rest if not any(a < (f.end_s or 0.0) and (f.start_s or 0.0) < b for a, b in told)]


def collapses(scores: Sequence[FrameScore], duration_s: float) -> list[Finding]:
    """Two frames or more in a row, a third of the clip at most, that compare far worse with the master than its median.

    Blur, mosaic, a broken segment: whatever the cause. Without a master a hard scene would look the same.
    """
    if len(scores) < 4 or scores[0].mode != "fr":
        return []
    times = np.array([s.pts_time for s in scores])
    own = alone([s.score for s in scores], [s.span_s for s in scores])
    usual = float(np.median(own))
    low = own <= usual - COLLAPSE
    if low.sum() > len(scores) / 3:  # it is no collapse but what it looks like
        return []
    said = "quality collapses: FR is {:.0f} points lower than the clip's median"
    drops = []
    for stretch in of_flags(low, *between_samples(times, duration_s)):
        if stretch.frames > 1:
            inside = own[(times >= stretch.start_s) & (times <= stretch.end_s) & low]
            drops.append((stretch, usual - float(inside.mean())))
    if len(drops) > MOST:
        mean = said.format(float(np.mean([drop for _, drop in drops])))
        first, last = drops[0][0].start_s, drops[-1][0].end_s
        return [Finding(f"{mean}, in {len(drops)} places", "quality_drop", "warning", round(first, 3), round(last, 3))]
    return [
        Finding(said.format(drop), "quality_drop", "warning", round(s.start_s, 3), round(s.end_s, 3))
        for s, drop in drops
    ]


def pumping(scores: Sequence[FrameScore], keys: Floats) -> list[Finding]:
    """Key frames after which quality is low and recovers while the shot goes on: scene or segment starts that starve.

    The frame sampled within 0.6 s of a key frame is compared with the median of those from 1 s after it up to the next
    key frame (or 4 s), which show the same shot, and with the frame before. Where it shares half of its places with
    that one, its score tells half of what it looks like itself.
    """
    if len(scores) < 4 or not len(keys):
        return []
    times = np.array([s.pts_time for s in scores])
    values = np.array([s.score for s in scores])
    own = alone(values, [s.span_s for s in scores])
    least = PUMPING[scores[0].mode]
    ends = np.append(keys[1:], np.inf)
    long = ends - keys > SETTLED_S  # where every frame is one, none says anything
    drops: list[tuple[Stretch, float]] = []
    looked = 0
    for key, end in zip(keys[long], ends[long], strict=True):
        first, settled, stop = np.searchsorted(times, [key, key + SETTLED_S, min(end, key + 4.0)]).tolist()
        if not first < settled < stop or times[first] > key + STARTS_S:
            continue
        looked += 1
        drop = float(np.median(values[settled:stop]) - own[first])
        before = float(values[first - 1] - own[first]) if first and key > 0 else drop
        if min(drop, before) >= least:
            drops.append((Stretch(float(key), float(times[settled]), 1), drop))
    if not drops:
        return []
    mode = scores[0].mode.upper()
    if len(drops) > MOST or (len(drops) >= 3 and len(drops) >= 0.3 * looked):
        mean = float(np.mean([drop for _, drop in drops]))
        span = merged((s for s, _ in drops), within_s=np.inf)[0]
        many = f"{len(drops)} of {looked} key frames"
        said = f"quality pumps: {mode} is {mean:.0f} points lower after {many} than a second on"
        return [Finding(said, "quality_drop", "warning", round(span.start_s, 3), round(span.end_s, 3))]
    said = "quality drops at a key frame: {} is {:.0f} points lower than a second on"
    return [
        Finding(said.format(mode, drop), "quality_drop", "warning", round(s.start_s, 3), round(s.end_s, 3))
        for s, drop in drops
    ]
