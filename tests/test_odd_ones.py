"""Ladders without a master: rungs that show another film are put out, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from yoto_video.pipeline import odd_ones
from yoto_video.pipeline.discover import discover
from yoto_video.reports import lint
from yoto_video.reports.read import gather

from . import clips
from .folders import clip, shape
from .scanning import run
from .scene import scene
from .test_namesakes import kinds

RUNGS = (360, 270, 180, 144)


def ladder(root: Path, seeds: dict[int, int]) -> Path:
    """Rungs of one name, shape and length, by height the content of each."""
    for height, seed in seeds.items():
        clip(root / f"film_{height}p.mp4", seed, (height * 16 // 9 // 2 * 2, height))
    return root


@pytest.mark.parametrize("odd", [360, 144])
def test_another_film_among_three_rungs_is_judged_alone(odd: int, tmp_path: Path, out_dir: Path) -> None:
    folder = ladder(tmp_path / "v", {height: 1 + (height == odd) for height in RUNGS})
    plan = discover(str(folder))
    assert shape(plan)["film"][2] == sorted(f"film_{height}p.mp4" for height in RUNGS if height != odd)
    assert kinds(plan) == {f"film_{odd}p.mp4": [("kept_apart", "error")]}
    assert [note.endswith(f"but kept apart, for its pictures are others: film_{odd}p.mp4") for note in plan.notes] == [
        True
    ]
    result, *_ = run(folder, out_dir)
    issues = lint.check(gather(result.clips))
    assert [Path(issue.paths[0]).name for issue in issues if issue.rule == "kept_apart"] == [f"film_{odd}p.mp4"]
    assert not any(issue.rule == "inversion" for issue in issues)


def test_of_two_that_differ_nobody_knows_which_is_right(tmp_path: Path) -> None:
    plan = discover(str(ladder(tmp_path, {360: 1, 180: 2})))
    assert kinds(plan) == {f"film_{height}p.mp4": [("kept_apart", "error")] for height in (180, 360)}
    (note,) = plan.notes
    assert "they show different pictures, and nothing tells which are right" in note


def test_a_master_tells_by_itself(tmp_path: Path) -> None:
    folder = ladder(tmp_path, {360: 1, 180: 2})
    clip(folder / "film_master.mp4", 1, (640, 360))
    assert [len(each.videos) for each in discover(str(folder)).ladders] == [3]


def test_of_many_the_first_are_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(odd_ones, "RUNGS_LIMIT", 2)
    ladder(tmp_path / "a", {360: 1, 180: 2})
    plan = discover(str(ladder(tmp_path / "b", {360: 1, 180: 2}).parent))
    assert sorted(len(each.videos) for each in plan.ladders) == [1, 1, 2]
    assert "2 rungs of ladders without a master are taken for one film by their names" in plan.notes[0]


def boxed(picture: Any) -> Any:
    small = picture[::2, ::2]
    frame = np.zeros_like(picture)
    frame[45:135, 80:240] = small
    return frame


@pytest.mark.parametrize(("change", "late", "size"), [
    (lambda picture: picture, 1.0, (320, 180)),
    (lambda picture: np.rot90(picture), 0.0, (180, 320)),
    (boxed, 0.0, (320, 180)),
    (lambda picture: picture[22:158], 0.0, (320, 136)),
], ids=["late", "turned", "in bars", "without bars"])  # fmt: skip
def test_one_film_stays_one_ladder(
    change: Callable[[Any], Any], late: float, size: tuple[int, int], tmp_path: Path
) -> None:
    made: dict[str, Any] = {"frames": 100, "gop": 25}

    def letterboxed(number: int, *_: int) -> Any:
        picture = scene(number / 25)
        if size == (320, 136):
            picture[:22], picture[158:] = 0, 0
        return picture

    def changed(number: int, *_: int) -> Any:
        return np.ascontiguousarray(change(scene(number / 25 + late)))

    clips.make(tmp_path / "film_720p.mp4", picture=letterboxed, size=(320, 180), **made)
    clips.make(tmp_path / "film_360p.mp4", picture=letterboxed, size=(320, 180), options={"crf": "45"}, **made)
    clips.make(tmp_path / "film_240p.mp4", picture=changed, size=size, **made)
    plan = discover(str(tmp_path))
    assert [len(each.videos) for each in plan.ladders] == [3]
    assert not kinds(plan)
    (tmp_path / "film_720p.mp4").rename(tmp_path / "film_master.mp4")
    (found,) = shape(discover(str(tmp_path))).values()
    assert found[1:] == ("film_master.mp4", ["film_240p.mp4", "film_360p.mp4"])
