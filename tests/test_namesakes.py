"""Rungs by their names that show something else: refused by their ladder's master, or said to be apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.plan import Plan
from yoto_video.pipeline.store import Store
from yoto_video.reports import lint
from yoto_video.reports.read import gather

from .folders import clip, put, shape
from .scanning import run

WIDE, SQUARE = (96, 54), (54, 54)


def ladder(root: Path, *, master: bool = True) -> Path:
    """A title of two rungs, and its master."""
    clip(root / "misc_360p_300k.mp4", 1, WIDE)
    clip(root / "misc_720p_1500k.mp4", 1, (192, 108))
    if master:
        clip(root / "misc_master.mp4", 1, (192, 108), crf=10)
    return root


def kinds(plan: Plan) -> dict[str, list[tuple[str, str]]]:
    """Kind and severity of what grouping saw, by file."""
    found = [one for each in plan.ladders for one in each.renditions if one.findings]
    return {one.video.name: [(f.kind, f.severity) for f in one.findings] for one in found}


@pytest.mark.parametrize(("size", "seconds", "why"), [
    (SQUARE, 2.0, "its pictures are others"), (WIDE, 3.0, "it lasts 3 s, not 2 s"),
])  # fmt: skip
def test_another_film_is_refused_by_the_master(
    size: tuple[int, int], seconds: float, why: str, tmp_path: Path, out_dir: Path
) -> None:
    stray = clip(ladder(tmp_path / "v") / "misc_480p_600k.mp4", 2, size, seconds=seconds)
    plan = discover(str(tmp_path / "v"))
    assert shape(plan)["misc"][2] == ["misc_360p_300k.mp4", "misc_480p_600k.mp4", "misc_720p_1500k.mp4"]
    assert plan.notes == (f"named like misc_360p_300k.mp4, but {why}; its master will tell: misc_480p_600k.mp4",)
    result, *_ = run(tmp_path / "v", out_dir)
    assert {c.path: [f.foreign for f in c.findings].count(True) for c in result.clips if c.mode == "nr"} == {
        str(path): int(path == stray) for path in (tmp_path / "v").iterdir()
    }


def test_a_master_that_lies_elsewhere_refuses_it_too(tmp_path: Path) -> None:
    clip(ladder(tmp_path / "june", master=False) / "misc_480p_600k.mp4", 2, seconds=3.0)
    clip(tmp_path / "masters/misc.mp4", 1, (192, 108), crf=10)
    assert [len(each.videos) for each in discover(str(tmp_path)).ladders] == [4]


def test_without_a_master_its_rows_say_so_as_long_as_it_is_so(tmp_path: Path, out_dir: Path) -> None:
    folder = ladder(tmp_path / "v", master=False)
    stray = clip(folder / "misc_480p_600k.mp4", 2, seconds=3.0)
    told = {"misc_480p_600k.mp4": [("kept_apart", "error")]}
    assert kinds(discover(str(folder))) == told
    result, *_ = run(folder, out_dir)
    issues = [issue for issue in lint.check(gather(result.clips)) if issue.rule == "kept_apart"]
    assert [issue.paths for issue in issues] == [(str(stray),)]
    assert "named like misc_360p_300k.mp4, but it lasts 3 s, not 2 s: judged apart from it" in issues[0].sentence

    def what_is_known() -> list[str]:
        (row,) = (clip for clip in Store(out_dir, read_only=True).clips() if clip.path == str(stray))
        return [finding.kind for finding in row.findings]

    said = what_is_known()
    assert said.count("kept_apart") == 1
    others = [folder / "misc_360p_300k.mp4", folder / "misc_720p_1500k.mp4"]
    for path in others:
        path.rename(path.with_name(path.name.replace("misc", "other")))
    run(folder, out_dir)
    assert what_is_known() == [kind for kind in said if kind != "kept_apart"]
    for path in others:
        path.with_name(path.name.replace("misc", "other")).rename(path)
    run(folder, out_dir)
    assert what_is_known() == said


@pytest.mark.parametrize(("ladder_in", "strays", "size", "severity"), [
    ("", ["misc_480p_600k", "misc_540p_900k", "misc_240p_100k"], WIDE, "error"),  # as many as are one content
    ("encodes/", ["hls/misc_480p_600k"], WIDE, "error"),  # another folder
    ("", ["misc_1080x1920"], (54, 96), "warning"),  # the name says that its shape is another
    ("", ["misc_high"], WIDE, None),  # and this says no size
])  # fmt: skip
def test_in_doubt_it_stays_apart(
    ladder_in: str, strays: list[str], size: tuple[int, int], severity: str | None, tmp_path: Path
) -> None:
    ladder(tmp_path / ladder_in)
    for name in strays:
        clip(tmp_path / f"{name}.mp4", 2, size, seconds=3.0)
    plan = discover(str(tmp_path))
    (held,) = (row for row in shape(plan).values() if row[1] is not None)
    assert held[2] == [f"{ladder_in}misc_360p_300k.mp4", f"{ladder_in}misc_720p_1500k.mp4"]
    assert any("kept apart" in note for note in plan.notes)
    said = {} if severity is None else {f"{Path(name).name}.mp4": [("kept_apart", severity)] for name in strays}
    assert kinds(plan) == said


def test_seasons_are_titles(tmp_path: Path) -> None:
    """The same names below other folders are other titles: nothing is said, nothing put together."""
    ladder(tmp_path / "s1")
    for name in ("misc_360p_300k.mp4", "misc_480p_600k.mp4"):
        clip(tmp_path / "s2" / name, 2, seconds=3.0)
    plan = discover(str(tmp_path))
    assert {name: len(row[2]) for name, row in shape(plan).items()} == {"s1/misc": 2, "s2/misc": 2}
    assert not plan.notes
    assert not kinds(plan)


def test_what_cannot_be_read_is_like_nothing(tmp_path: Path) -> None:
    folder = ladder(tmp_path, master=False)
    put(folder, "misc_240p_100k.mp4")
    clip(folder / "misc_480p_600k.mp4", 2, seconds=3.0)
    (note,) = discover(str(folder)).notes
    assert note.startswith("named like misc_360p_300k.mp4, but kept apart, for it lasts 3 s")


def test_what_somebody_maps_is_not_said_to_be_apart(tmp_path: Path) -> None:
    folder = ladder(tmp_path / "v", master=False)
    clip(folder / "misc_480p_600k.mp4", 2, seconds=3.0)
    master = clip(tmp_path / "m.mp4", 1)
    assert not kinds(discover(str(folder), reference=str(master)))
