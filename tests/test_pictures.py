"""The worst frames are kept, apart from each other, and their pictures say where the damage is."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from yoto_video.pipeline.pictures import (
    PictureSink,
    Shown,
    WorstFrames,
    apart,
    overlay,
    with_pictures,
    write_pictures,
)
from yoto_video.pipeline.pool import POOLS
from yoto_video.pipeline.values import ClipResult, ClipScore, FrameScore, Mode

from .fakes import FakeJudge, picture


def row(index: int, score: float, mode: Mode = "fr", fps: float = 2) -> FrameScore:
    return FrameScore(index, index / fps, score, mode)


def rgb(value: int, width: int = 8, height: int = 6) -> Shown:
    return Shown(np.full((height, width, 3), value, np.uint8))


def result(mode: Mode = "fr") -> ClipResult:
    return ClipResult(ClipScore("a.mp4", "a", mode, "ok", pools={"mean": 1.0}, result_id="abc"))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_no_more_than_count_are_kept_apart_and_the_worst_is_among_them(scores: list[float], count: int) -> None:
    worst = WorstFrames(count, apart_s=1.0)
    for index, score in enumerate(scores):
        worst.offer(row(index, score), rgb(index), None)
    kept = worst.found()
    assert len(kept) <= count
    times = sorted(k.row.pts_time for k in kept)
    assert all(b - a >= 1.0 for a, b in itertools.pairwise(times))
    assert [k.row.score for k in kept] == sorted(k.row.score for k in kept)
    if count:
        assert kept[0].row.score == min(scores)
    assert all(k.encode[0, 0, 0] == k.row.frame_num for k in kept)  # each with its own picture


def test_a_second_bad_moment_is_found_though_its_neighbours_are_worse_than_it() -> None:
    worst = WorstFrames(2, apart_s=1.0)
    for index, score in enumerate([50, 10, 11, 50, 50, 30, 31, 50]):
        worst.offer(row(index, score), rgb(index), None)
    assert [k.row.frame_num for k in worst.found()] == [1, 5]


def test_comparisons_are_shown_rather_than_scores_without_a_reference() -> None:
    worst = WorstFrames(2)
    worst.offer(row(0, 1, "nr"), rgb(0), None)
    worst.offer(row(8, 60, "fr"), rgb(8), rgb(9))
    assert [k.row.mode for k in worst.found()] == ["fr"]


def test_a_short_clip_has_its_moments_closer_together() -> None:
    assert apart(2, 60) == 1
    assert apart(2, 1) == 0.25
    assert apart(2, 0) == 0


def test_what_is_kept_is_small_and_no_view_of_the_frame() -> None:
    worst, small = WorstFrames(2, 0), np.full((48, 64, 3), 2, np.uint8)
    worst.offer(row(1, 10), rgb(1, 4000, 2000), Shown(small))
    (kept,) = worst.found()
    assert kept.encode.shape == (480, 960, 3)
    assert kept.reference is not None
    assert not np.shares_memory(kept.reference, small)
    np.testing.assert_array_equal(kept.reference, small)


def test_a_reference_is_scaled_once_for_all_encodes_that_keep_it() -> None:
    reference, worst = rgb(3, 4000, 2000), [WorstFrames(1), WorstFrames(1)]
    for one in worst:
        one.offer(row(1, 10), rgb(1), reference)
    first, second = (one.found()[0].reference for one in worst)
    assert first is second


def test_pictures_are_small_files_under_the_results_id(out_dir: Path) -> None:
    worst = WorstFrames(2)
    worst.offer(row(7, 20), Shown(picture(1, 90, 2000, 1000)), Shown(picture(1, 0, 2000, 1000)))
    seen: list[tuple[int, ...]] = []

    def heat(frame: np.ndarray, reference: np.ndarray | None) -> np.ndarray:
        assert reference is not None
        seen.append(frame.shape)
        return FakeJudge().heat_map(frame, reference)

    (moment,) = with_pictures(result(), worst, heat, PictureSink(out_dir)).clip.moments
    assert (moment.frame_num, moment.pts_time, moment.score) == (7, 3.5, 20)
    assert seen == [(480, 960, 3)]
    for path in (moment.encode, moment.heat_map, moment.reference):
        assert path is not None
        assert path.startswith("pictures/abc/")
        with Image.open(out_dir / path) as saved:
            assert (saved.format, saved.size) == ("WEBP", (960, 480))


def test_a_sink_without_a_folder_keeps_the_files_for_who_has_one(out_dir: Path) -> None:
    worst, sink = WorstFrames(1), PictureSink()
    worst.offer(row(7, 20, "nr"), rgb(7, 64, 48), None)
    (moment,) = with_pictures(result("nr"), worst, FakeJudge().heat_map, sink).clip.moments
    assert moment.reference is None
    assert set(sink.files) == {moment.encode, moment.heat_map}
    write_pictures(out_dir, sink.files)
    assert (out_dir / moment.encode).read_bytes() == sink.files[moment.encode]


def test_moments_belong_to_the_row_of_their_mode() -> None:
    worst = WorstFrames(1)
    worst.offer(row(7, 20, "fr"), rgb(7), rgb(8))
    assert with_pictures(result("nr"), worst, FakeJudge().heat_map, PictureSink()).clip.moments == ()


@pytest.mark.parametrize(("mean", "shown"), [(50.0, [20, 45]), (10.0, [20]), (80.0, [20, 45, 70])])
def test_frames_better_than_the_clip_are_none_of_its_worst(mean: float, shown: list[int]) -> None:
    worst = WorstFrames(3, apart_s=0.1)
    for number, score in enumerate((45, 70, 20)):
        worst.offer(row(number, score, "nr"), rgb(number, 64, 48), None)
    clip = replace(result("nr").clip, pools=dict.fromkeys(POOLS, mean))
    told = with_pictures(ClipResult(clip), worst, FakeJudge().heat_map, PictureSink()).clip
    assert [moment.score for moment in told.moments] == shown


def test_pictures_that_fail_are_a_finding_and_cost_no_score() -> None:
    worst = WorstFrames(1)
    worst.offer(row(7, 20, "nr"), rgb(7), None)

    def heat(frame: np.ndarray, reference: np.ndarray | None) -> np.ndarray:
        raise MemoryError("no room")

    clip = with_pictures(result("nr"), worst, heat, PictureSink()).clip
    assert clip.status == "ok"
    assert "pictures of the worst frames could not be made (MemoryError: no room)" in clip.sentences


def test_the_damaged_half_of_a_heat_map_stands_out_from_the_good_half() -> None:
    scores = np.full((6, 8), 90, np.float32)
    scores[:, 4:] = 20
    out = np.asarray(overlay(Image.new("RGB", (320, 240), (128, 128, 128)), scores)).astype(int)
    good, bad = out[100, 60], out[100, 260]
    assert bad[0] > bad[2] + 40  # yellow
    assert good[2] > good[0] + 5  # blue
    legend = out[218:226, 58:158]
    assert legend[:, 10, 0].mean() > legend[:, 90, 0].mean()  # from worse to better


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
def test_tiny_pictures_have_heat_maps_too(size: tuple[int, int]) -> None:
    assert overlay(Image.new("RGB", size), np.full((1, 1), 50, np.float32)).size == size


def test_an_even_map_is_not_made_dramatic() -> None:
    scores = np.full((4, 4), 70, np.float32)
    scores[0, 0] = 71
    out = np.asarray(overlay(Image.new("RGB", (64, 64), (128, 128, 128)), scores)).astype(int)
    assert np.abs(out - out.mean(axis=(0, 1))).max() < 12


def test_webp_keeps_the_damage_visible() -> None:
    worst, sink = WorstFrames(1), PictureSink()
    original = picture(1, 60, 320, 240)
    worst.offer(row(7, 20, "nr"), Shown(original), None)
    (moment,) = with_pictures(result("nr"), worst, FakeJudge().heat_map, sink).clip.moments
    with Image.open(io.BytesIO(sink.files[moment.encode])) as saved:
        assert np.abs(np.asarray(saved).astype(int) - original).mean() < 6
