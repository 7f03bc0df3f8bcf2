"""The user's own rule: a CSV or JSON file that says which file belongs to which ladder, and as what.

CSV, with a header line; `role` may be left out or empty (a rendition):

    path,ladder,role
    sources/bbb.mov,bbb,master
    encodes/0001.mp4,bbb,rendition

JSON, either a list of the same rows, or ladders with what is in them:

    [{"path": "sources/bbb.mov", "ladder": "bbb", "role": "master"}, ...]
    {"bbb": {"master": "sources/bbb.mov", "renditions": ["encodes/0001.mp4", "encodes/0002.mp4"]}, ...}

Paths are relative to the mapping file or to the scanned root, or absolute, or URIs. What a mapping names is grouped as
it says; everything else is grouped as without it. A ladder of the name of one that was found is joined with it.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import storage
from .errors import UsageError, VideoError

ROLES = ("master", "rendition")
COLUMNS = ("path", "ladder", "role")


@dataclass(frozen=True)
class Row:
    """One file's place."""

    path: str  # canonical once resolved
    ladder: str
    role: str  # "master" or "rendition"
    where: str  # "line 3" or "entry 3", for messages


def read(file: str, root: str, known: Collection[str], exists: Callable[[str], bool]) -> list[Row]:
    """Read a mapping and find the files it names.

    Args:
        file: path or URI of the mapping, `.csv` or `.json`.
        root: canonical path of the scanned folder.
        known: canonical paths of everything found below it.
        exists: whether a canonical path outside of `known` is a file.

    Returns:
        Rows with canonical paths, in the file's order.

    Raises:
        UsageError: what is wrong, with the line and, for a path that does not exist, the nearest one that does.
    """
    rows = _json_rows(file, _text(file)) if file.lower().endswith(".json") else _csv_rows(file, _text(file))
    folder = storage.canonical(file).rsplit("/", 1)[0]
    found: list[Row] = []
    seen: dict[str, str] = {}
    masters: dict[str, str] = {}
    for row in rows:
        path = _locate(file, row, folder, root, known, exists)
        if path in seen:
            raise UsageError(f"{file}, {row.where}: {row.path} is already placed by {seen[path]}; a file has one place")
        seen[path] = row.where
        if row.role == "master" and masters.setdefault(row.ladder, row.where) != row.where:
            raise UsageError(f"{file}, {row.where}: ladder {row.ladder!r} already has a master ({masters[row.ladder]})")
        found.append(Row(path, row.ladder, row.role, row.where))
    if not found:
        raise UsageError(f"{file}: names no file; give a row for each file, or leave --mapping out")
    return found


def _text(file: str) -> str:
    try:
        with storage.open_binary(file) as opened:
            return opened.read().decode("utf-8-sig")
    except VideoError as error:
        raise UsageError(f"--mapping {file}: {error.reason}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--mapping {file}: is not UTF-8 text") from error
    except OSError as error:
        raise UsageError(f"--mapping {file}: cannot be read ({error.strerror or error})") from error


def _csv_rows(file: str, text: str) -> list[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        header = [name.strip().lower() for name in reader.fieldnames or []]
    except csv.Error as error:
        raise UsageError(f"{file}, line 1: cannot be read as CSV ({error})") from error
    missing = [name for name in ("path", "ladder") if name not in header]
    if missing:
        said = ", ".join(header) or "nothing"
        raise UsageError(
            f"{file}, line 1: the header lacks {' and '.join(missing)} (it says {said}); it must be path,ladder,role"
        )
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        raise UsageError(f"{file}, line 1: unknown column {unknown[0]!r}{_nearest(unknown[0], COLUMNS)}")
    reader.fieldnames = header
    rows = []
    try:
        for entry in reader:
            where = f"line {reader.line_num}"
            if None in entry:
                raise UsageError(f"{file}, {where}: has more fields than the header; quote a path that holds a comma")
            rows.append(_row(file, where, entry))
    except csv.Error as error:
        raise UsageError(f"{file}, line {reader.line_num}: cannot be read as CSV ({error})") from error
    return rows


def _json_rows(file: str, text: str) -> list[Row]:
    try:
        data = json.loads(text, object_pairs_hook=partial(_once, file))
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "the file"
        raise UsageError(f"{file}, {where}: is not valid JSON ({getattr(error, 'msg', error)})") from error
    if isinstance(data, list):
        return [_row(file, f"entry {i}", entry) for i, entry in enumerate(data, 1)]
    if not isinstance(data, dict):
        raise UsageError(f"{file}: must be a list of rows, or an object of ladders")
    rows = []
    for ladder, content in data.items():
        if not isinstance(content, dict) or not content or set(content) - {"master", "renditions"}:
            raise UsageError(f'{file}, ladder {ladder!r}: must be {{"master": PATH, "renditions": [PATH, ...]}}')
        where = f"ladder {ladder!r}"
        if content.get("master") is not None:
            rows.append(_row(file, where, {"path": content["master"], "ladder": ladder, "role": "master"}))
        renditions = content.get("renditions") or []
        if not isinstance(renditions, list):
            raise UsageError(f"{file}, {where}: renditions must be a list of paths")
        rows += [
            _row(file, f"{where}, rendition {i}", {"path": path, "ladder": ladder})
            for i, path in enumerate(renditions, 1)
        ]
    return rows


def _once(file: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object none of whose keys stands in it twice: the first one's rows would be lost."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise UsageError(f"{file}: {key!r} stands twice in one object; put its files together")
        found[key] = value
    return found


def _row(file: str, where: str, entry: Any) -> Row:
    if not isinstance(entry, dict):
        raise UsageError(f"{file}, {where}: must be an object with path, ladder and role")
    values = {}
    if unknown := [str(name) for name in entry if name not in COLUMNS]:
        raise UsageError(f"{file}, {where}: unknown key {unknown[0]!r}{_nearest(unknown[0], COLUMNS)}")
    for name in COLUMNS:
        value = entry.get(name)
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{file}, {where}: {name} must be text, not {value!r}")
        values[name] = (value or "").strip()
    for name in ("path", "ladder"):
        if not values[name]:
            raise UsageError(f"{file}, {where}: has no {name}")
    role = values["role"].lower() or "rendition"
    if role not in ROLES:
        raise UsageError(f"{file}, {where}: role {values['role']!r} must be master or rendition{_nearest(role, ROLES)}")
    return Row(values["path"], values["ladder"], role, where)


def _locate(file: str, row: Row, folder: str, root: str, known: Collection[str], exists: Callable[[str], bool]) -> str:
    candidates = list(dict.fromkeys(storage.join(base, row.path) for base in (folder, root)))
    for path in candidates:
        if path in known:
            return path
    for path in candidates:
        if exists(path):
            return path
    short = {path.removeprefix(root + "/"): path for path in known}
    raise UsageError(f"{file}, {row.where}: there is no file {row.path}{_nearest(row.path, sorted(short))}")


def _nearest(name: str, choices: Collection[str]) -> str:
    close = difflib.get_close_matches(name, choices, 1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""
