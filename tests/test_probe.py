"""Probing: what is said of each kind of file, in numbers that were measured, or in one clear sentence."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from yoto_video.pipeline import decode, fields, probe
from yoto_video.pipeline.errors import BrokenVideo, SkippedVideo
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.values import VideoRef

from . import clips, s3
from .decoding import probed

# Name: codec, size as displayed, rate, frames, pixel format, words that its notes must hold.
TORTURE: dict[str, tuple[str, tuple[int, int], str, int, str, str]] = {
    "bbb_176x144_192kbps_15fps_mpeg4.mp4": ("mpeg4", (176, 144), "15", 15, "yuv420p", ""),
    "bbb_2500ms.ts": ("mpeg2video", (1920, 1080), "24", 58, "yuv420p", ""),
    "bbb_642x642_768kbps_30fps_vp9.webm": ("vp9", (642, 642), "30", 90, "yuv420p", ""),
    "bbb_800x640_768kbps_30fps_avc_pyramid_3b.mp4": ("h264", (1138, 640), "30", 120, "yuv420p", ""),
    "bbb_800x640_768kbps_30fps_vp9.mp4": ("vp9", (1138, 640), "30", 120, "yuv420p", ""),
    "bbb_960x540_60fps_vp8.webm": ("vp9", (960, 540), "60", 60, "yuv420p", ""),
    "bt601.mp4": ("h264", (360, 240), "30000/1001", 30, "yuv420p", ""),
    "bt709_full_range.mp4": ("h264", (1280, 720), "30", 30, "yuvj420p", ""),
    "edit_list_positive_shift.mp4": ("h264", (1920, 1080), "30", 270, "yuv420p", ""),
    "h264_10bits.mp4": ("h264", (200, 200), "30", 30, "yuv420p10le", ""),
    "h265_bframes.mp4": ("hevc", (854, 480), "30", 30, "yuv420p", ""),
    "hdr10-av1.mp4": ("av1", (720, 1280), "30000/1001", 127, "yuv420p10le", "HDR (PQ)"),
    "hlg10-color-test.mp4": ("hevc", (1920, 1080), "30000/1000", 9, "yuv420p10le", "HDR (HLG)"),
    "iibbibb_editlist_videoonly.mp4": ("h264", (704, 576), "1", 12, "yuv444p", ""),
    "internal_emulator_transformer_output_270_rotated.mp4": ("h264", (720, 1280), "30000/1001", 149, "yuv420p", ""),
    "long_180p_av1.mp4": ("av1", (320, 180), "60", 21766, "yuv420p", ""),
    "sample_12_5fps_720p_1s.mp4": ("h264", (1280, 720), "25/2", 13, "yuv420p", ""),
    "sample_av1.mp4": ("av1", (1080, 720), "30000/1001", 30, "yuv420p", ""),
    "sample_empty_track.mp4": ("h264", (1080, 720), "30000/1001", 30, "yuv420p", ""),
    "sample_h262_mpeg_audio.ts": ("mpeg2video", (640, 426), "30000/1001", 3, "yuv420p", ""),
    "sample_h264_iframes_only.ts": ("h264", (854, 480), "30", 30, "yuv420p", ""),
    "sample_mdat_too_long.mp4": ("h264", (1080, 720), "30000/1001", 30, "yuv420p", ""),
    "sample_missing_stsd.mp4": ("h264", (1080, 720), "30000/1001", 30, "yuv420p", ""),
    "sample_partially_fragmented.mp4": ("h264", (1080, 720), "30000/1001", 30, "yuv420p", ""),
    "sample_portrait.mp4": ("h264", (720, 1080), "30000/1001", 30, "yuv420p", ""),
    "sample_rotate_and_reflect.mp4": ("h264", (720, 1080), "30000/1001", 30, "yuv420p", ""),
    "sample_srgb.mp4": ("h264", (1080, 720), "30000/1001", 30, "yuv420p", ""),
    "sample_with_htc_rotation_track_name.mkv": ("h264", (1080, 720), "30", 30, "yuv420p", ""),
    "sample_with_increasing_timestamps_320w_240h_5s.mp4": ("h264", (320, 240), "60", 300, "yuvj420p", ""),
    "sample_with_invalid_nalu.mp4": ("h264", (1080, 720), "30000/1001", 30, "yuv420p", ""),
    "sample_without_stss.mp4": ("h264", (1080, 720), "30000/1001", 30, "yuv420p", ""),
    "silent-black-10s.mp4": ("h264", (320, 240), "30", 300, "yuv420p", ""),
}
REFUSED = {
    "encrypted_clearkey.mp4": (BrokenVideo, "encrypted: "),
    "sample_audio_only.mp4": (SkippedVideo, "audio only: "),
    "zero_bytes.mp4": (BrokenVideo, "the file is empty (0 bytes)"),
}


@pytest.mark.parametrize("name", TORTURE)
def test_difficult_files(name: str, data_dir: Path) -> None:
    codec, size, rate, frames, pixel_format, words = TORTURE[name]
    ref = VideoRef(str(data_dir / "clips" / "torture" / name))
    info = probe.probe(ref)
    assert (info.codec, (info.width, info.height), info.pixel_format) == (codec, size, pixel_format)
    assert info.fps is not None
    assert float(info.fps) == pytest.approx(float(Fraction(rate)), rel=1e-3)
    times = decode.frame_times(ref, info)
    assert len(times) == frames
    assert float(times[0]) == pytest.approx(info.start_time_s, abs=1e-6)
    assert info.duration_s == pytest.approx(float(packet_table(ref).duration_s), rel=0.01)
    assert info.bitrate_kbps == pytest.approx(packet_table(ref).bitrate_kbps, rel=0.01)
    assert any(words in str(note) for note in info.notes) or not words


@pytest.mark.parametrize("name", REFUSED)
def test_refused_files_say_why(name: str, data_dir: Path) -> None:
    kind, words = REFUSED[name]
    with pytest.raises(kind) as error:
        probed(data_dir / "clips" / "torture" / name)
    assert words in error.value.reason
    assert "\n" not in str(error.value)


def test_the_table_holds_every_difficult_file(data_dir: Path) -> None:
    found = {file.name for file in (data_dir / "clips" / "torture").iterdir()}
    assert found == TORTURE.keys() | REFUSED.keys()


def test_dash_renditions_from_their_segments(data_dir: Path) -> None:
    folder = data_dir / "clips" / "manifests" / "dash_low_delay"
    for height, width in [("1080", 1920), ("720", 1280), ("360", 640)]:
        parts = [str(folder / height / name) for name in ("init.mp4", "1.m4s", "2.m4s", "3.m4s", "4.m4s")]
        info = probe.probe(VideoRef(f"{folder}/Manifest.mpd#{height}", tuple(parts)))
        assert (info.width, info.height, info.fps, info.duration_s) == (width, int(height), 30, 8.0)
        total = sum(os.path.getsize(part) for part in parts) * 8 / 8.0 / 1000
        assert info.bitrate_kbps == pytest.approx(total, rel=0.06)  # without the boxes around the frames


def test_the_largest_of_several_tracks_is_taken(data_dir: Path) -> None:
    info = probed(data_dir / "clips" / "sdr" / "nasa_multistream.mp4")
    assert (info.width, info.height) == (480, 270)


def test_bitrate_is_the_video_tracks_own(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv", "a.ts"):
        path = clips.make(tmp_path / name, frames=50)
        with av.open(str(path)) as container:
            size = sum(packet.size for packet in container.demux(video=0))
        assert probed(path).bitrate_kbps == pytest.approx(size * 8 / 2 / 1000)
        assert probed(path).duration_s == pytest.approx(2)


def test_a_header_that_lies_about_the_duration(tmp_path: Path) -> None:
    data = bytearray(clips.make(tmp_path / "a.mp4", frames=50).read_bytes())
    at = data.index(b"mdhd") + 4
    scale, ticks = struct.unpack(">II", data[at + 12 : at + 20])
    assert ticks == 2 * scale
    data[at + 16 : at + 20] = struct.pack(">I", 500 * scale)
    (tmp_path / "lie.mp4").write_bytes(data)
    info = probed(tmp_path / "lie.mp4")
    assert info.duration_s == pytest.approx(2)
    assert info.fps == 25


@pytest.mark.parametrize(
    ("rate", "name"), [("24000/1001", "a.mkv"), ("30000/1001", "a.ts"), ("60", "a.mkv"), ("25", "a.mp4")]
)
def test_rates_are_exact(rate: str, name: str, tmp_path: Path) -> None:
    path = clips.make(tmp_path / name, rate=Fraction(rate), frames=70, size=(32, 32))
    assert probed(path).fps == Fraction(rate)


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("hdr10-av1.mp4", "hdr", "HDR (PQ): tone-mapped from 1000 to 203 cd/m2 (BT.2390) to be judged"),
        ("hlg10-color-test.mp4", "hdr", "HDR (HLG): tone-mapped from 1000 to 203 cd/m2 (BT.2390) to be judged"),
        (
            "internal_emulator_transformer_output_270_rotated.mp4", "display_matrix",
            "turned clockwise by 270 degrees to be shown, as its display matrix asks",
        ),
        (
            "sample_rotate_and_reflect.mp4", "display_matrix",
            "mirrored and turned clockwise by 270 degrees to be shown, as its display matrix asks",
        ),
        ("iibbibb_editlist_videoonly.mp4", "edit_list", "its edit list leaves out 1 of 13 stored frames"),
    ],
)  # fmt: skip
def test_difficult_files_say_what_they_are(data_dir: Path, name: str, kind: str, sentence: str) -> None:
    notes = probed(data_dir / "clips" / "torture" / name).notes
    assert [note for note in notes if isinstance(note, Finding)] == [Finding(sentence, kind)]


def test_one_frame_is_a_still(tmp_path: Path) -> None:
    info = probed(clips.make(tmp_path / "one.mp4", frames=1))
    assert info.still
    assert info.fps is None


def test_interlaced_and_transfer_are_noted(tmp_path: Path) -> None:
    woven = clips.make(tmp_path / "i.mp4", options={"x264-params": "interlaced=1"}, frames=5)
    assert Finding(fields.SAID, "interlaced") in probed(woven).notes
    for transfer, word in [("smpte2084", "PQ"), ("arib-std-b67", "HLG")]:
        path = clips.make(
            tmp_path / "hdr.mp4", frames=3, pix_fmt="yuv420p10le", matrix="bt2020nc", range="tv", transfer=transfer
        )
        info = probed(path)
        assert (info.color_transfer, info.color_space, info.bit_depth) == (transfer, "bt2020nc", 10)
        assert any(note.kind == "hdr" and word in str(note) for note in map(Finding.of, info.notes))


def test_a_second_video_track_is_noted(tmp_path: Path) -> None:
    parts = [clips.make(tmp_path / f"{w}.mp4", size=(w, 96), frames=5) for w in (128, 192)]
    both, alone = clips.joined(tmp_path / "both.mkv", parts), clips.joined(tmp_path / "alone.mkv", parts[:1])
    info = probed(both)
    assert [n for n in info.notes if f"2 video tracks: the one of {info.width}x{info.height} is judged" in str(n)]
    assert not [n for n in probed(alone).notes if "tracks" in str(n)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize(("seconds", "more"), [(3.0, None), (5.0, None), (6.5, "2.5"), (10.0, "6.0")])
def test_sound_that_outlasts_the_pictures_is_told(name: str, seconds: float, more: str | None, tmp_path: Path) -> None:
    shown = clips.make(tmp_path / "v.mp4", frames=100)
    both = clips.joined(tmp_path / name, [shown, clips.silence(tmp_path / "s.m4a", seconds)])
    told = [note for note in probed(both).notes if isinstance(note, Finding)]
    said = f"its sound goes on for {more} s after the last picture"
    assert told == ([Finding(said, "audio", "warning")] if more else [])


def test_odd_names_open(tmp_path: Path) -> None:
    for name in ["a b.mp4", "100%25d.mp4", "x#y?z.mp4", "http:x.mp4", "é ü 日本.mp4", "-i.mp4", "'quoted'.mp4"]:
        assert probed(clips.make(tmp_path / "t.mp4", frames=2).rename(tmp_path / name)).codec == "h264"


def test_a_probe_reads_little_of_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real S3 requests: an MP4's bitrate from its index, others' estimated from their head; frames are the same."""

    def noise(number: int, width: int, height: int) -> Any:
        return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)

    folder = tmp_path / "bucket"
    folder.mkdir()
    big = {"options": {"qp": "0"}, "frames": 40, "size": (512, 512), "picture": noise}
    made = [clips.make(folder / name, **big) for name in ("first.mp4", "last.mkv")]  # type: ignore[arg-type]
    with s3.serving(tmp_path, monkeypatch) as server:
        for path in made:
            local, ref = probed(path), VideoRef(f"s3://bucket/{path.name}")
            server.sent = 0
            info = probe.probe(ref)
            assert server.sent < path.stat().st_size / 2, path.name
            assert info.bitrate_kbps == pytest.approx(local.bitrate_kbps, rel=0.02)
            assert info.duration_s == pytest.approx(local.duration_s, rel=0.01)
            assert any("estimated" in note for note in info.notes) == (path.suffix == ".mkv")
            ours = [f.rgb for f in decode.read_frames(VideoRef(str(path)), local, [0, 7])]
            theirs = [f.rgb for f in decode.read_frames(ref, info, [0, 7])]
            assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))
