"""What the places a clip is judged at leave to chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.models.own_raster import Part
from yoto_video.models.place_error import SPREAD, place_error, with_own
from yoto_video.pipeline.rows import shots_worth
from yoto_video.pipeline.values import FrameScore

LARGE = (1280, 720)


def test_nothing_is_left_to_chance_on_a_frame_that_is_looked_at_whole() -> None:
    assert place_error("nr", 50.0, (640, 272), 6, 1.0) == 0  # six places of 224x224 cover it
    assert place_error("nr", 50.0, (960, 540), 6, 1.0) < place_error("nr", 50.0, LARGE, 6, 1.0)
    assert place_error("nr", 50.0, LARGE, 24, 1.0) < 0.7 * place_error("nr", 50.0, LARGE, 6, 1.0)


def test_a_perfect_copy_is_certain() -> None:
    assert place_error("fr", 100.0, LARGE, 6, 1.0) == place_error("nr", 0.0, LARGE, 6, 1.0) == 0


def test_four_shots_halve_it() -> None:
    one, four = (place_error("fr", 60.0, LARGE, 6, shots) for shots in (1.0, 4.0))
    assert four == pytest.approx(one / 2)


@given(
    st.sampled_from(["nr", "fr"]), st.floats(0, 100), st.integers(1, 300), st.integers(1, 300), st.floats(1, 1e4),
    st.integers(6, 12),
)  # fmt: skip
def test_it_is_never_more_than_what_was_measured(
    mode: str, score: float, width: int, height: int, shots: float, count: int
) -> None:
    assert 0 <= place_error(mode, score, (8 * width, 8 * height), count, shots) <= SPREAD[mode]  # type: ignore[arg-type]


@given(st.floats(0, 5), st.floats(0.1, 1), st.floats(0, 5), st.integers(1, 20), st.integers(0, 20), st.integers(1, 50))
def test_what_is_seen_as_it_is_stored_has_its_own_part_of_it(
    error: float, share: float, own: float, seen: int, others: int, shots: int
) -> None:
    part = Part(share, 50.0, own)
    found = with_own(error, [part] * seen, seen + others, shots)
    assert found <= max(error, own / shots**0.5) * 2**0.5 + 1e-9
    assert with_own(error, [], seen, shots) == error
    assert with_own(error, [Part(1.0, 50.0, own)] * seen, seen, shots) == pytest.approx(own / shots**0.5)
    if not others:
        assert found == pytest.approx(((1 - share) ** 2 * error**2 + share**2 * own**2 / shots) ** 0.5)


def test_shots_count_by_their_length() -> None:
    def clip(*shots: int | None) -> list[FrameScore]:
        return [FrameScore(i, i / 2, 50.0, "nr", shot=shot) for i, shot in enumerate(shots)]

    assert shots_worth(clip(0, 0, 0, 0)) == shots_worth(clip(None, None)) == 1
    assert shots_worth(clip(0, 0, 1, 1, 2, 2)) == 3
    assert 1 < shots_worth(clip(*[0] * 9, 1)) < 1.3
