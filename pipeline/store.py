"""The results of all runs, as Parquet under one folder: what is known, and how a ladder's results get there.

A row of `clips` is the commit mark: it is written last and taken away first. So at every moment, also after SIGKILL,
each row of `clips` has all its rows in `frames`, and no (path, mode) has two rows; frames without a clip are leftovers.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from .content_cache import ContentIds
from .errors import UsageError
from .parts import count_rows, part_name, read_part, remove_part, write_part
from .results_folder import check_readable, clear_leftovers, local_path, lock, prepare
from .schema import CLIPS, FRAMES, RUNS, clip_rows, clips_of, frame_rows, frames_of, run_rows, runs_of
from .values import ClipResult, ClipScore, FrameScore, Mode, RunRow

Key = tuple[str, Mode | None]  # path and mode: at most one row each


class Store:
    """Results under a folder. One writer at a time; any number of readers.

    Args:
        out: local folder; created when opened for writing.
        read_only: neither create, lock, clean nor change anything.

    Attributes:
        out: the folder, absolute.
        warnings: parts that could not be read, a sentence each; what they held is not known and gets measured again.
        content_ids: cache of content ids by path, size and modification time.

    Raises:
        UsageError: the folder cannot be used: not writable, a file, not ours, in use, written by a newer version.
    """

    def __init__(self, out: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.out = local_path(out)
        self.read_only = read_only
        self.warnings: list[str] = []
        self._lock = None
        self._parts: dict[str, list[ClipScore]] = {}  # committed rows by part name
        if read_only:
            check_readable(self.out)
        else:
            prepare(self.out)
            self._lock = lock(self.out)
            clear_leftovers(self.out)
        self.content_ids = ContentIds(self.out / ".cache" / "content_ids.jsonl")
        self._load()

    def known(self) -> dict[str, ClipScore]:
        """Committed rows by result id, but for those worth another try. Equal files at two paths share an id."""
        return {clip.result_id: clip for clip in self.clips() if clip.result_id and not clip.retryable}

    def clips(self) -> list[ClipScore]:
        """All committed rows, by ladder, masters first, then by path and mode."""
        rows = [clip for part in self._parts.values() for clip in part]
        return sorted(rows, key=lambda c: (c.ladder, not c.is_master, c.path, c.mode or ""))

    def frames(self, path: str, mode: Mode | None = None) -> list[FrameScore]:
        """Frame rows of a video, in one mode or in all, by mode and presentation order; empty where there is none."""
        found: list[FrameScore] = []
        for name, rows in self._parts.items():
            wanted = [c for c in rows if c.path == path and c.status == "ok" and mode in (None, c.mode)]
            if wanted:
                for frames in self._frames_in(name, wanted).values():
                    found += frames
        return sorted(found, key=lambda f: (f.mode, f.frame_num))

    def ladder_frames(self, ladder: str) -> dict[Key, list[FrameScore]]:
        """Frame rows of every video of a ladder, by (path, mode), in presentation order: one file is read."""
        name = part_name(ladder)
        return self._frames_in(name, [c for c in self._parts.get(name, ()) if c.status == "ok"])

    def commit(self, ladder: str, results: Sequence[ClipResult], kept: Iterable[ClipScore] = ()) -> bool:
        """Put results of a ladder in the store, as one: after a crash either all of them are there or none.

        Rows these supersede go away, in whatever ladder they are: the same path in the same mode, and other rows of the
        same path when the content or the network changed, or when one of the two says that the video cannot be scored.
        Other rows of the ladder stay.

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
        now = datetime.now(UTC)
        fresh = [replace(r, clip=replace(r.clip, measured_at=r.clip.measured_at or now)) for r in results]
        fresh += [ClipResult(clip, tuple(self._frames_of_known(clip))) for clip in kept]
        new = {(r.clip.path, r.clip.mode): r.clip for r in fresh}
        if len(new) != len(fresh):
            raise ValueError(f"ladder {ladder!r}: two results for the same path and mode")
        for result in fresh:
            _check(ladder, result)
        name, by_path = part_name(ladder), _by_path(new.values())
        stays = {
            part: [c for c in rows if not any(_supersedes(n, c) for n in by_path.get(c.path, ()))]
            for part, rows in self._parts.items()
        }
        carried = stays.pop(name, [])
        before = self._parts.get(name, [])
        changed = [part for part in stays if len(stays[part]) != len(self._parts[part])]
        if not changed and _same_rows(before, [*carried, *new.values()]):
            return False

        old_ids = {clip.result_id for clip in before} | {c.result_id for part in changed for c in self._parts[part]}
        held = self._frames_in(name, [c for c in carried if c.status == "ok"])
        for part in changed:
            self._rewrite(part, stays[part])
        if len(carried) != len(before):  # the old rows go before their frames do
            self._write_clips(name, carried)
        fresh += [ClipResult(clip, tuple(held.get((clip.path, clip.mode), ()))) for clip in carried]
        fresh.sort(key=lambda r: (not r.clip.is_master, r.clip.path, r.clip.mode or ""))
        write_part(self.out, "frames", name, frame_rows(fresh))
        self._write_clips(name, [r.clip for r in fresh])
        self._drop_pictures(old_ids)
        return True

    def forget(self, paths: Iterable[str]) -> int:
        """Take away all rows of these videos (files that are gone). Returns the number of rows."""
        self._must_write()
        gone, count, ids = set(paths), 0, set()
        for name, rows in list(self._parts.items()):
            stays = [clip for clip in rows if clip.path not in gone]
            if len(stays) != len(rows):
                count += len(rows) - len(stays)
                ids |= {clip.result_id for clip in rows}
                self._rewrite(name, stays)
        self._drop_pictures(ids)
        return count

    def commit_run(self, run: RunRow) -> None:
        """Record a run; one with the same id is replaced."""
        self._must_write()
        write_part(self.out, "runs", part_name(run.run_id), run_rows([run]))

    def runs(self) -> list[RunRow]:
        """All runs, oldest first."""
        rows: list[RunRow] = []
        for path in self._files("runs"):
            try:
                rows += runs_of(read_part(path, RUNS))
            except ValueError as error:
                self._warn(path, error)
        return sorted(rows, key=lambda run: (run.started_at, run.run_id))

    def pictures_dir(self, result_id: str) -> Path:
        """Folder for the pictures of a result, created. The store removes it when the result goes.

        Raises:
            ValueError: the id cannot be a folder's name.
        """
        self._must_write()
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", result_id):
            raise ValueError(f"{result_id!r} is no result id")
        folder = self.out / "pictures" / result_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def close(self) -> None:
        """Let other runs write here. Safe to call twice."""
        self.content_ids.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self.read_only = True

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # --- reading -----------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Read every part of `clips`, drop rows whose frames are not all there, and tidy up when we may write."""
        frame_parts = {path.name: path for path in self._files("frames")}
        for path in self._files("clips"):
            try:
                rows = clips_of(read_part(path, CLIPS))
            except ValueError as error:
                self._warn(path, error)
                continue
            self._parts[path.name] = rows
            frames, expected = frame_parts.pop(path.name, None), sum(clip.frames for clip in rows)
            try:
                if expected and frames is None:
                    raise ValueError("is missing")
                if frames is not None and count_rows(frames, FRAMES) != expected:
                    self._keep_complete(path.name, rows)
            except ValueError as error:
                self._warn(self.out / "frames" / path.name, error)
                self._settle(path.name, [clip for clip in rows if not clip.frames])
        self._drop_doubles()
        if not self.read_only:
            for name in frame_parts:  # a run was killed between frames and clips
                remove_part(self.out, "frames", name)

    def _keep_complete(self, name: str, rows: list[ClipScore]) -> None:
        """A run was killed between frames and clips, or frames are lost: keep the rows that have all of theirs."""
        held = self._frames_in(name, [clip for clip in rows if clip.frames])
        complete = [clip for clip in rows if len(held.get((clip.path, clip.mode), ())) == clip.frames]
        if len(complete) != len(rows):
            self._warn(self.out / "frames" / name, ValueError("lacks rows"))
        self._settle(name, complete)

    def _drop_doubles(self) -> None:
        """Keep the newest of rows with the same path and mode: folders that were copied together may have two."""
        newest: dict[Key, ClipScore] = {}
        for rows in self._parts.values():
            for clip in rows:
                other = newest.get((clip.path, clip.mode))
                if other is None or (clip.measured_at or _LONG_AGO) > (other.measured_at or _LONG_AGO):
                    newest[(clip.path, clip.mode)] = clip
        for name, rows in list(self._parts.items()):
            stays = [clip for clip in rows if newest[(clip.path, clip.mode)] is clip]
            if len(stays) != len(rows):
                self._settle(name, stays)

    def _frames_in(self, name: str, clips: Sequence[ClipScore]) -> dict[Key, list[FrameScore]]:
        """Frames of these committed rows of one part; rows of `frames` that belong to none of them are leftovers."""
        if not clips:
            return {}
        table = read_part(self.out / "frames" / name, FRAMES)
        ids = {(clip.path, clip.mode): clip.result_id for clip in clips}
        found: dict[Key, list[FrameScore]] = {}
        owners = zip(*(table[column].to_pylist() for column in ("path", "result_id")), strict=True)
        for (path, result_id), frame in zip(owners, frames_of(table), strict=True):
            key: Key = (path, frame.mode)
            if ids.get(key) == result_id:
                found.setdefault(key, []).append(frame)
        return found

    def _frames_of_known(self, clip: ClipScore) -> list[FrameScore]:
        """Frames of a result, wherever it is now."""
        for name, rows in self._parts.items():
            for row in rows:
                if (row.result_id, row.mode, row.frames) == (clip.result_id, clip.mode, clip.frames):
                    return self._frames_in(name, [row])[(row.path, row.mode)] if row.frames else []
        raise ValueError(f"{clip.path}: result {clip.result_id} is not in {self.out}")

    def _files(self, data_set: str) -> list[Path]:
        try:
            return sorted(path for path in (self.out / data_set).glob("*.parquet") if path.name[0] not in "._")
        except OSError as error:
            raise UsageError(f"{self.out / data_set}: cannot be read ({error.strerror})") from None

    # --- writing -----------------------------------------------------------------------------------------------------

    def _rewrite(self, name: str, clips: list[ClipScore]) -> None:
        """Make a part hold just these of its rows: clips first, then their frames."""
        frames = self._frames_in(name, [clip for clip in clips if clip.frames])
        self._write_clips(name, clips)
        if clips:
            results = [ClipResult(clip, tuple(frames.get((clip.path, clip.mode), ()))) for clip in clips]
            write_part(self.out, "frames", name, frame_rows(results))
        else:
            remove_part(self.out, "frames", name)

    def _write_clips(self, name: str, clips: list[ClipScore]) -> None:
        if clips:
            write_part(self.out, "clips", name, clip_rows(clips))
            self._parts[name] = clips
        else:
            remove_part(self.out, "clips", name)
            self._parts.pop(name, None)

    def _settle(self, name: str, clips: list[ClipScore]) -> None:
        """As _rewrite, but a reader only forgets the other rows."""
        if not self.read_only:
            self._rewrite(name, clips)
        elif clips:
            self._parts[name] = clips
        else:
            self._parts.pop(name, None)

    def _drop_pictures(self, ids: Iterable[str]) -> None:
        used = {clip.result_id for rows in self._parts.values() for clip in rows}
        for result_id in set(ids) - used - {""}:
            shutil.rmtree(self.out / "pictures" / result_id, ignore_errors=True)

    def _warn(self, path: Path, error: ValueError) -> None:
        self.warnings.append(f"{path}: {error}; what it held is measured again")

    def _must_write(self) -> None:
        if self.read_only:
            raise ValueError(f"{self.out} was opened for reading, or closed")


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _check(ladder: str, result: ClipResult) -> None:
    clip = result.clip
    if clip.ladder != ladder:
        raise ValueError(f"{clip.path}: is of ladder {clip.ladder!r}, not {ladder!r}")
    if len(result.frames) != clip.frames or bool(clip.frames) != (clip.status == "ok"):
        raise ValueError(f"{clip.path}: says {clip.frames} frames ({clip.status}) and comes with {len(result.frames)}")
    if any(frame.mode != clip.mode for frame in result.frames):
        raise ValueError(f"{clip.path}: has frames of another mode")


def _supersedes(new: ClipScore, old: ClipScore) -> bool:
    """Whether the old row goes when the new one comes; both are of the same path."""
    return (
        new.mode == old.mode
        or None in (new.mode, old.mode)
        or ("" not in (new.content_id, old.content_id) and new.content_id != old.content_id)
        or (None not in (new.model_sha256, old.model_sha256) and new.model_sha256 != old.model_sha256)
    )


def _by_path(clips: Iterable[ClipScore]) -> dict[str, list[ClipScore]]:
    grouped: dict[str, list[ClipScore]] = {}
    for clip in clips:
        grouped.setdefault(clip.path, []).append(clip)
    return grouped


def _same_rows(one: Sequence[ClipScore], other: Sequence[ClipScore]) -> bool:
    return Counter(map(repr, one)) == Counter(map(repr, other))
