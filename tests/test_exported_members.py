"""The public surface, pinned: what users and other programs hold on to changes only on purpose."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest
import yoto_video
from yoto_video.jobs.request import ScanResult
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipScore, Moment

SETTINGS = {
    "model": "yoto_mobilenetv2",
    "fps": 2.0,
    "min_frames": 8,
    "display": None,
    "decoder": "pyav",
    "device": "auto",
    "crops": 6,
    "worst_frames": 2,
    "decode_timeout_s": 60.0,
    "seed": 0,
    "time_limit_s": 3600.0,
    "memory_limit_mb": 4096,
    "compare": True,
}


def test_the_package_exports_two_functions() -> None:
    assert yoto_video.__all__ == ["scan", "score"]
    for name in yoto_video.__all__:
        function = getattr(yoto_video, name)
        assert callable(function)
        assert "Returns:" in (function.__doc__ or "")
    with pytest.raises(AttributeError, match="no attribute 'scam'"):
        yoto_video.scam  # noqa: B018


def test_shells_complete_them_before_their_first_use() -> None:
    assert {"scan", "score", "__version__"} <= set(dir(yoto_video))


def test_what_score_takes() -> None:
    parameters = inspect.signature(yoto_video.score).parameters
    assert list(parameters) == ["path", "reference", "settings"]
    assert parameters["reference"].default is None


def test_what_scan_takes() -> None:
    parameters = inspect.signature(yoto_video.scan).parameters
    defaults = {name: p.default for name, p in parameters.items() if p.default is not p.empty}
    assert next(iter(parameters)) == "path"
    assert defaults == {
        "out": "yoto-out",
        "reference": None,
        "mapping": None,
        "resume": True,
        "workers": None,
        "address": None,
        "budget": None,
    }
    assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in list(defaults)[1:])


def test_the_settings_and_their_defaults() -> None:
    assert {field.name: field.default for field in fields(Settings)} == SETTINGS


def test_what_comes_back() -> None:
    promised = {
        *("path", "ladder", "mode", "status", "reason", "pools", "ci95", "frames", "display", "width", "height"),
        *("codec", "bitrate_kbps", "duration_s", "offset_frames", "offset_s", "match_confidence", "findings"),
        *("master_score", "declared", "sentences", "ci95_frames"),
        *("fps", "is_master", "reference", "moments", "model", "model_sha256"),
    }
    assert promised <= {field.name for field in fields(ClipScore)} | {"sentences"}
    assert [field.name for field in fields(Finding)] == ["sentence", "kind", "severity", "start_s", "end_s"]
    assert isinstance(ClipScore.score, property)
    assert [field.name for field in fields(Moment)][:3] == ["frame_num", "pts_time", "score"]
    answers = {field.name for field in fields(ScanResult)} | {"ok", "skipped", "failed"}
    assert {"out", "report", "clips", "seconds", "ok", "skipped", "failed"} <= answers
