"""What a result is a result of: equal ids, equal scores. Lets a second run measure only what is new or changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

from . import probe
from .errors import VideoError
from .settings import Settings
from .values import Ladder, VideoInfo

METHOD = 14  # raised when the same inputs would get other scores (sampling, pairing, scaling): old results are redone


class Size(NamedTuple):
    """A video's size as shown, where no more of it is known."""

    width: int
    height: int


def result_id(
    path: str,
    content_id: str,
    reference_content_id: str | None,
    model_sha256: str,
    settings_identity: Mapping[str, object],
    display: str,
) -> str:
    """A stable hex name for what is known of a video without a reference, or why nothing is; see `comparison_id`.

    Args:
        path: the video's canonical path.
        content_id: of its bytes; "" when they cannot be read.
        reference_content_id: of its ladder's master, which decides on its frames and display; None without one.
        model_sha256: of the network's weights.
        settings_identity: `Settings.identity()`.
        display: what decides on the display raster beside these, see `display_key`.
    """
    what = [METHOD, path, content_id, reference_content_id, model_sha256, dict(settings_identity), display]
    text = json.dumps(what, sort_keys=True).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def comparison_id(of_video: str) -> str:
    """The id of a video's comparison with its master, from the id of its score without reference."""
    return f"{of_video}-fr"


def display_raster(
    ladder: Ladder, settings: Settings, infos: Mapping[str, VideoInfo | Size | None]
) -> tuple[int, int] | None:
    """(width, height) all frames of the ladder are judged at: as asked, else the master's, else the tallest rung's.

    An encode whose master turns out to show something else is judged at its own size after all (`choose`).
    None when nothing was asked for and no video could be probed. `infos` by path: None for one that could not be.
    """
    if settings.display is not None:
        return settings.display
    master = infos.get(ladder.master.path) if ladder.master else None
    sizes = [(i.height, i.width) for v in ladder.videos if (i := infos.get(v.path)) is not None]
    if master is not None:
        return master.width, master.height
    height, width = max(sizes, default=(0, 0))
    return (width, height) if height else None


def display_key(ladder: Ladder, settings: Settings, infos: Mapping[str, VideoInfo | Size | None]) -> str:
    """What of the display raster is not already decided by a result's settings and the contents of video and master."""
    if settings.display is not None or ladder.master is not None or len(ladder.renditions) == 1:
        return ""
    raster = display_raster(ladder, settings, infos)
    return "" if raster is None else f"{raster[0]}x{raster[1]}"


def ladder_ids(
    ladder: Ladder,
    settings: Settings,
    model_sha256: str,
    *,
    content_ids: Mapping[str, str],
    infos: Mapping[str, VideoInfo | Size | None] | None = None,
) -> dict[str, str]:
    """For every video of the ladder, by path, the id of the row it has in any case: without reference, or failed.

    A comparison is committed together with that row, so a video is done when this id is known. Nothing is decoded; only
    rungs without a master are probed, where `infos` lacks them, because the tallest of them decides how all are shown.
    """
    known = dict(infos or {})
    if settings.display is None and ladder.master is None and len(ladder.renditions) > 1:
        known |= _probe_missing(ladder, known)
    key = display_key(ladder, settings, known)
    identity = settings.identity()
    reference = content_ids.get(ladder.master.path, "") if ladder.master else None
    return {
        video.path: result_id(
            video.path,
            content_ids.get(video.path, ""),
            None if video == ladder.master else reference,
            model_sha256,
            identity,
            key,
        )
        for video in ladder.videos
    }


def _probe_missing(ladder: Ladder, known: Mapping[str, VideoInfo | Size | None]) -> dict[str, VideoInfo | None]:
    found: dict[str, VideoInfo | None] = {}
    for video in ladder.videos:
        if video.path not in known:
            try:
                found[video.path] = probe.probe(video)
            except VideoError:
                continue  # says so in its row, once it is measured
    return found
