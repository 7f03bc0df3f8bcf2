"""Ladders and single encodes that lack a master, as masters find them: by title and folder."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice

from .groups import Group
from .presentations import Presentation
from .values import VideoRef

MOST = 5  # told of those that a master may be of


@dataclass(frozen=True)
class Home:
    """A ladder, or a single encode, without a master."""

    of: Group | Presentation
    path: tuple[str, ...]  # as `names.Name.wide`
    first: str  # of its files, to tell of

    @property
    def ladder(self) -> bool:
        """Whether it has several encodes, or is told by a manifest."""
        return isinstance(self.of, Presentation) or len(self.of.items) > 1

    @property
    def files(self) -> list[tuple[VideoRef, int]]:
        """What to compare a master with, and bytes."""
        if isinstance(self.of, Presentation):
            return [(self.of.renditions[0].video, 0)]
        return [(item.ref, item.size) for item in self.of.items]


class Homes:
    """Homes by title and folder: to compare each master with each home of its title takes minutes for thousands."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, str | None, bool], list[Home]] = defaultdict(list)

    def add(self, home: Home) -> None:
        """One more."""
        if home.path:
            for folder in {None, *home.path[:-1]}:
                self._at[home.path[-1], folder, home.ladder].append(home)

    def near(self, path: tuple[str, ...]) -> list[Home]:
        """Ladders, or else single encodes, that a master of this path may be of: of many `MOST` and one."""
        if not path:
            return []
        for ladder in (True, False):
            rows = [self._at.get((path[-1], folder, ladder), []) for folder in path[:-1] or (None,)]
            found = (home for home in min(rows, key=len) if within(path, home.path))
            if near := list(islice(found, MOST + 1)):
                return near
        return []

    def titled(self, title: str) -> list[Home]:
        """As `near`, in whatever folders."""
        return next((some[: MOST + 1] for yes in (True, False) if (some := self._at.get((title, None, yes), []))), [])


def within(master: tuple[str, ...], encodes: tuple[str, ...]) -> bool:
    """Whether the folders of the one, in their order, are among the other's, and the title is the same."""
    folders = iter(encodes[:-1])
    return master[-1:] == encodes[-1:] and all(part in folders for part in master[:-1])
