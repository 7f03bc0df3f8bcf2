"""From a fit that is off by part of a pixel to views that lie on each other exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yoto_video.pipeline.colour import rescaled
from yoto_video.pipeline.geometry import TURNS, UPRIGHT, View, in_shape, views
from yoto_video.pipeline.luma import HEIGHT, WHOLE, WIDTH, Rect

RASTER = (640, 360)
NOISE = st.floats(-0.25, 0.25)  # pixels


def fitted(low: Fraction, high: Fraction, length: int, luma: int, noise: tuple[float, float]) -> tuple[float, float]:
    """Where a whole encode lies on the master's luma picture, in its pixels, with a fit's error."""
    return float(low) * luma / length + noise[0] * luma / length, float(high) * luma / length + noise[1] * luma / length


@given(
    bars=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    picture=st.sampled_from([(640, 360), (426, 240), (320, 180), (212, 120)]),
    noise=st.tuples(NOISE, NOISE, NOISE, NOISE),
)
@example(bars=(0, 0), picture=(212, 120), noise=(0, 0.25, 0, 0))
def test_bars_are_cut_off_at_the_encodes_own_pixels(
    bars: tuple[int, int], picture: tuple[int, int], noise: tuple[float, float, float, float]
) -> None:
    size = (picture[0] + 2 * bars[0], picture[1] + 2 * bars[1])
    ends = []
    for axis, luma in enumerate((WIDTH, HEIGHT)):
        scale = Fraction(RASTER[axis], picture[axis])
        off = tuple(float(scale) * noise[axis + 2 * end] for end in (0, 1))  # of the encode's pixels
        place = -bars[axis] * scale, RASTER[axis] + bars[axis] * scale
        ends.append(fitted(*place, RASTER[axis], luma, (off[0], off[1])))
    part: Rect = (ends[0][0], ends[1][0], ends[0][1], ends[1][1])
    view, master = views(RASTER, WHOLE, part, UPRIGHT, size)
    assert master == View(RASTER, (0, 0, *RASTER), RASTER)
    assert view.raster == RASTER
    if bars == (0, 0):
        assert view == master
    else:
        assert view.size == size
        assert view.cut == (bars[0], bars[1], bars[0] + picture[0], bars[1] + picture[1])


@given(
    cut=st.tuples(*(st.integers(0, 16) for _ in range(4))),
    size=st.sampled_from([(640, 360), (426, 240)]),
    noise=st.tuples(NOISE, NOISE, NOISE, NOISE),
)
def test_cut_borders_are_those_of_the_masters_own_pixels(
    cut: tuple[int, int, int, int], size: tuple[int, int], noise: tuple[float, float, float, float]
) -> None:
    true = (cut[0], cut[1], RASTER[0] - cut[2], RASTER[1] - cut[3])
    unit = np.array([WIDTH / RASTER[0], HEIGHT / RASTER[1]] * 2)
    left, top, right, bottom = (float(edge) for edge in (np.array(true) + noise) * unit)
    view, master = views(RASTER, WHOLE, (left, top, right, bottom), UPRIGHT, size)
    assert master.cut == true
    assert view.raster == master.raster == (true[2] - true[0], true[3] - true[1])
    assert view.size == view.raster  # read at once at the size it is compared at


def test_bars_do_not_bleed_into_the_picture() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(60, 200, (120, 212, 3), np.uint8)
    barred = np.pad(picture, ((15, 15), (24, 24), (0, 0)))
    view = View((260, 150), (24, 15, 236, 135), (320, 180))
    assert np.array_equal(view.apply(barred), rescaled(picture, (320, 180)))
    for turn in TURNS:
        stored = turn.apply(barred)
        back = next(t for t in TURNS if np.array_equal(t.apply(stored), barred))
        turned = View(view.size, view.cut, view.raster, back)
        assert turned.read_size == stored.shape[1::-1]
        assert np.array_equal(turned.apply(stored), view.apply(barred))


@pytest.mark.parametrize(
    ("area", "lit", "aspect", "found"),
    [
        ((0, 13, 320, 163), WHOLE, 180 / 224, (0, 180 * 22 / 224, 320, 180 * 202 / 224)),  # bars above and below
        ((36, 0, 284, 180), WHOLE, 400 / 320, (32, 0, 288, 180)),  # and beside
        ((0, 22, 320, 158), (0, 22, 320, 158), 1.0, (0, 22, 320, 158)),  # the master has them too
        ((0, 0, 320, 180), (0, 23, 320, 157), 180 / 134, (0, 0, 320, 180)),  # only the master has
        ((0, 40, 320, 140), WHOLE, 180 / 224, (0, 40, 320, 140)),  # too far from what is seen: stretched
    ],
)
def test_bars_lie_where_the_picture_keeps_its_masters_shape(area: Rect, lit: Rect, aspect: float, found: Rect) -> None:
    assert in_shape(area, lit, aspect) == pytest.approx(found)
