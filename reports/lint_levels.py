"""Rungs of a ladder without a master that are darker, brighter or without colour beside the others, over all of them.

What most rungs show is held to be right; of as many on each side nobody knows which is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from ..pipeline.findings import COLOURED, GREY
from .clip import Clip
from .lint_findings import lacks_parts
from .lint_issue import Issue
from .read import LadderTable

MUCH = 8.0  # levels of luma; coding moves a clip's mean by one or two
ALIKE = 4.0  # levels within which rungs are as bright as one another
SAME_S = 0.5  # of durations: the same moments are looked at
OTHER_SHAPE = frozenset({"aspect", "rotation"})  # findings of rungs that show another part, or black beside it


def of_levels(ladder: LadderTable) -> Iterator[Issue]:
    """Of the brightness, then of the colours, of rungs that were judged alike."""
    if ladder.master is not None and ladder.master.status == "ok":  # which tells, encode by encode
        return
    for rungs in _judged_alike(ladder):
        yield from _of_brightness(ladder.name, rungs)
        yield from _of_colours(ladder.name, rungs)


def _judged_alike(ladder: LadderTable) -> list[list[Clip]]:
    """Whole rungs of one length whose levels are known, at one raster, in one light."""
    groups: dict[tuple[str | None, bool], list[Clip]] = {}
    for clip in ladder.renditions:
        row = clip.row("nr")
        kinds = {finding.kind for finding in clip.findings}
        known = row is not None and row.depth == "full" and row.luma is not None and row.chroma is not None
        if row is not None and known and not kinds & OTHER_SHAPE and not lacks_parts(clip, ladder):
            groups.setdefault((row.display, "hdr" in kinds), []).append(clip)
    for key, rungs in groups.items():
        usual = median(clip.duration_s or 0.0 for clip in rungs)
        groups[key] = [clip for clip in rungs if abs((clip.duration_s or 0.0) - usual) <= SAME_S]
    return [rungs for rungs in groups.values() if len(rungs) > 1]


def _of_brightness(ladder: str, rungs: Sequence[Clip]) -> Iterator[Issue]:
    usual = median(map(_luma, rungs))
    most = [clip for clip in rungs if abs(_luma(clip) - usual) <= ALIKE]
    if 2 * len(most) <= len(rungs):
        dark, bright = min(rungs, key=_luma), max(rungs, key=_luma)
        if (apart := _luma(bright) - _luma(dark)) >= MUCH:
            said = f"{dark.label} is darker than {bright.label}, by {apart:.0f} levels of 255 on average"
            yield _undecided(ladder, said, (dark, bright))
        return
    for clip in rungs:
        if abs(more := _luma(clip) - usual) >= MUCH:
            way = "darker" if more < 0 else "brighter"
            said = f"{clip.label}: {way} than most encodes of its ladder, by {abs(more):.0f} levels of 255 on average"
            yield Issue(ladder, "colour", "warning", said, (clip.path,))


def _of_colours(ladder: str, rungs: Sequence[Clip]) -> Iterator[Issue]:
    grey = [clip for clip in rungs if _chroma(clip) <= GREY]
    coloured = [clip for clip in rungs if _chroma(clip) >= COLOURED]
    if not grey or not coloured:
        return
    if 2 * len(coloured) <= len(rungs):
        yield _undecided(
            ladder, f"{grey[0].label} is grey, and {coloured[0].label} has colours", (grey[0], coloured[0])
        )
        return
    for clip in grey:
        said = f"{clip.label}: grey, where most encodes of its ladder have colours"
        yield Issue(ladder, "colour", "warning", said, (clip.path,))


def _undecided(ladder: str, said: str, clips: Sequence[Clip]) -> Issue:
    said += ": without a master nothing tells which is right"
    return Issue(ladder, "colour", "warning", said, tuple(clip.path for clip in clips))


def _luma(clip: Clip) -> float:
    row = clip.row("nr")
    return 0.0 if row is None else row.luma or 0.0


def _chroma(clip: Clip) -> float:
    row = clip.row("nr")
    return 0.0 if row is None else row.chroma or 0.0
