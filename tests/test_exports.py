"""Exports: libvmaf's layout as its readers expect it, CSV as spreadsheets and pandas do."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from yoto_video.pipeline.exports import (
    CLIP_COLUMNS,
    libvmaf_json,
    write_clips_csv,
    write_frames_csv,
    write_libvmaf_json,
)
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.pool import ci95, pool
from yoto_video.pipeline.schema import FRAMES
from yoto_video.pipeline.values import ClipResult, ClipScore, FrameScore, Mode


def result(mode: Mode, scores: dict[int, float], path: str = "/v/a, b.mp4", **changes: Any) -> ClipResult:
    frames = tuple(FrameScore(number, number / 25, score, mode) for number, score in scores.items())
    values = list(scores.values())
    clip = ClipScore(
        path, "v/a", mode, "ok", pools=pool([f.pts_time for f in frames], values), ci95=ci95(values),
        frames=len(frames), fps=25.0, result_id=f"id-{mode}", **changes,
    )  # fmt: skip
    return ClipResult(clip, frames)


NR = result("nr", {0: 80.0, 12: 70.0, 30: 60.0})
FR = result("fr", {0: 90.0, 30: 0.0})
FAILED = ClipScore("/v/x.mp4", "v/x", None, "failed", 'the file says "no", and ends')


def test_libvmaf_layout() -> None:
    log = libvmaf_json([FR, NR])
    assert log["frames"] == [
        {"frameNum": 0, "metrics": {"yoto_nr": 80.0, "yoto_fr": 90.0}},
        {"frameNum": 12, "metrics": {"yoto_nr": 70.0}},
        {"frameNum": 30, "metrics": {"yoto_nr": 60.0, "yoto_fr": 0.0}},
    ]
    assert log["fps"] == 25.0
    pooled = log["pooled_metrics"]
    assert set(pooled) == {"yoto_nr", "yoto_fr"}
    assert pooled["yoto_fr"] == pytest.approx({"min": 0, "max": 90, "mean": 45, "harmonic_mean": 2 / (1 + 1 / 91) - 1})


def test_what_reads_libvmaf_reads_ours() -> None:
    """The walk of ffmpeg-quality-metrics and of many scripts: frames, their metrics, pooled_metrics by name."""
    file = io.StringIO()
    write_libvmaf_json([NR], file)
    log = json.loads(file.getvalue())
    series = [frame["metrics"]["yoto_nr"] for frame in sorted(log["frames"], key=lambda f: f["frameNum"])]
    assert sum(series) / len(series) == pytest.approx(log["pooled_metrics"]["yoto_nr"]["mean"])
    assert min(series) == log["pooled_metrics"]["yoto_nr"]["min"]


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ([], "nothing was scored"),
        ([ClipResult(FAILED)], "nothing was scored"),
        ([NR, NR], "each mode once"),
        ([NR, result("fr", {0: 1.0}, path="/v/other.mp4")], "one video"),
    ],
)
def test_one_log_is_one_video(results: list[ClipResult], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        libvmaf_json(results)


def test_frames_csv_is_tidy() -> None:
    file = io.StringIO(newline="")
    assert write_frames_csv([NR, ClipResult(FAILED), FR], file) == 5
    table = pd.read_csv(io.StringIO(file.getvalue()))
    assert list(table.columns) == FRAMES.names
    assert table[table["mode"] == "nr"]["score"].tolist() == [80.0, 70.0, 60.0]
    assert set(table["path"]) == {"/v/a, b.mp4"}
    assert table.groupby("mode")["score"].mean().to_dict() == {"fr": 45.0, "nr": 70.0}


def test_clips_csv_keeps_commas_and_empties() -> None:
    file = io.StringIO(newline="")
    noted = result("nr", {0: 100 / 3}, findings=(Finding("one, with a comma"), Finding("two")), width=1920)
    assert write_clips_csv([noted.clip, FAILED], file) == 2
    table = pd.read_csv(io.StringIO(file.getvalue()))
    assert tuple(table.columns) == CLIP_COLUMNS
    ok, failed = table.to_dict("records")
    assert ok["score"] == ok["mean"] == ok["worst_second"] == 100 / 3
    assert ok["findings"] == "one, with a comma; two"
    assert failed["reason"] == 'the file says "no", and ends'
    assert pd.isna(failed["score"])
    assert pd.isna(ok["ci95_low"])  # one frame


def test_no_name_becomes_a_formula() -> None:
    file = io.StringIO(newline="")
    names = ["=1+1", "+cmd", "-x", "@sum", "\t=1", "-12.5", "film"]
    noted = [result("nr", {0: -0.5}, path=f"/v/{i}", codec=name).clip for i, name in enumerate(names)]
    write_clips_csv([replace(clip, ladder=name, offset_s=-1.5) for clip, name in zip(noted, names, strict=True)], file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    shown = ["'=1+1", "'+cmd", "'-x", "'@sum", "'\t=1", "-12.5", "film"]
    assert [row["ladder"] for row in rows] == [row["codec"] for row in rows] == shown
    assert {(row["score"], row["offset_s"]) for row in rows} == {("-0.5", "-1.5")}  # numbers stay numbers


def test_no_clips_give_a_header() -> None:
    file = io.StringIO(newline="")
    assert write_clips_csv([], file) == 0
    assert file.getvalue() == ",".join(CLIP_COLUMNS) + "\n"
