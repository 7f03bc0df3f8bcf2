"""What a scan will take: the frames it says are the frames the scan judges; times follow from what trying took."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.jobs.estimate import TRIES, Estimate, _clock_time, _drawn, estimate
from yoto_video.jobs.request import Request
from yoto_video.jobs.work import Task
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

from .fakes import FakeJudge
from .scanning import SETTINGS, run


def test_frames_are_those_that_the_scan_judges(films: Path, out_dir: Path) -> None:
    request = Request(str(films / "one"), str(out_dir), SETTINGS, workers=0)
    said = estimate(request, load=lambda _: FakeJudge())
    assert not out_dir.exists()
    _, judge, _ = run(films / "one", out_dir)
    assert (said.videos, said.ladders, said.frames, said.up_to_date) == (3, 1, judge.encoded, 0)
    assert said.unknown == 0
    assert next(said.lines()) == "to measure  3 videos, 1 ladder, 0 alone"
    assert 0 < said.seconds[0] < said.seconds[1]
    with Store(out_dir, read_only=True) as store:
        assert store.runs()[0].frames == judge.encoded
    again = estimate(request, load=lambda _: FakeJudge())
    assert (again.videos, again.up_to_date, again.frames) == (0, 5, 0)
    assert list(again.lines()) == ["to measure  0 videos, 0 ladders, 0 alone (up to date: 5 results)"]


def test_headers_that_do_not_tell_are_counted() -> None:
    made = Estimate(5, 3, 2, 0, 60.0, 1, 120, 1, (1.0, 2.0), 1, 1.0)
    assert list(made.lines())[1] == "video       60 s, lengths as headers say; 1 header does not say it, 10 s taken"
    assert "; 2 headers do not say it, " in list(replace(made, unknown=2).lines())[1]
    assert (made.as_json()["ladders"], made.as_json()["alone"]) == (1, 2)  # as the first line says


def test_a_budget_is_told_apart(films: Path, out_dir: Path) -> None:
    settings = replace(SETTINGS, min_frames=5)
    request = Request(str(films), str(out_dir), settings, workers=0, budget="64frames")
    said = estimate(request, load=lambda _: FakeJudge())
    assert said.first_look is not None
    assert 0 < said.first_look[0] < said.frames
    assert said.closer[0] == said.closer[1] == pytest.approx((64 - said.first_look[0]) / said.frames)
    assert any(line.startswith("closer") and "64 frames" in line for line in said.lines())
    assert said.as_json()["frames"] == said.frames


@settings(deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40), st.integers(1, 12))
def test_large_ladders_are_surely_drawn(sizes: list[int], count: int) -> None:
    tasks = [Task(Ladder(str(n), (Rendition(VideoRef(f"/{n}")),))) for n in range(len(sizes))]
    drawn = _drawn(tasks, sizes, count)
    assert 1 <= len(drawn) <= min(count, len(tasks))
    assert len({id(task) for task in drawn}) == len(drawn)
    for task, size in zip(tasks, sizes, strict=True):
        if size > 2 * sum(sizes) / count:
            assert task in drawn


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 1000), min_size=1, max_size=20),
    st.lists(st.floats(0.01, 10), min_size=1, max_size=12),
    st.integers(1, 50),
)
def test_the_range_holds_what_even_rates_would_take(sizes: list[int], rates: list[float], workers: int) -> None:
    low, high = _clock_time(sizes, rates, workers, 5.0)
    mean = sum(rates) / len(rates)
    assert low <= 5 + mean * sum(sizes) / workers or max(sizes) > sum(sizes) / workers
    assert high >= 5 + min(rates) * max(sizes)
    assert low < high
    if len(rates) < TRIES:  # few tries, wide range
        assert high - 5 >= 2 * (low - 5)
