"""What is wrong with a ladder as a ladder, in pure numbers: rungs that lose, rungs nobody sees, gaps, false labels.

Encodes of one codec that were judged alike (same mode, same raster) are compared, by rising measured bit rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median_low

from ..pipeline.findings import GRAVEST_FIRST, Severity
from ..pipeline.values import Declared
from .clip import MODES, Clip
from .read import Fleet, LadderTable

JND = 6.0  # points from which on viewers agree on the order: 4.8 in FR, 5.9 in NR (docs/model-card.md)
GAP = 3 * JND  # neighbours further apart: a switch between them is plain to see
SAME_RATE = 1.02  # rates this close are one: neither is the dearer one
RATE_OVER, RATE_UNDER = 1.1, 0.5  # of the declared rate
SLACK = 0.01  # of a declared size, frame rate or duration
SHORT = 0.9  # of its ladder's duration, below which an encode was cut off
SLACK_S = 0.5  # of a duration, at least


@dataclass(frozen=True)
class Issue:
    """One thing wrong. `points` is how much, on the scale of scores, where it is about them."""

    ladder: str
    rule: str  # one of those in docs/cli.md
    severity: Severity
    sentence: str
    paths: tuple[str, ...]  # the clip it is about, then what it is compared with
    points: float | None = None


def check(fleet: Fleet) -> list[Issue]:
    """Everything, ladder by ladder."""
    return [issue for ladder in fleet.ladders for issue in of_ladder(ladder)]


def of_ladder(ladder: LadderTable) -> list[Issue]:
    """One ladder, the gravest first; of like ones curves first, then clip by clip."""
    found = [issue for rungs, mode in _comparable(ladder) for issue in _of_rungs(ladder.name, rungs, mode)]
    for clip in ladder.clips:
        found += _of_clip(ladder.name, clip)
    found += [*_of_durations(ladder), *_same_bytes(ladder)]
    return sorted(found, key=lambda issue: GRAVEST_FIRST.index(issue.severity))


def gates(fleet: Fleet, *, fail_under: float | None = None, max_drop: float | None = None) -> list[Issue]:
    """What fails a quality gate.

    Args:
        fail_under: least mean score of an encode, FR where it has one, else NR.
        max_drop: most points that an encode's worst second may lie below its mean, or a dearer rung below a cheaper.
    """
    found: list[Issue] = []
    for ladder in fleet.ladders:
        for clip in ladder.renditions:
            row = clip.row("fr") or clip.row("nr")
            if row is None or row.score is None:
                continue
            mode = (row.mode or "").upper()
            if fail_under is not None and row.score < fail_under:
                said = f"{clip.label}: {mode} {row.score:.1f} is below {fail_under:g}"
                found.append(Issue(ladder.name, "fail_under", "error", said, (clip.path,), fail_under - row.score))
            drop = row.score - row.pools.get("worst_second", row.score)
            if max_drop is not None and drop > max_drop:
                said = f"{clip.label}: its worst second is {drop:.1f} {mode} points below its mean, over {max_drop:g}"
                found.append(Issue(ladder.name, "max_drop", "error", said, (clip.path,), drop))
        for issue in of_ladder(ladder) if max_drop is not None else ():
            if issue.rule == "inversion" and issue.points is not None and issue.points > (max_drop or 0.0):
                said = f"{issue.sentence}, over {max_drop:g}"
                found.append(Issue(ladder.name, "max_drop", "error", said, issue.paths, issue.points))
    return found


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


def _of_clip(name: str, clip: Clip) -> Iterator[Issue]:
    if clip.status != "ok":
        yield Issue(name, "unscored", "error", f"{clip.label}: {clip.status}: {' '.join(clip.reasons)}", (clip.path,))
    cut = any(finding.kind == "truncated" for finding in clip.findings)
    for finding in clip.findings:
        lost = finding.kind == ("truncated" if cut else "damaged")
        if lost or (finding.severity == "error" and finding.kind not in ("truncated", "damaged")):
            said = f"{clip.label}: {finding.dated}" + ("; copy or upload it again" if lost else "")
            yield Issue(name, finding.kind, finding.severity, said, (clip.path,))
    for rule, severity, what in _against(clip.declared, clip):
        yield Issue(name, rule, severity, f"{clip.label}: {what}", (clip.path,))


def _of_durations(ladder: LadderTable) -> Iterator[Issue]:
    """Clips that last longer or shorter than most; where no length is that of most, the shortest beside the longest."""
    lasting = sorted((c.duration_s, c.path, c) for c in ladder.clips if c.duration_s)
    if not lasting:
        return
    usual = median_low(length for length, *_ in lasting)
    others = [(length, clip) for length, _, clip in lasting if _off(length, usual, least=SLACK_S)]
    if len(others) < len(lasting) / 2:
        for length, clip in others:
            said = f"{clip.label} lasts {length:.2f} s, most of its ladder {usual:.2f} s"
            grave: Severity = "error" if length < SHORT * usual and not clip.is_master else "warning"
            yield Issue(ladder.name, "duration", grave, said, (clip.path,))
        return
    (low, _, short), (high, _, long) = lasting[0], lasting[-1]
    said = f"{short.label} lasts {low:.2f} s, {long.label} {high:.2f} s: one is not whole, or of another cut"
    yield Issue(ladder.name, "duration", "warning", said, (short.path, long.path))


def _against(said: Declared, clip: Clip) -> Iterator[tuple[str, Severity, str]]:
    """Where the stream is not what its name or manifest says: (rule, severity, sentence)."""
    width, height = clip.width, clip.height
    if said.height and width and height and not _same_size(said, clip):
        stated = f"{said.width}×{said.height}" if said.width else f"{said.height} lines"
        if said.width and not _off(said.height, width) and not _off(said.width, height):
            yield "mislabelled", "error", f"declared {stated} and shown {clip.size}: turned on its side"
        elif said.width and not _off(said.height, height):
            yield "declared_size", "warning", f"declared {stated}, shown {clip.size}: another sample aspect ratio"
        else:
            yield "mislabelled", "error", f"declared {stated}, and is {clip.size}"
    if said.codec and clip.codec and said.codec != clip.codec:
        yield "mislabelled", "error", f"declared {said.codec}, and is {clip.codec}"
    if said.bitrate_kbps and clip.bitrate_kbps:
        share = clip.bitrate_kbps / said.bitrate_kbps
        rates = f"declared {said.bitrate_kbps:,.0f} kbit/s, measured {clip.bitrate_kbps:,.0f}"
        if share > RATE_OVER:
            yield "declared_rate", "warning", f"{rates}: {share - 1:.0%} more, players may stall"
        elif share < RATE_UNDER:
            yield "declared_rate", "info", f"{rates}: under half of it"
    if said.fps and clip.fps and _off(clip.fps, said.fps):
        yield "declared_fps", "warning", f"declared {said.fps:g} frames a second, measured {clip.fps:.3f}"
    if said.duration_s and clip.duration_s and _off(clip.duration_s, said.duration_s, least=SLACK_S):
        yield "declared_duration", "warning", f"declared {said.duration_s:.2f} s, measured {clip.duration_s:.2f} s"


def _same_size(said: Declared, clip: Clip) -> bool:
    """Names say 1080 of 1920x800 and of 1080x1920 too: the rung counts where no width is said."""
    assert said.height
    assert clip.width
    assert clip.height
    if said.width:
        return not _off(clip.height, said.height) and not _off(clip.width, said.width)
    return said.height == clip.rung or any(not _off(side, said.height) for side in (clip.height, clip.width))


def _same_bytes(ladder: LadderTable) -> Iterator[Issue]:
    first: dict[str, Clip] = {}
    for clip in ladder.clips:
        if not clip.content_id:
            continue
        other = first.setdefault(clip.content_id, clip)
        if other is not clip:
            said = f"{clip.label} holds the same bytes as {other.label}"
            severity: Severity = "info" if other.is_master else "error"  # a master may be sent out as it is
            yield Issue(ladder.name, "mislabelled", severity, said, (clip.path, other.path))


def _off(value: float, wanted: float, *, least: float = 0.0) -> bool:
    return abs(value - wanted) > max(SLACK * wanted, least)


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
