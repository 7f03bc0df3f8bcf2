"""Stand-ins for unit tests: a judge that needs no weights, and videos that need no files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from yoto_video.models.own_raster import NONE
from yoto_video.pipeline import decode, probe, storage, telecine
from yoto_video.pipeline.cadence import Rhythm
from yoto_video.pipeline.errors import BrokenVideo
from yoto_video.pipeline.values import Frame, VideoInfo, VideoRef


class FakeJudge:
    """Scores by arithmetic: NR is 100 for a sharp picture, FR is 100 for an equal one. Counts what it is asked for."""

    model_name = "fake"
    model_sha256 = "0" * 64
    engine = "none"
    fallback: str | None = None
    sees_own = False
    fold = 0  # rated contents it never saw

    def __init__(self) -> None:
        self.encoded = 0  # frames
        self.calls: list[int] = []  # frames of each call to encode
        self.sizes: set[tuple[int, int]] = set()  # (height, width) seen

    def encode(self, frames: Sequence[Any], turns: Sequence[int | None] | None = None) -> list[Any]:
        self.encoded += len(frames)
        self.calls.append(len(frames))
        self.sizes |= {f.shape[:2] for f in frames}
        return [f.astype(np.float32).mean(axis=2) for f in frames]

    def nr(self, encoded: Sequence[Any]) -> list[float]:
        return [float(min(100.0, 4 * np.abs(np.diff(gray, axis=1)).mean())) for gray in encoded]

    def fr(self, encoded: Sequence[Any], references: Sequence[Any]) -> list[float]:
        return [float(max(0.0, 100 - np.abs(x - y).mean())) for x, y in zip(encoded, references, strict=True)]

    def say(self, encoded: Sequence[Any], references: Sequence[Any] | None = None) -> list[Any]:
        return self.nr(encoded) if references is None else self.fr(encoded, references)

    def joined(self, said: Any, before: Any) -> Any:
        return said

    def own(self, pictures: Sequence[Any], octaves: Sequence[float]) -> list[Any]:
        return [NONE] * len(pictures)

    def score(self, said: Any) -> float:
        return float(said)

    def features(self, pictures: Sequence[Any]) -> Any:
        return np.stack([picture.mean(axis=2).ravel() for picture in pictures]).astype(np.float32)

    def heat_map(self, frame: Any, reference: Any = None) -> Any:
        rows, columns = -(-frame.shape[0] // 32), -(-frame.shape[1] // 32)
        return np.linspace(20, 80, rows * columns, dtype=np.float32).reshape(rows, columns)


def load_elsewhere(meanwhile: Callable[[Sequence[Any]], None]) -> Callable[[object], FakeJudge]:
    """What loads a FakeJudge in workers, which cannot import this file: it travels by value.

    `meanwhile` is called with the frames of each call to encode, and has to be a function made in a function.
    """
    from ray import cloudpickle

    class Judge(FakeJudge):
        engine = "somewhere"

        def encode(self, frames: Sequence[Any], turns: Sequence[int | None] | None = None) -> list[Any]:
            meanwhile(frames)
            return super().encode(frames, turns)

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    return lambda _: Judge()


def info(width: int = 64, height: int = 48, **changes: Any) -> VideoInfo:
    """What probing an ordinary SDR video gives."""
    values: dict[str, Any] = {
        "codec": "h264", "coded_width": width, "coded_height": height, "width": width, "height": height,
        "fps": Fraction(25), "duration_s": 4.0, "start_time_s": 0.0, "bitrate_kbps": 1000.0,
        "pixel_format": "yuv420p", "bit_depth": 8,
        "color_space": "bt709", "color_range": "tv", "color_transfer": "bt709",
    }  # fmt: skip
    return VideoInfo(**(values | changes))


def times(count: int, fps: Fraction | int = 25, start: Fraction | int = 0) -> list[Fraction]:
    """Presentation times at a constant rate."""
    return [start + Fraction(i) / fps for i in range(count)]


def picture(content: float, noise: int, width: int, height: int) -> Any:
    """A picture whose columns say the instant, with a checker of the given strength: equal arguments, equal pixels."""
    base = (np.arange(width) * 3 + 40 * content) % 200
    checker = noise * ((np.arange(width)[None] + np.arange(height)[:, None]) % 2)
    gray = np.clip(base[None] + checker, 0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


@dataclass
class FakeVideo:
    """A video without a file. `draw(instant in seconds, width, height)` gives its pictures."""

    times: list[Fraction]
    info: VideoInfo = field(default_factory=info)
    noise: int = 0
    probe_error: Exception | None = None
    times_error: Exception | None = None
    breaks_at: int | None = None  # frame from which on decoding fails with `decode_error`
    decode_error: Exception | None = None
    missing: frozenset[int] = frozenset()  # frames that do not come
    draw: Callable[[float, int, int], Any] | None = None


class FakeVideos:
    """The media of a test: put in place of probe, decode and storage."""

    def __init__(self, videos: dict[str, FakeVideo], monkeypatch: pytest.MonkeyPatch) -> None:
        self.videos = videos
        self.read: list[str] = []  # paths that were decoded
        self.alive = 0  # streams open now
        monkeypatch.setattr(probe, "probe", self._probe)
        monkeypatch.setattr(decode, "frame_times", self._frame_times)
        monkeypatch.setattr(decode, "rhythm", lambda ref, info, **_: Rhythm.of_times(self.videos[ref.path].times))
        monkeypatch.setattr(telecine, "is_woven", lambda ref, **_: False)
        monkeypatch.setattr(decode, "read_frames", self._read_frames)
        monkeypatch.setattr(decode, "read_luma", self._read_luma)
        instead = ("pyav", "read with PyAV, not decord: there is no file")
        monkeypatch.setattr(decode, "choose_decoder", lambda *_, **__: instead)
        monkeypatch.setattr(storage, "content_id", lambda ref, **_: f"content of {ref.path}")

    def _probe(self, ref: VideoRef, **_: Any) -> VideoInfo:
        video = self.videos[ref.path]
        if video.probe_error is not None:
            raise video.probe_error
        return video.info

    def _frame_times(self, ref: VideoRef, info: VideoInfo, **_: Any) -> list[Fraction]:
        video = self.videos[ref.path]
        if video.times_error is not None:
            raise video.times_error
        return video.times

    def _read_luma(
        self, ref: VideoRef, info: VideoInfo, indices: Sequence[int], size: tuple[int, int], **_: Any
    ) -> Iterator[tuple[int, Any]]:
        video = self.videos[ref.path]
        for index in sorted(set(indices)):
            if video.breaks_at is not None and index >= video.breaks_at:
                return
            if index not in video.missing:
                instant = float(video.times[index] - video.times[0])
                draw = video.draw or (lambda t, w, h: picture(t, video.noise, w, h))
                yield index, draw(instant, *size)[:, :, 1]

    def _read_frames(
        self, ref: VideoRef, info: VideoInfo, indices: Sequence[int], *, raster: tuple[int, int], **_: Any
    ) -> Iterator[Frame]:
        self.read.append(ref.path)
        video, (width, height) = self.videos[ref.path], raster
        self.alive += 1
        try:
            for index in sorted(set(indices)):
                if video.breaks_at is not None and index >= video.breaks_at:
                    raise video.decode_error or BrokenVideo(ref.path, "the file ends in the middle of a frame")
                if index in video.missing:
                    continue
                instant = float(video.times[index] - video.times[0])
                draw = video.draw or (lambda t, w, h: picture(t, video.noise, w, h))
                yield Frame(index, video.times[index], draw(instant, width, height))
        finally:
            self.alive -= 1
