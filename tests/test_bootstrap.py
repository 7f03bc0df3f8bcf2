"""Resampling: pools of a draw are those of its frames, and intervals hold the truth about as often as they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.pipeline.pool import pool
from yoto_video.reports import bootstrap


@given(st.integers(1, 40), st.integers(0, 1000))
def test_one_draw_of_every_block_is_the_clip_itself(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times, scores = np.sort(rng.uniform(0, 20, n)), rng.uniform(0, 100, n)
    (block,), count = bootstrap.blocks_of([times])
    whole = bootstrap.pooled(times, scores, block, np.ones((1, count), np.intp))
    expected = pool(times, scores)
    for name in bootstrap.POOLS:
        assert whole[name][0] == pytest.approx(expected[name], abs=1e-9), name


@given(st.integers(0, 1000))
def test_a_block_drawn_twice_counts_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times, scores = np.arange(12) / 2, rng.uniform(0, 100, 12)
    (block,), count = bootstrap.blocks_of([times])
    assert count == 6
    counts = np.array([[2, 0, 1, 1, 1, 1]])
    frames = np.concatenate([np.repeat(scores[block == b], counts[0, b]) for b in range(6)])
    drawn = bootstrap.pooled(times, scores, block, counts)
    assert drawn["mean"][0] == pytest.approx(frames.mean())
    assert drawn["p5"][0] == pytest.approx(np.percentile(frames, 5))


def test_blocks_are_common_to_all_encodes_and_bounded() -> None:
    (a, b), count = bootstrap.blocks_of([np.arange(0, 3600, 0.5), np.arange(0.2, 3600, 0.5)])
    assert count == bootstrap.MOST_BLOCKS
    assert (a == b).mean() > 0.99
    (c, d), count = bootstrap.blocks_of([np.array([0.0, 50.0]), np.array([0.1, 50.1])])  # a pause is no block
    assert (c.tolist(), d.tolist(), count) == ([0, 1], [0, 1], 2)


def test_a_draw_without_a_frame_of_an_encode_is_not_a_number() -> None:
    times, scores = np.array([0.1, 0.6]), np.array([10.0, 20.0])
    drawn = bootstrap.pooled(times, scores, np.array([0, 0]), np.array([[0, 2], [1, 1]]))
    assert np.isnan(drawn["mean"][0])
    assert np.isnan(drawn["p5"][0])
    assert drawn["mean"][1] == 15


@pytest.mark.parametrize("titles", [2, 3, 5, 8])
def test_intervals_hold_the_truth_as_often_as_they_say(titles: int) -> None:
    rng = np.random.default_rng(5)
    held, rounds = 0, 300
    for _ in range(rounds):
        own = rng.normal(-0.2, 0.1, titles)  # a title's true difference of log-rate
        seen = own + rng.normal(0, 0.03, titles)
        drawn = [value + rng.normal(0, 0.03, bootstrap.DRAWS) for value in seen]
        found = bootstrap.interval(float(seen.mean()), bootstrap.over_titles(drawn, rng), titles)
        assert found is not None
        held += found.low <= -0.2 <= found.high
    assert 0.92 <= held / rounds <= (0.995 if titles > 3 else 1)  # of few titles their blocks' chance counts twice


def test_a_block_without_frames_makes_no_second_endless() -> None:
    """Encodes of a title may end at different moments."""
    drawn = bootstrap.pooled(np.array([0.1, 0.6]), np.array([10.0, 20.0]), np.array([0, 0]), np.array([[0, 2]]))
    assert np.isnan(drawn["worst_second"][0])


def test_no_interval_where_all_draws_lie_to_one_side() -> None:
    """As those of the lowest of four seconds do: no draw has a lower one."""
    draws = np.abs(np.random.default_rng(0).normal(size=1000)) + 0.01
    assert bootstrap.interval(0.0, draws, 4) is None
    assert bootstrap.interval(0.0, -draws, 4) is None
    assert bootstrap.interval(0.0, draws - 0.5, 4) is not None
    same = bootstrap.interval(2.0, np.full(1000, 2.0), 4)
    assert same is not None
    assert (same.low, same.high, same.effect) == (2.0, 2.0, None)


def test_no_interval_where_there_is_nothing_to_draw() -> None:
    few = np.where(np.arange(1000) < 400, 0.1, np.nan)
    assert bootstrap.interval(0.1, few, 10) is None
    assert bootstrap.interval(0.1, np.full(1000, 0.1), 1) is None
    assert bootstrap.interval(float("nan"), np.full(1000, 0.1), 5) is None
    exact = bootstrap.interval(0.0, np.zeros(1000), 5)  # the same thing twice: no difference, and no spread
    assert exact is not None
    assert (exact.low, exact.high, exact.effect) == (0.0, 0.0, None)
    assert np.isnan(bootstrap.over_titles([np.full(1000, np.nan)], np.random.default_rng(0))).all()


def test_the_effect_is_the_mean_in_standard_deviations_of_its_units() -> None:
    rng = np.random.default_rng(1)
    own = rng.normal(2, 1, 400)
    drawn = bootstrap.over_titles([np.full(1000, v) for v in own], rng)
    found = bootstrap.interval(float(own.mean()), drawn, 400)
    assert found is not None
    assert found.effect == pytest.approx(own.mean() / own.std(), rel=0.08)
