"""Pools: known values, and bounds that must hold for any scores."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from yoto_video.pipeline.pool import POOLS, ci95, pool, worst_second_ci95
from yoto_video.pipeline.sample import choose_frames

quick = settings(deadline=None, max_examples=100)
score = st.floats(0, 100)


@st.composite
def clips(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """Times and scores of a clip: evenly sampled, or by gaps of any kind."""
    n = draw(st.integers(1, 40))
    scores = draw(st.lists(score, min_size=n, max_size=n))
    gaps = draw(st.lists(st.sampled_from([0.04, 0.5, 1 / 3]), min_size=1, max_size=1) | st.lists(st.floats(1e-3, 3)))
    gaps = (gaps or [0.5]) * n
    start = draw(st.floats(0, 1e4))
    return [start + t for t in np.cumsum(gaps[:n]).tolist()], scores


@quick
@given(clips())
def test_bounds(clip: tuple[list[float], list[float]]) -> None:
    p = pool(*clip)
    assert tuple(p) == POOLS
    rungs = [p["min"], p["p1"], p["p5"], p["p10"], p["p20"], p["median"]]
    assert rungs == sorted(rungs)
    low, high = min(clip[1]), max(clip[1])
    assert p["min"] == low
    for name, value in p.items():
        assert math.isfinite(value), name
        assert low - 1e-9 <= value <= high + 1e-9, name
    assert p["harmonic_mean"] <= p["mean"] + 1e-9
    assert p["worst_second"] <= p["mean"] + 1e-9


@quick
@given(clips(), st.randoms())
def test_the_order_of_rows_does_not_matter(clip: tuple[list[float], list[float]], random: object) -> None:
    pairs = list(zip(*clip, strict=True))
    assume(len(set(clip[0])) == len(pairs))
    shuffled = pairs.copy()
    random.shuffle(shuffled)
    again = pool([t for t, _ in shuffled], [s for _, s in shuffled])
    assert again == pool(*clip)


@quick
@given(clips(), st.floats(0, 1e5))
def test_the_time_of_the_first_frame_does_not_matter(clip: tuple[list[float], list[float]], shift: float) -> None:
    pts = [round(t * 1000) / 1000 for t in clip[0]]
    moved = pool([t + shift for t in pts], clip[1])
    assert moved == pytest.approx(pool(pts, clip[1]), abs=1e-6)


@quick
@given(clips(), st.integers(0, 39), score)
def test_a_better_frame_never_lowers_a_pool(clip: tuple[list[float], list[float]], at: int, better: float) -> None:
    pts, scores = clip
    at %= len(scores)
    improved = [max(s, better) if i == at else s for i, s in enumerate(scores)]
    before, after = pool(pts, scores), pool(pts, improved)
    for name in POOLS:
        assert after[name] >= before[name] - 1e-9, name


@quick
@given(score, st.integers(1, 30))
def test_equal_scores_pool_to_themselves(value: float, n: int) -> None:
    assert pool([i / 2 for i in range(n)], [value] * n) == pytest.approx(dict.fromkeys(POOLS, value))
    if n > 1:
        assert ci95([value] * n) == pytest.approx((value, value))


def test_known_values() -> None:
    scores = [float(s) for s in range(101)]
    p = pool([i / 25 for i in range(101)], scores)
    assert p["mean"] == statistics.fmean(scores) == 50
    assert (p["p1"], p["p5"], p["p10"], p["p20"], p["median"]) == (1, 5, 10, 20, 50)
    assert p["worst_second"] == pytest.approx(12)  # frames 0 to 24
    assert p["harmonic_mean"] == pytest.approx(101 / sum(1 / (s + 1) for s in scores) - 1)


def test_one_frame_at_zero_does_not_make_the_harmonic_mean_zero() -> None:
    """libvmaf: cnt / sum(1 / (score + 1)) - 1."""
    assert pool([0, 1], [0.0, 99.0])["harmonic_mean"] == pytest.approx(2 / (1 + 1 / 100) - 1)
    assert pool([0, 1], [0.0, 0.0])["harmonic_mean"] == 0


@pytest.mark.parametrize("fps", [2, 5, 24, 30000 / 1001, 25, 60])
@pytest.mark.parametrize("begin", [0.0, 3.3, 8.98])
def test_worst_second_finds_a_bad_second_wherever_it_begins(fps: float, begin: float) -> None:
    pts = [i / fps for i in range(round(10 * fps))]
    first = next(t for t in pts if t >= begin - 1e-9)
    scores = [20.0 if first - 1e-9 <= t < first + 1 - 1e-9 else 90.0 for t in pts]
    assert pool(pts, scores)["worst_second"] == pytest.approx(20)


def test_worst_second_is_not_one_last_frame() -> None:
    pts = [i / 25 for i in range(250)]
    assert pool(pts, [90.0] * 249 + [0.0])["worst_second"] == pytest.approx(90 * 24 / 25)
    assert pool(pts, [0.0] + [90.0] * 249)["worst_second"] == pytest.approx(90 * 24 / 25)


def test_a_clip_shorter_than_a_second_is_one_window() -> None:
    assert pool([0, 0.2, 0.4], [0.0, 50.0, 100.0])["worst_second"] == pytest.approx(50)


def as_documented(rows: list[tuple[float, float]]) -> float:
    """`worst_second` as docs/schema.md tells to compute it from `pts_time` and `score`."""
    times = [t for t, _ in rows]
    end = times[-1] + (statistics.median(b - a for a, b in pairwise(times)) if len(times) > 1 else 0)
    edge = 1e-6
    seconds = [[s for at, s in rows if t <= at < t + 1 - edge] for t in times if t + 1 <= end + edge]
    if seconds:
        seconds.append([s for at, s in rows if at >= end - 1 - edge] or [rows[-1][1]])
    return min(statistics.fmean(one) for one in [*seconds, [s for _, s in rows]])


@quick
@given(clips())
def test_worst_second_can_be_computed_again_as_documented(clip: tuple[list[float], list[float]]) -> None:
    rows = [(round(t, 3), s) for t, s in zip(*clip, strict=True)]
    assume(len({t for t, _ in rows}) == len(rows))
    assert pool(*map(list, zip(*rows, strict=True)))["worst_second"] == pytest.approx(as_documented(rows), abs=1e-6)


def test_worst_second_of_a_sampled_clip_may_reach_beyond_its_end() -> None:
    """Of a video of 5.005 s: it is taken to end at 5.38 s, a median step after the last row."""
    rows = [(0.2, 60.0), (0.6, 60.0), (1.3, 60.0), (1.7, 60.0), (2.2, 60.0), (2.7, 60.0), (3.1, 60.0), (3.6, 60.0),
            (4.2, 60.0), (4.75, 30.0), (4.88, 30.0)]  # fmt: skip
    assert as_documented(rows) == pytest.approx(30)
    assert pool([t for t, _ in rows], [s for _, s in rows])["worst_second"] == pytest.approx(30)


def test_worst_second_counts_time_not_frames() -> None:
    """A variable frame rate: forty frames in the first second, then two a second."""
    pts = [i / 40 for i in range(40)] + [1 + i / 2 for i in range(8)]
    scores = [30.0] * 40 + [90.0] * 4 + [10.0] * 2 + [90.0] * 2
    assert pool(pts, scores)["worst_second"] == pytest.approx(10)


def slow_hysteresis(pts: list[float], scores: list[float]) -> float:
    """Straight from the paper's words, frame by frame."""
    total = 0.0
    for i, t in enumerate(pts):
        past = [s for p, s in zip(pts[:i], scores[:i], strict=True) if p >= t - 2 - 1e-6]
        memory = min(past) if past else scores[i]
        ahead = sorted(s for p, s in zip(pts[i:], scores[i:], strict=True) if p < t + 2 - 1e-6)
        sigma = (2 * len(ahead) - 1) / 6
        weights = [math.exp(-0.5 * (j / sigma) ** 2) for j in range(len(ahead))]
        current = sum(w * s for w, s in zip(weights, ahead, strict=True)) / sum(weights)
        total += 0.8 * current + 0.2 * memory
    return total / len(pts)


@quick
@given(clips())
def test_hysteresis_is_what_the_paper_says(clip: tuple[list[float], list[float]]) -> None:
    assert pool(*clip)["hysteresis"] == pytest.approx(slow_hysteresis(*clip), abs=1e-6)


def test_hysteresis_remembers_a_drop_for_two_seconds() -> None:
    pts = [float(t) for t in range(20)]
    dip = [90.0] * 20
    dip[10] = 10.0
    p, mean = pool(pts, dip)["hysteresis"], statistics.fmean(dip)
    assert p < mean  # it costs more than its share
    early, late = [90.0] * 20, [90.0] * 20
    early[1], late[18] = 10.0, 10.0
    assert pool(pts, early)["hysteresis"] != pool(pts, late)["hysteresis"]


@pytest.mark.parametrize(
    ("pts", "scores", "says"),
    [
        ([], [], "no times"),
        ([0.0, 1.0], [50.0], "2 times for 1 scores"),
        ([0.0, 1.0], [50.0, math.nan], "scores to pool"),
        ([0.0, math.inf], [50.0, 50.0], "times to pool"),
        ([0.0], [-1.5], "above -1"),
    ],
)
def test_nothing_is_pooled_from_nothing(pts: list[float], scores: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        pool(pts, scores)


def test_intervals_of_differences_reach_below_nought() -> None:
    """As far below a gain as above a loss: scores end at 0 and 100, what lies between two of them does not."""
    gains = [0.0, 6.0] * 4
    low, high = ci95(gains, scale=(-100.0, 100.0)) or (0.0, 0.0)
    assert low < 0 < high
    assert ci95([-gain for gain in gains], scale=(-100.0, 100.0)) == pytest.approx((-high, -low))
    assert (ci95(gains) or (1.0, 1.0))[0] == 0


def test_no_interval_from_one_frame_and_none_from_nan() -> None:
    assert ci95([50.0]) is None
    with pytest.raises(ValueError, match="finite"):
        ci95([50.0, math.nan])
    with pytest.raises(ValueError, match="no scores"):
        ci95([])


@quick
@given(st.lists(score, min_size=2, max_size=60))
@example([0.0, 100.0])
@example([0.0, 5e-324])
def test_interval_holds_the_mean_and_stays_on_the_scale(scores: list[float]) -> None:
    interval = ci95(scores)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= high <= 100
    assert low - 1e-9 <= statistics.fmean(scores) <= high + 1e-9


@quick
@given(st.lists(score, min_size=2, max_size=60), st.floats(0, 10))
def test_places_widen_the_interval(scores: list[float], place_error: float) -> None:
    frames, both = ci95(scores), ci95(scores, place_error)
    assert frames is not None
    assert both is not None
    assert 0 <= both[0] <= frames[0] <= frames[1] <= both[1] <= 100


def test_places_and_frames_add_up_as_independent_errors() -> None:
    scores = [50.0 + (-1) ** i for i in range(40)]
    frames, both = ci95(scores), ci95(scores, 3.0)
    assert frames is not None
    assert both is not None
    assert (both[1] - 50) ** 2 == pytest.approx((frames[1] - 50) ** 2 + (1.96 * 3) ** 2)
    assert ci95([50.0, 50.0], 3.0) == pytest.approx((50 - 5.88, 50 + 5.88))


def test_interval_of_independent_frames_is_students() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(50, 5, 400)
    low, high = ci95(scores.tolist()) or (0, 0)
    expected = 2 * 1.966 * scores.std(ddof=1) / 20
    assert high - low == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize(("memory_s", "rise"), [(0.03, 0.0), (0.3, 0.0), (1.5, 0.0), (0.3, 40.0)])
def test_interval_holds_the_mean_of_all_frames(memory_s: float, rise: float) -> None:
    """Frames of 20 s that look like their neighbours, with and without a slow change, sampled as a scan does."""
    rng, times, hits, widths = np.random.default_rng(11), [Fraction(i, 25) for i in range(500)], 0, []
    for seed in range(150):
        rho = math.exp(-0.04 / memory_s)
        noise = rng.normal(0, 4 * math.sqrt(1 - rho**2), 600)
        scores = (50 + lfilter([1], [1, -rho], noise)[100:] + rise * np.linspace(-0.5, 0.5, 500)).clip(0, 100)
        sampled = scores[choose_frames(times, Fraction(20), fps=2.0, min_frames=8, seed=seed)]
        low, high = ci95(sampled.tolist()) or (0, 0)
        hits += bool(low <= scores.mean() <= high)
        widths.append(high - low)
    assert hits / 150 >= 0.93
    assert np.mean(widths) < 4  # of a rise of 40 points, too: every draw shows it alike


@quick
@given(clips())
def test_the_worst_seconds_interval_holds_it(clip: tuple[list[float], list[float]]) -> None:
    times, scores = clip
    found = worst_second_ci95(times, scores)
    steps = np.diff(times) <= 1.0
    assert (found is None) == (steps.sum() < 3)
    if found is not None:
        assert 0 <= found[0] <= pool(times, scores)["worst_second"] <= found[1] <= 100
    assert worst_second_ci95(times, [40.0] * len(times)) in (None, (40.0, 40.0))


@pytest.mark.parametrize(
    ("seconds", "swing", "memory_s"), [(20, 4.0, 0.3), (60, 4.0, 1.5), (60, 2.0, 0.1), (10, 3.0, 0.5)]
)
def test_the_worst_seconds_interval_holds_that_of_all_frames(seconds: int, swing: float, memory_s: float) -> None:
    """Clips of 25 frames a second in shots of three seconds, of which two frames a second are sampled."""
    rng, held, wide = np.random.default_rng(0), 0, []
    times = np.arange(25 * seconds) / 25
    for _ in range(100):
        keep = math.exp(-1 / (25 * memory_s))
        noise = lfilter([math.sqrt(1 - keep**2)], [1, -keep], rng.normal(size=len(times)))
        scores = 60 + np.repeat(rng.normal(0, 6, seconds // 3 + 1), 75)[: len(times)] + swing * noise
        truth = pool(times.tolist(), scores.tolist())["worst_second"]
        some = np.unique((np.arange(2 * seconds) * 12.5 + rng.uniform(0, 12, 2 * seconds)).astype(int))
        low, high = worst_second_ci95(times[some], scores[some])
        held += low <= truth <= high
        wide.append(high - low)
    assert held >= 95
    assert np.median(wide) < 4 * swing
