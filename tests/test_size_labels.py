"""Sizes beside the marks of a chart lie over nothing else."""

from __future__ import annotations

import json
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.reports import figures, ladder_figures
from yoto_video.reports.read import gather
from yoto_video.reports.size_labels import Spot, places

from .synthetic_results import scored

SIDE = st.floats(0, 1, allow_subnormal=False)


def rising(count: int, first: float = 0.1, last: float = 0.9) -> list[Spot]:
    each = [first + (last - first) * k / (count - 1) for k in range(count)]
    return [Spot(at, at, "720p", "top left") for at in each]


def test_where_there_is_room_all_stand_at_the_place_asked_for() -> None:
    assert places(rising(5)) == ["top left"] * 5
    assert places([spot._replace(first="bottom right") for spot in rising(5)]) == ["bottom right"] * 5
    assert places([]) == []


def test_neighbours_that_lie_close_stand_on_two_sides() -> None:
    assert places(rising(3, 0.5, 0.58)) == ["top left", "bottom right", "top left"]


def test_what_finds_no_room_is_left_out_but_not_the_ends() -> None:
    flat = [spot._replace(y=0.5) for spot in rising(20)]
    found = places(flat)
    assert None in found
    assert None not in (found[0], found[-1])
    assert places([flat[0], flat[0]._replace(text="")]) == ["top left", None]


@given(st.lists(st.tuples(SIDE, SIDE, st.sampled_from(["", "720p", "1080p"])), max_size=14))
def test_no_two_at_one_side_lie_over_each_other(drawn: list[tuple[float, float, str]]) -> None:
    spots = [Spot(x, y, text, "top left") for x, y, text in drawn]
    found = places(spots)
    shown = [(spot, place) for spot, place in zip(spots, found, strict=True) if place is not None]
    assert all(spot.text for spot, _ in shown)
    for width, height in ((275, 270), (475, 270)):
        for k, (one, place) in enumerate(shown):
            for other, beside in shown[:k]:
                apart = abs(one.x - other.x) * width, abs(one.y - other.y) * height
                assert place != beside or apart[0] > 25 or apart[1] > 12


@pytest.mark.parametrize("count", [3, 6, 12])
def test_the_sizes_of_a_ladder_have_a_place_each_or_are_left_to_the_hover(count: int) -> None:
    heights = (144, 180, 240, 270, 360, 432, 480, 540, 576, 720, 900, 1080)[-count:]
    results = [
        scored(f"/{h}.mp4", "l", "nr", 60 + 3 * log(k + 1), height=h, width=h * 16 // 9, bitrate_kbps=400 + 30.0 * k)
        for k, h in enumerate(heights)
    ]
    table = gather([r.clip for r in results]).ladders[0]
    made = ladder_figures.rate_quality(table, "nr", figures.styles(table.clips))
    assert made is not None
    (marks,) = (line for line in json.loads(made.json)["data"] if "text" in line)
    assert len(marks["text"]) == len(marks["textposition"]) == count
    assert set(marks["textposition"]) == {"top left", "bottom right"}
    assert marks["text"][0]
    assert marks["text"][-1]
    assert [size for _, size, _ in marks["customdata"]] == [f"{h * 16 // 9}×{h}" for h in heights]
