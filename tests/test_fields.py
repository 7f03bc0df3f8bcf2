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
from yoto_video.models.judge import Judge
from yoto_video.pipeline import decode, fields, probe
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

from . import clips
from .decoding import look, read
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
    # What is laid over a master is what is judged, not two moments in one.
    luma, woven_luma = (dict(decode.read_luma(ref, i, wanted, SIZE)) for i in (info, replace(info, interlaced=False)))

    def like(picture: Any, number: int) -> float:
        return float(np.corrcoef(picture.ravel(), (shown[number] @ (0.2126, 0.7152, 0.0722)).ravel())[0, 1])

    for number in wanted:
        assert like(luma[number], number) > like(woven_luma[number], number) + 0.01


def test_progressive_pictures_in_an_interlaced_stream_are_left_alone(tmp_path: Path) -> None:
    made: dict[str, Any] = {"size": SIZE, "frames": 8, "picture": whole, "matrix": "bt709"}
    ref = VideoRef(str(clips.make(tmp_path / "p.ts", options=INTERLACED, **made)))
    info = probe.probe(ref)
    assert info.interlaced
    for shown in decode.read_frames(ref, info, [2, 7]):
        assert np.abs(shown.rgb - whole(shown.index, *SIZE).astype(float)).mean() < 4


def test_fields_that_begin_later_are_found(tmp_path: Path, judge: Judge) -> None:
    made: dict[str, Any] = {"size": SIZE, "frames": 12, "matrix": "bt709", "tick": Fraction(1, 25), "gop": 6}
    first = clips.make(tmp_path / "p.ts", picture=whole, options=INTERLACED | {"x264-params": "bframes=0"}, **made)
    then = clips.make(tmp_path / "i.ts", picture=woven, options=INTERLACED, times=range(12, 24), **made)
    (tmp_path / "both.ts").write_bytes(first.read_bytes() + then.read_bytes())
    ref, info, times = look(tmp_path / "both.ts")
    assert not info.interlaced
    assert len(times) == 24
    alone = {f.index: f.rgb for f in read(first)} | {f.index + 12: f.rgb for f in read(then)}
    for wanted, since in ((range(24), 12), ([3, 15, 20], 15), ([18], 18), ([0, 7], None)):
        for cores in (1, 3):
            marked: set[Fraction] = set()
            shown = list(decode.read_frames(ref, info, wanted, cores=cores, interlaced=marked))
            assert [f.index for f in shown] == list(wanted)
            assert (times.index(min(marked)) if marked else None) == since
            for f in shown:  # the first of the second part has a picture beside it here
                assert f.index == 12 or np.array_equal(f.rgb, alone[f.index]), (cores, f.index)
    (row,) = measure_ladder(Ladder("l", (Rendition(ref),)), judge, Settings(crops=2, fps=25)).results
    assert [f.sentence for f in row.clip.findings if f.kind == "interlaced"] == [fields.SAID_OF_A_PART.format(0.48)]


def test_a_picture_too_small_for_the_filter_is_shown_as_it_is() -> None:
    small = frame(np.zeros((4, 4, 3), np.uint8), 0)
    assert fields.deinterlaced([small], 0) is small
    assert fields.film([small], 0) is small
