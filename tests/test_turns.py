"""Frames are looked at half of their places at a time, and no score is of less than all of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.models.crops import Look, in_turn, looks
from yoto_video.pipeline.align import Sample
from yoto_video.pipeline.lockstep import Taken
from yoto_video.pipeline.pictures import WorstFrames
from yoto_video.pipeline.score import Scorer, Tally
from yoto_video.pipeline.turns import WHOLE, Turns
from yoto_video.pipeline.values import Frame

from .fakes import FakeJudge

A, B = "left", "right"  # what the two halves of a frame's places are called here
Shown = dict[int, Any]  # by half, what was seen there


class HalfJudge(FakeJudge):
    """Says of each half of a frame the number that its pixels have there; scores are means of both."""

    def __init__(self) -> None:
        super().__init__()
        self.halves: list[int | None] = []

    def encode(self, frames: Sequence[Any], turns: Any = None) -> list[Any]:
        self.halves += turns
        return [
            {half: (int(f[0, half * 2, 0]), turn) for half in ((0, 1) if turn is None else (turn,))}
            for f, turn in zip(frames, turns, strict=True)
        ]

    def say(self, encoded: Sequence[Any], references: Sequence[Any] | None = None) -> list[Any]:
        if references is None:
            return [{half: value for half, (value, _) in x.items()} for x in encoded]
        # An encode is looked at where its master was, whatever it was looked at before.
        return [{half: value for half, (value, _) in y.items()} for y in references]

    def joined(self, said: Shown, before: Shown | None) -> Shown:
        rest = {half: value for half, value in (before or {}).items() if half not in said}
        return {**said, **rest} if rest else said

    def score(self, said: Shown) -> float:
        assert set(said) == {0, 1}  # of less than all places no score is given
        return float(np.mean(list(said.values())))


def frame(index: int, *, at: float | None = None, cut: bool = False, value: int = 50) -> Frame:
    rgb = np.full((4, 4, 3), value, np.uint8)
    return Frame(index, Fraction(index, 2) if at is None else Fraction(at), rgb, cut)


def scorer(judge: FakeJudge, masters: bool = False) -> tuple[Scorer, dict[int, Tally]]:
    tallies = {i: Tally(f"v{i}.mp4", Fraction(0), WorstFrames(0)) for i in range(2 if masters else 1)}
    return Scorer(judge, tallies, {1: 0} if masters else {}), tallies


def taken(video: int, shown: Frame, *, paired: bool = False, scored: bool = True) -> Taken:
    return Taken(video, Sample(step=shown.index, frame=shown.index, paired=paired, scored=scored), shown)


def test_every_other_half_and_the_whole_where_nothing_fresh_is_known() -> None:
    judge = HalfJudge()
    work, tallies = scorer(judge)
    frames = [frame(0), frame(1), frame(2), frame(3, cut=True), frame(4), frame(9), frame(10)]
    work.add([taken(0, f) for f in frames[:3]])
    work.add([taken(0, f) for f in frames[3:]])
    assert [half is None for half in judge.halves] == [True, False, False, True, False, True, False]
    assert judge.halves[1] != judge.halves[2]
    spans = [f.span_s for f in tallies[0].scores["nr"]]
    assert spans == [0, 0.5, 0.5, 0, 0.5, 0, 0.5]  # frame 9 comes two and a half seconds after frame 4


def test_a_score_is_of_both_halves_and_a_change_shows_half_at_first() -> None:
    work, tallies = scorer(HalfJudge())
    work.add([taken(0, frame(i, value=40 if i < 2 else 80)) for i in range(5)])
    assert [f.score for f in tallies[0].scores["nr"]] == [40, 40, 60, 80, 80]


def test_frames_far_apart_are_looked_at_whole() -> None:
    judge = HalfJudge()
    work, _ = scorer(judge)
    work.add([taken(0, frame(i, at=2.5 * i)) for i in range(4)])
    assert judge.halves == [None] * 4


def test_a_pair_without_the_one_before_is_looked_at_whole() -> None:
    judge = HalfJudge()
    work, tallies = scorer(judge, masters=True)
    pair = [frame(i) for i in range(5)]
    work.add([taken(0, pair[0]), taken(1, pair[0], paired=True)])
    work.add([taken(0, f) for f in pair[1:3]])  # these frames of the encode are missing
    work.add([taken(0, pair[3]), taken(1, pair[3], paired=True), taken(0, pair[4]), taken(1, pair[4], paired=True)])
    assert [(f.frame_num, f.span_s) for f in tallies[1].scores["fr"]] == [(0, 0), (3, 0), (4, 0.5)]
    assert [f.span_s for f in tallies[0].scores["nr"]] == [0, 0.5, 0.5, 0.5, 0.5]


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(1, 12)), max_size=30))
def test_both_halves_are_of_one_shot_and_no_older_than_a_second(steps: list[tuple[int, bool, int]]) -> None:
    """Whatever comes in whatever order, the half that is not looked at was so within a second, after the last cut."""
    turns, now = Turns(), Fraction(0)
    last: dict[int, Fraction] = {}
    for which, cut, tenths in steps:
        now += Fraction(tenths, 10)
        half = (0, 1, None)[which]
        turn = turns.take(half, now, cut=cut)
        if cut:
            last.clear()
        if turn.half is None:
            assert turn == WHOLE
            last = {0: now, 1: now}
        else:
            assert turn.half == half
            assert now - last[1 - turn.half] <= 1
            assert turn.span_s == pytest.approx(float(now - last[1 - turn.half]))
            last[turn.half] = now


@given(st.integers(1, 4320), st.integers(1, 4320), st.integers(1, 40), st.integers(0, 3))
def test_two_turns_are_all_places_and_share_near_and_far(height: int, width: int, count: int, seed: int) -> None:
    places = looks(height, width, count, 224, overview=True, seed=seed)
    parts = [in_turn(places, turn) for turn in (0, 1)]
    if len(places) < 4:
        assert parts == [places, places]
        return
    assert sorted(parts[0] + parts[1]) == sorted(places)
    for step in {look.step for look in places}:
        sizes = [sum(look.step == step for look in part) for part in parts]
        assert abs(sizes[0] - sizes[1]) <= 1
    assert all(any(look.step == 1 for look in part) for part in parts)


def test_turns_are_spread_like_the_colours_of_a_board() -> None:
    near = [look for look in looks(1080, 1920, 6, 224, overview=True) if look.step == 1]
    side = {look.turn: {(k.top > 430, k.left > 850) for k in near if k.turn == look.turn} for look in near}
    assert side == {0: {(False, False), (True, True)}, 1: {(False, True), (True, False)}}
    assert in_turn([Look(0, 0)] * 3, 1) == [Look(0, 0)] * 3
