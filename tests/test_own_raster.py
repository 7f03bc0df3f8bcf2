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
from yoto_video.models.own_raster import FULL, LEAST, NONE, OwnRaster, Part, octaves
from yoto_video.models.training.distortions import resize
from yoto_video.models.training.harm import jpeg
from yoto_video.models.zoo import entry
from yoto_video.pipeline.decode import read_frames
from yoto_video.pipeline.decord_reader import why_not
from yoto_video.pipeline.own_raster import FOLLOWS, WITHIN_S, Due, Looked, with_own
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
def test_a_blended_score_is_on_the_scale(shown: float, own: float, larger: float) -> None:
    assert SHIPPED is not None
    assert -1e-9 <= SHIPPED.of(own, larger).blended(shown) <= 100 + 1e-9


@given(SCORES, SCORES, SCORES, LARGER)
def test_a_better_own_picture_never_scores_lower(shown: float, one: float, other: float, larger: float) -> None:
    assert SHIPPED is not None
    low, high = (SHIPPED.of(own, larger).blended(shown) for own in sorted((one, other)))
    assert low <= high + 1e-9


@given(SCORES, LARGER, LARGER)
def test_more_enlargement_never_scores_higher(own: float, one: float, other: float) -> None:
    assert SHIPPED is not None
    less, more = sorted((one, other))
    assert SHIPPED.of(own, more).score <= SHIPPED.of(own, less).score + 1e-9 <= own + 2e-9


@given(SCORES, st.floats(0, 5))
def test_what_stood_behind_a_score_gives_it_again(score: float, larger: float) -> None:
    assert SHIPPED is not None
    own = SHIPPED.behind(score, larger)
    assert score - 1e-9 <= own <= 100
    if own < 100:
        assert SHIPPED.of(own, larger).score == pytest.approx(score)


def test_a_little_enlargement_has_a_little_share() -> None:
    half = OwnRaster(share=0.5, step=0, part=0)
    assert half.of(80, FULL).blended(40) == pytest.approx(60)
    assert half.of(80, 4 * FULL).blended(40) == pytest.approx(60)
    assert half.of(80, FULL / 4).blended(40) == pytest.approx(45)


def test_no_number_stays_none() -> None:
    assert SHIPPED is not None
    assert math.isnan(SHIPPED.of(math.nan, 1.0).blended(50))
    assert math.isnan(SHIPPED.of(50, 1.0).blended(math.nan))
    assert math.isnan(Looked(0, 50, SHIPPED.of(math.nan, 1.0)).blended(60))


def test_octaves_are_doublings_of_the_sides() -> None:
    assert octaves((640, 360), (1280, 720)) == pytest.approx(1)
    assert octaves((320, 180), (1280, 720)) == pytest.approx(2)
    assert octaves((1280, 720), (640, 360)) == pytest.approx(-1)


def _frame(at: float, shot: int = 0, octaves: float | None = 1.0, light: int = 200) -> Frame:
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[8:] = light
    own = None if octaves is None else Own(octaves, lambda: picture)
    return Frame(int(25 * at), Fraction(at), picture, shot, own=own)


def test_a_shot_is_looked_at_again_after_a_while_and_a_new_one_at_once() -> None:
    due = Due()
    times = [0.5 * k for k in range(11)]
    assert [t for t in times if due(_frame(t))] == [0, WITHIN_S]
    assert due(_frame(5.5, shot=1))
    assert not due(_frame(6, shot=1))
    assert not due(_frame(6.5, shot=2, octaves=None))  # it is not shown larger


def test_black_says_nothing_of_a_shot_and_what_fades_in_is_looked_at_again() -> None:
    due = Due()
    assert [light for light in (0, 4, 20, 60, 70, 180, 200) if due(_frame(light / 100, light=light))] == [20, 60, 180]


def test_frames_are_scored_with_the_look_at_their_own_shot_and_video() -> None:
    def judge_own(pictures: Sequence[Any], octaves: Sequence[float]) -> list[Part]:
        return [Part(0.5, 40.0 * o) for o in octaves]

    frames = [
        (1, _frame(0)), (2, _frame(0, octaves=2.0)), (1, _frame(0.5, octaves=None)), (1, _frame(1, 1, None)),
        (2, _frame(1, 0, None)),
    ]  # fmt: skip
    found = with_own(judge_own, frames, [50, 20, 60, 70, 80], {})
    one, two = Looked(0, 50, Part(0.5, 40)), Looked(0, 20, Part(0.5, 80))
    half = FOLLOWS / 2
    # 10 and 60 points above the frames that were looked at; the last one's own picture at the top of the scale
    assert found == [(45, one), (50, two), (50 + 10 * half, one), (70, None), (90, two)]
    later = with_own(judge_own, [(1, _frame(1.5, 0, None))], [30], {1: one})
    assert later == [(35 - 20 * half, one)]


def test_the_default_network_looks_at_pictures_that_are_shown_larger_alone() -> None:
    judge = Judge.load("yoto_mobilenetv2", device="cpu")
    small = resize(np.asarray(scene(0.0)), (320, 180))
    pictures = [small, jpeg(small, 10)]
    both = judge.own(pictures, [1.0, 1.0])
    assert both[1].score < both[0].score - 5  # blocks show
    assert both[0].error == 0 < judge.own([resize(small, (640, 360))], [1.0])[0].error  # two places cover the small one
    assert judge.own(pictures[1:], [1.0])[0].score == pytest.approx(both[1].score, abs=0.01)
    assert judge.own(pictures, [LEAST / 2, -1.0]) == [NONE, NONE]
    assert judge.sees_own
    judge.entry = replace(judge.entry, own=None)
    assert not judge.sees_own
    assert judge.own(pictures, [1.0, 1.0]) == [NONE, NONE]


@pytest.mark.parametrize(("decoder", "cores"), [("pyav", 1), ("pyav", 2), ("decord", 1)])
def test_a_frame_that_is_shown_larger_comes_with_its_own_picture(tmp_path: Path, decoder: Decoder, cores: int) -> None:
    ref = VideoRef(str(make(tmp_path / "a.mp4", size=(128, 96), frames=36, b_frames=0)))
    info = probe(ref)
    if decoder == "decord":
        pytest.importorskip("decord", reason="decord has no build for this system")
        assert why_not(ref, info, packet_table(ref)) is None
    assert cores == 1 or len(packet_table(ref).shares([0, 7, 30], cores, 2)) == cores  # decoders side by side
    stored = [f.rgb for f in read_frames(ref, info, [0, 7, 30], decoder=decoder)]
    larger = list(read_frames(ref, info, [0, 7, 30], raster=(512, 384), decoder=decoder, cores=cores, own=True))
    for frame, own in zip(larger, stored, strict=True):
        assert frame.own is not None
        assert frame.own.octaves == pytest.approx(2)
        assert np.array_equal(frame.own.picture(), own)
    for raster in ((128, 96), (64, 48)):
        assert all(f.own is None for f in read_frames(ref, info, [0, 7], raster=raster, decoder=decoder, own=True))
    assert all(f.own is None for f in read_frames(ref, info, [0, 7], raster=(512, 384), decoder=decoder))


class Halving(FakeJudge):
    """Half of the score is of what is stored: twenty points. Keeps what it was shown."""

    sees_own = True

    def __init__(self) -> None:
        super().__init__()
        self.own_pictures: list[tuple[tuple[int, ...], float]] = []

    def own(self, pictures: Sequence[Any], octaves: Sequence[float]) -> list[Part]:
        self.own_pictures += [(picture.shape, round(o, 2)) for picture, o in zip(pictures, octaves, strict=True)]
        return [Part(0.5, 20.0)] * len(pictures)


def _video(path: Path, size: tuple[int, int], bars: int = 0) -> VideoRef:
    def picture(number: int, width: int, height: int) -> Any:
        shown = resize(np.asarray(scene(number / 25)), (width, height - 2 * bars))
        return np.pad(shown, ((bars, bars), (0, 0), (0, 0)))

    width, height = size
    return VideoRef(str(make(path, size=(width, height + 2 * bars), frames=150, picture=picture)))


@pytest.mark.parametrize("bars", [0, 24])
def test_rungs_of_a_ladder_are_judged_at_their_own_raster_too(tmp_path: Path, bars: int) -> None:
    master, low = _video(tmp_path / "master.mp4", (512, 288)), _video(tmp_path / "low.mp4", (256, 144), bars)
    ladder = Ladder("a", (Rendition(low),), master)
    settings, halving = Settings(min_frames=12), Halving()
    before = {(r.clip.path, r.clip.mode): r for r in run(ladder, FakeJudge(), settings).results}
    after = {(r.clip.path, r.clip.mode): r for r in run(ladder, halving, settings).results}
    assert {larger for _, larger in halving.own_pictures} == {1.0}
    assert {shape for shape, _ in halving.own_pictures} == {(144, 256, 3)}  # without its bars
    assert len(halving.own_pictures) == 2  # of six seconds, one in three
    assert (low.path, "fr") in after
    for key, result in after.items():
        expected = scores = [f.score for f in before[key].frames]
        if key == (low.path, "nr"):
            looks = [0 if f.pts_time < WITHIN_S else None for f in before[key].frames]
            at = looks.index(None)
            shown = [scores[0] if look == 0 else scores[at] for look in looks]
            expected = [
                0.5 * s + 0.5 * min(100, max(0, 20 + FOLLOWS * (s - k))) for s, k in zip(scores, shown, strict=True)
            ]
        assert [f.score for f in result.frames] == pytest.approx(expected, abs=1e-6)


def test_a_still_picture_comes_with_its_own_pixels(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "a.png"
    Image.fromarray(resize(np.asarray(scene(0.0)), (64, 48))).save(path)
    ref = VideoRef(str(path))
    (frame,) = read_frames(ref, probe(ref), [0], raster=(128, 96), own=True)
    assert frame.rgb.shape == (96, 128, 3)
    assert frame.own is not None
    assert np.array_equal(frame.own.picture(), np.asarray(Image.open(path)))
