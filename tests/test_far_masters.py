"""Masters in a folder of their own find their encodes wherever these lie, or a note says why not."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.pipeline import far_masters, homes, names
from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.far_masters import join_masters
from yoto_video.pipeline.fingerprint import Alike
from yoto_video.pipeline.glance import Glance
from yoto_video.pipeline.groups import Group, Item
from yoto_video.pipeline.values import VideoRef

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


class _AllAlike:
    """Files of one length and one picture, and how many were asked for at once."""

    def __init__(self) -> None:
        self.prepared: list[int] = []

    def prepare(self, files: Iterable[tuple[VideoRef, int]]) -> None:
        self.prepared.append(len(list(files)))

    def glance(self, ref: VideoRef) -> Glance:
        return Glance(1920, 1080, 10.0, 1000.0, "h264")

    def alike(self, one: VideoRef, others: Sequence[VideoRef]) -> list[Alike]:
        return [Alike.SAME for _ in others]

    def differ(self, one: VideoRef, other: VideoRef) -> bool:
        return False


def _group(*files: str) -> Group:
    items = [Item(VideoRef(file), file, names.parse(file), 100) for file in files]
    return Group(items, "name" if len(items) > 1 else "single")


def _titles(count: int, *, below: str = "") -> list[Group]:
    """Titles that are told apart by their folders alone."""
    folders = [f"{below}T{n:05}" for n in range(count)]
    masters = [_group(f"{folder}/masters/feature.mov") for folder in folders]
    return masters + [_group(*(f"{folder}/june/feature_{rung}p.mp4" for rung in (360, 720))) for folder in folders]


def test_work_grows_as_the_number_of_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = Mock(wraps=homes.within)
    monkeypatch.setattr(homes, "within", compared)
    looks = _AllAlike()
    groups = _titles(300, below="films/") + [_group(f"{folder}/feature.mov") for folder in ("masters", "films/ref")]
    left, notes = join_masters(groups, [], looks)
    assert len(left) == 302
    assert [note.split(" looks")[0] for note in notes] == ["films/ref/feature.mov", "masters/feature.mov"]
    assert all("but there are more than 5 of its title; name their master" in note for note in notes)
    assert compared.call_count < 2 * 300
    assert looks.prepared == [900]  # all headers are asked for at once


def test_no_more_headers_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(far_masters, "GLANCE_LIMIT", 10)
    looks = _AllAlike()
    left, (note,) = join_masters(_titles(6), [], looks)
    assert (len(left), looks.prepared) == (6, [10])
    assert note.startswith("6 masters in folders of their own are matched by name; durations of 10 of them")


def test_a_general_master_is_no_rival_of_exact_ones() -> None:
    left, (note,) = join_masters([*_titles(3), _group("masters/feature.mov")], [], _AllAlike())
    assert sorted((each.master.relative if each.master else None, len(each.items)) for each in left[:-1]) == [
        (f"T0000{n}/masters/feature.mov", 3) for n in range(3)
    ]
    assert left[-1].items[0].relative == "masters/feature.mov"
    assert note.startswith("masters/feature.mov looks like the master of T00000/june/feature_360p.mp4 and of T00001/")
    assert note.endswith(", but there are 3 of its title; name their master with --reference")


def test_notes_of_one_kind_are_folded() -> None:
    groups = [_group(f"masters/t{n}.mov") for n in range(9)]
    groups += [_group(f"{when}/t{n}_360p.mp4", f"{when}/t{n}_720p.mp4") for n in range(9) for when in ("june", "july")]
    groups += [_group("old/masters/x.mov"), _group("ref/x.mov"), _group("old/june/x_360p.mp4", "old/june/x_720p.mp4")]
    left, notes = join_masters(groups, [], _AllAlike())
    assert len(left) == len(groups)
    assert [note.split(" looks")[0] for note in notes] == [
        *(f"masters/t{n}.mov" for n in range(5)), "old/masters/x.mov", "ref/x.mov",
    ]  # fmt: skip
    assert [note for note in notes if "more like it" in note] == [notes[4]]
    assert notes[4].endswith("there are 2 of its title; name their master with --reference; and 4 more like it")


@pytest.mark.parametrize("number", ["144", "180", "1080"])
def test_a_folder_s_number_may_be_its_title(tmp_path: Path, number: str) -> None:
    put(tmp_path, *(f"{n}/june/feature_{rung}.mp4" for n in (number, "143") for rung in ("720p", "360p")))
    put(tmp_path, f"{number}/masters/feature.mov", "143/masters/feature.mov")
    plan = discover(str(tmp_path))
    assert sorted(row[1:] for row in shape(plan).values()) == sorted(
        (f"{n}/masters/feature.mov", [f"{n}/june/feature_{rung}.mp4" for rung in ("360p", "720p")])
        for n in (number, "143")
    )
    assert not plan.notes


def test_a_number_s_master_joins_no_other_title(tmp_path: Path) -> None:
    put(tmp_path, "144/masters/feature.mov", "143/june/feature_720p.mp4", "143/june/feature_360p.mp4")
    plan = discover(str(tmp_path))
    assert not any(ladder.master for ladder in plan.ladders)
    assert plan.notes == (
        "144/masters/feature.mov looks like the master of 143/june/feature_360p.mp4, but a number among its folders "
        "may be a title; if not, name it with --mapping",
    )
    put(tmp_path, "143/masters/feature.mov")
    plan = discover(str(tmp_path))
    assert [row[1] for row in shape(plan).values() if row[1]] == ["143/masters/feature.mov"]
    assert "but so does 143/masters/feature.mov" in plan.notes[-1]
    put(tmp_path, "180/masters/feature.mov")
    assert discover(str(tmp_path)).notes == (
        "144/masters/feature.mov and 180/masters/feature.mov are taken for sizes of one title; if their folders are "
        "titles, use --mapping",
    )


def test_a_folder_s_number_may_be_its_master_s_lines(tmp_path: Path) -> None:
    clip(tmp_path / "masters/144/feature.mov", 1, (256, 144), crf=10)
    clip(tmp_path / "june/feature_720p.mp4", 1)
    clip(tmp_path / "june/feature_360p.mp4", 1, (64, 36))
    (found,) = shape(discover(str(tmp_path))).values()
    assert found[:2] == ("name", "masters/144/feature.mov")


_FILES = st.builds(
    "{}{}{}.mp4".format,
    st.sampled_from(["", "masters/", "june/", "s1/june/", "s1/masters/", "s2/", "june/masters/", "144/masters/"]),
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
