"""What a comparison tells beside its figures: of which encodes, and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from yoto_video.jobs.compare_output import print_comparison
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.values import ClipResult

from .synthetic_results import result, unscored
from .test_compare import compared, encodes, side
from .test_compare_told import page_of


def found(results: list[ClipResult], name: str, *findings: Finding) -> list[ClipResult]:
    """The same, with these found in the encodes whose path ends so."""
    return [result(replace(r.clip, findings=findings), r.frames) if r.clip.path.endswith(name) else r for r in results]


def test_what_is_left_out_is_told_with_the_reason_that_its_row_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city"))
    torn = Finding("truncated: 30 of 100 frames are missing from the file", "truncated", "error")
    whole = found(encodes("b", "sea"), "_4000k.mp4", torn)
    empty = unscored("/v/b/sea_8000k.mp4", "sea", "the file is empty (0 bytes); write it again")
    other = Finding("not compared with city.mov: they do not show the same pictures", "not_compared", "error")
    alone = found(encodes("b", "city", modes=("nr",)), "_4000k.mp4", other)[-1:]
    b = side(tmp_path / "b", [*whole, empty], [*encodes("b", "city", modes=("fr",))[:-1], *alone])
    there = compared({"a": a, "b": b})
    print_comparison(there)
    lines = capsys.readouterr().out.splitlines()
    cut = "b: sea_4000k.mp4 is truncated and is left out: 30 of 100 frames are missing from the file"
    assert f"sea: {cut}; copy or upload it again" in lines
    none = "b: sea_8000k.mp4 has no FR score and is left out: the file is empty (0 bytes); write it again"
    assert f"sea: {none}" in lines
    assert f"city: b: city_4000k.mp4 has no FR score and is left out: {other}" in lines
    assert none in page_of(there, tmp_path / "page")
