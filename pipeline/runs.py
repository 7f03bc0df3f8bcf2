"""What one scan did: a row of `runs`, and how it is written and read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

import pyarrow as pa

from .schema import RUNS, SCHEMA_VERSION
from .text import plain


@dataclass(frozen=True)
class RunRow:
    """One row of `runs`: what one scan did."""

    run_id: str
    started_at: datetime  # UTC
    finished_at: datetime
    command: str
    version: str  # of this package
    settings: dict[str, object] = field(default_factory=dict)  # JSON-ready
    ok: int = 0  # rows committed or reused, by status
    skipped: int = 0
    failed: int = 0
    reused: int = 0  # of these, rows that an earlier run had measured
    seconds: dict[str, float] = field(default_factory=dict)  # by stage: decode, inference, ...
    frames: int | None = None  # that went through the network; None: an older version's run
    model: str | None = None
    model_sha256: str | None = None
    bytes_read: int | None = None  # from object stores; None where nothing was in one
    bytes_stored: int | None = None  # of the videos there


def run_rows(runs: Sequence[RunRow]) -> pa.Table:
    """Values to rows of `runs`."""
    rows = []
    for run in runs:
        row = {field.name: getattr(run, field.name) for field in fields(run)}
        row["command"] = plain(run.command)
        settings = {name: plain(value) if isinstance(value, str) else value for name, value in run.settings.items()}
        row["settings"] = json.dumps(settings, sort_keys=True, allow_nan=False)
        row["seconds"] = sorted(run.seconds.items())
        rows.append(row | {"schema_version": SCHEMA_VERSION})
    return pa.Table.from_pylist(rows, schema=RUNS)


def runs_of(table: pa.Table) -> list[RunRow]:
    """Rows of `runs` to values."""
    rows = []
    for row in table.to_pylist():
        row.pop("schema_version", None)
        row["settings"], row["seconds"] = json.loads(row["settings"]), dict(row["seconds"])
        rows.append(RunRow(**row))
    return rows
