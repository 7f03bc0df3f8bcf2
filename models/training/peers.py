"""What else judges pictures: NIQE, and measures from libraries of the extras `train` and `peers`."""

from __future__ import annotations

import contextlib
import importlib.util
import math
import warnings
from functools import cache
from typing import Any

import numpy as np
import torch

from ..encoders import import_timm
from .distortions import Picture
from .niqe import niqe

MS_SSIM_SIDE = 161  # pixels a side that its five scales take at least


def missing() -> list[str]:
    """A sentence for each library of other measures that is not installed."""
    wanted = {"piq": ("train", "PSNR, SSIM and MS-SSIM"), "brisque": ("peers", "BRISQUE")}
    return [
        f"{what} not computed: pip install '.[{extra}]' in a checkout of yoto-video"
        for library, (extra, what) in wanted.items()
        if importlib.util.find_spec(library) is None
    ]


def measure(picture: Picture, reference: Picture | None) -> dict[str, float]:
    """Other measures of an (H, W, 3) uint8 picture: NIQE and BRISQUE (lower is better), beside a reference PSNR, SSIM
    and MS-SSIM.

    PSNR (dB; 100 for equal pictures) and both SSIM are of luma (BT.601), SSIM on pictures averaged down to about 256
    lines first, as its authors advise. What is not installed, or undefined for this picture, is left out.
    """
    found: dict[str, float] = {}
    piq = _piq()
    if reference is not None and piq is not None:
        x, y = _luma(picture), _luma(reference)
        error = float(((x - y) ** 2).mean())
        found["psnr"] = min(100.0, -10 * math.log10(error)) if error > 0 else 100.0
        if min(picture.shape[:2]) >= 11:
            found["ssim"] = float(piq.ssim(x, y))
        if min(picture.shape[:2]) >= MS_SSIM_SIDE:
            found["ms_ssim"] = float(piq.multi_scale_ssim(x, y))
    if (distance := niqe(picture)) is not None:
        found["niqe"] = distance
    brisque = _brisque()
    if brisque is not None:
        with warnings.catch_warnings(), contextlib.suppress(ValueError, ArithmeticError, IndexError):
            warnings.simplefilter("ignore")  # flat and tiny pictures divide by nothing
            found["brisque"] = float(brisque.score(picture))
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _luma(picture: Picture) -> torch.Tensor:
    """(1, 1, H, W) in 0 to 1."""
    luma = picture.astype(np.float32) @ np.asarray([0.299, 0.587, 0.114], np.float32) / 255
    return torch.from_numpy(luma)[None, None].clamp(0, 1)


@cache
def _piq() -> Any:
    if importlib.util.find_spec("piq") is None:
        return None
    import_timm()  # makes torchvision importable where its compiled half is not, which piq imports too
    import piq

    return piq


@cache
def _brisque() -> Any:
    """BRISQUE with the model that its wheel carries."""
    if importlib.util.find_spec("brisque") is None:
        return None
    from brisque import BRISQUE

    class Brisque(BRISQUE):  # type: ignore[misc]
        def scale_features(self, features: Any) -> Any:
            # Some features come as arrays of one number, which NumPy no longer takes for a number.
            return super().scale_features([np.ravel(f)[0] for f in features])

    return Brisque(url=False)
