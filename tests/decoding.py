"""Clips looked at and decoded as the pipeline does it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from yoto_video.pipeline import decode, probe
from yoto_video.pipeline.values import Frame, VideoInfo, VideoRef

from . import clips


def look(path: Path | str | VideoRef) -> tuple[VideoRef, VideoInfo, list[Fraction]]:
    ref = path if isinstance(path, VideoRef) else VideoRef(str(path))
    info = probe.probe(ref)
    return ref, info, decode.frame_times(ref, info)


def read(path: Path | str | VideoRef, indices: Sequence[int] | None = None, **options: Any) -> list[Frame]:
    ref, info, times = look(path)
    return list(decode.read_frames(ref, info, range(len(times)) if indices is None else indices, **options))


def numbers(frames: Sequence[Frame]) -> list[int]:
    return [clips.number_of(frame.rgb) for frame in frames]


def probed(path: Path | str) -> VideoInfo:
    return probe.probe(VideoRef(str(path)))
