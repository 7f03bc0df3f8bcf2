"""Lint tells rungs that are darker or greyer than the others of a ladder without a master."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from yoto_video.jobs import cli
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipResult, Ladder, Rendition, VideoRef
from yoto_video.reports import lint
from yoto_video.reports.read import gather

from . import clips
from .fakes import FakeJudge
from .scenes import Picture, moving
from .synthetic_results import scored, write


def film(*levels: tuple[float | None, float | None], **facts: Any) -> list[ClipResult]:
    """Well spaced rungs with this luma and chroma."""
    return [
        scored(f"/v/{k}.mp4", "l", "nr", 30.0 + 12 * k, bitrate_kbps=500.0 * 2**k, luma=luma, chroma=chroma, **facts)
        for k, (luma, chroma) in enumerate(levels)
    ]


def told(results: list[ClipResult]) -> list[str]:
    found = lint.check(gather([result.clip for result in results]))
    assert all((issue.rule, issue.severity) == ("colour", "warning") for issue in found)
    return [issue.sentence for issue in found]


def test_the_odd_one_out_is_told() -> None:
    assert told(film((100, 20), (103.5, 17), (98, 21))) == []
    assert told(film((100, 20), (101, 20), (60, 20))) == [
        "2.mp4: darker than most encodes of its ladder, by 40 levels of 255 on average"
    ]
    assert told(film((100, 20), (101, 20), (130, 20)))[0].startswith("2.mp4: brighter than most")
    assert told(film((100, 0.4), (101, 20), (100, 18))) == [
        "0.mp4: grey, where most encodes of its ladder have colours"
    ]
    assert told(film((100, 0.4), (101, 0.2), (100, 0.0))) == []


def test_of_as_many_on_each_side_nobody_is_blamed() -> None:
    unknown = "without a master nothing tells which is right"
    assert told(film((100, 20), (60, 20))) == [f"1.mp4 is darker than 0.mp4, by 40 levels of 255 on average: {unknown}"]
    assert told(film((100, 20), (100, 0.3))) == [f"1.mp4 is grey, and 0.mp4 has colours: {unknown}"]
    assert len(told(film((100, 20), (100, 20), (60, 20), (60, 20)))) == 1


@pytest.mark.parametrize(
    "facts",
    [
        {"display": "640x360"},
        {"luma": None, "chroma": None},
        {"depth": "first"},
        {"duration_s": 12.0},
        {"findings": (Finding("HDR (PQ)", "hdr"),)},
        {"findings": (Finding("another shape", "aspect"),)},
    ],
)
def test_what_was_looked_at_otherwise_is_not_compared(facts: dict[str, Any]) -> None:
    odd = scored("/v/x.mp4", "l", "nr", 80.0, **{"bitrate_kbps": 4000.0, "luma": 50.0, "chroma": 0.0} | facts)
    issues = lint.check(gather([result.clip for result in [*film((100, 20), (100, 20)), odd]]))
    assert "colour" not in [issue.rule for issue in issues]


def test_a_master_tells_by_itself() -> None:
    master = scored("/v/m.mov", "l", "nr", 80.0, is_master=True, luma=100.0, chroma=20.0)
    assert told([master, *film((100, 20), (60, 20))]) == []


def test_rungs_as_they_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grey: Picture = lambda n, w, h: np.repeat(moving(n, w, h).mean(axis=2, keepdims=True), 3, 2).astype(np.uint8)  # noqa: E731
    dark: Picture = lambda n, w, h: (moving(n, w, h) * 0.7).astype(np.uint8)  # noqa: E731
    made = [
        clips.make(tmp_path / f"{k}.mp4", picture=picture, size=(320, 180), frames=60, options={"crf": crf})
        for k, (picture, crf) in enumerate([(moving, "20"), (dark, "26"), (grey, "32"), (moving, "40")])
    ]
    ladder = Ladder("l", tuple(Rendition(VideoRef(str(path))) for path in made), None)
    out = write(tmp_path / "out", [measure_ladder(ladder, FakeJudge(), Settings()).results])
    assert cli.main(["lint", str(out), "--fail-on", "colour"]) == 3
    said = capsys.readouterr().out
    assert "1.mp4: darker than most encodes of its ladder" in said
    assert "2.mp4: grey, where most encodes of its ladder have colours" in said
    assert said.count("encodes of its ladder") == 2
