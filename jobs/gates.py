"""What makes a run fail though everything was scored: videos below a score, or worse than a run before."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..pipeline.errors import UsageError, YotoVideoError
from ..pipeline.results_folder import place_of
from ..pipeline.text import counted
from ..pipeline.values import ClipScore
from ..reports.lint_issue import told
from .request import below, gated

if TYPE_CHECKING:
    from ..reports.drift import Drift
    from ..reports.results import Results

NO_CLIP = "no clip in these results; scan some videos first, or name a side of a comparison (OUT/sides/NAME)"


def nothing_in(place: str, warnings: Sequence[str]) -> YotoVideoError:
    """Of results without a clip: there is none, or it cannot be read."""
    if warnings:
        return YotoVideoError(f"no clip of these results can be read: {warnings[0]}")
    return UsageError(f"{place}: {NO_CLIP}")


@dataclass(frozen=True)
class Gate:
    """What was asked for; None: not asked for."""

    fail_under: float | None = None
    baseline: str | None = None  # folder of results of the run before
    max_regression: float | None = None  # points

    @property
    def asked(self) -> bool:
        """Whether rows have to pass anything."""
        return self.fail_under is not None or self.max_regression is not None

    def check(self, out: str) -> None:
        """Before anything is measured into `out`.

        Raises:
            UsageError: one flag without the other, or a baseline that cannot be read, or is `out` itself.
        """
        if (self.baseline is None) != (self.max_regression is None):
            raise UsageError("--baseline and --max-regression go together: the run before, and the points it may lose")
        before = self._baseline()
        if before is not None and os.path.realpath(before.store.place) == os.path.realpath(place_of(out)):
            raise UsageError(f"--baseline {self.baseline}: is where the new results go; give a copy, or another --out")

    def faults(
        self, clips: Sequence[ClipScore], out: str, tell: Callable[[str], None] = lambda _: None
    ) -> dict[tuple[str, str | None], str]:
        """By (path, mode), why a row does not pass, a sentence each.

        Args:
            clips: rows to judge.
            out: folder that holds them.
            tell: takes a sentence on what the baseline has and these results lack: no fault of any row.
        """
        found: dict[tuple[str, str | None], str] = {}
        if self.fail_under is not None:
            for clip in below(clips, self.fail_under):
                found[clip.path, clip.mode] = f"below {self.fail_under:g}: {_name(clip, self.fail_under)}"
        before = self._baseline()
        if before is not None and self.max_regression is not None:
            from ..reports.drift import drift
            from ..reports.results import load

            changes: Drift = drift(load(out), before)
            wanted = {clip.path: clip.mode for clip in gated(clips)}
            compared = {(c.now.path, c.now.mode) for c in changes.changes}
            compared |= {(clip.path, clip.mode) for clip, _ in changes.incomparable}
            for (path, mode), text in _regressions(changes, self.max_regression).items():
                # Where the run before had no master, what both can be compared by is NR.
                if path in wanted and (mode == wanted[path] or (path, wanted[path]) not in compared):
                    key = path, wanted[path]
                    found[key] = f"{found[key]}; {text}" if key in found else text
            if wanted and not {path for path, _ in compared} & wanted.keys():
                said = f"--baseline {self.baseline} has none of these videos: nothing was compared"
                found.setdefault(next(iter(wanted.items())), said)
            elif wanted and before.warnings:
                found.setdefault(next(iter(wanted.items())), f"--baseline {before.warnings[0]}")
            else:
                for paths, what in ((changes.gone, "not among these results"), (changes.failed, "without a score now")):
                    if paths:
                        tell(f"{what}: {counted(len(paths), 'video')} of --baseline {self.baseline}, {paths[0]} first")
        return found

    def _baseline(self) -> Results | None:
        if self.baseline is None:
            return None
        from ..reports.results import load

        try:
            return load(self.baseline)
        except UsageError as error:
            raise UsageError(f"--baseline {error}") from None


def _regressions(changes: Drift, points: float) -> dict[tuple[str, str | None], str]:
    found: dict[tuple[str, str | None], str] = {}
    for c in changes.changes:
        if c.difference < -points and (c.interval is None or c.shown):  # what frames do not show is no regression
            now, was = c.now.score or 0.0, c.before.score or 0.0
            lost = f"worse than before by {told(-c.difference, points)} points"
            found[c.now.path, c.now.mode] = f"{lost}: {_name(c.now, was)}, was {told(was, now)}"
    for clip, why in changes.incomparable:
        found[clip.path, clip.mode] = f"cannot be compared with before: {_name(clip, 0.0)}: {why}"
    return found


def _name(clip: ClipScore, beside: float) -> str:
    """With its score, to as many digits as tell it from what it is held to."""
    return f"{clip.path} ({(clip.mode or '').upper()} {told(clip.score or 0.0, beside)})"
