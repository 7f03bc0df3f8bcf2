"""The cells of a user's own table: CSV as spreadsheets and other programs write it."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..pipeline.errors import UsageError
from ..pipeline.text import counted

DELIMITERS = (",", ";", "\t", "|")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how .xlsx and .ods begin, and .xls
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def read_cells(path: Path, needed: Sequence[str]) -> list[tuple[int, list[str]]]:
    """The rows of a CSV file that are not empty, the heading first, each with the number of the line that it ends on.

    UTF-8, or UTF-16 with its byte order mark. What separates cells is told by the heading, which `csv.Sniffer` would
    guess: with it the heading names most of the needed columns.

    Args:
        path: of the table.
        needed: columns that it must have.

    Raises:
        UsageError: it is missing, a workbook or no text, lacks a needed column, or a quotation mark is not closed.
    """
    text = _text(path)
    headings = {delimiter: _heading(text, delimiter) for delimiter in DELIMITERS}
    absent = {d: [n for n in needed if n not in map(column_name, cells)] for d, cells in headings.items()}
    delimiter = min(DELIMITERS, key=lambda d: len(absent[d]))  # of equal ones the first: commas
    if not headings[delimiter]:
        raise UsageError(f"{path}: is empty; it needs the columns {' and '.join(needed)}")
    if absent[delimiter]:
        has = ", ".join(headings[delimiter])
        raise UsageError(f"{path}: its heading has no column {' and no column '.join(absent[delimiter])}; it has {has}")
    rows, last = [], 0
    try:
        for last, row in _lines(text, delimiter, strict=True):
            if row:
                rows.append((last, row))
    except csv.Error as error:
        said = f"the row that begins there cannot be read as CSV ({error}); see to its quotation marks"
        raise UsageError(f"{path}, line {last + 1}: {said}") from error
    return rows


def column_name(heading: str) -> str:
    """The name of a column as it is looked for, whatever its capitals and the blanks around it."""
    return heading.strip().lower()


def with_points(cell: str) -> str:
    """A cell with a point for its decimal comma: "0,93" is no thousand in tables of opinions."""
    cell = cell.strip()
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def wrong_cells(path: Path, line: int, cells: int, columns: int) -> UsageError:
    """A row has cells that no column names."""
    said = f"has {counted(cells, 'cell')} for {counted(columns, 'column')}"
    return UsageError(f"{path}, line {line}: {said}; name them all, or quote cells with a separator or a decimal comma")


def _lines(text: str, delimiter: str, *, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """The number of the line that a row ends on, and the row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=strict)
    for row in reader:
        yield reader.line_num, row


def _heading(text: str, delimiter: str) -> list[str]:
    try:
        return next((row for _, row in _lines(text, delimiter, strict=False) if row), [])
    except csv.Error:
        return []


def _text(path: Path) -> str:
    if os.path.isdir(path):
        raise UsageError(f"{path}: is a folder; name a table in it")
    if not os.path.isfile(path):  # which a name too long for any file has no answer to
        raise UsageError(f"{path}: there is no such table")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error
    if data.startswith(_WORKBOOKS):
        raise UsageError(f"{path}: is a workbook, not CSV; export its sheet as CSV in UTF-8")
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
        if "\0" not in text:
            return text
        start = text.index("\0")
    except UnicodeDecodeError as error:
        start = error.start
    line = data.count(b"\n", 0, start) + 1
    said = "is no text in UTF-8, nor in UTF-16 with its byte order mark; export the table anew, as CSV in UTF-8"
    raise UsageError(f"{path}, line {line}: {said}")
