"""BD-rate: published examples, the reference package on random curves, and what must be refused with a sentence."""

from __future__ import annotations

import math
import warnings

import bjontegaard
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator
from yoto_video.reports import bd, pchip
from yoto_video.reports.rd import RatePoint

# (rate in kbit/s, PSNR) of anchor and test, and the BD-rate in percent, of JCTVC-E137 as Netflix's VMAF repository
# cites it (python/test/bd_rate_calculator_test.py: piecewise cubic, to 4 places of the ratio).
JCTVC_E137 = [
    (
        [(108048.8736, 43.6471), (61279.976, 40.3953), (33905.6656, 37.247), (18883.6928, 34.2911)],
        [(108061.2784, 43.6768), (61299.9936, 40.4232), (33928.7472, 37.2761), (18910.912, 34.3147)],
        -0.465215420752807,
    ),
    (
        [(40433.8848, 37.5761), (7622.7456, 35.3756), (2394.488, 33.8977), (1017.6184, 32.0603)],
        [(40370.12, 37.5982), (7587.0024, 35.4025), (2390.0944, 33.9194), (1017.0984, 32.0822)],
        -1.8779823450567612,
    ),
]


def points(pairs: list[tuple[float, float]]) -> list[RatePoint]:
    return [RatePoint(*pair) for pair in pairs]


@st.composite
def curves(draw: st.DrawFn, least: int = 4) -> tuple[list[float], list[float]]:
    """A rising rate-quality curve."""
    n = draw(st.integers(least, 9))
    ratios = draw(st.lists(st.floats(1.05, 3), min_size=n, max_size=n))
    steps = draw(st.lists(st.floats(0.1, 12), min_size=n, max_size=n))
    return list(draw(st.floats(50, 500)) * np.cumprod(ratios)), list(draw(st.floats(5, 50)) + np.cumsum(steps))


@pytest.mark.parametrize(("anchor", "test", "percent"), JCTVC_E137)
def test_published_examples(anchor: list[tuple[float, float]], test: list[tuple[float, float]], percent: float) -> None:
    assert bd.delta(points(anchor), points(test)).pchip == pytest.approx(percent, abs=0.005)


@given(curves(), curves())
def test_random_curves_as_the_reference_package_has_them(
    anchor: tuple[list[float], list[float]], test: tuple[list[float], list[float]]
) -> None:
    one, two = (points(list(zip(*c, strict=True))) for c in (anchor, test))
    found = bd.delta(one[::-1], two)
    rates, scores = (np.array(anchor[0]), np.array(test[0])), (np.array([anchor[1]]), np.array([test[1]]))
    log_rate, quality = (float(v[0]) for v in bd.log_deltas(rates, scores))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {m: bjontegaard.bd_rate(*anchor, *test, m, False) for m in ("pchip", "akima")}
        points_up = bjontegaard.bd_psnr(*anchor, *test, "pchip", False)
    if math.isnan(expected["pchip"]):
        assert math.isnan(found.pchip)
        assert math.isnan(log_rate)
        assert "no common quality" in (found.reason or "")
        return
    common = min(one[-1].score, two[-1].score) - max(one[0].score, two[0].score)
    smaller = min(own[-1].score - own[0].score for own in (one, two))
    if common < 0.19 * smaller:  # a mean over a sliver says nothing of the curves
        assert math.isnan(found.pchip)
        assert "hardly any common quality" in (found.reason or "")
    if common < 0.21 * smaller:
        return
    assert found.reason is None
    assert found.pchip == pytest.approx(expected["pchip"], rel=1e-9)
    assert found.akima == pytest.approx(expected["akima"], rel=1e-9)
    assert bd.percent(log_rate) == pytest.approx(expected["pchip"], rel=1e-6, abs=1e-9)  # the resamples' own arithmetic
    assert quality == pytest.approx(points_up, rel=1e-6, abs=1e-9, nan_ok=True)


@given(curves(), st.floats(0, 1), st.floats(0, 1))
def test_many_curves_at_once_are_scipys(curve: tuple[list[float], list[float]], one: float, two: float) -> None:
    y, x = np.log(curve[0]), np.array(curve[1])
    low, high = sorted(x[0] + (x[-1] - x[0]) * np.array([one, two]))
    theirs = PchipInterpolator(x, y)
    assert pchip.slopes(x, y) == pytest.approx(theirs.derivative()(x), rel=1e-8, abs=1e-10)
    both = pchip.area(np.stack([x, x + 1]), np.stack([y, y]), [low, low + 1], [high, high + 1])
    assert both == pytest.approx([float(theirs.integrate(low, high))] * 2, rel=1e-8, abs=1e-9)
    assert pchip.value(x[None], y[None], [low])[0] == pytest.approx(float(theirs(low)), rel=1e-9)
    assert math.isnan(pchip.value(x, y, x[-1] + 1e-3))


@given(curves(), st.floats(0.2, 5))
def test_the_same_encoder_at_a_multiple_of_the_rate(curve: tuple[list[float], list[float]], factor: float) -> None:
    scaled = [(r * factor, q) for r, q in zip(*curve, strict=True)]
    found = bd.delta(points(list(zip(*curve, strict=True))), points(scaled))
    assert found.pchip == pytest.approx(100 * (factor - 1), abs=1e-6)
    assert found.akima == pytest.approx(100 * (factor - 1), abs=1e-6)
    level = np.array([curve[1]])
    ratio = bd.log_ratios((np.array(curve[0]), np.array(curve[0]) * factor), (level, level), curve[1][1])
    assert ratio[0] == pytest.approx(math.log(factor), abs=1e-9)


GOOD = points([(100, 20), (200, 40), (400, 60), (800, 75)])


@pytest.mark.parametrize(
    ("test", "word"),
    [
        (GOOD[:3], "at least 4"), ([], "0 encodes"), (GOOD[:1], "1 encode with"),
        (points([(100, 20), (200, 40), (400, 39), (800, 75)]), "does not rise from 200 to 400"),
        (points([(100, 20), (200, 40), (200, 60), (800, 75)]), "same bit rate"),
        (points([(100, 2), (200, 4), (400, 6), (800, 7)]), "no common quality"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_nan_with_its_reason(test: list[RatePoint], word: str) -> None:
    found = bd.delta(GOOD, test, ("old", "new"))
    assert math.isnan(found.pchip)
    assert math.isnan(found.akima)
    assert math.isnan(found.quality)
    assert word in (found.reason or "")
    if "common" not in word:
        assert (found.reason or "").startswith("new: ")


def test_of_several_sizes_the_front_is_compared() -> None:
    small = points([(100, 30), (200, 40), (400, 45)])
    large = points([(200, 25), (400, 55), (800, 70), (1600, 80)])
    front, reason = bd.usable([*small, *large], ["360p"] * 3 + ["720p"] * 4)
    assert reason is None
    assert [p.bitrate_kbps for p in front] == [100, 200, 400, 800, 1600]
    assert front[2].score == 55
    bad = points([(100, 30), (200, 29), (400, 45)])
    assert (bd.usable([*bad, *large], ["360p"] * 3 + ["720p"] * 4)[1] or "").startswith("at 360p, quality does not")
