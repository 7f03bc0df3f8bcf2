"""What is wrong with the rungs of a ladder beside one another: those that lose, those nobody sees, gaps.

Encodes of one codec that were judged alike (same mode, same raster) are compared, by rising measured bit rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .clip import MODES, Clip
from .lint_issue import Issue
from .read import LadderTable

JND = 6.0  # points from which on viewers agree on the order: 4.8 in FR, 5.9 in NR (docs/model-card.md)
GAP = 3 * JND  # neighbours further apart: a switch between them is plain to see
SAME_RATE = 1.02  # rates this close are one: neither is the dearer one


def of_curves(ladder: LadderTable) -> Iterator[Issue]:
    """Codec by codec."""
    for rungs, mode in _comparable(ladder):
        yield from _of_rungs(ladder.name, rungs, mode)


def _comparable(ladder: LadderTable) -> Iterator[tuple[list[Clip], str]]:
    """Encodes of one codec with a rate and a score in one mode at one raster, by rising rate; FR where all have it."""
    groups: dict[tuple[str | None, str, str | None], list[Clip]] = {}
    for clip in ladder.renditions:
        mode = next((m for m in MODES if clip.score(m) is not None), None)
        if mode is not None and clip.bitrate_kbps:
            row = clip.row(mode)
            groups.setdefault((clip.codec, mode, row.display if row else None), []).append(clip)
    for (_, mode, _), clips in groups.items():
        yield sorted(clips, key=lambda c: (c.bitrate_kbps or 0.0, c.path)), mode


def _of_rungs(name: str, rungs: Sequence[Clip], mode: str) -> Iterator[Issue]:
    straight: list[Clip] = []  # rungs that are not worse than a cheaper one, beyond their intervals
    for clip in rungs:
        better = _better_and_cheaper(clip, rungs, mode)
        if better is None:
            straight.append(clip)
            continue
        points = _score(better, mode) - _score(clip, mode)
        said = f"{_named(clip)} looks worse than {_named(better)}, {points:.1f} points of {mode.upper()}"
        yield Issue(name, "inversion", "error", said, (clip.path, better.path), points)
    kept = straight[:1]
    for clip in straight[1:]:
        points, worst = _score(clip, mode) - _score(kept[-1], mode), _worst(clip, mode) - _worst(kept[-1], mode)
        if worst < -GAP and worst - points < -GAP:  # something is broken there that the mean hides
            said = f"{_named(clip)} looks worse than {_named(kept[-1])} in its worst second"
            said += f", {-worst:.1f} points of {mode.upper()}"
            yield Issue(name, "inversion", "warning", said, (clip.path, kept[-1].path), -worst)
            if points >= JND:  # by its mean it is worth having: what is dearer is held to it
                kept.append(clip)
        elif max(points, worst) >= JND:  # a rung may be for the hard scenes alone
            kept.append(clip)
        else:
            dear, cheap = (_named(one) for one in (clip, kept[-1]))
            gain = f"{points:+.1f} points of {mode.upper()}{{}}, and {worst:+.1f} in the worst second"
            if max(points, worst) > 0:
                said = f"{dear} buys {gain.format(f' over {cheap}')}: less than anybody sees ({JND:g})"
            else:
                said = f"{dear} looks no better than {cheap}: {gain.format('')}"
            yield Issue(name, "redundant", "warning", said, (clip.path, kept[-1].path), points)
    for k, high in enumerate(straight[1:], 1):
        low = max(straight[:k], key=lambda r: _score(r, mode))
        points = _score(high, mode) - _score(low, mode)
        if points <= GAP:
            continue
        said = f"from {_named(low)} to {_named(high)} {mode.upper()} leaps by {points:.1f}"
        if (high.bitrate_kbps or 0.0) > SAME_RATE * (low.bitrate_kbps or 0.0):
            said += f" points, {points / JND:.1f} JND: a rung is missing between them"
            yield Issue(name, "gap", "warning", f"{said} in {high.codec or 'one codec'}", (low.path, high.path), points)
        else:  # there is no room for one
            said += f" points at one rate: {low.label} is of no use"
            yield Issue(name, "redundant", "warning", said, (low.path, high.path), points)


def _better_and_cheaper(clip: Clip, rungs: Sequence[Clip], mode: str) -> Clip | None:
    """Of the cheaper rungs that look better beyond both intervals, the best."""
    limit = (clip.bitrate_kbps or 0.0) / SAME_RATE
    cheaper = [r for r in rungs if (r.bitrate_kbps or 0.0) < limit and _bounds(r, mode)[0] > _bounds(clip, mode)[1]]
    return max(cheaper, key=lambda r: _score(r, mode), default=None)


def _score(clip: Clip, mode: str) -> float:
    return clip.score(mode) or 0.0


def _worst(clip: Clip, mode: str) -> float:
    """Score of its worst second."""
    row = clip.row(mode)
    return _score(clip, mode) if row is None else row.pools.get("worst_second", _score(clip, mode))


def _bounds(clip: Clip, mode: str) -> tuple[float, float]:
    return clip.interval_beside(mode) or (_score(clip, mode), _score(clip, mode))


def _named(clip: Clip) -> str:
    """Its label and its rate, which labels of manifests with several codecs end with."""
    rate = f"{clip.bitrate_kbps or 0:,.0f} kbit/s"
    return clip.label if clip.label.endswith(f" {rate}") else f"{clip.label} ({rate})"
