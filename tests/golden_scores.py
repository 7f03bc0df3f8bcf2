"""What the default network says of one pair of made pictures, in torch: `python -m tests.golden_scores` prints it.

To be made anew when weights or places change, and only then.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from yoto_video.models.judge import Judge

Picture = NDArray[np.uint8]
GOLDEN = {"nr": 62.57, "nr_master": 56.4, "fr": 80.39, "fr_half": 80.62, "enlarged": 65.43}


def pair() -> tuple[Picture, Picture]:
    """A coded picture, 1080 lines, and its master: waves, an edge and grain; the coded one in coarse steps, blurred."""
    v, u = np.mgrid[0:1080, 0:1920].astype(np.float64)
    waves = [np.sin(u / a + v / b) + np.sin((u * v) ** 0.5 / c) for a, b, c in ((17, 43, 9), (29, 11, 14), (7, 61, 23))]
    grain = np.random.default_rng(0).normal(0, 5, (1080, 1920, 3))
    master = 120 + 35 * np.stack(waves, -1) + 30 * (u + v > 1500)[..., None] + grain
    blurred = (master + np.roll(master, 1, 0) + np.roll(master, 1, 1) + np.roll(master, (1, 1), (0, 1))) / 4
    coded = blurred // 8 * 8 + 4
    return np.clip(coded, 0, 255).astype(np.uint8), np.clip(master, 0, 255).astype(np.uint8)


def scores() -> dict[str, float]:
    """Alone, the master alone, against the master, the same at half of the places, and a part enlarged."""
    coded, master = pair()
    judge = Judge.load("yoto_mobilenetv2", device="cpu", export=False)
    x, y = judge.encode([coded]), judge.encode([master])
    halves = [judge.encode([picture], [1]) for picture in (coded, master)]
    found = (judge.nr(x), judge.nr(y), judge.fr(x, y), judge.fr(*halves))
    found += ([part.score for part in judge.own([coded[270:810, 480:1440]], [1.0])],)
    return {name: round(one[0], 2) for name, one in zip(GOLDEN, found, strict=True)}


if __name__ == "__main__":
    print(f"GOLDEN = {scores()}")
