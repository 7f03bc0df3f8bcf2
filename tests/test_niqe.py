"""NIQE against an independent implementation of it, and the order it must give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from yoto_video.models.training import niqe

from .golden_niqe import JUDGED, SLOPES, natural

GOLDEN = {"natural": 2.6272, "blurred": 42.0923, "noisy": 13.3859}  # made by golden_niqe.py


def test_fit_and_distance_are_those_of_an_independent_implementation() -> None:
    model = niqe.fit(natural(i, slope) for i, slope in enumerate(SLOPES))
    found = {name: niqe.niqe(natural(99, *how), model) for name, how in JUDGED.items()}
    assert found == pytest.approx(GOLDEN, rel=0.02)  # that one halves pictures in single precision, with another border


def test_worse_is_further_from_good_photographs(data_dir: Path) -> None:
    photograph = Image.open(data_dir / "pristine/bsds500/100075.jpg").convert("RGB")  # it was not fitted on these
    pixels = np.asarray(photograph)
    blurred = [np.asarray(photograph.filter(ImageFilter.GaussianBlur(sigma))) for sigma in (1, 2, 4)]
    grain = np.random.default_rng(0).normal(size=pixels.shape)
    noisy = [np.clip(pixels + deviation * grain, 0, 255).astype(np.uint8) for deviation in (5, 15, 40)]
    for chain in (blurred, noisy):
        distances = [niqe.niqe(picture) or 0 for picture in (pixels, *chain)]
        assert distances == sorted(distances)
        assert 1 < distances[0] < 4
        assert distances[-1] > 6


def test_pictures_that_have_no_statistics() -> None:
    assert niqe.niqe(np.full((300, 300, 3), 90, np.uint8)) is None
    assert niqe.niqe(natural(1, 1.0)[:95]) is None
    assert niqe.niqe(natural(1, 1.0)[:96, :96]) is None  # one patch has no covariance
    assert niqe.niqe(natural(1, 1.0)[:96, :192]) is not None
    half_flat = natural(1, 1.0)
    half_flat[:200] = 0
    assert niqe.niqe(half_flat) is not None
