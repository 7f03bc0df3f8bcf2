"""A results folder as the pages read it: Parquet, through the store, and nothing changed there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..pipeline.runs import RunRow
from ..pipeline.store import Store
from ..pipeline.values import FrameScore
from .clip import Series
from .read import Fleet, gather
from .shots import shots_of


@dataclass(frozen=True)
class Results:
    """A results folder, read once; frames are read ladder by ladder."""

    folder: Path
    fleet: Fleet
    runs: tuple[RunRow, ...]
    store: Store

    @property
    def warnings(self) -> tuple[str, ...]:
        """Parts of the data sets that could not be read so far, a sentence each."""
        return tuple(self.store.warnings)

    def frames(self, ladder: str) -> dict[tuple[str, str], Series]:
        """Frame scores of a ladder by (path, mode), in presentation order."""
        found = self.store.ladder_frames(ladder)
        return {(path, mode): series_of(rows) for (path, mode), rows in found.items() if mode is not None}


def series_of(rows: Sequence[FrameScore]) -> Series:
    """Frames as arrays."""
    times, scores = np.array([f.pts_time for f in rows]), np.array([f.score for f in rows])
    return Series(times, scores, shots_of([f.shot for f in rows]), np.array([f.span_s or 0.0 for f in rows]))


def load(out: str | os.PathLike[str]) -> Results:
    """Read the results under OUT without changing anything there.

    Raises:
        UsageError: there are no results, or a newer version wrote them.
    """
    store = Store(out, read_only=True)
    return Results(store.out, gather(store.clips()), tuple(store.runs()), store)
