"""`yoto-video evaluate`: any table, known sets, and what is said of bad rows."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yoto_video.jobs import cli, evaluate
from yoto_video.models.judge import Judge
from yoto_video.models.training import correlation
from yoto_video.models.training.evaluation import Judged
from yoto_video.models.training.folds import FOLDS

from . import published_sets as sets
from .fakes import FakeJudge

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command with a judge that needs no weights: exit code, the objects it printed, its stderr."""
    monkeypatch.setattr(Judge, "load", lambda *_, **__: FakeJudge())
    monkeypatch.setattr(correlation, "RESAMPLES", 60)

    def run(*words: str) -> tuple[int, list[dict[str, Any]], str]:
        code = cli.main(["evaluate", "--no-peers", "--format", "json", *words])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return run


def agreements(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is said of measures."""
    return [o for o in objects if o["type"] == "agreement"]


def rated(folder: Path, contents: int = 6, levels: int = 5) -> Path:
    """A table of blurred pictures with references, the last content without; opinions fall with the blur."""
    rows = []
    for c in range(contents):
        sets.save(folder / f"pictures/{c}.png", c)
        for i in range(levels):
            sets.save(folder / f"pictures/{c}-{i}.png", c, 0.3 + i)
            reference = f"pictures/{c}.png" if c < contents - 1 else ""
            rows.append((f"pictures/{c}-{i}.png", reference, 5 - 0.8 * i - 0.01 * c, f"content {c}", "96x64"))
    sets.table(folder / "t.csv", ("image", "reference", "mos", "content", "display"), rows)
    return folder / "t.csv"


def test_a_table_ends_in_one_object_with_both_modes(run: Run, tmp_path: Path) -> None:
    code, objects, err = run("--table", str(rated(tmp_path)), "--out", str(tmp_path / "rows.csv"))
    assert code == 0
    last = objects[-1]
    assert last["type"] == "evaluation"
    assert last["nr"]["n"] == 30
    assert last["fr"]["n"] == 25
    for mode in ("nr", "fr"):
        assert set(last[mode]) >= {"n", "srocc", "plcc", "krocc", "rmse"}
        assert last[mode]["srocc"] > 0.8
        low, high = last[mode]["ci95"]["srocc"]
        assert low <= last[mode]["srocc"] <= high
        assert last[mode]["splits"]["n"] == 5  # one content of five or six
    assert {o["type"] for o in objects[:-1]} == {"agreement", "calibration"}
    assert "skipped" not in err


def test_rows_come_back_in_their_order_with_two_columns_more(run: Run, tmp_path: Path) -> None:
    table = rated(tmp_path)
    with table.open(newline="") as file:
        before = list(csv.DictReader(file))
    run("--table", str(table), "--out", str(tmp_path / "rows.csv"))
    with (tmp_path / "rows.csv").open(newline="") as file:
        rows = csv.DictReader(file)
        assert rows.fieldnames == ["image", "reference", "mos", "content", "display", "nr", "fr"]
        after = list(rows)
    assert [{k: v for k, v in row.items() if k not in ("nr", "fr")} for row in after] == before
    judge = FakeJudge()
    for row in after:
        picture, *reference = (
            judge.encode([np.asarray(Image.open(tmp_path / row[k]).convert("RGB"))])
            for k in ("image", "reference")
            if row[k]
        )
        assert float(row["nr"]) == pytest.approx(judge.nr(picture)[0], abs=1e-3)
        assert (row["fr"] == "") is (row["reference"] == "")
        if reference:
            assert float(row["fr"]) == pytest.approx(judge.fr(picture, reference[0])[0], abs=1e-3)
    # Its own output is a table again, and gives the same.
    run("--table", str(tmp_path / "rows.csv"), "--out", str(tmp_path / "again.csv"))
    assert (tmp_path / "again.csv").read_text() == (tmp_path / "rows.csv").read_text()


def test_rows_that_cannot_be_judged_are_named_counted_and_left_empty(run: Run, tmp_path: Path) -> None:
    table = rated(tmp_path, contents=3)
    whole = (tmp_path / "pictures/0-0.png").read_bytes()
    (tmp_path / "pictures/0-0.png").unlink()
    (tmp_path / "pictures/0-1.png").write_bytes(b"no picture")
    (tmp_path / "pictures/0-2.png").write_bytes(whole[: len(whole) // 2])  # a header, and half the pixels
    (tmp_path / "pictures/1.png").unlink()
    text = table.read_text().replace("pictures/2-0.png,,", "pictures/2-0.png,,none").replace("none4.98", "none")
    table.write_text(text)
    code, objects, err = run("--table", str(table), "--out", str(tmp_path / "rows.csv"))
    assert code == 4
    skipped = {Path(o["path"]).name: o["reason"] for o in objects if o["type"] == "skipped"}
    assert objects[-1]["skipped"] == len(skipped) == 9
    assert objects[-1]["nr"]["n"] == 15 - 9
    assert skipped["0-0.png"] == "cannot be read as a picture: there is no such file"
    assert "cannot be read as a picture" in skipped["0-1.png"]
    assert "cannot be read as a picture" in skipped["0-2.png"]
    assert skipped["1-3.png"].startswith("its reference 1.png: cannot be read")
    assert skipped["2-0.png"] == "line 12: its opinion score is not a number: 'none'"
    for name in skipped:
        assert name in err
    with (tmp_path / "rows.csv").open(newline="") as file:
        empty = {Path(row["image"]).name for row in csv.DictReader(file) if row["nr"] == row["fr"] == ""}
    assert empty == set(skipped)


def test_the_installed_command_with_the_shipped_network(tmp_path: Path) -> None:
    table = rated(tmp_path, contents=2, levels=3)
    command = [str(Path(sys.executable).parent / "yoto-video"), "evaluate", "--table", str(table), "--format", "json"]
    done = subprocess.run([*command, "--out", "rows.csv"], cwd=tmp_path, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["nr"]["n"], last["fr"]["n"]) == (6, 3)
    assert last["model"] == "yoto_mobilenetv2"
    with (tmp_path / "rows.csv").open(newline="") as file:
        scores = [(row["nr"], row["fr"]) for row in csv.DictReader(file)]
    assert all(0 <= float(nr) <= 100 for nr, _ in scores)
    assert float(scores[0][1]) > float(scores[2][1])  # hardly against heavily blurred, beside the master
    assert [fr == "" for _, fr in scores] == [False] * 3 + [True] * 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("image,", "picture,"), "has no column image; it has picture, reference"),
        (("96x64", "wide"), "line 2: the display raster must be WIDTHxHEIGHT"),
        (("pictures/", "elsewhere/"), "none of its 5 pictures can be used; the first"),
        ((",", ":"), "it has image:reference:mos:content:display"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(
    run: Run, tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    table = rated(tmp_path, contents=1)
    table.write_text(table.read_text().replace(*change))
    code, objects, err = run("--table", str(table))
    assert (code, objects) == (2, [])
    assert sentence in err
    assert err.count("\n") == 1


def test_each_fold_judges_what_it_held_out(
    run: Run, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[int, set[str]] = {}

    def load(model: str, **_: object) -> FakeJudge:
        judge = FakeJudge()
        judge.fold = int(model[-1])
        return judge

    def judged(judge: FakeJudge, samples: Any, tell: object, **_: object) -> tuple[list[Judged], list[Any]]:
        seen[judge.fold] = {s.content for s in samples}
        return [Judged(s, 10 * s.mos, 20 * s.mos if s.reference else None) for s in samples], []

    monkeypatch.setattr(Judge, "load", load)
    monkeypatch.setattr(evaluate, "judge_samples", judged)
    words = ("--data", str(data_dir), "--cross")
    code, objects, _ = run(*words, "fold1", "fold3")
    assert code == 0
    assert seen == {1: FOLDS[1], 3: FOLDS[3]}
    assert objects[-1]["nr"]["srocc"] == objects[-1]["fr"]["srocc"] == pytest.approx(1)
    for wrong in (["fold0", "fold1"], ["fold1", "fold1"]):
        assert run(*words, *wrong)[0] == 2
    assert run("--data", str(data_dir), "--contents", "all", "--cross", "fold1")[0] == 2


def test_words_that_do_not_go_together(run: Run, tmp_path: Path) -> None:
    for words, sentence in (
        (["--table", str(tmp_path / "none.csv")], "there is no such table"),
        (["--dataset", "KonIQ", "--data", str(tmp_path)], "did you mean 'koniq10k'"),
        (["--dataset", "live"], "--data FOLDER"),
        (["--data", str(tmp_path / "none")], "there is no such data folder"),
        (["--table", str(rated(tmp_path)), "--out", str(tmp_path / "no/where.csv")], "its folder does not exist"),
        (["--table", str(rated(tmp_path)), "--out", str(tmp_path)], "cannot be written (Is a directory)"),
        (["--table", str(rated(tmp_path)), "--plot", "/proc/plot.html"], "/proc/plot.html: cannot be written"),
    ):
        code, objects, err = run(*words)
        assert (code, objects) == (2, [])
        assert sentence in err
        assert "judged" not in err


def test_rows_of_nothing_are_none_and_two_pictures_have_no_figures(run: Run, tmp_path: Path) -> None:
    rated(tmp_path, contents=1)
    table = tmp_path / "sheet.csv"
    table.write_text("image,mos\npictures/0-0.png,4\n,\n ,\npictures/0-1.png,3\n,\n")
    code, objects, err = run("--table", str(table), "--out", str(tmp_path / "rows.csv"))
    assert (code, objects[-1]["nr"]["n"], objects[-1]["nr"]["srocc"]) == (0, 2, None)
    assert "2 pictures judged: figures of agreement take three at least" in err
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 3
    table.write_text("image,mos\n,\n")
    assert "has no rows below its heading" in run("--table", str(table))[2]


def test_a_reference_of_another_picture_is_named_and_kept_out_of_fr(run: Run, tmp_path: Path) -> None:
    table = rated(tmp_path)
    run("--table", str(table), "--out", str(tmp_path / "right.csv"))
    table.write_text(table.read_text().replace("pictures/0-3.png,pictures/0.png", "pictures/0-3.png,pictures/1.png"))
    code, objects, err = run("--table", str(table), "--out", str(tmp_path / "rows.csv"))
    assert code == 4
    said = "pictures/0-3.png: not compared with its reference 1.png: they do not show the same picture"
    assert said in err
    (line,) = (o for o in objects if o["type"] == "not_compared")
    assert line["path"].endswith("pictures/0-3.png")
    assert (objects[-1]["nr"]["n"], objects[-1]["fr"]["n"], objects[-1]["skipped"]) == (30, 24, 0)
    before, after = ((tmp_path / name).read_text().splitlines() for name in ("right.csv", "rows.csv"))
    (changed,) = (b for a, b in zip(before, after, strict=True) if a != b)
    assert changed.startswith("pictures/0-3.png,pictures/1.png,")
    assert changed.endswith(",")


def test_the_size_of_another_picture_decides_no_display(run: Run, tmp_path: Path) -> None:
    sets.picture(1, (384, 256)).resize((192, 128)).save(tmp_path / "small.png")
    for seed in (1, 2):
        sets.picture(seed, (384, 256)).save(tmp_path / f"large{seed}.png")
    rows = [("", ""), ("", "384x256"), ("large1.png", ""), ("large2.png", ""), ("large2.png", "384x256")]
    table = [("small.png", reference, 3, display) for reference, display in rows]
    sets.table(tmp_path / "t.csv", ("image", "reference", "mos", "display"), table)
    assert run("--table", str(tmp_path / "t.csv"), "--out", str(tmp_path / "rows.csv"))[0] == 4
    with (tmp_path / "rows.csv").open(newline="") as file:
        scores = [(row["nr"], row["fr"] == "") for row in csv.DictReader(file)]
    own, enlarged = scores[0][0], scores[1][0]
    assert own != enlarged
    assert scores[2:] == [(enlarged, False), (own, True), (enlarged, True)]


def test_only_image_and_mos_are_needed_and_other_scales_are_named(run: Run, tmp_path: Path) -> None:
    rated(tmp_path, contents=2)
    names = [f"pictures/{c}-{i}.png" for c in (0, 1) for i in range(5)]
    sets.table(tmp_path / "bare.csv", ("image", "mos"), [(n, 90 - 20 * int(n[-5])) for n in names])
    code, objects, err = run("--table", str(tmp_path / "bare.csv"))
    assert code == 0
    assert objects[-1]["nr"]["srocc"] > 0.8
    assert objects[-1]["fr"] == {
        "n": 0, "srocc": None, "plcc": None, "krocc": None, "rmse": None, "ci95": None, "splits": None
    }  # fmt: skip
    assert "mos runs from 10 to 90, not from 1 to 5" in err
    assert "the calibration is left out" in err
    assert not any(o["bins"] for o in objects if o["type"] == "calibration")
    sets.table(tmp_path / "dmos.csv", ("image", "mos"), [(n, 1 + 0.8 * int(n[-5])) for n in names])
    assert "difference score" in run("--table", str(tmp_path / "dmos.csv"))[2]


def test_no_error_in_points_of_100_is_printed_of_another_scale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(Judge, "load", lambda *_, **__: FakeJudge())
    monkeypatch.setattr(correlation, "RESAMPLES", 60)
    rated(tmp_path, contents=2)
    names = [f"pictures/{c}-{i}.png" for c in (0, 1) for i in range(5)]
    for top in (90, 5):
        sets.table(tmp_path / "t.csv", ("image", "mos"), [(n, top - top / 5 * int(n[-5])) for n in names])
        assert cli.main(["evaluate", "--no-peers", "--table", str(tmp_path / "t.csv")]) == 0
        (row,) = (line for line in capsys.readouterr().out.splitlines() if "YOTO NR" in line)
        rmse = [cell.strip() for cell in row.split("│")][7]
        assert (rmse == "–") is (top == 90), row


def test_a_known_set_by_distortion_beside_published_figures(run: Run, tmp_path: Path) -> None:
    sets.live(tmp_path)
    code, objects, _ = run("--dataset", "live", "--data", str(tmp_path))
    assert code == 0
    assert objects[-1]["nr"]["n"] == objects[-1]["fr"]["n"] == 10
    groups = {o["group"] for o in agreements(objects)}
    assert groups == {None, "jp2k", "jpeg", "wn", "gblur", "fastfading"}
    assert {o["measure"] for o in agreements(objects)} == {"yoto nr", "yoto fr"}


def test_published_columns_and_groups_of_a_table(run: Run, tmp_path: Path) -> None:
    table = rated(tmp_path, contents=4)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for i, row in enumerate(rows):
        row |= {"codec": "av1" if i % 2 else "vp9", "published_vmaf": str(20 * float(row["mos"]))}
        row["crowd_mos"] = str(5 - float(row["mos"])) if i < 8 else ""
    sets.table(table, list(rows[0]), [list(row.values()) for row in rows])
    objects = run("--table", str(table))[1]
    assert {o["group"] for o in agreements(objects)} == {None, "av1", "vp9"}
    whole = {o["measure"]: o for o in agreements(objects) if o["mode"] == "nr" and o["group"] is None}
    assert whole["published vmaf"]["srocc"] == pytest.approx(1)
    assert whole["published vmaf"]["n"] == 20
    assert whole["another panel"]["srocc"] == pytest.approx(-1)
    assert whole["another panel"]["n"] == 8


def test_the_tables_for_people_and_the_plot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(Judge, "load", lambda *_, **__: FakeJudge())
    monkeypatch.setenv("COLUMNS", "80")
    sets.live(tmp_path)
    plot = tmp_path / "<plot>.html"
    code = cli.main(["evaluate", "--dataset", "live", "--data", str(tmp_path), "--plot", str(plot), "--no-peers"])
    out = capsys.readouterr().out
    assert code == 0
    assert "10 pictures judged, 0 skipped" in out
    assert "…" not in out  # nothing is cut off at 80 columns
    for word in ("SROCC", "PLCC", "KROCC", "RMSE", "YOTO NR", "YOTO FR", "gblur"):
        assert word in out
    page = plot.read_text(encoding="utf-8")
    assert "img2.bmp" in page
    assert "by itself" in page
    assert "beside the master" in page
    assert '<script src="http' not in page  # opens without network
