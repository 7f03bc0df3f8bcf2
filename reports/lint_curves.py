"""What is wrong with the rungs of a ladder beside one another: those that lose, those nobody sees, gaps.

Encodes of one codec that were judged alike (same mode, same raster) are compared, by rising measured bit rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .clip import MODES, Clip
from .lint_findings import copies, hurt, lacks_parts
from .lint_issue import Issue, told
from .read import LadderTable

JND = 6.0  # points from which on viewers agree on the order: 4.8 in FR, 5.7 in NR (docs/model-card.md)
UNSEEN = f"less than anybody sees (a JND is {JND:g} points)"
GAP = 3 * JND  # neighbours further apart: a switch between them is plain to see
FAR = 2 * JND  # in one second, of few frames, from which on it is no chance
FEW = 2  # redundant rungs of one curve that have a line each
ROOM = 1.5**2  # times the rate, from which on one more rung fits: neighbours are 1.5 to 2 times apart (Apple, TN2224)
SAME_RATE = 1.02  # rates this close are one: neither is the dearer one


def of_curves(ladder: LadderTable) -> Iterator[Issue]:
    """Codec by codec."""
    for rungs, mode in _comparable(ladder):
        yield from _of_rungs(ladder, rungs, mode)


def _comparable(ladder: LadderTable) -> Iterator[tuple[list[Clip], str]]:
    """Whole encodes of one codec with a rate and a score at one raster, by rising rate; in FR where all have it.

    What shows other pictures than the master has no place on their curve, nor what lacks a part of them, nor a copy of
    another encode.
    """
    again = {clip.path for clip, other in copies(ladder) if not other.is_master}
    groups: dict[tuple[str | None, str | None], list[Clip]] = {}
    for clip in ladder.renditions:
        whole = clip.rows_ok and not clip.foreign and not lacks_parts(clip, ladder)
        if whole and clip.bitrate_kbps and clip.path not in again:
            raster = next(row.display for mode in MODES if (row := clip.row(mode)) is not None)
            groups.setdefault((clip.codec, raster), []).append(clip)
    for clips in groups.values():
        scored = {mode: [c for c in clips if c.score(mode) is not None] for mode in MODES}
        mode = max(MODES, key=lambda m: len(scored[m]))  # scores of two modes are no curve
        yield sorted(scored[mode], key=lambda c: (_rate(c), c.path)), mode


def _of_rungs(ladder: LadderTable, rungs: Sequence[Clip], mode: str) -> Iterator[Issue]:
    name, said_mode = ladder.name, mode.upper()
    straight: list[Clip] = []  # rungs that are not worse than a cheaper one, beyond their intervals
    for clip in rungs:
        better = _better_and_cheaper(clip, rungs, mode)
        if better is None:
            straight.append(clip)
            continue
        points = _score(better, mode) - _score(clip, mode)
        said = f"{_named(clip)} looks worse than {_named(better)}, {told(points, 0.0, JND)} points of {said_mode}"
        seen = points >= JND
        said += "" if seen else f": {UNSEEN}"
        yield Issue(name, "inversion", "error" if seen else "warning", said, (clip.path, better.path), points)
    kept, dull = straight[:1], list[_Dull]()
    for clip in straight[1:]:
        points, worst = _score(clip, mode) - _score(kept[-1], mode), _worst(clip, mode) - _worst(kept[-1], mode)
        if worst <= -FAR and worst - points <= -FAR:  # something is broken there that the mean hides
            said = f"{_named(clip)} looks worse than {_named(kept[-1])} in its worst second"
            said += f", {-worst:.1f} points of {said_mode}"
            yield Issue(name, "inversion", "warning", said, (clip.path, kept[-1].path), -worst)
            if points >= JND:  # by its mean it is worth having: what is dearer is held to it
                kept.append(clip)
        elif max(points, worst) >= JND:  # a rung may be for the hard scenes alone
            kept.append(clip)
        elif not hurt(clip, ladder):
            dull.append(_Dull(clip, kept[-1], points, worst))
    yield from _of_no_use(name, dull, said_mode)
    placed = {clip.path for clip in straight}
    others = [clip for clip in ladder.renditions if clip.path not in placed]  # which lint says other things of
    for k, high in enumerate(straight[1:], 1):
        low = max(straight[:k], key=lambda r: _score(r, mode))
        points = _score(high, mode) - _score(low, mode)
        if points <= GAP:
            continue
        said = f"from {_named(low)} to {_named(high)} {said_mode} leaps by {points:.1f}"
        if not _dearer(high, low):  # there is no room for one
            said += f" points at one rate: {low.label} is of no use"
            yield Issue(name, "redundant", "warning", said, (low.path, high.path), points)
        elif _rate(high) >= ROOM * _rate(low) and not (
            hurt(low, ladder)
            or hurt(high, ladder)
            or any(_between(low, clip, high) for clip in others)
            or any(_dearer(clip, low) and _dearer(high, clip) for clip in straight[:k])  # no better than `low`
        ):
            said += f" points, {points / JND:.1f} JND, and the rate to {_rate(high) / _rate(low):.1f} times as much: "
            said += f"a rung is missing between them in {high.codec or 'one codec'}"
            yield Issue(name, "gap", "warning", said, (low.path, high.path), points)


class _Dull(NamedTuple):
    """A rung that buys nothing worth having over a cheaper one: points on average, and in the worst second."""

    clip: Clip
    other: Clip
    points: float
    worst: float


def _of_no_use(ladder: str, dull: Sequence[_Dull], mode: str) -> Iterator[Issue]:
    """A line each, or one of all where they are many."""
    worse = [one for one in dull if one.worst <= -JND]  # for a second, which is not said of several at once
    for one in dull if len(dull) - len(worse) <= FEW else worse:
        paths = (one.clip.path, one.other.path)
        yield Issue(ladder, "redundant", "warning", _buys_nothing(one, mode), paths, one.points)
    dull = [one for one in dull if one not in worse]
    if len(dull) <= FEW:
        return
    over: dict[str, list[_Dull]] = {}  # by the rung they are held to
    for one in dull:
        over.setdefault(_named(one.other), []).append(one)
    said = f"{len(dull)} rungs buy {UNSEEN}, in the worst second too; points of {mode}: "
    said += "; ".join(
        f"{', '.join(f'{_named(one.clip)} {_gained(one.points)}' for one in some)} over {cheap}"
        for cheap, some in over.items()
    )
    files = dict.fromkeys([one.clip.path for one in dull] + [one.other.path for one in dull])
    yield Issue(ladder, "redundant", "warning", said, tuple(files), max(one.points for one in dull))


def _buys_nothing(one: _Dull, mode: str) -> str:
    dear, cheap, gain = _named(one.clip), _named(one.other), f"{_gained(one.points)} points of {mode}"
    seconds = f"and {_gained(one.worst)} in the worst second"
    if one.points <= -JND:
        costs = "more than" if _dearer(one.clip, one.other) else "as much as"
        return f"{dear} costs {costs} {cheap} and looks worse: {gain}, {seconds}"
    if round(one.points, 1) <= 0:
        return f"{dear} looks no better than {cheap}: {gain}, {seconds}"
    if one.worst <= -JND:
        worse = f"looks worse in its worst second, by {-one.worst:.1f}"
        return f"{dear} buys {gain} over {cheap}, {UNSEEN}, and {worse}"
    return f"{dear} buys {gain} over {cheap}, {seconds}: {UNSEEN}"


def _gained(points: float) -> str:
    """With its sign, and not rounded to a JND where it is none."""
    return f"{'-' if points < 0 else '+'}{told(abs(points), JND)}"


def _between(low: Clip, clip: Clip, high: Clip) -> bool:
    """Whether a rung stands between two by its rate or, as of one that cannot be read, by its size."""
    codec, rate = clip.codec or clip.declared.codec, clip.bitrate_kbps or clip.declared.bitrate_kbps
    if codec not in (None, low.codec):
        return False
    lines = clip.height or clip.declared.height
    if rate and _rate(low) * SAME_RATE < rate < _rate(high) / SAME_RATE:
        return True
    return lines is not None and (low.height or 0) < lines < (high.height or 0)


def _better_and_cheaper(clip: Clip, rungs: Sequence[Clip], mode: str) -> Clip | None:
    """Of the cheaper rungs that look better beyond both intervals, the best."""
    limit = _rate(clip) / SAME_RATE
    cheaper = [r for r in rungs if _rate(r) < limit and _bounds(r, mode)[0] > _bounds(clip, mode)[1]]
    return max(cheaper, key=lambda r: _score(r, mode), default=None)


def _dearer(clip: Clip, other: Clip) -> bool:
    return _rate(clip) > SAME_RATE * _rate(other)


def _rate(clip: Clip) -> float:
    return clip.bitrate_kbps or 0.0


def _score(clip: Clip, mode: str) -> float:
    return clip.score(mode) or 0.0


def _worst(clip: Clip, mode: str) -> float:
    """Score of its worst second."""
    row = clip.row(mode)
    return _score(clip, mode) if row is None else row.pools.get("worst_second", _score(clip, mode))


def _bounds(clip: Clip, mode: str) -> tuple[float, float]:
    """Its interval; two without one, as pictures are, differ where people see it: by a JND."""
    score = _score(clip, mode)
    return clip.interval_beside(mode) or (score - JND / 2, score + JND / 2)


def _named(clip: Clip) -> str:
    """Its label and its rate, which labels of manifests with several codecs end with."""
    rate = f"{clip.bitrate_kbps or 0:,.0f} kbit/s"
    return clip.label if clip.label.endswith(f" {rate}") else f"{clip.label} ({rate})"
