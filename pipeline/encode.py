"""Making videos: one pass over a source's frames feeds every rung of a ladder. For the demo and the tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av

from .values import RGB

BT709, LIMITED = 1, 1  # FFmpeg's numbers, of the matrix and of the range


@dataclass(frozen=True)
class Rung:
    """One encode to make."""

    file: Path
    encoder: str  # FFmpeg's name: libx264, libx265, libsvtav1, libvpx-vp9
    width: int
    height: int
    kbps: int | None = None  # average rate asked for; None: constant quality, as `options` say
    options: tuple[tuple[str, str], ...] = ()  # the encoder's own, FFmpeg spelling


def encode(frames: Iterable[RGB], rungs: Sequence[Rung], *, fps: int, threads: int = 2) -> None:
    """Encode (H, W, 3) frames into every rung at once, 8-bit 4:2:0, BT.709, limited range, a key frame every 2 s.

    Only one frame is in memory at a time, besides what the encoders look ahead.
    """
    outputs = [_Output(rung, fps, threads) for rung in rungs]
    try:
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            for output in outputs:
                output.put(frame, index)
        for output in outputs:
            output.finish()
    finally:
        for output in outputs:
            output.container.close()


class _Output:
    """One rung's encoder and file."""

    def __init__(self, rung: Rung, fps: int, threads: int) -> None:
        rung.file.parent.mkdir(parents=True, exist_ok=True)
        self.rung, self.tick = rung, Fraction(1, fps)
        self.scaler = av.video.reformatter.VideoReformatter()
        self.container = av.open(str(rung.file), "w")
        # av.add_stream's type is of all kinds of streams, the encoder's name says which one it is.
        self.stream: Any = cast(Any, self.container.add_stream(rung.encoder, rate=fps, options=dict(rung.options)))
        self.stream.width, self.stream.height, self.stream.pix_fmt = rung.width, rung.height, "yuv420p"
        self.stream.gop_size = 2 * fps
        if rung.kbps is not None:
            self.stream.bit_rate = rung.kbps * 1000
        context: Any = self.stream.codec_context
        context.thread_count = threads
        context.colorspace, context.color_range = BT709, LIMITED
        context.color_primaries, context.color_trc = BT709, BT709

    def put(self, frame: av.VideoFrame, index: int) -> None:
        scaled = self.scaler.reformat(
            frame, self.rung.width, self.rung.height, "yuv420p",
            src_colorspace=BT709, dst_colorspace=BT709, dst_color_range=LIMITED, interpolation="BICUBIC",
        )  # fmt: skip
        scaled.pts, scaled.time_base = index, self.tick
        self.container.mux(self.stream.encode(scaled))

    def finish(self) -> None:
        self.container.mux(self.stream.encode(None))
