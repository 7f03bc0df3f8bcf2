"""A title whose encodes are there and failed is among the encodes, and the reason told is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from yoto_video.jobs import cli
from yoto_video.jobs.pairing import any_scored, by_ladder, pair
from yoto_video.pipeline.values import ClipResult

from .synthetic_results import scored, unscored
from .test_compare import compared, encodes, side


def failed(label: str, title: str) -> list[ClipResult]:
    return [unscored(f"/v/{label}/{title}_{k}k.mp4", title, "the file is empty") for k in (500, 1000)]


def test_what_failed_is_told_by_its_own_reason(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city"), failed("a", "lake"), encodes("a", "moor"))
    b = side(tmp_path / "b", encodes("b", "sea", saves=0.2), failed("b", "city"), failed("b", "lake"))
    there = compared({"a": a, "b": b})
    why = "none of the 2 encodes of {} has a score (the file is empty)"
    assert {t.name: t.reason for t in there.titles} == {
        "sea": None, "city": why.format("b"), "lake": f"{why.format('a')}; {why.format('b')}",
        "moor": "not among the encodes of b",
    }  # fmt: skip


def test_sound_beside_the_encodes_is_no_title_and_a_videos_turn_that_did_not_come_is() -> None:
    sound = unscored("/v/theme.m4a", "theme", "audio only", status="skipped").clip
    later = unscored("/v/sea.mp4", "sea", "not looked at yet", status="skipped", depth="none").clip
    master = scored("/v/city.mov", "city", "nr", 50, is_master=True).clip
    assert list(by_ladder([sound, later, master])) == ["sea"]
    assert not any_scored([by_ladder([sound, later, master])])


def test_what_failed_takes_no_partner_from_what_did_not() -> None:
    a = [scored("/a/x/lake.mp4", "x/lake", "nr", 50).clip]
    b = [scored("/b/y/lake.mp4", "y/lake", "nr", 50).clip, unscored("/b/z/lake.mp4", "z/lake", "empty").clip]
    assert pair([by_ladder(a), by_ladder(b)]) == {"x/lake": ["x/lake", "y/lake"], "z/lake": [None, "z/lake"]}


def test_where_nothing_has_a_score_there_is_nothing_to_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [side(tmp_path / label, failed(label, "sea")) for label in ("a", "b")]
    assert cli.main(["compare", *folders, "--out", str(tmp_path / "out")]) == 1
    assert "nothing could be scored on any side" in capsys.readouterr().err
