"""Evaluation looks at pictures as scoring does, and says of which it can say nothing."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from yoto_video.jobs import cli
from yoto_video.models.judge import Judge
from yoto_video.models.training.making import load_picture
from yoto_video.pipeline import stills
from yoto_video.pipeline.colour import rescaled
from yoto_video.pipeline.values import VideoRef

from . import published_sets as sets
from .fakes import FakeJudge


@pytest.mark.parametrize("display", [(96, 64), (64, 43), (150, 100), (640, 360), (7, 5)])
def test_pictures_are_scaled_as_scoring_scales_them(display: tuple[int, int], tmp_path: Path) -> None:
    sets.save(tmp_path / "p.png", 1)
    scored = stills.read_still(VideoRef(str(tmp_path / "p.png")), display).rgb
    assert np.array_equal(rescaled(load_picture(tmp_path / "p.png"), display), scored)


def test_evaluate_and_score_say_the_same_of_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.png"
    sets.picture(1, (640, 480)).save(path)
    table, rows = tmp_path / "t.csv", tmp_path / "rows.csv"
    sets.table(table, ("image", "mos", "display"), [("p.png", 3, "480x360"), ("p.png", 3, "")])
    assert cli.main(["evaluate", "--table", str(table), "--crops", "6", "--no-peers", "--out", str(rows)]) == 0
    with rows.open(newline="") as file:
        evaluated = [float(row["nr"]) for row in csv.DictReader(file)]
    for words, nr in ((["--display", "480x360"], evaluated[0]), ([], evaluated[1])):
        capsys.readouterr()
        assert cli.main(["score", str(path), "--format", "json", *words]) == 0
        clip = json.loads(capsys.readouterr().out.splitlines()[0])
        assert clip["score"] == pytest.approx(nr, abs=0.01)


class NoNumbers(FakeJudge):
    """Says nothing of bright pictures; of dark ones beside their masters, it says more than there is."""

    def nr(self, encoded: Sequence[Any]) -> list[float]:
        return [
            math.nan if gray.mean() > 200 else score for gray, score in zip(encoded, super().nr(encoded), strict=True)
        ]

    def fr(self, encoded: Sequence[Any], references: Sequence[Any]) -> list[float]:
        return [math.inf if gray.mean() < 20 else 50.0 for gray in encoded]


def test_a_network_that_gives_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Judge, "load", lambda *_, **__: NoNumbers())
    sets.save(tmp_path / "good.png", 1)
    plain = sets.picture(1)
    plain.point(lambda v: 230 + v // 12).save(tmp_path / "bright.png")
    plain.point(lambda v: v // 10).save(tmp_path / "dark.png")
    rows = [(f"{name}.png", "good.png", mos) for mos, name in enumerate(("dark", "bright", "good"), 2)]
    sets.table(tmp_path / "t.csv", ("image", "reference", "mos"), [*rows, ("good.png", "", 3), ("good.png", "", 2)])
    words = ["--table", str(tmp_path / "t.csv"), "--no-peers", "--format", "json", "--out", str(tmp_path / "rows.csv")]
    assert cli.main(["evaluate", *words]) == 4
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = {Path(o["path"]).name: o["reason"] for o in objects if o["type"] == "skipped"}
    unsuited = "its weights do not suit this picture, try another --model"
    assert said == {
        "dark.png": f"the network gave no number (inf, fr): {unsuited}",
        "bright.png": f"the network gave no number (nan, nr): {unsuited}",
    }
    assert objects[-1]["nr"]["n"] == 3
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert [row["nr"] == "" for row in csv.DictReader(file)] == [True, True, False, False, False]
