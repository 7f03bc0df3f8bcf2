"""Lint: what is wrong with a ladder is said, what is right is not, and gates end with 3."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.jobs import cli, commands
from yoto_video.jobs.output import print_scan_table
from yoto_video.jobs.request import Request
from yoto_video.jobs.scan import scan
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.pool import POOLS
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipResult, ClipScore, Declared, Mode
from yoto_video.reports import lint
from yoto_video.reports.lint import GAP, JND, RULES
from yoto_video.reports.lint_findings import UNTOLD
from yoto_video.reports.read import Fleet, gather
from yoto_video.reports.results import load

from .clips import make
from .fakes import FakeJudge
from .scene import scene
from .synthetic_results import unscored, write

RUNGS = [(426, 240, 300), (640, 360, 700), (960, 540, 1400), (1280, 720, 2600), (1920, 1080, 5200)]


def row(name: str, score: float, kbps: float, *, mode: Mode = "fr", half: float = 1.0, **facts: Any) -> ClipScore:
    """A scored encode whose interval reaches `half` points to both sides."""
    pools = dict.fromkeys(POOLS, score) | {"worst_second": score - facts.pop("drop", 0.0)}
    known: dict[str, Any] = {"width": 1920, "height": 1080, "codec": "h264", "duration_s": 60.0, "fps": 25.0}
    known |= {"pools": pools, "ci95": (score - half, score + half), "frames": 1, "display": "1920x1080"}
    return ClipScore(f"/v/{name}", "l", mode, "ok", bitrate_kbps=kbps, **known | facts)


def ladder(*scores: float, **facts: Any) -> Fleet:
    """Rungs of these scores, at the usual sizes and rates."""
    rungs = zip(RUNGS, scores, strict=False)
    return gather([row(f"{h}p.mp4", s, k, width=w, height=h, **facts) for (w, h, k), s in rungs])


def rules(fleet: Fleet) -> list[str]:
    return [issue.rule for issue in lint.check(fleet)]


def test_a_sound_ladder_has_nothing_wrong() -> None:
    assert rules(ladder(30, 45, 60, 72, 84)) == []
    assert rules(ladder()) == []
    assert rules(ladder(50)) == []


def test_a_dearer_rung_that_looks_worse_is_an_inversion_beyond_its_interval_only() -> None:
    (issue,) = lint.check(ladder(30, 45, 60, 50, 72))
    assert (issue.rule, issue.severity, issue.paths) == ("inversion", "error", ("/v/720p.mp4", "/v/540p.mp4"))
    assert issue.points == 10
    assert "720p.mp4 (2,600 kbit/s) looks worse than 540p.mp4 (1,400 kbit/s), 10.0 points of FR" in issue.sentence
    assert rules(ladder(30, 45, 60, 50, 72, half=6.0)) == ["redundant"]  # one cannot tell


def test_a_rate_that_a_label_ends_with_is_not_said_again() -> None:
    """Renditions of a manifest with two codecs in each size are called by name, size and rate."""
    rungs = [(216, 253, 10.0), (360, 700, 40.0), (720, 2600, 42.0), (1080, 5200, 30.0)]
    rows = [
        row(f"m.mpd#{codec}/{h}p", s, k * share, width=h * 16 // 9, height=h, codec=codec)
        for codec, share in (("avc", 1.0), ("hevc", 0.6))
        for h, k, s in rungs
    ]
    said = [issue.sentence for issue in lint.check(gather(rows))]
    assert any("from avc/216p 384×216 253 kbit/s to avc/360p 640×360 700 kbit/s FR leaps by 30" in s for s in said)
    assert any(s.startswith("avc/1080p 1920×1080 5,200 kbit/s looks worse than avc/720p 1280×720 2,600") for s in said)
    assert not any("kbit/s)" in s for s in said)


def test_rungs_are_told_apart_by_their_frames_alone() -> None:
    """All of them are judged at the same places: what these leave to chance is no doubt about their order."""
    rungs = zip(RUNGS, (30, 45, 60, 50, 72), strict=True)
    rows = [row(f"{h}p.mp4", s, k, half=8.0, ci95_frames=(s - 1, s + 1), height=h) for (_, h, k), s in rungs]
    assert rules(gather(rows)) == ["inversion"]


def test_redundant_rungs_and_gaps() -> None:
    (issue,) = lint.check(ladder(30, 45, 48, 60, 72))
    assert (issue.rule, issue.paths) == ("redundant", ("/v/540p.mp4", "/v/360p.mp4"))
    assert "buys +3.0 points of FR over 360p.mp4 (700 kbit/s), and +3.0 in the worst second: less" in issue.sentence
    hard = [row("low.mp4", 70, 1000, drop=20.0), row("high.mp4", 72, 2000, drop=10.0)]
    assert rules(gather(hard)) == []  # twelve points more where it is hard
    broken = [row("low.mp4", 70, 1000, drop=5.0), row("high.mp4", 70.5, 2000, drop=40.0)]
    (issue,) = lint.check(gather(broken))
    assert (issue.rule, issue.severity, issue.points) == ("inversion", "warning", 34.5)
    assert "looks worse than low.mp4 (1,000 kbit/s) in its worst second, 34.5 points of FR" in issue.sentence
    rising = [row("low.mp4", 50, 1000), row("mid.mp4", 70, 2000, drop=50.0), row("high.mp4", 73, 3000, drop=50.0)]
    assert rules(gather(rising)) == ["inversion", "redundant"]  # the dearest is held to the broken one
    slow = lint.check(ladder(50, 54, 58, 62, 66))  # each over the next cheaper one that is worth having
    assert [i.paths[0] for i in slow] == ["/v/360p.mp4", "/v/720p.mp4"]
    (gap,) = lint.check(ladder(26, 26 + GAP + 1, 60, 72, 80))
    assert (gap.rule, gap.paths, gap.points) == ("gap", ("/v/240p.mp4", "/v/360p.mp4"), GAP + 1)
    said = "FR leaps by 19.0 points, 3.2 JND, and the rate to 2.3 times as much: a rung is missing between them in h264"
    assert said in gap.sentence


@pytest.mark.parametrize(("share", "found"), [(1.6, []), (2.2, []), (2.25, ["gap"]), (3.0, ["gap"])])
def test_no_rung_is_missing_where_none_would_fit_by_its_rate(share: float, found: list[str]) -> None:
    """A step of 1.5 times from each neighbour takes 2.25 times from one of them to the other."""
    assert rules(gather([row("240p.mp4", 20, 400), row("360p.mp4", 45, 400 * share)])) == found


def test_no_rung_is_missing_between_two_of_one_rate() -> None:
    issues = list(lint.check(gather([row("dull", 40, 1000), row("fine", 80, 1010)])))
    assert [issue.rule for issue in issues] == ["redundant"]
    assert "dull is of no use" in issues[0].sentence


def test_codecs_rasters_and_modes_are_not_compared_with_one_another() -> None:
    rows = [row("a.mp4", 80, 500), row("b.mp4", 60, 900, codec="hevc"), row("c.mp4", 60, 900, display="640x360")]
    assert rules(gather([*rows, row("d.mp4", 60, 900, mode="nr")])) == []
    master = replace(row("m.mov", 50, 90_000, mode="nr"), is_master=True)
    assert rules(gather([*rows, master])) == []
    assert rules(gather([*rows, row("e.mp4", 60, 900)])) == ["inversion"]


@pytest.mark.parametrize(
    ("said", "rule", "severity", "words"),
    [
        (Declared(height=1080), None, "", ""),
        (Declared(1920, 1080, 4000, "h264", 23, 25, 60.2), None, "", ""),
        (Declared(height=720), "mislabelled", "error", "declared 720 lines, and is 1920×1080"),
        (Declared(1280, 720), "mislabelled", "error", "declared 1280×720, and is 1920×1080"),
        (Declared(1080, 1920), "mislabelled", "error", "turned on its side"),
        (Declared(1440, 1080), "declared_size", "warning", "declared 1440×1080, shown 1920×1080: the width differs"),
        (Declared(codec="hevc"), "mislabelled", "error", "declared hevc, and is h264"),
        (Declared(bitrate_kbps=3000), "declared_rate", "warning", "33% more"),
        (Declared(bitrate_kbps=9000), "declared_rate", "info", "under half"),
        (Declared(fps=50), "declared_fps", "warning", "declared 50 frames a second, measured 25.000"),
        (Declared(duration_s=62.0), "declared_duration", "warning", "declared 62.00 s, measured 60.00 s"),
    ],
)
def test_declared_against_measured(said: Declared, rule: str | None, severity: str, words: str) -> None:
    found = lint.check(gather([row("a.mp4", 80, 4000, declared=said)]))
    assert [(i.rule, i.severity) for i in found] == ([] if rule is None else [(rule, severity)])
    assert all(words in i.sentence for i in found)


def test_a_letterboxed_and_an_upright_picture_are_1080p_too() -> None:
    for width, height in ((1920, 800), (1080, 1920), (1916, 1076)):
        assert rules(gather([row("a.mp4", 80, 4000, width=width, height=height, declared=Declared(height=1080))])) == []


def test_lengths_copies_and_what_has_no_score() -> None:
    rows = [row("a.mp4", 60, 500), row("b.mp4", 70, 900), row("c.mp4", 80, 1800, duration_s=58.0)]
    (short,) = lint.check(gather(rows))
    assert (short.rule, short.paths) == ("duration", ("/v/c.mp4",))
    assert short.sentence == "c.mp4 lasts 58.00 s, most of its ladder 60.00 s"
    two = [row("a.mp4", 60, 500), row("b.mp4", 70, 900, duration_s=58.0)]  # neither length is the usual one
    (apart,) = lint.check(gather(two))
    assert (apart.rule, apart.paths) == ("duration", ("/v/b.mp4", "/v/a.mp4"))
    assert apart.sentence.startswith("b.mp4 lasts 58.00 s, a.mp4 60.00 s")
    copies = [row("a.mp4", 60, 500, content_id="x"), row("b.mp4", 70, 900, content_id="x")]
    assert [(i.rule, i.severity) for i in lint.check(gather(copies))] == [("mislabelled", "error")]
    copies[0] = replace(copies[0], is_master=True)
    assert [(i.rule, i.severity) for i in lint.check(gather(copies))] == [("mislabelled", "info")]
    assert rules(gather([unscored("/v/x.mp4", "l", "empty").clip])) == ["unscored"]


def test_a_cut_file_is_told_once_whichever_modes_it_was_scored_in() -> None:
    loss = Finding("truncated: 48 of 96 frames are missing from the file", "truncated", "error")
    rows = [row("a.mp4", 60, 500, findings=(loss,)), row("a.mp4", 55, 500, mode="nr", findings=(loss,))]
    (issue,) = lint.check(gather(rows))
    assert (issue.rule, issue.severity, issue.paths) == ("truncated", "error", ("/v/a.mp4",))
    assert issue.sentence == "a.mp4: 48 of 96 frames are missing from the file; copy or upload it again"


def test_damage_is_told_with_its_times_and_once_beside_a_cut() -> None:
    torn = Finding("pictures are damaged here", "damaged", "error", 3.0, 4.25)
    (issue,) = lint.check(gather([row("a.mp4", 60, 500, findings=(torn,))]))
    assert (issue.rule, issue.severity) == ("damaged", "error")
    assert issue.sentence == "a.mp4: pictures are damaged here (3.0 to 4.2 s); copy or upload it again"
    loss = Finding("truncated: 48 of 96 frames are missing from the file", "truncated", "error")
    assert rules(gather([row("a.mp4", 60, 500, findings=(torn, loss))])) == ["truncated"]


@pytest.mark.parametrize("kind", ["not_compared", "cadence", "black", "rotation"])
def test_what_was_found_to_be_an_error_is_told(kind: str) -> None:
    found = Finding("something is wrong", kind, "error", 3.0, 4.25)
    (issue,) = lint.check(gather([row("a.mp4", 60, 500, findings=(found,))]))
    assert (issue.rule, issue.severity, issue.sentence) == (kind, "error", "a.mp4: something is wrong (3.0 to 4.2 s)")


def test_a_rung_that_looks_no_better_is_not_said_to_buy_anything() -> None:
    (issue,) = lint.check(gather([row("a.mp4", 60, 500), row("b.mp4", 57, 700, half=4, drop=5)]))
    assert issue.sentence == (
        "b.mp4 (700 kbit/s) looks no better than a.mp4 (500 kbit/s): -3.0 points of FR, and -8.0 in the worst second"
    )
    (issue,) = lint.check(gather([row("a.mp4", 60, 500, drop=9, half=4), row("b.mp4", 53.6, 700, half=4, drop=2)]))
    said = "-6.4 points of FR, and +0.6 in the worst second"
    assert issue.sentence == f"b.mp4 (700 kbit/s) costs more than a.mp4 (500 kbit/s) and looks worse: {said}"
    (issue,) = lint.check(gather([row("a.mp4", 60, 500), row("b.mp4", 50, 504, drop=1)]))
    assert issue.sentence.startswith("b.mp4 (504 kbit/s) costs as much as a.mp4 (500 kbit/s) and looks worse: -10.0")


def test_another_title_among_the_rungs_is_code_4(tmp_path: Path) -> None:
    """Gates would pass it by its NR alone."""
    folder, out = tmp_path / "in", str(tmp_path / "out")
    folder.mkdir()
    for name, seed in (("film_master", 0), ("film_crf20", 0), ("film_crf30", 5)):
        picture = partial(lambda number, *_, seed: scene(number / 25, seed, 60), seed=seed)
        make(folder / f"{name}.mp4", size=(320, 180), frames=60, options={"crf": "10"}, picture=picture)
    request = Request(folder.as_uri(), out, Settings(fps=4, worst_frames=0), workers=0)
    result = scan(request, load=lambda _: FakeJudge())
    found = [issue for issue in lint.check(load(out).fleet) if issue.rule == "not_compared"]
    assert [(issue.paths, issue.severity) for issue in found] == [((str(folder / "film_crf30.mp4"),), "error")]
    assert commands._verdict(result.clips, ()) == 4
    assert cli.main(["lint", out]) == 4
    assert cli.main(["export", out, "--format", "junit", "--to", str(tmp_path / "q.xml"), "--fail-under", "0"]) == 4
    (error,) = ElementTree.parse(tmp_path / "q.xml").iter("error")
    assert str(error.get("message")).startswith("not compared with its master")


def test_gates() -> None:
    fleet = ladder(30, 45, 60, 50, 72, drop=9.0)
    assert lint.gates(fleet) == []
    assert [i.paths for i in lint.gates(fleet, fail_under=46)] == [("/v/360p.mp4",), ("/v/240p.mp4",)]
    assert lint.gates(fleet, max_drop=10) == []
    drops = lint.gates(fleet, max_drop=9.5)
    assert [(i.rule, i.points) for i in drops] == [("max_drop", 10)]  # the inversion
    assert len(lint.gates(fleet, max_drop=8)) == 6


scores = st.lists(st.floats(0, 100), min_size=0, max_size=5)


@settings(deadline=None)
@given(scores, st.floats(0, 10))
def test_every_worse_rung_is_told_once_and_worth_having_rungs_rise(values: list[float], half: float) -> None:
    found = lint.check(ladder(*values, half=half))
    inverted = {i.paths[0] for i in found if i.rule == "inversion"}
    assert len(inverted) == sum(i.rule == "inversion" for i in found)
    for k, value in enumerate(values):
        beaten = any(other - half > value + half for other in values[:k])
        assert (f"/v/{RUNGS[k][1]}p.mp4" in inverted) == beaten
    for issue in found:
        points = issue.points
        assert points is not None
        assert {"inversion": points > 0, "redundant": points < JND, "gap": points > GAP}[issue.rule]


@settings(deadline=None)
@given(st.lists(st.floats(JND, GAP), min_size=4, max_size=4), st.floats(0, 20))
def test_well_spaced_rungs_are_never_told(steps: list[float], first: float) -> None:
    values = [first]
    for step in steps:
        values.append(values[-1] + step)
    near = [
        i
        for i in lint.check(ladder(*values))
        if abs((i.points or 0) - JND) > 1e-6 and abs((i.points or 0) - GAP) > 1e-6
    ]
    assert near == []


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path) -> Path:
    def result(clip: ClipScore) -> ClipResult:
        from yoto_video.pipeline.values import FrameScore

        return ClipResult(clip, (FrameScore(0, 0.0, clip.score or 0.0, clip.mode or "nr"),))

    rows = [
        row(f"{h}p.mp4", s, k, width=w, height=h, result_id=f"r{h}", drop=9.0)
        for (w, h, k), s in zip(RUNGS, (30, 45, 60, 50, 72), strict=True)
    ]
    return write(tmp_path / "out", [[result(r) for r in rows]])


def told(text: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    *issues, summary = map(json.loads, text.splitlines())
    assert {i["type"] for i in issues} <= {"lint"}
    assert summary["type"] == "summary"
    return issues, summary


def test_the_command_prints_and_passes_without_gates(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lint", str(results)]) == 0
    assert "inversion" in capsys.readouterr().out
    assert cli.main(["lint", str(results), "--format", "json"]) == 0
    issues, summary = told(capsys.readouterr().out)
    assert list(issues[0]) == ["type", "ladder", "rule", "severity", "sentence", "paths", "points"]
    assert [i["rule"] for i in issues] == ["inversion"]
    assert summary == {
        "type": "summary",
        "ladders": 1,
        "alone": 0,
        "clips": 5,
        "error": 1,
        "warning": 0,
        "info": 0,
        "gates": 0,
    }


@pytest.mark.parametrize(
    ("flags", "code"),
    [(["--fail-under", "30"], 0), (["--fail-under", "31"], 3), (["--max-drop", "10"], 0), (["--max-drop", "9.5"], 3)],
)
def test_gates_decide_the_exit_code(
    results: Path, flags: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["lint", str(results), "--format", "json", *flags]) == code
    issues, summary = told(capsys.readouterr().out)
    assert summary["gates"] == sum(i["rule"] in ("fail_under", "max_drop") for i in issues) == (code == 3)


@pytest.mark.parametrize(
    ("on", "code", "failing"),
    [("inversion", 3, 1), ("error", 3, 1), ("warning", 3, 1), ("range, gap", 0, 0), ("gap,inversion", 3, 1)],
)
def test_rules_that_are_named_decide_the_exit_code_too(
    results: Path, on: str, code: int, failing: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["lint", str(results), "--fail-on", on]) == code
    assert (f"--fail-on {on}: 1" in capsys.readouterr().out) == (code == 3)
    assert cli.main(["lint", str(results), "--format", "json", "--fail-on", on]) == code
    assert told(capsys.readouterr().out)[1]["gates"] == failing


@pytest.mark.parametrize("on", ["inversions", "", ",", "error,nonsense"])
def test_a_rule_that_does_not_exist_is_no_gate_that_is_always_open(
    results: Path, on: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["lint", str(results), "--fail-on", on]) == 2
    assert "is no rule of lint; known are area, " in capsys.readouterr().err


def test_all_rules_are_documented() -> None:
    """As lint's own, or as kinds of findings; and every kind of finding that may be told is a rule."""
    docs = Path(__file__).parents[1] / "docs"
    lint_says = (docs / "cli.md").read_text().split("## yoto-video lint")[1].split("\n## ")[0]
    findings = (docs / "schema.md").read_text().split("### Findings")[1].split("\n#")[0]
    own, kinds = (
        {name for first in re.findall(r"^\| (`[^|]*`) \|", text, re.M) for name in re.findall(r"`(\w+)`", first)}
        for text in (lint_says, findings)
    )
    assert own | kinds >= RULES
    infos = {"note", "repeated", "hdr", "display_matrix", "edit_list"}  # never more than that
    assert kinds - infos - UNTOLD <= RULES


def test_no_results_is_wrong_usage_and_unscored_clips_are_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lint", str(tmp_path)]) == 2
    assert "no results" in capsys.readouterr().err
    assert cli.main(["lint", str(write(tmp_path / "empty", []))]) == 2
    assert "no clip" in capsys.readouterr().err
    out = write(tmp_path / "out", [[unscored("/v/x.mp4", "l", "the file is empty")]])
    assert cli.main(["lint", str(out)]) == 4
    assert "the file is empty" in capsys.readouterr().out


def test_names_reach_lint_through_a_real_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "film", tmp_path / "out"
    folder.mkdir()
    make(folder / "film_master.mp4", size=(192, 144), frames=12)
    make(folder / "film_144p_25fps.mp4", size=(192, 144), frames=12, options={"crf": "30"})
    make(folder / "film_240p_50fps_hevc.mp4", size=(160, 120), frames=12, options={"crf": "40"})
    request = Request(str(folder), str(out), Settings(fps=4, worst_frames=0), workers=0)
    result = scan(request, load=lambda _: FakeJudge())
    assert result.ok == 5
    assert cli.main(["lint", str(out), "--format", "json"]) == 0
    issues, _ = told(capsys.readouterr().out)
    false = [(Path(i["paths"][0]).name, i["rule"]) for i in issues if i["rule"] not in ("redundant", "gap")]
    wrong, drawn = "film_240p_50fps_hevc.mp4", "film_master.mp4"  # whose levels are few, and their judge a fake
    expected = [(wrong, "declared_fps"), (wrong, "mislabelled"), (wrong, "mislabelled")]
    assert sorted(one for one in false if one[0] != drawn) == expected
    page = (out / "report" / "index.html").read_text()
    assert 'id="lint"' in page
    assert "declared 240 lines, and is 160×120" in page
    (pages,) = (out / "report" / "ladders").iterdir()
    assert "declared 50 frames a second" in pages.read_text()


@pytest.mark.parametrize("beside", [True, False])
def test_a_cut_file_is_told_by_scan_report_lint_and_junit(
    beside: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "film", tmp_path / "out"
    folder.mkdir()
    cut = make(folder / "film_144p.mp4", size=(192, 144), frames=48, container_options={"movflags": "faststart"})
    whole = cut.read_bytes()
    if beside:
        (folder / "film_master.mp4").write_bytes(whole)
    data = whole.index(b"mdat")
    cut.write_bytes(whole[: data + (len(whole) - data) * 2 // 3])
    request = Request(str(folder), str(out), Settings(fps=4, worst_frames=0), workers=0)
    result = scan(request, load=lambda _: FakeJudge())
    assert result.failed == 0  # what is there has a score
    print_scan_table(result.clips)
    (line,) = [text for text in capsys.readouterr().out.splitlines() if "film_144p.mp4" in text]
    assert "  truncated" in line  # first of its note
    assert cli.main(["lint", str(out), "--format", "json"]) == 4
    issues, _ = told(capsys.readouterr().out)
    (issue,) = [i for i in issues if i["rule"] == "truncated"]
    assert (issue["severity"], issue["paths"]) == ("error", [str(cut)])
    assert "of 48 frames are missing" in issue["sentence"]
    (page,) = (out / "report" / "ladders").iterdir()
    assert '<span class="tag found">truncated</span>' in page.read_text()
    assert '<td class="pair">truncated</td><td><span class="status error">error</span></td>' in page.read_text()
    assert cli.main(["export", str(out), "--format", "junit"]) == 0
    cases = ElementTree.fromstring(capsys.readouterr().out).iter("testcase")
    mine = [case.findtext("system-out") or "" for case in cases if "film_144p.mp4" in (case.get("name") or "")]
    assert mine
    assert all("\nerror: truncated: " in text for text in mine)
