"""The offset of nearly still pictures, by features finer than the small pictures luma is compared by."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from yoto_video.pipeline import by_features
from yoto_video.pipeline.laid import Laid, lay
from yoto_video.pipeline.luma import HEIGHT, WIDTH, Stretch

GAP = 0.04


def fine(pictures: Sequence[Any]) -> Any:
    """Features that see every pixel."""
    return np.stack([picture[..., 0].ravel() for picture in pictures]).astype(np.float32)


def blind(pictures: Sequence[Any]) -> Any:
    """Features that see nothing."""
    return np.zeros((len(pictures), 4), np.float32)


def scene(count: int, moves: float) -> Any:
    """(count, 180, 320) a still picture under a fine texture that turns from frame to frame."""
    rng = np.random.default_rng(5)
    ground = np.kron(rng.uniform(60, 190, (9, 16)), np.ones((20, 20)))
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    turns = np.cumsum(rng.uniform(0.2, 0.6, count))
    return np.stack([ground + moves * np.sin(1.7 * rows + 1.3 * columns + 3 * turn) for turn in turns])


def stretch(pictures: Any, seed: int) -> Stretch:
    """As coded: every frame with noise of its own."""
    noisy = pictures + np.random.default_rng(seed).normal(0, 2, pictures.shape)
    return Stretch(0, np.arange(len(pictures)) * GAP, noisy.clip(0, 255).round().astype(np.uint8))


def laid(mine: Stretch, theirs: Stretch) -> Laid:
    found = lay(mine, theirs, [Fraction(1)], GAP, share=0.6)
    assert found is not None
    return found


@pytest.mark.parametrize("start", [0, 9])
def test_features_tell_what_small_pictures_cannot(start: int) -> None:
    pictures = scene(80, moves=6)
    mine, theirs = stretch(pictures[start : start + 60], 1), stretch(pictures, 2)
    small = laid(mine, theirs)
    assert not small.offset.sure
    # As luma leaves it: sure of the neighbourhood, two frames off.
    rough = replace(small, offset=replace(small.offset, offset_s=(start + 2) * GAP, inside=True, unique=9.0, moves=1.0))
    found = by_features.settled(mine, theirs, rough, GAP, fine)
    assert found.offset.sure
    assert found.offset.offset_s == pytest.approx(start * GAP)
    assert found.offset.unique <= 9
    assert (found.area, found.part, found.turn) == (small.area, small.part, small.turn)
    assert by_features.settled(mine, theirs, rough, GAP, blind) == rough


def test_nothing_is_made_of_noise() -> None:
    pictures = scene(80, moves=0)
    for seed in range(8):
        mine, theirs = stretch(pictures[4:64], 100 + seed), stretch(pictures, 200 + seed)
        small = laid(mine, theirs)
        rough = replace(small, offset=replace(small.offset, offset_s=4 * GAP, inside=True, unique=9.0, moves=1.0))
        assert by_features.settled(mine, theirs, rough, GAP, fine) == rough


def test_luma_that_is_unsure_of_everything_is_left_alone() -> None:
    pictures = scene(80, moves=6)
    mine, theirs = stretch(pictures[9:69], 1), stretch(pictures, 2)
    small = laid(mine, theirs)
    for changes in ({"unique": 1.0, "moves": 1.0}, {"unique": 9.0, "moves": 0.1}):
        rough = replace(small, offset=replace(small.offset, inside=True, **changes))
        assert by_features.settled(mine, theirs, rough, GAP, fine) is rough


def test_few_frames_tell_nothing() -> None:
    pictures = scene(30, moves=6)
    mine, theirs = stretch(pictures[9:19], 1), stretch(pictures, 2)
    small = laid(mine, theirs)
    rough = replace(small, offset=replace(small.offset, offset_s=9 * GAP, inside=True, unique=9.0, moves=1.0))
    assert by_features.settled(mine, theirs, rough, GAP, fine) is rough


def test_threads_ask_one_at_a_time() -> None:
    alone = threading.Lock()

    def features(pictures: Sequence[Any]) -> Any:
        assert alone.acquire(blocking=False), "two threads in one network"
        time.sleep(0.002)
        alone.release()
        return np.array(pictures)

    asked = by_features.in_turn(features)
    with ThreadPoolExecutor(4) as pool:
        assert [list(answer) for answer in pool.map(lambda n: asked([n]), range(20))] == [[n] for n in range(20)]
