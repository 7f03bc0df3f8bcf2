"""A user's own table of rated pictures: CSV in, the same CSV with our scores out."""

from __future__ import annotations

import csv
import io
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from ..models.training.evaluation import Judged
from ..models.training.tables import Label, Sample, number, published
from ..pipeline.errors import UsageError, unwritable
from ..pipeline.storage import is_remote
from ..pipeline.text import counted
from .options import parse_display
from .rated_cells import column_name, read_cells, with_points, wrong_cells

COLUMNS = ("image", "reference", "mos", "content", "display")
GROUPS = ("group", "codec", "distortion")  # the first of these columns that a table has names its groups
SLIPS = 1 / 20  # at most this share of opinions off the scale of 1 to 5 are slips; more, and it is another scale
ANY_SCALE = 1e9  # no opinion is further from 0


@dataclass(frozen=True)
class RatedTable:
    """Rows as they stand in the file, and a label for each."""

    name: str
    columns: tuple[str, ...]
    rows: list[dict[str, str]]
    labels: list[Label]
    notes: tuple[str, ...] = ()  # what a reader of the figures has to know, a sentence each


def read_table(path: Path) -> RatedTable:
    """The rows of a CSV file with the columns image, reference, mos, content and display; paths relative to the file.

    `image` and `mos` are needed. Without a reference a row is judged in NR only; without a content the picture is its
    own; without a display it is judged at the size of its reference, if that shows the same picture, else at its own.
    Names of columns are known by any capitals, and numbers may have decimal commas.

    Labels say what is wrong with their lines: an opinion that is no number, or one of a few that are off the scale of
    the others, a display that is no raster, a picture that is no file here, or no image; then the table stands for it.

    Raises:
        UsageError: no such file, no such column, no row, cells of no column or of two, or no CSV.
    """
    (line, heading), *below = read_cells(path, ("image", "mos"))
    columns = _columns(path, line, heading)
    numbered = [(line, _row(path, line, columns, row)) for line, row in below if any(cell.strip() for cell in row)]
    if not numbered:  # a spreadsheet's export may end in rows of nothing
        raise UsageError(f"{path}: has no rows below its heading; give one for each picture")
    named = [(line, {column_name(name): cell.strip() for name, cell in row.items()}) for line, row in numbered]
    labels = _slips_told([_label(path, line, row) for line, row in named], [line for line, _ in named])
    commas = [row["mos"] for _, row in named if with_points(row["mos"]) != row["mos"]]
    notes = [f"{path}: decimal commas are read as points, {commas[0]!r} as {with_points(commas[0])}"] if commas else []
    notes += [f"{path}: {said}" for said in [*_repeats(labels, [line for line, _ in named]), *_no_figures(named)]]
    return RatedTable(path.stem, tuple(columns), [row for _, row in numbered], labels, tuple(notes))


def _label(path: Path, line: int, row: dict[str, str]) -> Label:
    """What a row says, by the names of columns in small letters."""
    image, reference, display = (row.get(name, "") for name in ("image", "reference", "display"))
    wrong = "" if image else "names no image"
    for what, name in (("image", image), ("reference", reference)):
        wrong = wrong or _wrong_name(path.parent, what, name)
    figures = {name: with_points(cell) for name, cell in row.items()}
    mos = number(figures["mos"])
    if not math.isfinite(mos):
        wrong = wrong or f"its opinion score is not a number: {row['mos']!r}"
    elif abs(mos) > ANY_SCALE:
        wrong = wrong or f"its opinion score {row['mos']} is beyond any scale; mend it"
    raster = None
    try:
        raster = parse_display(display) if display else None
    except UsageError as error:
        wrong = wrong or str(error)
    group = next((row[name] for name in GROUPS if name in row), "")
    return Label(
        path.parent / image if image else path, path.parent / reference if reference else None, mos,
        row.get("content", "") or image, group, raster, published(figures), wrong and f"line {line}: {wrong}",
    )  # fmt: skip


def _slips_told(labels: list[Label], lines: Sequence[int]) -> list[Label]:
    """The same; opinions outside 1 to 5 are wrong where they are few: one slip of a finger makes no other scale."""
    usable = [label.mos for label in labels if not label.wrong]
    off = [mos for mos in usable if not 1 <= mos <= 5]
    if len(off) > SLIPS * len(usable):
        return labels
    said = "is off the scale of 1 to 5 that nearly all others keep to; mend it"
    return [
        replace(label, wrong=f"line {line}: its opinion score {label.mos:g} {said}")
        if not label.wrong and label.mos in off
        else label
        for label, line in zip(labels, lines, strict=True)
    ]


def _repeats(labels: Sequence[Label], lines: Sequence[int]) -> list[str]:
    """A sentence where rows repeat others: copies by mistake, or opinions of several people, which nobody can tell."""
    first: dict[tuple[object, ...], int] = {}
    found = []
    for label, line in zip(labels, lines, strict=True):
        earlier = line if label.wrong else first.setdefault((label.image, label.reference, label.display), line)
        if earlier != line:
            found.append(f"line {line} for one those of line {earlier}")
    if not found:
        return []
    return [
        f"{counted(len(found), 'row')} repeat{'' if len(found) > 1 else 's'} another's image, reference and display, "
        f"{found[0]}; each counts by itself: if they are copies, or opinions to be averaged, leave one row a picture"
    ]


def _no_figures(rows: Sequence[tuple[int, dict[str, str]]]) -> list[str]:
    """A sentence where cells with other measures' figures hold none."""
    found = [
        (line, name, cell)
        for line, row in rows
        for name, cell in row.items()
        if name.startswith("published_") and cell and not math.isfinite(number(with_points(cell)))
    ]
    if not found:
        return []
    line, name, cell = found[0]
    return [f"{counted(len(found), 'cell')} left out that should hold a figure: line {line} has {cell!r} for {name}"]


def _wrong_name(folder: Path, what: str, name: str) -> str:
    """Why a name is no picture's, where more can be said than that there is no such file."""
    if is_remote(name):
        return f"its {what} {name} is on no disk here; fetch it, and name the file"
    if len(name.splitlines()) > 1:
        return f"its {what} is named over several lines; see to its quotation marks"
    if "\\" in name and not os.path.lexists(folder / name):
        return f"its {what} {name} is not there, and backslashes part no folders here; write / in their place"
    return ""


def _columns(path: Path, line: int, heading: list[str]) -> list[str]:
    """The columns of a table; those at its end that have no name, as spreadsheets export them, are left out."""
    columns = list(heading)
    while columns and not columns[-1].strip():
        columns.pop()
    twice = [name for name, count in Counter(map(column_name, columns)).items() if count > 1 and name]
    if twice:
        raise UsageError(f"{path}, line {line}: has two columns {twice[0]!r}; rename one, or take it away")
    return columns


def _row(path: Path, line: int, columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """A row by column name; cells that are not there are empty."""
    nameless = [cell for name, cell in zip_longest(columns, cells, fillvalue="") if not name.strip()]
    if any(cell.strip() for cell in nameless) and (len(nameless) > 1 or len(cells) > len(columns)):
        raise wrong_cells(path, line, len(cells), len(columns))
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
