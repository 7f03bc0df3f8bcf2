"""The only place where clips and frames become rows of Parquet or JSON, and rows become clips and frames."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pyarrow as pa

from .findings import Finding
from .pool import POOLS
from .schema import CLIPS, FINDING, FRAMES, SCHEMA_VERSION
from .text import plain
from .values import ClipResult, ClipScore, Declared, FrameScore, Moment

_CLIP_NAMES = {f.name for f in fields(ClipScore)}
_FRAME_NAMES = [f.name for f in fields(FrameScore)]
_MOMENT_NAMES = [f.name for f in fields(Moment)]
_REPEATED = ("mode", "status", "display", "codec", "depth", "model", "model_sha256")  # of `clips`: few texts, many rows
_Part = TypeVar("_Part", Finding, Declared)


def storable(clip: ClipScore) -> ClipScore:
    """The row as it will be read again: its names and sentences as UTF-8 can hold them.

    What many rows say is one object in memory: from a worker, and from a file, each row comes with its own.
    """
    return replace(
        clip,
        path=plain(clip.path),
        ladder=plain(clip.ladder),
        reason=None if clip.reason is None else plain(clip.reason),
        reference=None if clip.reference is None else plain(clip.reference),
        findings=tuple(_one(replace(finding, sentence=plain(finding.sentence))) for finding in clip.findings),
        declared=_one(clip.declared),
        **{name: _same(getattr(clip, name)) for name in _REPEATED},
    )


def _same(text: Any) -> Any:
    return sys.intern(text) if isinstance(text, str) else text


@functools.lru_cache(1000)
def _one(value: _Part) -> _Part:
    return value


def clip_rows(clips: Sequence[ClipScore]) -> pa.Table:
    """Values to rows of `clips`.

    Raises:
        ValueError: a row lacks a pool, or one of its scores is not a finite number.
    """
    return pa.Table.from_pylist([_clip_row(clip) for clip in clips], schema=CLIPS)


def clips_of(table: pa.Table) -> list[ClipScore]:
    """Rows of `clips` to values; columns that an older file lacks take the field's default."""
    return [_clip(row) for row in table.to_pylist()]


def frame_rows(results: Iterable[ClipResult]) -> pa.Table:
    """The rows of `frames` of these results, in their order."""
    tables = [_frames_of_one(result) for result in results]  # one after the other: a ladder of films has 400,000 rows
    return pa.concat_tables(tables) if tables else FRAMES.empty_table()


def _frames_of_one(result: ClipResult) -> pa.Table:
    clip, n = result.clip, len(result.frames)
    columns: dict[str, Any] = {}
    for name in ("result_id", "path", "ladder", "display", "model", "model_sha256"):
        columns[name] = pa.repeat(pa.scalar(getattr(clip, name), pa.string()), n)
    for name in _FRAME_NAMES:
        columns[name] = [getattr(frame, name) for frame in result.frames]
    for name in ("pts_time", "score"):
        if not all(map(math.isfinite, columns[name])):
            raise ValueError(f"a frame's {name} is not a finite number")
    return pa.table(columns, schema=FRAMES)


def frames_of(table: pa.Table) -> list[FrameScore]:
    """Rows of `frames` to values, in the table's order."""
    columns = [table[name].to_pylist() for name in _FRAME_NAMES]
    return [FrameScore(*row) for row in zip(*columns, strict=True)]


def clip_json(clip: ClipScore) -> dict[str, object]:
    """The JSON object of one clip, as `--format json` prints it; what does not apply is None, never NaN."""
    clip = storable(clip)
    return {
        "type": "clip",
        "path": clip.path,
        "ladder": clip.ladder,
        "mode": clip.mode,
        "status": clip.status,
        "reason": clip.reason,
        "score": _finite(clip.score),
        "pools": {name: _finite(value) for name, value in clip.pools.items()} or None,
        "ci95": None if clip.ci95 is None else [_finite(bound) for bound in clip.ci95],
        "frames": clip.frames,
        "display": clip.display,
        "width": clip.width,
        "height": clip.height,
        "codec": clip.codec,
        "bitrate_kbps": _finite(clip.bitrate_kbps),
        "duration_s": _finite(clip.duration_s),
        "offset_frames": clip.offset_frames,
        "offset_s": _finite(clip.offset_s),
        "match_confidence": _finite(clip.match_confidence),
        "master_score": _finite(clip.master_score),
        "findings": [finding_json(finding) for finding in clip.findings],
        "model": clip.model,
        "model_sha256": clip.model_sha256,
    }


def finding_json(finding: Finding) -> dict[str, object]:
    """A finding as it stands in JSON and in a row of `clips`."""
    return {name: getattr(finding, name) for name in FINDING.names}


def upgraded(table: pa.Table) -> pa.Table:
    """A table of an older version as this version has it; columns that it lacks stay absent."""
    place = table.schema.get_field_index("findings")
    if place < 0 or table.schema.field(place).type != pa.list_(pa.string()):
        return table
    notes = [[finding_json(Finding(said)) for said in said_of] for said_of in table["findings"].to_pylist()]
    return table.set_column(place, "findings", pa.array(notes, pa.list_(FINDING)))


def _clip_row(clip: ClipScore) -> dict[str, object]:
    row: dict[str, object] = {f.name: getattr(clip, f.name) for f in fields(clip)}
    if clip.pools and (set(clip.pools) != set(POOLS) or not all(map(math.isfinite, clip.pools.values()))):
        raise ValueError(f"{clip.path}: a scored clip needs a finite number for each of {', '.join(POOLS)}")
    row |= {f.name: _finite(row[f.name]) for f in CLIPS if f.type == pa.float64() and f.name in row}
    return row | {
        "score": clip.score,
        "pools": clip.pools or None,
        "ci95": None if clip.ci95 is None else list(clip.ci95),
        "ci95_frames": None if clip.ci95_frames is None else list(clip.ci95_frames),
        "findings": [finding_json(finding) for finding in clip.findings],
        "moments": [asdict(moment) for moment in clip.moments],
        "declared": asdict(clip.declared),
        "measured_at": clip.measured_at or datetime.now(UTC),
        "schema_version": SCHEMA_VERSION,
    }


def _clip(row: dict[str, Any]) -> ClipScore:
    values = {name: value for name, value in row.items() if name in _CLIP_NAMES and value is not None}
    values["mode"] = row["mode"]
    values |= {name: _same(values[name]) for name in _REPEATED if name in values}
    values |= {name: tuple(values[name]) for name in ("ci95", "ci95_frames") if name in values}
    values["findings"] = tuple(_one(Finding(**{n: f[n] for n in FINDING.names})) for f in values.get("findings", ()))
    values["moments"] = tuple(Moment(**{n: m[n] for n in _MOMENT_NAMES}) for m in values.get("moments", ()))
    values["declared"] = _one(Declared(**values.get("declared", {})))
    return ClipScore(**values)


def _finite(value: Any) -> float | None:
    """Any real number (also NumPy's and Fraction) as a float; None where there is none."""
    return float(value) if value is not None and math.isfinite(value) else None
