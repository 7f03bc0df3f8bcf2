"""The files that `evaluate` writes: rows with their scores, and a scatter plot."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..models.training.correlation import fitted_curve, hundredths
from ..models.training.evaluation import Judged
from ..models.training.tables import Label, Listing
from ..pipeline.errors import UsageError, unwritable
from .rated_table import RatedTable, write_scores


def check_outputs(out: str | None, plot: str | None, table: str | None, labels: Sequence[Label]) -> None:
    """See that the files of results can be written, without writing them, and that nothing is written over.

    Args:
        out, plot: as of `write_files`.
        table: the user's own, which is read.
        labels: all its rows, or those of known data sets.

    Raises:
        UsageError: one cannot, or is the other, the table or one of the pictures.
    """
    if out is not None and plot is not None and os.path.realpath(out) == os.path.realpath(plot):
        raise UsageError(f"{out}: cannot hold both --out and --plot; name another file for one of them")
    for path in (Path(name) for name in (out, plot) if name is not None):
        _check_writable(path)
        if not path.exists():
            continue
        if table is not None and os.path.samefile(path, table):
            raise UsageError(f"{path}: is the table that is read; name another file")
        pictures = {picture for label in labels for picture in (label.image, label.reference) if picture is not None}
        if any(os.path.exists(picture) and os.path.samefile(path, picture) for picture in pictures):
            raise UsageError(f"{path}: is one of the pictures that are judged; name another file")


def _check_writable(path: Path) -> None:
    if not os.path.isdir(path.parent):
        raise UsageError(f"{path}: its folder does not exist")
    try:
        if path.exists():
            path.open("ab").close()
        else:
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise unwritable(path, error) from error


def write_files(
    out: Path | None, plot: Path | None, model: str, table: RatedTable, found: Listing, judged: Sequence[Judged]
) -> None:
    """Write what was asked for: where one file cannot be written, the other all the same.

    Args:
        out: of the table with scores.
        plot: of the page with the plot.
        model: its title.
        table: all rows.
        found: those of them that could be judged.
        judged: what became of these.

    Raises:
        YotoVideoError: a file cannot be written.
    """
    try:
        if out is not None:
            by_sample = {id(j.sample): j for j in judged}
            rows: list[Judged | None] = [None] * len(table.rows)
            for sample, row in zip(found.samples, found.rows, strict=True):
                rows[row] = by_sample.get(id(sample))
            write_scores(out, table, rows)
    finally:
        if plot is not None:
            _plot(plot, model, judged)


def _plot(path: Path, model: str, judged: Sequence[Judged]) -> None:
    from ..reports.agreement_plot import Point, write_agreement_plot

    def points(mode: str) -> list[Point]:
        rows = [(j.nr if mode == "nr" else j.fr, j.sample) for j in judged]
        return [
            Point(score, float(hundredths([s.mos])[0]), s.image.name, f"{s.dataset} {s.group}".strip())
            for score, s in rows
            if score is not None
        ]

    clouds = {mode: points(mode) for mode in ("nr", "fr")}
    curves = {}
    for mode, cloud in clouds.items():
        scores, mos = [p.score for p in cloud], [p.mos / 25 + 1 for p in cloud]
        if len(set(scores)) > 2:
            curves[mode] = fitted_curve(scores, mos)
    try:
        write_agreement_plot(path, model, clouds, curves)
    except OSError as error:
        raise unwritable(path, error) from error
