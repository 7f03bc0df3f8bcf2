"""The results of all runs, as Parquet under one folder: what is known, and how a ladder's results get there.

A row of `clips` is the commit mark. At every moment, also after SIGKILL, each row of `clips` has all its rows in
`frames`, and no (path, mode) has two rows.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO

from .content_cache import ContentIds
from .ledger import Key, Ledger
from .parts import UnreadablePartError, part_name, read_part, write_part
from .results_folder import PictureFolder, check_readable, clear_leftovers, local_path, lock, prepare
from .schema import RUNS, plain, run_rows, runs_of, storable
from .values import ClipResult, ClipScore, FrameScore, Mode, RunRow


class Store:
    """Results under a folder. One writer at a time; any number of readers.

    Args:
        out: local folder; created when opened for writing.
        read_only: neither create, lock, clean nor change anything.

    Attributes:
        out: the folder, absolute.
        warnings: parts that could not be read, a sentence each; what they held is not known and gets measured again.
        content_ids: cache of content ids by path, size and modification time.
        pictures: where pictures of results go; small, and can be sent to workers that see the same folder.

    Raises:
        UsageError: the folder cannot be used: not writable, a file, not ours, in use, written by a newer version.
    """

    def __init__(self, out: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.out = local_path(out)
        self.read_only = read_only
        self._lock: IO[str] | None = None
        if read_only:
            check_readable(self.out)
        else:
            prepare(self.out)
            self._lock = lock(self.out)
            clear_leftovers(self.out)
        self._ledger = Ledger(self.out, read_only=read_only)
        self.warnings = self._ledger.warnings
        self.content_ids = ContentIds(self.out / ".cache" / "content_ids.jsonl", read_only=read_only)
        self.pictures = PictureFolder(self.out)

    def known(self) -> dict[str, ClipScore]:
        """Committed rows by result id, but for those worth another try. Equal files at two paths share an id."""
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
        """Frame rows of every video of a ladder, by (path, mode), in presentation order: one file is read."""
        part = part_name(plain(ladder))
        return self._ledger.frames(part, self._ledger.rows.get(part, ()))

    def commit(self, ladder: str, results: Sequence[ClipResult], kept: Iterable[ClipScore] = ()) -> bool:
        """Put results of a ladder in the store, as one: after a crash either all of them are there or none.

        A measured video's rows come together: all older rows of its path go away, in whatever mode and ladder. A kept
        row takes the place of the older row of its path and mode. All other rows stay.

        Args:
            ladder: the ladder's name; every row's `ladder`.
            results: what was measured now.
            kept: rows of `known()` that hold for this ladder too, with path, ladder, is_master and reference as they
                are now (`dataclasses.replace`): a file that moved or was regrouped, or a copy. Their frames are copied.

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
        again = [self._again(storable(clip)) for clip in kept]
        fresh += [r for r in again if len(r.frames) == r.clip.frames]  # others: damaged since, and said in `warnings`
        _check(ladder, fresh)
        name, rows = part_name(ladder), self._ledger.rows
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
        for part in changed:
            self._ledger.keep(part, stays[part])
        fresh += self._ledger.retract(name, carried)
        self._ledger.add(name, fresh)
        self._drop_pictures(touched)
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
        write_part(self.out, "runs", part_name(run.run_id), run_rows([run]))

    def runs(self) -> list[RunRow]:
        """All runs, oldest first."""
        rows: list[RunRow] = []
        for path in self._ledger.files("runs"):
            try:
                rows += runs_of(read_part(path, RUNS))
            except UnreadablePartError as error:
                self.warnings.append(f"{path}: {error}; the run it told of is left out")
        return sorted(rows, key=lambda run: (run.started_at, run.run_id))

    def pictures_dir(self, result_id: str) -> Path:
        """Folder for the pictures of a result, created. The store removes it when the result goes.

        Raises:
            ValueError: the id cannot be a folder's name.
        """
        return self.pictures.folder(result_id)

    def close(self) -> None:
        """Let other runs write here. Safe to call twice; what was read stays readable."""
        self.content_ids.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self.read_only = True

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _again(self, clip: ClipScore) -> ClipResult:
        """A row that is in the store, perhaps at another path, with its frames."""
        found = self._ledger.rows.find(clip.result_id, clip.mode)
        if found is None:
            raise ValueError(f"{clip.path}: result {clip.result_id!r} is not in {self.out}")
        part, row = found
        return ClipResult(clip, tuple(self._ledger.frames(part, [row]).get((row.path, row.mode), ())))

    def _drop_pictures(self, touched: Iterable[str]) -> None:
        used = {clip.result_id for clip in self._ledger.rows.rows()}
        for result_id in set(touched) - used - {""}:
            shutil.rmtree(self.out / "pictures" / result_id, ignore_errors=True)

    def _must_write(self) -> None:
        if self.read_only:
            raise ValueError(f"{self.out} was opened for reading, or closed")


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
