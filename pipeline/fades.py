"""Where an encode is darker or lighter than its master for a while: a fade, or a dip, that only one of them has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .detect import LIGHTER, MOST, Beside
from .findings import Finding
from .looks import Watch
from .stretches import Floats, between_samples, of_flags

DIMMED = 16.0  # levels of luma: coding does not do that, nor a pair that is a frame off in any but the quickest fade
SAME = 4.0  # levels by which colours and contrast of a dimmed picture may miss what dimming alone makes of them
SHOWS = 0.1  # of its brightness: what is darker may be any other picture
FADES = 0.1  # of its brightness, by which the first picture of a fade and its last differ


def lighter(watch: Watch, master: Beside) -> dict[int, float]:
    """Levels of luma by which frames of the clip are lighter than the master's they are paired with, by frame."""
    at, by = master.rows_beside(watch)
    more = watch.column("luma")[at] - master.watch.column("luma")[by]
    return dict(zip(watch.column("frame")[at].astype(int).tolist(), more.tolist(), strict=True))


def of_pairs(watch: Watch, master: Beside, duration_s: float | None) -> list[Finding]:
    """Stretches in which one of both shows what the other does, but dimmed; none where the clip is so as a rule."""
    at, by = master.rows_beside(watch)
    if len(at) < 3:
        return []
    mine, theirs = _levels(watch, at), _levels(master.watch, by)
    if abs(float(np.median(mine[:, 0] - theirs[:, 0]))) >= LIGHTER:  # is told of all of it
        return []
    starts, ends = between_samples(watch.column("time_s"), duration_s or 0.0)
    shown = starts[at], ends[at]
    return [
        *_stretches(mine, theirs, shown, "darker than its master", "it fades {} where its master does not"),
        *_stretches(theirs, mine, shown, "lighter than its master", "its master fades {} where it does not", SHOWS),
    ]


def _levels(watch: Watch, rows: NDArray[np.intp]) -> Floats:
    """(n, 5) means and contrast, luma first."""
    return np.stack([watch.column(name)[rows] for name in ("luma", "red", "green", "blue", "spread")], axis=1)


def _stretches(
    dim: Floats, full: Floats, shown: tuple[Floats, Floats], said: str, fades: str, least: float = 0.0
) -> list[Finding]:
    """Where `dim` is `full` dimmed, and some of it brighter than `least`: two samples in a row, or one at an end."""
    gain = dim[:, 0] / np.maximum(full[:, 0], 1.0)
    lost = full[:, 0] - dim[:, 0]
    flags = (lost >= DIMMED) & (np.abs(dim - gain[:, None] * full).max(axis=1) <= SAME)
    every = np.arange(len(flags), dtype=np.float64)
    found, last_of_all = [], len(flags) - 1
    for stretch in of_flags(flags, every, every):
        first, last = int(stretch.start_s), int(stretch.end_s)
        if gain[first : last + 1].max() < least or (first == last and 0 < first < last_of_all):
            continue
        risen = gain[last] - gain[first]
        way = "in" if first == 0 and risen >= FADES else "out" if last == last_of_all and -risen >= FADES else None
        sentence = f"{said}, by up to {lost[first : last + 1].max():.0f} levels of 255"
        sentence += f": {fades.format(way)}" if way else ""
        start_s, end_s = round(float(shown[0][first]), 3), round(float(shown[1][last]), 3)
        found.append(Finding(sentence, "colour", "warning", start_s, end_s))
    if len(found) > MOST:
        sentence = f"{said}, by up to {lost[flags].max():.0f} levels of 255, in {len(found)} places"
        return [Finding(sentence, "colour", "warning", found[0].start_s, found[-1].end_s)]
    return found
