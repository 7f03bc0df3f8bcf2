"""Masters that lie in a folder of their own, away from their encodes: masters/coffee.mp4, june/coffee_720p_2500k.mp4.

What the encodes' folder is called says nothing, so the title decides: a file that calls itself a master, and is alone,
joins the one ladder of its title that has no master. The folders of the two must not contradict each other
(season1/masters/ep1, season2/june/ep1), nor may lengths or pictures. Where folders do, a file whose own name says
master (m/coffee_master.mp4) is still taken where its pictures say so. In doubt it stays alone, and a note says so.
A folder that is called 144, 180 or 1080 may be a rung or a title: a master joins encodes of other folders than that
only where the pictures are the same, or its lines are as many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

from . import lengths
from .fingerprint import Alike
from .groups import GLANCE_LIMIT, Group, Item, LooksLike, agreeing
from .homes import MOST, Home, Homes
from .presentations import Presentation
from .values import VideoRef

PICTURES_LIMIT = 50  # ladders up to which pictures are asked, too; of more, equal lengths do
_NUMBER = "a number among its folders may be a title; if not, name it with --mapping"
_FOLDER = "its folder is none of theirs, and its pictures do not say so; if it is, name it with --mapping"
_OTHER = "its pictures or its length are others; if it is, name it with --mapping"
_SHOWN = 5  # files a note names, and notes of one kind


@dataclass(frozen=True)
class _Claim:
    """A file that calls itself a master, and what it may be the master of."""

    group: Group
    near: list[Home]
    doubt: str = ""  # what of its folders is not so of theirs: its pictures must say that it is

    @property
    def item(self) -> Item:
        return self.group.items[0]

    @property
    def like(self) -> str:
        return f"{self.item.relative} looks like the master of {' and of '.join(h.first for h in self.near[:MOST])}"


def join_masters(
    groups: Sequence[Group], presentations: Sequence[Presentation], looks: LooksLike
) -> tuple[list[Group], list[str]]:
    """Give ladders, and single encodes, the masters that lie elsewhere.

    Returns:
        The groups that are left, and notes on masters that joined nothing.
    """
    claims = _claims(groups, _homes(groups, presentations))
    pairs, notes = _pairs([claim for claim in claims if claim.near])
    notes += _prepare(pairs, looks)
    joined, said = _decide(pairs, looks)
    notes += said + _numbered(groups)
    elsewhere = presentations or any(not item.name.in_masters for each in groups for item in each.items)
    spare = [claim.item.relative for claim in claims if not claim.near and claim.item.name.in_masters]
    if spare and elsewhere:
        more = f" and {len(spare) - _SHOWN:,} more" if len(spare) > _SHOWN else ""
        notes.append(f"nothing has the title of {', '.join(spare[:_SHOWN])}{more}, in a folder of masters")
    return [each for each in groups if id(each) not in joined], notes


def _homes(groups: Sequence[Group], presentations: Sequence[Presentation]) -> Homes:
    found = Homes()
    for each in groups:
        item = each.items[0]
        named = len({mate.name.key for mate in each.items}) == 1
        if each.master is None and named and not item.still and not item.name.source_words:
            shared = set(item.name.wide).intersection(*(mate.name.wide for mate in each.items))
            found.add(Home(each, tuple(part for part in item.name.wide if part in shared), item.relative))
    for one in presentations:
        if one.master is None and one.period == 1 and one.renditions:
            found.add(Home(one, one.name.wide, "/".join(one.name.key)))
    return found


def _claims(groups: Sequence[Group], homes: Homes) -> list[_Claim]:
    """Each file that calls itself a master and is alone, by path."""
    claims = []
    for each in sorted(groups, key=lambda one: one.items[0].relative):
        item = each.items[0]
        if len(each.items) > 1 or item.still or not item.name.source_words:
            continue
        near = homes.near(item.name.wide)
        doubt = ""
        if not near and item.name.wide != item.name.key:
            near, doubt = homes.near(item.name.key), _NUMBER
        if not near and item.name.wide and item.name.source_words > item.name.in_masters:
            near, doubt = homes.titled(item.name.wide[-1]), _FOLDER
        claims.append(_Claim(each, near, doubt))
    return claims


def _pairs(claims: Sequence[_Claim]) -> tuple[list[_Claim], list[str]]:
    """Claims to one home that no other has, and notes on the rest.

    A master that may be of several homes is no rival of one that can only be of one of them, nor is a doubtful one.
    """
    to: dict[tuple[int, bool], list[_Claim]] = defaultdict(list)
    for claim in claims:
        if len(claim.near) == 1:
            to[id(claim.near[0].of), bool(claim.doubt)].append(claim)
    pairs: list[_Claim] = []
    several: list[str] = []
    rivals: list[str] = []
    for claim in claims:
        if (count := len(claim.near)) > 1:
            there = f"there are {count if count <= MOST else f'more than {MOST}'} of its title"
            several.append(f"{claim.like}, but {there}; name their master with --reference")
            continue
        home = id(claim.near[0].of)
        beside = chain(to[home, False], to[home, True] if claim.doubt else ())
        others = list(islice((other.item.relative for other in beside if other is not claim), _SHOWN))
        if others:
            rivals.append(f"{claim.like}, but so does {', '.join(others)}; name its master with --mapping")
        else:
            pairs.append(claim)
    return pairs, _folded(several) + _folded(rivals)


def _folded(told: list[str]) -> list[str]:
    """Notes of one kind: the first few, and how many more there are."""
    more = len(told) - _SHOWN
    return told if more <= 0 else [*told[: _SHOWN - 1], f"{told[_SHOWN - 1]}; and {more:,} more like it"]


def _prepare(pairs: Sequence[_Claim], looks: LooksLike) -> list[str]:
    """Glance at what will be compared, all at once: masters first, of which nothing is known yet."""
    files = [(claim.item.ref, claim.item.size) for claim in pairs]
    files += [claim.near[0].files[0] for claim in pairs]
    many = len(files)
    files += [file for claim in pairs for file in claim.near[0].files[1:]]  # grouping has asked for these before
    looks.prepare(files[:GLANCE_LIMIT])
    if many <= GLANCE_LIMIT:
        return []
    what = f"{len(pairs):,} masters in folders of their own are matched by name"
    return [f"{what}; durations of {GLANCE_LIMIT:,} of them and of their encodes were checked"]


def _decide(pairs: Sequence[_Claim], looks: LooksLike) -> tuple[set[int], list[str]]:
    """Join what agrees: ids of the groups that are used up, and notes on the rest."""
    trusted = len(pairs) > PICTURES_LIMIT
    joined: set[int] = set()
    told: dict[str, list[str]] = {_NUMBER: [], _FOLDER: [], "": []}
    for claim in pairs:
        if not (trusted and claim.doubt == _FOLDER) and _join(claim, looks, trusted=trusted):
            joined.add(id(claim.group))
        else:
            told[claim.doubt].append(f"{claim.like}, but {claim.doubt or _OTHER}")
    return joined, [note for notes in told.values() for note in _folded(notes)]


def _numbered(groups: Sequence[Group]) -> list[str]:
    """Notes on masters that are taken for encodes of one title, for their folders differ by a number of lines alone."""
    told = []
    for each in groups:
        if len({item.name.wide for item in each.items}) > 1 and all(item.name.source_words for item in each.items):
            files = " and ".join(item.relative for item in each.items[:_SHOWN])
            told.append(f"{files} are taken for sizes of one title; if their folders are titles, use --mapping")
    return _folded(told)


def _join(claim: _Claim, looks: LooksLike, *, trusted: bool) -> bool:
    """Join it where lengths and pictures agree."""
    master, home = claim.item, claim.near[0].of
    encode = claim.near[0].files[0][0]
    sure = not claim.doubt or (claim.doubt == _NUMBER and _of_its_folder(master, looks))
    if isinstance(home, Presentation):
        lasts = looks.glance(master.ref).duration_s, home.duration_s or looks.glance(encode).duration_s
        if lengths.ratio(*lasts) < lengths.NEAR or not _shows(master.ref, encode, looks, sure=sure, trusted=trusted):
            return False
        home.master = master.ref
        return True
    mates = sorted([*home.items, master], key=lambda item: item.relative)
    kept, notes = agreeing(mates, looks)
    sure &= len(home.items) > 1 or home.items[0].name.strong
    if len(kept) < len(mates) or not _shows(master.ref, encode, looks, sure=sure, trusted=trusted):
        return False
    home.items, home.master, home.by = mates, master, "name" if home.by == "single" else home.by
    home.notes = list(dict.fromkeys(home.notes + notes))
    return True


def _of_its_folder(item: Item, looks: LooksLike) -> bool:
    """Whether a number among a file's folders is that of its lines, or of its width's where bars were cut off."""
    seen, lines = looks.glance(item.ref), item.name.declared.height
    return lines is not None and lines in (seen.height, round((seen.width or 0) * 9 / 16))


def _shows(master: VideoRef, encode: VideoRef, looks: LooksLike, *, sure: bool, trusted: bool) -> bool:
    """Whether pictures say that two are one content or, where the names are `sure`, do not say that they are not."""
    lasting = looks.glance(master).duration_s, looks.glance(encode).duration_s
    if sure and trusted and (lengths.same(*lasting) or not all(lasting)):
        return True
    verdict = looks.alike(master, [encode])[0]
    if verdict is Alike.DIFFERENT:
        return sure and not looks.differ(master, encode)
    return verdict in (Alike.SAME, Alike.SAME_STILL) or sure
