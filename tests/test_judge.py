"""Where the network looks, and frames to scores."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from yoto_video.models.crops import Look, crop_places, cut, inside_bars, looks, picture_looks, tiles
from yoto_video.models.judge import Judge
from yoto_video.models.lanes import Lanes
from yoto_video.pipeline.align import Sample
from yoto_video.pipeline.lockstep import Taken
from yoto_video.pipeline.pictures import WorstFrames
from yoto_video.pipeline.score import Scorer, Tally
from yoto_video.pipeline.values import Frame

sides = st.integers(1, 4320)


@given(sides, sides, st.integers(1, 40), st.integers(0, 5))
def test_crops_lie_inside_and_repeat(height: int, width: int, count: int, seed: int) -> None:
    places = crop_places(height, width, count, 224, seed)
    assert places == crop_places(height, width, count, 224, seed)
    assert 1 <= len(places) <= max(count, 1)
    for top, left, _ in places:
        assert 0 <= top <= max(0, height - 224)
        assert 0 <= left <= max(0, width - 224)


@given(sides, sides, st.integers(1, 40), st.integers(0, 5))
def test_looks_lie_inside_and_are_all_of_one_size(height: int, width: int, count: int, seed: int) -> None:
    chosen = looks(height, width, count, 224, overview=True, seed=seed)
    assert chosen == looks(height, width, count, 224, overview=True, seed=seed)
    assert 1 <= len(chosen) <= count
    for top, left, step, *_ in chosen:
        assert 0 <= top <= max(0, height - 224 * step)
        assert 0 <= left <= max(0, width - 224 * step)
    if any(look.step > 1 for look in chosen):
        assert min(height, width) >= 448


def test_a_third_of_the_looks_is_from_afar_where_the_frame_is_large() -> None:
    sizes = ((480, 854), (1080, 1920), (2160, 3840))
    steps = {h: [k.step for k in looks(h, w, 6, 224, overview=True)] for h, w in sizes}
    assert steps == {480: [1] * 6, 1080: [1] * 4 + [2] * 2, 2160: [1] * 4 + [4] * 2}
    assert {k.step for k in looks(2160, 3840, 6, 224, overview=False)} == {1}
    assert len(looks(2160, 3840, 1, 224, overview=True)) == 1


@given(st.integers(1, 672), st.integers(226, 448) | st.integers(449, 672), st.integers(0, 2))
def test_a_mirrored_frame_shows_the_same(height: int, width: int, seed: int) -> None:
    """Where an axis is looked at whole; but for places in the middle, which may be either way round."""
    frame = np.random.default_rng(seed).integers(60, 256, (height, width, 3), dtype=np.uint8)

    def shown(picture: NDArray[np.uint8]) -> list[bytes]:
        found = picture_looks(picture, 49, 224, overview=False, seed=seed)
        aside = [k for k in found if abs(2 * k.left + min(224, width - k.left) - width) > 1]
        assert aside
        return sorted(cut(picture, look, 224).tobytes() for look in aside)

    assert shown(frame) == shown(np.ascontiguousarray(frame[:, ::-1]))


def test_from_afar_pixels_are_means() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    seen = cut(picture, Look(3, 5, 4), 8)
    assert seen.shape == (8, 8, 3)
    assert abs(float(seen[2, 1, 0]) - picture[11:15, 9:13, 0].mean()) <= 0.5
    assert np.array_equal(cut(picture, Look(3, 5), 8), picture[3:11, 5:13])
    assert np.array_equal(cut(picture, Look(3, 5, 4, mirrored=True), 8), seen[:, ::-1])
    white = np.full((32, 32, 3), 255, np.uint8)
    assert (cut(white, Look(0, 0, 4), 8) == 255).all()


@given(st.integers(1, 900), st.integers(1, 900))
def test_a_frame_that_is_looked_at_whole_is_looked_at_evenly(height: int, width: int) -> None:
    seen = np.zeros((height, width), bool)
    places = crop_places(height, width, 49, 224)
    for top, left, _ in places:
        seen[top : top + 224, left : left + 224] = True
    if len(places) == -(-height // 224) * -(-width // 224):
        assert seen.all()


@given(st.integers(2, 20), st.integers(0, 99))
def test_means_are_exact(step: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (3 * step + 1, 2 * step, 3), dtype=np.uint8)
    picture[:step] = 255  # the largest sum there is
    blocks = picture[: 3 * step].reshape(3, step, 2, step, 3).astype(np.int64).sum((1, 3))
    assert np.array_equal(cut(picture, Look(0, 0, step), 3), (blocks + step * step // 2) // (step * step))


def test_crops_spread_over_the_frame() -> None:
    places = crop_places(1080, 1920, 6, 224)
    assert len(places) == 6
    assert {top < 430 for top, _, _ in places} == {True, False}
    assert len({left * 3 // 1700 for _, left, _ in places}) == 3


@given(st.integers(1, 700), st.integers(1, 700))
def test_tiles_cover_every_pixel(height: int, width: int) -> None:
    seen = np.zeros((height, width), bool)
    for top, left in tiles(height, width, 224):
        seen[top : top + 224, left : left + 224] = True
    assert seen.all()


def test_nothing_to_look_at() -> None:
    with pytest.raises(ValueError, match="no place"):
        crop_places(0, 10, 6, 224)


def scene(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[0:height, 0:width]
    waves = [np.sin(u / a + v / b) for a, b in rng.uniform(2, 40, (9, 2))]
    picture = np.stack([sum(waves[i::3]) for i in range(3)], -1)
    return np.clip(128 + 30 * picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(16, 16), (144, 176), (301, 533), (540, 963), (720, 1280)])
def test_scores_of_any_size_are_on_the_scale(judge: Judge, size: tuple[int, int]) -> None:
    frame = scene(*size)
    encoded = judge.encode([frame])
    assert 0 <= judge.nr(encoded)[0] <= 100
    assert judge.fr(encoded, encoded) == [100.0]
    heat = judge.heat_map(frame, frame)
    assert heat.shape == (-(-size[0] // 8), -(-size[1] // 8))
    assert float(heat.min()) == pytest.approx(100, abs=1e-3)


def test_bars_are_not_looked_at(judge: Judge) -> None:
    frame = scene(540, 960)
    barred = np.pad(frame, ((70, 70), (20, 15), (0, 0)))
    barred[:70] += np.random.default_rng(0).integers(0, 5, (70, 995, 3), np.uint8)  # as encoders leave them
    assert inside_bars(barred) == (70, 20, 610, 980)
    assert inside_bars(frame) == (0, 0, 540, 960)
    assert judge.nr(judge.encode([barred])) == pytest.approx(judge.nr(judge.encode([frame])), abs=1e-3)


@pytest.mark.parametrize("level", [0, 9])
def test_a_dark_frame_has_no_bars(level: int) -> None:
    frame = np.full((360, 640, 3), level, np.uint8)
    assert inside_bars(frame) == (0, 0, 360, 640)
    frame[170:190, 300:340] = 200  # a title
    assert inside_bars(frame) == (0, 0, 360, 640)
    frame[100:] = 90  # night sky above
    assert inside_bars(frame) == (0, 0, 360, 640)


def test_an_encode_is_looked_at_where_its_master_was(judge: Judge) -> None:
    master = np.pad(scene(400, 640), ((40, 40), (0, 0), (0, 0)))
    encode = master.copy()
    encode[38:40] = 60  # its bar ends earlier
    x, y = judge.encode([encode]), judge.encode([master])
    assert x[0].view.places != y[0].view.places
    assert judge.fr(x, y)[0] == pytest.approx(100, abs=1e-3)  # nothing differs where they are compared


def test_order_and_batch_do_not_matter(judge: Judge) -> None:
    frames = [scene(240, 320, 1), scene(360, 640, 2), scene(240, 320, 3)]
    together = judge.nr(judge.encode(frames))
    alone = [judge.nr(judge.encode([f]))[0] for f in frames]
    backwards = judge.nr(judge.encode(frames[::-1]))[::-1]
    assert together == pytest.approx(alone, abs=1e-3)
    assert together == pytest.approx(backwards, abs=1e-3)


def test_threads_do_not_matter(judge: Judge) -> None:
    frames, threads = [scene(360, 640, seed) for seed in range(3)], torch.get_num_threads()
    scores = []
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            for some in (frames, frames[:1]):
                encoded = judge.encode(some)
                scores.append([*judge.nr(encoded), *judge.fr(encoded, encoded)])
                assert torch.get_num_threads() == n
    finally:
        torch.set_num_threads(threads)
    assert scores[0] == pytest.approx(scores[2], abs=1e-3)
    assert scores[1] == pytest.approx(scores[3], abs=1e-3)
    assert scores[0][0] == pytest.approx(scores[1][0], abs=1e-3)


def test_a_failure_in_a_lane_is_raised() -> None:
    threads, lanes = torch.get_num_threads(), Lanes()
    with pytest.raises(ZeroDivisionError):
        lanes.each(lambda n: 1 // n, [1, 0, 2], 2)
    assert lanes.each(lambda n: (n, torch.get_num_threads()), range(5), 2) == [(n, 1) for n in range(5)]
    assert torch.get_num_threads() == threads


def test_features_are_of_the_picture_alone(judge: Judge) -> None:
    pictures = [scene(180, 320, seed) for seed in range(3)]
    features = judge.features(pictures)
    assert features.shape[0] == 3
    assert features.dtype == np.float32
    np.testing.assert_allclose(judge.features(pictures[1:2])[0], features[1], atol=1e-5)
    assert np.abs(features[0] - features[1]).mean() > 0.1
    assert judge.features([scene(500, 300)]).shape[0] == 1


def test_a_ladders_step_asks_the_network_once_a_frame(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    crops: list[int] = []
    steps: Counter[str] = Counter()
    encode, run = judge.runner.maps, judge.network.steps
    monkeypatch.setattr(judge.runner, "maps", lambda x: (crops.append(len(x)), encode(x))[1])

    def counted(step: Any, *rest: Any) -> Any:
        steps[step.__name__] += 1
        return run(step, *rest)

    monkeypatch.setattr(judge.network, "steps", counted)
    tallies = {i: Tally(f"v{i}.mp4", Fraction(0), WorstFrames(2)) for i in range(4)}
    frames = [Frame(0, Fraction(0), scene(480, 854) // (i + 1) * (i + 1)) for i in tallies]
    Scorer(judge, tallies, {1: 0, 2: 0, 3: 0}).add(
        [Taken(i, Sample(step=0, frame=0, paired=i > 0), frame) for i, frame in enumerate(frames)]
    )
    assert [len(t.scores["nr"]) + len(t.scores["fr"]) for t in tallies.values()] == [1, 2, 2, 2]
    assert sum(crops) == 4 * 6  # N + 1 frames of six looks, for both modes
    assert steps == {"_tokens": 4, "_deeper": 4, "_alone": 4, "_against": 3}


def test_frames_of_different_rasters_are_refused(judge: Judge) -> None:
    with pytest.raises(ValueError, match="one raster"):
        judge.fr(judge.encode([scene(64, 64)]), judge.encode([scene(64, 96)]))
    with pytest.raises(ValueError, match="1 frames for 0 references"):
        judge.fr(judge.encode([scene(64, 64)]), [])


def test_heat_map_shows_where_the_damage_is(judge: Judge) -> None:
    clean = scene(256, 512)
    damaged = clean.copy()
    damaged[:, 256:] = clean[:, 256:][::16, ::16].repeat(16, 0).repeat(16, 1)
    heat = judge.heat_map(damaged, clean)
    assert heat[:, 40:].mean() < heat[:, :24].mean() - 5
