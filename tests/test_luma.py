"""Small luma pictures: averages over areas, and stretches that several threads ask for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.pipeline import decode
from yoto_video.pipeline.luma import HEIGHT, WHOLE, WIDTH, Sight, resample, still
from yoto_video.pipeline.values import VideoRef

from .fakes import FakeVideo, info, times
from .measuring import Make

SHARE = st.floats(0, 1)


def line(values: Any, start: float, end: float, count: int) -> Any:
    """`count` new values from `start` to `end` of the last axis: areas of a step function, or between middles."""
    pixels = values.shape[-1]
    if end - start < count:
        at = (np.arange(count) + 0.5) * (end - start) / count + start - 0.5
        flat = values.reshape(-1, pixels)
        return np.stack([np.interp(at, np.arange(pixels), row) for row in flat]).reshape(*values.shape[:-1], count)
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), values.cumsum(axis=-1)], axis=-1).reshape(-1, pixels + 1)
    edges = np.linspace(start, end, count + 1)
    sums = np.stack([np.diff(np.interp(edges, np.arange(pixels + 1), row)) for row in total])
    return (sums / np.diff(edges)).reshape(*values.shape[:-1], count)


@given(
    corners=st.tuples(SHARE, SHARE, SHARE, SHARE),
    size=st.sampled_from([(320, 180), (160, 90), (80, 45), (64, 36), (32, 18), (180, 320)]),
    stored=st.sampled_from([(1, 180, 320), (2, 45, 80)]),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_new_pixels_are_averages_of_their_areas(
    corners: tuple[float, ...], size: tuple[int, int], stored: tuple[int, int, int], seed: int
) -> None:
    pictures = np.random.default_rng(seed).integers(0, 256, stored, dtype=np.uint8)
    left, top = corners[0] * WIDTH / 3, corners[1] * HEIGHT / 3
    right, bottom = WIDTH * (1 - corners[2] / 3), HEIGHT * (1 - corners[3] / 3)
    width, height = stored[2], stored[1]
    down = line(pictures.astype(float).transpose(0, 2, 1), top * height / HEIGHT, bottom * height / HEIGHT, size[1])
    expected = line(down.transpose(0, 2, 1), left * width / WIDTH, right * width / WIDTH, size[0])
    found = resample(pictures, (left, top, right, bottom), size)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, expected, atol=0.01)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_a_picture_at_its_own_size_is_itself(kind: Any) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, HEIGHT, WIDTH)).astype(kind)
    np.testing.assert_array_equal(resample(pictures, WHOLE, (WIDTH, HEIGHT)), pictures)
    assert not len(resample(pictures[:0], WHOLE, (64, 36)))


def test_threads_share_what_one_of_them_had_decoded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make(m=FakeVideo(times(200), missing=frozenset({3, 49, 50, 120})))
    decoded, real = [], decode.read_luma

    def counted(*args: Any, **rest: Any) -> Any:
        for number, picture in real(*args, **rest):
            decoded.append(number)
            yield number, picture

    def look(sight: Sight, seconds: float) -> tuple[Any, Any]:
        return sight.head(seconds), sight.between(5 - seconds, 5)

    monkeypatch.setattr(decode, "read_luma", counted)
    video = VideoRef("/m.mp4"), info(), times(200)
    with closing(Sight(*video)) as one:
        expected = {seconds: look(one, seconds) for seconds in (0.5, 1.0, 2.0)}
    once = sorted(decoded)
    decoded.clear()
    wanted = [0.5, 2.0, 0.5, 1.0, 2.0, 1.0] * 4
    with closing(Sight(*video)) as shared, ThreadPoolExecutor(6) as pool:
        for seconds, found in zip(wanted, pool.map(partial(look, shared), wanted), strict=True):
            for mine, theirs in zip(found, expected[seconds], strict=True):
                np.testing.assert_array_equal(mine.times, theirs.times)
                np.testing.assert_array_equal(mine.luma, theirs.luma)
    assert sorted(decoded) == once


@pytest.mark.parametrize("every", [1, 3])
def test_an_overview_shows_what_stretches_do_and_reads_no_head_again(
    make: Make, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    make(m=FakeVideo(times(100), missing=frozenset({60})))
    with closing(Sight(VideoRef("/m.mp4"), info(), times(100))) as one:
        whole, head = one.between(0, 4), one.head(1.0)
        read = []
        real = one.stream
        monkeypatch.setattr(one, "stream", lambda numbers: read.extend(numbers) or real(numbers))
        shown = one.overview(every)
        assert one.overview(every) is one.overview(every, 1.0) is shown  # somewhat further than was asked for
    wanted = [n for n in range(0, 100, every) if n != 60]
    np.testing.assert_array_equal(shown.times, [float(times(100)[n]) for n in wanted])
    np.testing.assert_allclose(shown.small, whole.small[[n - (n > 60) for n in wanted]], atol=1)
    assert min(read) >= len(head.times)
    assert len(read) == len(set(read))


def test_pictures_that_stand_still_are_the_one_before() -> None:
    moving = np.random.default_rng(0).integers(0, 256, (6, 45, 80), np.uint8)
    moving[3] = moving[2]
    assert still(moving).tolist() == [False, False, False, True, False, False]
    assert still(moving[2:4]).tolist() == [True, True]
    assert still(moving[:1]).tolist() == [False]
