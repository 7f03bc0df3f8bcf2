"""Half precision on a GPU: the encoder in 16-bit numbers, where the scores stay what they are.

A GPU's matrix units multiply 16-bit numbers at a multiple of the rate of 32-bit ones. The maps leave the encoder as
float32, and what is computed from them (differences, statistics, attention, heads) stays in float32. Whether that is
safe depends on the weights: so it is tried when a network is loaded, on made pictures, and given up where a score moves
too far.

On a CPU nothing of this is used. Computed there, float16 moved scores of the default network by a quarter of a point at
most; bfloat16, which has three bits less, by up to two points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from .runner import Runner, name

TOLERANCE = 0.5  # points that a score may move
GRAINS = (4, 16, 64, 224)  # dots a side of the made pictures: from soft to noise
HARM = 6  # levels up or down that each pixel of a harmed picture is off


class Halved(Protocol):
    """What is tried; `models.judge.Judge` is one."""

    runner: Runner  # whose `half` is set

    def encode(self, frames: Sequence[NDArray[np.uint8]]) -> Sequence[Any]:
        """(H, W, 3) frames as `nr` and `fr` take them."""

    def nr(self, encoded: Sequence[Any]) -> list[float]:
        """No-reference scores, 0 to 100."""

    def fr(self, encoded: Sequence[Any], references: Sequence[Any]) -> list[float]:
        """Full-reference scores, 0 to 100."""


def formats(device: torch.device) -> tuple[torch.dtype, ...]:
    """16-bit formats that a device has matrix units for, the most exact one first."""
    if device.type != "cuda":
        return ()
    major, _ = torch.cuda.get_device_capability(device)
    return (torch.float16, torch.bfloat16)[: max(0, min(2, major - 6))]  # from Volta (7), and from Ampere (8)


def settle(judge: Halved, kinds: Iterable[torch.dtype]) -> str | None:
    """Let a judge use the first of these formats that keeps its scores within `TOLERANCE`, NR and FR.

    Returns:
        Why it goes on in float32, a few words; None when it does not.

    Raises:
        MemoryError: the device has no room for one picture.
    """
    clean = [_picture(grain) for grain in GRAINS]
    chance = np.random.default_rng(0)
    off = [p + chance.integers(-HARM, HARM + 1, p.shape) for p in clean]
    harmed = [np.clip(p, 0, 255).astype(np.uint8) for p in off]

    def scores() -> NDArray[np.float64]:
        x, y = judge.encode(harmed), judge.encode(clean)
        return np.array([judge.nr(x), judge.nr(y), judge.fr(x, y)])

    judge.runner.half = None
    plain, told = scores(), []
    for kind in kinds:
        judge.runner.half = kind
        moved = float(np.abs(scores() - plain).max())
        if moved <= TOLERANCE:  # never of a NaN, which too large a number becomes
            return None
        told.append(f"{name(kind)} {'gives no scores' if np.isnan(moved) else f'moves scores by {moved:.1f} points'}")
    judge.runner.half = None
    return ", ".join(told)


def _picture(grain: int) -> NDArray[np.uint8]:
    """(224, 224, 3) coloured dots, run into one another: the same ones each time."""
    dots = torch.from_numpy(np.random.default_rng(grain).standard_normal((1, 3, grain, grain), dtype=np.float32))
    smooth = F.interpolate(dots, (GRAINS[-1], GRAINS[-1]), mode="bicubic")[0].permute(1, 2, 0)
    picture: NDArray[np.uint8] = (128 + 60 * smooth).clamp(0, 255).to(torch.uint8).numpy()
    return picture
