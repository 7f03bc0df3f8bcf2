"""Folders of videos as people have them, and plans to look at."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from yoto_video.pipeline.discover import Plan
from yoto_video.pipeline.values import Ladder, VideoRef


def put(root: Path, *files: str) -> Path:
    """Files that hold no video: what their names say is all there is to group by."""
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0")
    return root


def clip(
    path: Path, seed: int, size: tuple[int, int] = (96, 54), *, crf: int = 25, seconds: float = 2.0,
    black: tuple[float, float] = (0.0, 0.0),
) -> Path:  # fmt: skip
    """A small moving scene; `seed` is the content, `black` are seconds from and up to which nothing is seen of it."""
    rng = np.random.default_rng(seed)
    big = rng.integers(30, 220, (9, 48), np.uint8)
    rows, columns = np.arange(size[1]) * 9 // size[1], np.arange(size[0]) * 16 / size[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": str(crf), "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        for i in range(round(seconds * 10)):
            window = big[rows][:, (columns + i * 1.2).astype(int) % 48]  # a wall of patches that passes by
            if black[0] <= i / 10 < black[1]:
                window = np.zeros_like(window)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.repeat(window[:, :, None], 3, axis=2)), "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def shape(plan: Plan) -> dict[str, tuple[str, str | None, list[str]]]:
    """Ladders as name -> (grouped by, master, encodes), paths relative to the root."""

    def short(ref: VideoRef) -> str:
        return ref.path.removeprefix(plan.root + "/")

    return {
        ladder.name: (
            ladder.grouped_by,
            None if ladder.master is None else short(ladder.master),
            sorted(short(r.video) for r in ladder.renditions),
        )
        for ladder in plan.ladders
    }


def all_paths(ladders: Iterable[Ladder]) -> list[str]:
    return [ref.path for ladder in ladders for ref in ladder.videos]


MPD = """<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period>
<AdaptationSet mimeType="video/mp4"><SegmentTemplate media="$RepresentationID$/$Number$.m4s"
 initialization="$RepresentationID$/init.mp4" duration="1"/>
<Representation id="hi" width="96" height="54" bandwidth="200000"/>
<Representation id="lo" height="36" bandwidth="100000"/>
</AdaptationSet></Period></MPD>"""
SEGMENTS = [f"{folder}/{name}" for folder in ("hi", "lo") for name in ("init.mp4", "1.m4s", "2.m4s")]
