"""The committed rows as they lie in part files: loaded, checked against their frames, and rewritten in a safe order.

The order is what keeps the promise of store.py: a row of `clips` is written after its rows of `frames` and taken away
before them, so that a run killed at any point leaves whole results, and at worst frames without a clip, which no reader
of ours shows and the next run removes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from .errors import UsageError
from .parts import DamagedPartError, UnreadablePartError, count_rows, read_part, remove_part, write_part
from .row_index import RowIndex
from .schema import CLIPS, FRAMES, SCHEMA_VERSION, clip_rows, clips_of, frame_rows, frames_of
from .values import ClipResult, ClipScore, FrameScore, Mode

Key = tuple[str, Mode | None]  # path and mode: at most one row each
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Ledger:
    """Rows by part, in memory and on disk.

    Args:
        out: a folder that results_folder.py has prepared or checked.
        read_only: only look; what is wrong on disk is left out, not repaired.

    Attributes:
        rows: the committed rows.
        warnings: parts that gave no rows, or not all, one sentence each.
    """

    def __init__(self, out: Path, *, read_only: bool) -> None:
        self.out = out
        self.read_only = read_only
        self.rows = RowIndex()
        self.warnings: list[str] = []
        self._load()

    def frames(self, part: str, clips: Sequence[ClipScore]) -> dict[Key, list[FrameScore]]:
        """Frames of these rows of one part, in presentation order; none, and a warning, where they cannot be read."""
        wanted = {(clip.path, clip.mode): clip.result_id for clip in clips if clip.frames}
        if not wanted:
            return {}
        path = self.out / "frames" / part
        try:
            table = read_part(path, FRAMES)
        except UnreadablePartError as error:
            self.warn(path, error)
            return {}
        owners = zip(*(table[column].to_pylist() for column in ("path", "result_id")), strict=True)
        found: dict[Key, list[FrameScore]] = {}
        for (path, result_id), frame in zip(owners, frames_of(table), strict=True):
            key: Key = (path, frame.mode)
            if wanted.get(key) == result_id:  # others are leftovers
                found.setdefault(key, []).append(frame)
        for frames in found.values():
            frames.sort(key=lambda frame: frame.frame_num)
        return found

    def add(self, part: str, results: Sequence[ClipResult]) -> None:
        """Make the part hold exactly these results, frames first. Rows they replace must be gone (`remove`)."""
        ordered = sorted(results, key=lambda r: (not r.clip.is_master, r.clip.path, r.clip.mode or ""))
        write_part(self.out, "frames", part, frame_rows(ordered))
        self._write_clips(part, [result.clip for result in ordered])

    def keep(self, part: str, clips: list[ClipScore]) -> None:
        """Make the part hold just these of its rows, clips first, then their frames."""
        results = self.retract(part, clips)
        if results:
            write_part(self.out, "frames", part, frame_rows(results))
        else:
            remove_part(self.out, "frames", part)

    def retract(self, part: str, clips: list[ClipScore]) -> list[ClipResult]:
        """Take all but these rows away and leave the frames alone; returns what is left with its frames, for `add`."""
        results = self._whole(part, clips)
        if len(results) != len(self.rows.get(part, ())):
            self._write_clips(part, [result.clip for result in results])
        return results

    def files(self, data_set: str) -> list[Path]:
        """The data set's parts, sorted by name."""
        try:
            return sorted(path for path in (self.out / data_set).glob("*.parquet") if path.name[0] not in "._")
        except OSError as error:
            raise UsageError(f"{self.out / data_set}: cannot be read ({error.strerror})") from None

    def warn(self, path: Path, error: UnreadablePartError) -> None:
        """Tell of a part that cannot be used. A damaged one is set aside: other readers would stumble over it."""
        self.warnings.append(f"{path}: {error}; what it held is measured again")
        if isinstance(error, DamagedPartError) and not self.read_only:
            aside = self.out / ".damaged" / f"{path.parent.name}-{path.name}"
            with suppress(OSError):  # then it stays, and is replaced when its ladder is measured again
                aside.parent.mkdir(exist_ok=True)
                path.replace(aside)

    # --- loading -----------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        frame_parts = {path.name: path for path in self.files("frames")}
        clip_parts = self.files("clips")
        with ThreadPoolExecutor(os.cpu_count()) as threads:  # many small files: Arrow reads them without the GIL
            loaded = list(threads.map(_read_clips, clip_parts))
        for path, rows in zip(clip_parts, loaded, strict=True):
            frames = frame_parts.pop(path.name, None)
            if isinstance(rows, UnreadablePartError):
                self.warn(path, rows)
            else:
                clips, older = rows
                self.rows.put(path.name, clips)
                self._check_frames(path.name, frames, clips)
                if older and not self.read_only and path.name in self.rows:  # or one query over all parts would fail
                    self._write_clips(path.name, self.rows[path.name])
        self._drop_doubles()
        if not self.read_only:
            for name in frame_parts:  # a run was killed between frames and clips
                remove_part(self.out, "frames", name)
            self._drop_pictures()

    def _check_frames(self, part: str, path: Path | None, rows: list[ClipScore]) -> None:
        """Rows whose frames are not all there are no results."""
        expected = sum(clip.frames for clip in rows)
        try:
            if path is None and expected:
                raise UnreadablePartError("is missing")
            if path is None or count_rows(path, FRAMES) == expected:
                return
            complete = [result.clip for result in self._whole(part, rows)]  # more: leftovers; fewer: lost
            if len(complete) != len(rows):
                self.warn(path, UnreadablePartError("lacks rows"))
        except UnreadablePartError as error:
            self.warn(path or self.out / "frames" / part, error)
            complete = [clip for clip in rows if not clip.frames]
        self._settle(part, complete)

    def _drop_doubles(self) -> None:
        """Keep the newest of rows with the same path and mode: folders that were copied together may have two."""
        newest: dict[Key, ClipScore] = {}
        for clip in self.rows.rows():
            other = newest.get((clip.path, clip.mode))
            if other is None or (clip.measured_at or _LONG_AGO) > (other.measured_at or _LONG_AGO):
                newest[(clip.path, clip.mode)] = clip
        for part, rows in list(self.rows.items()):
            stays = [clip for clip in rows if newest[(clip.path, clip.mode)] is clip]
            if len(stays) != len(rows):
                self._settle(part, stays)

    def _drop_pictures(self) -> None:
        """Pictures of results that were never committed."""
        try:
            folders = [entry for entry in (self.out / "pictures").iterdir() if entry.is_dir()]
        except OSError:
            return
        used = {clip.result_id for clip in self.rows.rows()}
        used |= {m.encode.split("/")[1] for c in self.rows.rows() for m in c.moments if m.encode.count("/") > 1}
        for folder in folders:
            if folder.name not in used:
                shutil.rmtree(folder, ignore_errors=True)

    def _settle(self, part: str, clips: list[ClipScore]) -> None:
        """As `keep`, but a reader only forgets the other rows."""
        if self.read_only:
            self.rows.put(part, clips)
        else:
            self.keep(part, clips)

    def _whole(self, part: str, clips: Sequence[ClipScore]) -> list[ClipResult]:
        """These rows with their frames; without the rows whose frames are not all there."""
        frames = self.frames(part, clips)
        results = [ClipResult(clip, tuple(frames.get((clip.path, clip.mode), ()))) for clip in clips]
        return [result for result in results if len(result.frames) == result.clip.frames]

    def _write_clips(self, part: str, clips: list[ClipScore]) -> None:
        if clips:
            write_part(self.out, "clips", part, clip_rows(clips))
        else:
            remove_part(self.out, "clips", part)
        self.rows.put(part, clips)


def _read_clips(path: Path) -> tuple[list[ClipScore], bool] | UnreadablePartError:
    """The rows of a part, and whether an older version of the tables wrote some of them."""
    try:
        table = read_part(path, CLIPS)
        return clips_of(table), any((v or 0) < SCHEMA_VERSION for v in table["schema_version"].to_pylist())
    except UnreadablePartError as error:
        return error
