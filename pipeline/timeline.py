"""At which moment of its master an encode begins, and how fast it plays: pure numbers over small luma pictures.

Two frames are as far apart as 1 minus the correlation of their pictures, which brightness, contrast and gamma hardly
change. Every offset at which enough frames overlap is tried; the one of least mean distance is believed when it
beats the offsets one frame beside it (something moves) and all others (nothing repeats), each by a paired test over
its frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLAT = 2.0  # luma standard deviation below which a picture shows nothing
SURE = 3.0  # standard errors by which an offset beats another
LEAST_FRAMES, LEAST_S = 12, 0.45  # that have to overlap
_AROUND = 4.1  # frame gaps around the best offset in which constant differences are left out
_EDGE = 2.1  # frame gaps from the last offset that could be tried: the best of these may be on the way to a better one
_RIVALS = 60  # offsets of least distance that the best one has to beat
_FLOOR = 2e-4  # distance that rounding and noise alone may make


@dataclass(frozen=True)
class Seen:
    """Consecutive frames as comparable vectors."""

    times: NDArray[np.float64]  # (n,) seconds from the video's first frame
    vectors: NDArray[np.float32]  # (n, d) zero mean, unit length; all zeros for a picture that shows nothing

    @property
    def textured(self) -> NDArray[np.bool_]:
        """(n,) False for pictures that show nothing."""
        return np.asarray(self.vectors.any(axis=1))


def see(times: NDArray[np.float64], pictures: NDArray[np.float32]) -> Seen:
    """Frames to vectors. `pictures` is (n, height, width)."""
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    shows = length > FLAT * np.sqrt(flat.shape[1])
    return Seen(times, np.where(shows, flat / np.maximum(length, 1e-9), 0).astype(np.float32))


@dataclass(frozen=True)
class Offset:
    """One way to lay an encode over its master: master time = `offset_s` + `ratio` x encode time."""

    offset_s: float
    ratio: float
    distance: float  # mean over the overlapping frames: 0 equal, 1 unrelated
    overlap: int  # frames
    moves: float  # standard errors by which it beats an offset one frame beside it, the better of the two
    unique: float  # standard errors by which it beats every other offset
    inside: bool  # not at the end of what could be tried, nor two frames beside it
    over_start: float  # standard errors by which it beats equal start; 0 where it is equal start
    uneven: float  # part of the frames that look more like a neighbour of the frame they are laid on

    @property
    def sure(self) -> bool:
        """Found to the frame."""
        return self.near and self.moves >= SURE

    @property
    def near(self) -> bool:
        """Found, but for the offsets one frame beside it: pictures that hardly change under strong coding noise."""
        return self.inside and self.unique >= SURE


def search(encode: Seen, master: Seen, ratios: Iterable[float], *, gap: float, share: float = 0.0) -> Offset | None:
    """The best way to lay one stretch over the other; None where no two pictures that show something overlap.

    Args:
        encode, master: the stretches; times of each from its own video's first frame.
        ratios: speeds to try: master seconds in a second of the encode.
        gap: the shorter of the two videos' frame gaps, master seconds; offsets are tried in steps of its half.
        share: part of the encode's frames that have to overlap.
    """
    if not len(encode.times) or not len(master.times):
        return None
    apart = 1 - encode.vectors @ master.vectors.T
    counts = encode.textured[:, None] | master.textured[None, :]
    best: Offset | None = None
    for ratio in ratios:
        found = _search_one(encode, master, ratio, apart, counts, gap, share)
        if found is not None and (best is None or found[0] < best.distance - _FLOOR):
            distance, rest = found
            best = Offset(rest[0], ratio, distance, *rest[1:])
    return best


def _search_one(
    encode: Seen,
    master_seen: Seen,
    ratio: float,
    apart: NDArray[np.float32],
    counts: NDArray[np.bool_],
    gap: float,
    share: float,
) -> tuple[float, tuple[float, int, float, float, bool, float, float]] | None:
    times, master = encode.times * ratio, master_seen.times
    step = gap / 2
    frame = max((float(np.median(np.diff(t))) for t in (times, master) if len(t) > 1), default=gap)
    low, high = master[0] - times[-1], master[-1] - times[0]
    # A multiple of the step from an offset at which both first frames coincide.
    ticks = np.arange(np.ceil((low - master[0] + times[0]) / step), np.floor((high - master[0] + times[0]) / step) + 1)
    offsets = master[0] - times[0] + ticks * step
    near, hit = nearest(times, master, offsets, gap)
    rows = np.broadcast_to(np.arange(len(times)), near.shape)
    hit &= counts[rows, near]
    usual = float(np.median(np.diff(times))) if len(times) > 1 else gap
    least = max(LEAST_FRAMES, share * len(times), LEAST_S / max(usual, 1e-6))
    far = apart[rows, near]
    count, cost, at = _least(far, hit, least, offsets)
    lit = hit & encode.textured[rows] & master_seen.textured[near]
    if lit.any() and (lit != hit).any():
        # Black that only one of them has, as before a fade, is far from everything: the least mean is where most of it
        # is left out. What both show is believed where it says something else.
        other_count, other_cost, other = _least(far, lit, least, offsets)
        both = lit[at] & lit[other]
        if other != at and lead(far[other][both], far[at][both]) >= SURE:
            hit, count, cost, at = lit, other_count, other_cost, other
    allowed = np.isfinite(cost)
    if not allowed.any():
        return None
    # Around it without what is constant, which draws the distance towards pictures that are merely blurred alike.
    around = [int(k) for k in np.flatnonzero(allowed) if abs(offsets[k] - offsets[at]) < _AROUND * frame]
    plain = {k: float(_unbiased(encode, master_seen, near[k], hit[k]).mean()) for k in around if count[k] >= 8}
    if plain:
        least_plain = min(plain.values())
        at = min((k for k, d in plain.items() if d <= least_plain + 1e-7), key=lambda k: (abs(offsets[k]), k))

    usable = np.flatnonzero(allowed)
    edge = int(np.ceil(_EDGE * frame / step))
    moves = unique = np.inf
    start = int(np.abs(offsets).argmin())
    over_start = 0.0
    if allowed[start] and start != at:
        both = hit[at] & hit[start]
        if abs(offsets[at] - offsets[start]) < _AROUND * frame and both.sum() >= 8:
            over_start = lead(*(_unbiased(encode, master_seen, near[k], both) for k in (at, start)))
        else:
            over_start = lead(apart[rows[at], near[at]][both], apart[rows[start], near[start]][both])
    elif start != at:
        over_start = SURE
    for k in usable[np.argsort(cost[usable], kind="stable")[:_RIVALS]]:
        away = abs(offsets[k] - offsets[at])
        if away < 0.9 * frame:
            continue
        both = hit[at] & hit[k]
        mine, theirs = apart[rows[at], near[at]][both], apart[rows[k], near[k]][both]
        if away < _AROUND * frame and len(mine) >= 8:
            mine, theirs = (_unbiased(encode, master_seen, near[o], both) for o in (at, k))
        score = lead(mine, theirs) if len(mine) >= 8 else SURE * cost[k] / (2 * cost[at] + 4 * _FLOOR)
        if away < 0.9 * frame + gap:
            moves = min(moves, score)
        else:
            unique = min(unique, score)
    offset, uneven = _refine(times, master, apart, near[at], hit[at], float(offsets[at]), gap)
    return float(cost[at]), (
        offset,
        int(count[at]),
        float(moves) if np.isfinite(moves) else 0.0,
        float(min(unique, 99.0)),
        bool(usable[0] + edge <= at <= usable[-1] - edge),
        over_start,
        uneven,
    )


def _least(
    far: NDArray[np.float32], hit: NDArray[np.bool_], least: float, offsets: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Frames that count at each offset, their mean distance (infinite of too few), and the offset where it is least."""
    count = hit.sum(axis=1)
    distance = np.where(hit, far, 0).sum(axis=1) / np.maximum(count, 1)
    enough = count >= max(1, min(least, count.max()))  # of a short video at another rate no more may overlap
    cost = np.where(enough, distance, np.inf)
    # Ties go to the offset nearest to equal start.
    ties = np.flatnonzero(cost <= cost.min() + 1e-7)
    return count, cost, int(min(ties, key=lambda k: (abs(offsets[k]), k)))


def nearest(
    times: NDArray[np.float64], master: NDArray[np.float64], offsets: NDArray[np.float64], gap: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(offsets, n) the master's frame nearest to each frame, and whether it is within 0.75 of a gap."""
    moments = offsets[:, None] + times[None, :]
    after = np.clip(np.searchsorted(master, moments), 1, max(1, len(master) - 1))
    after = np.minimum(after, len(master) - 1)
    before = np.maximum(after - 1, 0)
    near = np.where(moments - master[before] <= master[after] - moments + 1e-9, before, after)
    # Between frames of a slower master the one shown at that time counts.
    usual = float(np.median(np.diff(master))) if len(master) > 1 else gap
    return near, np.abs(master[near] - moments) <= 0.75 * max(gap, usual)


def lead(mine: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """Standard errors by which distances are smaller than others of the same frames.

    Relative, so that a scene cut does not outweigh all other frames; as if every second frame were independent.
    """
    if len(mine) < 4:
        return 0.0
    lead = (theirs - mine) / (theirs + mine + _FLOOR)
    return float(lead.mean() / (lead.std() / np.sqrt(len(lead) / 2) + 0.01))


def _unbiased(encode: Seen, master: Seen, near: NDArray[np.int64], which: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distances less what is constant: a blur or a shift that the encoder makes in every frame hides small motion."""
    difference = encode.vectors[which] - master.vectors[near[which]]
    difference = difference - difference.mean(axis=0)
    return np.asarray((difference**2).sum(axis=1) / 2)


def _refine(
    times: NDArray[np.float64],
    master: NDArray[np.float64],
    apart: NDArray[np.float32],
    near: NDArray[np.int64],
    hit: NDArray[np.bool_],
    offset: float,
    gap: float,
) -> tuple[float, float]:
    """The offset from the frames' own times: the median over what each frame looks most like, nearby.

    And the part of the frames for which this is not the frame they are laid on: repeated and left-out frames.
    """
    found, elsewhere = [], 0
    for i in np.flatnonzero(hit):
        around = np.arange(max(0, near[i] - 2), min(len(master), near[i] + 3))
        costs = apart[i, around]
        best = int(around[int(costs.argmin())])
        if len(around) < 3 or np.sort(costs)[1] - costs.min() <= _FLOOR:
            continue
        found.append(float(master[best] - times[i]))
        elsewhere += best != near[i] and bool(costs.min() < 0.6 * apart[i, near[i]])
    if len(found) < 4:
        return offset, 0.0
    middle = float(np.median(found))
    return (middle if abs(middle - offset) <= gap else offset), elsewhere / len(found)
