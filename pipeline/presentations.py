"""Manifests of a folder put in relation: to each other, to their segments, and to the master file beside them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from . import lengths, names
from .drafts import Draft, rendition, title_name
from .errors import VideoError
from .fingerprint import Alike
from .groups import Group, Item, LooksLike, choose_master
from .manifests import Files, Reading, read
from .side_by_side import in_parallel
from .values import Rendition, VideoRef
from .words import SOURCE_WORDS

# Names of manifests that say nothing of the title: its folder does.
_PLAIN = frozenset(
    "manifest index playlist stream main prog_index media out output dash hls cmaf all variants vod".split()  # noqa: SIM905
)
_SEGMENTS_TELL = 3  # segments of one naming pattern from which other files of that pattern are segments too


@dataclass
class Presentation:
    """A title's renditions from its manifests, and the files that join them."""

    name: names.Name
    renditions: list[Rendition]
    duration_s: float | None
    period: int = 1
    master: VideoRef | None = None

    def draft(self, root_name: str) -> Draft:
        """As a ladder to be."""
        wanted = title_name(self.name, root_name) + (f" (period {self.period})" if self.period > 1 else "")
        return Draft(wanted, "manifest", self.renditions, self.master, names.title_key(self.name))


@dataclass
class Gathered:
    """All manifests of a scan."""

    presentations: list[Presentation] = field(default_factory=list)
    playlists: list[tuple[VideoRef, str]] = field(default_factory=list)  # single HLS playlists, to be grouped by name
    used: set[str] = field(default_factory=set)
    rejected: list[VideoError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def gather(paths: Sequence[str], files: Files, relative: Callable[[str], str]) -> Gathered:
    """Read manifests and make presentations of them.

    Args:
        paths: the manifests.
        files: what they may name.
        relative: a canonical path as seen from the root.
    """
    readings = dict(zip(paths, in_parallel(lambda path: read(path, files), paths), strict=True))
    mentions = Counter(path for reading in readings.values() for path in reading.used)
    result = Gathered()
    claimed: set[tuple[str, ...]] = set()
    for path, reading in readings.items():
        result.used |= reading.used | {path}
        if mentions[path] > (path in reading.used):
            continue  # a playlist of a master playlist: read there
        result.rejected += reading.rejected
        result.notes += reading.notes
        _present(path, reading, relative(path), claimed, result)
    return result


def _present(path: str, reading: Reading, relative: str, claimed: set[tuple[str, ...]], result: Gathered) -> None:
    for stream in reading.streams:
        if stream.is_playlist:
            result.playlists.append((stream.renditions[0].video, relative))
            continue
        new = [r for r in stream.renditions if r.video.parts not in claimed]
        claimed.update(r.video.parts for r in new)
        if len(new) < len(stream.renditions):  # HLS and DASH over the same segments
            again = len(stream.renditions) - len(new)
            result.notes.append(
                f"{relative}: {again} of its renditions are the files of another manifest too, scored once"
            )
        if not new:
            continue
        name = _name_of(relative)
        twin = next((p for p in result.presentations if _one_title(p, name, stream.period, stream.duration_s)), None)
        if twin is None:
            result.presentations.append(Presentation(name, new, stream.duration_s, stream.period))
        else:
            twin.renditions += new


def _name_of(relative: str) -> names.Name:
    folder, _, file = relative.rpartition("/")
    stem = file.rsplit(".", 1)[0].casefold()
    # "master.m3u8" is a playlist of variants, not a source; like "manifest.mpd" it leaves the title to its folder.
    plain = stem in _PLAIN or stem in SOURCE_WORDS
    return names.parse(f"{folder}/1080p.mpd" if plain else relative)


def _one_title(one: Presentation, name: names.Name, period: int, duration_s: float | None) -> bool:
    return one.name.key == name.key and one.period == period and _near(one.duration_s, duration_s)


def stray_segments(presented: Iterable[Rendition], items: Sequence[Item]) -> list[Item]:
    """Items named like the segments of a rendition and lying among them, that its manifest does not list (any more)."""
    patterns: Counter[str] = Counter()
    for one in presented:
        patterns.update(_pattern(path) for path in one.video.parts)
    return [i for i in items if not i.ref.parts and patterns[_pattern(i.ref.path)] >= _SEGMENTS_TELL]


def _pattern(path: str) -> str:
    folder, _, file = path.rpartition("/")
    return f"{folder}/" + re.sub(r"\d+", "#", file)


def join_files(presentations: Sequence[Presentation], groups: Sequence[Group], looks: LooksLike) -> list[Group]:
    """Give presentations the master, and the plain encodes, that lie beside them; the groups that joined none."""
    left: list[Group] = []
    by_key = {one.name.key: one for one in reversed(presentations) if one.period == 1}
    for each in groups:
        one = by_key.get(each.items[0].name.key)
        if one is None or each.items[0].still or not _near(looks.glance(each.host.ref).duration_s, one.duration_s):
            left.append(each)
        else:
            _join(one, each, looks)
    by_folder: dict[tuple[str, ...], list[Presentation]] = defaultdict(list)
    for one in presentations:
        by_folder[one.name.folders].append(one)
    for folder, inside in by_folder.items():
        sources = [g for g in left if len(g.items) == 1 and g.host.name.folders == folder and g.host.name.source_words]
        if len(inside) != 1 or len(sources) != 1 or inside[0].master is not None:
            continue  # more than one of either: a guess
        one, source = inside[0], sources[0]
        looks.prepare([(source.host.ref, source.host.size), (one.renditions[0].video, 0)])
        lasting = looks.glance(source.host.ref).duration_s, one.duration_s
        if not all(lasting) or not _near(*lasting):
            continue
        if looks.alike(source.host.ref, [one.renditions[0].video]) != [Alike.DIFFERENT]:
            _join(one, source, looks)
            left.remove(source)
    return left


def _join(one: Presentation, each: Group, looks: LooksLike) -> None:
    choose_master(each, looks)
    master = each.master or (each.items[0] if len(each.items) == 1 and each.items[0].name.source_words else None)
    if one.master is None and master is not None:
        one.master = master.ref
    one.renditions += [rendition(item) for item in each.items if item.ref is not one.master]


def _near(a: float | None, b: float | None) -> bool:
    return lengths.ratio(a, b) >= lengths.NEAR
