"""Tables as spreadsheets and other programs write them: separators, decimal commas, encodings, quotation marks."""

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

COMMAS = "image,mos,published_vmaf\na.png,4.50,0.93\nb.png,3,80\n"
SEMICOLONS = COMMAS.replace(",", ";").replace(".5", ",5").replace(".9", ",9")


@pytest.mark.parametrize(
    "data",
    [
        COMMAS.encode(),
        COMMAS.replace(",", "\t").encode(),
        COMMAS.replace(",", "|").encode(),
        SEMICOLONS.encode(),
        SEMICOLONS.replace(";", "\t").encode(),
        COMMAS.replace("4.50", '"4,50"').encode(),
        COMMAS.encode("utf-8-sig"),
        SEMICOLONS.encode("utf-8-sig"),
        COMMAS.replace(",", "\t").replace("\n", "\r\n").encode("utf-16"),
        b"\xfe\xff" + COMMAS.encode("utf-16-be"),
        COMMAS.replace("image,mos", " Image , MOS").encode(),
        COMMAS.replace("published", "Published").encode(),
        COMMAS.replace(",", ", ").replace("a.png", '"a.png"').encode(),
        COMMAS.replace("\n", "\r").encode(),
    ],
)
def test_one_table_however_it_is_written(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    table = read_table(tmp_path / "t.csv")
    assert [(label.image.name, label.mos, label.wrong) for label in table.labels] == [
        ("a.png", 4.5, ""),
        ("b.png", 3, ""),
    ]
    assert [label.published for label in table.labels] == [{"vmaf": 0.93}, {"vmaf": 80}]
    with_commas = b"4,50" in data
    said = (f"{tmp_path / 't.csv'}: decimal commas are read as points, '4,50' as 4.50",)
    assert table.notes == (said if with_commas else ())


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", ": is empty; it needs the columns image and mos"),
        (b"\n\n", ": is empty; it needs the columns image and mos"),
        (b"image;score\na.png;4\n", ": its heading has no column mos; it has image, score"),
        (b"a.png,4\n", ": its heading has no column image and no column mos; it has a.png, 4"),
        (b"# mine\nimage,mos\na.png,4\n", ": its heading has no column image and no column mos; it has # mine"),
        (b"image,mos\n", ": has no rows below its heading; give one for each picture"),
        (b"image,MOS,mos\na.png,4,4\n", ", line 1: has two columns 'mos'; rename one, or take it away"),
        (
            b"image,mos\na.png,3\na.png,4,50\n",
            ", line 3: has 3 cells for 2 columns; name them all, or quote cells with a separator or a decimal comma",
        ),
        (
            b'image,mos\na.png,3\n"b.png,3\nc.png,2\n',
            ", line 3: the row that begins there cannot be read as CSV (unexpected end of data); see to its quotation "
            "marks",
        ),
        (b"PK\x03\x04\x14\x00\xff", ": is a workbook, not CSV; export its sheet as CSV in UTF-8"),
        ("image,mos\nü.png,3\n".encode("latin-1"), ", line 2: is no text in UTF-8, nor in UTF-16 with its byte order"),
        ("image,mos\na.png,3\n".encode("utf-16-le"), ", line 1: is no text in UTF-8, nor in UTF-16 with its byte"),
        (b"image,mos\na.png,3\n\0.png,3\n", ", line 3: is no text in UTF-8"),
    ],
)
def test_what_is_no_table_is_one_sentence(data: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_table(tmp_path / "t.csv")
    assert str(caught.value).startswith(f"{tmp_path / 't.csv'}{sentence}")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("https://cdn/a.png,3,", "line 3: its image https://cdn/a.png is on no disk here; fetch it, and name the file"),
        ("p.png,3,s3://b/a.png", "line 3: its reference s3://b/a.png is on no disk here"),
        ("sub\\p.png,3,", "line 3: its image sub\\p.png is not there, and backslashes part no folders here; write /"),
        ('"p.png\nq.png",3,', "line 4: its image is named over several lines; see to its quotation marks"),
        ("p.png,4_0,", "line 3: its opinion score is not a number: '4_0'"),
        ("p.png,90%,", "line 3: its opinion score is not a number: '90%'"),
    ],
)
def test_a_name_or_an_opinion_that_is_none_is_said_with_its_line(row: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"image,mos,reference\np.png,3,\n{row}\n")
    first, second = read_table(tmp_path / "t.csv").labels
    assert not first.wrong
    assert second.wrong.startswith(reason)


def test_scores_of_a_table_with_semicolons_are_a_table_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Judge, "load", lambda *_, **__: FakeJudge())
    for name in ("a", "b", "c"):
        sets.save(tmp_path / f"{name}.png", 1, ord(name) - 97)
    table, again, words = tmp_path / "t.csv", tmp_path / "o.csv", ["evaluate", "--no-peers", "--format", "json"]
    table.write_text("Image;MOS;My note\na.png;4,5;x\nb.png;3;\nc.png;1,5;y,z\n", encoding="utf-16")
    assert cli.main([*words, "--table", str(table), "--out", str(again)]) == 0
    first = capsys.readouterr()
    assert "decimal commas are read as points, '4,5' as 4.5" in first.err
    assert cli.main([*words, "--table", str(again), "--out", str(tmp_path / "third.csv")]) == 0
    outs = first.out, capsys.readouterr().out
    one, other = (json.loads(out.splitlines()[-1])["nr"] for out in outs)
    assert one == other
    assert again.read_text() == (tmp_path / "third.csv").read_text()
    with again.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["Image", "MOS", "My note", "nr", "fr"]
    assert (rows[2]["MOS"], rows[2]["My note"]) == ("1,5", "y,z")


def test_opinions_that_are_all_equal_are_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Judge, "load", lambda *_, **__: FakeJudge())
    for k in range(3):
        sets.save(tmp_path / f"{k}.png", 1, k)
    (tmp_path / "t.csv").write_text("image,mos\n0.png,3\n1.png,3\n2.png,3.0\n")
    assert cli.main(["evaluate", "--no-peers", "--table", str(tmp_path / "t.csv")]) == 0
    assert "every opinion is 3: figures of agreement take different ones" in capsys.readouterr().err
