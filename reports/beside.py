"""Other measures beside ours in a comparison: whose logs they are, and the maps that carry their thresholds over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..pipeline.text import counted
from .compare import Comparison
from .imports import Imported, match
from .metric_maps import Map, fit


@dataclass(frozen=True)
class Beside:
    """What logs of other measures came to.

    Attributes:
        maps: one a measure and mode.
        lost: what could not be used, a sentence each.
        logs: how many were read.
        matched: of these, those of an encode that was compared.
        encodes: how many of the encodes compared have one.
        compared: encodes that were.
    """

    maps: tuple[Map, ...] = ()
    lost: tuple[str, ...] = ()
    logs: int = 0
    matched: int = 0
    encodes: int = 0
    compared: int = 0

    @property
    def sentence(self) -> str | None:
        """How many logs fit how many encodes, and one that does not; None where there are no logs."""
        if not self.logs:
            return None
        missing = self.logs - self.matched
        why = f" ({self.lost[0]}{f', and {missing - 1} more' if missing > 1 else ''})" if missing else ""
        if not self.matched:
            return f"--import: none of {counted(self.logs, 'log')} is of an encode that was compared{why}"
        fitting = f"{self.matched} of {counted(self.logs, 'log')} {'is' if self.matched == 1 else 'are'}"
        return f"--import: {fitting} of {self.encodes} of the {counted(self.compared, 'encode')} compared{why}"


NONE = Beside()


def lay_beside(comparison: Comparison, imported: Sequence[Imported]) -> Beside:
    """Find each log's encode, and fit a map for each measure and mode that enough encodes have."""
    sides = [pair for t in comparison.titles for pair in zip(t.sides, comparison.labels, strict=True)]
    encodes = [(e, label) for own, label in sides for e in own]
    title_of = {e.row.path: t.name for t in comparison.titles for e in t.encodes}
    others = [c.path for side in comparison.sides for c in side.results.fleet.clips if c.path not in title_of]
    found, lost = match(imported, encodes, others)
    logs = len({one.file for one in imported})
    matched, known = logs - len(lost), {pair[0].row.path for pairs in found.values() for pair in pairs}
    maps = []
    for metric, pairs in found.items():
        for mode in comparison.modes:
            own = [pair for pair in pairs if pair[0].row.mode == mode]
            fitted = fit(metric, mode, own, title_of)
            if fitted is not None:
                maps.append(fitted)
            elif own:
                have = f"{counted(len(own), 'encode')} {'has' if len(own) == 1 else 'have'} it"
                lost.append(f"{metric}: {have}, a map needs at least four that differ")
    return Beside(tuple(maps), tuple(lost), logs, matched, len(known), len(encodes))
