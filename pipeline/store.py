"""The results of all runs, as Parquet under one folder: what is known, and how a ladder's results get there.

A row of `clips` is the commit mark. At every moment, also after SIGKILL, each row of `clips` has all its rows in
`frames`, and no (path, mode) has two rows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType

from . import moving
from .content_cache import ContentIds
from .convert import storable
from .folder import ResultsFolder
from .ledger import Key, Ledger
from .parts import UnreadablePartError, part_name, read_part
from .results_folder import CONTENT_IDS
from .runs import RunRow, run_rows, runs_of
from .schema import RUNS
from .text import plain
from .values import ClipResult, ClipScore, FrameScore, Mode

SEND_S = 60.0  # between copies of the content ids to a bucket, which a killed run would lose


class Store:
    """Results under a folder. One writer at a time; any number of readers.

    Args:
        out: local folder, or URI of one in a bucket; created when opened for writing.
        read_only: neither create, lock, clean nor change anything.

    Attributes:
        place: the folder, absolute, or its URI.
        out: where its tables are on this machine: the folder itself, or a copy of what is in the bucket.
        warnings: parts that could not be read, a sentence each; what they held is not known and gets measured again.
        content_ids: cache of content ids by path, size and modification time.

    Raises:
        UsageError: the folder cannot be used: not writable, a file, not ours, in use, written by a newer version.
    """

    def __init__(self, out: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.read_only, self._sent = read_only, time.monotonic()
        self._folder = ResultsFolder(out, read_only=read_only)
        self.place, self.out = self._folder.place, self._folder.out
        try:
            self._ledger = Ledger(self._folder, read_only=read_only)
        except BaseException:
            self._folder.close()
            raise
        self.warnings = self._ledger.warnings
        if not read_only:
            moving.finish(self._folder, self.commit)
        self.content_ids = ContentIds(self.out / CONTENT_IDS, read_only=read_only)

    def known(self) -> dict[str, ClipScore]:
        """Committed rows by result id, but for those worth another try."""
        return {clip.result_id: clip for clip in self._ledger.rows.rows() if clip.result_id and not clip.retryable}

    def clips(self) -> list[ClipScore]:
        """All committed rows, by ladder, masters first, then by path and mode."""
        return sorted(self._ledger.rows.rows(), key=lambda c: (c.ladder, not c.is_master, c.path, c.mode or ""))

    def frames(self, path: str, mode: Mode | None = None) -> list[FrameScore]:
        """Frame rows of a video, in one mode or in all, by mode and presentation order; empty where there is none."""
        path = plain(path)
        found: list[FrameScore] = []
        for part in self._ledger.rows.parts_of(path):
            wanted = [c for c in self._ledger.rows[part] if c.path == path and mode in (None, c.mode)]
            for frames in self._ledger.frames(part, wanted).values():
                found += frames
        return sorted(found, key=lambda f: (f.mode, f.frame_num))

    def ladder_frames(self, ladder: str) -> dict[Key, list[FrameScore]]:
        """Frame rows of every video of a ladder, by (path, mode), in presentation order."""
        ladder, found = plain(ladder), dict[Key, list[FrameScore]]()
        for part in self._ledger.rows.parts_with(ladder):
            found |= self._ledger.frames(part, [c for c in self._ledger.rows[part] if c.ladder == ladder])
        return found

    def commit(self, ladder: str, results: Sequence[ClipResult], kept: Iterable[ClipScore] = ()) -> bool:
        """Put results of a ladder in the store, as one: after a crash either all of them are there or none.

        A measured video's rows come together: all older rows of its path go away, in whatever mode and ladder. A kept
        row takes the place of the older row of its path and mode. All other rows stay.

        Args:
            ladder: the ladder's name; every row's `ladder`.
            results: what was measured now.
            kept: rows of the store that hold, with ladder, is_master and reference as they are now
                (`dataclasses.replace`): of files that were regrouped. Their frames are copied.

        Returns:
            False when nothing had to be written.

        Raises:
            ValueError: two rows for one (path, mode), a row of another ladder, a scored row without its frames, or a
                kept row that is not in the store. Nothing was written.
            YotoVideoError: the disk refused; the message says so. Run again to resume.
        """
        self._must_write()
        now, ladder = datetime.now(UTC), plain(ladder)
        fresh = [replace(r, clip=replace(storable(r.clip), measured_at=r.clip.measured_at or now)) for r in results]
        kept = list(kept)
        again = [self._again(storable(clip)) for clip in kept]
        fresh += [r for r in again if len(r.frames) == r.clip.frames]  # others: damaged since, and said in `warnings`
        _check(ladder, fresh)
        name, rows = self._ledger.part_for(ladder, kept), self._ledger.rows
        measured, keys = {r.clip.path for r in fresh[: len(results)]}, {(r.clip.path, r.clip.mode) for r in fresh}
        stays = {
            part: [c for c in rows[part] if c.path not in measured and (c.path, c.mode) not in keys]
            for part in {part for path, _ in keys for part in rows.parts_of(path)}
        }
        before = rows.get(name, [])
        carried = stays.pop(name, before)
        changed = sorted(part for part in stays if len(stays[part]) != len(rows[part]))
        if not changed and _same(before, [*carried, *(result.clip for result in fresh)]):
            return False

        touched = {clip.result_id for part in [name, *changed] for clip in rows.get(part, ())}
        if changed:
            moving.begin(self._folder, fresh)
        for part in changed:
            self._ledger.keep(part, stays[part])
        self._ledger.put(name, carried, fresh)
        if changed:
            moving.end(self._folder)
        self._drop_pictures(touched)
        if self._folder.is_remote and time.monotonic() - self._sent > SEND_S:
            self._send_content_ids()
        return True

    def forget(self, paths: Iterable[str]) -> int:
        """Take away all rows of these videos (files that are gone). Returns the number of rows."""
        self._must_write()
        gone, rows = set(map(plain, paths)), self._ledger.rows
        touched: set[str] = set()
        count = 0
        for part in sorted({part for path in gone for part in rows.parts_of(path)}):
            stays = [clip for clip in rows[part] if clip.path not in gone]
            count += len(rows[part]) - len(stays)
            touched |= {clip.result_id for clip in rows[part]}
            self._ledger.keep(part, stays)
        self._drop_pictures(touched)
        return count

    def commit_run(self, run: RunRow) -> None:
        """Record a run; one with the same id is replaced."""
        self._must_write()
        self._folder.write_part("runs", part_name(run.run_id), run_rows([run]))

    def runs(self) -> list[RunRow]:
        """All runs, oldest first."""
        rows: list[RunRow] = []
        for path in self._ledger.files("runs"):
            try:
                rows += runs_of(read_part(path, RUNS))
            except UnreadablePartError as error:
                self.warnings.append(f"{path}: {error}; the run it told of is left out")
        return sorted(rows, key=lambda run: (run.started_at, run.run_id))

    def save_pictures(self, files: Mapping[str, bytes]) -> None:
        """Write pictures of results that are about to be committed; the store removes them when the result goes.

        Args:
            files: content by path relative to the folder: pictures/RESULT_ID/NAME.

        Raises:
            YotoVideoError: they could not be written.
        """
        self._must_write()
        self._folder.save_pictures(files)

    def fetch(self, *names: str) -> None:
        """Have more of a bucket in `out` than its tables. Raises as opening does."""
        self._folder.fetch(*names)

    def send(self, relative: str) -> None:
        """Bring one file of `out` to the bucket, if it can be. Nothing to do for a local folder."""
        self._folder.send(relative)

    def replace(self, name: str, *, last: str) -> None:
        """Bring a folder of `out` to the bucket in place of what it has there, its file `last` at the end of all.

        Raises:
            YotoVideoError: it could not be written.
        """
        self._folder.replace(name, last=last)

    def close(self) -> None:
        """Let other runs write here. Safe to call twice; what was read stays readable."""
        self.content_ids.close()
        if not self.read_only:
            self._send_content_ids()
        self._folder.close()
        self.read_only = True

    def _send_content_ids(self) -> None:
        self._folder.send(CONTENT_IDS)
        self._sent = time.monotonic()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _again(self, clip: ClipScore) -> ClipResult:
        """A row that is in the store, perhaps in another ladder, with its frames."""
        found = self._ledger.rows.find(clip.result_id, clip.mode)
        if found is None:
            raise ValueError(f"{clip.path}: result {clip.result_id!r} is not in {self.place}")
        part, row = found
        return ClipResult(clip, tuple(self._ledger.frames(part, [row]).get((row.path, row.mode), ())))

    def _drop_pictures(self, touched: Iterable[str]) -> None:
        self._folder.drop_pictures(r for r in set(touched) - {""} if not self._ledger.rows.holds(r))

    def _must_write(self) -> None:
        if self.read_only:
            raise ValueError(f"{self.place} was opened for reading, or closed")


def _check(ladder: str, results: Sequence[ClipResult]) -> None:
    seen: set[Key] = set()
    for result in results:
        clip, n = result.clip, len(result.frames)
        if clip.ladder != ladder:
            raise ValueError(f"{clip.path}: is of ladder {clip.ladder!r}, not {ladder!r}")
        if n != clip.frames or (n > 0) != (clip.status == "ok"):
            raise ValueError(f"{clip.path}: says {clip.status}, {clip.frames} frames, and comes with {n}")
        if any(frame.mode != clip.mode for frame in result.frames):
            raise ValueError(f"{clip.path}: has frames of another mode than {clip.mode}")
        if (clip.path, clip.mode) in seen:
            raise ValueError(f"{clip.path}: two results in mode {clip.mode}")
        seen.add((clip.path, clip.mode))


def _same(one: Iterable[ClipScore], other: Iterable[ClipScore]) -> bool:
    def key(clip: ClipScore) -> tuple[str, str]:
        return clip.path, clip.mode or ""

    return sorted(one, key=key) == sorted(other, key=key)
