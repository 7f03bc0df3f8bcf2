"""Which encodes may show other moments of their master for a while, by their scores: these are worth a closer look.

Beside a wrong moment a frame compares badly however well it is coded, so FR falls where NR does not. To look at the
pictures themselves (`astray`) takes a decoding more of both videos, too much for each of the many that are in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from .values import ClipResult

BELOW = (10.0, 8.0)  # points of FR, and of FR over NR, that two frames in a row lie below the clip's better ones
FAR_BELOW = (20.0, 15.0)  # a frame by itself
_BETTER = 75  # percentile: a wrong stretch may be half of a clip
_FEW = 6  # frames of which nothing is usual


def of_scores(results: Sequence[ClipResult]) -> frozenset[str]:
    """Paths of encodes at their master's speed whose comparison falls for a while, and what they look like does not."""
    rows: dict[str, dict[str | None, ClipResult]] = defaultdict(dict)
    for result in results:
        rows[result.clip.path][result.clip.mode] = result
    return frozenset(path for path, of in rows.items() if {"nr", "fr"} <= of.keys() and _falls(of["nr"], of["fr"]))


def _falls(nr: ClipResult, fr: ClipResult) -> bool:
    alone = {frame.frame_num: frame.score for frame in nr.frames}
    both = [(frame.score, frame.score - alone[frame.frame_num]) for frame in fr.frames if frame.frame_num in alone]
    if len(both) < _FEW or fr.clip.rate_ratio != 1:
        return False
    below = np.percentile(both, _BETTER, axis=0) - np.array(both)
    low, far = ((below >= least).all(1) for least in (BELOW, FAR_BELOW))
    return bool((low[1:] & low[:-1]).any() or far.any())
