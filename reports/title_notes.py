"""What else to know of a title that was compared: what was left out, what was found, how far its curves go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

from . import bd
from .clip import Clip
from .lint import JND
from .lint_findings import of_sides, said
from .read import LadderTable

if TYPE_CHECKING:  # they come with these notes
    from .titles import Encode, Side, Title

SEEN = 0.02  # difference of log-rates at both ends of what two curves reach, for one to be said to cross the other


@dataclass(frozen=True)
class Note:
    """One thing to know of a title."""

    kind: str  # "left_out", "reach", "crossing", or that of a finding
    sentence: str
    sides: tuple[str, ...]  # labels, the one that it says something of first
    paths: tuple[str, ...] = ()  # videos that it is about; of curves none


def notes_of(sides: Sequence[Side], ladders: Sequence[LadderTable], title: Title) -> Iterator[Note]:
    """All of a title; of one that is not compared, what is broken.

    Args:
        sides: all.
        ladders: each side's videos of the title, those that were left out among them.
        title: what is compared.
    """
    yield from _left_out(sides, ladders, title)
    if title.reason:
        return
    yield from _found(sides, ladders, title)
    yield from _out_of_reach(sides, title.sides)
    yield from _crossing(sides, title)


def _left_out(sides: Sequence[Side], ladders: Sequence[LadderTable], title: Title) -> Iterator[Note]:
    for side, ladder, kept in zip(sides, ladders, title.sides, strict=True):
        compared = {encode.clip.path for encode in kept}
        for clip in ladder.renditions:
            if clip.path not in compared and (clip.broken or not title.reason):
                what, why = _why_out(clip, title.mode)
                words = f"{side.label}: {clip.label} {what} and is left out{f': {why}' if why else ''}"
                yield Note("left_out", words, (side.label,), (clip.path,))


def _found(sides: Sequence[Side], ladders: Sequence[LadderTable], title: Title) -> Iterator[Note]:
    """What is wrong with masters; and with encodes that are compared, and not with all of them: one may look better."""
    own = []
    for ladder, kept in zip(ladders, title.sides, strict=True):
        compared = {encode.clip.path for encode in kept}
        own.append(replace(ladder, clips=tuple(c for c in ladder.clips if c.is_master or c.path in compared)))
    of_encodes, of_masters = of_sides(own)
    for issue in of_masters:
        with_it = tuple(s.label for s, o in zip(sides, own, strict=True) if o.master and o.master.path in issue.paths)
        yield Note(issue.rule, f"the master {issue.sentence}", with_it, issue.paths)
    for side, issues in zip(sides, of_encodes, strict=True):
        yield from (Note(i.rule, f"{side.label}: {i.sentence}", (side.label,), i.paths) for i in issues)


def _why_out(clip: Clip, mode: str) -> tuple[str, str]:
    """What keeps an encode out, and the reason that its row has for it, if any."""
    if clip.broken:
        return f"is {clip.broken}", said([f for f in clip.findings if f.kind == clip.broken and f.severity == "error"])
    if clip.row(mode) is None:
        refused = [f.sentence for f in clip.findings if f.kind == "not_compared"]
        return f"has no {mode.upper()} score", "; ".join(clip.reasons or refused)
    return "has no bit rate", ""


def _out_of_reach(sides: Sequence[Side], made: Sequence[Sequence[Encode]]) -> Iterator[Note]:
    """Sides whose best encode looks worse than another's by more than anybody overlooks."""
    tops = [max(e.row.pools["mean"] for e in own) for own in made]
    best = int(np.argmax(tops))
    beyond = f"{sides[best].label} {tops[best]:.1f}: what lies beyond is in no BD-rate of"
    for side, top in zip(sides, tops, strict=True):
        if top < tops[best] - JND:
            words = f"{side.label} reaches {top:.1f} at most, {beyond} {side.label}"
            yield Note("reach", words, (side.label, sides[best].label))


def _crossing(sides: Sequence[Side], title: Title) -> Iterator[Note]:
    """Of each pair: a side that needs fewer bits than the other up to some quality, and more above it, or the reverse.

    Pairs are in the order of the figures.
    """
    curves = [(side.label, *title.curve(s, "mean")) for s, side in enumerate(sides)]
    for (anchor, mine, why), (test, theirs, flaw) in combinations(curves, 2):
        if why or flaw:
            continue
        (r1, q1), (r2, q2) = bd.arrays(mine), bd.arrays(theirs)
        levels = np.linspace(max(q1[0], q2[0]), min(q1[-1], q2[-1]), 33)[1:-1]
        apart = [float(bd.log_ratios((r1, r2), (q1[None], q2[None]), float(level))[0]) for level in levels]
        turns = [k for k, (a, b) in enumerate(pairwise(apart)) if a * b < 0]
        if len(turns) == 1 and min(abs(apart[0]), abs(apart[-1])) > SEEN:
            few, many = ("fewer", "more") if apart[0] < 0 else ("more", "fewer")
            at = f"up to a score of about {levels[turns[0]]:.0f}"
            yield Note("crossing", f"{test} needs {few} bits than {anchor} {at}, and {many} above", (test, anchor))
