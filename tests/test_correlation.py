"""Figures of agreement: fits, splits by content, intervals and medians."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.models.training.correlation import agreement, content_splits, fitted_curve, intervals, split_median


def test_measures_that_fall_are_fitted_too() -> None:
    mos = np.linspace(1, 5, 40)
    falling = 100 - 90 / (1 + np.exp(-(mos - 3)))
    found = agreement(falling.tolist(), mos.tolist())
    assert found.srocc == pytest.approx(-1)
    assert found.plcc > 0.99
    few = agreement([1.0, 2.0, 4.0], [2.0, 3.0, 5.0])
    assert few.plcc == pytest.approx(1)
    assert few.rmse == pytest.approx(0, abs=1e-6)
    assert fitted_curve([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])(np.asarray([2.0])) == pytest.approx([25])


@given(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=1, max_size=60))
@settings(max_examples=30)
def test_splits_share_no_content_and_do_not_depend_on_order(contents: list[str]) -> None:
    splits = list(content_splits(contents))
    assert len(splits) == 10
    names = set(contents)
    for train, test in splits:
        assert not train & test
        assert train | test == names
        assert len(test) == max(1, round(len(names) / 5))
    assert splits == list(content_splits(contents[::-1]))
    if len(names) >= 5:
        assert len(set(splits)) > 1


def test_intervals_cover_contents_not_rows() -> None:
    """Rows of a content that err together make the interval wide, as if there were few of them: there are."""
    rng = np.random.default_rng(0)
    mos = np.tile(np.linspace(1, 5, 10), 12)
    contents = np.repeat(np.arange(12), 10).tolist()
    together = 20 * mos + np.repeat(rng.normal(0, 25, 12), 10)
    apart = 20 * mos + rng.normal(0, 25, 120)
    by_content = intervals(together.tolist(), mos.tolist(), contents)
    by_row = intervals(together.tolist(), mos.tolist(), list(range(120)))
    assert by_content is not None
    assert by_row is not None
    width = {name: high - low for name, (low, high) in by_content.items()}
    assert width["srocc"] > 1.2 * (by_row["srocc"][1] - by_row["srocc"][0])
    low, high = intervals(apart.tolist(), mos.tolist(), contents)["srocc"]  # type: ignore[index]
    assert low < agreement(apart.tolist(), mos.tolist()).srocc < high
    assert intervals([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], ["a", "a", "b"]) is None


def test_medians_over_splits() -> None:
    mos = np.tile(np.linspace(1, 5, 6), 10).tolist()
    contents = [f"c{i // 6}" for i in range(60)]
    found = split_median(mos, mos, contents)
    assert found is not None
    assert (found.n, found.srocc) == (12, pytest.approx(1))
    assert split_median(mos[:24], mos[:24], contents[:24]) is None  # a fifth of four contents is none
    assert math.isnan(split_median([1.0] * 60, mos, contents).srocc)  # type: ignore[union-attr]
