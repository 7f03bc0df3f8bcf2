"""Combed pictures that are marked progressive are told; fine detail, motion and what is deinterlaced are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from yoto_video.pipeline import combs
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipScore, Ladder, Rendition, VideoRef

from . import clips
from .fakes import FakeJudge
from .scene import scene

SIZE = (320, 180)
MADE: dict[str, Any] = {"size": SIZE, "frames": 75, "matrix": "bt709", "range": "tv"}
GOOD = {"preset": "veryfast", "crf": "18"}


def moving(number: int, _width: int, _height: int) -> Any:
    return scene(number / 25, pan=200)


def woven(number: int, width: int, height: int) -> Any:
    picture = moving(number, width, height).copy()
    picture[0::2] = scene((number + 0.5) / 25, pan=200)[0::2]
    return picture


def striped(number: int, width: int, height: int) -> Any:
    """Blinds, one line wide, that move sideways with all else."""
    picture = moving(number, width, height).copy()
    picture[40:120:2, 60 + number : 200 + number] = 220
    picture[41:120:2, 60 + number : 200 + number] = 60
    return picture


def falling(number: int, width: int, height: int) -> Any:
    """Fine detail that falls by a line a frame: of no two pictures the fields, woven, alternate."""
    rng = np.random.default_rng(1)
    lines = np.kron(rng.integers(40, 220, (height + 80, width // 8)), np.ones((1, 8)))
    return np.repeat(lines[80 - number : 80 - number + height, :, None], 3, axis=2).astype(np.uint8)


def row(path: Path) -> ClipScore:
    ladder = Ladder("t", (Rendition(VideoRef(str(path))),))
    (result,) = measure_ladder(ladder, FakeJudge(), Settings()).results
    return result.clip


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le", "yuv422p"])
def test_combed_pictures_that_are_marked_progressive_are_told(tmp_path: Path, pixels: str) -> None:
    path = clips.make(tmp_path / "a.mp4", picture=woven, pix_fmt=pixels, options=GOOD, **MADE)
    assert combs.FOUND in row(path).findings


def test_in_a_video_of_key_frames_alone_too(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mp4", picture=woven, options=GOOD, gop=1, **MADE)
    assert combs.FOUND in row(path).findings


@pytest.mark.parametrize("gop", [1, 12])
@pytest.mark.parametrize(
    ("picture", "options"),
    [(moving, {}), (striped, {}), (falling, {}), (woven, {"x264-params": "interlaced=1"})],
    ids=["progressive", "fine detail", "detail that moves by lines", "deinterlaced"],
)
def test_others_are_not(tmp_path: Path, picture: Any, options: dict[str, str], gop: int) -> None:
    path = clips.make(tmp_path / "a.mp4", picture=picture, options=GOOD | options, gop=gop, **MADE)
    assert combs.FOUND not in row(path).findings


def test_what_is_not_suspect_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combs, "packet_table", lambda *_, **__: pytest.fail("opened"))
    assert not combs.are_shown(VideoRef("/a.mp4"), {})
    assert not combs.are_shown(VideoRef("/a.mp4"), dict.fromkeys(range(3), 0.5))
    assert not combs.are_shown(VideoRef("/a.mp4"), dict.fromkeys(range(50), 0.001))
