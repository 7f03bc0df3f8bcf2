"""Pairs are made by time, within half a frame, and depend on nothing but the two videos."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.pipeline.align import (
    Clock,
    Sample,
    master_samples,
    outside,
    own_samples,
    pair_with_master,
    smaller_master,
    span,
    why_not_comparable,
)
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.packet_table import Times, frame_gap, since_first

from .fakes import info, times

RATES = st.sampled_from(
    [Fraction(n) for n in (10, 12, 15, 24, 25, 30, 50, 60)] + [Fraction(n, 1001) for n in (24000, 30000, 60000)]
)
STARTS = st.fractions(min_value=-2, max_value=100, max_denominator=90000)


def chosen_of(stream: list[Fraction], fps: float = 2) -> list[int]:
    return [s.frame for s in own_samples(stream, fps=fps, min_frames=8, seed=0)]


@st.composite
def streams(draw: st.DrawFn) -> list[Fraction]:
    """A stream at a constant rate from which some frames were dropped."""
    stream = times(draw(st.integers(1, 120)), draw(RATES), draw(STARTS))
    dropped = draw(st.sets(st.integers(0, len(stream) - 1), max_size=len(stream) // 3))
    return [t for i, t in enumerate(stream) if i not in dropped or i == 0]


@given(streams(), streams())
@settings(max_examples=60, deadline=None)
def test_every_pair_lies_within_half_a_frame_and_everything_ascends(
    encode: list[Fraction], master: list[Fraction]
) -> None:
    pairing = pair_with_master(encode, master, chosen_of(master))
    half = min((g for g in (frame_gap(encode), frame_gap(master)) if g), default=Fraction(0)) / 2
    for sample in pairing.samples:
        apart = abs((encode[sample.frame] - encode[0]) - (master[sample.step] - master[0]))
        assert sample.paired == (apart <= half)
    for one, two in zip(pairing.samples, pairing.samples[1:], strict=False):
        assert one.step < two.step
        assert one.frame < two.frame
    assert pairing.unpaired == pairing.wanted - sum(s.paired for s in pairing.samples)


@given(streams(), STARTS)
@settings(max_examples=25, deadline=None)
def test_a_copy_pairs_frame_by_frame_wherever_its_clock_starts(master: list[Fraction], start: Fraction) -> None:
    chosen = chosen_of(master)
    pairing = pair_with_master([t - master[0] + start for t in master], master, chosen)
    assert pairing.samples == [Sample(step=i, frame=i, paired=True, half=k % 2) for k, i in enumerate(chosen)]
    assert pairing.unpaired == 0


@given(st.integers(20, 200), RATES, st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_a_lower_rate_pairs_only_equal_instants(frames: int, rate: Fraction, factor: int) -> None:
    master, encode = times(frames, rate), times(-(-frames // factor), rate / factor)
    pairing = pair_with_master(encode, master, chosen_of(master))
    assert pairing.samples
    for sample in pairing.samples:
        assert sample.paired
        assert sample.step == factor * sample.frame  # never the frame beside it


def test_a_dropped_frame_is_left_out_of_the_comparison_and_not_replaced_by_its_neighbour() -> None:
    master = times(50)
    encode = [t for i, t in enumerate(master) if i != 20]
    pairing = pair_with_master(encode, master, [10, 20, 30])
    assert pairing.samples == [
        Sample(step=10, frame=10, paired=True),
        Sample(step=20, frame=19, paired=False, half=1),
        Sample(step=30, frame=29, paired=True),
    ]
    assert (pairing.wanted, pairing.unpaired) == (3, 1)


def test_rounded_time_bases_still_pair() -> None:
    """Matroska writes milliseconds: 33, 67, 100 for 1/30, 2/30, 3/30."""
    master = times(300, 30)
    encode = [Fraction(round(t * 1000), 1000) for t in master]
    chosen = chosen_of(master)
    assert [s.frame for s in pair_with_master(encode, master, chosen).samples if s.paired] == chosen


def test_an_encode_that_ends_early_is_not_scored_beyond_its_end() -> None:
    pairing = pair_with_master(times(25), times(100), [5, 20, 40, 80])
    assert [s.frame for s in pairing.samples] == [5, 20]
    assert pairing.unpaired == 2


def test_one_frame_gives_one_row_even_if_two_instants_of_the_master_are_nearest_to_it() -> None:
    frozen = [Fraction(0), Fraction(1, 25), Fraction(2)]  # nothing new was stored for two seconds
    pairing = pair_with_master(frozen, times(50), [1, 4, 6, 49])
    assert [(s.frame, s.paired) for s in pairing.samples] == [(1, True), (2, False)]


def test_a_still_picture_pairs_with_a_still_picture() -> None:
    one = [Fraction(0)]
    assert own_samples(one, fps=2, min_frames=8, seed=0) == [Sample(step=0, frame=0)]
    assert pair_with_master([Fraction(7)], one, [0]).samples == [Sample(step=0, frame=0, paired=True)]
    assert span(one) == 0


def test_a_master_is_decoded_where_it_is_scored_and_where_an_encode_needs_it() -> None:
    encodes = [[Sample(3, 3, paired=True), Sample(9, 8)], [Sample(4, 2, paired=True)]]
    samples = master_samples([3, 7], encodes)
    assert [(s.frame, s.scored) for s in samples] == [(3, True), (4, False), (7, True)]
    assert [s.frame for s in master_samples([], encodes)] == [3, 4]


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001), 25, 50, 60, 120])
@pytest.mark.parametrize("ticks", [1000, 10000, 90000])
def test_gaps_are_told_through_rounding_and_holes(rate: Fraction, ticks: int) -> None:
    numbers = [n for n in range(600) if not 200 <= n < 260]
    rounded = Times(np.array([round(n * ticks / rate) for n in numbers]), Fraction(1, ticks))
    assert float(frame_gap(rounded) * rate) == pytest.approx(1, abs=0.002)


def test_a_hole_in_a_coarse_clock_does_not_count() -> None:
    """Ticks of a whole frame: a frame that is missing is no rounding."""
    held = Times(np.array([n for n in range(100) if n % 5]), Fraction(1, 30))
    assert frame_gap(held) == Fraction(1, 30)


def test_gaps_are_the_usual_one_so_that_a_hole_does_not_count() -> None:
    assert frame_gap([*times(20), *times(20, start=60)]) == Fraction(1, 25)
    assert frame_gap([Fraction(3)]) == 0
    assert span(times(50)) == 2


TICKS = st.lists(st.integers(-(10**9), 10**12), min_size=1, max_size=60).map(sorted)


@given(TICKS, st.sampled_from([Fraction(1, 90000), Fraction(1001, 30000), Fraction(1, 1000), Fraction(3, 7)]))
def test_a_packet_tables_times_say_the_same_as_exact_ones(ticks: list[int], time_base: Fraction) -> None:
    stored, exact = Times(np.array(ticks), time_base), [tick * time_base for tick in ticks]
    assert frame_gap(stored) == frame_gap(exact)
    assert span(stored) == span(exact)
    assert since_first(stored).tolist() == since_first(exact).tolist()


@pytest.mark.parametrize(
    ("mine", "theirs", "comparable"),
    [
        ("bt709", "smpte170m", True),
        ("unknown", "bt709", True),
        ("bt709", "smpte2084", False),
        ("arib-std-b67", "unknown", False),
        ("arib-std-b67", "smpte2084", False),
        ("smpte2084", "smpte2084", True),
    ],
)
def test_hdr_is_not_compared_with_sdr(mine: str, theirs: str, comparable: bool) -> None:
    reason = why_not_comparable(info(color_transfer=mine), info(color_transfer=theirs))
    assert (reason is None) == comparable
    if reason is not None:
        assert "HDR" in reason


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [
        ((1920, 1080), (426, 240), True),
        ((960, 540), (854, 480), True),  # neighbours of a usual ladder
        ((1080, 1920), (640, 360), True),  # turned
        ((1920, 1080), (1920, 1080), False),
        ((426, 240), (1920, 1080), False),
        ((1920, 1088), (1916, 1076), False),
        ((1920, 1080), (1920, 800), False),  # bars
        ((1920, 1080), (1440, 1080), False),
    ],
)
def test_a_master_smaller_than_its_encode_is_told(mine: tuple[int, int], theirs: tuple[int, int], told: bool) -> None:
    found = smaller_master(info(*mine), info(*theirs))
    sizes = "{}x{} against {}x{}".format(*theirs, *mine)
    said = f"its master is stored smaller than it, {sizes}: the two may have been exchanged"
    assert found == ([Finding(said, "smaller_master", "warning")] if told else [])


def test_a_still_picture_is_not_compared_with_a_video() -> None:
    assert why_not_comparable(info(still=True), info(still=True)) is None
    for mine, theirs in ((True, False), (False, True)):
        said = why_not_comparable(info(still=mine), info(still=theirs))
        assert said is not None
        assert said.index("still picture") < said.index("video") if mine else said.index("video") < said.index("still")


@given(st.integers(1, 300), st.integers(1, 300), st.fractions(-5, 5, max_denominator=100), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_what_goes_on_beyond_the_master_is_sampled_as_if_alone(
    count: int, master_count: int, offset: Fraction, seed: int
) -> None:
    mine, theirs = times(count), times(master_count)
    own = own_samples(mine, fps=2, min_frames=4, seed=seed)
    paired = pair_with_master(mine, theirs, chosen_of(theirs), Clock(offset)).samples
    if not paired:
        return
    beyond = outside(own, mine, theirs, Clock(offset))
    both = sorted([*paired, *beyond], key=lambda s: s.frame)
    assert [s.step for s in both] == sorted({s.step for s in both})
    assert len({s.frame for s in both}) == len(both)
    assert not any(s.paired for s in beyond)
    chosen = chosen_of(theirs)
    gaps = [b.frame - a.frame for a, b in pairwise(own)] + [b - a for a, b in pairwise(chosen)]
    most = max(gaps, default=0) + max(chosen[0], len(theirs) - chosen[-1])  # between two of either, or before its first
    assert all(b.frame - a.frame <= 2 * most for a, b in pairwise(both))  # nothing of it goes by unseen
    assert both[0].frame <= own[0].frame + most
    assert both[-1].frame >= own[-1].frame - most


@given(
    st.lists(
        st.tuples(st.integers(5, 200), st.integers(-9, 9).filter(bool)),
        min_size=1,
        max_size=4,
        unique_by=lambda s: s[0] // 20,
    ),
    st.integers(-20, 20),
)
@settings(max_examples=60, deadline=None)
def test_with_steps_every_pair_still_lies_within_half_a_frame(steps: list[tuple[int, int]], offset: int) -> None:
    """And what a step leaves out of the master has no counterpart."""
    stream = times(240, Fraction(25))
    gap = stream[1] - stream[0]
    clock = Clock(offset * gap, steps=tuple((at * gap - gap / 2, skip * gap) for at, skip in sorted(steps)))
    pairing = pair_with_master(stream, stream, list(range(0, 240, 3)), clock)
    for sample in pairing.samples:
        if sample.paired:
            assert clock.of_master(stream[sample.frame]) == stream[sample.step]
    shown = {clock.of_master(t) for t in stream}
    if len({skip > 0 for _, skip in steps}) == 1:  # else what was left out may be shown again, and is not looked for
        assert all(sample.paired == (stream[sample.step] in shown) for sample in pairing.samples)
    for one, two in pairwise(pairing.samples):
        assert one.step < two.step
        assert one.frame < two.frame
