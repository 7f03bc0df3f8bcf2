"""The three Parquet data sets, and the only place where their rows become values and values become rows.

    clips    one row per video and mode, also for what could not be scored; a row here says that a result is complete
    frames   one row per judged frame and mode; every pool of `clips` can be computed again from these
    runs     one row per scan

docs/schema.md says the same in prose; a test keeps the two equal. Reading is tolerant towards older files (a column
they lack is null), SCHEMA_VERSION is raised when a column changes its name, type or meaning.
"""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pyarrow as pa

from .pool import POOLS
from .values import ClipResult, ClipScore, Declared, Finding, FrameScore, Moment, RunRow

SCHEMA_VERSION = 2  # 2: findings are structs, were sentences

_TEXT, _REAL, _WHOLE, _FLAG = pa.string(), pa.float64(), pa.int64(), pa.bool_()
_TIME = pa.timestamp("us", tz="UTC")
_POOLS = pa.struct([pa.field(name, _REAL) for name in POOLS])
_DECLARED = pa.struct(
    [
        pa.field("width", _WHOLE),
        pa.field("height", _WHOLE),
        pa.field("bitrate_kbps", _REAL),
        pa.field("codec", _TEXT),
        pa.field("crf", _REAL),
        pa.field("fps", _REAL),
        pa.field("duration_s", _REAL),
    ]
)
_FINDING = pa.struct(
    [
        pa.field("kind", _TEXT),
        pa.field("severity", _TEXT),
        pa.field("start_s", _REAL),
        pa.field("end_s", _REAL),
        pa.field("sentence", _TEXT),
    ]
)
_MOMENT = pa.struct(
    [
        pa.field("frame_num", _WHOLE),
        pa.field("pts_time", _REAL),
        pa.field("score", _REAL),
        pa.field("encode", _TEXT),
        pa.field("heat_map", _TEXT),
        pa.field("reference", _TEXT),
    ]
)


def _schema(data_set: str, columns: Iterable[tuple[str, pa.DataType, str]]) -> pa.Schema:
    """A schema whose columns carry their description; one that ends with "!" is never null."""
    made = [
        pa.field(name.rstrip("!"), kind, nullable=not name.endswith("!"), metadata={"description": said})
        for name, kind, said in columns
    ]
    return pa.schema(made, metadata={"yoto_video_data_set": data_set, "schema_version": str(SCHEMA_VERSION)})


FRAMES = _schema(
    "frames",
    [
        ("result_id!", _TEXT, "the result this frame belongs to: clips.result_id"),
        ("path!", _TEXT, "the video: absolute path, URI, or MANIFEST#REPRESENTATION"),
        ("ladder!", _TEXT, "the ladder the video is in"),
        ("mode!", _TEXT, "nr (no reference) or fr (compared with the ladder's master)"),
        ("frame_num!", _WHOLE, "position in presentation order in the whole video, from 0"),
        ("pts_time!", _REAL, "presentation time, seconds from the video's first frame"),
        ("score!", _REAL, "0 to 100, higher is better"),
        ("shot", _WHOLE, "number of its shot, from 0: cuts between sampled frames up to it; null in older results"),
        ("display", _TEXT, "raster the frame was judged at, WIDTHxHEIGHT"),
        ("model", _TEXT, "name of the network"),
        ("model_sha256", _TEXT, "sha256 of its weights"),
    ],
)

CLIPS = _schema(
    "clips",
    [
        ("path!", _TEXT, "the video: absolute path, URI, or MANIFEST#REPRESENTATION"),
        ("ladder!", _TEXT, "the ladder the video is in"),
        ("mode", _TEXT, "nr (no reference) or fr (compared with the master); null: could not be scored in any mode"),
        ("status!", _TEXT, "ok, skipped (nothing there to score) or failed"),
        ("reason", _TEXT, "why it was skipped or failed, one sentence"),
        ("score", _REAL, "0 to 100, higher is better; the same as pools.mean; null unless ok"),
        ("pools", _POOLS, "every pool over the frames' scores, by name; null unless ok"),
        ("ci95", pa.list_(_REAL), "95 % confidence interval of score from the spread of its frames: [low, high]"),
        ("frames!", _WHOLE, "number of judged frames: rows in frames"),
        ("display", _TEXT, "raster the frames were judged at, WIDTHxHEIGHT"),
        ("width", _WHOLE, "pixels, as shown: after rotation and sample aspect ratio"),
        ("height", _WHOLE, "pixels, as shown"),
        ("fps", _REAL, "average frames a second; null for a still picture"),
        ("codec", _TEXT, "h264, hevc, vp9, av1, ... (FFmpeg's names)"),
        ("bitrate_kbps", _REAL, "of the video track, measured from its packets; kilobit (1000 bit) a second"),
        ("duration_s", _REAL, "of the video track, seconds"),
        ("is_master!", _FLAG, "true for the ladder's source master"),
        ("reference", _TEXT, "path of the master it was compared with (fr)"),
        ("offset_frames", _WHOLE, "offset_s in frames of the reference"),
        ("offset_s", _REAL, "reference time minus this video's time of a matching pair, seconds (fr)"),
        ("master_score", _REAL, "score of the master by itself, nr (fr): tells a bad source from a bad encode"),
        ("findings!", pa.list_(_FINDING), "what is worth knowing beside the score; times are null for the whole video"),
        ("match_confidence", _REAL, "of the offset, 0 to 1 (fr); null: nothing in the pictures to tell it by"),
        ("rate_ratio", _REAL, "seconds of the master in a second of this video: 1 at equal speed (fr)"),
        ("matched_frames", _WHOLE, "sampled frames of the master with a counterpart in this video (fr)"),
        ("unpaired_frames", _WHOLE, "sampled frames of the master without one (fr)"),
        ("moments!", pa.list_(_MOMENT), "worst frames kept for the report; pictures are paths relative to the folder"),
        ("declared!", _DECLARED, "what its name or manifest says of it; null what it does not say"),
        ("model", _TEXT, "name of the network"),
        ("model_sha256", _TEXT, "sha256 of its weights"),
        ("result_id!", _TEXT, "identifies content, model and settings: equal ids, equal scores"),
        ("content_id!", _TEXT, "identifies the file's bytes; empty when they could not be read"),
        ("retryable!", _FLAG, "failed for a reason that may pass: the next scan tries again"),
        ("depth", _TEXT, "how hard it was looked at: full; first or none by a scan with --budget; null: full"),
        ("measured_at!", _TIME, "when the result was committed, UTC"),
        ("schema_version!", pa.int32(), "version of this table"),
    ],
)

RUNS = _schema(
    "runs",
    [
        ("run_id!", _TEXT, "identifies the run"),
        ("started_at!", _TIME, "UTC"),
        ("finished_at!", _TIME, "UTC"),
        ("command!", _TEXT, "the command line, or the call"),
        ("version!", _TEXT, "of yoto-video"),
        ("settings!", _TEXT, "what was asked for, as a JSON object, and `engine`: what ran the network's encoder"),
        ("ok!", _WHOLE, "rows of clips with this status that the run measured or found"),
        ("skipped!", _WHOLE, "the same"),
        ("failed!", _WHOLE, "the same"),
        ("reused!", _WHOLE, "of these, rows that an earlier run had measured"),
        ("seconds!", pa.map_(_TEXT, _REAL), "time spent, by stage; summed over workers"),
        ("frames", _WHOLE, "frames that went through the network"),
        ("model", _TEXT, "name of the network"),
        ("model_sha256", _TEXT, "sha256 of its weights"),
        ("bytes_read", _WHOLE, "read from object stores; null where the videos are in none"),
        ("bytes_stored", _WHOLE, "of the videos there: what the scan went without is the difference"),
        ("schema_version!", pa.int32(), "version of this table"),
    ],
)

_CLIP_NAMES = {f.name for f in fields(ClipScore)}
_FRAME_NAMES = [f.name for f in fields(FrameScore)]
_MOMENT_NAMES = [f.name for f in fields(Moment)]
_REPEATED = ("mode", "status", "display", "codec", "depth", "model", "model_sha256")  # of `clips`: few texts, many rows
_Part = TypeVar("_Part", Finding, Declared)


def plain(text: str) -> str:
    """Text that UTF-8 can hold. Bytes of a file name that are no UTF-8 (Linux allows them) are shown as \\udcXX."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


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


def clip_json(clip: ClipScore) -> dict[str, object]:
    """The JSON object of one clip, with exactly the keys of conventions.md; what does not apply is None, never NaN."""
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
    return {name: getattr(finding, name) for name in _FINDING.names}


def upgraded(table: pa.Table) -> pa.Table:
    """A table of an older version as this version has it; columns that it lacks stay absent."""
    place = table.schema.get_field_index("findings")
    if place < 0 or table.schema.field(place).type != pa.list_(_TEXT):
        return table
    notes = [[finding_json(Finding(said)) for said in said_of] for said_of in table["findings"].to_pylist()]
    return table.set_column(place, "findings", pa.array(notes, pa.list_(_FINDING)))


def _clip_row(clip: ClipScore) -> dict[str, object]:
    row: dict[str, object] = {f.name: getattr(clip, f.name) for f in fields(clip)}
    if clip.pools and (set(clip.pools) != set(POOLS) or not all(map(math.isfinite, clip.pools.values()))):
        raise ValueError(f"{clip.path}: a scored clip needs a finite number for each of {', '.join(POOLS)}")
    row |= {f.name: _finite(row[f.name]) for f in CLIPS if f.type == _REAL and f.name in row}
    return row | {
        "score": clip.score,
        "pools": clip.pools or None,
        "ci95": None if clip.ci95 is None else list(clip.ci95),
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
    if "ci95" in values:
        values["ci95"] = tuple(values["ci95"])
    values["findings"] = tuple(_one(Finding(**{n: f[n] for n in _FINDING.names})) for f in values.get("findings", ()))
    values["moments"] = tuple(Moment(**{n: m[n] for n in _MOMENT_NAMES}) for m in values.get("moments", ()))
    values["declared"] = _one(Declared(**values.get("declared", {})))
    return ClipScore(**values)


def _finite(value: Any) -> float | None:
    """Any real number (also NumPy's and Fraction) as a float; None where there is none."""
    return float(value) if value is not None and math.isfinite(value) else None
