"""Lint tells warnings too, where they are an encode's own: not its master's, nor what films are like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from yoto_video.jobs import cli
from yoto_video.pipeline.findings import Finding, Severity
from yoto_video.pipeline.values import ClipResult, Declared
from yoto_video.reports import lint
from yoto_video.reports.pages import build_report
from yoto_video.reports.read import gather

from .synthetic_results import scored, unscored, write

LEVELS = "levels are its master's through the map from limited to full range: its colour range is marked wrong"
LATE = Finding("starts 2 frames (0.08 s) after its master", "offset", "warning")
POOR = Finding("its master scores 40 by itself, below 50", "poor_source", "warning")


def warned(
    kind: str, said: str = "something is odd", severity: Severity = "warning", at: float | None = None
) -> Finding:
    return Finding(said, kind, severity, at, None if at is None else at + 1.5)


def film(*encodes: tuple[Finding, ...], master: tuple[Finding, ...] | None = (), **facts: Any) -> list[ClipResult]:
    """A ladder of encodes with these findings, in both modes where there is a master: rungs are well spaced."""
    rows = [] if master is None else [scored("/v/master.mov", "l", "nr", 80, is_master=True, findings=master)]
    for k, findings in enumerate(encodes):
        known = {"bitrate_kbps": 500.0 * 2**k, "findings": findings, **facts}
        mean = 30.0 + 12 * k
        rows.append(scored(f"/v/{k}.mp4", "l", "nr", mean - 5, **known))
        if master is not None:
            rows.append(scored(f"/v/{k}.mp4", "l", "fr", mean, **known))
    return rows


def told(results: list[ClipResult]) -> list[tuple[str, str, str]]:
    found = lint.check(gather([result.clip for result in results]))
    return [(issue.rule, issue.severity, issue.sentence) for issue in found]


@pytest.mark.parametrize("kind", ["range", "area", "aspect", "not_compared", "turned", "collapse", "note"])
def test_warnings_of_an_encode_are_told_once_whichever_modes_it_has(kind: str) -> None:
    assert told(film((warned(kind, LEVELS),), (), ())) == [(kind, "warning", f"0.mp4: {LEVELS}")]


@pytest.mark.parametrize("kind", ["first_look", "quality_drop", "banding", "poor_source", "pairing"])
def test_what_says_nothing_of_the_file_is_not(kind: str) -> None:
    assert told(film((warned(kind),), (warned(kind),))) == []
    assert told(film((warned("range", severity="info"),), ())) == []


@pytest.mark.parametrize(
    ("said", "rule", "severity"),
    [(Declared(height=720), "mislabelled", "error"), (Declared(640, 1080), "declared_size", "warning")],
)
def test_bars_and_the_size_they_make_are_one_line_and_gates_know_both(
    said: Declared, rule: str, severity: Severity, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = "1920x800 of 1920x1080, 0 pixels from the left and 140 from the top"
    bars = warned("area", f"compared without its bars: its picture is {picture}")
    results = film((bars,), (), declared=said, width=1920, height=1080)
    found = [one for one in told(results) if "0.mp4" in one[2] and one[0] != "redundant"]
    assert [one[:2] for one in found] == [(rule, severity)]
    assert found[0][2].endswith(f"; {bars.sentence}")
    assert told(film((bars,), (), declared=Declared(codec="hevc"), codec="h264"))[-1][0] == "area"  # says no size
    write(tmp_path / "out", [results])
    assert cli.main(["lint", str(tmp_path / "out"), "--fail-on", "area", "--format", "json"]) == 3
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {frozenset(line) for line in lines if line["type"] == "lint"} == {
        frozenset({"type", "ladder", "rule", "severity", "sentence", "paths", "points"})
    }


def test_many_of_one_kind_are_one_line_with_the_number() -> None:
    holes = tuple(warned("cadence", f"{n} frames are missing", at=3.0 * n) for n in (1, 2, 3))
    assert told(film(holes, ())) == [
        ("cadence", "warning", "0.mp4: 1 frames are missing (3.0 to 4.5 s), and 2 more of its kind")
    ]
    stands = warned("frozen", "the picture stands still while its master moves", "error", 6.0)
    first, second = told(film((holes[0], stands, warned("frozen", at=1.0)), ()))
    said = "the picture stands still while its master moves (6.0 to 7.5 s), and 1 more of its kind"
    assert first == ("frozen", "error", f"0.mp4: {said}")
    assert second[:2] == ("cadence", "warning")


def test_an_offset_that_all_encodes_have_is_their_masters() -> None:
    assert told(film((LATE,), (), ())) == [("offset", "warning", f"0.mp4: {LATE.sentence}")]
    assert told(film((LATE,), (LATE,))) == [("offset", "info", f"all 2 encodes: {LATE.sentence}")]
    later = warned("offset", "starts 4 frames (0.16 s) after its master")
    assert [line[1] for line in told(film((LATE,), (later,)))] == ["warning", "warning"]


def test_what_all_encodes_have_is_told_once_and_what_their_master_has_of_it_alone() -> None:
    red, redder = warned("colour", "+5.0 red"), warned("colour", "+5.2 red")
    assert told(film((red,), (redder,))) == [("colour", "warning", "all 2 encodes, like 1.mp4: +5.2 red")]
    assert told(film((red,), (red,), master=None)) == [("colour", "warning", "all 2 encodes: +5.0 red")]
    own = warned("poor_source", "a poor source: scores 40 by itself, below 50")
    assert told(film((POOR,), (POOR,), master=(own,))) == [("poor_source", "warning", f"master.mov: {own.sentence}")]
    hole = warned("cadence", "2 frames are missing", at=5.0)
    assert told(film((hole,), (), master=(hole,))) == [
        ("cadence", "warning", "master.mov: 2 frames are missing (5.0 to 6.5 s)")
    ]


def test_all_that_all_encodes_have_of_a_kind_is_told() -> None:
    darker = "darker than its master, by up to {} levels of 255: it fades {} where its master does not"
    ends = [
        warned("colour", darker.format(level, way), at=at) for level, way, at in ((90, "in", 0.0), (80, "out", 8.0))
    ]
    assert told(film(tuple(ends), tuple(ends))) == [
        ("colour", "warning", f"all 2 encodes: {finding.dated}") for finding in ends
    ]
    dip = warned("colour", "darker than its master, by up to 50 levels of 255", at=4.0)
    assert told(film((*ends, dip), tuple(ends)))[2:] == [("colour", "warning", f"0.mp4: {dip.dated}")]
    again = warned("colour", "darker than its master, by up to 30 levels of 255", at=6.0)
    assert told(film((dip, again), (dip, again))) == [
        ("colour", "warning", f"all 2 encodes: {dip.dated}, and 1 more of its kind")
    ]


def test_encodes_of_which_one_kind_says_different_things_are_told_apart() -> None:
    woven = warned("interlaced", "its pictures are combed: deinterlace before encoding")
    fields = warned("interlaced", "coded as fields, and its master is not")
    assert sorted(told(film((woven,), (fields,)))) == [
        ("interlaced", "warning", f"0.mp4: {woven.sentence}"),
        ("interlaced", "warning", f"1.mp4: {fields.sentence}"),
    ]


def test_black_is_told_where_its_master_is_not_black() -> None:
    dark = warned("black", "black", at=4.0)
    assert told(film((dark,), ())) == [("black", "warning", "0.mp4: black (4.0 to 5.5 s)")]
    assert told(film((dark,), (dark,), master=(dark,))) == []
    late = film((warned("black", "black", at=2.0),), (), master=(dark,), offset_s=2.0, offset_frames=50)
    assert told(late) == []  # the same stretch, by the master's clock
    assert len(told(film((dark,), (), master=(warned("black", "black", at=14.0),)))) == 1
    assert len(told(film((dark,), (), (), master=None))) == 1
    assert told(film((dark,), (dark,), (), master=None)) == []
    assert told(film((dark,), master=None)) == []  # how films begin: nothing says otherwise
    long, half = (Finding("black", "black", "warning", 0.0, end_s) for end_s in (90.0, 40.0))
    assert told(film((long,), (), master=(half,))) == [("black", "warning", "0.mp4: black (0.0 to 90.0 s)")]
    assert told(film((long,), (), master=(half, Finding("black", "black", "warning", 42.0, 89.0)))) == []


def test_of_broken_and_foreign_encodes_errors_say_enough() -> None:
    cut = Finding("truncated: 48 of 96 frames are missing from the file", "truncated", "error")
    assert [line[0] for line in told(film((cut, warned("range")), ()))] == ["truncated"]
    other = Finding("not compared with its master: they do not show the same pictures", "not_compared", "error")
    assert [line[0] for line in told(film((other, warned("range")), ()))] == ["not_compared"]


def test_why_a_file_has_no_score_is_not_said_twice() -> None:
    gone = Finding("truncated: 3 of 9 files that its manifest lists are missing", "truncated", "error")
    failed = unscored("/v/x.mp4", "l", f"{gone.sentence}; it cannot be read", findings=(gone, warned("range")))
    assert [line[0] for line in told([failed])] == ["unscored"]


def test_warnings_reach_the_report_and_leave_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = write(tmp_path / "out", [film((LATE,), (), (warned("not_compared"),))])
    assert cli.main(["lint", str(out)]) == 0
    assert "warning: 2" in capsys.readouterr().out
    build_report(str(out))
    assert f"0.mp4: {LATE.sentence}" in (out / "report" / "index.html").read_text()


def test_the_overview_shows_errors_and_counts_what_it_folds(tmp_path: Path) -> None:
    stands = warned("frozen", "the picture stands still", "error", 1.0)
    titles = [[scored(f"/v/{k}.mp4", f"l{k}", "nr", 50, findings=(stands, warned("range")))] for k in range(14)]
    out = write(tmp_path / "out", titles)
    build_report(str(out))
    page = (out / "report" / "index.html").read_text()
    lint_panel = page[page.index('id="lint"') : page.index("</section>", page.index('id="lint"'))]
    shown, more, warnings = lint_panel.split("<details>")
    assert [part.count("the picture stands still") for part in (shown, more, warnings)] == [12, 2, 0]
    assert "<summary>and 2 errors more</summary>" in more
    assert "<summary>14 warnings</summary>" in warnings
