"""The default network's scores stay what they were: of weights, places, and every step between."""

from __future__ import annotations

import pytest

from . import golden_scores

FROM_OTHER_PROCESSORS = 0.6  # points: in 8 bits the last digit of a sum decides how it is rounded


def test_scores_are_those_of_before() -> None:
    assert golden_scores.scores() == pytest.approx(golden_scores.GOLDEN, abs=FROM_OTHER_PROCESSORS)
