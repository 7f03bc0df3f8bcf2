"""What was found in single videos, as far as it is wrong with them: errors, and warnings with restraint.

A warning is told where it is the encode's own: not where its master has the same, nor of what films are like, nor where
a score says it already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..pipeline.findings import Finding
from .clip import Clip
from .lint_issue import Issue
from .read import LadderTable

# Of no file's fault; or of what coding does to pictures: any low rung has that, and its score tells.
UNTOLD = frozenset({"first_look", "quality_drop", "banding"})
# Films are so too: told where the master is not, or without one no other encode.
OF_FILMS = frozenset({"black", "frozen"})
LOSSES = ("truncated", "damaged")
NEAR_S = 1.0  # stretches of two videos this close are one
_NUMBER = re.compile(r"[-+]?\d+(?:[.,:x×]\d+)*")

_ByKind = Mapping[str, Sequence[Finding]]  # the gravest of each kind first


def of_findings(ladder: LadderTable) -> Iterator[Issue]:
    """One a clip and kind, or one a kind of warning that all encodes have."""
    sound = _Sound.of(ladder)
    found = {clip.path: _by_kind(clip, sound) for clip in ladder.clips}
    shared = _shared([found[path] for path in sound.encodes])
    for kind in shared:
        first = [found[path][kind][0] for path in sound.encodes]
        alike = len({finding.dated for finding in first}) == 1
        whose = "" if alike else f", like {next(iter(sound.encodes.values())).label}"
        said = f"all {len(first)} encodes{whose}: {_said(first[:1])}"
        # What starts alike is in step with one another, if not with its master.
        severity = "info" if kind == "offset" else first[0].severity
        yield Issue(ladder.name, kind, severity, said, tuple(sound.encodes))
    for clip in ladder.clips:
        for kind, some in found[clip.path].items():
            if clip.path not in sound.encodes or kind not in shared:
                yield Issue(ladder.name, kind, some[0].severity, f"{clip.label}: {_said(some)}", (clip.path,))


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
    told = _by_kind(clip, _Sound.of(ladder)).values()
    return any(finding.start_s is not None for some in told for finding in some)


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
    for its in other.findings:
        if its.kind != finding.kind or (its.severity == "info" and its.kind not in OF_FILMS):
            continue
        if its.start_s is None or its.end_s is None or finding.start_s is None or finding.end_s is None:
            if its.start_s == finding.start_s:
                return True
        elif its.start_s - NEAR_S <= finding.end_s + late and finding.start_s + late <= its.end_s + NEAR_S:
            return True
    return False


def _shared(found: Sequence[_ByKind]) -> list[str]:
    """Kinds of warnings that say one thing of all of several encodes, numbers aside; of an offset these too."""
    if len(found) < 2:
        return []
    kinds = [k for k in found[0] if all(k in own and own[k][0].severity != "error" for own in found)]
    return [k for k in kinds if len({_words(own[k][0]) for own in found}) == 1]


def _words(finding: Finding) -> str:
    return finding.sentence if finding.kind == "offset" else _NUMBER.sub("0", finding.sentence)


def _said(some: Sequence[Finding]) -> str:
    said = some[0].dated.removeprefix("truncated: ")  # the rule beside it says so
    said += f", and {len(some) - 1} more of its kind" if len(some) > 1 else ""
    return said + ("; copy or upload it again" if some[0].kind in LOSSES else "")
