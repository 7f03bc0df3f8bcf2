"""The packets' table where containers say too little, or what is not so: key frames, times, beginnings."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from yoto_video.pipeline import bitstream, packet_times
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.values import VideoRef

from . import clips, field_pairs
from .decoding import look, numbers, read


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


def unstamped(path: Path, kept: int) -> None:
    """Leave a transport stream's video the time stamps of every so many pictures only."""
    data, at, count = bytearray(path.read_bytes()), 0, 0
    while (at := data.find(b"\x00\x00\x01\xe0", at)) >= 0:
        length = {2: 5, 3: 10}[data[at + 7] >> 6]
        if count % kept:
            data[at + 7] &= 0x3F
            data[at + 9 : at + 9 + length] = b"\xff" * length
        at, count = at + 9, count + 1
    path.write_bytes(data)


def stamped_as_stored(path: Path, made: Path) -> Path:
    """A copy whose packets have the times of their places in the file, as writers give that know of no reordering."""
    with av.open(str(made)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            packet.pts = packet.dts = number * packet.duration
            packet.stream = stream
            target.mux(packet)
    return path


def every_frame_and_any_few(path: Path, doubt: str, first: int = 0) -> None:
    """Frames of 25 a second are all there, once, in order, at their times, also when few are asked for."""
    ref, _, times = look(path)
    assert packet_table(ref).doubt == doubt
    assert [time - times[0] for time in times] == [Fraction(k, 25) for k in range(len(times))]
    for wanted in (range(len(times)), [5], [1, 7, len(times) - 1]):
        frames = read(ref, list(wanted), cores=2)
        assert [frame.index for frame in frames] == list(wanted)
        assert numbers(frames) == [first + index for index in wanted]


_B = {"x264-params": "bframes=3:b-adapt=0:scenecut=0"}


@pytest.mark.parametrize("name", ["a.mxf", "a.mkv", "a.mp4"])
def test_times_that_contradict_the_order_of_frames(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if path.suffix == ".mxf":
        clips.make(path, options=_B)
    else:
        stamped_as_stored(path, clips.make(tmp_path / "made.mp4", options=_B))
    every_frame_and_any_few(path, packet_times.CONTRADICTED)


def test_times_that_were_made_up_for_a_raw_stream(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.m1v", codec="mpeg1video", b_frames=2, format="mpeg1video")
    every_frame_and_any_few(path, packet_times.UNTIMED)


@pytest.mark.parametrize("kept", [2, 3])
def test_pictures_without_time_stamps_of_a_transport_stream(kept: int, tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.ts", options=_B)
    unstamped(path, kept)
    every_frame_and_any_few(path, packet_times.FILLED if kept == 2 else packet_times.UNTIMED)


def test_avi_is_not_said_to_lack_times(tmp_path: Path) -> None:
    table = packet_table(VideoRef(str(clips.make(tmp_path / "a.avi", options=_B))))
    assert table.counted
    assert table.doubt is None


def test_pictures_without_time_stamps_of_a_program_stream(tmp_path: Path) -> None:
    def noisy(number: int, width: int, height: int) -> Any:
        noise = np.random.default_rng(number).integers(-40, 40, (height, width, 3))
        return np.clip(clips.numbered(number, width, height) + noise, 0, 255).astype(np.uint8)

    # Pictures of about 2 KB, a packet of its packs: some begin in one that has its time stamp from another.
    path = clips.make(tmp_path / "a.mpg", options=_B | {"crf": "24"}, picture=noisy, format="vob")
    every_frame_and_any_few(path, packet_times.FILLED)


_OPEN = {
    "a.ts": {"codec": "mpeg2video", "b_frames": 2, "gop": 8},
    "h264.ts": {"options": {"x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=8:scenecut=0"}},
    "hevc.ts": {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=8:min-keyint=8:bframes=3"}},
    "a.m2v": {"codec": "mpeg2video", "b_frames": 2, "gop": 8, "format": "mpeg2video"},
    "a.hevc": {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=8:min-keyint=8:bframes=3"}},
}


@pytest.mark.parametrize("name", _OPEN)
def test_a_stream_whose_beginning_is_cut_off_begins_with_the_first_frame_that_is_whole(
    name: str, tmp_path: Path
) -> None:
    path = clips.make(tmp_path / name, frames=40, **_OPEN[name])
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 4 // 188 * 188 :])
    _, info, times = look(path)
    frames = read(path)
    first = clips.number_of(frames[0].rgb)
    assert 4 < first < 24
    assert numbers(frames) == list(range(first, 40))
    assert [frame.index for frame in frames] == list(range(len(times)))
    assert numbers(read(path, [3, len(times) - 1])) == [first + 3, 39]
    assert info.duration_s == pytest.approx(len(times) / 25)


def test_after_a_loss_pictures_with_time_stamps_tell_their_numbers(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.ts", options=_B)
    whole = packet_table(VideoRef(str(path)))
    stamped = int(whole.order[20]) // 2 * 2  # every second one in the file will be
    place = whole.order.tolist().index(stamped)
    unstamped(path, 2)
    table = packet_table(VideoRef(str(path)))
    assert table.number(stamped, 7, lost=False) == 7
    assert table.number(stamped, 7, lost=True) == place
    assert table.number(stamped + 1, 7, lost=True) == 7


def test_fields_in_packets_of_their_own_are_one_picture(tmp_path: Path) -> None:
    field_pairs.write(tmp_path / "pairs.ts", 30)
    ref = VideoRef(str(tmp_path / "pairs.ts"))
    table = packet_table(ref)
    assert len(table.pts) == 60
    assert [time - table.times[0] for time in table.times] == [Fraction(k, 25) for k in range(30)]
    assert (table.fps, table.duration_s, table.counted, table.doubt) == (25, Fraction(30, 25), False, None)
    whole = {frame.index: frame.rgb.tobytes() for frame in read(Path(ref.path))}
    assert sorted(whole) == list(range(30))
    assert len(set(whole.values())) == 30
    for wanted in ([5], [11, 23], [3, 4, 29]):
        assert [frame.rgb.tobytes() for frame in read(Path(ref.path), wanted)] == [whole[index] for index in wanted]
