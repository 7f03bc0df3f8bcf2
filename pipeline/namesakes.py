"""Files that are named alike but are not one content: what becomes of them, and is said of them, once all are grouped.

A rung of another film or cut must not pass for a title of its own. Where its ladder has a master it is put back: that
refuses what shows other pictures, and sees bars that thumbnails do not. Elsewhere it stays alone, and its rows say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from . import lengths
from .findings import Finding
from .glance import Glance
from .groups import Group, Item, LooksLike, Parts
from .shapes import reframed


@dataclass(frozen=True)
class Apart:
    """Items of one content that are by themselves, and one of those of their name that are another content."""

    stray: Sequence[Item]
    host: Item
    even: bool = False  # as many are of the host's content: either may be the right one


@dataclass
class Settled:
    """What became of files that were kept apart."""

    groups: list[Group]
    notes: list[str] = field(default_factory=list)
    findings: dict[str, Finding] = field(default_factory=dict)  # by path


def part(split: Iterable[Parts], groups: Iterable[Group], looks: LooksLike) -> tuple[list[Apart], list[str]]:
    """Where files of one name went: they are with another title's, whose pictures they show, or by themselves.

    Args:
        split: of `group`.
        groups: of `group`, as they are before masters that lie elsewhere join them.
        looks: at contents.

    Returns:
        What is by itself, and notes on the others.
    """
    now = {item.relative: each for each in groups for item in each.items}
    apart: list[Apart] = []
    notes: list[str] = []
    for parts in split:
        alike = {item.relative for some in parts for item in some}
        least = min(item.name.source_words for some in parts for item in some)
        moved: list[Item | None] = []  # the file of another name whose group each went to
        for some in parts:
            mates = now[some[0].relative].items
            others = [item for item in mates if item.relative not in alike]
            moved.append(others[0] if 2 * len(others) >= len(mates) else None)
        weights = [
            (to is None, len(some), any(item.name.source_words > least for item in some))
            for to, some in zip(moved, parts, strict=True)
        ]
        home = weights.index(max(weights))  # keeps the name
        for i, (to, some) in enumerate(zip(moved, parts, strict=True)):
            kin = parts[home if i != home else home - 1]
            # What cannot be read is like nothing.
            host = next((item for item in kin if looks.glance(item.ref) != Glance()), kin[0])
            if to is not None:
                like = f"named like {host.relative}, but grouped with {to.relative}"
                notes.append(f"{like}, whose pictures it shows: {_files(some)}")
            elif i != home and now[some[0].relative] is not now[host.relative]:
                apart.append(Apart(some, host))
    return apart, notes


def settle(parted: Iterable[Apart], groups: Sequence[Group], looks: LooksLike) -> Settled:
    """Put strays back where a master will tell, and say of the others that they were kept apart.

    Args:
        parted: of `part`.
        groups: all, with the masters that lie elsewhere.
        looks: at contents.
    """
    now = {item.relative: each for each in groups for item in each.items}
    back: dict[int, list[Item]] = {}  # by the group they are put back to
    gone: set[int] = set()
    even: set[str] = set()
    done = Settled([])
    for one in parted:
        mine, ladder = now.get(one.stray[0].relative), now.get(one.host.relative)
        why, files = _why(one, looks), _files(one.stray)
        alone = mine is not None and len(mine.items) == len(one.stray)  # no master has found it meanwhile
        if alone and ladder is not None and _goes_back(one, ladder, looks):
            before = back.setdefault(id(ladder), [])
            if 2 * len(before) + len(one.stray) < len(ladder.items):  # most of them are the ladder
                before += one.stray
                ladder.items = sorted([*ladder.items, *one.stray], key=lambda item: item.relative)
                ladder.notes.append(f"named like {one.host.relative}, but {why}; its master will tell: {files}")
                gone.add(id(mine))
                continue
        if one.host.relative not in even:  # is told from the other side
            done.notes.append(f"named like {one.host.relative}, but kept apart, for {why}: {files}")
            even |= {item.relative for item in one.stray} if one.even else set()
        if alone:
            done.findings |= {i.ref.path: _finding(i, one.host, why, looks) for i in one.stray if _is_rung(i, one.host)}
    done.groups = [each for each in groups if id(each) not in gone]
    return done


def _files(some: Sequence[Item]) -> str:
    return ", ".join(item.relative for item in some)


def _why(apart: Apart, looks: LooksLike) -> str:
    """Which of the two is what it is not: a length, or pictures, and with these perhaps a shape."""
    if apart.even:
        return "they show different pictures, and nothing tells which are right"
    own, usual = looks.glance(apart.stray[0].ref), looks.glance(apart.host.ref)
    if lengths.ratio(own.duration_s, usual.duration_s) < lengths.OTHER_CUT:
        return f"it lasts {own.duration_s:.4g} s, not {usual.duration_s:.4g} s"
    return "its pictures are others"


def _is_rung(stray: Item, host: Item) -> bool:
    """Whether its name says a size or a rate, and nothing of its folders speaks for another title."""
    said = stray.name.declared
    return stray.name.strong and bool(said.height or said.bitrate_kbps) and stray.name.wide == host.name.wide


def _goes_back(one: Apart, ladder: Group, looks: LooksLike) -> bool:
    """Whether a ladder with a master lies in the very folder of strays that are named as rungs of it."""
    if ladder.master is None or any(i.name.source_words or not _is_rung(i, one.host) for i in one.stray):
        return False
    encodes = {_folder(item) for item in ladder.items if item is not ladder.master}
    return all(_folder(i) in encodes and not reframed(i.name.declared, looks.glance(one.host.ref)) for i in one.stray)


def _folder(item: Item) -> str:
    return item.relative.rpartition("/")[0]


def _finding(stray: Item, host: Item, why: str, looks: LooksLike) -> Finding:
    said = f"named like {host.relative}, but {why}: judged apart from it; rename it, or group them with --mapping"
    return Finding(said, "kept_apart", "warning" if reframed(stray.name.declared, looks.glance(host.ref)) else "error")
