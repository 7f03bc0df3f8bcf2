"""Where an encode is darker or brighter than its master for a while: a fade, or a dip, that only one of them has."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .detect import BLACK_SHARE, LIGHTER, MOST, Beside, Flags
from .findings import Finding
from .looks import Watch
from .stretches import Floats, between_samples, of_flags

DIMMED = 16.0  # levels of luma: coding does not do that, nor a pair that is a frame off in any but the quickest fade
SAME = 4.0  # levels by which colours and contrast of a dimmed picture may miss what dimming makes of them
SHOWS = 0.1  # of its brightness: where a master shows less than that, the encode may show any other picture
FADES = 0.1  # of its brightness, by which the first picture of a fade and its last differ
AT_ONCE_S = 0.003  # apart, of two frames that show one instant; times in Matroska are whole milliseconds
WHITE = 255.0
STEADY = 12.0  # levels of luma that blocks change by between samples: a cut changes more, and so does quick motion


class Paired(NamedTuple):
    """What is known of frames of a clip that were paired with its master's."""

    lighter: Mapping[int, float] = {}  # levels of luma by which a frame is lighter than the master's
    steady: Set[int] = frozenset()  # frames of surely the same instant, around which the master changes little
    black: Set[int] = frozenset()  # frames that are black, as the master's are


def paired(watch: Watch, master: Beside | None) -> Paired:
    """Of a clip without a master nothing is known."""
    if master is None:
        return Paired()
    at, by = master.rows_beside(watch)
    frames = watch.column("frame")[at].astype(int)
    more = watch.column("luma")[at] - master.watch.column("luma")[by]
    steady = _steady(watch, master) if master.sure and len(at) > 2 else np.zeros(len(at), np.bool_)
    black = np.minimum(watch.column("dark")[at], master.watch.column("dark")[by]) >= BLACK_SHARE
    lighter = dict(zip(frames.tolist(), more.tolist(), strict=True))
    return Paired(lighter, frozenset(frames[steady].tolist()), frozenset(frames[black].tolist()))


def _steady(watch: Watch, master: Beside) -> Flags:
    """Pairs (n,) of one instant whose master cuts neither from the pair before nor to the next.

    At a cut an encode at another rate, or with a frame left out, may show what its master does a frame before.
    """
    at, by = master.rows_beside(watch)
    change = np.nan_to_num(master.watch.column("change"), nan=np.inf)
    calm = [change[before + 1 : after + 1].max() < STEADY for before, after in zip(by[:-2], by[2:], strict=True)]
    once = _at_once(watch.column("time_s")[at], master.watch.column("time_s")[by])
    return np.asarray(once & np.concatenate([[False], calm, [False]]), np.bool_)


def of_pairs(watch: Watch, master: Beside, duration_s: float | None) -> list[Finding]:
    """Stretches in which one of both shows what the other does, but dimmed; none where the clip is so as a rule.

    A stretch is of two samples in a row or more, or of one that is dimmed at an end, or of one where the encode leaves
    its master. Where pairs may be of other instants it is of two or more, and at an end or beyond all the other shows.
    """
    at, by = master.rows_beside(watch)
    if len(at) < 3:
        return []
    mine, theirs = _levels(watch, at), _levels(master.watch, by)
    if abs(float(np.median(mine[:, 0] - theirs[:, 0]))) >= LIGHTER:  # is told of all of it
        return []
    starts, ends = between_samples(watch.column("time_s"), duration_s or 0.0)
    same_instant = _at_once(watch.column("time_s")[at], master.watch.column("time_s")[by])
    leaves = master.sure & same_instant & _leaves(mine[:, 0], theirs[:, 0])
    shown = starts[at], ends[at]
    return [
        *_stretches(mine, theirs, leaves, shown, sure=master.sure, darker=True),
        *_stretches(mine, theirs, leaves, shown, sure=master.sure, darker=False),
    ]


def _levels(watch: Watch, rows: NDArray[np.intp]) -> Floats:
    """(n, 5) means and contrast, luma first."""
    return np.stack([watch.column(name)[rows] for name in ("luma", "red", "green", "blue", "spread")], axis=1)


def _leaves(mine: Floats, theirs: Floats) -> Flags:
    """Samples of luma that fit none of the master's three around, between two that fit it.

    A flash or a cut of the master that an encode shows a frame early or late, or smears, lies between the master's.
    """
    around = np.stack([theirs[:-2], theirs[1:-1], theirs[2:]])
    beyond = np.maximum(around.min(axis=0) - mine[1:-1], mine[1:-1] - around.max(axis=0)) >= DIMMED
    fits = np.abs(mine - theirs) < DIMMED
    return np.concatenate([[False], beyond & fits[:-2] & fits[2:], [False]])


def _at_once(mine: Floats, theirs: Floats) -> Flags:
    """Samples that are the same instant as the master's, as their neighbours have it; both are times (n,)."""
    speed = (theirs[2:] - theirs[:-2]) / (mine[2:] - mine[:-2])
    apart = theirs[1:-1] - theirs[:-2] - speed * (mine[1:-1] - mine[:-2])
    return np.concatenate([[False], np.abs(apart) < AT_ONCE_S, [False]])


def _stretches(
    mine: Floats, theirs: Floats, leaves: Flags, shown: tuple[Floats, Floats], *, sure: bool, darker: bool
) -> list[Finding]:
    """Where the encode is darker than its master, or brighter: one of both is the other, nearer to black or white."""
    dark, bright = (mine, theirs) if darker else (theirs, mine)
    lost = bright[:, 0] - dark[:, 0]
    to_black, to_white = _Dimmed(dark, bright), _Dimmed(_negative(bright), _negative(dark))
    flags = (lost >= DIMMED) & (to_black.fits | to_white.fits)
    said = f"{'darker' if darker else 'brighter'} than its master, by up to "
    every = np.arange(len(flags), dtype=np.float64)
    found, last_of_all = [], len(flags) - 1
    for stretch in of_flags(flags, every, every):
        first, last = int(stretch.start_s), int(stretch.end_s)
        inside = slice(first, last + 1)
        by = min(to_black, to_white, key=lambda way: float(way.misses[inside].mean()))
        gain, white = by.gain, by is to_white
        own = darker != white  # the encode is what fades
        if not own and gain[inside].max() < SHOWS:
            continue
        at_end = first == 0 or last == last_of_all
        if first == last:
            told = sure and by.misses[first] <= SAME if at_end else leaves[first]
        else:
            beyond = dark[inside, 0].min() < bright[:, 0].min() or dark[:, 0].max() < bright[inside, 0].max()
            told = sure or at_end or beyond
        if not told:
            continue
        risen = gain[last] - gain[first]
        way = "in" if first == 0 and risen >= FADES else "out" if last == last_of_all and -risen >= FADES else ""
        way += f" {'from' if way == 'in' else 'to'} white" if way and white else ""
        fades = f"it fades {way} where its master does not" if own else f"its master fades {way} where it does not"
        sentence = f"{said}{lost[inside].max():.0f} levels of 255"
        sentence += f": {fades}" if way else ""
        start_s, end_s = round(float(shown[0][first]), 3), round(float(shown[1][last]), 3)
        found.append(Finding(sentence, "colour", "warning", start_s, end_s))
    if len(found) > MOST:
        sentence = f"{said}{lost[flags].max():.0f} levels of 255, in {len(found)} places"
        return [Finding(sentence, "colour", "warning", found[0].start_s, found[-1].end_s)]
    return found


def _negative(levels: Floats) -> Floats:
    """Of the negative pictures: what fades to white fades to black there."""
    return np.concatenate([WHITE - levels[:, :4], levels[:, 4:]], axis=1)


class _Dimmed:
    """How well pictures are others, nearer to black.

    `gain` is what is left of the brightness, `misses` by how many levels plain dimming does not explain them, and
    `fits` whether that does, or darkening by equal levels (which is cut off at black), or what lies between.
    """

    def __init__(self, dim: Floats, full: Floats) -> None:
        self.gain = dim[:, 0] / np.maximum(full[:, 0], 1.0)
        scaled = self.gain[:, None] * full
        shifted = full - (full[:, :1] - dim[:, :1])
        shifted[:, 4] = full[:, 4]
        beyond = np.maximum(np.minimum(scaled, shifted) - dim, dim - np.maximum(scaled, shifted))
        self.fits = beyond.max(axis=1) <= SAME
        self.misses = np.abs(dim - scaled).max(axis=1)
