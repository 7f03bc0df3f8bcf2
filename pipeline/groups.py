"""Which files belong together, from names, headers and (where those do not decide) pictures.

Names first: files of one key (see `names`) are a group; durations, and pictures where the names are weak, may overrule
it. What is left alone is then compared by folder: equal duration and the same pictures at the same moments make a
ladder if there is a source among them or they come as rungs. In doubt a file stays alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from . import lengths, names
from .fingerprint import Alike
from .glance import Glance
from .shapes import reframed, same_shape
from .values import VideoRef

RATE_STEP = 1.25  # bitrates of one codec further apart than this are rungs
FOLDER_LIMIT = 400  # files a folder's undecided files are compared up to
GLANCE_LIMIT = 5000  # headers read to check names, and as many to compare folders; beyond, names are trusted


class LooksLike(Protocol):
    """What grouping asks about contents (`looking.Looks`)."""

    def prepare(self, files: Iterable[tuple[VideoRef, int]]) -> None:
        """Glance at many files."""

    def glance(self, ref: VideoRef) -> Glance:
        """What a file's header says."""

    def alike(self, one: VideoRef, others: Sequence[VideoRef]) -> list[Alike]:
        """Compare one file's pictures with each of the others'."""

    def differ(self, one: VideoRef, other: VideoRef) -> bool:
        """Whether what is not alike surely differs: not by its bars, its start or its shape alone."""


@dataclass(frozen=True)
class Item:
    """A video to be grouped."""

    ref: VideoRef
    relative: str  # path below the root, forward slashes
    name: names.Name
    size: int = 0  # bytes; 0 where not known
    still: bool = False


Parts = list[list[Item]]  # two or more: items of one name, each list of one content


@dataclass
class Group:
    """Items that belong together."""

    items: list[Item]
    by: str  # "name", "folder", "single"
    master: Item | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def host(self) -> Item:
        """The item others are compared with."""
        return self.master or self.items[0]


def group(items: Sequence[Item], looks: LooksLike) -> tuple[list[Group], list[Parts], list[str]]:
    """Put items into groups; each item is in exactly one. Independent of the items' order.

    Returns:
        The groups, items of one name that are several contents, and notes on what was not looked at.
    """
    items = sorted(items, key=lambda item: item.relative)
    by_key: dict[tuple[object, ...], list[Item]] = defaultdict(list)
    for item in items:
        by_key[(item.still, *item.name.key)].append(item)  # a poster beside its film is no rung of it
    notes: list[str] = []
    together = [item for mates in by_key.values() if len(mates) > 1 for item in mates if not item.still]
    if len(together) > GLANCE_LIMIT:
        notes.append(f"{len(together):,} files are grouped by name; durations of {GLANCE_LIMIT:,} of them were checked")
    looks.prepare((item.ref, item.size) for item in together[:GLANCE_LIMIT])
    split = [_check_names(mates, looks) for mates in by_key.values()]
    found, more = _by_folder([each for parts in split for each in parts], looks, GLANCE_LIMIT)
    for each in found:
        choose_master(each, looks)
    return found, [[each.items for each in parts] for parts in split if len(parts) > 1], notes + more


def choose_master(found: Group, looks: LooksLike) -> None:
    """The item that calls itself a source where others do not; of several the largest, then the one of most bits."""
    if found.master is not None or len(found.items) < 2:
        return
    least = min(item.name.source_words for item in found.items)
    candidates = [item for item in found.items if item.name.source_words > least]
    if not candidates:  # a word that all carry is part of the title; no word at all, no master
        return
    candidates.sort(key=lambda item: (*grandeur(item, looks), item.name.source_words), reverse=True)
    found.master = candidates[0]
    if len(candidates) > 1:
        others = ", ".join(item.relative for item in candidates[1:])
        found.notes.append(f"several sources: {found.master.relative} is taken as the master, {others} as encodes")


def grandeur(item: Item, looks: LooksLike) -> tuple[int, float]:
    """Pixels and kbit/s, as far as header and name say."""
    seen, said = looks.glance(item.ref), item.name.declared
    height = seen.height or said.height or 0
    return (seen.width or said.width or height * 16 // 9) * height, seen.bitrate_kbps or said.bitrate_kbps or 0.0


def _check_names(mates: list[Item], looks: LooksLike) -> list[Group]:
    """Items of one key, as one group or, where their contents contradict, as several."""
    done: list[Group] = []
    while mates:
        kept, notes = agreeing(mates, looks) if len(mates) > 1 else (mates, [])
        done.append(Group(kept, "name" if len(kept) > 1 else "single", notes=notes))
        mates = [item for item in mates if item not in kept]
    return done


def agreeing(mates: list[Item], looks: LooksLike) -> tuple[list[Item], list[str]]:
    """The items whose contents may be those of the master, or of most, and what is to say of them."""
    found = Group(mates, "name")
    choose_master(found, looks)
    lasting = {item.relative: looks.glance(item.ref).duration_s for item in mates}
    own = lasting[found.master.relative] if found.master is not None else None
    usual, whose = (own, "its master") if own else (lengths.most_usual(lasting.values()), "the rest of its ladder")
    near = [item for item in mates if lengths.ratio(lasting[item.relative], usual) >= lengths.OTHER_CUT]
    nearest = {
        i.relative: (bool(lasting[i.relative]), round(lengths.ratio(lasting[i.relative], usual), 2)) for i in near
    }
    anchor = found.master or max(near, key=lambda item: (*nearest[item.relative], *grandeur(item, looks)))
    doubtful = [i for i in mates if i is not anchor and (i not in near or _doubtful(i, anchor, mates, looks))]
    verdicts = looks.alike(anchor.ref, [item.ref for item in doubtful]) if doubtful else []
    other = [item for item, verdict in zip(doubtful, verdicts, strict=True) if verdict is Alike.DIFFERENT]
    if not _weak(mates):  # it may be of another shape for its bars alone
        other = [item for item in other if item not in near or _is_other(item, anchor, looks)]
    same = [item for item, verdict in zip(doubtful, verdicts, strict=True) if verdict is Alike.SAME]
    # Much shorter it was cut off where it shows the same as far as it goes, in the same shape.
    shape = looks.glance(anchor.ref)
    cut = [item for item in same if item not in near and same_shape(looks.glance(item.ref), shape)]
    kept = [item for item in mates if (item in near and item not in other) or item in cut]
    notes = []
    for item in kept:
        length = lasting[item.relative]
        if usual and length and abs(length - usual) > max(lengths.NOTE_LENGTH[0], lengths.NOTE_LENGTH[1] * usual):
            notes.append(f"{item.relative} lasts {length:.4g} s, {whose} {usual:.4g} s")
    return kept, notes


def _doubtful(item: Item, anchor: Item, mates: list[Item], looks: LooksLike) -> bool:
    """Do names or shapes leave it open that two items are one content? Then the pictures are looked at."""
    return _weak(mates) or not same_shape(looks.glance(item.ref), looks.glance(anchor.ref))


def _weak(mates: list[Item]) -> bool:
    """Whether clip_360 and clip_480 may be rungs or numbers; title.mp4 and title.webm may be anything."""
    return sum(not (mate.name.strong or mate.name.source_words) for mate in mates) > 1


def _is_other(item: Item, anchor: Item, looks: LooksLike) -> bool:
    """Whether what does not look alike is another content, or a version in another shape as its name says."""
    return reframed(item.name.declared, looks.glance(anchor.ref)) or looks.differ(anchor.ref, item.ref)


def _by_folder(groups: list[Group], looks: LooksLike, budget: int) -> tuple[list[Group], list[str]]:
    """Join single items to what lies in their folder, lasts as long and shows the same pictures."""
    folders: dict[tuple[str, ...], list[Group]] = defaultdict(list)
    for each in groups:
        folders[each.items[0].name.folders].append(each)
    notes: list[str] = []
    result: list[Group] = []
    for folder, inside in folders.items():
        singles = [each for each in inside if len(each.items) == 1 and not each.items[0].still]
        hosts = [each for each in inside if len(each.items) > 1 and not each.items[0].still]
        if not singles or len(singles) + len(hosts) < 2:
            result += inside
            continue
        if len(singles) > min(FOLDER_LIMIT, budget):
            where = "/".join(folder) or "the scanned folder"
            notes.append(
                f"{where}: {len(singles):,} files whose names say nothing of each other were not compared; "
                "group them with --mapping if they are ladders"
            )
            result += inside
            continue
        budget -= len(singles)
        looks.prepare((each.items[0].ref, each.items[0].size) for each in singles)
        taken = {id(each) for each in (*singles, *hosts)}
        result += [each for each in inside if id(each) not in taken]
        result += _join(hosts, singles, looks)
    return result, notes


def _join(hosts: list[Group], singles: list[Group], looks: LooksLike) -> list[Group]:
    """Groups after each single has joined the first host, or single, that shows the same."""
    waiting = sorted(singles, key=lambda each: (-each.items[0].name.source_words, each.items[0].relative))
    for each in hosts:
        choose_master(each, looks)
    done: list[Group] = []
    queue = list(hosts)
    while queue or waiting:
        host = queue.pop(0) if queue else waiting.pop(0)
        near = [each for each in waiting if _same_length(host.host, each.items[0], looks)]
        if len(host.items) == 1 and not is_ladder([host.host, *(each.items[0] for each in near)], looks):
            near = []  # whatever they show, copies of one file are no ladder: spare the decoding
        verdicts = looks.alike(host.host.ref, [each.items[0].ref for each in near]) if near else []
        joined = []
        for each, verdict in zip(near, verdicts, strict=True):
            named = host.host.name.source_words + each.items[0].name.source_words
            # Where nothing moves pictures cannot tell takes apart, and a source's name is asked for beside them.
            if verdict is Alike.SAME or (verdict is Alike.SAME_STILL and named):
                joined.append(each)
        merged = [*host.items, *(each.items[0] for each in joined)]
        if joined and (len(host.items) > 1 or is_ladder(merged, looks)):
            waiting = [each for each in waiting if each not in joined]
            merged.sort(key=lambda item: item.relative)
            master = host.master if len(host.items) > 1 else None
            host = Group(merged, "folder" if host.by == "single" else host.by, master, host.notes)
        done.append(host)
    return done


def is_ladder(items: Sequence[Item], looks: LooksLike) -> bool:
    """Do items of one content look like a source and encodes, or like rungs, rather than like copies of a file?"""
    if len({item.name.source_words for item in items}) > 1:
        return True
    seen = [looks.glance(item.ref) for item in items]
    if len({one.height for one in seen if one.height}) > 1:
        return True
    return any(
        a.codec == b.codec and a.bitrate_kbps and b.bitrate_kbps and a.bitrate_kbps > RATE_STEP * b.bitrate_kbps
        for a in seen
        for b in seen
    )


def _same_length(a: Item, b: Item, looks: LooksLike) -> bool:
    return lengths.same(looks.glance(a.ref).duration_s, looks.glance(b.ref).duration_s)
