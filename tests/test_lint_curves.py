"""What lint says of curves: of whole rungs in one mode alone, and no rung is missing where a broken one stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.values import ClipScore, Declared, Mode
from yoto_video.reports import lint
from yoto_video.reports.lint import Issue
from yoto_video.reports.lint_curves import UNSEEN
from yoto_video.reports.lint_issue import told
from yoto_video.reports.read import Fleet, gather
from yoto_video.reports.tables import worth

from .synthetic_results import unscored
from .test_lint import row

CUT = Finding("truncated: 48 of 96 frames are missing from the file", "truncated", "error")
HOLE = Finding("26 frames are missing", "cadence", "error", 1.0, 2.04)
WORSE = "looks worse in its worst second"
OTHER = Finding("not compared with its master: they do not show the same pictures", "not_compared", "error")


def both(name: str, kbps: float, fr: float | None, nr: float, height: int = 1080, **facts: object) -> list[ClipScore]:
    """An encode in both modes; None: it could not be compared."""
    scores: list[tuple[Mode, float | None]] = [("nr", nr), ("fr", fr)]
    return [row(name, s, kbps, mode=mode, height=height, **facts) for mode, s in scores if s is not None]


def issues(*encodes: list[ClipScore]) -> list[Issue]:
    return lint.check(gather([one for rows in encodes for one in rows]))


def rules(*encodes: list[ClipScore]) -> list[str]:
    return [issue.rule for issue in issues(*encodes)]


def test_rungs_are_compared_in_nr_where_not_all_have_fr() -> None:
    """Of FR alone a rung would be missing where one stands."""
    low, high = both("300k", 300, 30, 33), both("1200k", 1200, 60, 62)
    assert rules(low, both("600k", 600, 45, 47), high) == []
    assert rules(low, both("600k", 600, None, 47), high) == []
    fleet = gather([*low, *both("600k", 600, None, 20), *high])
    (issue,) = lint.check(fleet)  # and no rung is missing where that one stands
    assert (issue.rule, issue.paths) == ("inversion", ("/v/600k", "/v/300k"))
    assert issue.sentence.endswith("13.0 points of NR")
    (drop,) = lint.gates(fleet, max_drop=10)
    assert drop.paths == issue.paths


@pytest.mark.parametrize(("worse", "severity"), [(1.2, "warning"), (5.98, "warning"), (6.0, "error")])
def test_what_nobody_sees_is_no_error(worse: float, severity: str) -> None:
    (issue,) = issues(both("a", 500, None, 50.0, half=0.5), both("b", 900, None, 50.0 - worse, half=0.5))
    assert (issue.rule, issue.severity) == ("inversion", severity)
    assert issue.sentence.endswith(": less than anybody sees (a JND is 6 points)") == (severity == "warning")
    assert f", {worse} points of NR" in issue.sentence


def test_less_than_a_jnd_is_not_rounded_to_one() -> None:
    (issue,) = issues(both("a", 500, None, 50.0), both("b", 900, None, 55.97))
    assert "buys +5.97 points of NR over a (500 kbit/s)" in issue.sentence


def test_many_redundant_rungs_are_one_line_that_names_each() -> None:
    few = [both(f"{k}", 500.0 * (k + 1), None, 50.0 + k) for k in range(3)]
    assert [issue.paths for issue in issues(*few)] == [("/v/1", "/v/0"), ("/v/2", "/v/0")]
    many = [both(f"{k}", 500.0 * (k + 1), None, 50.0 + 2 * k) for k in range(5)]
    (issue,) = issues(*many)
    assert (issue.rule, issue.severity, issue.points) == ("redundant", "warning", 4.0)
    assert issue.paths == ("/v/1", "/v/2", "/v/4", "/v/0", "/v/3")
    assert issue.sentence.startswith(f"3 rungs buy {UNSEEN}, in the worst second too; points of NR: ")
    assert (
        "1 (1,000 kbit/s) +2.0, 2 (1,500 kbit/s) +4.0 over 0 (500 kbit/s); 4 (2,500 kbit/s) +2.0 ov" in issue.sentence
    )
    one, all_others = issues(*many[:2], both("2", 1500, None, 54, drop=12), *many[3:], both("5", 3000, None, 58))
    assert (one.rule, one.paths) == ("redundant", ("/v/2", "/v/0"))
    assert all_others.sentence.startswith("3 rungs buy less")


@pytest.mark.parametrize(
    ("drop", "rule", "said"),
    [
        (5.0, "redundant", f"buys +3.1 points of NR over a (500 kbit/s), and -1.9 in the worst second: {UNSEEN}"),
        (13.1, "redundant", f"buys +3.1 points of NR over a (500 kbit/s), {UNSEEN}, and {WORSE}, by 10.0"),
        (19.5, "inversion", "looks worse than a (500 kbit/s) in its worst second, 16.4 points of NR"),
    ],
)
def test_a_worst_second_that_looks_worse_is_said_to(drop: float, rule: str, said: str) -> None:
    (issue,) = issues(both("a", 500, None, 50.0), both("b", 900, None, 53.1, drop=drop))
    assert (issue.rule, issue.severity, issue.sentence) == (rule, "warning", f"b (900 kbit/s) {said}")


@pytest.mark.parametrize("found", [CUT, HOLE, OTHER])
def test_no_rung_is_missing_where_a_broken_or_foreign_one_stands(found: Finding) -> None:
    low, high = both("240p", 300, 30, 30, 240), both("540p", 1400, 61, 61, 540)
    assert rules(low, high) == ["gap"]
    assert rules(low, both("480p", 900, None, 20, 480, findings=(found,)), high) == [found.kind]
    assert rules(low, both("480p", 900, None, 20, 480, codec="hevc"), high) == ["gap"]


FADE = Finding("darker than its master, by up to 90 levels of 255", "colour", "warning", 0.0, 1.0)


def test_of_a_rung_that_is_hurt_for_a_while_that_alone_is_told() -> None:
    """What it loses there makes a gap above it, or leaves it no better than a cheaper one."""
    low, high = both("300k", 300, 30, 33), both("1200k", 1200, 60, 62)
    assert rules(low, high) == ["gap"]
    assert rules(low, both("1200k", 1200, 60, 62, findings=(FADE,))) == ["colour"]
    assert rules(low, both("600k", 600, 32, 34, findings=(FADE,))) == ["colour"]


def test_an_inversion_of_a_rung_that_is_hurt_for_a_while_is_one_line_with_its_cause() -> None:
    low, high = both("300k", 300, 50, 50), both("1200k", 1200, 33.5, 40, findings=(FADE,))
    (issue,) = issues(low, high)
    assert (issue.rule, issue.also, issue.severity, issue.points) == ("inversion", "colour", "error", 16.5)
    assert issue.paths == ("/v/1200k", "/v/300k")
    assert issue.sentence == f"1200k: {FADE.dated}; it looks worse than 300k (300 kbit/s), 16.5 points of FR"
    less = both("1200k", 1200, 44.5, 48, findings=(FADE,))
    assert [(i.rule, i.also, i.severity) for i in issues(low, less)] == [("colour", "inversion", "warning")]
    fleet = gather([*low, *high])
    assert [gate.rule for gate in lint.gates(fleet, max_drop=10.0)] == ["max_drop"]
    early = both("300k", 300, 50, 50, findings=(FADE,))  # at the same time: it is no cause
    assert sorted(rules(early, high)) == ["colour", "inversion"]
    assert "inversion" in rules(low, both("1200k", 1200, 33.5, 40, findings=(replace(FADE, start_s=None, end_s=None),)))


@pytest.mark.parametrize(("half", "said"), [(1.0, "no better than"), (0.1, "beaten by")])
def test_the_report_says_beaten_beyond_intervals_alone(half: float, said: str) -> None:
    (found,) = gather([row("a", 50.5, 500, half=half), row("b", 50.0, 900, half=half)]).ladders
    assert worth(found, "fr") == {"/v/a": "on the hull", "/v/b": f"{said} a"}


def test_no_rung_is_missing_where_one_stands_that_looks_no_better() -> None:
    low, high = both("300k", 300, None, 30), both("1200k", 1200, None, 60)
    assert rules(low, both("600k", 600, None, 29.5), high) == ["redundant"]
    small, large = both("300k", 300, None, 30, 360), both("1200k", 1200, None, 60, 720)
    assert rules(small, large, both("2400k", 2400, None, 70, 480)) == ["gap"]  # that one stands above both


def test_a_copy_is_told_as_one_and_has_no_place_on_the_curve() -> None:
    rung = both("dog_480p", 600, None, 45, height=480, content_id="x", declared=Declared(height=480))
    copy = both("dog (1)", 600, None, 45, height=480, content_id="x")
    (issue,) = issues(copy, rung)
    assert (issue.rule, issue.paths) == ("mislabelled", ("/v/dog (1)", "/v/dog_480p"))


def test_copies_of_one_file_are_one_line() -> None:
    rungs = [
        both(f"dog_{h}p", k, None, s, height=h, content_id=f"{h}") for h, k, s in ((480, 600, 45), (720, 1300, 58))
    ]
    again = [both(f"dog_480p ({k})", 600, None, 45, height=480, content_id="480") for k in (1, 2, 3)]
    other = both("dog_720p (1)", 1300, None, 58, height=720, content_id="720")
    large, small = sorted(issues(*rungs, *again, other), key=lambda issue: len(issue.paths))
    assert large.sentence == "dog_720p (1) holds the same bytes as dog_720p"
    assert small.sentence == "dog_480p (1), dog_480p (2) and dog_480p (3) hold the same bytes as dog_480p"
    assert small.paths == ("/v/dog_480p (1)", "/v/dog_480p (2)", "/v/dog_480p (3)", "/v/dog_480p")
    assert (small.rule, small.severity) == ("mislabelled", "error")


def test_nor_where_one_has_no_score_or_another_raster() -> None:
    low, high = both("240p", 300, 30, 30, 240), both("540p", 1400, 61, 61, 540)
    failed = unscored("/v/480p", "l", "it cannot be read", declared=Declared(height=480)).clip
    assert rules(low, [failed], high) == ["unscored"]
    assert rules(low, [replace(failed, declared=Declared(bitrate_kbps=900))], high) == ["unscored"]
    assert sorted(rules(low, [replace(failed, declared=Declared(height=720))], high)) == ["gap", "unscored"]
    assert rules(low, both("480p", 900, 45, 45, 480, display="960x540"), high) == []


@pytest.mark.parametrize("found", [CUT, HOLE, Finding("pictures are damaged", "damaged", "error", 0.0, 1.0)])
def test_of_a_rung_without_a_part_neither_rate_nor_curve_is_told(found: Finding) -> None:
    """Its rate is of the rest, or over the hole, and its score is of other pictures."""
    said = Declared(1920, 1080, 2500, fps=50, duration_s=60)
    rest = both("b.mp4", 1000, 20, 20, declared=said, duration_s=30.0, findings=(found,))
    least = both("a.mp4", 500, 40, 40), both("c.mp4", 2000, 52, 52), both("d.mp4", 4000, 64, 64)
    assert set(rules(rest, *least)) <= {found.kind, "duration"}
    assert ("duration" in rules(rest, *least)) == (found.kind != "truncated")
    small = both("b.mp4", 1000, 20, 20, declared=replace(said, height=720), findings=(found,))
    assert set(rules(small, *least)) == {found.kind, "mislabelled"}


def test_a_hole_that_the_master_has_is_no_fault_of_its_encodes() -> None:
    master = replace(row("m.mov", 80, 90_000, mode="nr", findings=(HOLE,)), is_master=True)
    encodes = both("a.mp4", 500, 40, 40, findings=(HOLE,)), both("b.mp4", 1000, 20, 20, findings=(HOLE,))
    assert "inversion" in rules([master], *encodes)


def test_pictures_without_an_interval_differ_by_what_people_see() -> None:
    """One frame has no interval: a hundredth of a point was an inversion, of "0.0 points"."""

    def pictures(first: float, second: float, **facts: object) -> list[str]:
        known = {"ci95": None, "duration_s": None} | facts
        return rules(both("a.png", 500, None, first, **known), both("b.png", 900, None, second, **known))

    assert pictures(60.0, 59.99) == ["redundant"]
    assert pictures(60.0, 54.1) == ["redundant"]
    assert pictures(60.0, 53.9) == ["inversion"]
    (issue,) = issues(both("a", 500, None, 60.0, half=0.0), both("b", 900, None, 59.96, half=0.0))
    assert issue.sentence.endswith(", 0.04 points of NR: less than anybody sees (a JND is 6 points)")


def test_a_gate_gives_as_many_digits_as_tell_why_it_failed() -> None:
    fleet = gather([*both("a", 500, None, 59.99), *both("b", 900, None, 50.47, drop=9.52)])
    below = [issue.sentence for issue in lint.gates(fleet, fail_under=59.995)]
    assert below == ["b: NR 50.5 is below 59.995", "a: NR 59.990 is below 59.995"]
    assert "b: its worst second is 9.52 NR points below its mean, over 9.5" in _said(fleet, max_drop=9.5)
    assert any(said.endswith("9.5 points of NR (9.52), over 9.5") for said in _said(fleet, max_drop=9.5))


def _said(fleet: Fleet, *, max_drop: float) -> list[str]:
    return [issue.sentence for issue in lint.gates(fleet, max_drop=max_drop)]


@pytest.mark.parametrize(
    ("value", "beside", "text"),
    [(59.96, 60, "59.96"), (59.9, 60, "59.9"), (60, 60, "60.0"), (0.04, 0, "0.04"), (60, 59.96, "60.00")],
)
def test_numbers_are_told_apart(value: float, beside: float, text: str) -> None:
    assert told(value, beside) == text
