"""Decoding: the right frames at the right times, upright, in the right colours, whatever the codec and container."""

from __future__ import annotations

import io
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from yoto_video.pipeline import decode, probe, storage
from yoto_video.pipeline.errors import BrokenVideo, TransientVideoError
from yoto_video.pipeline.values import Frame, VideoInfo, VideoRef

from . import clips


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes a clip of `clips.KINDS` once."""
    os.environ.setdefault("SVT_LOG", "1")
    folder, done = tmp_path_factory.mktemp("clips"), dict[str, Path]()

    def get(name: str) -> Path:
        if name not in done:
            done[name] = clips.make(folder / name, **clips.KINDS[name])
        return done[name]

    return get


def look(path: Path | str | VideoRef) -> tuple[VideoRef, VideoInfo, list[Fraction]]:
    ref = path if isinstance(path, VideoRef) else VideoRef(str(path))
    info = probe.probe(ref)
    return ref, info, decode.frame_times(ref, info)


def read(path: Path | str | VideoRef, indices: Sequence[int] | None = None, **options: Any) -> list[Frame]:
    ref, info, times = look(path)
    return list(decode.read_frames(ref, info, range(len(times)) if indices is None else indices, **options))


def numbers(frames: Sequence[Frame]) -> list[int]:
    return [clips.number_of(frame.rgb) for frame in frames]


@pytest.mark.parametrize("name", clips.KINDS)
def test_every_frame_and_any_few(name: str, made: Any) -> None:
    ref, info, times = look(made(name))
    hidden = clips.KINDS[name].get("first", 0)
    assert len(times) == 30 - hidden
    assert times == sorted(times)
    assert [b - a for a, b in pairwise(times)] == pytest.approx([0.04] * (29 - hidden), abs=1e-3)
    rnd = random.Random(name)
    some = [sorted(rnd.sample(range(len(times)), count)) for count in (1, 1, 2, 5)]
    for wanted in [list(range(len(times))), [len(times) - 1], *some]:
        frames = list(decode.read_frames(ref, info, wanted, raster=(64, 64)))
        assert [frame.index for frame in frames] == wanted
        assert numbers(frames) == [index + hidden for index in wanted]
        assert [frame.pts_s for frame in frames] == [times[index] for index in wanted]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(st.integers(0, 29), max_size=12))
def test_frames_come_once_and_ascending(made: Any, wanted: list[int]) -> None:
    frames = read(made("h264.mp4"), wanted)
    assert [f.index for f in frames] == sorted(set(wanted)) == numbers(frames)


def test_frames_that_are_not_there_are_the_callers_mistake(made: Any) -> None:
    with pytest.raises(ValueError, match="of 30"):
        read(made("h264.mp4"), [30])


def test_times_are_exact_and_variable(tmp_path: Path) -> None:
    ticks = [0, 40, 80, 500, 540, 580, 1000, 2000, 2040, 2080]
    path = clips.make(tmp_path / "vfr.mp4", frames=10, times=ticks, tick=Fraction(1, 1000))
    ref, info, times = look(path)
    assert times == [Fraction(t, 1000) for t in ticks]
    assert numbers(read(ref)) == list(range(10))
    assert info.duration_s == pytest.approx(2.12)
    ntsc = clips.make(tmp_path / "ntsc.mp4", frames=90, rate=Fraction(30000, 1001), gop=90)
    assert look(ntsc)[2] == [k * Fraction(1001, 30000) for k in range(90)]  # no rounding that adds up


def test_many_decoders_at_once_keep_their_frames(made: Any) -> None:
    """PyAV mixes up equal packet marks of decoders that run side by side; ours are objects of their own."""
    path = made("vp9.webm")
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: numbers(read(path, [5, 29], raster=(16, 16))), range(60)):
            assert got == [5, 29]


# Orientation -----------------------------------------------------------------------------------------------------

ONE = 1 << 16
CORNERS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
UPRIGHT = np.array([["red", "green"], ["blue", "white"]])
TURNS = {  # (a, b, c, d) of the display matrix: clockwise degrees after mirroring, mirrored, what is seen
    (1, 0, 0, 1): (0, False, UPRIGHT),
    (0, 1, -1, 0): (90, False, np.rot90(UPRIGHT, -1)),
    (-1, 0, 0, -1): (180, False, np.rot90(UPRIGHT, 2)),
    (0, -1, 1, 0): (270, False, np.rot90(UPRIGHT)),
    (-1, 0, 0, 1): (0, True, UPRIGHT[:, ::-1]),
    (1, 0, 0, -1): (180, True, UPRIGHT[::-1]),
    (0, 1, 1, 0): (270, True, UPRIGHT.T),
    (0, -1, -1, 0): (90, True, UPRIGHT[::-1, ::-1].T),
}


def corners(number: int, width: int, height: int) -> Any:
    colours = np.array([[CORNERS[name] for name in row] for row in UPRIGHT], np.uint8)
    return colours.repeat(height // 2, 0).repeat(width // 2, 1)


def seen(rgb: Any) -> list[list[str]]:
    height, width = rgb.shape[:2]
    at = [[rgb[y, x].astype(int) for x in (width // 4, 3 * width // 4)] for y in (height // 4, 3 * height // 4)]
    return [[min(CORNERS, key=lambda name: np.abs(p - np.array(CORNERS[name])).sum()) for p in row] for row in at]


@pytest.mark.parametrize("turn", TURNS)
def test_pictures_stand_upright(turn: tuple[int, int, int, int], tmp_path: Path) -> None:
    a, b, c, d = (ONE * x for x in turn)
    matrix = [a, b, 0, c, d, 0, 0, 0, 1 << 30]
    path = clips.make(tmp_path / "turned.mp4", size=(64, 32), frames=2, display_matrix=matrix, picture=corners)
    degrees, mirrored, shown = TURNS[turn]
    ref, info, _ = look(path)
    assert (info.rotation_degrees, info.mirrored) == (degrees, mirrored)
    assert (info.width, info.height) == ((32, 64) if turn[0] == 0 else (64, 32))
    again = np.rot90(UPRIGHT[:, ::-1] if mirrored else UPRIGHT, -degrees // 90)  # what the two fields promise
    assert again.tolist() == shown.tolist()
    for raster in (None, (48, 40)):
        (frame, _) = decode.read_frames(ref, info, [0, 1], raster=raster)
        assert frame.rgb.shape == ((info.height, info.width, 3) if raster is None else (40, 48, 3))
        assert seen(frame.rgb) == shown.tolist()
        assert frame.rgb.flags.c_contiguous


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "wide.mp4", size=(64, 48), frames=3, aspect=Fraction(4, 3))
    (frame, *_) = read(path)
    assert frame.rgb.shape == (48, 85, 3)


# Colour ----------------------------------------------------------------------------------------------------------

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (30, 30, 30), (200, 120, 40), (255, 255, 255)]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv420p10le", "yuv422p10le"])
@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize("range_", ["tv", "pc"])
def test_own_matrix_and_range(pix_fmt: str, matrix: str, range_: str, tmp_path: Path) -> None:
    def picture(number: int, width: int, height: int) -> Any:
        return np.full((height, width, 3), COLOURS[number], np.uint8)

    path = clips.make(
        tmp_path / "colour.mp4", frames=len(COLOURS), pix_fmt=pix_fmt, matrix=matrix, range=range_, picture=picture,
        options={"qp": "1"}, b_frames=0, size=(32, 32), gop=1,
    )  # fmt: skip
    frames = read(path)
    assert look(path)[1].notes == ()
    for frame, colour in zip(frames, COLOURS, strict=True):
        assert np.abs(frame.rgb.reshape(-1, 3).mean(axis=0) - colour).max() < 3, (colour, frame.rgb[8, 8])


@pytest.mark.parametrize(("size", "matrix"), [((64, 48), "smpte170m"), ((1280, 96), "bt709"), ((64, 720), "bt709")])
def test_unstated_matrix_is_assumed_and_said(size: tuple[int, int], matrix: str, tmp_path: Path) -> None:
    _, info, _ = look(clips.make(tmp_path / "untagged.mp4", frames=1, size=size))
    assert info.color_space == matrix
    assert info.notes == (f"colour matrix not stated, {matrix} assumed", "colour range not stated, limited assumed")


def test_limited_gray_is_stretched(tmp_path: Path) -> None:
    """swscale takes gray for full range; H.264 without chroma has limited luma like any other."""
    path = clips.make(tmp_path / "gray.mp4", pix_fmt="gray", range="tv", frames=2, picture=clips.flat(16, 16, 16))
    assert read(path)[0].rgb.max() <= 1


def test_transparency_is_shown_over_black(tmp_path: Path) -> None:
    def half(number: int, width: int, height: int) -> Any:
        rgb = np.full((height, width, 3), 200, np.uint8)
        rgb[: height // 2] = 0
        return rgb

    gif = clips.make(tmp_path / "a.gif", codec="gif", pix_fmt="rgb8", picture=half)
    assert read(gif, [0])[0].rgb[2, 2].max() < 10
    assert "transparent areas are shown over black" in look(gif)[1].notes


@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("sample_rotate_and_reflect.mp4", "bt709"),
        ("internal_emulator_transformer_output_270_rotated.mp4", "bt709"),
        ("bt709_full_range.mp4", "bt709"),
        ("bt601.mp4", "bt601"),
        ("h264_10bits.mp4", "bt601"),
        ("iibbibb_editlist_videoonly.mp4", "bt601"),
    ],
)
def test_same_pixels_as_the_ffmpeg_program(name: str, matrix: str, data_dir: Path) -> None:
    """Orientation, colour and which frames: FFmpeg's own command with the same matrix, range and chroma place."""
    program = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    ref, info, _ = look(data_dir / "clips" / "torture" / name)
    scale = f"scale=in_color_matrix={matrix}:in_range={info.color_range}:out_range=pc:in_chroma_loc=left"
    command = [program, "-v", "error", "-i", ref.path, "-vf", f"{scale}:flags=bicubic+accurate_rnd+full_chroma_int"]
    command[-1] += ",format=gbrp"
    command += ["-frames:v", "3", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    theirs = np.frombuffer(raw, np.uint8).reshape(3, info.height, info.width, 3)
    for frame in decode.read_frames(ref, info, [0, 1, 2]):
        apart = np.abs(frame.rgb.astype(int) - theirs[frame.index])
        if info.rotation_degrees:  # the command turns first and scales then, so chroma lies elsewhere
            assert apart.mean() < 0.2
        else:
            assert apart.max() <= 1


# Segments, storage, damage ---------------------------------------------------------------------------------------


def test_segments_are_one_stream(tmp_path: Path) -> None:
    whole = clips.make(tmp_path / "whole.mp4", container_options=clips.FRAGMENTED).read_bytes()
    cuts = [0, 700, 1500, len(whole)]
    parts = []
    for number, (start, end) in enumerate(pairwise(cuts)):
        (tmp_path / f"{number}.m4s").write_bytes(whole[start:end])
        parts.append(str(tmp_path / f"{number}.m4s"))
    ref = VideoRef("manifest.mpd#1", tuple(parts))
    assert numbers(read(ref)) == list(range(30))
    assert look(ref)[1:] == look(tmp_path / "whole.mp4")[1:]


def test_pieces_with_times_of_their_own_follow_each_other(tmp_path: Path) -> None:
    def later(number: int, width: int, height: int) -> Any:
        return clips.numbered(number + 20, width, height)

    first = clips.make(tmp_path / "1.ts", frames=20)
    second = clips.make(tmp_path / "2.ts", frames=20, picture=later)
    ref, info, times = look(VideoRef("list.m3u8#1", (str(first), str(second))))
    assert times == [times[0] + Fraction(k, 25) for k in range(40)]
    assert info.duration_s == pytest.approx(1.6)
    assert "time stamps start anew 1 times: the pieces are taken one after the other" in info.notes
    assert numbers(read(ref, [0, 19, 20, 39])) == [0, 19, 20, 39]


class Source(io.RawIOBase):
    """A file in memory that counts what is read, and may take its time for each KiB."""

    def __init__(self, data: bytes, delay_s: float = 0.0) -> None:
        self._file, self._delay_s, self.got = io.BytesIO(data), delay_s, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        time.sleep(self._delay_s)
        data = self._file.read(min(len(buffer), 1024))
        buffer[: len(data)] = data
        self.got += len(data)
        return len(data)

    def close(self) -> None:
        """Is opened again."""


def served_from(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_ref(ref: VideoRef) -> Any:
        source.seek(0)
        return source

    monkeypatch.setattr(storage, "open_ref", open_ref)


def test_nothing_is_read_after_the_last_wanted_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def noise(number: int, width: int, height: int) -> Any:
        return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)

    options = {"movflags": "faststart"}
    path = clips.make(tmp_path / "long.mp4", frames=60, picture=noise, size=(256, 256), container_options=options)
    ref, info, _ = look(path)
    file = Source(path.read_bytes())
    served_from(file, monkeypatch)
    assert len(list(decode.read_frames(ref, info, [0, 3]))) == 2
    assert 0 < file.got < path.stat().st_size / 2


def test_a_source_that_stalls_times_out(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made("h264.mkv")
    ref, info, _ = look(path)
    file = Source(path.read_bytes(), delay_s=0.2)
    served_from(file, monkeypatch)
    began = time.monotonic()
    with pytest.raises(TransientVideoError, match=r"took too long|no frame was decoded|no data came"):
        list(decode.read_frames(ref, info, range(30), timeout_s=0.3))
    with pytest.raises(TransientVideoError, match=r"took too long|no frame was decoded|no data came"):
        probe.probe(ref, timeout_s=0.3)
    assert time.monotonic() - began < 20


def test_a_callers_pause_is_no_stall(made: Any) -> None:
    ref, info, _ = look(made("h264.mp4"))
    for _ in decode.read_frames(ref, info, range(6), timeout_s=0.5):
        time.sleep(0.6)


def until_error(stream: Iterator[Frame]) -> tuple[list[Frame], BrokenVideo]:
    got = []
    try:
        for frame in stream:
            got.append(frame)
    except BrokenVideo as error:
        return got, error
    raise AssertionError("damage was not told")


def test_damage_gives_what_decodes_then_says_so(made: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(made("prores.mov").read_bytes())
    _, info, times = look(made("prores.mov"))
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    (tmp_path / "damaged.mov").write_bytes(data)
    got, error = until_error(decode.read_frames(VideoRef(str(tmp_path / "damaged.mov")), info, range(len(times))))
    assert re.search(r"\d of 30 wanted frames cannot be decoded \(\d damaged packets\); write", error.reason)
    assert 20 < len(got) < 30
    assert numbers(got) == [frame.index for frame in got]
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""  # FFmpeg keeps quiet


def test_invalid_unit_costs_its_frame_only(data_dir: Path) -> None:
    ref, info, times = look(data_dir / "clips" / "torture" / "sample_with_invalid_nalu.mp4")
    got, error = until_error(decode.read_frames(ref, info, range(len(times)), raster=(32, 32)))
    assert "of 30 wanted frames" in error.reason
    assert len(got) >= 26


# Still pictures --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_still_picture_is_a_video_of_one_frame(suffix: str, tmp_path: Path) -> None:
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[:, 20:] = (250, 128, 4)
    Image.fromarray(picture).save(tmp_path / f"a.{suffix}", quality=100)
    ref, info, times = look(tmp_path / f"a.{suffix}")
    assert (info.still, info.fps, info.width, info.height, times) == (True, None, 40, 30, [0])
    (frame,) = decode.read_frames(ref, info, [0])
    assert np.abs(frame.rgb.astype(int) - picture).mean() < 3
    (small,) = decode.read_frames(ref, info, [0], raster=(20, 15))
    assert small.rgb.shape == (15, 20, 3)


# decord ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "most"), [("h264.mp4", 2.0), ("h264_fragmented.mp4", 2.0), ("prores.mov", 2.0), ("h264_10bit.mp4", 2.0)]
)
def test_decord_gives_the_same_frames(name: str, most: float, made: Any) -> None:
    pytest.importorskip("decord")
    ref, info, _ = look(made(name))
    assert decode.choose_decoder(ref, info, "decord") == ("decord", None)
    wanted = [0, 3, 17, 29]
    ours, theirs = read(ref, wanted), read(ref, wanted, decoder="decord")
    assert [(f.index, f.pts_s) for f in ours] == [(f.index, f.pts_s) for f in theirs]
    assert numbers(theirs) == wanted
    for a, b in zip(ours, theirs, strict=True):
        assert np.abs(a.rgb.astype(int) - b.rgb).mean() < most


@pytest.mark.parametrize("name", ["coffee_720p.mp4", "bedroom_540p.mp4", "bigbuckbunny_720p.mp4"])
def test_decord_agrees_on_real_video(name: str, data_dir: Path) -> None:
    """Stated and unstated matrices: at most 2 of 255 levels apart on average."""
    pytest.importorskip("decord")
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
    pytest.importorskip("decord")
    ref, info, times = look(made(name))
    chosen, note = decode.choose_decoder(ref, info, "decord")
    assert chosen == "pyav"
    assert note is not None
    assert note.startswith("read with PyAV, not decord: ")
    assert reason in note
    wanted = [1, len(times) - 1]
    hidden = clips.KINDS[name].get("first", 0)
    assert numbers(read(ref, wanted, decoder="decord")) == [k + hidden for k in wanted]


LEAVE_EARLY = """
import os, sys
from yoto_video.pipeline.frames import decoded
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.values import VideoRef

ref = VideoRef(sys.argv[1])
table = packet_table(ref)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # FFmpeg's threads run only while ours waits
sys.setswitchinterval(100)  # and ours keeps the interpreter's lock
for last in range(1, 11):
    for taken in (1, 2):
        frames = decoded(ref, table, [0, last, len(table.order) - 1], 60.0)
        for _ in range(taken):
            next(frames)
        frames.close()
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads cannot be kept on one core here")
def test_a_decoder_that_is_left_while_its_threads_let_packets_go_does_not_hang(tmp_path: Path) -> None:
    # Frames that nothing refers to are dropped by a thread of FFmpeg's, which then lets go of the packet's mark.
    params = "log-level=none:bframes=3:b-adapt=0:b-pyramid=0"
    path = clips.make(tmp_path / "b.mp4", codec="libx265", size=(320, 240), options={"x265-params": params})
    subprocess.run([sys.executable, "-c", LEAVE_EARLY, str(path)], check=True, timeout=120)
