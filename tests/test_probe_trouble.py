"""Probing what is encrypted, cut short, damaged or no video: one clear sentence each."""

from __future__ import annotations

import contextlib
from pathlib import Path

import av
import numpy as np
import pytest
from yoto_video.pipeline import decode, probe
from yoto_video.pipeline.errors import BrokenVideo, SkippedVideo, VideoError
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.values import VideoInfo, VideoRef

from . import clips
from .decoding import probed


@pytest.mark.parametrize("options", [{}, clips.FRAGMENTED])
def test_encryption_is_named(options: dict[str, str], tmp_path: Path) -> None:
    """FFmpeg opens these and would decode noise."""
    path = clips.make(tmp_path / "e.mp4", container_options={**options, **clips.ENCRYPTED})
    with pytest.raises(BrokenVideo, match="encrypted: its frames cannot be decoded without the key"):
        probed(path)


def test_truncation_is_named(tmp_path: Path) -> None:
    index_last = clips.make(tmp_path / "a.mp4").read_bytes()
    index_first = clips.make(tmp_path / "b.mp4", container_options={"movflags": "faststart"}).read_bytes()
    target = tmp_path / "cut.mp4"
    target.write_bytes(index_last[: len(index_last) // 2])
    with pytest.raises(BrokenVideo, match=r"truncated: its index \(moov box\) is missing"):
        probed(target)
    target.write_bytes(index_first[: index_first.index(b"moov") + 200])
    with pytest.raises(BrokenVideo, match=r"truncated: \d+ bytes are missing"):
        probed(target)
    start = index_first.index(b"mdat") + 4
    target.write_bytes(index_first[: start + 2])
    with pytest.raises(BrokenVideo, match="truncated: 30 of 30 frames are missing from the file, its first one too"):
        probed(target)
    target.write_bytes(index_first[: start + (len(index_first) - start) * 2 // 3])
    info = probed(target)  # what is there is scored, and the loss told
    (loss,) = truncations(info)
    assert loss.severity == "error"
    assert "of 30 frames are missing" in loss.sentence
    times = decode.frame_times(VideoRef(str(target)), info)
    assert 5 < len(times) < 30
    there, whole = packet_table(VideoRef(str(target))), probed(tmp_path / "b.mp4")
    assert (whole.duration_s, info.fps) == (1.2, whole.fps)
    assert info.duration_s == pytest.approx(float(there.duration_s), abs=0.09)  # a packet cut in two counts as missing
    assert info.duration_s < 1.0
    assert info.bitrate_kbps is not None
    bytes_there = info.bitrate_kbps * info.duration_s * 1000 / 8
    assert bytes_there == pytest.approx(int(there.size.sum()), abs=int(there.size[-1]) + 1)
    matroska = clips.make(tmp_path / "c.mkv", codec="ffv1", frames=100).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(matroska[: len(matroska) // 2])
    (loss,) = truncations(probed(tmp_path / "cut.mkv"))
    assert loss.severity == "error"
    assert "header says 4.0 s" in loss.sentence


def test_sound_that_lasts_longer_is_no_truncation(tmp_path: Path) -> None:
    path, silent = tmp_path / "long_sound.mkv", clips.make(tmp_path / "v.mkv", frames=50)
    with av.open(str(silent)) as source, av.open(str(path), "w") as target:
        video = target.add_stream_from_template(source.streams.video[0])
        sound = target.add_stream("pcm_s16le", rate=8000, layout="mono")
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = video
                target.mux(packet)
        for second in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8000, 8000 * second
            target.mux(sound.encode(frame))
    assert truncations(probed(path)) == []
    content = path.read_bytes()
    path.write_bytes(content.replace(b"DURATION", b"DURATIOX"))  # then nobody can tell
    assert [loss.severity for loss in truncations(probed(path))] == ["warning"]
    path.write_bytes(content[: len(silent.read_bytes()) // 2])
    (loss,) = truncations(probed(path))
    assert (loss.severity, loss.sentence[-17:]) == ("error", "header says 2.0 s")


def truncations(info: VideoInfo) -> list[Finding]:
    """What is said of missing parts."""
    return [note for note in map(Finding.of, info.notes) if note.kind == "truncated"]


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("noise.mp4", np.random.default_rng(0).bytes(20000), BrokenVideo, "its container cannot be read"),
        ("noise.bin", np.random.default_rng(0).bytes(20000), SkippedVideo, "not a video"),
        ("notes.txt", b"a line of text\n" * 50, SkippedVideo, "not a video"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:9/1.ts\n", SkippedVideo, "not a video"),
        ("join.ffconcat", b"ffconcat version 1.0\nfile '/etc/hostname'\n", SkippedVideo, "not a video"),
        ("page.html", b"<html></html>", SkippedVideo, "not a video"),
        ("text.srt", b"1\n00:00:01,000 --> 00:00:02,000\nhello\n", SkippedVideo, "no video track"),
        ("empty.mkv", b"", BrokenVideo, "empty (0 bytes)"),
        ("broken.png", b"\x89PNG\r\n\x1a\n" + bytes(60), BrokenVideo, "picture cannot be decoded"),
    ],
)
def test_not_a_video(name: str, content: bytes, kind: type[VideoError], words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(kind) as error:
        probed(tmp_path / name)
    assert type(error.value) is kind
    assert words in error.value.reason
    assert error.value.path == str(tmp_path / name)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.mp4", tmp_path):
        with pytest.raises(SkippedVideo, match=r"no such file|a folder"):
            probed(path)


def test_random_damage_never_escapes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Any broken byte gives frames or a VideoError: no other exception, and no chatter of FFmpeg's."""
    rng = np.random.default_rng(1)
    for name in ("h264.mp4", "h264.mkv", "h264.ts", "vp9.webm", "mpeg4.avi"):
        whole = np.frombuffer(clips.make(tmp_path / name, **clips.KINDS[name]).read_bytes(), np.uint8)
        for _ in range(12):
            data = whole[: rng.integers(1, len(whole) + 1)].copy()
            at = rng.integers(0, len(data), max(1, len(data) // 200))
            data[at] = rng.integers(0, 256, len(at), np.uint8)
            target = tmp_path / f"damaged{Path(name).suffix}"
            target.write_bytes(data.tobytes())
            ref = VideoRef(str(target))
            with contextlib.suppress(VideoError):
                info = probe.probe(ref)
                for _frame in decode.read_frames(ref, info, range(len(decode.frame_times(ref, info))), raster=(16, 16)):
                    pass
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
