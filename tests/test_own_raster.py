"""Pictures that are shown larger than they are stored: what their own pixels have in their score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.models.judge import Judge
from yoto_video.models.own_raster import FULL, LEAST, OwnRaster, octaves
from yoto_video.models.training.distortions import resize
from yoto_video.models.training.harm import jpeg
from yoto_video.models.zoo import entry
from yoto_video.pipeline.decode import read_frames
from yoto_video.pipeline.decord_reader import why_not
from yoto_video.pipeline.own_raster import WITHIN_S, Correction, Due, corrected
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.probe import probe
from yoto_video.pipeline.settings import Decoder, Settings
from yoto_video.pipeline.values import Frame, Ladder, Own, Rendition, VideoRef

from .clips import make
from .fakes import FakeJudge
from .measuring import run
from .scene import scene

SCORES, LARGER = st.floats(0, 100), st.floats(LEAST, 6)
SHIPPED = entry("yoto_mobilenetv2").own
assert SHIPPED is not None


@given(SCORES, SCORES, LARGER)
def test_a_corrected_score_is_on_the_scale(shown: float, own: float, larger: float) -> None:
    assert SHIPPED is not None
    assert -1e-9 <= shown + SHIPPED.correction(shown, own, larger) <= 100 + 1e-9


@given(SCORES, SCORES, SCORES, LARGER)
def test_a_better_own_picture_never_scores_lower(shown: float, one: float, other: float, larger: float) -> None:
    assert SHIPPED is not None
    low, high = (SHIPPED.correction(shown, own, larger) for own in sorted((one, other)))
    assert low <= high + 1e-9


@given(SCORES, LARGER, LARGER)
def test_more_enlargement_never_scores_higher(own: float, one: float, other: float) -> None:
    assert SHIPPED is not None
    less, more = sorted((one, other))
    assert SHIPPED.enlarged(own, more) <= SHIPPED.enlarged(own, less) + 1e-9 <= own + 2e-9


def test_a_little_enlargement_has_a_little_share() -> None:
    half = OwnRaster(share=0.5, step=0, part=0)
    assert half.correction(40, 80, FULL) == pytest.approx(20)
    assert half.correction(40, 80, 4 * FULL) == pytest.approx(20)
    assert half.correction(40, 80, FULL / 4) == pytest.approx(5)


def test_octaves_are_doublings_of_the_sides() -> None:
    assert octaves((640, 360), (1280, 720)) == pytest.approx(1)
    assert octaves((320, 180), (1280, 720)) == pytest.approx(2)
    assert octaves((1280, 720), (640, 360)) == pytest.approx(-1)


def _frame(at: float, shot: int = 0, octaves: float | None = 1.0) -> Frame:
    picture = np.zeros((4, 4, 3), np.uint8)
    own = None if octaves is None else Own(octaves, lambda: picture)
    return Frame(int(25 * at), Fraction(at), picture, shot, own=own)


def test_a_shot_is_looked_at_again_after_a_while_and_a_new_one_at_once() -> None:
    due = Due()
    times = [0.5 * k for k in range(13)]
    assert [t for t in times if due(_frame(t))] == [0, WITHIN_S]
    assert due(_frame(6.5, shot=1))
    assert not due(_frame(7, shot=1))
    assert not due(_frame(7.5, shot=2, octaves=None))  # it is not shown larger


def test_frames_take_the_correction_of_their_own_shot_and_video() -> None:
    def correct(own: Sequence[Any], octaves: Sequence[float], scores: Sequence[float]) -> list[float]:
        return [-10.0 * o for o in octaves]

    frames = [
        (1, _frame(0)),
        (2, _frame(0, octaves=2.0)),
        (1, _frame(0.5, octaves=None)),
        (1, _frame(1, 1, None)),
        (2, _frame(1, 0, None)),
    ]
    found = corrected(correct, frames, [50, 15, 60, 70, 80], {})
    ten, twenty = Correction(0, -10), Correction(0, -20)
    assert found == [(40, ten), (0, twenty), (50, ten), (70, None), (60, twenty)]
    later = corrected(correct, [(1, _frame(1.5, 0, None))], [math.nan], {1: Correction(0, -10)})
    assert math.isnan(later[0][0])  # or nobody would hear that the network gave no number


def test_the_default_network_looks_at_pictures_that_are_shown_larger_alone() -> None:
    judge = Judge.load("yoto_mobilenetv2", device="cpu")
    small = resize(np.asarray(scene(0.0)), (320, 180))
    pictures = [small, jpeg(small, 10)]
    both = judge.corrections(pictures, [1.0, 1.0], [60.0, 60.0])
    assert both[1] < both[0] - 5  # blocks show
    assert judge.corrections(pictures[1:], [1.0], [60.0]) == pytest.approx(both[1:], abs=0.01)
    assert judge.corrections(pictures, [LEAST / 2, -1.0], [60.0, 60.0]) == [0.0, 0.0]
    judge.entry = replace(judge.entry, own=None)
    assert judge.corrections(pictures, [1.0, 1.0], [60.0, 60.0]) == [0.0, 0.0]


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_a_frame_that_is_shown_larger_comes_with_its_own_picture(tmp_path: Path, decoder: Decoder) -> None:
    ref = VideoRef(str(make(tmp_path / "a.mp4", size=(128, 96), frames=12, b_frames=0)))
    info = probe(ref)
    if decoder == "decord":
        pytest.importorskip("decord")
        assert why_not(ref, info, packet_table(ref)) is None
    stored = [f.rgb for f in read_frames(ref, info, [0, 7], decoder=decoder)]
    larger = list(read_frames(ref, info, [0, 7], raster=(512, 384), decoder=decoder))
    for frame, own in zip(larger, stored, strict=True):
        assert frame.own is not None
        assert frame.own.octaves == pytest.approx(2)
        assert np.array_equal(frame.own.picture(), own)
    for raster in ((128, 96), (64, 48)):
        assert all(f.own is None for f in read_frames(ref, info, [0, 7], raster=raster, decoder=decoder))


class Lowering(FakeJudge):
    """Takes ten points an octave, and keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.own: list[tuple[tuple[int, ...], float]] = []

    def corrections(self, own: Sequence[Any], octaves: Sequence[float], scores: Sequence[float]) -> list[float]:
        self.own += [(picture.shape, round(o, 3)) for picture, o in zip(own, octaves, strict=True)]
        return [-10.0 * o for o in octaves]


def test_rungs_of_a_ladder_are_judged_at_their_own_raster_too(tmp_path: Path) -> None:
    def video(name: str, size: tuple[int, int]) -> VideoRef:
        return VideoRef(
            str(make(tmp_path / f"{name}.mp4", size=size, frames=150, picture=lambda n, w, h: scene_at(n, w, h)))
        )

    def scene_at(number: int, width: int, height: int) -> Any:
        return resize(np.asarray(scene(number / 25)), (width, height))

    master, low = video("master", (256, 192)), video("low", (128, 96))
    ladder = Ladder("a", (Rendition(low),), master)
    plain, lowering = FakeJudge(), Lowering()
    before = {(r.clip.path, r.clip.mode): r for r in run(ladder, plain, Settings(min_frames=12)).results}
    after = {(r.clip.path, r.clip.mode): r for r in run(ladder, lowering, Settings(min_frames=12)).results}
    assert set(lowering.own) == {((96, 128, 3), 1.0)}
    assert 2 <= len(lowering.own) <= 3  # of six seconds, one in four
    for key, result in after.items():
        less = 10 if key == (low.path, "nr") else 0
        expected = [max(0.0, f.score - less) for f in before[key].frames]
        assert [f.score for f in result.frames] == pytest.approx(expected)


def test_a_still_picture_comes_with_its_own_pixels(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "a.png"
    Image.fromarray(resize(np.asarray(scene(0.0)), (64, 48))).save(path)
    ref = VideoRef(str(path))
    (frame,) = read_frames(ref, probe(ref), [0], raster=(128, 96))
    assert frame.rgb.shape == (96, 128, 3)
    assert frame.own is not None
    assert np.array_equal(frame.own.picture(), np.asarray(Image.open(path)))
