"""Masters that lie in a folder of their own, away from their encodes: masters/coffee.mp4, june/coffee_720p_2500k.mp4.

What the encodes' folder is called says nothing, so the title decides: a file that calls itself a master, and is alone,
joins the one ladder of its title that has no master. The folders of the two must not contradict each other
(season1/masters/ep1, season2/june/ep1), nor may lengths or pictures. In doubt it stays alone, and a note says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from . import lengths, names
from .fingerprint import Alike
from .groups import Group, Item, LooksLike, agreeing
from .presentations import Presentation
from .values import VideoRef

PICTURES_LIMIT = 50  # ladders up to which pictures are asked, too; of more, equal lengths do
_SHOWN = 5  # files a note names


@dataclass(frozen=True)
class _Home:
    """What lacks a master."""

    of: Group | Presentation
    name: names.Name
    first: str  # of its files, to tell of

    @property
    def ladder(self) -> bool:
        return isinstance(self.of, Presentation) or len(self.of.items) > 1


def join_masters(
    groups: Sequence[Group], presentations: Sequence[Presentation], looks: LooksLike
) -> tuple[list[Group], list[str]]:
    """Give ladders, and single encodes, the masters that lie elsewhere.

    Returns:
        The groups that are left, and notes on masters that joined nothing.
    """
    homes = _homes(groups, presentations)
    wanted: list[tuple[Group, list[_Home]]] = []
    for each in sorted(groups, key=lambda one: one.items[0].relative):
        item = each.items[0]
        if len(each.items) > 1 or item.still or not item.name.source_words:
            continue
        near = [home for home in homes[names.title_key(item.name)] if _within(item.name.key, home.name.key)]
        wanted.append((each, [home for home in near if home.ladder] or near))
    asked: dict[int, list[Group]] = defaultdict(list)
    for each, near in wanted:
        for home in near:
            asked[id(home.of)].append(each)
    joined: list[Group] = []
    notes: list[str] = []
    spare: list[str] = []
    trusted = len(asked) > PICTURES_LIMIT
    for each, near in wanted:
        item = each.items[0]
        if not near:
            spare += [item.relative] if item.name.in_masters else []
            continue
        like = f"{item.relative} looks like the master of {' and of '.join(home.first for home in near[:_SHOWN])}"
        rivals = [other.items[0].relative for other in asked[id(near[0].of)] if other is not each]
        if len(near) > 1:
            notes.append(f"{like}, but there are {len(near):,} of its title; name their master with --reference")
        elif rivals:
            notes.append(f"{like}, but so does {', '.join(rivals[:_SHOWN])}; name its master with --mapping")
        elif not _join(near[0].of, item, looks, trusted=trusted):
            notes.append(f"{like}, but its pictures or its length are others; if it is, name it with --mapping")
        else:
            joined.append(each)
    elsewhere = presentations or any(not item.name.in_masters for each in groups for item in each.items)
    if spare and elsewhere:
        more = f" and {len(spare) - _SHOWN:,} more" if len(spare) > _SHOWN else ""
        notes.append(f"nothing has the title of {', '.join(spare[:_SHOWN])}{more}, in a folder of masters")
    return [each for each in groups if not any(each is one for one in joined)], notes


def _homes(groups: Sequence[Group], presentations: Sequence[Presentation]) -> dict[str, list[_Home]]:
    """What lacks a master, by title."""
    found: dict[str, list[_Home]] = defaultdict(list)
    for each in groups:
        item = each.items[0]
        named = len({mate.name.key for mate in each.items}) == 1
        if each.master is None and named and not item.still and not item.name.source_words:
            found[names.title_key(item.name)].append(_Home(each, item.name, item.relative))
    for one in presentations:
        if one.master is None and one.period == 1 and one.renditions:
            found[names.title_key(one.name)].append(_Home(one, one.name, "/".join(one.name.key)))
    found.pop("", None)
    return found


def _within(master: tuple[str, ...], encodes: tuple[str, ...]) -> bool:
    """Whether the folders of the one, in their order, are among the other's, and the title is the same."""
    folders = iter(encodes[:-1])
    return master[-1:] == encodes[-1:] and all(part in folders for part in master[:-1])


def _join(home: Group | Presentation, master: Item, looks: LooksLike, *, trusted: bool) -> bool:
    """Join it where lengths and pictures agree."""
    encode = home.renditions[0].video if isinstance(home, Presentation) else home.items[0].ref
    size = 0 if isinstance(home, Presentation) else home.items[0].size
    looks.prepare([(master.ref, master.size), (encode, size)])
    if isinstance(home, Presentation):
        lasts = looks.glance(master.ref).duration_s, home.duration_s or looks.glance(encode).duration_s
        if lengths.ratio(*lasts) < lengths.NEAR or not _shows(master.ref, encode, looks, sure=True, trusted=trusted):
            return False
        home.master = master.ref
        return True
    looks.prepare((item.ref, item.size) for item in home.items)
    mates = sorted([*home.items, master], key=lambda item: item.relative)
    kept, notes = agreeing(mates, looks)
    sure = len(home.items) > 1 or home.items[0].name.strong
    if len(kept) < len(mates) or not _shows(master.ref, encode, looks, sure=sure, trusted=trusted):
        return False
    home.items, home.master, home.by = mates, master, "name" if home.by == "single" else home.by
    home.notes = list(dict.fromkeys(home.notes + notes))
    return True


def _shows(master: VideoRef, encode: VideoRef, looks: LooksLike, *, sure: bool, trusted: bool) -> bool:
    """Whether pictures say that two are one content or, where the names are `sure`, do not say that they are not."""
    lasting = looks.glance(master).duration_s, looks.glance(encode).duration_s
    if sure and trusted and (lengths.same(*lasting) or not all(lasting)):
        return True
    verdict = looks.alike(master, [encode])[0]
    return verdict in (Alike.SAME, Alike.SAME_STILL) or (sure and verdict is Alike.UNKNOWN)
