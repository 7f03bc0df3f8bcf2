"""The files that `evaluate` writes: rows with their scores, and a scatter plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..models.training.correlation import fitted_curve, hundredths
from ..models.training.evaluation import Judged
from ..models.training.tables import Listing
from ..pipeline.errors import unwritable
from .rated_table import RatedTable, write_scores


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
