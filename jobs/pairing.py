"""Which ladders of several sides are the same title: by master, by name, by content. Never one ladder twice."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from ..pipeline import names
from ..pipeline.fingerprint import Alike
from ..pipeline.looking import Looks
from ..pipeline.values import ClipScore, Ladder, Rendition, VideoRef

Rows = Mapping[str, Sequence[ClipScore]]  # the rows of one side by ladder


def by_ladder(clips: Sequence[ClipScore]) -> dict[str, list[ClipScore]]:
    """A side's rows, by ladder in order of name; ladders without an encode, as far as is known, are left out."""
    found: dict[str, list[ClipScore]] = {}
    for clip in sorted(clips, key=lambda c: c.ladder):
        found.setdefault(clip.ladder, []).append(clip)
    return {name: rows for name, rows in found.items() if any(map(_is_encode, rows))}


def any_scored(sides: Sequence[Rows]) -> bool:
    """Whether an encode of any side has a score."""
    return any(map(_scored, (own for rows in sides for own in rows.values())))


def _is_encode(row: ClipScore) -> bool:
    """Not a master, and no sound or text either: those are skipped for good, what a budget left out is not."""
    return not row.is_master and (row.status != "skipped" or row.depth == "none")


def _scored(rows: Sequence[ClipScore]) -> bool:
    return any(row.status == "ok" and not row.is_master for row in rows)


def pair(sides: Sequence[Rows]) -> dict[str, list[str | None]]:
    """By title, the name of its ladder on each side, None where there is none.

    The first side names the titles, what it lacks is named by the next. A ladder goes with the one of the same name,
    else title (folders and rungs cut off), else master, else the same bytes in an encode, else the same pictures; a key
    that two ladders of a side share says nothing. Those without any score come last: what failed takes no partner from
    what did not.
    """
    titles: dict[str, list[str | None]] = {}
    for scored, place in itertools.product((True, False), range(len(sides))):
        free = {ladder: rows for ladder, rows in sides[place].items() if _scored(rows) is scored}
        known = {title: _known(sides, found) for title, found in titles.items() if found[place] is None}
        for keys in (_exact, _name, _title, _master, _contents):
            for title, ladder in list(_matches(known, free, keys)):
                titles[title][place] = ladder
                del free[ladder], known[title]
        for title, ladder in list(_same_pictures(known, free)):
            titles[title][place] = ladder
            del free[ladder]
        for ladder in free:
            title = ladder if ladder not in titles else f"{ladder} ({place + 1})"
            titles[title] = [None] * len(sides)
            titles[title][place] = ladder
    return titles


def _known(sides: Sequence[Rows], found: Sequence[str | None]) -> tuple[str, Sequence[ClipScore]]:
    """A title's ladder on the first side that has it."""
    return next((ladder, rows[ladder]) for rows, ladder in zip(sides, found, strict=False) if ladder is not None)


Keys = Callable[[str, Sequence[ClipScore]], set[str]]


def _exact(ladder: str, rows: Sequence[ClipScore]) -> set[str]:
    return {ladder}


def _name(ladder: str, rows: Sequence[ClipScore]) -> set[str]:
    return {ladder.casefold()}


def _title(ladder: str, rows: Sequence[ClipScore]) -> set[str]:
    return {names.title_key(names.parse(ladder))} - {""}


def _master(ladder: str, rows: Sequence[ClipScore]) -> set[str]:
    return {key for c in rows if c.is_master for key in (c.path, c.content_id) if key}


def _contents(ladder: str, rows: Sequence[ClipScore]) -> set[str]:
    return {c.content_id for c in rows if not c.is_master and c.content_id}


def _matches(known: Mapping[str, tuple[str, Sequence[ClipScore]]], free: Rows, keys: Keys) -> Iterator[tuple[str, str]]:
    """(title, ladder) that share a key which no other title and no other free ladder has."""
    of_titles = {title: keys(*one) for title, one in known.items()}
    of_ladders = {ladder: keys(ladder, rows) for ladder, rows in free.items()}
    often = [Counter(key for each in found.values() for key in each) for found in (of_titles, of_ladders)]
    owner = {key: ladder for ladder, each in of_ladders.items() for key in each}
    taken = set()
    for title, each in of_titles.items():
        for key in sorted(each):
            if key in owner and often[0][key] == often[1][key] == 1 and owner[key] not in taken:
                taken.add(owner[key])
                yield title, owner[key]
                break


def _same_pictures(known: Mapping[str, tuple[str, Sequence[ClipScore]]], free: Rows) -> Iterator[tuple[str, str]]:
    """(title, ladder) that show the same pictures at the same moments, as far as their files can be read."""
    if not known or not free:
        return
    looks = Looks()
    left = {ladder: ref for ladder, rows in free.items() if (ref := _largest(rows)) is not None}
    looks.prepare([(ref, 0) for ref in left.values()])
    for title, (_, rows) in known.items():
        own = _largest(rows)
        if own is None or not left:
            continue
        looks.prepare([(own, 0)])
        verdicts = looks.alike(own, list(left.values()))
        same = [ladder for ladder, verdict in zip(left, verdicts, strict=True) if verdict is Alike.SAME]
        if len(same) == 1:
            del left[same[0]]
            yield title, same[0]


def _largest(rows: Sequence[ClipScore]) -> VideoRef | None:
    """The encode that shows most; of manifests' renditions the parts are not known here."""
    encodes = [c for c in rows if c.status == "ok" and not c.is_master and "#" not in c.path]
    best = max(encodes, key=lambda c: (c.bitrate_kbps or 0.0, c.path), default=None)
    return None if best is None else VideoRef(best.path)


def with_masters(ladders: Sequence[Ladder], masters: Sequence[VideoRef]) -> dict[str, VideoRef]:
    """By ladder that has no master, the one of these that shows the same pictures; where just one does.

    Names have been tried by then: this is for encodes whose names say nothing of their title.
    """
    looks, found = Looks(), dict[str, VideoRef]()
    looks.prepare([(master, 0) for master in masters])
    for ladder in ladders:
        if ladder.master is not None or not ladder.renditions or not masters:
            continue
        one: Rendition = ladder.renditions[0]
        looks.prepare([(one.video, 0)])
        verdicts = looks.alike(one.video, masters)
        same = [m for m, verdict in zip(masters, verdicts, strict=True) if verdict is Alike.SAME]
        if len(same) == 1:
            found[ladder.name] = same[0]
    return found
