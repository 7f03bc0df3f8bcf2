"""Files by themselves whose names are those of a ladder beside them with a word added: dog_480p_fadein, of dog.

To the names it is another title, and so it stays, for a trailer is named so too. Where its pictures do not say that it
is one, its row and the plan say what happened.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from . import names
from .findings import Finding
from .fingerprint import Alike
from .groups import Group, Item, LooksLike

MOST = 8  # of one ladder: the words that more of them begin with are a series'
LIMIT = 16  # files looked at: a second or two and some ten requests of a store each, where thumbnails differ

_Title = tuple[tuple[str, ...], tuple[str, ...]]  # folders, and words


@dataclass(frozen=True)
class _Stray:
    item: Item
    ladder: Group
    added: str  # words


def added_words(groups: Sequence[Group], looks: LooksLike) -> tuple[dict[str, Finding], list[str]]:
    """What to say of such files, of their rows by path and of the plan. Nothing is grouped otherwise."""
    findings: dict[str, Finding] = {}
    notes: list[str] = []
    for stray in _strays(groups)[:LIMIT]:
        item, host = stray.item, stray.ladder.host
        looks.prepare((each.ref, each.size) for each in (item, host))
        if not _may_be_one(item, host, looks):
            continue
        encodes = [each for each in stray.ladder.items if each is not stray.ladder.master]
        lines = item.name.declared.height
        like = min(encodes, key=lambda each: (each.name.declared.height != lines, len(each.name.title)))
        said = f"named like {like.relative} with {stray.added!r} added, and no other pictures were seen in it"
        what = "to judge it with that ladder, group them with --mapping"
        findings[item.ref.path] = Finding(f"{said}: judged apart from it; {what}", "kept_apart")
        notes.append(f"{said}: {item.relative} is judged apart from it; {what}")
    return findings, notes


def _strays(groups: Sequence[Group]) -> list[_Stray]:
    """Of each file that is alone the one ladder that has most of the words its name begins with."""
    ladders: dict[_Title, list[Group]] = defaultdict(list)
    for each in groups:
        if len(each.items) > 1 and not each.items[0].still:
            ladders[_title_of(each)].append(each)
    found: dict[_Title, list[_Stray]] = defaultdict(list)
    for each in groups:
        if len(each.items) > 1 or each.items[0].still:
            continue
        folders, words = _title(each.items[0])
        shorter = ((folders, words[:count]) for count in range(len(words) - 1, 0, -1))
        title = next((one for one in shorter if one in ladders), None)
        if title is not None and len(ladders[title]) == 1:
            added = " ".join(words[len(title[1]) :])
            found[title].append(_Stray(each.items[0], ladders[title][0], added))
    return [stray for some in found.values() if len(some) <= MOST for stray in some]


def _title(item: Item) -> _Title:
    return item.name.folders, names.title_words(item.name)


def _title_of(ladder: Group) -> _Title:
    """What most of its files are called or, where each is called otherwise, what all their names begin with."""
    (title, count), *_ = Counter(map(_title, ladder.items)).most_common(1)
    if count > 1:
        return title
    columns = zip(*(_title(item)[1] for item in ladder.items), strict=False)
    return title[0], tuple(column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns))


def _may_be_one(item: Item, host: Item, looks: LooksLike) -> bool:
    """Whether both can be read, and lie on each other as an encode and its master do."""
    if not (looks.glance(item.ref).duration_s and looks.glance(host.ref).duration_s):
        return False
    (verdict,) = looks.alike(host.ref, [item.ref])
    if verdict is Alike.DIFFERENT:
        return not looks.differ(host.ref, item.ref)
    return verdict is not Alike.UNKNOWN
