"""A user's own table: its lines as an editor counts them, its columns, its scale, and a file that cannot be written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from yoto_video.jobs import cli
from yoto_video.jobs.rated_table import read_table
from yoto_video.models.judge import Judge
from yoto_video.pipeline.errors import UsageError

from . import published_sets as sets
from .fakes import FakeJudge


@pytest.fixture(autouse=True)
def judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that needs no weights."""
    monkeypatch.setattr(Judge, "load", lambda *_, **__: FakeJudge())


def written(folder: Path, text: str) -> Path:
    """A table, and a picture that it may name."""
    sets.save(folder / "p.png", 1)
    (folder / "t.csv").write_text(text)
    return folder / "t.csv"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("image,mos\n\np.png,3\np.png,4,more,\n", "line 4: has 4 cells for 2 columns; name them all"),
        ("\nimage,mos,mos\np.png,3,4\n", "line 2: has two columns 'mos'; rename one, or take it away"),
        ("image,mos,,\np.png,3,,note\n", "line 2: has 4 cells for 2 columns"),
    ],
)
def test_lines_are_counted_as_editors_count_them(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_table(written(tmp_path, text))
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "named", "reason"),
    [
        (
            "image,mos,display\n\np.png,3,\n\n\np.png,4,wide\n",
            "p.png",
            "line 6: the display raster must be WIDTHxHEIGHT",
        ),
        (
            "image,mos,display\np.png,3,\np.png,4,9x9\n",
            "p.png",
            "line 3: the display raster's sides must be 16 to 16384",
        ),
        ('image,mos,display\n"p.png","3\n\n",\n,4,\n', "t.csv", "line 5: names no image"),
        ("image,mos\np.png,3\np.png,good\n", "p.png", "line 3: its opinion score is not a number: 'good'"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_are_judged(
    text: str, named: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--no-peers", "--format", "json", "--out", str(tmp_path / "rows.csv")]
    assert cli.main(["evaluate", "--table", str(written(tmp_path, text)), *words]) == 4
    out, err = capsys.readouterr()
    objects = [json.loads(line) for line in out.splitlines()]
    (skipped,) = (o for o in objects if o["type"] == "skipped")
    assert skipped["path"] == str(tmp_path / named)
    assert skipped["reason"].startswith(reason)
    assert f"skipped {tmp_path / named}: {reason}" in err
    assert (objects[-1]["nr"]["n"], objects[-1]["skipped"]) == (1, 1)
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert [row["nr"] == "" for row in csv.DictReader(file)] == [False, True]


@pytest.mark.parametrize("words", [["--contents", "all"], ["--data", "."]])
def test_flags_of_the_known_sets_are_refused_beside_a_table(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", "--table", str(written(tmp_path, "image,mos\np.png,3\n")), *words]) == 2
    assert "no --data, no --contents" in capsys.readouterr().err


def test_cells_of_other_measures_that_hold_no_figure_are_told(tmp_path: Path) -> None:
    rows = "p.png,3,91.5\np.png,4,\np.png,5,n/a\np.png,2,-\n"
    *_, said = read_table(written(tmp_path, f"image,mos,published_vmaf\n{rows}")).notes
    assert said.endswith("2 cells left out that should hold a figure: line 4 has 'n/a' for published_vmaf")


@pytest.mark.parametrize("slip", [55, 0, -3, 5.01])
@pytest.mark.parametrize("others", [19, 18])
def test_few_opinions_off_the_scale_are_skipped_and_many_are_another_scale(
    slip: float, others: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"p.png,{1 + k / 5}\n" for k in range(others))
    table = written(tmp_path, f"image,mos\n{rows}p.png,{slip}\n")
    code = cli.main(["evaluate", "--no-peers", "--format", "json", "--table", str(table)])
    out, err = capsys.readouterr()
    objects = [json.loads(line) for line in out.splitlines()]
    skipped = [o["reason"] for o in objects if o["type"] == "skipped"]
    few = others == 19
    said = f"line 21: its opinion score {slip:g} is off the scale of 1 to 5 that nearly all others keep to; mend it"
    assert (code, skipped) == ((4, [said]) if few else (0, []))
    assert objects[-1]["nr"]["n"] == 19
    assert any(o["bins"] for o in objects if o["type"] == "calibration") is few
    assert (f"not from 1 to 5 (1 of 19 are outside, {slip:g} of p.png first)" in err) is not few


def test_rows_that_repeat_others_are_counted_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = "image,reference,display,mos\np.png,,,3\np.png,p.png,,4\np.png,,48x32,2\n"
    assert not read_table(written(tmp_path, once)).notes
    one = read_table(written(tmp_path, f"{once}./p.png,,,3\n")).notes
    assert one == (
        f"{tmp_path / 't.csv'}: 1 row repeats another's image, reference and display, line 5 for one those of line 2; "
        "each counts by itself: if they are copies, or opinions to be averaged, leave one row a picture",
    )
    table = written(tmp_path, f"{once}p.png,,48X32,2\np.png,,,5\np.png,,,none\n")
    assert cli.main(["evaluate", "--no-peers", "--format", "json", "--table", str(table)]) == 4
    out, err = capsys.readouterr()
    assert json.loads(out.splitlines()[-1])["nr"]["n"] == 5
    assert "2 rows repeat another's image, reference and display, line 5 for one those of line 4; each" in err


@pytest.mark.parametrize("opinion", ["1e308", "-1e300"])
def test_an_opinion_beyond_any_scale_is_named(opinion: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = written(tmp_path, f"image,mos\np.png,1\np.png,2\np.png,3\np.png,{opinion}\n")
    assert cli.main(["evaluate", "--no-peers", "--table", str(table)]) == 4
    assert f"line 5: its opinion score {opinion} is beyond any scale; mend it" in capsys.readouterr().err


def test_a_picture_of_hardly_any_lines_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = written(tmp_path, "image,reference,mos\np.png,p.png,3\nwide.png,wide.png,4\n")
    sets.picture(1, (16384, 3)).save(tmp_path / "wide.png")
    assert cli.main(["evaluate", "--no-peers", "--format", "json", "--table", str(table)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["fr"]["n"] == 2


def test_a_table_of_which_no_row_can_be_used_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = written(tmp_path, "image,mos,display\np.png,3,wide\n,4,\n")
    assert cli.main(["evaluate", "--no-peers", "--table", str(table)]) == 2
    assert "none of its 2 pictures can be used; the first, " in capsys.readouterr().err


def test_columns_without_a_name_may_be_empty_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("image,,,mos\na.png,,,3\n")
    assert read_table(path).rows == [{"image": "a.png", "": "", "mos": "3"}]
    path.write_text(",image,mos\n0,a.png,3\n")  # as pandas writes its index
    assert read_table(path).rows == [{"": "0", "image": "a.png", "mos": "3"}]
    path.write_text("image,,,mos\na.png,x,y,3\n")
    with pytest.raises(UsageError, match=r"line 2: .*name them all"):
        read_table(path)


def test_empty_cells_at_the_end_are_none(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "image,mos,,\np.png,3,,\np.png,4, ,,,\np.png\n"))
    assert table.columns == ("image", "mos")
    assert table.rows == [{"image": "p.png", "mos": mos} for mos in ("3", "4", "")]


def test_a_name_too_long_for_any_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = "n" * 999
    table = written(tmp_path, f"image,mos\np.png,3\n{long}.png,4\n")
    words = ["evaluate", "--no-peers", "--format", "json", "--table"]
    assert cli.main([*words, str(table)]) == 4
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["skipped"] == 1
    assert cli.main([*words, str(tmp_path / long)]) == 2
    assert "there is no such table" in capsys.readouterr().err
    assert cli.main([*words, str(table), "--out", str(tmp_path / long / "rows.csv")]) == 2
    assert "its folder does not exist" in capsys.readouterr().err


def test_a_folder_is_said_to_be_one_and_the_table_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--no-peers", "--table"]
    assert cli.main([*words, str(tmp_path)]) == 2
    assert "is a folder; name a table in it" in capsys.readouterr().err
    table = written(tmp_path, "image,mos\np.png,3\n.,4\n")
    before = table.read_bytes()
    assert cli.main([*words, str(table), "--out", str(tmp_path / "." / table.name)]) == 2
    assert "is the table that is read; name another file" in capsys.readouterr().err
    assert table.read_bytes() == before
    assert cli.main([*words, str(table)]) == 4
    assert "cannot be read as a picture: it is a folder; name a picture" in capsys.readouterr().err


def test_no_picture_is_written_over_nor_one_result_by_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "--no-peers", "--table", str(written(tmp_path, "image,mos,reference\np.png,3,r.png\n"))]
    sets.save(tmp_path / "r.png", 1)
    (tmp_path / "link.png").symlink_to("r.png")
    before = (tmp_path / "p.png").read_bytes()
    for name in ("p.png", "r.png", "link.png"):
        for flag in ("--out", "--plot"):
            assert cli.main([*words, flag, str(tmp_path / name)]) == 2
            assert f"{name}: is one of the pictures that are judged; name another file" in capsys.readouterr().err
    assert (tmp_path / "p.png").read_bytes() == (tmp_path / "r.png").read_bytes() == before
    assert cli.main([*words, "--out", str(tmp_path / "x"), "--plot", f"{tmp_path}/./x"]) == 2
    assert "x: cannot hold both --out and --plot; name another file for one of them" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_raster_that_nothing_can_be_scaled_to_is_no_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = written(tmp_path, "image,mos,display\np.png,3,\np.png,3,16384x16384\n")
    assert cli.main(["evaluate", "--no-peers", "--table", str(table)]) == 4
    said = "p.png: a picture of 96x64 cannot be scaled to its display raster 16384x16384; name another"
    assert said in capsys.readouterr().err


def test_groups_command_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = written(tmp_path, "image,mos,group\np.png,3,\x1b[31mred\np.png,4,[/b]\n")
    assert cli.main(["evaluate", "--no-peers", "--table", str(table)]) == 0
    out = capsys.readouterr().out
    assert "\x1b[31m" not in out
    assert "\\x1b[31mred" in out
    assert "[/b]" in out


@pytest.mark.parametrize("odd", ["none.png,-999", "p.png,inf"])
def test_the_scale_is_told_by_rows_that_were_judged(
    odd: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"p.png,{mos}\n" for mos in (1, 2, 3, 4))
    table = written(tmp_path, f"image,mos\n{rows}{odd}\n")
    assert cli.main(["evaluate", "--no-peers", "--format", "json", "--table", str(table)]) == 4
    out, err = capsys.readouterr()
    assert "mos runs from" not in err
    assert any(o["bins"] for o in map(json.loads, out.splitlines()) if o["type"] == "calibration")


def test_figures_are_printed_though_a_file_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full here")
    table = written(tmp_path, "image,mos\np.png,1\np.png,2\np.png,3\n")
    plot = tmp_path / "plot.html"
    words = ["--no-peers", "--format", "json", "--table", str(table), "--out", "/dev/full", "--plot", str(plot)]
    assert cli.main(["evaluate", *words]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out.splitlines()[-1])["nr"]["n"] == 3
    assert err.splitlines()[-1] == "yoto-video: error: /dev/full: cannot be written (No space left on device)"
    assert plot.exists()


def test_nothing_of_a_table_is_lost_in_its_scores(tmp_path: Path) -> None:
    table = written(tmp_path, 'image,mos,"note, long"\np.png,3,"two\nlines"\np.png,4\n')
    assert cli.main(["evaluate", "--no-peers", "--table", str(table), "--out", str(tmp_path / "rows.csv")]) == 0
    with (tmp_path / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["note, long"] for row in rows] == ["two\nlines", ""]
    assert all(row["nr"] for row in rows)
