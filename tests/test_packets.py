"""The packets' table where containers say too little, or what is not so: key frames, times, beginnings."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from yoto_video.pipeline import bitstream
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.values import VideoRef

from . import clips
from .decoding import read


@pytest.mark.parametrize("codec", ["mpeg4", "mpeg2video", "h263"])
def test_key_frames_are_believed_by_their_pictures_where_all_packets_are_marked(codec: str, tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mov", codec=codec, size=(176, 144), gop=10, b_frames=0)
    path.write_bytes(path.read_bytes().replace(b"stss", b"free"))  # the list of key frames
    table = packet_table(VideoRef(str(path)))
    assert table.key.all()
    assert table.afresh.nonzero()[0].tolist() == [0, 10, 20]
    whole = {frame.index: frame.rgb.tobytes() for frame in read(path)}
    for wanted in ([7], [5, 18, 29]):
        assert [frame.rgb.tobytes() for frame in read(path, wanted)] == [whole[index] for index in wanted]


@pytest.mark.parametrize(("packet", "afresh"), [
    ("0000 01b6 10", True), ("0000 01b6 50", False), ("0000 01b6 10 0000 01b6 90", False),  # I, P, I with a B packed
    ("", False), ("0000 01b6", False),
])  # fmt: skip
def test_mpeg4_pictures(packet: str, afresh: bool) -> None:
    assert bitstream.starts_afresh("mpeg4", bytes.fromhex(packet), None) == afresh


def test_matroska_times_that_fall_where_frames_are_reordered_do_not_start_anew(tmp_path: Path) -> None:
    options = {"x264-params": "bframes=8:b-adapt=0:scenecut=0"}
    path = clips.make(tmp_path / "a.mkv", rate=Fraction(10), gop=20, options=options)
    # No VVC encoder is at hand: of this codec, too, FFmpeg takes times of presentation for those of decoding.
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/MS/V3".ljust(15, b"\0")))
    table = packet_table(VideoRef(str(path)))
    assert table.joins == 0
    assert table.times == [Fraction(k, 10) for k in range(30)]
