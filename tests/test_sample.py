"""Sampling: deterministic, jittered, one moment a window, never fewer frames than asked while there are more."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yoto_video.pipeline.sample import choose_frames, jitter, nearest_frames, sample_times

quick = settings(max_examples=40, deadline=None)  # exact fractions on a busy machine

durations = st.fractions(Fraction(1, 1000), 40, max_denominator=90000)
rates = st.sampled_from([0.1, 0.5, 1.0, 2.0, 5.0, 23.976])


@quick
@given(durations, rates, st.integers(1, 20), st.integers(0, 2**31))
def test_one_moment_in_each_window(duration: Fraction, fps: float, least: int, seed: int) -> None:
    times = sample_times(duration, fps=fps, min_frames=least, seed=seed)
    rate = max(Fraction(fps).limit_denominator(10**6), least / duration)
    assert len(times) >= max(least, int(duration * Fraction(fps).limit_denominator(10**6)))
    for window, moment in enumerate(times):
        assert window / rate <= moment < min((window + 1) / rate, duration)


@quick
@given(durations, st.integers(0, 1000))
def test_same_seed_same_moments_other_seed_others(duration: Fraction, seed: int) -> None:
    once = sample_times(duration, fps=2, min_frames=8, seed=seed)
    assert once == sample_times(duration, fps=2, min_frames=8, seed=seed)
    assert once != sample_times(duration, fps=2, min_frames=8, seed=seed + 1)


@quick
@given(st.integers(5, 60), st.integers(0, 100))
def test_a_longer_video_begins_with_the_same_moments(seconds: int, seed: int) -> None:
    """So a rendition that was cut at its end is looked at where its reference is."""
    short = sample_times(seconds, fps=2, min_frames=8, seed=seed)
    assert sample_times(seconds + 3, fps=2, min_frames=8, seed=seed)[: len(short)] == short


def test_golden_moments() -> None:
    """Scores of different versions are compared: these may not change unnoticed."""
    assert [float(t) for t in sample_times(2, fps=2, min_frames=2, seed=0)] == pytest.approx(
        [float((k + jitter(0, k)) / 2) for k in range(4)]
    )
    assert [round(float(jitter(0, k)), 6) for k in range(3)] == GOLDEN_JITTER


GOLDEN_JITTER = [0.299344, 0.253359, 0.601425]


def test_jitter_spreads() -> None:
    drawn = sorted(float(jitter(7, k)) for k in range(2000))
    assert all(0 <= x < 1 for x in drawn)
    assert max(abs(x - (i + 0.5) / 2000) for i, x in enumerate(drawn)) < 0.04  # Kolmogorov-Smirnov, p = 0.003


def test_a_still_picture_has_one_moment() -> None:
    assert sample_times(0, fps=2, min_frames=8, seed=0) == [0]


@pytest.mark.parametrize(("fps", "least"), [(0, 8), (-1, 8), (2, 0)])
def test_senseless_rates_are_refused(fps: float, least: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        sample_times(10, fps=fps, min_frames=least, seed=0)


ascending = st.lists(st.integers(0, 40000), min_size=1, max_size=60, unique=True).map(
    lambda ticks: [Fraction(t, 1000) for t in sorted(ticks)]
)


@quick
@given(ascending, st.lists(st.fractions(0, 1000), max_size=20), st.fractions(0, 5))
def test_nearest_is_nearest_and_within_tolerance(
    times: list[Fraction], targets: list[Fraction], tolerance: Fraction
) -> None:
    for target, near in zip(targets, nearest_frames(times, targets, tolerance), strict=True):
        distances = [abs(t - target) for t in times]
        if near is None:
            assert min(distances) > tolerance
        else:
            assert distances[near] == min(distances) <= tolerance


def test_nearest_of_none_and_ties() -> None:
    assert nearest_frames([], [Fraction(1)]) == [None]
    assert nearest_frames([Fraction(0), Fraction(2)], [Fraction(1)]) == [0]
    assert nearest_frames([Fraction(0), Fraction(1)], [Fraction(3, 2)], Fraction(1, 2)) == [1]  # at half a frame: in


@quick
@given(ascending, rates, st.integers(1, 12), st.integers(0, 99))
@example([Fraction(k, 1000) for k in range(30)] + [Fraction(900)], 2.0, 8, 0)  # frozen: almost all frames at the start
def test_enough_distinct_frames(times: list[Fraction], fps: float, least: int, seed: int) -> None:
    chosen = choose_frames(times, times[-1] - times[0] + Fraction(1, 25), fps=fps, min_frames=least, seed=seed)
    assert chosen == sorted(set(chosen))
    assert len(chosen) >= min(least, len(times))
    assert all(0 <= index < len(times) for index in chosen)
    again = choose_frames(times, times[-1] - times[0] + Fraction(1, 25), fps=fps, min_frames=least, seed=seed)
    assert chosen == again


def test_a_rate_beyond_that_of_the_frames_is_all_of_them() -> None:
    times = [Fraction(i, 25) for i in range(100)]
    for fps in (200.0, 500.0, 1e12):  # the last one would be a moment for each of 4,000,000,000,000 windows
        assert choose_frames(times, 4.0, fps=fps, min_frames=8, seed=0) == list(range(100))
