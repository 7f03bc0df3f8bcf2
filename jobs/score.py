"""One video, right here: no folder, no Ray, no store."""

from __future__ import annotations

import os
from dataclasses import replace

from ..pipeline import storage
from ..pipeline.errors import UsageError, VideoError
from ..pipeline.settings import Settings
from ..pipeline.values import ClipScore, Ladder, Rendition, VideoRef
from .dispatch import lost_row
from .log import Log
from .request import Listener
from .work import LoadJudge, Lost, Station, Task, load_judge


def score(
    path: str | os.PathLike[str],
    reference: str | os.PathLike[str] | None = None,
    settings: Settings | None = None,
    listener: Listener | None = None,
    *,
    load: LoadJudge = load_judge,
) -> tuple[list[ClipScore], dict[str, float]]:
    """Judge one video or still picture, without a reference, and with one where it is given.

    Args:
        path: file or URI.
        reference: the master it was made from.
        settings: how; the worst frames' pictures are not kept here.
        listener: told what runs the network, and the number of frames judged so far.
        load: how the network is got.

    Returns:
        One row in each mode it was scored in, or one without a mode that says why not; and seconds by stage.

    Raises:
        UsageError: a file is not there.
        YotoVideoError: the network cannot be loaded.
    """
    settings = replace(settings or Settings(), worst_frames=0)
    video = _existing(path)
    master = None if reference is None else _existing(reference, "--reference ")
    judge = load(settings)
    listener = Listener(listener or Listener(), Log())
    listener.loaded(judge)
    station = Station(settings, judge, listener.judged)
    ladder = Ladder(video.name, (Rendition(video),), master)
    outcome = station.measure(Task(ladder))
    if isinstance(outcome, Lost):
        return [lost_row(outcome.task, video.path, outcome).clip], {}
    clips = [result.clip for result in outcome.result.results]
    rows = [c for c in clips if c.path == video.path and not c.is_master]  # a video may be its own reference
    return rows, outcome.result.seconds


def _existing(path: str | os.PathLike[str], flag: str = "") -> VideoRef:
    """The video at a path; `flag` is where it was named.

    Raises:
        UsageError: there is no such file.
    """
    ref = VideoRef(storage.canonical(os.fspath(path)))
    if not storage.is_remote(ref.path) and os.path.isdir(ref.path):
        videos = "give the master itself" if flag else f"give a video, or scan it: yoto-video scan {path}"
        raise UsageError(f"{flag}{path}: is a folder; {videos}")
    try:
        storage.stat(ref.path)
    except VideoError as error:
        raise UsageError(f"{flag}{path}: {error.reason}") from None
    return ref
