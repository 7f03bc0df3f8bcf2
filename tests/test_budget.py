"""What a budget is, what it buys, and that scan after scan ends where one without a budget does."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.jobs.budget import (
    SECONDS_A_FRAME,
    Purse,
    choose,
    frames_in,
    frames_of,
    parse_budget,
    seconds_of,
    urgency,
)  # fmt: skip
from yoto_video.jobs.scan import length, scan
from yoto_video.jobs.status import status
from yoto_video.jobs.work import Task
from yoto_video.pipeline import storage
from yoto_video.pipeline.depth import looks
from yoto_video.pipeline.discover import Plan
from yoto_video.pipeline.errors import UsageError
from yoto_video.pipeline.glance import Glance
from yoto_video.pipeline.pool import POOLS
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipScore, Ladder, Rendition, VideoRef

from .scanning import SETTINGS, rows, run


class Clock:
    seconds = 0.0


def purse(text: str, workers: int = 1) -> tuple[Purse, Any]:
    clock = Clock()
    return Purse(parse_budget(text), workers, clock), clock  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "seconds", "frames"),
    [
        ("90min", 5400, math.inf), ("1.5 h", 5400, math.inf), ("2m", 120, math.inf), ("5000frames", math.inf, 5000),
        ("7f", math.inf, 7),
    ],
)  # fmt: skip
def test_budgets_are_read(text: str, seconds: float, frames: float) -> None:
    budget = parse_budget(text)
    assert (budget.seconds, budget.frames) == (seconds, frames)


@pytest.mark.parametrize(
    ("text", "said"),
    [("5000000frames", "5,000,000 frames"), ("1f", "1 frame"), ("1 min", "1 minute"), ("90min", "90 minutes"),
     ("1.5h", "1.5 hours"), ("1h", "1 hour")],
)  # fmt: skip
def test_budgets_are_said_in_words(text: str, said: str) -> None:
    assert parse_budget(text).said == said


@pytest.mark.parametrize("text", ["", "30", "min", "-3min", "0min", "5 apples", "1e9min", "nan min"])
def test_what_is_no_budget_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError, match="90min, 2h, 5000frames"):
        parse_budget(text)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40), st.booleans()), max_size=30))
def test_frames_are_never_overspent_but_by_what_took_more_than_was_asked(work: list[tuple[int, int, bool]]) -> None:
    """Whatever is asked for at once, and in whatever order it comes back."""
    one, _ = purse("100frames", workers=3)
    under_way: dict[str, tuple[int, int]] = {}
    asked = spent = 0
    for number, (frames, took, back) in enumerate(work):
        if one.fits(frames):
            assert frames <= one.room + 1e-9
            one.ask(str(number), frames)
            under_way[str(number)] = frames, min(took, frames)
            asked += frames
        assert asked + spent <= 100
        if back and under_way:
            name, (expected, used) = under_way.popitem()
            one.paid(name, used, 1.0)
            asked, spent = asked - expected, spent + used


def test_time_goes_by_the_clock_and_by_what_frames_took() -> None:
    one, clock = purse("1min", workers=2)
    assert one.room == pytest.approx(120 / SECONDS_A_FRAME)
    one.ask("a", 10)
    one.paid("a", 10, 20.0)
    assert (one.pace, one.room) == (2.0, 60.0)
    assert one.fits(30)
    assert not one.fits(31)
    clock.seconds = 50.0
    assert one.fits(5)
    assert not one.fits(6)
    one.closer()
    assert one.pace == 2.0  # until a closer look has come back
    one.paid("b", 10, 5.0)
    assert one.pace == 0.5
    clock.seconds = 61.0
    assert one.room == 0


def row(path: str, score: float, interval: tuple[float, float] | None, seconds: float = 10.0) -> ClipScore:
    pools = dict.fromkeys(POOLS, score)
    return ClipScore(
        path, "l", "nr", "ok", pools=pools, ci95=interval, frames=4, duration_s=seconds, depth="first",
    )  # fmt: skip


def test_low_and_uncertain_scores_come_first() -> None:
    low, doubtful, sure, still = (
        row("/low", 40, (35, 45)), row("/doubtful", 80, (30, 99)), row("/sure", 75, (70, 80)), row("/still", 72, None),
    )  # fmt: skip
    assert sorted([sure, low, doubtful, still], key=urgency) == [doubtful, low, sure, still]


def plan(*ladders: Ladder) -> Plan:
    return Plan("/", ladders)


def ladder(name: str, *paths: str, master: str | None = None) -> Ladder:
    return Ladder(name, tuple(Rendition(VideoRef(p)) for p in paths), VideoRef(master) if master else None)


def test_a_master_is_paid_once_for_all_its_encodes() -> None:
    one = plan(ladder("film", "/a", "/b", "/c", master="/m"), ladder("other", "/o"))
    seen = [row("/m", 90, (88, 92)), row("/a", 50, (40, 60)), row("/b", 80, (75, 85)), row("/c", 20, (10, 30))]
    seen.append(row("/o", 60, (50, 70)))
    settings = Settings(fps=1, min_frames=1)  # ten frames each
    found = {c.ladder.name: c for c in choose(one, seen, settings, purse("30frames")[0])}
    assert found.keys() == {"film"}  # 20 for the lowest and its master, 10 for the next one, nothing left
    assert (found["film"].paths, found["film"].frames) == (frozenset({"/m", "/a", "/c"}), 30)
    found = {c.ladder.name: c for c in choose(one, seen, settings, purse("10frames")[0])}
    assert {name: c.paths for name, c in found.items()} == {"other": frozenset({"/o"})}
    assert choose(one, [row("/m", 90, (88, 92))], settings, purse("30frames")[0])[0].paths == {"/m"}


@settings(deadline=None)
@given(
    shapes=st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=5),
    scores=st.lists(st.floats(0, 100), min_size=25, max_size=25),
    room=st.integers(1, 300),
)
def test_what_is_chosen_fits_and_is_known(shapes: list[tuple[int, bool]], scores: list[float], room: int) -> None:
    ladders = [
        ladder(f"{n}", *(f"/{n}/{i}" for i in range(count)), master=f"/{n}/m" if has else None)
        for n, (count, has) in enumerate(shapes)
    ]
    known = [
        row(video.path, score, None, 1 + score % 7)
        for video, score in zip((v for one in ladders for v in one.videos), scores, strict=False)
    ]
    settings = Settings(fps=2, min_frames=2)
    chosen = choose(plan(*ladders), known, settings, purse(f"{room}frames")[0])
    lengths = {r.path: frames_of(r.duration_s, settings) for r in known}
    assert len({c.ladder.name for c in chosen}) == len(chosen)
    assert sum(c.frames for c in chosen) <= room
    for one in chosen:
        read = one.paths | ({one.ladder.master.path} if one.ladder.master else set())
        assert one.frames == sum(lengths[path] for path in read)


def test_small_budgets_one_after_the_other_end_with_the_rows_of_a_scan_without(
    films: Path,
    tmp_path: Path,
) -> None:
    run(films, tmp_path / "plain")
    expected = rows(tmp_path / "plain")
    out, spent, seen = tmp_path / "out", [], []
    for _ in range(12):
        result, judge, _ = run(films, out, budget="12frames")
        spent.append(judge.encoded)
        seen.append({(c.path.rsplit("/", 1)[-1], c.depth) for c in result.clips if c.status == "ok"})
        assert len({c.path for c in result.clips}) == len({r["path"] for r in expected})  # a row for every file
        if not judge.encoded:
            break
    assert max(spent) <= 12
    assert len(spent) > 2
    assert ("alone.mkv", "first") in seen[0] | seen[1]
    found = rows(out)
    assert [r for r in found if r["status"] == "ok"] == [r for r in expected if r["status"] == "ok"]
    assert [(r["path"], r["status"], r["reason"]) for r in found] == [
        (r["path"], r["status"], r["reason"]) for r in expected
    ]
    assert looks(result.clips) is None


def test_what_was_looked_at_how_hard_is_said(films: Path, out_dir: Path) -> None:
    result, *_ = run(films / "one", out_dir, budget="16frames")  # 9 for the first look, 6 for a pair
    by_name = {Path(c.path).name: c for c in result.clips}
    assert {c.depth for c in result.clips} == {"first", "full"}
    assert sum(c.mode == "fr" for c in result.clips) == 1
    first = [c for c in result.clips if c.depth == "first"]
    assert all(c.mode == "nr" and c.frames == 3 and not c.moments for c in first)
    assert all(any(f.kind == "first_look" for f in c.findings) for c in first)
    assert looks(result.clips) == "looked at in full: 2, at a first look: 1"
    assert "looked at in full: 2" in result.report.read_text()
    again, *_ = run(films / "one", out_dir)  # without a budget: everything in full
    assert {c.depth for c in again.clips} == {"full"}
    assert len(by_name) == 3


def test_a_budget_that_reaches_nothing_says_so_in_every_row(films: Path, out_dir: Path) -> None:
    result, judge, _ = run(films / "one", out_dir, budget="1frames")
    assert judge.encoded == 0
    assert {(c.status, c.depth, c.retryable) for c in result.clips} == {("skipped", "none", True)}
    assert "budget of 1 frame was used up; the next run goes on" in str(result.clips[0].reason)
    run(films / "one", out_dir, budget="9frames")
    result, judge, _ = run(films / "one", out_dir, budget="1frames")
    assert {c.depth for c in result.clips} == {"first"}  # what is known stays
    assert judge.encoded == 0


def test_what_a_budget_never_reached_is_not_kept_from_before(films: Path, out_dir: Path) -> None:
    run(films / "one", out_dir, budget="1frames")
    run(films / "one", out_dir, budget="9frames")  # three first looks
    result, *_ = run(films / "one", out_dir, budget="1frames")
    with Store(out_dir, read_only=True) as store:
        assert [run.reused for run in store.runs()] == [0, 0, len(result.clips)]


def test_rounds_of_looks_are_counted_together(films: Path, out_dir: Path) -> None:
    """What does not fit in what is left is tried once more: that round does nothing, and the others were done."""
    whole, *_ = run(films, out_dir / "whole")
    result, *_ = run(films, out_dir / "part", budget="4frames")
    seen = {c.path for c in result.clips if c.depth != "none"}
    assert 0 < len(seen) < len({c.path for c in whole.clips})
    said = status(str(out_dir / "part"))
    assert (said["stage"], said["done"], said["videos"]) == (
        "first look",
        len(seen),
        len({c.path for c in whole.clips}),
    )


def test_a_budget_takes_no_result_that_it_cannot_replace(films: Path, out_dir: Path) -> None:
    whole, *_ = run(films / "one", out_dir)
    result, judge, _ = run(films / "one", out_dir, resume=False, budget="4frames")
    assert judge.encoded <= 4
    assert {c.status for c in result.clips} == {"ok"}
    assert sum(c.depth == "full" for c in result.clips) >= len(whole.clips) - 2


def test_what_a_budget_does_not_reach_is_not_read(films: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To know the id of a file that was never judged would take reading all of it."""
    monkeypatch.setattr(storage, "content_id", lambda ref, **_: pytest.fail(f"{ref.path} was read"))
    result, *_ = run(films / "one", out_dir, budget="1frames")
    assert {c.depth for c in result.clips} == {"none"}


def test_what_stands_from_other_settings_is_said(films: Path, out_dir: Path) -> None:
    run(films / "one", out_dir)
    result, judge, said = run(films / "one", out_dir, settings=replace(SETTINGS, fps=4.0), budget="1frames")
    assert judge.encoded == 0
    assert result.outdated == 3
    assert {c.status for c in result.clips} == {"ok"}
    assert any("3 videos that the budget did not reach: what was measured with other settings" in s for s in said)
    for resume in (True, False):
        again, *_ = run(films / "one", out_dir, budget="1frames", resume=resume)  # as they were measured
        assert again.outdated == 0
    other, *_ = run(films / "one", out_dir, settings=replace(SETTINGS, fps=4.0), budget="1frames", resume=False)
    assert other.outdated == 3


def test_lengths_are_taken_alike_by_frames_and_by_seconds() -> None:
    """Of what does not say its length ten seconds count, of a still picture one frame and no time."""
    refs = [VideoRef("/v/raw.h264"), VideoRef("/v/one.png"), VideoRef("/v/two.mp4")]
    known = Plan("/v", (), glances={"/v/two.mp4": Glance(duration_s=4.0), "/v/raw.h264": Glance()})
    task = Task(Ladder("v", tuple(map(Rendition, refs)), None))
    assert [seconds_of(ref, known) for ref in refs] == [10.0, 0.0, 4.0]
    assert length(task, known) == 14.0
    assert frames_in(task, known, Settings(fps=2, min_frames=2)) == 20 + 1 + 8


def test_a_wrong_budget_ends_the_scan_before_anything_is_written(films: Path, out_dir: Path) -> None:
    from yoto_video.jobs.request import Request

    with pytest.raises(UsageError, match="no budget"):
        scan(Request(str(films), str(out_dir), SETTINGS, budget="much"))
    assert not out_dir.exists()
