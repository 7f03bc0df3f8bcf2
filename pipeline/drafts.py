"""Ladders while they are put together, and how they get their names and their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from . import names
from .findings import Finding
from .groups import Group, Item
from .values import Declared, Ladder, Rendition, VideoRef


@dataclass
class Draft:
    """A ladder that may still get a master, more encodes, or another name."""

    name: str  # wanted; made unique at the end
    by: str
    renditions: list[Rendition] = field(default_factory=list)
    master: VideoRef | None = None
    title: str = ""  # of the name's key, to match masters with

    @property
    def first_path(self) -> str:
        """Something of the ladder that no other one has."""
        return min(ref.path for ref in self.refs)

    @property
    def refs(self) -> list[VideoRef]:
        """Every video in it."""
        return ([] if self.master is None else [self.master]) + [r.video for r in self.renditions]


def of_group(found: Group, root_name: str) -> Draft:
    """A draft of what was grouped by name or folder."""
    items = found.items
    if len(items) == 1:
        return Draft(_stem(items[0].relative), "single", [rendition(items[0])], title=names.title_key(items[0].name))
    master = None if found.master is None else found.master.ref
    encodes = [rendition(item) for item in items if item is not found.master]
    host = found.master or items[0]
    if found.by == "name":
        # What joined by its pictures does not name the ladder. Of the others the one in the shallowest folder does, of
        # a master and an encode in folders as deep the encode.
        keys = Counter(item.name.key for item in items)
        far = found.master if len(keys) > 1 else None
        best = min(items, key=lambda i: (-keys[i.name.key], len(i.name.folders), i is far, i.relative))
        name, title = title_name(best.name, root_name), names.title_key(best.name)
    else:
        shared = names.common_title([item.name.title or _stem(item.relative).rsplit("/", 1)[-1] for item in items])
        title = shared or (host.name.title if found.master is not None else "")
        name = "/".join([*host.name.folders, *([title] if title else [])]) or root_name
    return Draft(name, found.by, encodes, master, title)


def title_name(name: names.Name, root_name: str) -> str:
    """Folders and title as written, a title that repeats its folder once; the root's name where a name says neither."""
    parts = list(name.folders)
    if name.title and (not parts or parts[-1].casefold() != name.title.casefold()):
        parts.append(name.title)
    return "/".join(parts) or root_name


def rendition(item: Item) -> Rendition:
    """An item as an encode, with what its name says."""
    return Rendition(item.ref, item.name.declared)


def finish(
    drafts: Iterable[Draft], grandeur: Mapping[str, tuple[int, float]], findings: Mapping[str, Finding]
) -> tuple[Ladder, ...]:
    """Ladders in order of their names, which are made unique; encodes from the largest to the smallest.

    Args:
        drafts: in any order.
        grandeur: (height, kb/s) by path where more is known than a name or manifest declares.
        findings: by path, of what was kept apart; somebody's word, who put it into a ladder with others, goes before.
    """
    ladders: list[Ladder] = []
    taken: set[str] = set()
    for draft in sorted(drafts, key=lambda draft: (draft.name, draft.by == "single", draft.first_path)):
        name = unique(draft.name, draft.first_path, taken)
        taken.add(name)
        encodes = sorted(draft.renditions, key=lambda r: (*_size(r, grandeur), r.video.path))
        if all(ref.path in findings for ref in draft.refs):
            encodes = [replace(one, findings=(findings[one.video.path],)) for one in encodes]
        ladders.append(Ladder(name, tuple(encodes), draft.master, draft.by))
    return tuple(sorted(ladders, key=lambda ladder: ladder.name))


def unique(name: str, path: str, taken: set[str]) -> str:
    """`name`, or with the file's ending (title.jpg beside title.mp4), or a number, whatever is still free."""
    file = path.rsplit("/", 1)[-1]
    choices: Sequence[str] = (name, f"{name}.{file.rsplit('.', 1)[-1]}") if "." in file else (name,)
    for choice in choices:
        if choice not in taken:
            return choice
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def _size(one: Rendition, grandeur: Mapping[str, tuple[int, float]]) -> tuple[float, float]:
    said: Declared = one.declared
    height, rate = grandeur.get(one.video.path, (0, 0.0))
    return -(height or said.height or 0), -(rate or said.bitrate_kbps or 0.0)


def _stem(relative: str) -> str:
    folder, _, file = relative.rpartition("/")
    stem = file.rsplit(".", 1)[0] or file
    return f"{folder}/{stem}" if folder else stem
