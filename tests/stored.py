"""Results to store, and what any reader has to find afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
from yoto_video.pipeline.pool import ci95, pool
from yoto_video.pipeline.schema import FRAMES
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult, ClipScore, FrameScore, Mode


def scored(path: str, mode: Mode = "nr", ladder: str = "a", content: str = "1", **changes: Any) -> ClipResult:
    """A result whose scores tell its content; its id tells file, content and mode."""
    base, pts = 10.0 * int(content, 36) % 90, [i * 0.48 for i in range(6)]
    scores = [base + (i * 7919 % 13) / 3 for i in range(6)]
    frames = tuple(FrameScore(i * 12, pts[i], scores[i], mode) for i in range(6))
    columns = {"result_id": f"{Path(path).stem}-{content}-{mode}", "content_id": content, "model": "m"} | changes
    clip = ClipScore(path, ladder, mode, "ok", pools=pool(pts, scores), ci95=ci95(scores), frames=6, **columns)
    return ClipResult(clip, frames)


def failed(path: str, ladder: str = "a", content: str = "1", retryable: bool = False) -> ClipResult:
    clip = ClipScore(path, ladder, None, "failed", "it is truncated; copy it again", content_id=content)
    return ClipResult(replace(clip, result_id=f"{Path(path).stem}-{content}-none", retryable=retryable))


def both(path: str, ladder: str = "a", content: str = "1") -> list[ClipResult]:
    return [scored(path, "nr", ladder, content), scored(path, "fr", ladder, content)]


def told(store: Store) -> set[tuple[str, str | None, str, str]]:
    return {(c.path, c.mode, c.ladder, c.content_id) for c in store.clips()}


def check_from_outside(out: Path) -> None:
    """What any reader sees: no doubles, every clip with all its frames, pools that come out again."""
    clip_files, frame_files = list((out / "clips").glob("*")), list((out / "frames").glob("*"))
    assert all(path.name.endswith(".parquet") for path in clip_files + frame_files)
    if not clip_files:
        return
    clips = ds.dataset(out / "clips").to_table().to_pylist()
    assert len({(c["path"], c["mode"]) for c in clips}) == len(clips)
    frames: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for frame in ds.dataset(out / "frames", schema=FRAMES).to_table().to_pylist():
        frames.setdefault((frame["result_id"], frame["path"], frame["mode"]), []).append(frame)
    for clip in clips:
        own = frames.get((clip["result_id"], clip["path"], clip["mode"]), [])
        assert len(own) == clip["frames"]
        if clip["status"] == "ok":
            again = pool([f["pts_time"] for f in own], [f["score"] for f in own])
            assert again == clip["pools"]
            assert clip["score"] == clip["pools"]["mean"]
