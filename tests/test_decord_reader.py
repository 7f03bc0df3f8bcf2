"""decord: the same frames where it is used, and PyAV in its place where it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from yoto_video.pipeline import decode

from . import clips
from .decoding import look, numbers, read


@pytest.mark.parametrize(
    ("name", "most"), [("h264.mp4", 2.0), ("h264_fragmented.mp4", 2.0), ("prores.mov", 2.0), ("h264_10bit.mp4", 2.0)]
)
def test_decord_gives_the_same_frames(name: str, most: float, made: Any) -> None:
    pytest.importorskip("decord", reason="decord has no build for this system")
    ref, info, _ = look(made(name))
    assert decode.choose_decoder(ref, info, "decord") == ("decord", decode.DECORD)
    wanted = [0, 3, 17, 29]
    ours, theirs = read(ref, wanted), read(ref, wanted, decoder="decord")
    assert [(f.index, f.pts_s) for f in ours] == [(f.index, f.pts_s) for f in theirs]
    assert numbers(theirs) == wanted
    for a, b in zip(ours, theirs, strict=True):
        assert np.abs(a.rgb.astype(int) - b.rgb).mean() < most


@pytest.mark.parametrize("name", ["coffee_720p.mp4", "bedroom_540p.mp4", "bigbuckbunny_720p.mp4"])
def test_decord_agrees_on_real_video(name: str, data_dir: Path) -> None:
    """Stated and unstated matrices: at most 2 of 255 levels apart on average."""
    pytest.importorskip("decord", reason="decord has no build for this system")
    path = data_dir / "clips" / "sdr" / name
    for a, b in zip(read(path, [1, 60]), read(path, [1, 60], decoder="decord"), strict=True):
        assert np.abs(a.rgb.astype(int) - b.rgb).mean() < 2
        assert np.abs(a.rgb.mean(axis=(0, 1)) - b.rgb.mean(axis=(0, 1))).max() < 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("h264.ts", "MP4 and MOV files only"),
        ("h264_open_gop.mp4", "open groups of pictures"),
        ("hevc_open_gop.mp4", "open groups of pictures"),
        ("h264_edit_list.mp4", "edit lists"),
        ("vp9.webm", "does not decode vp9"),
        ("av1.mp4", "does not decode av1"),
    ],
)
def test_decord_is_not_used_where_it_is_wrong(name: str, reason: str, made: Any) -> None:
    pytest.importorskip("decord", reason="decord has no build for this system")
    ref, info, times = look(made(name))
    chosen, note = decode.choose_decoder(ref, info, "decord")
    assert chosen == "pyav"
    assert note is not None
    assert note.startswith("read with PyAV, not decord: ")
    assert reason in note
    wanted = [1, len(times) - 1]
    hidden = clips.KINDS[name].get("first", 0)
    assert numbers(read(ref, wanted, decoder="decord")) == [k + hidden for k in wanted]
