"""Files that are alone for a word in their names: said where their pictures are those of the ladder beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from yoto_video.pipeline.added_words import MOST
from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.plan import Plan
from yoto_video.reports import lint
from yoto_video.reports.read import gather

from .folders import clip, put, shape
from .scanning import run


def ladder(root: Path, title: str = "dog", seed: int = 1) -> Path:
    clip(root / f"{title}_360p_300k.mp4", seed)
    clip(root / f"{title}_720p_1500k.mp4", seed, (192, 108))
    return root


def told(plan: Plan) -> dict[str, tuple[Finding, ...]]:
    return {one.video.name: one.findings for each in plan.ladders for one in each.renditions if one.findings}


@pytest.mark.parametrize("title", ["dog", "park/dog"])
def test_a_word_more_is_said_where_the_pictures_are_the_ladders(title: str, tmp_path: Path, out_dir: Path) -> None:
    """Its length keeps it out of the ladder, which its pictures would put it into."""
    stray = clip(ladder(tmp_path / "v", title) / f"{title}_480p_fadein.mp4", 1, seconds=3.0)
    plan = discover(str(tmp_path / "v"))
    assert [len(row[2]) for row in shape(plan).values()] == [2, 1]
    (note,) = plan.notes
    said = f"named like {title}_360p_300k.mp4 with 'fadein' added, and no other pictures were seen in it"
    assert note.startswith(f"{said}: {title}_480p_fadein.mp4 is judged apart")
    ((finding,),) = told(plan).values()
    assert (finding.kind, finding.severity) == ("kept_apart", "info")
    assert finding.sentence.startswith(said)
    result, *_ = run(tmp_path / "v", out_dir)
    assert [f.kind for c in result.clips if c.path == str(stray) for f in c.findings].count("kept_apart") == 1
    assert "kept_apart" not in {issue.rule for issue in lint.check(gather(result.clips))}


def test_a_fade_does_not_hide_it(tmp_path: Path) -> None:
    """A moment that is black in one of them says nothing of what it shows."""
    clip(ladder(tmp_path) / "dog_480p_fadein.mp4", 1, seconds=3.0, black=(0.0, 0.5))
    assert list(told(discover(str(tmp_path)))) == ["dog_480p_fadein.mp4"]


@pytest.mark.parametrize("name", ["dog_trailer_480p", "other/dog_fadein_480p", "cat_fadein_480p", "hotdog_480p"])
def test_other_pictures_folders_and_words_are_other_titles(name: str, tmp_path: Path) -> None:
    clip(ladder(tmp_path) / f"{name}.mp4", 2 if "trailer" in name else 1, seconds=3.0)
    assert not told(discover(str(tmp_path)))


def test_titles_that_share_words_are_titles(tmp_path: Path) -> None:
    ladder(ladder(tmp_path), "dog_park", 2)
    assert discover(str(tmp_path)).notes == ()
    clip(tmp_path / "dog_park_480p_fadein.mp4", 2, seconds=3.0)
    (note,) = discover(str(tmp_path)).notes
    assert note.startswith("named like dog_park_360p_300k.mp4 with 'fadein' added")


def test_a_ladder_that_its_pictures_made_has_the_words_its_files_share(tmp_path: Path) -> None:
    clip(tmp_path / "dog_720p.mp4", 1, (192, 108))
    clip(tmp_path / "dog_360p_alt.mp4", 1)
    clip(tmp_path / "dog_480p_fadein.mp4", 1, seconds=3.0)
    (note,) = discover(str(tmp_path)).notes
    assert note.startswith("named like dog_720p.mp4 with 'fadein' added")


def test_a_series_is_no_ladder_with_words_added(tmp_path: Path) -> None:
    ladder(tmp_path, "show")
    for number in range(MOST + 1):
        clip(tmp_path / f"show_s01e{number:02d}.mp4", 1, seconds=3.0 + number)
    assert not told(discover(str(tmp_path)))


def test_what_cannot_be_read_or_has_a_master_is_not_told(tmp_path: Path) -> None:
    put(ladder(tmp_path / "v"), "dog_480p_fadein.mp4")
    assert not told(discover(str(tmp_path / "v")))
    clip(tmp_path / "v" / "dog_480p_fadein.mp4", 1, seconds=3.0)
    plan = discover(str(tmp_path / "v"), reference=str(clip(tmp_path / "m.mp4", 1)))
    assert not told(plan)
    assert not plan.notes
