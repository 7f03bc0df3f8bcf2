"""What is wrong with a ladder, in pure numbers: its rungs beside one another, its files, and what was found in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..pipeline.findings import GRAVEST_FIRST
from .lint_curves import GAP, JND, of_curves
from .lint_files import of_files
from .lint_findings import hurt_beside, of_findings
from .lint_issue import Issue, told
from .lint_levels import of_levels
from .read import Fleet, LadderTable

__all__ = ["GAP", "JND", "RULES", "Issue", "check", "gates", "of_ladder"]
# All that `check` may say, as docs/cli.md and docs/schema.md have them.
RULES = frozenset({
    "inversion", "redundant", "gap", "mislabelled", "declared_size", "declared_rate", "declared_fps",
    "declared_duration", "duration", "unscored", "truncated", "damaged", "not_compared", "kept_apart", "cadence",
    "black", "frozen", "rotation", "aspect", "area", "turned", "range", "colour", "clipping", "interlaced", "telecine",
    "offset", "speed", "pairing", "collapse", "poor_source", "smaller_master", "resized", "audio",
})  # fmt: skip


def check(fleet: Fleet) -> list[Issue]:
    """Everything, ladder by ladder."""
    return [issue for ladder in fleet.ladders for issue in of_ladder(ladder)]


def of_ladder(ladder: LadderTable) -> list[Issue]:
    """One ladder, the gravest first; of like ones curves first, then what was found in clips."""
    found = _with_bars(ladder, [*of_findings(ladder), *of_levels(ladder), *of_files(ladder)])
    found = _with_causes(ladder, list(of_curves(ladder)), found)
    return sorted(found, key=lambda issue: GRAVEST_FIRST.index(issue.severity))


def _with_bars(ladder: LadderTable, found: Sequence[Issue]) -> list[Issue]:
    """One line of bars and of the size that they make another than a name or manifest says."""
    sizes = {(clip.path,): (clip.size, f"{clip.label}: ") for clip in ladder.clips if clip.size}
    bars = {issue.paths: issue for issue in found if issue.rule == "area" and issue.paths in sizes}
    made: list[Issue] = []
    for issue in found:
        if issue.rule in ("mislabelled", "declared_size") and issue.paths in bars:
            size, label = sizes[issue.paths]
            if size and size in issue.sentence:  # not of its codec
                said = bars.pop(issue.paths).sentence.removeprefix(label)
                issue = replace(issue, sentence=f"{issue.sentence}; {said}", also="area")
        made.append(issue)
    return [issue for issue in made if issue.rule != "area" or issue.paths in bars or issue.paths not in sizes]


def _with_causes(ladder: LadderTable, curves: Sequence[Issue], found: Sequence[Issue]) -> list[Issue]:
    """One line of what is wrong with a stretch of an encode and of the cheaper one that therefore looks better."""
    clips = {clip.path: clip for clip in ladder.clips}
    made, kept = list(found), list[Issue]()
    for issue in curves:
        worse, better = clips[issue.paths[0]], clips[issue.paths[1]]
        by = hurt_beside(worse, better, ladder) if issue.rule == "inversion" else set()
        at = next((k for k, one in enumerate(made) if one.paths == issue.paths[:1] and one.rule in by), None)
        if at is None:
            kept.append(issue)
            continue
        cause, than = made[at], issue.sentence.partition(" looks worse than ")[2]
        said = f"{cause.sentence}; it looks worse than {than}"
        grave, other = sorted((cause, issue), key=lambda one: GRAVEST_FIRST.index(one.severity))
        made[at] = replace(issue, rule=grave.rule, severity=grave.severity, sentence=said, also=other.rule)
    return [*kept, *made]


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
                said = f"{clip.label}: {mode} {told(row.score, fail_under)} is below {fail_under:g}"
                found.append(Issue(ladder.name, "fail_under", "error", said, (clip.path,), fail_under - row.score))
            drop = row.score - row.pools.get("worst_second", row.score)
            if max_drop is not None and drop > max_drop:
                lost = f"{told(drop, max_drop)} {mode} points below its mean"
                said = f"{clip.label}: its worst second is {lost}, over {max_drop:g}"
                found.append(Issue(ladder.name, "max_drop", "error", said, (clip.path,), drop))
        for issue in of_curves(ladder) if max_drop is not None else ():
            if issue.rule == "inversion" and issue.points is not None and issue.points > (max_drop or 0.0):
                exact = told(issue.points, max_drop or 0.0)
                said = f"{issue.sentence}{'' if exact in issue.sentence else f' ({exact})'}, over {max_drop:g}"
                found.append(Issue(ladder.name, "max_drop", "error", said, issue.paths, issue.points))
    return found
