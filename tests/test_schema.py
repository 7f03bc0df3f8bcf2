"""Rows and values are the same thing, the JSON has the agreed keys, and the documentation says what the code does."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.pipeline.convert import (
    clip_json,
    clip_rows,
    clips_of,
    finding_json,
    frame_rows,
    frames_of,
    storable,
    upgraded,
)
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.pool import POOLS
from yoto_video.pipeline.runs import RunRow, run_rows, runs_of
from yoto_video.pipeline.schema import CLIPS, FRAMES, RUNS, SCHEMA_VERSION
from yoto_video.pipeline.values import ClipResult, ClipScore, Declared, FrameScore, Moment

# In this order: other programs read these.
JSON_KEYS = [
    *("type", "path", "ladder", "mode", "status", "reason", "score", "pools", "ci95", "frames", "display", "width"),
    *("height", "codec", "bitrate_kbps", "duration_s", "offset_frames", "offset_s", "match_confidence"),
    *("master_score", "findings", "model", "model_sha256"),
]

quick = settings(deadline=None, max_examples=60)  # shared machines stall now and then
text = st.text(st.characters(codec="utf-8"), max_size=20)
number = st.floats(allow_nan=False, allow_infinity=False)
score = st.floats(0, 100)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


findings = st.builds(Finding, text, text, st.sampled_from(["info", "warning", "error"]), *[st.none()] * 2) | st.builds(
    Finding, text, text, st.just("info"), number, number
)
moments = st.builds(Moment, st.integers(0, 2**40), number, score, text, text, maybe(text))
common = {
    "path": text.filter(bool),
    "ladder": text,
    "is_master": st.booleans(),
    "display": maybe(text),
    "width": maybe(st.integers(1, 2**20)),
    "height": maybe(st.integers(1, 2**20)),
    "fps": maybe(number),
    "codec": maybe(text),
    "bitrate_kbps": maybe(number),
    "duration_s": maybe(number),
    "reference": maybe(text),
    "offset_frames": maybe(st.integers(-(2**40), 2**40)),
    "offset_s": maybe(number),
    "match_confidence": maybe(score),
    "master_score": maybe(score),
    "findings": st.lists(findings, max_size=3).map(tuple),
    "luma": maybe(number),
    "chroma": maybe(number),
    "moments": st.lists(moments, max_size=3).map(tuple),
    "declared": st.builds(
        Declared, *[maybe(st.integers(1, 2**20))] * 2, maybe(number), maybe(text), *[maybe(number)] * 3
    ),
    "model": maybe(text),
    "model_sha256": maybe(text),
    "result_id": text,
    "content_id": text,
    "retryable": st.booleans(),
    "measured_at": times,
}
scored = st.builds(
    ClipScore,
    status=st.just("ok"),
    mode=st.sampled_from(["nr", "fr"]),
    reason=maybe(text),
    pools=st.fixed_dictionaries(dict.fromkeys(POOLS, score)),
    ci95=maybe(st.tuples(score, score)),
    ci95_frames=maybe(st.tuples(score, score)),
    frames=st.integers(1, 10**9),
    **common,
)
unscored = st.builds(
    ClipScore,
    status=st.sampled_from(["skipped", "failed"]),
    mode=st.sampled_from(["nr", "fr", None]),
    reason=text.filter(bool),
    **common,
)


@quick
@given(st.lists(scored | unscored, max_size=4))
def test_clips_survive_the_round_trip(clips: list[ClipScore]) -> None:
    assert clips_of(clip_rows(clips)) == clips


@quick
@given(scored | unscored, st.lists(st.builds(FrameScore, st.integers(0, 2**40), number, number, st.just("nr"))))
def test_frames_survive_the_round_trip(clip: ClipScore, frames: list[FrameScore]) -> None:
    table = frame_rows([ClipResult(clip, tuple(frames))])
    assert frames_of(table) == frames
    for name in ("path", "ladder", "result_id", "display", "model", "model_sha256"):
        assert set(table[name].to_pylist()) <= {getattr(clip, name)}


@quick
@given(
    st.builds(
        RunRow,
        run_id=text,
        started_at=times,
        finished_at=times,
        command=text,
        version=text,
        settings=st.dictionaries(text, maybe(st.booleans() | st.integers() | number | text), max_size=3),
        ok=st.integers(0, 2**40),
        reused=st.integers(0, 2**40),
        seconds=st.dictionaries(text, number, max_size=3),
        model=maybe(text),
    )
)
def test_runs_survive_the_round_trip(run: RunRow) -> None:
    assert runs_of(run_rows([run])) == [run]


@quick
@given(scored | unscored)
def test_json_has_exactly_the_agreed_keys_and_no_nan(clip: ClipScore) -> None:
    found = clip_json(clip)
    assert list(found) == JSON_KEYS
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["score"] == clip.pools.get("mean")
    if clip.status != "ok":
        assert found["score"] is None
        assert found["pools"] is None


def test_json_names_are_columns_of_clips() -> None:
    assert set(JSON_KEYS) - {"type"} <= set(CLIPS.names)
    assert {f.name for f in fields(ClipScore)} < set(CLIPS.names)


def example(**changes: object) -> ClipScore:
    clip = ClipScore("/a/b.mp4", "a/b", "nr", "ok", pools=dict.fromkeys(POOLS, 50.0), frames=3, result_id="r")
    return replace(clip, **changes)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_pool_that_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"/a/b\.mp4: .*finite"):
        clip_rows([example(pools=dict.fromkeys(POOLS, 50.0) | {"p5": bad})])
    with pytest.raises(ValueError, match="finite"):
        frame_rows([ClipResult(example(), (FrameScore(0, 0.0, bad, "nr"),))])


def test_a_missing_pool_is_refused() -> None:
    with pytest.raises(ValueError, match="hysteresis"):
        clip_rows([example(pools={"mean": 50.0})])


def test_an_unknown_measurement_is_null_not_nan() -> None:
    clip = example(bitrate_kbps=math.nan, duration_s=np.float32("inf"), fps=Fraction(30000, 1001))
    row = clip_rows([clip]).to_pylist()[0]
    assert row["bitrate_kbps"] is None
    assert row["duration_s"] is None
    assert row["fps"] == 30000 / 1001
    assert clip_json(clip)["bitrate_kbps"] is None
    json.dumps(clip_json(replace(clip, duration_s=np.float32(2.5))), allow_nan=False)


def test_a_file_name_that_is_no_utf8_is_shown_escaped() -> None:
    path = b"/a/caf\xe9.mp4".decode("utf-8", "surrogateescape")
    clip = storable(example(path=path, findings=(Finding(f"see {path}"),)))
    assert clip.path == "/a/caf\\udce9.mp4"
    assert clips_of(clip_rows([clip]))[0].sentences == ("see /a/caf\\udce9.mp4",)
    assert clip_json(example(path=path))["path"] == clip.path
    assert storable(clip) == clip
    assert storable(example(path="/a/café.mp4")).path == "/a/café.mp4"


def test_score_is_the_mean_and_null_without_one() -> None:
    failed = example(status="failed", mode=None, reason="truncated", pools={}, frames=0)
    rows = clip_rows([example(pools=dict.fromkeys(POOLS, 50.0) | {"mean": 61.5}), failed]).to_pylist()
    assert [row["score"] for row in rows] == [61.5, None]
    assert [row["mode"] for row in rows] == ["nr", None]
    assert rows[1]["pools"] is None
    assert rows[1]["findings"] == []


def test_older_files_lack_columns_and_still_read() -> None:
    table = clip_rows([example(findings=(Finding("a note"),))])
    older = table.drop_columns(["retryable", "content_id", "moments"])
    filled = pa.table(
        [older[f.name] if f.name in older.column_names else pa.nulls(1, f.type) for f in CLIPS],
        schema=pa.schema([f.with_nullable(True) for f in CLIPS]),
    )
    clip = clips_of(filled)[0]
    assert (clip.retryable, clip.content_id, clip.moments, clip.sentences) == (False, "", (), ("a note",))


def test_sentences_of_version_1_become_notes() -> None:
    table = clip_rows([example(), example(findings=(Finding("one"), Finding("two")))])
    place = table.schema.get_field_index("findings")
    older = table.set_column(place, "findings", pa.array([[], ["one", "two"]], pa.list_(pa.string())))
    assert [clip.findings for clip in clips_of(upgraded(older))] == [(), (Finding("one"), Finding("two"))]
    assert upgraded(table) is table


def test_a_finding_has_both_times_or_none() -> None:
    with pytest.raises(ValueError, match="both times or none"):
        Finding("half", start_s=1.0)
    assert finding_json(Finding("x", "black", "error", 0.0, 2.5)) == {
        "kind": "black", "severity": "error", "start_s": 0.0, "end_s": 2.5, "sentence": "x",
    }  # fmt: skip


def kind(type_: pa.DataType) -> str:
    """An Arrow type as docs/schema.md writes it."""
    if pa.types.is_struct(type_):
        return f"struct({', '.join(f'{f.name}: {kind(f.type)}' for f in type_)})"
    if pa.types.is_list(type_):
        return f"list of {kind(type_.value_type)}"
    if pa.types.is_map(type_):
        return f"map from {kind(type_.key_type)} to {kind(type_.item_type)}"
    if pa.types.is_timestamp(type_):
        return "timestamp"
    return str(type_)


def documented(schema: pa.Schema) -> str:
    lines = ["| column | type | null? | |", "| --- | --- | --- | --- |"]
    for f in schema:
        said = f.metadata[b"description"].decode()
        lines.append(f"| `{f.name}` | {kind(f.type)} | {'yes' if f.nullable else 'no'} | {said} |")
    return "\n".join(lines)


@pytest.mark.parametrize("schema", [CLIPS, FRAMES, RUNS], ids=["clips", "frames", "runs"])
def test_the_documentation_says_what_the_code_does(schema: pa.Schema, project_root: Path) -> None:
    page = (project_root / "docs" / "schema.md").read_text()
    name = schema.metadata[b"yoto_video_data_set"].decode()
    section = page.split(f"## `{name}`\n")[1].split("\n## ")[0]
    table = "\n".join([line for line in section.splitlines() if line.startswith("|")][: len(schema) + 2])
    assert table == documented(schema), f"docs/schema.md, {name}: write\n{documented(schema)}"
    assert f"Version {SCHEMA_VERSION}" in page
    assert int(schema.metadata[b"schema_version"]) == SCHEMA_VERSION
