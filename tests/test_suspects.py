"""Whose comparison falls for a while though it looks as good as ever: only these are looked at closely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from yoto_video.pipeline import measure, suspects
from yoto_video.pipeline.align import Clock
from yoto_video.pipeline.pool import pool
from yoto_video.pipeline.tracks import Track
from yoto_video.pipeline.values import ClipResult, ClipScore, FrameScore, Mode

from .fakes import FakeJudge, FakeVideo, info, times
from .measuring import Make, ladder, rows, run


def judged(path: str, fr: Sequence[float], nr: Sequence[float], ratio: float = 1.0) -> list[ClipResult]:
    def of(mode: Mode, scores: Sequence[float]) -> ClipResult:
        frames = tuple(FrameScore(12 * i, i / 2, score, mode) for i, score in enumerate(scores))
        pools = pool([frame.pts_time for frame in frames], list(scores))
        rate = ratio if mode == "fr" else None
        clip = ClipScore(path=path, ladder="t", mode=mode, status="ok", pools=pools, rate_ratio=rate)
        return ClipResult(clip, frames)

    return [of("nr", nr), of("fr", fr)]


EVEN = [80.0] * 12
WRONG = [80.0] * 4 + [66.0] * 3 + [80.0] * 5


@pytest.mark.parametrize(
    ("fr", "nr", "asked"),
    [
        (EVEN, EVEN, False),
        (WRONG, EVEN, True),
        (WRONG, WRONG, False),  # it is coded worse there
        (EVEN, WRONG, False),
        ([80.0] * 5 + [66.0] + [80.0] * 6, EVEN, False),  # one frame, by a little
        ([80.0] * 5 + [50.0] + [80.0] * 6, EVEN, True),
        ([80.0] * 5 + [50.0] * 5, [80.0] * 10, True),  # half of the clip
        (WRONG[3:6], EVEN[:3], False),  # too few to say what is usual
    ],
)
def test_a_comparison_that_falls_alone_is_asked_about(fr: list[float], nr: list[float], asked: bool) -> None:
    assert suspects.of_scores(judged("a", fr, nr)) == (frozenset({"a"}) if asked else frozenset())


def test_what_falls_in_half_of_the_ladder_is_hard_to_code() -> None:
    alone = [*judged("a", WRONG, EVEN), *judged("b", EVEN, EVEN), *judged("c", EVEN, EVEN)]
    assert suspects.of_scores(alone) == {"a"}
    assert suspects.of_scores([*alone[:4], *judged("c", WRONG, EVEN)]) == frozenset()


def test_a_shot_that_looks_worse_than_the_one_before_is_not() -> None:
    first, second = judged("a", [80.0] * 6 + [60.0] * 6, EVEN)
    cut = [replace(r, frames=tuple(replace(f, shot=i // 6) for i, f in enumerate(r.frames))) for r in (first, second)]
    assert suspects.of_scores([first, second]) == {"a"}
    assert suspects.of_scores(cut) == frozenset()


def test_a_shot_that_compares_as_other_pictures_do_is() -> None:
    rows = judged("a", [80.0] * 6 + [20.0] * 6, EVEN)
    cut = [replace(r, frames=tuple(replace(f, shot=i // 6) for i, f in enumerate(r.frames))) for r in rows]
    assert suspects.of_scores(cut) == {"a"}


def test_a_second_try_that_fails_loses_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    media = make(m=FakeVideo(times(100), info()), a=FakeVideo(times(100), info(), noise=9))
    before = rows(run(ladder("a", master="m")))

    def asked(results: Sequence[ClipResult]) -> frozenset[str]:
        media.videos["/a.mp4"].breaks_at = 0
        return frozenset({"/a.mp4"})

    monkeypatch.setattr(suspects, "of_scores", asked)
    assert rows(run(ladder("a", master="m"))) == before


def test_another_speed_is_not() -> None:
    assert suspects.of_scores(judged("a", WRONG, EVEN, ratio=1.04)) == frozenset()


def three(make: Make) -> Any:
    return make(**{name: FakeVideo(times(100), info(), noise=n) for name, n in (("m", 0), ("a", 5), ("b", 9))})


def test_who_lies_as_before_is_not_judged_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    media = three(make)
    before = rows(run(ladder("a", "b", master="m")))
    once = len(media.read)
    monkeypatch.setattr(suspects, "of_scores", lambda results: frozenset({"/b.mp4"}))
    result = run(ladder("a", "b", master="m"), FakeJudge())
    assert rows(result) == before
    assert len(media.read) == 2 * once
    assert result.seconds["wall"] >= result.seconds["probe"] > 0


def test_only_who_lies_elsewhere_is_measured_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    media = three(make)
    before = rows(run(ladder("a", "b", master="m")))
    once = len(media.read)
    choose = measure.choose_samples

    def chosen(tracks: list[Track], *rest: Any, closely: frozenset[str], **named: Any) -> Any:
        found = choose(tracks, *rest, closely=closely, **named)
        for track in tracks:
            if track.ref.path in closely and track.match is not None:
                track.match = replace(track.match, clock=Clock(steps=((Fraction(1), Fraction(1, 25)),)))
        return found

    monkeypatch.setattr(measure, "choose_samples", chosen)
    monkeypatch.setattr(suspects, "of_scores", lambda results: frozenset({"/b.mp4"}))
    result = run(ladder("a", "b", master="m"), FakeJudge())
    assert list(rows(result)) == list(before)
    assert sorted(media.read[2 * once :]) == ["/b.mp4", "/m.mp4"]
    assert result.frames > 0
