"""What a place far behind says of how an encode's head was laid on its master."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from yoto_video.pipeline import astray, drift, steps

GAP = 0.04
HEAD, OTHER = Fraction(1), Fraction(25, 24)


@pytest.fixture(autouse=True)
def no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """No way from the head to the place is found: it is all or nothing."""
    monkeypatch.setattr(steps, "find", lambda *given: None)
    monkeypatch.setattr(astray, "places", lambda *given: [])


Said = dict[Fraction, tuple[float, float | None]]


def late(monkeypatch: pytest.MonkeyPatch, said: Said) -> Any:
    """What it makes of what each speed says of such a place: agreement, and seconds off where that is sure."""
    monkeypatch.setattr(drift, "shift_at", lambda *given: said[Fraction(given[4]).limit_denominator(100)])
    sight: Any = SimpleNamespace(times=np.arange(500) * GAP, gap=GAP)
    laid: Any = SimpleNamespace(offset=SimpleNamespace(offset_s=0.0, ratio=1.0))
    return drift.late(sight, sight, laid, [HEAD, OTHER], GAP, in_step=True)


def test_another_speed_than_the_heads_may_fit_but_not_refute_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert late(monkeypatch, {HEAD: (0.98, None), OTHER: (0.9, 0.3)}) is None  # the head's own agrees, less than surely
    assert late(monkeypatch, {HEAD: (0.98, None), OTHER: (0.9, 0.01)}) == OTHER
    assert late(monkeypatch, {HEAD: (0.98, 0.01), OTHER: (0.9, 0.3)}) == HEAD


def test_a_place_far_off_at_the_heads_own_speed_refutes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cut out or put in" in late(monkeypatch, {HEAD: (0.9, 0.3), OTHER: (0.9, None)})
    assert "other pictures" in late(monkeypatch, {HEAD: (0.2, None), OTHER: (0.1, None)})


@pytest.mark.parametrize("before", [(0.9, 0.0), (0.9, 0.05), (0.9, None), None])
def test_one_place_a_frame_off_refutes_nothing_where_the_second_before_it_fits(
    monkeypatch: pytest.MonkeyPatch, before: tuple[float, float | None] | None
) -> None:
    def at(*given: Any) -> tuple[float, float | None] | None:
        return None if given[4] != HEAD else (0.9, 0.05) if given[3] > 4 else before

    monkeypatch.setattr(drift, "shift_at", at)
    sight: Any = SimpleNamespace(times=np.arange(150) * GAP, gap=GAP)
    laid: Any = SimpleNamespace(offset=SimpleNamespace(offset_s=0.0, ratio=1.0))
    said = drift.late(sight, sight, laid, [HEAD, OTHER], GAP, in_step=True)
    assert said == HEAD if before == (0.9, 0.0) else "cut out or put in" in str(said)


def test_a_place_more_than_a_frame_off_refutes_whatever_lies_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "shift_at", lambda *given: (0.9, 0.1) if given[3] > 4 else (0.9, 0.0))
    sight: Any = SimpleNamespace(times=np.arange(150) * GAP, gap=GAP)
    laid: Any = SimpleNamespace(offset=SimpleNamespace(offset_s=0.0, ratio=1.0))
    assert "cut out or put in" in str(drift.late(sight, sight, laid, [HEAD, OTHER], GAP, in_step=True))
