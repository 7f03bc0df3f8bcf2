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
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult
from yoto_video.reports.drift import drift
from yoto_video.reports.results import load

from .synthetic_results import HOSTILE, result, run_row, scored, unscored, write


def clips() -> list[ClipResult]:
    return [
        scored("/v/a/one.mp4", "a", "nr", 60), scored("/v/a/one.mp4", "a", "fr", 70, seed=1),
        scored("/v/a/two.mp4", "a", "fr", 50, seed=2), unscored("/v/a/three.mp4", "a", "the file is empty"),
        unscored("/v/a/four.m4a", "a", "audio only", status="skipped"),
    ]  # fmt: skip


def lowered(results: list[ClipResult], points: float, **facts: object) -> list[ClipResult]:
    """The same, some points worse in every frame, as of another encode."""
    made = []
    for one in results:
        frames = tuple(replace(f, score=f.score - points) for f in one.frames)
        clip = replace(one.clip, result_id=f"{one.clip.result_id}x" if frames else "", **facts)  # type: ignore[arg-type]
        made.append(replace(result(clip, frames)) if frames else one)
    return made


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


def test_changes_are_told_with_a_test_and_gate_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = str(write(tmp_path / "before", [clips()]))
    same = str(write(tmp_path / "same", [clips()]))
    worse = str(write(tmp_path / "worse", [lowered(clips(), 3)]))
    gate = ["--baseline", before, "--max-regression"]
    assert cli.main(["export", same, *gate, "0", "--to", str(tmp_path / "x")]) == 4  # not all have a score
    assert cli.main(["export", worse, *gate, "4", "--to", str(tmp_path / "x")]) == 4
    assert cli.main(["export", worse, *gate, "2", "--to", str(tmp_path / "x")]) == 3
    said = capsys.readouterr().err
    assert said.count("worse than before by 3.0 points") == 2  # FR of each video: NR where there is no FR
    assert "/v/a/one.mp4 (FR 6" in said
    found = drift(load(worse), load(before))
    assert [c.difference for c in found.changes] == pytest.approx([-3, -3, -3])
    assert all(c.shown for c in found.changes)
    assert all(c.difference == 0 and not c.shown for c in drift(load(same), load(before)).changes)


def test_a_baseline_of_other_videos_passes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong path must not be a gate that is always open; what has gone since is said."""
    now = str(write(tmp_path / "now", [[scored("/v/a/one.mp4", "a", "nr", 60)]]))
    other = str(write(tmp_path / "other", [[scored("/w/b/six.mp4", "b", "nr", 60)]]))
    gate = ["--max-regression", "5", "--to", str(tmp_path / "x")]
    assert cli.main(["export", now, "--baseline", other, *gate]) == 3
    assert f"--baseline {other} has none of these videos" in capsys.readouterr().err
    both = [[scored(f"/v/a/{name}.mp4", "a", "nr", 60)] for name in ("one", "two")]
    more = str(write(tmp_path / "more", [[*both[0], *both[1]]]))
    assert cli.main(["export", now, "--baseline", more, *gate]) == 0
    assert "not among these results: 1 video of --baseline" in capsys.readouterr().err


def test_noise_is_no_regression_and_other_models_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same quality, other noise in every frame: the mean moves a little, the frames do not show it."""
    a = [scored("/v/a/one.mp4", "a", "nr", 60, seed=1, result_id="1")]
    b = [scored("/v/a/one.mp4", "a", "nr", 60, seed=5, result_id="2")]
    folders = [str(write(tmp_path / name, [rows])) for name, rows in (("a", a), ("b", b))]
    (change,) = drift(load(folders[1]), load(folders[0])).changes
    assert change.difference != 0
    assert not change.shown
    other = str(write(tmp_path / "other", [[ClipResult(replace(a[0].clip, model_sha256="9" * 64), a[0].frames)]]))
    gate = ["--baseline", folders[0], "--max-regression", "50"]
    assert cli.main(["export", other, *gate, "--to", str(tmp_path / "x")]) == 3
    assert "scored by another model" in capsys.readouterr().err


def test_a_gains_interval_reaches_below_nought(tmp_path: Path) -> None:
    """Differences are no scores, which end at 0."""
    old = scored("/v/a/one.mp4", "a", "nr", 60, seconds=2, result_id="1")
    better = tuple(replace(f, score=f.score + 6 * (i % 2)) for i, f in enumerate(old.frames))
    now = result(replace(old.clip, result_id="2"), better)
    folders = [str(write(tmp_path / name, [[one]])) for name, one in (("old", old), ("now", now))]
    (change,) = drift(load(folders[1]), load(folders[0])).changes
    assert change.interval is not None
    assert change.interval[0] < 0 < change.difference < change.interval[1]


def test_folders_that_moved_are_compared_by_place(tmp_path: Path) -> None:
    def at(root: str, mean: float) -> list[ClipResult]:
        return [scored(f"{root}/a/{n}.mp4", "a", "nr", mean, seed=3, result_id=f"{root}{n}") for n in ("one", "two")]

    before, now = write(tmp_path / "x", [at("/old", 60)]), write(tmp_path / "y", [at("/new/night", 55)])
    found = drift(load(str(now)), load(str(before)))
    assert [c.difference for c in found.changes] == pytest.approx([-5, -5], abs=0.01)
    for folder, root in ((before, "/old"), (now, "/new/night")):  # a new folder: now the roots that were scanned tell
        with Store(str(folder)) as store:
            store.commit_run(replace(run_row([]), run_id="z", settings={"root_path": root}))
    with Store(str(now)) as store:
        store.commit("b", [scored("/new/night/b/three.mp4", "b", "nr", 50)])
    found = drift(load(str(now)), load(str(before)))
    assert [c.difference for c in found.changes] == pytest.approx([-5, -5], abs=0.01)
    assert (found.new, found.gone) == (("b/three.mp4",), ())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--baseline", "before"], "go together"), (["--max-regression", "2"], "go together"),
        (["--baseline", "nowhere", "--max-regression", "2"], "--baseline"),
        (["--baseline", "out", "--max-regression", "2"], "give a copy"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["scan", "export"])
def test_a_wrong_gate_is_said_before_anything_is_done(
    command: str,
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "before", [clips()])
    write(tmp_path / "out", [clips()])
    first = ["scan", HOSTILE, "--out", "out"] if command == "scan" else ["export", "out"]
    assert cli.main([*first, *words]) == 2
    assert said in capsys.readouterr().err
