"""Each frame is encoded once; scores, failures and worst frames end up with the video they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from yoto_video.pipeline.align import Sample
from yoto_video.pipeline.errors import BrokenVideo, TransientVideoError, as_video_error
from yoto_video.pipeline.lockstep import Taken
from yoto_video.pipeline.pictures import WorstFrames
from yoto_video.pipeline.score import Scorer, Tally
from yoto_video.pipeline.values import Frame

from .fakes import FakeJudge, picture


def taken(video: int, index: int, *, paired: bool = False, scored: bool = True, noise: int = 0) -> Taken:
    frame = Frame(index, 7 + Fraction(index, 25), picture(index / 25, noise, 64, 48))
    return Taken(video, Sample(step=index, frame=index, paired=paired, scored=scored), frame)


def scorer(judge: FakeJudge, videos: int, master: int | None = 0) -> tuple[Scorer, dict[int, Tally]]:
    tallies = {i: Tally(f"v{i}.mp4", Fraction(7), WorstFrames(2)) for i in range(videos)}
    references = {} if master is None else {i: master for i in range(videos) if i != master}
    return Scorer(judge, tallies, references), tallies


def test_a_masters_frame_is_encoded_once_for_all_its_encodes_and_both_modes() -> None:
    judge = FakeJudge()
    work, tallies = scorer(judge, 3)
    work.add([taken(0, 5), taken(1, 5, paired=True), taken(2, 5, paired=True, noise=50)])
    assert judge.encoded == 3
    assert [len(t.scores["nr"]) for t in tallies.values()] == [1, 1, 1]
    assert [len(t.scores["fr"]) for t in tallies.values()] == [0, 1, 1]
    assert tallies[1].scores["fr"][0].score == 100
    assert tallies[2].scores["fr"][0].score == pytest.approx(75, abs=0.5)
    row = tallies[1].scores["fr"][0]
    assert (row.frame_num, row.pts_time, row.mode) == (5, 0.2, "fr")  # seconds from the stream's first frame


def test_a_reference_waits_for_encodes_of_the_same_step_in_the_next_batch_and_no_longer() -> None:
    work, tallies = scorer(FakeJudge(), 3)
    work.add([taken(0, 1), taken(1, 1, paired=True), taken(2, 1, paired=True), taken(0, 2)])
    work.add([taken(1, 2, paired=True), taken(2, 2, paired=True), taken(0, 3)])
    assert [f.frame_num for f in tallies[2].scores["fr"]] == [1, 2]
    assert list(work._references) == [(0, 3)]


def test_a_reference_alone_is_not_scored() -> None:
    work, tallies = scorer(FakeJudge(), 2)
    work.add([taken(0, 1, scored=False), taken(1, 1, paired=True)])
    assert not tallies[0].scores["nr"]
    assert len(tallies[1].scores["fr"]) == 1


def test_a_frame_without_its_reference_is_judged_alone() -> None:
    work, tallies = scorer(FakeJudge(), 2)
    work.add([Taken(0, Sample(4, 4)), taken(1, 4, paired=True)])
    assert (len(tallies[1].scores["nr"]), len(tallies[1].scores["fr"])) == (1, 0)
    assert [k.row.mode for k in tallies[1].worst.found()] == ["nr"]


class PickyJudge(FakeJudge):
    """Refuses dark pictures and gives no number for bright ones."""

    def encode(self, frames: Sequence[Any], turns: Any = None) -> list[Any]:
        if any(f.max() == 0 for f in frames):
            raise RuntimeError("too dark\nsecond line")
        return super().encode(frames)

    def nr(self, encoded: Sequence[Any]) -> list[float]:
        return [float("nan") if e.min() == 255 else 50.0 for e in encoded]


def test_the_frame_the_network_cannot_take_costs_only_its_own_video() -> None:
    work, tallies = scorer(PickyJudge(), 3, master=None)
    dark = Taken(1, Sample(0, 0), Frame(0, Fraction(7), np.zeros((48, 64, 3), np.uint8)))
    work.add([taken(0, 0), dark, taken(2, 0)])
    assert [t.failure is None for t in tallies.values()] == [True, False, True]
    assert isinstance(tallies[1].failure, TransientVideoError)
    assert tallies[1].failure.reason == "unexpected error while judging (RuntimeError: too dark)"
    work.add([taken(0, 1), taken(1, 1), taken(2, 1)])
    assert [len(t.scores["nr"]) for t in tallies.values()] == [2, 0, 2]


def test_a_score_that_is_no_number_is_a_failure_and_not_a_zero() -> None:
    work, tallies = scorer(PickyJudge(), 2)
    bright = Taken(0, Sample(0, 0), Frame(0, Fraction(7), np.full((48, 64, 3), 255, np.uint8)))
    work.add([bright, taken(1, 0, paired=True)])
    assert isinstance(tallies[0].failure, BrokenVideo)
    assert "no number (nan, nr) for frame 0" in tallies[0].failure.reason
    assert tallies[1].failure is None  # judged alone: a broken master is no reference
    assert (len(tallies[1].scores["nr"]), len(tallies[1].scores["fr"])) == (1, 0)


def test_a_decoding_error_after_some_frames_keeps_what_came_before_unless_it_may_pass() -> None:
    work, tallies = scorer(FakeJudge(), 3, master=None)
    work.add([taken(0, 0), taken(1, 0)])
    work.add([
        Taken(0, Sample(1, 1), error=BrokenVideo("v0.mp4", "it ends")),
        Taken(1, Sample(1, 1), error=TransientVideoError("v1.mp4", "too slow")),
        Taken(2, Sample(1, 1), error=BrokenVideo("v2.mp4", "nothing there")),
    ])  # fmt: skip
    assert (tallies[0].failure, tallies[0].trouble, tallies[0].decoded) == (None, "it ends", 1)
    assert tallies[1].failure is not None
    assert tallies[1].failure.retryable
    assert tallies[2].failure is not None
    assert not tallies[2].failure.retryable


class ShortJudge(FakeJudge):
    def nr(self, encoded: Sequence[Any]) -> list[float]:
        return super().nr(encoded)[:-1]


def test_a_judge_that_answers_too_little_is_noticed() -> None:
    work, tallies = scorer(ShortJudge(), 1, master=None)
    work.add([taken(0, 0), taken(0, 1)])
    assert tallies[0].failure is not None
    assert "0 answers for 1 frames" in tallies[0].failure.reason


def test_expected_errors_stay_what_they_are() -> None:
    error = BrokenVideo("a.mp4", "encrypted")
    assert as_video_error("a.mp4", error, "reading") is error
    assert as_video_error("a.mp4", ValueError(), "reading").reason == "unexpected error while reading (ValueError)"
