"""Still pictures: turned as they say, of any kind of pixels, and cut short."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yoto_video.pipeline import decode, probe
from yoto_video.pipeline.errors import BrokenVideo
from yoto_video.pipeline.values import VideoRef

from .decoding import probed


def read(path: Path) -> list[Any]:
    ref = VideoRef(str(path))
    return [frame.rgb for frame in decode.read_frames(ref, probe.probe(ref), [0])]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation: int, tmp_path: Path) -> None:
    upright = np.zeros((32, 64, 3), np.uint8)
    upright[:16, :32] = (255, 0, 0)
    upright[16:, 32:] = (0, 0, 255)
    stored = Image.fromarray(upright)
    # What a camera that was held so stores, by the EXIF standard's own words (row 0, column 0 of the upright picture).
    undo = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    stored = stored.transpose(undo) if undo is not None else stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "p.jpg", exif=exif, quality=95, subsampling=0)
    ref = VideoRef(str(tmp_path / "p.jpg"))
    info = probe.probe(ref)
    assert (info.width, info.height) == (64, 32)
    (frame,) = decode.read_frames(ref, info, [0])
    assert np.abs(frame.rgb.astype(int) - upright).mean() < 4


def test_motion_jpeg_of_a_turned_camera(tmp_path: Path) -> None:
    """PyAV 18 cannot list such frames' side data."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 32)).save(tmp_path / "p.jpg", exif=exif)
    (tmp_path / "p.mjpeg").write_bytes((tmp_path / "p.jpg").read_bytes() * 5)
    info = probed(tmp_path / "p.mjpeg")
    assert (info.width, info.height, info.rotation_degrees) == (32, 64, 90)
    assert len(decode.frame_times(VideoRef(str(tmp_path / "p.mjpeg")), info)) == 5


def test_unusual_pictures(tmp_path: Path) -> None:
    gray16 = np.linspace(0, 65535, 64 * 32).reshape(32, 64).astype(np.uint16)
    Image.fromarray(gray16).save(tmp_path / "gray16.png")
    (frame,) = read(tmp_path / "gray16.png")
    assert np.abs(frame[..., 0].astype(int) - gray16 / 257).max() <= 1
    clear = np.zeros((8, 8, 4), np.uint8)
    clear[..., 0], clear[:4, :, 3] = 200, 255
    Image.fromarray(clear).save(tmp_path / "clear.png")
    (frame,) = read(tmp_path / "clear.png")
    assert (frame[0, 0].tolist(), frame[7, 7].tolist()) == ([200, 0, 0], [0, 0, 0])
    assert "transparent areas are shown over black" in probed(tmp_path / "clear.png").notes
    Image.fromarray(clear[..., :3]).quantize(4).save(tmp_path / "palette.png")
    assert read(tmp_path / "palette.png")[0][0, 0].tolist() == [200, 0, 0]
    Image.fromarray(clear[..., :3]).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=100)
    assert np.abs(read(tmp_path / "cmyk.jpg")[0][0, 0].astype(int) - [200, 0, 0]).max() < 6


def test_a_truncated_picture_says_so(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "p.jpg")
    data = (tmp_path / "p.jpg").read_bytes()
    (tmp_path / "p.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(BrokenVideo, match="picture is truncated"):
        probed(tmp_path / "p.jpg")


def test_several_pictures_in_one_jpeg(tmp_path: Path) -> None:
    """Phones and stereo cameras write them (MPO): the first picture is the photograph."""
    first, second = Image.new("RGB", (64, 32), (200, 0, 0)), Image.new("RGB", (64, 32), (0, 0, 200))
    first.save(tmp_path / "p.mpo", save_all=True, append_images=[second], quality=100)
    (tmp_path / "p.mpo").rename(tmp_path / "p.jpg")
    info = probed(tmp_path / "p.jpg")
    assert (info.codec, info.width, info.height) == ("mjpeg", 64, 32)
    assert "several pictures in one file: only its first one is judged" in info.notes
    assert np.abs(read(tmp_path / "p.jpg")[0][0, 0].astype(int) - [200, 0, 0]).max() < 6
