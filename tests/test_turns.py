"""Frames are looked at half of their places at a time, and no score is of less than all of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from yoto_video.models.crops import Look, in_turn, looks
from yoto_video.models.judge import Judge
from yoto_video.pipeline.align import Sample, master_samples, own_samples, pair_with_master
from yoto_video.pipeline.drops import quality_drops
from yoto_video.pipeline.lockstep import Taken
from yoto_video.pipeline.pictures import WorstFrames
from yoto_video.pipeline.pool import alone, ci95
from yoto_video.pipeline.score import Scorer, Tally
from yoto_video.pipeline.turns import WHOLE, Turns
from yoto_video.pipeline.values import Frame, FrameScore, Mode
from yoto_video.reports import bootstrap

from . import golden_scores
from .fakes import FakeJudge

Said = dict[Any, Any]  # by half, what was seen there; and "at", where its places are


class HalfJudge(FakeJudge):
    """Says of each half of a frame the number that its pixels have there; scores are means of both.

    The first pixel's blue says where the places are: frames of another number there are looked at elsewhere.
    """

    def __init__(self) -> None:
        super().__init__()
        self.halves: list[int | None] = []

    def encode(self, frames: Sequence[Any], turns: Any = None) -> list[Any]:
        self.halves += turns
        return [
            {half: int(f[0, half * 2, 0]) for half in ((0, 1) if turn is None else (turn,))} | {"at": int(f[0, 0, 2])}
            for f, turn in zip(frames, turns, strict=True)
        ]

    def say(self, encoded: Sequence[Any], references: Sequence[Any] | None = None) -> list[Any]:
        return list(encoded if references is None else references)  # an encode is looked at where its master was

    def joined(self, said: Said, before: Said | None) -> Said | None:
        if 0 in said and 1 in said:
            return said
        return None if before is None or before["at"] != said["at"] else {**before, **said}

    def score(self, said: Said) -> float:
        return (said[0] + said[1]) / 2  # of less than all places no score is given


def frame(index: int, *, at: float | None = None, shot: int = 0, value: int = 50, place: int = 0) -> Frame:
    rgb = np.full((4, 4, 3), value, np.uint8)
    rgb[..., 2] = place
    return Frame(index, Fraction(index, 2) if at is None else Fraction(at), rgb, shot)


def scorer(judge: FakeJudge, masters: bool = False) -> tuple[Scorer, dict[int, Tally]]:
    tallies = {i: Tally(f"v{i}.mp4", Fraction(0), WorstFrames(1)) for i in range(2 if masters else 1)}
    return Scorer(judge, tallies, {1: 0} if masters else {}), tallies


def taken(video: int, shown: Frame, *, paired: bool = False, scored: bool = True, half: int | None = None) -> Taken:
    half = shown.index % 2 if half is None else half
    return Taken(video, Sample(shown.index, shown.index, paired=paired, scored=scored, half=half), shown)


def spans(tally: Tally, mode: Mode = "nr") -> list[float | None]:
    return [row.span_s for row in tally.scores[mode]]


def test_every_other_half_and_the_whole_where_nothing_fresh_is_known() -> None:
    judge = HalfJudge()
    work, tallies = scorer(judge)
    frames = [*map(frame, range(3)), frame(3, shot=1), frame(4, shot=1), frame(9, shot=1), frame(10, shot=1)]
    work.add([taken(0, f) for f in frames[:3]])
    work.add([taken(0, f) for f in frames[3:]])
    assert judge.halves == [None, 1, 0, None, 0, None, 0]
    assert spans(tallies[0]) == [0, 0.5, 0.5, 0, 0.5, 0, 0.5]  # frame 9 comes two and a half seconds after frame 4


def test_a_score_is_of_both_halves_and_a_change_shows_half_at_first() -> None:
    work, tallies = scorer(HalfJudge())
    work.add([taken(0, frame(i, value=40 if i < 2 else 80)) for i in range(5)])
    assert [f.score for f in tallies[0].scores["nr"]] == [40, 40, 60, 80, 80]


def test_of_a_bad_frame_and_the_next_one_that_shares_with_it_the_bad_one_is_the_worst() -> None:
    work, tallies = scorer(HalfJudge())
    work.add([taken(0, frame(i, value=20 if i == 3 else 80)) for i in range(7)])
    assert [f.score for f in tallies[0].scores["nr"]] == [80, 80, 80, 50, 50, 80, 80]
    assert [kept.row.frame_num for kept in tallies[0].worst.found()] == [3]


def test_the_frame_with_the_lowest_score_is_the_worst_though_one_before_it_looks_worse() -> None:
    """Moments are found by their scores: a frame that is lowest in `frames` and not shown would look like a fault."""
    work, tallies = scorer(HalfJudge())
    work.add([taken(0, frame(i, value=v)) for i, v in enumerate((80, 80, 20, 60, 80, 80))])
    assert [f.score for f in tallies[0].scores["nr"]] == [80, 80, 50, 40, 70, 80]
    assert [kept.row.frame_num for kept in tallies[0].worst.found()] == [3]


def test_frames_far_apart_are_looked_at_whole() -> None:
    judge = HalfJudge()
    work, _ = scorer(judge)
    work.add([taken(0, frame(i, at=2.5 * i)) for i in range(4)])
    assert judge.halves == [None] * 4


def test_where_bars_come_or_go_all_of_a_frame_is_looked_at() -> None:
    judge = HalfJudge()
    work, tallies = scorer(judge, masters=True)
    for f in [frame(0), frame(1), frame(2, place=7), frame(3, place=7)]:
        work.add([taken(0, f), taken(1, f, paired=True)])
    assert spans(tallies[0]) == spans(tallies[1]) == spans(tallies[1], "fr") == [0, 0.5, 0, 0.5]


def test_a_pair_without_the_one_before_is_looked_at_whole() -> None:
    judge = HalfJudge()
    work, tallies = scorer(judge, masters=True)
    pair = [frame(i) for i in range(5)]
    work.add([taken(0, pair[0]), taken(1, pair[0], paired=True)])
    work.add([taken(0, f) for f in pair[1:3]])  # these frames of the encode are missing
    work.add([taken(0, pair[3]), taken(1, pair[3], paired=True), taken(0, pair[4]), taken(1, pair[4], paired=True)])
    assert [(f.frame_num, f.span_s) for f in tallies[1].scores["fr"]] == [(0, 0), (3, 0), (4, 0.5)]
    assert spans(tallies[0]) == [0, 0.5, 0.5, 0.5, 0.5]


def test_no_half_reaches_over_a_cut_that_another_frame_showed_first() -> None:
    """The cut falls on a frame that is only a reference, or that the encode lacks."""
    work, tallies = scorer(HalfJudge(), masters=True)
    work.add([taken(0, frame(0, value=20)), taken(1, frame(0, value=20), paired=True)])
    work.add([taken(0, frame(1, shot=1, value=80), scored=False)])
    after = frame(2, at=0.9, shot=1, value=80)
    work.add([taken(0, after, half=1), taken(1, after, paired=True, half=1)])
    assert [f.score for f in tallies[0].scores["nr"]] == [20, 80]
    assert [f.score for f in tallies[1].scores["fr"]] == [20, 80]


def test_a_judge_that_fails_at_the_last_step_costs_one_video() -> None:
    class Failing(HalfJudge):
        def score(self, said: Said) -> float:
            if said[0] == 99:
                raise RuntimeError("no")
            return super().score(said)

    work, tallies = scorer(Failing(), masters=True)
    work.add([taken(0, frame(0)), taken(1, frame(0, value=99)), taken(0, frame(1))])
    assert tallies[1].failure is not None
    assert (len(tallies[0].scores["nr"]), tallies[0].failure) == (2, None)


def test_what_a_video_scores_does_not_depend_on_the_other_rungs() -> None:
    """A rung at half the rate has the master read further frames; those of the others stay whose turn it was."""
    master = [Fraction(i, 25) for i in range(200)]
    chosen = [s.frame for s in own_samples(master, fps=2, min_frames=8, seed=0)]
    own = pair_with_master(master, master, chosen).samples
    slow = pair_with_master(master[::2], master, chosen).samples
    usual, beside = master_samples(chosen, [own]), master_samples(chosen, [own, slow])
    assert len(beside) > len(usual)
    assert [s for s in beside if s.scored] == usual
    assert [s.half for s in usual] == [i % 2 for i in range(len(usual))] == [s.half for s in own]
    assert [s.half for s in slow] == [s.half for s in own]


@given(st.lists(st.tuples(st.integers(0, 1), st.booleans(), st.integers(1, 12)), max_size=30))
def test_both_halves_are_of_one_shot_and_no_older_than_a_second(steps: list[tuple[int, bool, int]]) -> None:
    """Whatever comes in whatever order, the half that is not looked at was so within a second, after the last cut."""
    turns, now, shot = Turns(), Fraction(0), 0
    last: dict[int, Fraction] = {}
    for half, cut, tenths in steps:
        now += Fraction(tenths, 10)
        if cut:
            shot += 1
            last.clear()
        turn = turns.take(half, now, shot)
        if turn.half is None:
            assert turn == WHOLE
            last = {0: now, 1: now}
        else:
            assert turn.half == half
            assert now - last[1 - turn.half] <= 1
            assert turn.span_s == pytest.approx(float(now - last[1 - turn.half]))
            last[turn.half] = now


Halves = NDArray[np.float64]


def shared(frames: int, rng: np.random.Generator) -> tuple[Halves, Halves]:
    """Scores of frames whose own pictures vary by chance around 50, each but the first half by the one before."""
    own = rng.normal(50, 5, frames)
    return np.concatenate([own[:1], (own[1:] + own[:-1]) / 2]), np.r_[0.0, np.full(frames - 1, 0.5)]


def test_intervals_count_what_neighbours_share() -> None:
    """Of means over blocks, and of frames: held as often as said, where they would not be without."""
    rng = np.random.default_rng(0)
    held = {"frames": 0, "frames as if alone": 0, "blocks": 0, "blocks as if alone": 0}
    for _ in range(400):
        scores, ages = shared(24, rng)
        times = np.arange(24) / 2
        (block,), count = bootstrap.blocks_of([times])
        draws = bootstrap.pooled(times, scores, block, bootstrap.draw(count, rng))["mean"]
        lost = bootstrap.lost([ages], count)
        for name, interval in (
            ("frames", ci95(scores.tolist(), spans=ages)),
            ("frames as if alone", ci95(scores.tolist())),
            ("blocks", bootstrap.interval(float(scores.mean()), draws, count, lost)),
            ("blocks as if alone", bootstrap.interval(float(scores.mean()), draws, count)),
        ):
            assert interval is not None
            low, high = interval if isinstance(interval, tuple) else (interval.low, interval.high)
            held[name] += low <= 50 <= high
    assert min(held["frames"], held["blocks"]) >= 0.92 * 400
    assert held["frames as if alone"] < 0.8 * 400
    assert held["blocks as if alone"] < held["blocks"] - 5
    assert bootstrap.lost([np.zeros(24), None], 12) == 0
    assert bootstrap.lost([ages[ages > 0]], 100) == 0.5  # a frame a block


def test_a_frame_alone_is_told_from_what_it_shares() -> None:
    assert alone([80, 80, 50, 50, 80], [0, 0.5, 0.5, 0.5, 0.5])[2] == 20
    assert alone([80, 20, 50], [0, 0, None]).tolist() == [80, 20, 50]
    assert alone([80, 20], None).tolist() == [80, 20]


def test_a_starved_key_frame_is_found_in_scores_that_share() -> None:
    own = np.array([80.0, 80, 80, 80, 45, 60, 60, 60])
    scores = np.concatenate([own[:1], (own[1:] + own[:-1]) / 2])
    rows = [FrameScore(i, i / 2, s, "fr", 0, 0.5 * (i > 0)) for i, s in enumerate(scores.tolist())]
    (drop,) = quality_drops(rows, np.array([0.0, 2.0]), 4.0)
    assert (drop.start_s, drop.sentence) == (
        2.0,
        "quality drops at a key frame: FR is 15 points lower than a second on",
    )


def test_a_frame_that_votes_otherwise_than_before_is_looked_at_whole(judge: Judge) -> None:
    _, master = golden_scores.pair()
    blocks = master.astype(np.int32)
    blurred = sum(np.roll(blocks, (i, k), (0, 1)) for i in range(0, 24, 3) for k in range(0, 24, 3)) // 64
    frames, wanted = (master, blurred.astype(np.uint8)), (0, 1)
    (before,) = judge.say(judge.encode([master], [None]))
    again, other = judge.say(judge.encode(frames, wanted))
    assert judge.joined(again, before) is not None
    assert judge.joined(other, before) is None
    (reference,) = judge.encode([master], [None])
    (equal,) = judge.say([reference], [reference])
    same, worse = judge.say(judge.encode(frames, wanted), judge.encode([master] * 2, wanted))
    assert judge.joined(same, equal) is not None
    assert judge.joined(worse, equal) is None


def test_scores_of_a_still_clip_are_those_of_its_frame(judge: Judge) -> None:
    """Whoever looks at half of it, and whatever half that is; and where bars come, nothing is joined."""
    rng = np.random.default_rng(0)
    picture = rng.integers(60, 256, (900, 1200, 3), dtype=np.uint8)
    master = np.clip(picture.astype(np.int16) + rng.integers(-9, 9, picture.shape), 0, 255).astype(np.uint8)
    (whole,), (reference,) = judge.encode([picture]), judge.encode([master])
    halves, masters = judge.encode([picture] * 2, [0, 1]), judge.encode([master] * 2, [1, 0])
    assert sum(len(half.view.places) for half in halves) == len(whole.view.places) == 6
    first, second = judge.say(halves)
    both = judge.joined(second, first)
    assert both is not None
    assert judge.score(both) == pytest.approx(judge.nr([whole])[0], abs=1e-3)
    first, second = judge.say([halves[0], whole], masters)  # looked at where their masters were
    both = judge.joined(second, first)
    assert both is not None
    assert judge.score(both) == pytest.approx(judge.fr([whole], [reference])[0], abs=1e-3)

    barred = picture.copy()
    barred[:200] = barred[-200:] = 0
    (other,) = judge.say(judge.encode([barred], [1]))
    assert judge.joined(other, first) is None
    assert judge.joined(other, None) is None
    (small,) = judge.say(judge.encode([picture[:224, :448]], [1]))  # fewer than four places: all of them, always
    assert judge.joined(small, None) is small


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
