"""What a comparison's page says around its figures: of how many titles, from what, and nothing that is not so."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from yoto_video.reports import compare_figures
from yoto_video.reports.compare import Comparison
from yoto_video.reports.compare_cost import costs
from yoto_video.reports.compare_pages import _facts, build_comparison
from yoto_video.reports.compare_shots import by_shot
from yoto_video.reports.compare_words import answer

from .test_compare import compared, encodes, side
from .test_compare_fair import two


def page_of(there: Comparison, folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    return build_comparison(there, folder, {}).read_text(encoding="utf-8")


def flat(label: str, title: str) -> list[Any]:
    """Encodes that look worse the more bits they have: no curve."""
    return [
        replace(one, clip=replace(one.clip, pools={name: 90 - v for name, v in one.clip.pools.items()}))
        for one in encodes(label, title)
    ]


def test_a_figure_without_an_interval_is_told_and_drawn_without_one(tmp_path: Path) -> None:
    """Two titles that go far apart: no interval over both."""
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city"))
    b = side(tmp_path / "b", encodes("b", "sea"), encodes("b", "city", saves=0.6))
    there = compared({"a": a, "b": b})
    assert there.overall("a", "b", "fr").rate is None
    chart = compare_figures.forest(there, "fr")
    assert chart is not None
    said = dict(chart.data[0]["customdata"])
    assert said["all titles"] == "no interval"
    assert said["sea"].startswith("95 %: ")
    levels = there.savings
    assert any(s.interval is None for s in levels)
    assert any(s.interval is not None for s in levels)
    chart = compare_figures.saving_levels(there, "fr")
    assert chart is not None
    *bands, line = chart.data
    assert {x for band in bands for x in band["x"]} == {s.level for s in levels if s.interval}
    assert [text for text, _ in line["customdata"]].count("no interval") == sum(s.interval is None for s in levels)
    assert {titles for _, titles in line["customdata"]} == {"1 title", "2 titles"}


def test_time_is_told_an_encode_where_sides_have_other_numbers_of_them(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"))
    b = side(tmp_path / "b", encodes("b", "sea", saves=0.2)[:8])  # one rate less
    there = compared({"a": a, "b": b})
    there.seconds = {e.row.path: 10.0 for t in there.titles for e in t.encodes}
    mine, theirs = costs(there)
    assert (mine.encodes, theirs.encodes) == (5, 4)
    assert (mine.seconds, theirs.seconds, theirs.ratio) == (50, 40, pytest.approx(1))
    assert "their numbers differ, and the sums with them" in page_of(there, tmp_path)


def test_levels_count_the_titles_of_their_mode(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city", hard=10), encodes("a", "lake", modes=("nr",)))
    b = side(tmp_path / "b", encodes("b", "sea"), encodes("b", "city", hard=10), encodes("b", "lake", modes=("nr",)))
    page = page_of(compared({"a": a, "b": b}), tmp_path)
    assert set(re.findall(r"\((\d of \d) titles\)", page)) == {"1 of 2"}


def test_the_hint_is_about_figures_that_have_a_value(tmp_path: Path) -> None:
    """The first pair has one title, the second two."""
    a, b, c = (
        side(tmp_path / label, encodes(label, "sea"), flat(label, "city") if label == "b" else encodes(label, "city"))
        for label in "abc"
    )
    page = page_of(compared({"a": a, "b": b, "c": c}), tmp_path / "three")
    assert "drawn from titles and from blocks of time in them; with one title it is drawn from its blocks" in page
    assert "standard deviations of its titles or blocks." in page
    alone = page_of(compared({"a": a, "b": b}), tmp_path / "two")
    assert "Beside it the 95&nbsp;% interval: with one title it is drawn from its blocks" in alone
    more = page_of(compared({"a": a, "c": c}), tmp_path / "more")
    assert "with one title" not in more


def test_a_chart_of_some_titles_says_of_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles = ("sea", "city", "forest")
    there = two(tmp_path, *titles, saves=0.2)
    assert "on which b costs most" not in page_of(there, tmp_path)
    monkeypatch.setattr(compare_figures, "MOST_TITLES", 2)
    assert "Of 3 titles the 1 on which b costs most or saves least and the 1 on" in page_of(there, tmp_path)


def test_titles_without_a_figure_are_not_compared(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"))
    there = compared({"a": a, "b": side(tmp_path / "b", flat("b", "sea"))})
    assert "cannot be compared" in answer(there)
    assert _facts(there) == ["0 titles compared, 0 encodes", "1 not comparable", "0 judged frames"]
    assert _facts(two(tmp_path / "more", "sea"))[0] == "1 title compared, 10 encodes"


def test_what_cannot_be_told_is_said_first_and_what_was_left_out_with_it(tmp_path: Path) -> None:
    """Two titles that go far apart, and a third without a curve on one side."""
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city"), encodes("a", "lake"))
    b = side(tmp_path / "b", encodes("b", "sea"), encodes("b", "city", saves=0.6), flat("b", "lake"))
    there = compared({"a": a, "b": b})
    value = f"{there.overall('a', 'b', 'fr').delta.pchip:+.1f} %"
    assert answer(there) == (
        "Whether b needs fewer or more bits than a for the same quality cannot be told: "
        f"{value} is the mean of 2 titles, and no interval can be given (beside the masters; 1 of 3 titles left out)."
    )
    c = side(tmp_path / "c", *(encodes("c", t, saves=0.3) for t in ("sea", "city", "lake")))
    three = answer(compared({"a": a, "b": b, "c": c}))
    assert f"for b it cannot be told, {value} without an interval" in three
    assert "; b: 2 titles, beside the masters; 1 of 3 titles left out; c: 3 titles, beside the masters)" in three
    assert "left out" not in answer(compared({"a": a, "c": c}))


def test_the_first_page_tells_each_figures_verdict_and_prints_none_bold_without_an_interval(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city"))
    b = side(tmp_path / "b", encodes("b", "sea"), encodes("b", "city", saves=0.6))
    c = side(tmp_path / "c", encodes("c", "sea", saves=0.3), encodes("c", "city", saves=0.3))
    there = compared({"a": a, "b": b, "c": c})
    page = page_of(there, tmp_path)
    table = page[page.index("Overall figures") :].split("</table>")[0]
    rows = table.split("</tr>")[1:-1]
    overall = [f for f in there.figures if f.title is None]
    assert {f.verdict for f in overall} == {"cannot be told", "saves"}
    assert len(rows) == len(overall)
    for row, figure in zip(rows, overall, strict=True):
        assert f'<td class="pair">{figure.verdict}</td>' in row
        value = f"{figure.delta.pchip:+.1f}".replace("-", "−")
        assert f"<b>{value}" in row if figure.rate else f"<span>{value}" in row
    assert "“Cannot be told”: no interval" in page
    assert "“Cannot be told”" not in page_of(compared({"a": a, "c": c}), tmp_path)


def test_what_it_takes_counts_what_the_head_counts(tmp_path: Path) -> None:
    """A title without a figure counts on no side; with three sides it counts on those that have one."""
    a, b, c = (
        side(tmp_path / label, encodes(label, "sea"), flat(label, "city") if label == "b" else encodes(label, "city"))
        for label in "abc"
    )
    there = compared({"a": a, "b": b})
    there.seconds = {e.row.path: 10.0 for t in there.titles for e in t.encodes}
    assert _facts(there)[:2] == ["1 title compared, 10 encodes", "1 not comparable"]
    assert [(cost.encodes, cost.seconds) for cost in costs(there)] == [(5, 50), (5, 50)]
    more = compared({"a": a, "b": b, "c": c})
    more.seconds = there.seconds | {e.row.path: 20.0 for t in more.titles for e in t.sides[2]}
    assert _facts(more)[0] == "2 titles compared, 25 encodes"
    assert [cost.encodes for cost in costs(more)] == [10, 5, 10]
    assert [cost.ratio for cost in costs(more)] == [None, pytest.approx(1), pytest.approx(2)]
    last = compared({"b": b, "a": a, "c": c})  # an anchor without a figure of one title
    last.seconds = more.seconds
    assert [cost.encodes for cost in costs(last)] == [5, 10, 10]
    assert [cost.ratio for cost in costs(last)] == [None, pytest.approx(1), pytest.approx(2)]
    assert "of 2 titles)" not in page_of(there, tmp_path)  # at equal quality, too, one is compared
    none = compared({"a": side(tmp_path / "d", encodes("a", "sea")), "b": side(tmp_path / "e", flat("b", "sea"))})
    assert "What it takes" not in page_of(none, tmp_path / "none")


def test_the_answer_is_in_the_mode_that_has_one(tmp_path: Path) -> None:
    """Beside its master a title gives no curve; another, without, does."""
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city", modes=("nr",)))
    b = side(tmp_path / "b", flat("b", "sea"), encodes("b", "city", modes=("nr",), saves=0.3))
    there = compared({"a": a, "b": b})
    assert there.modes == ["fr", "nr"]
    assert math.isnan(there.overall("a", "b", "fr").delta.pchip)
    assert answer(there).startswith("b needs 30.")
    assert "without masters" in answer(there)


def test_titles_at_other_rasters_are_told_in_their_mode_and_with_their_reason(tmp_path: Path) -> None:
    there = two(tmp_path, "sea", "city", display="1280x720")
    assert {(f.mode, f.pool) for f in there.figures if f.title is None} == {
        ("fr", pool) for pool in ("mean", "p5", "worst_second")
    }
    assert "judged on different display rasters (a at 1920x1080; b at 1280x720)" in answer(there)


def test_a_single_shot_is_the_title_and_not_told_twice(tmp_path: Path) -> None:
    def one_shot(results: list[Any]) -> list[Any]:
        return [replace(r, frames=tuple(replace(f, shot=0) for f in r.frames)) for r in results]

    a = side(tmp_path / "a", one_shot(encodes("a", "sea")), encodes("a", "city"))
    b = side(tmp_path / "b", one_shot(encodes("b", "sea", saves=0.2)), encodes("b", "city", saves=0.2))
    there = compared({"a": a, "b": b})
    assert {s.title.name for s in by_shot(there)} == {"city"}
    folder = build_comparison(there, tmp_path, {}).parent
    shown = {json.dumps("Shot by shot" in f.read_text(encoding="utf-8")) for f in (folder / "titles").iterdir()}
    assert shown == {"true", "false"}
