"""A user's own table of rated pictures: CSV in, the same CSV with our scores out."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..models.training.evaluation import Judged
from ..models.training.tables import DataError, Label, Sample, csv_rows, number, published
from ..pipeline.errors import UsageError, unwritable
from .options import parse_display

COLUMNS = ("image", "reference", "mos", "content", "display")
GROUPS = ("group", "codec", "distortion")  # the first of these columns that a table has names its groups


@dataclass(frozen=True)
class RatedTable:
    """Rows as they stand in the file, and a label for each."""

    name: str
    columns: tuple[str, ...]
    rows: list[dict[str, str]]
    labels: list[Label]

    @property
    def mos_range(self) -> tuple[float, float] | None:
        """Lowest and highest opinion score, where one of them lies outside 1 to 5."""
        scores = [label.mos for label in self.labels if label.mos == label.mos]  # not NaN
        return (min(scores), max(scores)) if scores and (min(scores) < 1 or max(scores) > 5) else None


def read_table(path: Path) -> RatedTable:
    """The rows of a CSV file with the columns image, reference, mos, content and display; paths relative to the file.

    `image` and `mos` are needed. Without a reference a row is judged in NR only; without a content the picture is its
    own; without a display it is judged at its reference's size, without one at its own.

    Raises:
        UsageError: no such file, no such column, no row, or a display that is no raster.
    """
    try:
        rows = csv_rows(path)
    except (DataError, OSError) as error:
        there = str(error) if path.is_file() else f"{path}: there is no such table"
        raise UsageError(there) from error
    numbered = [(line, row) for line, row in enumerate(rows, 2) if any(cell.strip() for cell in row.values())]
    if not numbered:  # a spreadsheet's export may end in rows of nothing
        raise UsageError(f"{path}: has no rows below its heading; it needs the columns image and mos")
    absent = [name for name in ("image", "mos") if name not in rows[0]]
    if absent:
        hint = "; put commas between columns" if ";" in "".join(rows[0]) else ""
        raise UsageError(f"{path}: has no column {' and no column '.join(absent)}; it has {', '.join(rows[0])}{hint}")
    group = next((name for name in GROUPS if name in rows[0]), None)
    labels = []
    for line, row in numbered:
        image, reference, display = (row.get(name, "").strip() for name in ("image", "reference", "display"))
        if not image:
            raise UsageError(f"{path}, line {line}: names no image")
        try:
            raster = parse_display(display) if display else None
        except UsageError as error:
            raise UsageError(f"{path}, line {line}: {error}") from None
        labels.append(Label(
            path.parent / image, path.parent / reference if reference else None, number(row["mos"]),
            row.get("content", "").strip() or image, row[group] if group else "", raster, published(row),
        ))  # fmt: skip
    return RatedTable(path.stem, tuple(rows[0]), [row for _, row in numbered], labels)


def table_of(samples: Sequence[Sample]) -> RatedTable:
    """A known data set as a table, with the paths it was read from."""
    rows, labels = [], []
    for s in samples:
        display = f"{s.display[0]}x{s.display[1]}"
        values = (s.image, s.reference or "", s.mos, s.content, display)
        rows.append({name: str(value) for name, value in zip(COLUMNS, values, strict=True)})
        labels.append(Label(s.image, s.reference, s.mos, s.content, s.group, s.display))
    return RatedTable("", COLUMNS, rows, labels)


def check_writable(path: Path) -> None:
    """See that a file of results can be written, without writing it.

    Raises:
        UsageError: it cannot.
    """
    if not path.parent.is_dir():
        raise UsageError(f"{path}: its folder does not exist")
    try:
        if path.exists():
            path.open("ab").close()
        else:
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise unwritable(path, error) from error


def write_scores(path: Path, table: RatedTable, judged: Sequence[Judged | None]) -> None:
    """The table with two columns more, `nr` and `fr`, 0 to 100; empty where a row was not scored.

    Args:
        path: of the new CSV file.
        table: the rows.
        judged: what became of each.

    Raises:
        YotoVideoError: the file cannot be written.
    """
    columns = [c for c in table.columns if c not in ("nr", "fr")]  # those of an earlier run give way
    text = io.StringIO()
    out = csv.DictWriter(text, [*columns, "nr", "fr"], lineterminator="\n")
    out.writeheader()
    for row, found in zip(table.rows, judged, strict=True):
        nr, fr = (None, None) if found is None else (found.nr, found.fr)
        out.writerow({name: row[name] for name in columns} | {"nr": _text(nr), "fr": _text(fr)})
    try:
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
    except OSError as error:
        raise unwritable(path, error) from error


def _text(score: float | None) -> str:
    return "" if score is None else f"{score:.4f}"
