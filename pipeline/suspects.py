"""Which encodes may show other moments of their master for a while, by their scores: these are worth a closer look.

Beside a wrong moment a frame compares badly however well it is coded: within a shot its FR falls where its NR does not,
nor the FR of the ladder's other encodes; and from shot to shot by more than coding explains. To look at the pictures
themselves (`astray`) takes a decoding more of both videos, too much for each of the many that are in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set

import numpy as np

from .values import ClipResult

BELOW = (14.0, 12.0)  # points of FR, and of FR over NR, that two frames in a row lie below the shot's better ones
FAR_BELOW = (25.0, 20.0)  # a frame by itself
SHOT_BELOW = (40.0, 35.0)  # the better frames of all shots: so much harder to code is none
_BETTER = 75  # percentile: a wrong stretch may be half of a shot
_FEW = 4  # frames of a shot of which nothing is usual


def of_scores(results: Sequence[ClipResult]) -> frozenset[str]:
    """Paths of encodes at their master's speed whose comparison falls for a while, and nothing else of them or others.

    Where those of half of the other encodes fall, too, it is what they show that is hard.
    """
    rows: dict[str, dict[str | None, ClipResult]] = defaultdict(dict)
    for result in results:
        rows[result.clip.path][result.clip.mode] = result
    compared = {path: of for path, of in rows.items() if {"nr", "fr"} <= of.keys()}
    falls = {path: _falls(of["nr"], of["fr"]) for path, of in compared.items()}
    found = set()
    for path, low in falls.items():
        others = [set().union(*(range(t - 2, t + 3) for t in falls[p])) for p in falls if p != path]
        alone = {t for t in low if 2 * sum(t in other for other in others) < max(1, len(others))}
        if alone and compared[path]["fr"].clip.rate_ratio == 1:
            found.add(path)
    return frozenset(found)


def _falls(nr: ClipResult, fr: ClipResult) -> Set[int]:
    """Quarters of a second at which it does."""
    alone = {frame.frame_num: frame.score for frame in nr.frames}
    shots: dict[int | None, list[tuple[int, float, float]]] = defaultdict(list)
    for frame in fr.frames:
        if frame.frame_num in alone:
            at = round(4 * frame.pts_time)
            shots[frame.shot].append((at, frame.score, frame.score - alone[frame.frame_num]))
    found: set[int] = set()
    for frames in shots.values():
        if len(frames) < _FEW:
            continue
        times, scores = [at for at, *_ in frames], np.array([figures for _, *figures in frames])
        below = np.percentile(scores, _BETTER, axis=0) - scores
        low, far = ((below >= least).all(1) for least in (BELOW, FAR_BELOW))
        far[1:] |= low[1:] & low[:-1]
        found |= {at for at, is_so in zip(times, far.tolist(), strict=True) if is_so}
    every = [row for rows in shots.values() for row in rows]
    if len(every) >= _FEW:
        usual = np.percentile([figures for _, *figures in every], _BETTER, axis=0)
        found |= {at for at, *figures in every if (usual - figures >= SHOT_BELOW).all()}
    return found
