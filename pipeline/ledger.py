"""The committed rows as they lie in part files: loaded, checked against their frames, and rewritten in a safe order.

The order is what keeps the promise of store.py: a row of `clips` is written after its rows of `frames` and taken away
before them, so that a run killed at any point leaves whole results, and at worst frames without a clip, which no reader
of ours shows and the next run removes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from . import moving
from .carried import Carried, row_key, row_keys
from .convert import clip_rows, clips_of, frame_rows, frames_of
from .errors import UsageError, YotoVideoError
from .folder import ResultsFolder
from .parts import DamagedPartError, UnreachablePartError, UnreadablePartError, count_rows, part_name, read_part
from .row_index import RowIndex
from .schema import CLIPS, FRAMES, SCHEMA_VERSION
from .values import ClipResult, ClipScore, FrameScore, Mode

Key = tuple[str, Mode | None]  # path and mode: at most one row each
CLIPS_A_PART = 200  # rows of `clips` from which a part takes no further ladder
FRAMES_A_PART = 20_000  # rows of `frames`: what a commit reads and writes again stays under a megabyte
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Ledger:
    """Rows by part, in memory and on disk.

    Args:
        folder: where they are, opened.
        read_only: only look; what is wrong on disk is left out, not repaired.

    Attributes:
        rows: the committed rows.
        warnings: parts that gave no rows, or not all, one sentence each.
    """

    def __init__(self, folder: ResultsFolder, *, read_only: bool) -> None:
        self._folder = folder
        self._out = folder.out
        self._open = ""  # the part that new ladders go to
        self.read_only = read_only
        self.rows = RowIndex()
        self.warnings: list[str] = []
        self._load()

    def part_for(self, ladder: str, kept: Iterable[ClipScore] = ()) -> str:
        """The part for a ladder's rows: the one they are in, else the one that `kept` are in, else one with room.

        Rows that stay in their part are rewritten in one step. Many small ladders share a part, so that a store of
        ten thousand titles is some hundred files; a large one has its own.
        """
        held = self.rows.parts_with(ladder)
        held = held or sorted({part for clip in kept for part in self.rows.parts_of(clip.path)})[:1]
        if held:
            return held[0]
        if not self._has_room(self._open):
            self._open = next((part for part in self.rows if self._has_room(part)), "")
        if not self._open:
            self._open = part_name(ladder)
            while self._open in self.rows:  # begun for this ladder, which has left it
                self._open = part_name(f"{self._open}+")
        return self._open

    def _has_room(self, part: str) -> bool:
        clips = self.rows.get(part, [])
        frames = sum(clip.frames for clip in clips)
        return bool(clips) and len(clips) < CLIPS_A_PART and frames < FRAMES_A_PART

    def frames(self, part: str, clips: Sequence[ClipScore]) -> dict[Key, list[FrameScore]]:
        """Frames of these rows of one part, in presentation order; none, and a warning, where they cannot be read."""
        table = self._frame_table(part, clips)
        found: dict[Key, list[FrameScore]] = {}
        for path, frame in zip(table["path"].to_pylist(), frames_of(table), strict=True):
            found.setdefault((path, frame.mode), []).append(frame)
        for frames in found.values():
            frames.sort(key=lambda frame: frame.frame_num)
        return found

    def put(self, part: str, carried: list[ClipScore], results: Sequence[ClipResult]) -> None:
        """Make the part hold just these of its rows, and these results.

        Rows that other results replace go first, then come frames, then clips. A result that is only filed anew (the
        same one, now in another ladder) is there all the time.
        """
        ordered = sorted(results, key=lambda r: (not r.clip.is_master, r.clip.path, r.clip.mode or ""))
        lasting = {(row_key(c), c.frames) for c in (*carried, *(r.clip for r in results))}
        stays = [c for c in self.rows.get(part, ()) if (row_key(c), c.frames) in lasting]
        there = self._retract(part, stays).only(carried)
        self._folder.write_part("frames", part, pa.concat_tables([there.frames, frame_rows(ordered)]))
        self._write_clips(part, [*there.clips, *(result.clip for result in ordered)])

    def keep(self, part: str, clips: list[ClipScore]) -> None:
        """Make the part hold just these of its rows, clips first, then their frames."""
        there = self._retract(part, clips)
        if there.clips:
            self._folder.write_part("frames", part, there.frames)
        else:
            self._folder.remove_part("frames", part)

    def _retract(self, part: str, clips: list[ClipScore]) -> Carried:
        """Take all but these rows away and leave the frames alone; returns what is left with its frames."""
        there = self._whole(part, clips)
        if len(there.clips) != len(self.rows.get(part, ())):
            self._write_clips(part, there.clips)
        return there

    def files(self, data_set: str) -> list[Path]:
        """The data set's parts, sorted by name."""
        try:
            return sorted(path for path in (self._out / data_set).glob("*.parquet") if path.name[0] not in "._")
        except OSError as error:
            raise UsageError(f"{self._out / data_set}: cannot be read ({error.strerror})") from None

    def warn(self, path: Path, error: UnreadablePartError) -> None:
        """Tell of a part that cannot be used. A damaged one is set aside: other readers would stumble over it."""
        shown = f"{self._folder.place}/{path.parent.name}/{path.name}"
        self.warnings.append(f"{shown}: {error}; what it held is measured again")
        if isinstance(error, DamagedPartError) and not self.read_only:
            self._folder.set_aside(path.parent.name, path.name)

    # --- loading -----------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        frame_parts = {path.name: path for path in self.files("frames")}
        clip_parts = self.files("clips")
        with ThreadPoolExecutor(os.cpu_count()) as threads:  # many small files: Arrow reads them without the GIL
            loaded = list(threads.map(_read_clips, clip_parts))
        for path, rows in zip(clip_parts, loaded, strict=True):
            frames = frame_parts.pop(path.name, None)
            if isinstance(rows, UnreachablePartError) and not self.read_only:
                raise YotoVideoError(f"{self._folder.place}/clips/{path.name}: {rows}; run again to resume")
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
                self._folder.remove_part("frames", name)
            self._drop_pictures()

    def _check_frames(self, part: str, path: Path | None, rows: list[ClipScore]) -> None:
        """Rows whose frames are not all there are no results."""
        expected = sum(clip.frames for clip in rows)
        try:
            if path is None and expected:
                raise UnreadablePartError("is missing")
            if path is None or count_rows(path, FRAMES) == expected:
                return
            complete = self._whole(part, rows).clips  # more: leftovers; fewer: lost
            if len(complete) != len(rows):
                self.warn(path, UnreadablePartError("lacks rows"))
        except UnreadablePartError as error:
            self.warn(path or self._out / "frames" / part, error)
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
        used = {clip.result_id for clip in self.rows.rows()}
        used |= {m.encode.split("/")[1] for c in self.rows.rows() for m in c.moments if m.encode.count("/") > 1}
        used |= {r.clip.result_id for results in moving.unfinished(self._folder).values() for r in results}
        self._folder.drop_pictures(name for name in self._folder.pictured() if name not in used)

    def _settle(self, part: str, clips: list[ClipScore]) -> None:
        """As `keep`, but a reader only forgets the other rows."""
        if self.read_only:
            self.rows.put(part, clips)
        else:
            self.keep(part, clips)

    def _whole(self, part: str, clips: Sequence[ClipScore]) -> Carried:
        """These rows with their frames; without the rows whose frames are not all there."""
        table = self._frame_table(part, clips)
        counted = pc.value_counts(row_keys(table))
        have = dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
        return Carried(list(clips), table).only([clip for clip in clips if have.get(row_key(clip), 0) == clip.frames])

    def _frame_table(self, part: str, clips: Sequence[ClipScore]) -> pa.Table:
        """Rows of `frames` of these rows; none, and a warning, where the part cannot be read.

        Raises:
            YotoVideoError: it is there and cannot be read just now, and would be written anew without what it holds.
        """
        wanted = [row_key(clip) for clip in clips if clip.frames]
        if not wanted:
            return FRAMES.empty_table()
        path = self._out / "frames" / part
        try:
            table = read_part(path, FRAMES)
        except UnreadablePartError as error:
            if isinstance(error, UnreachablePartError) and not self.read_only:
                raise YotoVideoError(f"{self._folder.place}/frames/{part}: {error}; run again to resume") from None
            self.warn(path, error)
            return FRAMES.empty_table()
        return table.filter(pc.is_in(row_keys(table), pa.array(wanted, pa.string()))).cast(FRAMES)  # others: leftovers

    def _write_clips(self, part: str, clips: list[ClipScore]) -> None:
        if clips:
            self._folder.write_part("clips", part, clip_rows(clips))
        else:
            self._folder.remove_part("clips", part)
        self.rows.put(part, clips)


def _read_clips(path: Path) -> tuple[list[ClipScore], bool] | UnreadablePartError:
    """The rows of a part, and whether an older version of the tables wrote some of them."""
    try:
        table = read_part(path, CLIPS)
        return clips_of(table), any((v or 0) < SCHEMA_VERSION for v in table["schema_version"].to_pylist())
    except UnreadablePartError as error:
        return error
