"""Small videos of scenes that can be told from each other by their pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from yoto_video.pipeline.values import VideoRef


def scene(
    path: Path,
    seed: int,
    size: tuple[int, int] = (160, 90),
    *,
    codec: str = "libx264",
    crf: int = 23,
    fps: int = 12,
    seconds: float = 3.0,
    moves: bool = True,
    level: float = 1.0,
) -> VideoRef:
    """Encode blobs that drift over each other; `seed` is the content."""
    rng = np.random.default_rng(seed)
    centre, speed, weight = rng.random((6, 2)), rng.normal(0, 0.25, (6, 2)), rng.normal(0, 90, 6)
    width, height = size
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options={"crf": str(crf), "preset": "ultrafast", "g": "8"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i in range(round(seconds * fps)):
            time = i / fps if moves else 0.0
            at = centre + speed * time
            light = sum(
                w * np.exp(-(((x - a) % 1 - 0.5) ** 2 + ((y - b) % 1 - 0.5) ** 2) * 25)
                for (a, b), w in zip(at, weight, strict=True)
            )
            gray = np.clip(128 + light, 16, 235) * level
            frame = av.VideoFrame.from_ndarray(np.repeat(gray.astype(np.uint8)[:, :, None], 3, axis=2), "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return VideoRef(str(path))
