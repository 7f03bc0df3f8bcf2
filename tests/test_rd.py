"""Rate-quality curves: worked examples, and properties of the Pareto front and the hull."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.reports.rd import RatePoint, by_rate, hull, pareto

points = st.lists(st.builds(RatePoint, st.floats(1, 1e6), st.floats(0, 100), st.text(max_size=2)), max_size=12)


def envelope_at(corners: list[RatePoint], rate: float) -> float:
    """The hull's score at a rate: straight in log-rate between corners, flat beyond the last."""
    x = math.log(rate)
    if x >= math.log(corners[-1].bitrate_kbps):
        return corners[-1].score
    for a, b in itertools.pairwise(corners):
        xa, xb = math.log(a.bitrate_kbps), math.log(b.bitrate_kbps)
        if xa <= x <= xb:
            return a.score + (b.score - a.score) * (x - xa) / (xb - xa)
    return -math.inf


def test_a_rung_that_costs_more_and_looks_worse_is_off_the_front() -> None:
    bad = RatePoint(2000, 65, "720p slow")
    ladder = [RatePoint(500, 40, "360p"), RatePoint(1500, 70, "720p"), bad, RatePoint(5000, 90, "1080p")]
    assert [p.key for p in pareto(ladder)] == ["360p", "720p", "1080p"]


def test_a_rung_below_the_line_between_its_neighbours_is_on_the_front_but_off_the_hull() -> None:
    # log-rate halves the way at sqrt(500 * 2000) = 1000, where the straight line stands at 60
    below, above = RatePoint(1000, 59, "below"), RatePoint(1000, 61, "above")
    ends = [RatePoint(500, 40), RatePoint(2000, 80)]
    assert below in pareto([*ends, below])
    assert below not in hull([*ends, below])
    assert above in hull([*ends, above])


def test_at_one_rate_only_the_best_is_on_the_hull() -> None:
    wall = [RatePoint(1000, 50, "a"), RatePoint(1000, 60, "b"), RatePoint(1000, 55, "c")]
    assert [p.key for p in hull(wall)] == ["b"]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_points_are_their_own_hull(n: int) -> None:
    rising = [RatePoint(100.0 * (i + 1), 10.0 * (i + 1)) for i in range(n)]
    assert hull(rising) == rising


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_a_rate_that_has_no_logarithm_is_refused_by_name(rate: float) -> None:
    with pytest.raises(ValueError, match="clip one"):
        RatePoint(rate, 50, "clip one")


@given(points)
def test_the_front_rises_and_nothing_beats_it(cloud: list[RatePoint]) -> None:
    front = pareto(cloud)
    assert all(a.bitrate_kbps < b.bitrate_kbps and a.score < b.score for a, b in itertools.pairwise(front))
    for p in cloud:
        assert any(q.bitrate_kbps <= p.bitrate_kbps and q.score >= p.score for q in front)


@given(points)
def test_the_hull_covers_every_point_and_only_bends_down(cloud: list[RatePoint]) -> None:
    corners = hull(cloud)
    assert set(map(id, corners)) <= set(map(id, pareto(cloud)))
    slopes = []
    for a, b in itertools.pairwise(corners):
        slopes.append((b.score - a.score) / (math.log(b.bitrate_kbps) - math.log(a.bitrate_kbps)))
    assert all(first >= second * (1 - 1e-6) for first, second in itertools.pairwise(slopes))
    if len(cloud) and corners[0].bitrate_kbps * 1.001 < corners[-1].bitrate_kbps:  # not one vertical wall
        for p in cloud:
            if p.bitrate_kbps >= corners[0].bitrate_kbps:
                assert envelope_at(corners, p.bitrate_kbps) >= p.score - 1e-4


@given(points, st.randoms())
def test_the_order_points_come_in_does_not_matter(cloud: list[RatePoint], rng: object) -> None:
    shuffled = list(cloud)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert [(p.bitrate_kbps, p.score) for p in hull(shuffled)] == [(p.bitrate_kbps, p.score) for p in hull(cloud)]
    assert [p.bitrate_kbps for p in by_rate(shuffled)] == sorted(p.bitrate_kbps for p in cloud)
