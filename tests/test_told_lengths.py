"""How long videos are is known once a plan is made, wherever they lie: estimates, budgets and the order go by it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from yoto_video.jobs.budget import told_length
from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.plan import Plan

from .folders import MPD, SEGMENTS, clip, put


def lengths(plan: Plan) -> dict[str, float | None]:
    """Seconds by path below the root."""
    videos = [video for ladder in plan.ladders for video in ladder.videos]
    return {video.path.removeprefix(plan.root + "/"): told_length(video, plan) for video in videos}


def test_a_title_alone_and_a_file_by_itself(tmp_path: Path) -> None:
    clip(tmp_path / "films/coffee.mp4", 1, seconds=3.0)
    clip(tmp_path / "other/tea.mp4", 2, seconds=1.0)
    put(tmp_path / "other", "bad.mp4")
    found = {"films/coffee.mp4": 3.0, "other/tea.mp4": 1.0, "other/bad.mp4": None}
    assert lengths(discover(str(tmp_path))) == found
    alone = discover(str(tmp_path / "films/coffee.mp4"))
    assert [told_length(video, alone) for video in alone.ladders[0].videos] == [3.0]


def test_a_flat_folder_of_unrelated_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yoto_video.pipeline.groups.FOLDER_LIMIT", 2)
    for number in range(3):
        clip(tmp_path / f"x{number}y.mp4", number, seconds=number + 1.0)
    assert lengths(discover(str(tmp_path))) == {"x0y.mp4": 1.0, "x1y.mp4": 2.0, "x2y.mp4": 3.0}


def test_masters_that_are_given(tmp_path: Path) -> None:
    clip(tmp_path / "e/coffee.mp4", 1, seconds=1.0)
    master = str(clip(tmp_path / "m/coffee.mp4", 1, seconds=3.0))
    for reference in (master, str(tmp_path / "m")):
        assert lengths(discover(str(tmp_path / "e"), reference=reference)) == {master: 3.0, "coffee.mp4": 1.0}


def test_what_a_manifest_says_is_not_looked_up(tmp_path: Path) -> None:
    put(tmp_path, *SEGMENTS)
    (tmp_path / "m.mpd").write_text(MPD)
    plan = discover(str(tmp_path))
    assert lengths(plan) == {"m.mpd#hi": 2.0, "m.mpd#lo": 2.0}
    assert not plan.glances
    (tmp_path / "m.mpd").write_text(re.sub(r' mediaPresentationDuration="[^"]*"', "", MPD))
    assert not discover(str(tmp_path)).glances  # nor what it leaves open


def test_of_very_many_a_part_speaks_for_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yoto_video.pipeline.told_lengths.HEADERS_LIMIT", 2)
    for number, seconds in enumerate((1.0, 9.0, 3.0, 9.0)):
        clip(tmp_path / f"{number}/x{number}y.mp4", number, seconds=seconds)
    plan = discover(str(tmp_path))
    assert list(lengths(plan).values()) == [1.0, 2.0, 3.0, 2.0]
    assert plan.notes == (
        "headers of 2 of 4 videos were read that grouping did not ask for: the others are taken to be as long as these "
        "are on average, 2 s",
    )  # fmt: skip
