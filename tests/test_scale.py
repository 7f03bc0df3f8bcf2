"""What scores mean: calibration by fifth, and the difference that viewers notice."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.models.training.scale import calibration, noticed
from yoto_video.models.training.tables import Sample


def sample(mos: float, content: str = "sea", **published: float) -> Sample:
    return Sample(Path("x.png"), None, mos, content, (64, 64), "set", "", published)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(1, 5)), min_size=1, max_size=60))
def test_every_row_counts_in_one_fifth(rows: list[tuple[float, float]]) -> None:
    bins = calibration([score for score, _ in rows], [mos for _, mos in rows])
    assert sum(b.n for b in bins) == len(rows)
    assert all(b.low <= b.score <= b.low + 20 + 1e-9 and 0 <= b.opinion <= 100 for b in bins)
    assert sum(b.n * b.opinion for b in bins) == pytest.approx(sum(25 * (mos - 1) for _, mos in rows), abs=1e-6)


def observed(jnd: float, seed: int, contents: int = 12) -> tuple[list[float], list[Sample]]:
    """Opinions that err so that pairs `jnd` points apart are rated in order three times in four."""
    rng = np.random.default_rng(seed)
    error = jnd / 25 / 0.6745 / math.sqrt(2)
    scores, samples = [], []
    for content in range(contents):
        offset = rng.uniform(-0.5, 0.5)  # between contents nothing is promised
        for score in rng.uniform(30, 70, 12):
            mos = 1 + score / 25 + offset + rng.normal(0, error)
            scores.append(float(score))
            samples.append(sample(mos, str(content), mos_ci=0.2))
    return scores, samples


@pytest.mark.parametrize("jnd", [3.0, 8.0])
def test_the_noticed_difference_is_found_again(jnd: float) -> None:
    found = [noticed(*observed(jnd, seed)) for seed in range(6)]
    assert all(f is not None and f.pairs == 12 * 66 for f in found)
    assert np.mean([f.ordered for f in found if f]) == pytest.approx(jnd, rel=0.25)
    assert all(math.isfinite(f.significant) for f in found if f)


def test_without_intervals_nothing_is_beyond_doubt() -> None:
    scores, samples = observed(5, 1)
    bare = [sample(s.mos, s.content) for s in samples]
    found = noticed(scores, bare)
    assert found is not None
    assert math.isnan(found.significant)


def test_other_contents_and_tests_are_not_paired() -> None:
    scores = list(np.linspace(0, 100, 60))
    assert noticed(scores, [sample(1 + s / 25, str(s)) for s in scores]) is None
    assert noticed(scores, [sample(1 + s / 25, test=float(i)) for i, s in enumerate(scores)]) is None
