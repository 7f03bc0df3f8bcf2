"""Masters that their pictures show to be it: where no folder tells, and whatever became of an encode or a sibling."""

from __future__ import annotations

from pathlib import Path

from yoto_video.pipeline.discover import discover

from .folders import clip, put, shape


def test_a_name_that_says_master_finds_its_encodes_by_pictures(tmp_path: Path) -> None:
    """No folder says what m is; the file does."""
    clip(tmp_path / "m/coffee_master.mp4", 1, (192, 108), crf=10)
    clip(tmp_path / "june/coffee_360p.mp4", 1, (64, 36))
    clip(tmp_path / "m/tea_master.mp4", 2, (192, 108), crf=10)
    clip(tmp_path / "june/tea_720p.mp4", 2)
    clip(tmp_path / "june/tea_360p.mp4", 2, (64, 36))
    clip(tmp_path / "m/cake_master.mp4", 3, (192, 108), crf=10)
    clip(tmp_path / "june/cake_360p.mp4", 4, (64, 36))
    clip(tmp_path / "m/ice.mp4", 5, (192, 108), crf=10)  # nothing says that this is one
    clip(tmp_path / "june/ice_360p.mp4", 5, (64, 36))
    plan = discover(str(tmp_path))
    assert {name: row[1] for name, row in shape(plan).items() if row[1]} == {
        "june/coffee": "m/coffee_master.mp4", "june/tea": "m/tea_master.mp4",
    }  # fmt: skip
    said = "its folder is none of theirs, and its pictures do not say so; if it is, name it with --mapping"
    assert plan.notes == (f"m/cake_master.mp4 looks like the master of june/cake_360p.mp4, but {said}",)


def test_a_name_that_says_master_gives_way_to_a_folder_that_does(tmp_path: Path) -> None:
    for master in ("masters/coffee.mp4", "m/coffee_master.mp4"):
        clip(tmp_path / master, 1, (192, 108), crf=10)
    clip(tmp_path / "june/coffee_360p.mp4", 1, (64, 36))
    plan = discover(str(tmp_path))
    assert {row[1] for row in shape(plan).values()} == {None, "masters/coffee.mp4"}
    (note,) = plan.notes
    assert note.startswith("m/coffee_master.mp4 looks like the master of june/coffee_360p.mp4, but so does masters/")


def test_a_corrupt_sibling_and_a_second_of_black_cost_no_master(tmp_path: Path) -> None:
    clip(tmp_path / "masters/coffee.mp4", 1, (192, 108), crf=10)
    clip(tmp_path / "june/coffee_480p.mp4", 1, black=(0.7, 1.3))
    put(tmp_path, "june/coffee_720p.mp4")
    (found,) = shape(discover(str(tmp_path))).values()
    assert found[1] == "masters/coffee.mp4"
