"""Results on their way from one part to another: a run that is killed meanwhile leaves them in neither.

They are noted beside the data sets first, and taken up from there by the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from .carried import row_key, row_keys
from .convert import clip_rows, clips_of, frame_rows, frames_of
from .folder import ResultsFolder
from .parts import UnreadablePartError, read_part
from .results_folder import MOVING
from .schema import CLIPS, FRAMES
from .values import ClipResult, FrameScore


def begin(folder: ResultsFolder, results: Sequence[ClipResult]) -> None:
    """Note results that are about to leave their parts."""
    folder.write_part(MOVING, "frames.parquet", frame_rows(results))
    folder.write_part(MOVING, "clips.parquet", clip_rows([result.clip for result in results]))


def end(folder: ResultsFolder) -> None:
    """They have arrived."""
    folder.remove_part(MOVING, "clips.parquet")
    folder.remove_part(MOVING, "frames.parquet")


def finish(folder: ResultsFolder, commit: Callable[[str, Sequence[ClipResult]], object]) -> None:
    """Put what a run that was killed had noted in its place: `commit` is given each ladder with its results."""
    for ladder, results in unfinished(folder).items():
        commit(ladder, results)
    end(folder)


def unfinished(folder: ResultsFolder) -> dict[str, list[ClipResult]]:
    """By ladder, results that a run which was killed had noted, to be put in their place."""
    found: dict[str, list[ClipResult]] = {}
    with suppress(UnreadablePartError):  # not there, or not all of it: nothing was taken yet
        clips = clips_of(read_part(folder.out / MOVING / "clips.parquet", CLIPS))
        frames: dict[str, list[FrameScore]] = {}
        table = read_part(folder.out / MOVING / "frames.parquet", FRAMES)
        for key, frame in zip(row_keys(table).to_pylist(), frames_of(table), strict=True):
            frames.setdefault(key, []).append(frame)
        for clip in clips:
            found.setdefault(clip.ladder, []).append(ClipResult(clip, tuple(frames.get(row_key(clip), ()))))
    return found
