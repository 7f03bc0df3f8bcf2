"""Ladders by what files show, where names are weak or say nothing: every file in exactly one group."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.pipeline import names
from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.fingerprint import Alike
from yoto_video.pipeline.glance import Glance
from yoto_video.pipeline.groups import Item, group
from yoto_video.pipeline.values import VideoRef

from .folders import clip, put, shape


def test_content_overrules_weak_names(tmp_path: Path) -> None:
    """clip_360 and clip_480 may be rungs of one clip, or numbers of two."""
    clip(tmp_path / "rungs/clip_360.mp4", 1)
    clip(tmp_path / "rungs/clip_480.mp4", 1, crf=40)
    clip(tmp_path / "numbers/clip_360.mp4", 2)
    clip(tmp_path / "numbers/clip_480.mp4", 3)
    clip(tmp_path / "shapes/clip_360p.mp4", 4)
    clip(tmp_path / "shapes/clip_480p.mp4", 5, (96, 96))
    assert {name: len(row[2]) for name, row in shape(discover(str(tmp_path))).items()} == {
        "rungs/clip": 2, "numbers/clip_360": 1, "numbers/clip_480": 1, "shapes/clip_360p": 1, "shapes/clip_480p": 1
    }  # fmt: skip


def test_another_length_is_another_content(tmp_path: Path) -> None:
    for name, seconds in [("t_1080p.mp4", 4.0), ("t_720p.mp4", 4.0), ("t_360p.mp4", 3.2), ("t_240p.mp4", 2.0)]:
        clip(tmp_path / name, 1, seconds=seconds)
    clip(tmp_path / "t_high.mp4", 2, seconds=1.0)
    plan = discover(str(tmp_path))
    assert shape(plan)["t"][2] == ["t_1080p.mp4", "t_240p.mp4", "t_360p.mp4", "t_720p.mp4"]
    assert any("t_360p.mp4 lasts 3.2 s" in note for note in plan.notes)
    assert any("t_240p.mp4 lasts 2 s" in note for note in plan.notes)  # cut off: it shows the same as far as it goes
    assert any(note.startswith("named like") and note.endswith(": t_high.mp4") for note in plan.notes)


def test_swapped_files_are_told_where_they_went(tmp_path: Path) -> None:
    """dog_crf22 shows bikes and bikes_crf22 shows dog: each goes to what it shows, and both are named."""
    for crf in (22, 27, 32):
        clip(tmp_path / f"dog_crf{crf}.mp4", 2 if crf == 22 else 1, (96, 54) if crf == 22 else (96, 96), crf=crf)
        clip(tmp_path / f"bikes_crf{crf}.mp4", 1 if crf == 22 else 2, (96, 96) if crf == 22 else (96, 54), crf=crf)
    plan = discover(str(tmp_path))
    assert {name: row[2] for name, row in shape(plan).items()} == {
        "dog": ["bikes_crf22.mp4", "dog_crf27.mp4", "dog_crf32.mp4"],
        "bikes": ["bikes_crf27.mp4", "bikes_crf32.mp4", "dog_crf22.mp4"],
    }
    assert set(plan.notes) == {
        "named like bikes_crf27.mp4, but grouped with dog_crf27.mp4, whose pictures it shows: bikes_crf22.mp4",
        "named like dog_crf27.mp4, but grouped with bikes_crf27.mp4, whose pictures it shows: dog_crf22.mp4",
    }


def test_a_master_twice_as_long_keeps_its_encodes(tmp_path: Path) -> None:
    clip(tmp_path / "t_source.mp4", 1, (192, 108), seconds=4.0)
    for name in ("t_360p.mp4", "t_720p.mp4"):
        clip(tmp_path / name, 1, seconds=2.0)
    plan = discover(str(tmp_path))
    assert shape(plan) == {"t": ("name", "t_source.mp4", ["t_360p.mp4", "t_720p.mp4"])}
    assert sum("lasts 2 s, its master 4 s" in note for note in plan.notes) == 2


def test_folder_duration_and_pictures(tmp_path: Path) -> None:
    """Names that say nothing: encodes of one content come together, others of the same length do not."""
    clip(tmp_path / "a/upload.mp4", 1, (192, 108), crf=10)
    clip(tmp_path / "a/x17.mp4", 1, crf=30)
    clip(tmp_path / "a/foo.mkv", 1, (64, 36), crf=30)
    clip(tmp_path / "a/stranger.mp4", 2)
    clip(tmp_path / "a/short.mp4", 1, seconds=1.0)
    clip(tmp_path / "b/copy one.mp4", 3)
    shutil.copy(tmp_path / "b/copy one.mp4", tmp_path / "b/two.mp4")  # copies are no ladder
    clip(tmp_path / "c/show-ref.mp4", 4)
    clip(tmp_path / "c/show-try-a.mp4", 4, crf=35)
    clip(tmp_path / "c/show-try-b.mp4", 4, crf=45)
    assert shape(discover(str(tmp_path))) == {
        "a": ("folder", None, ["a/foo.mkv", "a/upload.mp4", "a/x17.mp4"]),
        "a/stranger": ("single", None, ["a/stranger.mp4"]),
        "a/short": ("single", None, ["a/short.mp4"]),
        "b/copy one": ("single", None, ["b/copy one.mp4"]),
        "b/two": ("single", None, ["b/two.mp4"]),
        "c/show": ("folder", "c/show-ref.mp4", ["c/show-try-a.mp4", "c/show-try-b.mp4"]),
    }


def test_a_stranger_by_name_joins_its_ladder(tmp_path: Path) -> None:
    clip(tmp_path / "t_1080p.mp4", 1, (192, 108))
    clip(tmp_path / "t_720p.mp4", 1)
    clip(tmp_path / "final cut source.mp4", 1, (192, 108), crf=5)
    clip(tmp_path / "bonus.mp4", 2)
    plan = shape(discover(str(tmp_path)))
    assert plan["t"] == ("name", "final cut source.mp4", ["t_1080p.mp4", "t_720p.mp4"])
    assert len(plan) == 2


class _Imagined:
    """Contents made up by a number for each file."""

    def __init__(self, contents: dict[str, int]) -> None:
        self.contents = contents

    def prepare(self, files: Iterable[tuple[VideoRef, int]]) -> None:
        list(files)

    def glance(self, ref: VideoRef) -> Glance:
        content = self.contents[ref.path]
        if content == 0:
            return Glance()
        size = sum(ref.path.encode()) % 3 + 1
        return Glance(160 * size, 90 * size, 10.0 + content // 3, 100.0 * size, "h264")

    def alike(self, one: VideoRef, others: Sequence[VideoRef]) -> list[Alike]:
        same = [self.contents[one.path] == self.contents[ref.path] for ref in others]
        return [Alike.SAME if yes else Alike.DIFFERENT for yes in same]

    def differ(self, one: VideoRef, other: VideoRef) -> bool:
        return self.contents[one.path] != self.contents[other.path]


_WORDS = st.sampled_from(["a", "b", "1080p", "720", "500k", "high", "source", "ref", "x264", "sources", "encodes"])
_NAMES = st.builds(
    lambda folders, words, ending: "/".join([*folders, "_".join(words) + ending]),
    st.lists(_WORDS, max_size=2),
    st.lists(_WORDS, min_size=1, max_size=4),
    st.sampled_from([".mp4", ".mkv", ".png"]),
)


@given(st.dictionaries(_NAMES, st.integers(0, 6), max_size=14), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_grouping_is_a_partition_whatever_the_order(contents: dict[str, int], random: object) -> None:
    looks = _Imagined(contents)
    items = [Item(VideoRef(name), name, names.parse(name), 1, name.endswith(".png")) for name in contents]
    found, parted, notes = group(items, looks)
    assert sorted(item.relative for each in found for item in each.items) == sorted(contents)
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert group(shuffled, looks) == (found, parted, notes)
    for each in found:
        assert each.master is None or each.master in each.items
        if each.by == "folder":  # never different contents
            assert len({contents[item.relative] for item in each.items}) == 1


def test_too_many_to_compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Thousands of files that nothing groups are not compared, and that is said."""
    put(tmp_path, *(f"x{i}y.mp4" for i in range(12)))
    monkeypatch.setattr("yoto_video.pipeline.groups.FOLDER_LIMIT", 10)
    plan = discover(str(tmp_path))
    assert len(plan.ladders) == 12
    assert any("12 files" in note and "--mapping" in note for note in plan.notes)
