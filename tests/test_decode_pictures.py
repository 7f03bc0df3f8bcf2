"""Decoded pictures: upright, in their shape, in the right colours."""

from __future__ import annotations

import gc
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image
from yoto_video.pipeline import decode
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

from . import clips
from .decoding import look, read
from .measuring import run

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
        assert min(frame.rgb.strides) > 0  # a picture of its own, not one read backwards


def test_frames_that_were_read_do_not_wait_for_the_garbage_collector(tmp_path: Path) -> None:
    def alive() -> int:
        return sum(isinstance(thing, VideoFrame) for thing in gc.get_objects())

    path = clips.make(tmp_path / "clip.mp4", size=(64, 32), frames=30)
    gc.collect()
    before = alive()
    gc.disable()
    try:
        ref, info, _ = look(path)
        assert len(list(decode.read_luma(ref, info, range(30), (32, 18)))) == 30
        assert len(list(decode.read_frames(ref, info, range(30)))) == 30
        assert alive() == before
    finally:
        gc.enable()


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "wide.mp4", size=(64, 48), frames=3, aspect=Fraction(4, 3))
    (frame, *_) = read(path)
    assert frame.rgb.shape == (48, 85, 3)


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
    """And told of those frames that have any: what their pixels' format could hold is no sign of it."""
    full, half = (np.full((48, 64, 4), 200, np.uint8) for _ in range(2))
    full[..., 3] = 255
    full[:24, :, :3] = 0
    half[:24, :, 3], half[24:, :, 3] = 0, 255
    for name, pictures in (("full.gif", [full, full[::-1]]), ("half.gif", [half]), ("later.png", [full, half])):
        first, *others = (Image.fromarray(p) for p in pictures)
        first.save(tmp_path / name, save_all=True, append_images=others, duration=500)
    seen = {name: read(tmp_path / name, raster=(96, 80)) for name in ("full.gif", "half.gif", "later.png")}
    assert {name: [frame.transparent for frame in frames] for name, frames in seen.items()} == {
        "full.gif": [False, False], "half.gif": [True], "later.png": [False, True]
    }  # fmt: skip
    assert all(frames[-1].rgb[2, 2].max() < 10 for frames in (seen["half.gif"], seen["later.png"]))
    for name in seen:
        ladder = Ladder("l", (Rendition(VideoRef(str(tmp_path / name))),))
        said = [f.sentence for f in run(ladder, settings=Settings(fps=25)).results[0].clip.findings]
        assert ("transparent areas are shown over black" in said) == (name != "full.gif")


def test_alpha_that_is_whole_stays_so_at_every_size(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mov", codec="prores_ks", pix_fmt="yuva444p10le", frames=2, size=(64, 48))
    for raster in ((64, 48), (50, 37), (97, 71)):
        assert not any(frame.transparent for frame in read(path, raster=raster))


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
    program = pytest.importorskip("imageio_ffmpeg", reason="extra `dev` is not installed").get_ffmpeg_exe()
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
