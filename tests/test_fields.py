"""Interlaced streams: two moments in a picture are told apart, one moment is left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from yoto_video.pipeline import decode, fields, probe
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.values import VideoRef

from . import clips
from .scene import scene

SIZE = (320, 180)
INTERLACED = {"x264-params": "interlaced=1", "crf": "12", "preset": "veryfast"}


def woven(number: int, _width: int, _height: int) -> Any:
    """25 frames a second of 50 fields: even lines are a fiftieth of a second later, as the encoder marks them."""
    picture, later = scene(number / 25, pan=400), scene((number + 0.5) / 25, pan=400)
    picture[0::2] = later[0::2]
    return picture


def whole(number: int, _width: int, _height: int) -> Any:
    return scene(number / 25, pan=400)


def frame(picture: Any, number: int) -> av.VideoFrame:
    made = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(format="yuv420p")
    made.pts, made.time_base = number, Fraction(1, 25)
    return made


@pytest.mark.parametrize(("draw", "combed"), [(woven, True), (whole, False)])
def test_pictures_of_two_moments_are_known(draw: Callable[..., Any], combed: bool) -> None:
    for at in (3, 20, 40):
        shown = [frame(draw(n, *SIZE), n) for n in (at - 1, at, at + 1)]
        assert fields.is_combed(shown, 1) == combed
        assert fields.is_combed(shown[1:], 0) == fields.is_combed(shown[:2], 1) == combed
        assert fields.is_combed([shown[1]], 0) == combed


def lined(picture: Any) -> Any:
    """With detail as fine as lines are, where it is bright."""
    bright = picture.mean(axis=2, keepdims=True) > 150
    return np.where(bright & (np.arange(SIZE[1]) % 2 == 0)[:, None, None], picture // 2, picture)


def test_fine_detail_is_not_taken_for_two_moments() -> None:
    shown = [frame(lined(whole(n, *SIZE)), n) for n in (19, 20, 21)]
    assert fields.is_combed([shown[1]], 0)  # by itself it could be
    assert not fields.is_combed(shown, 1)
    assert fields.deinterlaced(shown, 1) is shown[1]


def test_an_interlaced_stream_looks_like_its_progressive_original(tmp_path: Path) -> None:
    size: dict[str, Any] = {"size": SIZE, "frames": 12, "options": INTERLACED, "matrix": "bt709"}
    ref = VideoRef(str(clips.make(tmp_path / "i.ts", picture=woven, **size)))
    info = probe.probe(ref)
    assert info.interlaced
    assert Finding(fields.SAID, "interlaced") in info.notes
    wanted = [0, 4, 5, 11]
    shown = {f.index: f.rgb for f in decode.read_frames(ref, info, wanted)}
    as_stored = {f.index: f.rgb for f in decode.read_frames(ref, replace(info, interlaced=False), wanted)}
    assert list(shown) == wanted

    def off(picture: Any, number: int) -> float:
        difference = picture.astype(float).mean(axis=2) - whole(number, *SIZE).mean(axis=2)
        return float(np.abs(difference[0::2]).mean())  # the lines that are of another moment

    for number in wanted:
        assert off(shown[number], number) < 0.6 * off(as_stored[number], number)


def test_progressive_pictures_in_an_interlaced_stream_are_left_alone(tmp_path: Path) -> None:
    made: dict[str, Any] = {"size": SIZE, "frames": 8, "picture": whole, "matrix": "bt709"}
    ref = VideoRef(str(clips.make(tmp_path / "p.ts", options=INTERLACED, **made)))
    info = probe.probe(ref)
    assert info.interlaced
    for shown in decode.read_frames(ref, info, [2, 7]):
        assert np.abs(shown.rgb - whole(shown.index, *SIZE).astype(float)).mean() < 4


def test_a_picture_too_small_for_the_filter_is_shown_as_it_is() -> None:
    small = frame(np.zeros((4, 4, 3), np.uint8), 0)
    assert fields.deinterlaced([small], 0) is small
    assert fields.film([small], 0) is small
