"""`--reference FOLDER` where several films or episodes have one title: folders tell them apart, else their pictures."""

from __future__ import annotations

from pathlib import Path

from yoto_video.pipeline.discover import discover

from .folders import clip, put


def masters(root: Path) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """The master of each ladder below vod/, by name, and the plan's notes."""
    plan = discover(str(root / "vod"), reference=str(root / "masters"))
    return {
        one.name: None if one.master is None else str(Path(one.master.path).relative_to(root / "masters"))
        for one in plan.ladders
    }, plan.notes


def test_folders_tell_episodes_apart(tmp_path: Path) -> None:
    put(tmp_path, *(f"vod/s{n}/e01_{rung}.mp4" for n in (1, 2) for rung in ("720p", "360p")))
    put(tmp_path, "masters/s1/e01.mov", "masters/s2/e01.mov")
    assert masters(tmp_path) == ({"s1/e01": "s1/e01.mov", "s2/e01": "s2/e01.mov"}, ())


def test_where_folders_do_not_tell_pictures_do(tmp_path: Path) -> None:
    for season in (1, 2):
        clip(tmp_path / f"masters/S{season}/e01.mp4", season, (192, 108), crf=10)
        for rung, size in (("720p", (96, 54)), ("360p", (64, 36))):
            clip(tmp_path / f"vod/Season 0{season}/e01_{rung}.mp4", season, size)
    found, notes = masters(tmp_path)
    assert found == {"Season 01/e01": "S1/e01.mp4", "Season 02/e01": "S2/e01.mp4"}
    (tmp_path / "masters/S1/e01.mp4").unlink()  # the other season's is none
    found, notes = masters(tmp_path)
    assert found == {"Season 01/e01": None, "Season 02/e01": "S2/e01.mp4"}
    assert notes == ("--reference: masters of the title of Season 01/e01 show other pictures",)


def test_a_trailer_is_not_put_below_its_film(tmp_path: Path) -> None:
    clip(tmp_path / "masters/alpha.mp4", 1, (192, 108), crf=10)
    clip(tmp_path / "vod/alpha_720p.mp4", 1)
    clip(tmp_path / "vod/trailers/alpha_720p.mp4", 2)
    assert masters(tmp_path)[0] == {"alpha_720p": "alpha.mp4", "trailers/alpha_720p": None}


def test_encodes_of_one_master_in_several_folders_are_one_ladder(tmp_path: Path) -> None:
    clip(tmp_path / "masters/alpha.mp4", 1, (192, 108), crf=10)
    for codec in ("x264", "x265"):
        clip(tmp_path / f"vod/{codec}/alpha_720p.mp4", 1)
    assert masters(tmp_path)[0] == {"alpha": "alpha.mp4"}
