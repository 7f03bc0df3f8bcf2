"""What was found in single videos, as far as it is wrong with them: errors, and warnings with restraint.

A warning is told where it is the encode's own: not where its master has the same, nor of what films are like, nor where
a score says it already.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..pipeline.findings import Finding, Severity
from .clip import Clip
from .lint_issue import Issue
from .read import LadderTable

# Of no file's fault; or of what coding does to pictures: any low rung has that, and its score tells.
UNTOLD = frozenset({"first_look", "quality_drop", "banding"})
# Films are so too: told where the master is not, or without one no other encode.
OF_FILMS = frozenset({"black", "frozen"})
LOSSES = ("truncated", "damaged")
NEAR_S = 1.0  # stretches of two videos this close are one
BEYOND_S = 2.0  # of black that another has not, beside what both have: it has not the same
_NUMBER = re.compile(r"[-+]?\d+(?:[.,:x×]\d+)*")

_ByKind = Mapping[str, Sequence[Finding]]  # the gravest of each kind first


def of_findings(ladder: LadderTable, known: Collection[_Words] = ()) -> Iterator[Issue]:
    """One a clip and kind, beside one a warning that all encodes have; none of what is known."""
    sound = _Sound.of(ladder)
    found = {clip.path: _by_kind(clip, sound) for clip in ladder.clips}
    shared = _shared([found[path] for path in sound.encodes], ("warning",))
    for warning in shared:
        if warning in known:
            continue
        every = [[f for f in found[path][warning.kind] if _says(f, warning)] for path in sound.encodes]
        alike = len({tuple(f.dated for f in some) for some in every}) == 1
        whose = "" if alike else f", like {next(iter(sound.encodes.values())).label}"
        words = f"all {len(every)} encodes{whose}: {said(every[0])}"
        # What starts alike is in step with one another, if not with its master.
        severity: Severity = "info" if warning.kind == "offset" else "warning"
        yield Issue(ladder.name, warning.kind, severity, words, tuple(sound.encodes))
    for clip in ladder.clips:
        for kind, some in found[clip.path].items():
            own = [f for f in some if _Words.of(f) not in known]
            if clip.path in sound.encodes:
                own = [f for f in own if not any(_says(f, warning) for warning in shared)]
            if own:
                yield Issue(ladder.name, kind, own[0].severity, f"{clip.label}: {said(own)}", (clip.path,))


def of_sides(ladders: Sequence[LadderTable]) -> tuple[list[list[Issue]], list[Issue]]:
    """Of ladders of one title, each another encoder's, what their encodes have, and what their masters have.

    The former less what all encodes of all have; the latter once, where it makes all figures of the title doubtful.
    """
    encodes = [(clip, _Sound.of(ladder)) for ladder in ladders for clip in ladder.renditions]
    known = _shared([_by_kind(clip, sound) for clip, sound in encodes], ("warning", "error"))
    masters = {ladder.master.path for ladder in ladders if ladder.master}
    found = [list(of_findings(ladder, known)) for ladder in ladders]
    doubtful = [i for issues in found for i in issues if i.severity == "error" or i.rule == "poor_source"]
    theirs = {(i.rule, i.sentence): i for i in doubtful if not masters.isdisjoint(i.paths)}
    return [[i for i in issues if masters.isdisjoint(i.paths)] for issues in found], list(theirs.values())


@dataclass(frozen=True)
class _Sound:
    """The videos of a ladder that warnings are told of: of broken and foreign ones errors say enough."""

    encodes: Mapping[str, Clip]  # by path
    master: Clip | None

    @classmethod
    def of(cls, ladder: LadderTable) -> _Sound:
        sound = {c.path: c for c in ladder.clips if c.status == "ok" and c.broken is None and not c.foreign}
        master = ladder.master if ladder.master and ladder.master.status == "ok" else None
        return cls({path: c for path, c in sound.items() if not c.is_master}, master)

    def held_to(self, clip: Clip) -> list[Clip]:
        """What an encode is compared with here: its master, else its siblings."""
        return [self.master] if self.master else [c for c in self.encodes.values() if c is not clip]


def lacks_parts(clip: Clip, ladder: LadderTable) -> bool:
    """Whether parts of it are missing or damaged: its rate and scores are of the rest then, or over the holes."""
    return clip.broken is not None or (_holed(clip) and not (ladder.master and _holed(ladder.master)))


def _holed(clip: Clip) -> bool:
    return any(finding.kind == "cadence" and finding.severity == "error" for finding in clip.findings)


def hurt(clip: Clip, ladder: LadderTable) -> bool:
    """Whether something is told to be wrong with a stretch of it: its scores say less of its rate then."""
    return any(finding.start_s is not None for finding in _told(clip, ladder))


def hurt_beside(clip: Clip, other: Clip, ladder: LadderTable) -> set[str]:
    """Kinds of what is told to be wrong with stretches of it, and not of another encode at the same time."""
    return {f.kind for f in _told(clip, ladder) if f.start_s is not None and not _is_in(f, clip, other)}


def _told(clip: Clip, ladder: LadderTable) -> list[Finding]:
    return [finding for some in _by_kind(clip, _Sound.of(ladder)).values() for finding in some]


def copies(ladder: LadderTable) -> list[tuple[Clip, Clip]]:
    """Files that hold the same bytes as another: which, and of what.

    The latter is the master, else what names its size as it is, else what has the shortest name.
    """
    first: dict[str, Clip] = {}
    order = sorted(ladder.clips, key=lambda c: (not c.is_master, c.declared.height != c.height, len(c.label), c.label))
    return [(c, other) for c in order if c.content_id and (other := first.setdefault(c.content_id, c)) is not c]


def _by_kind(clip: Clip, sound: _Sound) -> _ByKind:
    """What is to be told of a clip."""
    why = " ".join(clip.reasons) if clip.status != "ok" else ""  # is told, as why it has no score
    told = [f for f in clip.findings if f.severity == "error" and f.sentence not in why]
    if clip.path in sound.encodes:
        told += [f for f in clip.findings if f.severity == "warning" and _is_its_own(f, clip, sound)]
    elif clip.is_master and clip.broken is None:
        told += [f for f in clip.findings if f.severity == "warning" and f.kind not in UNTOLD | OF_FILMS]
    found: dict[str, list[Finding]] = {}
    for finding in sorted(told, key=lambda f: f.order):
        found.setdefault(finding.kind, []).append(finding)
    if "truncated" in found:  # of which damage comes
        found.pop("damaged", None)
    return found


def _is_its_own(finding: Finding, encode: Clip, sound: _Sound) -> bool:
    """Whether a warning says what is wrong with this encode."""
    of_pairs = finding.kind == "pairing" and finding.start_s is None  # how they were found
    if of_pairs or finding.kind in UNTOLD or finding.kind == "poor_source":  # which its master tells
        return False
    others = sound.held_to(encode)
    if finding.kind not in OF_FILMS:
        return sound.master is None or not _is_in(finding, encode, sound.master)
    return bool(others) and not any(_is_in(finding, encode, other) for other in others)


def _is_in(finding: Finding, encode: Clip, other: Clip) -> bool:
    """Whether another clip has the same, at the same time where that is told."""
    row = encode.row("fr")
    late = (row.offset_s if row else None) or 0.0
    if finding.kind == "black" and _beyond_s(finding, other, late) > BEYOND_S:
        return False
    for its in other.findings:
        if its.kind != finding.kind or (its.severity == "info" and its.kind not in OF_FILMS):
            continue
        if its.start_s is None or its.end_s is None or finding.start_s is None or finding.end_s is None:
            if its.start_s == finding.start_s:
                return True
        elif its.start_s - NEAR_S <= finding.end_s + late and finding.start_s + late <= its.end_s + NEAR_S:
            return True
    return False


def _beyond_s(finding: Finding, other: Clip, late: float) -> float:
    """Seconds of a stretch in which another clip, which begins `late` before, has nothing of its kind."""
    start, end = (finding.start_s or 0.0) + late, (finding.end_s or 0.0) + late
    left = 0.0
    for its in sorted((f for f in other.findings if f.kind == finding.kind), key=lambda f: f.start_s or 0.0):
        left += max(0.0, min((its.start_s or 0.0) - NEAR_S, end) - start)
        start = max(start, (its.end_s or 0.0) + NEAR_S)
    return left + max(0.0, end - start)


class _Words(NamedTuple):
    """What a finding says, numbers aside; of an offset these too."""

    kind: str
    words: str

    @classmethod
    def of(cls, finding: Finding) -> _Words:
        return cls(finding.kind, finding.sentence if finding.kind == "offset" else _NUMBER.sub("0", finding.sentence))


def _says(finding: Finding, warning: _Words) -> bool:
    return finding.severity == "warning" and _Words.of(finding) == warning


def _shared(found: Sequence[_ByKind], severities: Collection[str]) -> list[_Words]:
    """What is said of all of several encodes."""
    if len(found) < 2:
        return []
    every = [
        dict.fromkeys(_Words.of(f) for some in own.values() for f in some if f.severity in severities) for own in found
    ]
    return [words for words in every[0] if all(words in own for own in every)]


def said(some: Sequence[Finding]) -> str:
    """Findings of one kind in a sentence: the first, and how many more there are."""
    words = some[0].dated.removeprefix("truncated: ")  # the rule beside it says so
    words += f", and {len(some) - 1} more of its kind" if len(some) > 1 else ""
    return words + ("; copy or upload it again" if some[0].kind in LOSSES else "")
