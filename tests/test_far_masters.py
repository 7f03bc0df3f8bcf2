"""Masters in a folder of their own find their encodes wherever these lie, or a note says why not."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.pipeline.discover import discover

from .folders import MPD, SEGMENTS, all_paths, clip, put, shape

RUNGS = ("coffee_720p_2500k.mp4", "coffee_360p_500k.mp4")


@pytest.mark.parametrize("folder", ["vod", "abr", "hls", "dash", "june deliveries", "x/y", "coffee/june"])
@pytest.mark.parametrize("master", ["masters/coffee.mp4", "coffee/master/coffee.mp4", "coffee_master.mov"])
def test_whatever_the_encodes_folder_is_called(tmp_path: Path, folder: str, master: str) -> None:
    encodes = [f"{folder}/{rung}" for rung in RUNGS]
    put(tmp_path, master, *encodes)
    plan = discover(str(tmp_path))
    (found,) = shape(plan).values()
    assert found == ("name", master, sorted(encodes))
    assert not plan.notes


def test_pictures_and_lengths_are_asked(tmp_path: Path) -> None:
    clip(tmp_path / "masters/coffee.mp4", 1, (192, 108), crf=10)
    clip(tmp_path / "june/coffee_720p.mp4", 1)
    clip(tmp_path / "june/coffee_360p.mp4", 1, (64, 36))
    clip(tmp_path / "masters/tea.mp4", 2, (192, 108), crf=10)
    clip(tmp_path / "june/tea_720p.mp4", 3)
    clip(tmp_path / "june/tea_360p.mp4", 3, (64, 36))
    clip(tmp_path / "masters/cake.mp4", 4, (192, 108), crf=10)
    clip(tmp_path / "june/cake_720p.mp4", 5, seconds=1.0)
    clip(tmp_path / "masters/ice.mp4", 6, (192, 108), crf=10)
    clip(tmp_path / "phone/ice.mp4", 6)  # a name without a rung, but the same pictures
    clip(tmp_path / "masters/jam.mp4", 7, (192, 108), crf=10)
    clip(tmp_path / "phone/jam.mp4", 8)
    plan = discover(str(tmp_path))
    assert {name: row[:2] for name, row in shape(plan).items() if row[1]} == {
        "june/coffee": ("name", "masters/coffee.mp4"), "ice": ("name", "masters/ice.mp4"),
    }  # fmt: skip
    assert sorted(plan.notes) == [
        f"masters/{title}.mp4 looks like the master of {encode}, but its pictures or its length are others; "
        "if it is, name it with --mapping"
        for title, encode in (
            ("cake", "june/cake_720p.mp4"), ("jam", "phone/jam.mp4"), ("tea", "june/tea_360p.mp4"),
        )
    ]  # fmt: skip


def test_of_many_ladders_lengths_alone_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yoto_video.pipeline.far_masters.PICTURES_LIMIT", 1)
    for seed, (title, seconds) in enumerate({"tea": 2.0, "cake": 1.7}.items()):
        clip(tmp_path / f"masters/{title}.mp4", seed, (192, 108), seconds=2.0)
        clip(tmp_path / f"june/{title}_720p.mp4", seed + 10, seconds=seconds)
    masters = {name: row[1] for name, row in shape(discover(str(tmp_path))).items()}
    assert masters == {"tea": "masters/tea.mp4", "masters/cake": None, "june/cake_720p": None}


def test_folders_must_not_contradict(tmp_path: Path) -> None:
    put(tmp_path, *(f"june/s{n}/ep1_{rung}.mp4" for n in (1, 2) for rung in ("720p", "360p")))
    put(tmp_path, "masters/s1/ep1.mp4", "masters/s2/ep1.mp4", "masters/s3/ep1.mp4")
    plan = discover(str(tmp_path))
    assert {name: row[1] for name, row in shape(plan).items()} == {
        "june/s1/ep1": "masters/s1/ep1.mp4", "june/s2/ep1": "masters/s2/ep1.mp4", "masters/s3/ep1": None,
    }  # fmt: skip
    assert plan.notes == ("nothing has the title of masters/s3/ep1.mp4, in a folder of masters",)


def test_in_doubt_a_note(tmp_path: Path) -> None:
    put(tmp_path, *(f"{folder}/ep1_{rung}.mp4" for folder in ("s1", "s2") for rung in ("720p", "360p")))
    put(tmp_path, "masters/ep1.mp4", "old/june/t_720p.mp4", "old/june/t_360p.mp4", "old/masters/t.mov", "ref/t.mp4")
    plan = discover(str(tmp_path))
    assert not any(ladder.master for ladder in plan.ladders)
    assert plan.notes == (
        "masters/ep1.mp4 looks like the master of s1/ep1_360p.mp4 and of s2/ep1_360p.mp4, but there are 2 of its "
        "title; name their master with --reference",
        "old/masters/t.mov looks like the master of old/june/t_360p.mp4, but so does ref/t.mp4; "
        "name its master with --mapping",
        "ref/t.mp4 looks like the master of old/june/t_360p.mp4, but so does old/masters/t.mov; "
        "name its master with --mapping",
    )


def test_a_manifest_s_master(tmp_path: Path) -> None:
    put(tmp_path, "june/coffee/x", *(f"june/coffee/{name}" for name in SEGMENTS))
    (tmp_path / "june/coffee/manifest.mpd").write_text(MPD)
    clip(tmp_path / "masters/coffee.mp4", 1)
    (found,) = shape(discover(str(tmp_path))).values()
    assert found[:2] == ("manifest", "masters/coffee.mp4")
    clip(tmp_path / "masters/coffee.mp4", 1, seconds=3.0)
    plan = discover(str(tmp_path))
    assert not any(ladder.master for ladder in plan.ladders)
    assert "but its pictures or its length are others" in plan.notes[-1]


def test_masters_that_nothing_uses_are_told_in_one_note(tmp_path: Path) -> None:
    names = [f"masters/m{n}.mp4" for n in range(7)]
    put(tmp_path, *names)
    assert not discover(str(tmp_path)).notes  # nothing but masters: they are what is to be scored
    put(tmp_path, "june/other_720p.mp4")
    (note,) = discover(str(tmp_path)).notes
    assert note == f"nothing has the title of {', '.join(names[:5])} and 2 more, in a folder of masters"


_FILES = st.builds(
    "{}{}{}.mp4".format,
    st.sampled_from(["", "masters/", "june/", "s1/june/", "s1/masters/", "s2/", "june/masters/"]),
    st.sampled_from(["a", "b", "a (2024)"]),
    st.sampled_from(["", "_720p", "_360p", "_master", "_high"]),
)


@settings(deadline=None, max_examples=60)
@given(st.sets(_FILES, min_size=1, max_size=12), st.randoms())
def test_every_file_is_in_one_ladder_in_whatever_order(files: set[str], order: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), *files)
        plan = discover(folder)
        assert sorted(all_paths(plan.ladders)) == sorted(f"{plan.root}/{file}" for file in files)
        again = sorted(files)
        order.shuffle(again)
        for file in again:
            (Path(folder) / file).unlink()
        put(Path(folder), *again)
        assert shape(discover(folder)) == shape(plan)
