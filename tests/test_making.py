"""Photographs that ladders are made of: what is said of those that cannot be, before any is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from yoto_video.models.training.making import PictureCache, make_ladders
from yoto_video.models.training.recipe import Recipe
from yoto_video.models.training.tables import DataError

from . import published_sets as sets

RECIPE = Recipe(pictures=(("p", 9),), crop_sides=(64,), settled_on=0)  # smaller crops than settling looks at


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder with two of them, as small as the recipe allows."""
    folder = tmp_path / "data/pristine/p"
    folder.mkdir(parents=True)
    for i in range(2):
        sets.picture(i, (96, 80)).save(folder / f"{i}.png")
    return folder


def make(folder: Path, recipe: Recipe = RECIPE) -> list[str]:
    """Names of the references of what is made of the photographs."""
    pytest.importorskip("imageio_ffmpeg", reason="extra `train` is not installed")
    cache = PictureCache(folder.parent.parent.parent / "cache")
    return [ladder.reference for ladder in make_ladders(folder.parent.parent, recipe, cache, lambda _: None)]


def test_ladders_keep_their_names(photographs: Path) -> None:
    """They are drawn by their names."""
    (photographs / "1.png").rename(photographs / "1.PNG")  # cameras write suffixes so
    assert make(photographs) == ["made-p-0-0.npy", "made-p-1-0.npy"]


def two_of_one_name(folder: Path) -> None:
    sets.picture(3, (96, 80)).save(folder / "0.jpg")


def no_picture(folder: Path) -> None:
    (folder / "1.png").write_bytes(b"no picture")


def too_small(folder: Path) -> None:
    sets.picture(3, (96, 79)).save(folder / "2.png")


def too_small_when_upright(folder: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    sets.picture(3, (60, 96)).save(folder / "2.png", exif=turned)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (two_of_one_name, r"0\.jpg and 0\.png: two photographs of one name"),
        (no_picture, r"1\.png: cannot be read as a picture"),
        (too_small, r"2\.png: is 96x79, training needs 80 pixels a side at least"),
        (too_small_when_upright, r"2\.png: is 96x60, training needs 80"),
    ],
)
def test_what_cannot_be_used_is_named_before_anything_is_made(
    change: Callable[[Path], None], sentence: str, photographs: Path
) -> None:
    change(photographs)
    with pytest.raises(DataError, match=sentence):
        make(photographs)
    assert not list((photographs.parent.parent.parent / "cache").iterdir())


def test_what_the_8_bit_ranges_are_measured_on_has_to_fit(photographs: Path) -> None:
    with pytest.raises(DataError, match=r"0\.png: is 96x80, training needs 240 pixels"):
        make(photographs, Recipe(pictures=(("p", 9),), crop_sides=(64,)))


def test_pixels_that_are_cut_off_are_told_of_the_photograph(photographs: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 96, 3), np.uint8)
    Image.fromarray(noise).save(photographs / "1.png")
    whole = (photographs / "1.png").read_bytes()
    (photographs / "1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"1\.png: cannot be read as a picture"):
        make(photographs)
