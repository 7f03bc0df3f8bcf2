"""JUnit and OpenMetrics as their readers see them, and the gates of a pipeline."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from yoto_video.jobs import cli
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.monitoring import write_junit, write_openmetrics

from .synthetic_results import clips, scored, write


def test_junit_says_what_failed_and_why() -> None:
    file = io.StringIO()
    rows = [r.clip for r in clips()]
    write_junit(rows, {("/v/a/two.mp4", "fr"): "below 70: two"}, file)
    (suite,) = ElementTree.fromstring(file.getvalue())
    assert suite.attrib == {"name": "a", "tests": "5", "failures": "1", "errors": "1", "skipped": "1"}
    found = {case.get("name"): {child.tag: child.get("message") for child in case} for case in suite}
    assert found["/v/a/two.mp4 (FR)"]["failure"] == "below 70: two"
    assert found["/v/a/three.mp4 (not scored)"] == {"error": "the file is empty"}
    assert found["/v/a/four.m4a (not scored)"] == {"skipped": "audio only"}
    assert found["/v/a/one.mp4 (NR)"] == {"system-out": None}


def test_openmetrics_are_gauges_with_labels() -> None:
    file = io.StringIO()
    write_openmetrics([r.clip for r in clips()], file)
    families = {f.name: f.samples for f in text_string_to_metric_families(file.getvalue())}
    scores = {(s.labels["path"], s.labels["mode"]): s.value for s in families["yoto_video_score"]}
    assert scores == {(r.clip.path, r.clip.mode): r.clip.score for r in clips() if r.clip.status == "ok"}
    assert {s.labels["status"]: s.value for s in families["yoto_video_videos"]} == {"ok": 2, "skipped": 1, "failed": 1}
    assert families["yoto_video_bitrate_kbps"][0].value == 4321.0


def test_openmetrics_count_what_is_wrong_with_a_row() -> None:
    found = [("black", "warning"), ("black", "warning"), ("damaged", "error"), ("hdr", "info")]
    clip = replace(clips()[0].clip, findings=tuple(Finding("said", kind, severity) for kind, severity in found))
    file = io.StringIO()
    write_openmetrics([clip], file)
    families = {f.name: f.samples for f in text_string_to_metric_families(file.getvalue())}
    counts = {(s.labels["kind"], s.labels["severity"]): s.value for s in families["yoto_video_findings"]}
    assert counts == {("black", "warning"): 2, ("damaged", "error"): 1}


@given(st.text(min_size=1))
def test_any_name_stays_readable_xml_and_metrics(name: str) -> None:
    clip = replace(scored("/v/x.mp4", "x", "nr", 50, seconds=1).clip, path=f"/{name}", ladder=name)
    junit, metrics = io.StringIO(), io.StringIO()
    write_junit([clip], {(clip.path, "nr"): name}, junit)
    write_openmetrics([clip], metrics)
    (case,) = ElementTree.fromstring(junit.getvalue().encode("utf-8")).iter("testcase")
    assert len(case) == 2
    families = {f.name: f.samples for f in text_string_to_metric_families(metrics.getvalue())}
    (score,) = families["yoto_video_score"]
    assert score.labels["path"].startswith("/")


def test_export_writes_every_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(write(tmp_path / "out", [clips()]))
    assert cli.main(["export", out]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["path"], row["mode"]) for row in table][:2] == [("/v/a/four.m4a", ""), ("/v/a/one.mp4", "fr")]
    assert cli.main(["export", out, "--format", "frames", "--to", str(tmp_path / "f.csv")]) == 0
    assert len((tmp_path / "f.csv").read_text().splitlines()) == 1 + 3 * 40
    assert cli.main(["export", out, "--format", "libvmaf", "--to", str(tmp_path / "logs")]) == 0
    logs = {p.name: json.loads(p.read_text()) for p in (tmp_path / "logs").iterdir()}
    assert set(logs) == {"one.mp4.json", "two.mp4.json"}
    assert set(logs["one.mp4.json"]["pooled_metrics"]) == {"yoto_nr", "yoto_fr"}
    paths = [f"/v/{name}.mp4" for name in ("x/b", "y/b", "z/x_b", "é" * 124)]
    odd = str(write(tmp_path / "odd", [[scored(path, "odd", "nr", 50)] for path in paths]))
    assert cli.main(["export", odd, "--format", "libvmaf", "--to", str(tmp_path / "odd-logs")]) == 0
    assert len(list((tmp_path / "odd-logs").iterdir())) == len(paths)  # x/b and x_b have logs of their own
    assert cli.main(["export", out, "--format", "openmetrics"]) == 0
    assert capsys.readouterr().out.endswith("# EOF\n")
    xml = str(tmp_path / "q.xml")
    assert cli.main(["export", out, "--format", "junit", "--fail-under", "60", "--to", xml]) == 3
    assert "below 60: /v/a/two.mp4 (FR 48.7" in capsys.readouterr().err
    assert len(list(ElementTree.parse(xml).iter("failure"))) == 1
    assert cli.main(["export", out, "--format", "libvmaf"]) == 2
    assert "--to" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert cli.main(["export", out, "--to", str(tmp_path / "file" / "x.csv")]) == 2
    assert cli.main(["export", str(tmp_path / "logs")]) == 2


def test_an_export_of_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty, unscored = str(write(tmp_path / "empty", [])), str(write(tmp_path / "unscored", [clips()[-1:]]))
    for form in ("csv", "frames", "libvmaf", "junit", "openmetrics"):
        assert cli.main(["export", empty, "--format", form]) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("scan some videos first")) == ("", 1)
        assert cli.main(["export", unscored, "--format", form]) == (4 if form in ("frames", "libvmaf") else 0)
        assert ("no video in these results has a score" in capsys.readouterr().err) == (form in ("frames", "libvmaf"))
        assert cli.main(["export", unscored, "--format", form, "--fail-under", "1"]) == 4  # as of scan
        capsys.readouterr()
