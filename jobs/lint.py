"""`yoto-video lint`: what is wrong with ladders and their encodes, told from Parquet alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict

from ..pipeline.errors import UsageError
from ..pipeline.findings import GRAVEST_FIRST
from ..reports import lint
from ..reports.lint import Issue
from ..reports.results import load
from .gates import nothing_in
from .output import new_table, print_table

GATES = frozenset({"fail_under", "max_drop"})
# As errors: no score, none of the comparison that was asked for, or one of a part only.
INCOMPLETE = frozenset({"unscored", "not_compared", "truncated", "damaged", "cadence"})


def run_lint(
    out: str,
    *,
    fail_under: float | None,
    max_drop: float | None,
    fail_on: str | None,
    as_json: bool,
    tell: Callable[[str], None],
) -> tuple[bool, bool]:
    """Print what is wrong with the ladders under OUT.

    Args:
        out: folder of results.
        fail_under, max_drop: gates, points.
        fail_on: a gate: rules, or "error" or "warning" for all of this severity and above, with commas between.
        as_json: one JSON object a line.
        tell: takes what of the results cannot be read, a sentence each.

    Returns:
        Whether a gate failed, and whether all clips could be read, are whole and have a score.

    Raises:
        UsageError: `fail_on` names no rule; OUT holds no results, or no clip: a gate that nothing went through is not
            passed.
    """
    on = _wanted(fail_on)
    results = load(out)
    fleet = results.fleet
    if not fleet.clips:
        raise nothing_in(results.store.place, results.warnings)
    for warning in dict.fromkeys(results.warnings):
        tell(warning)
    issues = [*lint.gates(fleet, fail_under=fail_under, max_drop=max_drop), *lint.check(fleet)]
    issues.sort(key=lambda i: (i.ladder, GRAVEST_FIRST.index(i.severity)))
    ladders = sum(len(ladder.clips) > 1 for ladder in fleet.ladders)  # as the plan counts
    count = {"ladders": ladders, "alone": len(fleet.ladders) - ladders, "clips": len(fleet.clips)}
    if as_json:
        print(*_lines(issues), _summary(issues, count, on), sep="\n")
    elif issues:
        _print(issues)
        counts = Counter(issue.severity for issue in issues)
        print(f"\n{', '.join(f'{s}: {counts[s]}' for s in GRAVEST_FIRST if counts[s])}")
        if on and (failing := sum(_fails(issue, on) and issue.rule not in GATES for issue in issues)):
            print(f"--fail-on {fail_on}: {failing}")
    else:
        print(f"nothing wrong ({', '.join(f'{what}: {number:,}' for what, number in count.items())})")
    lacking = bool(results.warnings) or any(issue.rule in INCOMPLETE and issue.severity == "error" for issue in issues)
    return any(_fails(issue, on) for issue in issues), not lacking


def _wanted(fail_on: str | None) -> frozenset[str]:
    """The rules and severities of `--fail-on`."""
    named = frozenset(filter(None, (name.strip() for name in (fail_on or "").split(","))))
    known = lint.RULES | {"error", "warning"}
    if fail_on is not None and (not named or named - known):
        wrong = ", ".join(sorted(named - known)) or "nothing"
        raise UsageError(f"--fail-on {wrong}: is no rule of lint; known are {', '.join(sorted(known))}")
    return named | ({"error"} if "warning" in named else frozenset())


def _fails(issue: Issue, on: frozenset[str]) -> bool:
    return not {issue.rule, issue.also}.isdisjoint(GATES | on) or issue.severity in on


def _lines(issues: Sequence[Issue]) -> Iterator[str]:
    for issue in issues:
        known = {name: value for name, value in asdict(issue).items() if name != "also"}
        yield json.dumps({"type": "lint", **known}, ensure_ascii=False, allow_nan=False)


def _summary(issues: Sequence[Issue], count: Mapping[str, int], on: frozenset[str]) -> str:
    counts = Counter(issue.severity for issue in issues)
    gates = sum(_fails(issue, on) for issue in issues)
    found: dict[str, int] = {severity: counts[severity] for severity in GRAVEST_FIRST}
    return json.dumps({"type": "summary", **count, **found, "gates": gates})


def _print(issues: Sequence[Issue]) -> None:
    table = new_table("ladder", "severity", "rule", "note")
    shown = None
    for issue in issues:
        table.add_row("" if issue.ladder == shown else issue.ladder, issue.severity, issue.rule, issue.sentence)
        shown = issue.ladder
    print_table(table)
