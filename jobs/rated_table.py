"""A user's own table of rated pictures: CSV in, the same CSV with our scores out."""

from __future__ import annotations

import csv
import io
import math
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from ..models.training.evaluation import Judged
from ..models.training.tables import DataError, Label, Sample, csv_cells, number, published
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


def outside(judged: Sequence[Judged]) -> list[str]:
    """Pictures with opinions outside 1 to 5, with these, where they are at most one in twenty: slips, perhaps."""
    found = [j.sample for j in judged if not 1 <= j.sample.mos <= 5]
    return [f"{s.image.name} ({s.mos:g})" for s in found] if 20 * len(found) <= len(judged) else []


def mos_range(judged: Sequence[Judged]) -> tuple[float, float] | None:
    """Lowest and highest opinion score of what was judged, where one of them lies outside 1 to 5."""
    scores = [j.sample.mos for j in judged]
    return (min(scores), max(scores)) if scores and (min(scores) < 1 or max(scores) > 5) else None


def read_table(path: Path) -> RatedTable:
    """The rows of a CSV file with the columns image, reference, mos, content and display; paths relative to the file.

    `image` and `mos` are needed. Without a reference a row is judged in NR only; without a content the picture is its
    own; without a display it is judged at the size of its reference, if that shows the same picture, else at its own.

    Labels say what is wrong with their lines: an opinion that is no number, a display that is no raster, or no image;
    then the table stands for it.

    Raises:
        UsageError: no such file, no such column, no row, or cells of no column or of two.
    """
    try:
        cells = csv_cells(path)
    except (DataError, OSError) as error:
        why = "is a folder; name a table in it" if os.path.isdir(path) else "there is no such table"
        raise UsageError(str(error) if os.path.isfile(path) else f"{path}: {why}") from error
    columns = _columns(path, *cells[0]) if cells else []
    numbered = [(line, _row(path, line, columns, row)) for line, row in cells[1:] if any(cell.strip() for cell in row)]
    if not numbered:  # a spreadsheet's export may end in rows of nothing
        raise UsageError(f"{path}: has no rows below its heading; it needs the columns image and mos")
    absent = [name for name in ("image", "mos") if name not in columns]
    if absent:
        hint = "; put commas between columns" if ";" in "".join(columns) else ""
        raise UsageError(f"{path}: has no column {' and no column '.join(absent)}; it has {', '.join(columns)}{hint}")
    group = next((name for name in GROUPS if name in columns), None)
    labels = []
    for line, row in numbered:
        image, reference, display = (row.get(name, "").strip() for name in ("image", "reference", "display"))
        raster, wrong = None, "" if image else f"line {line}: names no image"
        mos = number(row["mos"])
        if not math.isfinite(mos):
            wrong = wrong or f"line {line}: its opinion score is not a number: {row['mos']!r}"
        try:
            raster = parse_display(display) if display else None
        except UsageError as error:
            wrong = wrong or f"line {line}: {error}"
        labels.append(Label(
            path.parent / image if image else path, path.parent / reference if reference else None, mos,
            row.get("content", "").strip() or image, row[group] if group else "", raster, published(row), wrong,
        ))  # fmt: skip
    return RatedTable(path.stem, tuple(columns), [row for _, row in numbered], labels)


def _columns(path: Path, line: int, heading: list[str]) -> list[str]:
    """The columns of a table; those at its end that have no name, as spreadsheets export them, are left out."""
    columns = list(heading)
    while columns and not columns[-1].strip():
        columns.pop()
    twice = [name for name, count in Counter(columns).items() if count > 1 and name.strip()]
    if twice:
        raise UsageError(f"{path}, line {line}: has two columns {twice[0]!r}; rename one, or take it away")
    return columns


def _row(path: Path, line: int, columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """A row by column name; cells that are not there are empty."""
    nameless = [cell for name, cell in zip_longest(columns, cells, fillvalue="") if not name.strip()]
    if any(cell.strip() for cell in nameless) and (len(nameless) > 1 or len(cells) > len(columns)):
        raise UsageError(f"{path}, line {line}: has {len(cells)} cells for {len(columns)} columns; name them all")
    return dict(zip_longest(columns, cells[: len(columns)], fillvalue=""))


def table_of(samples: Sequence[Sample]) -> RatedTable:
    """A known data set as a table, with the paths it was read from."""
    rows, labels = [], []
    for s in samples:
        display = f"{s.display[0]}x{s.display[1]}"
        values = (s.image, s.reference or "", s.mos, s.content, display)
        rows.append({name: str(value) for name, value in zip(COLUMNS, values, strict=True)})
        labels.append(Label(s.image, s.reference, s.mos, s.content, s.group, s.display))
    return RatedTable("", COLUMNS, rows, labels)


def check_writable(path: Path, table: str | None = None) -> None:
    """See that a file of results can be written, without writing it, and is not the table that is read.

    Raises:
        UsageError: it cannot.
    """
    if not os.path.isdir(path.parent):
        raise UsageError(f"{path}: its folder does not exist")
    if table is not None and path.exists() and os.path.samefile(path, table):
        raise UsageError(f"{path}: is the table that is read; name another file")
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
