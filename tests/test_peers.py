"""Other measures on the same pixels, and which of them are there."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from yoto_video.models.training import peers

from . import published_sets as sets


def test_peers_on_the_same_pixels() -> None:
    if importlib.util.find_spec("piq") is None:  # importing it is for `peers` to do
        pytest.skip("extra `train` is not installed")
    sharp = np.asarray(sets.picture(1, (200, 180)))
    noisy = np.clip(sharp + np.random.default_rng(0).normal(0, 10, sharp.shape), 0, 255).astype(np.uint8)
    equal, worse = peers.measure(sharp, sharp), peers.measure(noisy, sharp)
    assert equal["psnr"] == 100
    assert equal["ssim"] == pytest.approx(1, abs=1e-4)
    assert equal["ms_ssim"] == pytest.approx(1, abs=1e-4)
    assert 28 < worse["psnr"] < 34  # noise of 10 on three channels is about 6.7 on luma: 31.6 dB
    assert worse["ssim"] < 0.99
    assert worse["ms_ssim"] < 0.999
    assert set(peers.measure(sharp[:100], noisy[:100])) >= {"psnr", "ssim"}
    assert "ms_ssim" not in peers.measure(sharp[:100], noisy[:100])  # too small for five scales
    assert not {"psnr", "ssim", "ms_ssim"} & set(peers.measure(sharp, None))


def test_niqe_is_there_whatever_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for of_library in (peers._piq, peers._brisque):
        of_library.cache_clear()
    picture = np.asarray(sets.picture(1, (200, 180)))
    assert peers.measure(picture, picture).keys() == {"niqe"}
    assert peers.missing() == [
        f"{what} not computed: pip install '.[{extra}]' in a checkout of yoto-video"
        for what, extra in (("PSNR, SSIM and MS-SSIM", "train"), ("BRISQUE", "peers"))
    ]
    for of_library in (peers._piq, peers._brisque):
        of_library.cache_clear()


def test_brisque_tells_blur() -> None:
    pytest.importorskip("brisque", reason="extra `peers` is not installed")
    from PIL import ImageFilter

    sharp = sets.picture(1, (200, 160))
    blurred = sharp.filter(ImageFilter.GaussianBlur(4))
    assert peers.measure(np.asarray(blurred), None)["brisque"] > peers.measure(np.asarray(sharp), None)["brisque"]
    assert "brisque" not in peers.measure(np.zeros((64, 64, 3), np.uint8), None)
