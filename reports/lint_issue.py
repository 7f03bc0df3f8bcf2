"""One thing that lint says, and numbers in its sentences."""

from __future__ import annotations

from dataclasses import dataclass

from ..pipeline.findings import Severity


@dataclass(frozen=True)
class Issue:
    """One thing wrong. `points` is how much, on the scale of scores, where it is about them."""

    ladder: str
    rule: str  # one of those in docs/cli.md
    severity: Severity
    sentence: str
    paths: tuple[str, ...]  # the clip it is about, then what it is compared with
    points: float | None = None
    also: str | None = None  # a rule whose sentence this one ends with; JSON has what it always had


def told(value: float, *beside: float) -> str:
    """A number to one digit, or to as many as tell it from others, or from 0: 59.96 beside 60, 0.04 beside 0."""
    others = beside or (0.0,)
    digits = next((n for n in range(1, 10) if all(round(value, n) != round(other, n) for other in others)), 1)
    return f"{value:.{digits}f}"
