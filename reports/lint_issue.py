"""One thing that lint says."""

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
