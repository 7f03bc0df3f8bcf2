"""Shot by shot: the scene in which one side loses is the one that is named, with an interval, in table and on pages."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult
from yoto_video.reports.compare_pages import build_comparison
from yoto_video.reports.compare_shots import by_shot
from yoto_video.reports.compare_tables import shot_table, title_table
from yoto_video.reports.pages import page_name

from .synthetic_results import HOSTILE
from .test_compare import compared, encodes, side

CUTS = (3.6, 6.6, 9.36)  # of `encodes`: 12 s


def worse_in(label: str, title: str, start: float, end: float, points: float) -> list[ClipResult]:
    """Encodes that lose points in a stretch of time."""
    return [
        replace(r, frames=tuple(replace(f, score=f.score - points * (start <= f.pts_time < end)) for f in r.frames))
        for r in encodes(label, title)
    ]


def test_the_shot_that_loses_is_found_and_the_others_are_not(tmp_path: Path) -> None:
    bad = worse_in("b", "sea", CUTS[1], CUTS[2], 6.0)
    found = compared({"a": side(tmp_path / "a", encodes("a", "sea")), "b": side(tmp_path / "b", bad)})
    shots = by_shot(found)
    assert [s.number for s in shots] == [1, 2, 3, 4]
    assert [s.end_s for s in shots[:3]] == pytest.approx(CUTS, abs=0.5)
    assert [s.start_s for s in shots[1:]] == [s.end_s for s in shots[:3]]
    assert [s.points for s in shots] == pytest.approx([0, 0, -6, 0], abs=1e-9)
    assert [s.verdict for s in shots] == ["no difference shown"] * 2 + ["worse", "no difference shown"]
    assert shots[2].interval is not None
    assert shots[2].interval.high < 0
    back = by_shot(compared({"b": str(tmp_path / "b"), "a": str(tmp_path / "a")}))
    assert [s.points for s in back] == pytest.approx([-s.points for s in shots], abs=1e-9)
    assert [s.points for s in by_shot(found)] == [s.points for s in shots]  # the same draws each time


def test_older_results_without_shots_are_compared_all_the_same(tmp_path: Path) -> None:
    old = [replace(r, frames=tuple(replace(f, shot=None) for f in r.frames)) for r in encodes("a", "sea")]
    new = [replace(r, frames=tuple(replace(f, shot=None) for f in r.frames)) for r in encodes("b", "sea", saves=0.2)]
    found = compared({"a": side(tmp_path / "a", old), "b": side(tmp_path / "b", new)})
    assert by_shot(found) == []
    page = build_comparison(found, tmp_path, {}).read_text(encoding="utf-8")
    assert "Shot by shot" not in page
    assert found.overall("a", "b", "fr").verdict == "saves"


def test_each_title_has_a_page_and_each_shot_a_line(tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "∕")
    titles = [*(f"title {i:02d}" for i in range(6)), name]
    a = side(tmp_path / "a", *(encodes("a", t) for t in titles), encodes("a", "alone"))
    b = side(tmp_path / "b", *(worse_in("b", t, 0, CUTS[0], 1.0 + i) for i, t in enumerate(titles)))
    page = build_comparison(compared({"a": a, "b": b}), tmp_path, {})
    folder = page.parent / "titles"
    assert {f.name for f in folder.iterdir()} == {page_name(t) for t in [*titles, "alone"]}
    for title in titles:
        own = (folder / page_name(title)).read_text(encoding="utf-8")
        assert own.count('class="figure"') == 2
        assert "<img src=x" not in own
    assert "not among the encodes of b" in (folder / page_name("alone")).read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").count('class="figure"') == 1 + 1 + 2 * 4
    with (page.parent / "shots.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * len(titles)
    assert {r["verdict"] for r in rows if r["shot"] == "1"} == {"worse"}
    assert all(float(r["ci95_low"]) <= float(r["points"]) <= float(r["ci95_high"]) for r in rows)


def test_tables_leave_out_names_that_are_the_same_in_every_row(tmp_path: Path) -> None:
    a, b = side(tmp_path / "a", encodes("a", "sea")), side(tmp_path / "b", encodes("b", "sea", saves=0.2))
    two = compared({"a": a, "b": b})
    c = side(tmp_path / "c", encodes("c", "sea", saves=0.3), encodes("c", "city", modes=("nr",)))
    side(tmp_path / "a", encodes("a", "city", modes=("nr",)))
    side(tmp_path / "b", encodes("b", "city", modes=("nr",)))
    more = compared({"a": a, "b": b, "c": c})
    links = {"sea": "sea.html", "city": "city.html"}
    for found, names, pairs in ((two, ["Title"], 1), (more, ["Title", "Pair", "Mode"], 6)):
        table: Any = title_table(found, links)
        labels = [column["label"] for column in table["columns"]]
        assert labels == [*names, "BD-rate, %", "Verdict", "Effect", "BD-quality", "p5, %", "Worst second, %"]
        assert labels[table["sort"]] == "BD-rate, %"
        assert {len(row["cells"]) for row in table["rows"]} == {len(labels)}
        assert len(table["rows"]) == pairs
        assert all(low <= value <= high for row in table["rows"] for value, low, high in [row["cells"][table["sort"]]])
        shots: Any = shot_table(by_shot(found), links)
        labels = [column["label"] for column in shots["columns"]]
        assert ("Encoder" in labels) == (pairs > 1)
        assert labels[shots["sort"]] == "Points at equal rate"


def test_a_shot_of_one_second_has_a_figure_and_no_interval(tmp_path: Path) -> None:
    made = {}
    for label in ("a", "b"):
        with Store(made.setdefault(label, str(tmp_path / label))) as store:
            results = [
                replace(r, frames=tuple(replace(f, shot=int(f.pts_time >= 11)) for f in r.frames))
                for r in encodes(label, "sea")
            ]
            store.commit("sea", results)
    last = by_shot(compared(made))[-1]
    assert (last.number, last.blocks, last.interval, last.verdict) == (2, 1, None, "cannot be told")
    assert last.points == 0
