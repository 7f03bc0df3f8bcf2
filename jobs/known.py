"""Resuming: which results of a plan the store holds already, what remains to do, which rows are of files now gone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..pipeline import storage
from ..pipeline.convert import storable
from ..pipeline.discover import Plan
from ..pipeline.errors import VideoError
from ..pipeline.findings import PLANNED
from ..pipeline.identity import Size, ladder_ids
from ..pipeline.settings import Settings
from ..pipeline.storage import FileEntry
from ..pipeline.store import Store
from ..pipeline.text import plain
from ..pipeline.values import ClipResult, ClipScore, Declared, Ladder, Status, VideoRef
from .work import Task


@dataclass
class Known:
    """What is to be done, and what is not."""

    tasks: list[Task] = field(default_factory=list)
    rows: list[ClipScore] = field(default_factory=list)  # that hold
    kept: dict[str, list[ClipScore]] = field(default_factory=dict)  # by ladder: rows that hold, but are filed elsewhere

    @property
    def up_to_date(self) -> int:
        """How many rows hold."""
        return len(self.rows)


class Stamp(NamedTuple):
    """What tells a file that was replaced."""

    size: int  # bytes of all parts
    mtime_ns: int  # the newest one's
    changed_ns: int  # likewise; 0 of objects
    seen_ns: int  # when these were asked for; of an object the listing said them, before


class ContentIds:
    """Content ids of videos, from the store's cache where size and time have not changed since.

    Args:
        store: has the cache.
        files: by path, what a listing said; asked for no more where files are in an object store: ten thousand requests
            would take minutes.
    """

    def __init__(self, store: Store, files: Mapping[str, FileEntry]) -> None:
        self._cache, self._files = store.content_ids, files

    def of(self, ref: VideoRef) -> str:
        """The content's id; "" when it cannot be read, which measuring will put into a row."""
        stamp = self.stamp(ref)
        known = None if stamp is None else self._cache.get(ref.path, *stamp[:3])
        if known is not None:
            return known
        try:
            found = storage.content_id(ref)
        except (VideoError, OSError):
            return ""
        self.remember(ref, found, stamp)
        return found

    def remember(self, ref: VideoRef, content_id: str, stamp: Stamp | None) -> None:
        """Note the id of a video that was read after `stamp` was taken: what replaced it since has another one."""
        if stamp is not None and content_id:
            size, mtime_ns, changed_ns, seen_ns = stamp
            self._cache.put(ref.path, size, mtime_ns, content_id, changed_ns=changed_ns, seen_ns=seen_ns)

    def stamp(self, ref: VideoRef) -> Stamp | None:
        """How the file looks now; None where it is not to be found."""
        seen_ns = time.time_ns()
        try:
            entries = [self._entry(path) for path in ref.parts or (ref.path,)]
        except VideoError:
            return None
        newest, changed = max(entry.mtime_ns for entry in entries), max(entry.changed_ns for entry in entries)
        return Stamp(sum(entry.size for entry in entries), newest, changed, seen_ns)

    def _entry(self, path: str) -> FileEntry:
        listed = self._files.get(path) if storage.is_remote(path) else None
        return listed or storage.stat(path)


def find_known(
    plan: Plan,
    store: Store,
    settings: Settings,
    model_sha256: str,
    *,
    resume: bool,
    advanced: Callable[[int], None] = lambda _: None,
    first_look: bool = False,
) -> Known:
    """Compare a plan with what is committed. Files of which nothing is committed are not read here: they are new.

    Args:
        plan: what there is.
        store: what is known.
        settings, model_sha256: part of every result's id.
        resume: False: everything is to be done.
        advanced: told of videos as they are checked.
        first_look: what has neither been looked at in full nor at a first look is to be done, at a first look.
    """
    known = Known()
    ids = store.known() if resume else {}
    rows: dict[str, list[ClipScore]] = {}
    for clip in store.clips():
        rows.setdefault(clip.path, []).append(clip)
    contents = ContentIds(store, plan.files)
    for ladder in plan.ladders:
        infos = {v.path: plan.probes[v.path] for v in ladder.videos if v.path in plan.probes}
        if not ids or not any(plain(video.path) in rows for video in ladder.videos):
            known.tasks.append(Task(ladder, infos=infos, first_look=first_look))
        else:
            content = {video.path: contents.of(video) for video in ladder.videos}
            sizes = {path: size for path, of in content.items() if (size := _size(rows.get(plain(path), ()), of))}
            wanted = ladder_ids(ladder, settings, model_sha256, content_ids=content, infos={**sizes, **infos})
            held = {path for path, result_id in wanted.items() if result_id in ids}
            if first_look:
                glimpse = settings.first_look()
                wanted = ladder_ids(ladder, glimpse, model_sha256, content_ids=content, infos={**sizes, **infos})
                held |= {path for path, result_id in wanted.items() if result_id in ids}
            missing = frozenset(path for path in wanted if path not in held)
            if missing:
                known.tasks.append(Task(ladder, missing, infos, content, first_look=first_look))
            hold = [row for path in wanted if path in held for row in rows.get(plain(path), ())]
            known.rows += hold
            moved = [new for row in hold if (new := _filed(row, ladder)) != row]
            if moved:
                known.kept[ladder.name] = moved
        advanced(len(ladder.videos))
    return known


def _size(rows: Sequence[ClipScore], content_id: str) -> Size | None:
    """What a video's size was when this very content was measured: it need not be opened for that."""
    told = [(row.width, row.height) for row in rows if content_id and row.content_id == content_id]
    return next((Size(width, height) for width, height in told if width and height), None)


def _filed(row: ClipScore, ladder: Ladder) -> ClipScore:
    """The row as it is stored in this ladder."""
    master = plain(ladder.master.path) if ladder.master is not None else None
    reference = master if row.mode == "fr" else row.reference
    own = next((r for r in ladder.renditions if plain(r.video.path) == row.path and row.path != master), None)
    said, told = (own.declared, own.findings) if own is not None else (Declared(), ())
    planned = (replace(finding, sentence=plain(finding.sentence)) for finding in told)
    findings = (*planned, *(finding for finding in row.findings if finding.kind not in PLANNED))
    return replace(
        row, ladder=plain(ladder.name), is_master=row.path == master, reference=reference, declared=said,
        findings=findings,
    )  # fmt: skip


def plan_paths(plan: Plan) -> set[str]:
    """Every path that a scan of this plan answers for, as the store has it."""
    paths = {v.path for ladder in plan.ladders for v in ladder.videos} | {error.path for error in plan.rejected}
    return set(map(plain, paths))


def tidy(plan: Plan, store: Store, kept: Mapping[str, list[ClipScore]], busy: set[str]) -> int:
    """Bring the store in line with the plan before anything is measured; returns how many videos are gone from it.

    What could not even be planned gets its row, rows that are filed under another ladder now move (those of ladders in
    `busy` move when these are committed), and rows of files that are no longer there go.
    """
    known: dict[str, list[ClipScore]] = {}
    for clip in store.clips():
        known.setdefault(clip.path, []).append(replace(clip, measured_at=None))
    for error in plan.rejected:
        name = os.path.relpath(error.path, plan.root) if not storage.is_remote(error.path) else error.path
        status: Status = "skipped" if error.status == "skipped" else "failed"
        row = storable(ClipScore(error.path, name, None, status, error.reason, retryable=error.retryable))
        if row not in known.get(row.path, ()):  # or its part of the results would be written again by every scan
            store.commit(name, [ClipResult(row)])
    for ladder, rows in kept.items():
        if ladder not in busy:
            store.commit(ladder, [], rows)
    paths = plan_paths(plan)
    rest = [c for c in store.clips() if c.path not in paths]
    gone = {c.path for c in rest if _below(c.path, plan.root) and _gone(c.path, plan)}
    # A master that lies elsewhere goes when its ladder, all of whose encodes are in the plan, has another one or none.
    needed = {c.reference for c in rest}
    names = {plain(ladder.name) for ladder in plan.ladders} - {c.ladder for c in rest if not c.is_master}
    gone |= {c.path for c in rest if c.is_master and c.ladder in names and c.path not in needed}
    return len(gone) if store.forget(gone) else 0


def _below(path: str, root: str) -> bool:
    root = plain(storage.canonical(root).rstrip("/"))
    return path == root or path.startswith((f"{root}/", f"{root}#"))


def _gone(path: str, plan: Plan) -> bool:
    """Whether a video that is not in the plan has left; a folder that cannot be read at present keeps its rows."""
    if storage.is_remote(path):
        return True  # a store that cannot be listed has ended the scan already
    try:
        os.stat(path.partition("#")[0])
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return True  # there, but part of something else now (a manifest's segment), or left out
