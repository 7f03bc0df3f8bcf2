"""Other measures' logs: each form is read, each log finds its encode, and the map is monotone and honest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.jobs import cli
from yoto_video.pipeline.errors import UsageError
from yoto_video.reports.imports import read_imports
from yoto_video.reports.metric_maps import _knots, _through

from .test_compare import encodes, side


def libvmaf(scores: list[float]) -> dict[str, Any]:
    """As vmaf 3 writes it with --json."""
    rest = {"integer_adm2": 0.9, "float_ssim": 0.98, "psnr_y": 40.0, "psnr_cb": 44.0}
    rest |= {"VMAF_integer_feature_motion_sad_score": 3.0, "VMAF_feature_motion2_score": 3.0}
    frames = [{"frameNum": i, "metrics": {"vmaf": s, **rest}} for i, s in enumerate(scores)]
    pooled = {"vmaf": {"min": min(scores), "max": max(scores), "mean": float(np.mean(scores)), "harmonic_mean": 1.0}}
    return {"version": "3.0.0", "fps": 30.0, "frames": frames, "pooled_metrics": pooled, "aggregate_metrics": {}}


def test_each_form_is_read(tmp_path: Path) -> None:
    (tmp_path / "a_500k.mp4.vmaf.json").write_text(json.dumps(libvmaf([80.0, 90.0])))
    quality_metrics = {
        "vmaf": [{"n": 1, "vmaf": 70.0, "integer_motion": 2.0}, {"n": 2, "vmaf": 72.0, "integer_motion": 2.0}],
        "psnr": [{"n": 1, "mse_avg": 3.0, "psnr_avg": 41.0, "psnr_u": 45.0}],
        "global": {"vmaf": {"vmaf": {"average": 71.0, "median": 71.0}}, "psnr": {"psnr_avg": {"average": 41.0}}},
        "input_file_dist": "/enc/b_500k.mp4", "input_file_ref": "/m/b.mov",
    }  # fmt: skip
    (tmp_path / "b.json").write_text(json.dumps(quality_metrics))
    (tmp_path / "c_500k_VMAF.csv").write_text("Display_ID,Value\n0,60.5\n1,61.5\nAverage,61.0\nMin,60.5\nMax,61.5\n")
    (tmp_path / "c_500k_PSNR_HVS.csv").write_text("Display_ID,Value\n0,38\n1,40\n")
    found = {(one.video.rsplit("/", 1)[-1], one.metric): one.score for one in read_imports([str(tmp_path)])}
    assert found == pytest.approx({
        ("a_500k.mp4", "vmaf"): 85, ("a_500k.mp4", "ssim"): 0.98, ("a_500k.mp4", "psnr_y"): 40,
        ("b_500k.mp4", "vmaf"): 71, ("b_500k.mp4", "psnr"): 41, ("c_500k", "vmaf"): 61, ("c_500k", "psnr_hvs"): 39,
    })  # fmt: skip


def test_every_variant_of_vmaf_is_a_measure_and_what_it_is_made_of_is_none(tmp_path: Path) -> None:
    measures = ("vmaf", "vmaf_neg", "vmaf_4k", "vmaf_phone", "vmaf_bagging", "vmaf_v0.6.1neg", "psnr_hvs")
    parts = (
        "VMAF_integer_feature_motion_sad_score",
        "VMAF_integer_feature_adm2_score",
        "vmaf_motion",
        "integer_motion",
    )
    log = {"pooled_metrics": {name: {"mean": 50.0} for name in (*parts, *measures)}}
    (tmp_path / "a.json").write_text(json.dumps(log))
    assert tuple(one.metric for one in read_imports([str(tmp_path)])) == measures


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.json", "{"), ("x.json", "[]"), ("x.json", '{"frames": [{"frameNum": 0}]}'), ("x.json", '{"frames": 3}'),
        ("x_VMAF.csv", "path,seconds\na,3\n"), ("x.csv", "0,90\n"), ("x.json", '{"global": {"vmaf": 3}}'),
        ("x_VMAF.csv", "0,much\n"), ("x_VMAF.csv", "0,nan\n"), ("x_VMAF.csv", "0," + "9" * 200_000 + "\n"),
        ("x.json", '{"frames":' + "[" * 100_000),
    ],
)  # fmt: skip
def test_what_is_no_log_is_refused_by_name(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=name):
        read_imports([str(tmp_path / name)])


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=4, max_size=30), st.booleans())
def test_the_map_goes_one_way_and_stays_in_range(pairs: list[tuple[float, float]], rising: bool) -> None:
    x, y = (np.round(np.array(v), 3) for v in zip(*pairs, strict=True))
    if len(np.unique(x)) < 2:
        return
    curve = _through(_knots(x, y, rising))(np.linspace(x.min(), x.max(), 200))
    assert ((np.diff(curve) if rising else -np.diff(curve)) >= -1e-9).all()
    assert y.min() - 1e-9 <= curve.min()
    assert curve.max() <= y.max() + 1e-9


def test_thresholds_are_carried_over_to_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """VMAF here is ours, stretched: the map has to say so."""
    a = side(tmp_path / "old", *(encodes("old", t) for t in ("sea", "city", "forest")))
    b = side(tmp_path / "new", *(encodes("new", t, saves=0.3) for t in ("sea", "city", "forest")))
    logs = tmp_path / "logs"
    from yoto_video.reports.results import load

    for label, folder in (("old", a), ("new", b)):
        (logs / label).mkdir(parents=True)
        for clip in load(folder).fleet.clips:
            ours = clip.score("fr") or 0
            (logs / label / f"{Path(clip.path).stem}.json").write_text(json.dumps(libvmaf([ours * 1.2, ours * 1.2])))
    for name in ("lonely.json", "sea_250k.1080p.json"):  # the latter is of no sea_250k.mp4
        (logs / name).write_text(json.dumps(libvmaf([50.0])))
    words = ["compare", a, b, "--out", str(tmp_path / "out"), "--import", str(logs)]
    assert cli.main(words) == 0
    page = (tmp_path / "out" / "compare" / "index.html").read_text(encoding="utf-8")
    for name in ("lonely", "sea_250k.1080p"):
        assert f"{name}.json: there is no encode of this name" in page
    assert "VMAF beside ours" in page
    table = page.split('aria-label="Thresholds"')[1].split("</table>")[0]
    row = table.split('<td class="num">60.0</td>')[1]
    assert float(row.split("<b>")[1].split("<")[0]) == pytest.approx(50, abs=0.6)
    said = capsys.readouterr()
    fits = "--import: 30 of 32 logs are of 30 of the 30 encodes compared (lonely.json: there is no encode of this name"
    assert f"{fits}, and 1 more)" in said.err

    assert cli.main([*words, "--format", "json"]) == 0
    *_, last, summary = lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (last["type"], summary["type"]) == ("map", "summary")
    (vmaf,) = (line for line in lines if line.get("metric") == "vmaf")
    assert list(vmaf) == ["type", "metric", "mode", "encodes", "srocc", "rmse", "thresholds", "knots"]
    assert (vmaf["mode"], vmaf["encodes"]) == ("fr", 30)
    at_60 = next(row for row in vmaf["thresholds"] if row["theirs"] == 60)
    assert at_60["ci95"][0] <= at_60["ours"] <= at_60["ci95"][1]
    assert at_60["ours"] == pytest.approx(50, abs=0.6)


def test_one_encode_has_no_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (side(tmp_path / label, encodes(label, "sea", saves=s)) for label, s in (("old", 0.0), ("new", 0.3)))
    log = tmp_path / "old" / "sea_500k.json"
    log.write_text(json.dumps(libvmaf([50.0])))
    assert cli.main(["compare", a, b, "--out", str(tmp_path / "out"), "--import", str(log)]) == 0
    page = (tmp_path / "out" / "compare" / "index.html").read_text(encoding="utf-8")
    assert "vmaf: 1 encode has it, a map needs at least four that differ" in page


def test_logs_of_other_videos_are_said_to_fit_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (side(tmp_path / label, encodes(label, "sea", saves=s)) for label, s in (("old", 0.0), ("new", 0.3)))
    (tmp_path / "lonely.json").write_text(json.dumps(libvmaf([50.0])))
    words = ["compare", a, b, "--out", str(tmp_path / "out"), "--import", str(tmp_path / "lonely.json")]
    assert cli.main([*words, "--format", "json"]) == 0
    said = capsys.readouterr()
    none = "--import: none of 1 log is of an encode that was compared (lonely.json: there is no encode of this name)"
    assert none in said.err
    assert '"map"' not in said.out
