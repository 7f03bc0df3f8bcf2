"""Pictures are the same pixels to whoever opens them: to score, to evaluate, to train."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from yoto_video.models.training.making import load_picture
from yoto_video.models.training.tables import DataError, Label, listing
from yoto_video.models.upright import upright_rgb, upright_size
from yoto_video.pipeline import stills
from yoto_video.pipeline.values import VideoRef

from . import published_sets as sets


def kinds(folder: Path) -> dict[str, Path]:
    """A picture of each kind that is no plain 8-bit RGB."""
    picture = sets.picture(1)
    veil = Image.fromarray(np.tile(np.arange(96, dtype=np.uint8) * 2, (64, 1)))
    turned = Image.Exif()
    turned[0x0112] = 6
    gray = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    Image.fromarray(gray).save(folder / "gray16.png")
    clear = picture.copy()
    clear.putalpha(veil)
    clear.save(folder / "clear.png")
    clear.save(folder / "clear.webp", lossless=True)
    picture.quantize(16).save(folder / "palette.png", transparency=3)
    for name in ("turned.jpg", "turned.png", "turned.webp"):
        picture.save(folder / name, exif=turned)
    picture.convert("CMYK").save(folder / "cmyk.jpg")
    picture.save(folder / "several.mpo", save_all=True, append_images=[sets.picture(2)])
    (folder / "several.mpo").rename(folder / "several.jpg")
    data = (folder / "turned.png").read_bytes()
    at = data.index(b"eXIf") - 4
    chunk = data[at : at + 12 + int.from_bytes(data[at : at + 4], "big")]
    late = data.replace(chunk, b"")
    (folder / "turned_late.png").write_bytes(late[:-12] + chunk + late[-12:])  # after the pixels, before the end
    turn = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    text = b"iTXtXML:com.adobe.xmp" + bytes(5) + turn
    text = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    (folder / "turned_by_text.png").write_bytes(late[:-12] + text + late[-12:])
    return {path.name: path for path in sorted(folder.iterdir())}


def test_one_way_from_file_to_pixels(tmp_path: Path) -> None:
    found = kinds(tmp_path)
    assert len(found) == 11
    for name, path in found.items():
        scored = stills.read_still(VideoRef(str(path)), None).rgb
        assert np.array_equal(load_picture(path), scored), name
        with Image.open(path) as picture:
            assert upright_size(picture) == scored.shape[1::-1], name
        (sample,) = listing("t", [Label(path, None, 3.0, "c", "g")]).samples
        assert sample.display == scored.shape[1::-1] == ((64, 96) if name.startswith("turned") else (96, 64))


def test_deep_gray_is_not_clipped_and_what_is_transparent_is_black(tmp_path: Path) -> None:
    found, plain = kinds(tmp_path), sets.picture(1)
    assert np.array_equal(load_picture(found["gray16.png"])[..., 0], np.asarray(plain.convert("L")))
    clear = load_picture(found["clear.png"]).astype(int)
    assert not clear[:, 0].any()
    shown = np.asarray(plain).astype(int)[:, -1] * 190 // 255
    assert np.abs(clear[:, -1] - shown).max() <= 1


def test_samples_of_which_nobody_says_what_is_white_are_refused(tmp_path: Path) -> None:
    linear = np.linspace(0, 1, 96 * 64, dtype=np.float32).reshape(64, 96)
    deep = np.full((64, 96), 1 << 20, np.int32)
    for name, samples, why in [("f", linear, "floating-point"), ("i", deep, "more than 16 bits"), ("n", -deep, "more")]:
        path = tmp_path / f"{name}.tif"
        Image.fromarray(samples).save(path)
        with pytest.raises(DataError, match=f"{name}.tif: cannot be read as a picture .*{why}.*; fetch or export"):
            load_picture(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif"])
def test_plain_pictures_are_what_pillow_reads(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"p.{suffix}"
    sets.picture(1).save(path)
    with Image.open(path) as opened:
        rgb, transparent = upright_rgb(opened)
    with Image.open(path) as opened:
        plain = opened.convert("RGB")
    assert not transparent
    assert np.array_equal(rgb, np.asarray(plain))
    assert np.array_equal(load_picture(path), np.asarray(plain))
    smaller = np.asarray(plain.resize((48, 32), Image.Resampling.BICUBIC))
    assert np.array_equal(load_picture(path, (48, 32)), smaller)


def test_a_turned_tiff_is_turned_once(tmp_path: Path) -> None:
    sets.picture(1).save(tmp_path / "p.tif", tiffinfo={274: 6})
    with Image.open(tmp_path / "p.tif") as picture:
        assert upright_size(picture) == (64, 96)
    assert load_picture(tmp_path / "p.tif").shape == (96, 64, 3)


def test_every_kind_of_damage_is_a_sentence_of_its_picture(tmp_path: Path) -> None:
    sets.save(tmp_path / "p.png", 1)
    data = (tmp_path / "p.png").read_bytes()
    at = data.index(b"IDAT")
    (tmp_path / "p.png").write_bytes(data[: at + 4] + bytes(64) + data[at + 68 :])
    (tmp_path / "chunk.png").write_bytes(data[:at] + b"ID\0T" + data[at + 4 :])  # Pillow's SyntaxError
    for name in ("p.png", "chunk.png"):
        with pytest.raises(DataError, match=rf"{name}: cannot be read as a picture"):
            load_picture(tmp_path / name)
