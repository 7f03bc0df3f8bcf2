"""How long encodes took, as `compare --times` is told: what quality costs besides bits."""

from __future__ import annotations

import csv
import math
import os

from ..pipeline import storage
from ..pipeline.errors import UsageError


def seconds_by_path(file: str | None) -> dict[str, float]:
    """Seconds by canonical path, of a CSV with `path,seconds`; paths are relative to it, or absolute.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    if file is None:
        return {}
    known = {}
    try:
        with open(file, newline="", encoding="utf-8-sig") as opened:
            table = csv.DictReader(opened)
            if not {"path", "seconds"} <= {*(table.fieldnames or ())}:
                raise ValueError
            for number, row in enumerate(table, 2):
                path, seconds = row["path"], _number(row["seconds"])
                if not (path and 0 < seconds < math.inf):
                    raise UsageError(f"--times {file}: line {number}: needs a path, and seconds above 0")
                at = path if storage.is_remote(path) else os.path.join(os.path.dirname(file), path)
                known[storage.canonical(at)] = seconds
    except OSError as error:
        raise UsageError(f"--times {file}: cannot be read ({error.strerror})") from None
    except (csv.Error, ValueError):
        raise UsageError(f"--times {file}: give CSV with the columns path and seconds") from None
    return known


def _number(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return math.nan
