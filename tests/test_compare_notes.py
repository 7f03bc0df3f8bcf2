"""What a comparison tells beside its figures: of which encodes, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from yoto_video.jobs import cli
from yoto_video.jobs.compare_output import print_comparison
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.values import ClipResult
from yoto_video.reports.compare_pages import build_comparison

from .synthetic_results import result, scored, unscored
from .test_compare import compared, encodes, side
from .test_compare_fair import steeper
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


def test_what_is_wrong_with_encodes_that_are_compared_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    every = Finding("matrix of 1.0 differs", "range", "warning")  # of all: whatever it does, it does to all
    mine = Finding("colours differ from the master's by +31 levels of luma", "colour", "warning")
    fall = Finding("collapses: FR is 55 points lower than the clip's median", "collapse", "warning", 3.0, 4.0)
    black = Finding("black throughout", "black", "error")
    drop = Finding("quality drops at a key frame", "quality_drop", "warning", 0.0, 0.5)  # which the score says
    a = side(tmp_path / "a", found(encodes("a", "sea"), ".mp4", every))
    of_b = found(encodes("b", "sea"), ".mp4", every, drop)
    of_b = found(of_b, "_500k.mp4", every, mine, fall, drop)
    of_b = found(of_b, "_1000k.mp4", every, black)
    there = compared({"a": a, "b": side(tmp_path / "b", of_b)})
    plain = compared({"a": side(tmp_path / "c", encodes("a", "sea")), "b": side(tmp_path / "d", encodes("b", "sea"))})
    assert [f.delta for f in there.figures] == [f.delta for f in plain.figures]
    told = {
        f"b: sea_500k.mp4: {mine}", f"b: sea_500k.mp4: {fall} (3.0 to 4.0 s)", f"b: sea_1000k.mp4: {black}",
    }  # fmt: skip
    assert set(there.titles[0].notes) == told
    print_comparison(there)
    assert {f"sea: {note}" for note in told} <= set(capsys.readouterr().out.splitlines())
    page = build_comparison(there, tmp_path, {})
    for file in (page, next((page.parent / "titles").iterdir())):
        assert "sea_500k.mp4: colours differ from the master" in file.read_text(encoding="utf-8")


def test_what_all_encodes_of_one_side_have_is_one_line(tmp_path: Path) -> None:
    late = Finding("starts 2 frames late", "offset", "warning")
    grey = Finding("colours differ from the master's", "colour", "error")
    a = side(tmp_path / "a", found(encodes("a", "sea"), ".mp4", grey))
    b = side(tmp_path / "b", found(encodes("b", "sea"), ".mp4", late, grey))
    assert compared({"a": a, "b": b}).titles[0].notes == (f"b: all 5 encodes: {late}",)


def test_what_the_master_has_as_well_is_not_the_encodes_own(tmp_path: Path) -> None:
    lost = Finding("lost in light: 9 % of the picture", "clipping", "warning")
    master = scored("/masters/sea.mov", "sea", "nr", 90, seconds=12, is_master=True, findings=(lost,))
    a = side(tmp_path / "a", [*encodes("a", "sea"), master])
    b = side(tmp_path / "b", [*found(encodes("b", "sea"), "_500k.mp4", lost), master])
    assert compared({"a": a, "b": b}).titles[0].notes == ()


@pytest.mark.parametrize(
    ("doubtful", "more"),
    [
        (Finding("30 of 360 frames cannot be decoded", "damaged", "error"), "; copy or upload it again"),
        (Finding("poor source: its NR score is 31", "poor_source", "warning"), ""),
    ],
)
def test_a_master_that_makes_figures_doubtful_is_told_once(doubtful: Finding, more: str, tmp_path: Path) -> None:
    light = Finding("lost in light: 9 % of the picture", "clipping", "warning")  # of what was filmed
    master = scored("/masters/sea.mov", "sea", "nr", 31, seconds=12, is_master=True, findings=(doubtful, light))
    a, b = (side(tmp_path / label, [*encodes(label, "sea"), master]) for label in "ab")
    (title,) = compared({"a": a, "b": b}).titles
    assert title.notes == (f"the master sea.mov: {doubtful}{more}",)
    assert {(note.sides, note.paths) for note in title.told} == {(("a", "b"), ("/masters/sea.mov",))}


def test_json_has_a_line_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torn = Finding("truncated: 30 of 100 frames are missing from the file", "truncated", "error")
    a = side(tmp_path / "a", encodes("a", "sea"))
    b = side(tmp_path / "b", found(steeper("b", "sea", 1.5), "_250k.mp4", torn))
    words = ["compare", a, b, "--out", str(tmp_path / "out"), "--labels", "old,new", "--format", "json"]
    assert cli.main(words) == 4  # one encode is left out
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines[-4:]] == ["note"] * 3 + ["summary"]
    (title,) = compared({"old": a, "new": b}).titles
    first, second, third = (line for line in lines if line["type"] == "note")
    assert list(first) == ["type", "title", "mode", "kind", "sentence", "sides", "paths"]
    assert (first["title"], first["mode"], first["sides"]) == ("sea", "fr", ["new"])
    assert first["paths"] == ["/v/b/sea_250k.mp4"]
    assert [first["kind"], second["kind"], third["kind"]] == ["left_out", "reach", "crossing"]
    assert [second["sides"], third["sides"]] == [["old", "new"], ["new", "old"]]
    assert second["paths"] == third["paths"] == []
    assert title.notes == (first["sentence"], second["sentence"], third["sentence"])
    assert "truncated" in first["sentence"]
    assert "in no BD-rate of old" in second["sentence"]
    assert third["sentence"].startswith("new needs more bits than old up to")


@pytest.mark.parametrize("same", [True, False])
def test_encodes_of_one_rate_are_named_and_copies_called_so(same: bool, tmp_path: Path) -> None:
    def as_dear(one: ClipResult) -> ClipResult:
        if not one.clip.path.endswith("_1000k.mp4"):
            return one
        copied = {"content_id": "0.0 sea 500"} if same else {}
        return replace(one, clip=replace(one.clip, bitrate_kbps=500.0, **copied))

    a, b = side(tmp_path / "a", encodes("a", "sea")), side(tmp_path / "b", list(map(as_dear, encodes("b", "sea"))))
    figure = compared({"a": a, "b": b}).overall("a", "b", "fr")
    said = "sea_1000k.mp4 and sea_500k.mp4 have the same bit rate (500.0 kbit/s)"
    assert figure.delta.reason == f"b: {said}{': they are the same, byte for byte; take one away' if same else ''}"


def test_a_title_that_a_side_lacks_has_the_mode_of_the_others(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city"), encodes("a", "moor", modes=("nr",)))
    empty = [unscored(f"/v/b/city_{k}k.mp4", "city", "the file is empty") for k in (500, 1000)]
    there = compared({"a": a, "b": side(tmp_path / "b", empty)})
    assert {t.name: t.mode for t in there.titles} == {"city": "fr", "moor": "nr", "sea": "fr"}
    assert {(f.title, f.mode) for f in there.figures if f.title} == {("city", "fr"), ("moor", "nr"), ("sea", "fr")}
    assert {t.name: t.reason for t in there.titles} == {
        "sea": "not among the encodes of b", "moor": "not among the encodes of b",
        "city": "none of the 2 encodes of b has a score (the file is empty)",
    }  # fmt: skip


@pytest.mark.parametrize("what", [Finding("truncated: 3 frames are missing", "truncated", "error"), None])
def test_what_is_broken_is_an_input_that_could_not_be_used(what: Finding | None, tmp_path: Path) -> None:
    """One encode of a title, or all of it; the exit code is that of a file that cannot be read at all."""
    torn = (what,) if what else ()
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city"))
    one = side(tmp_path / "one", found(encodes("b", "sea"), "_4000k.mp4", *torn), encodes("b", "city"))
    every = side(tmp_path / "all", found(encodes("b", "sea"), ".mp4", *torn), encodes("b", "city"))
    for other in (one, every):
        assert cli.main(["compare", a, other, "--out", str(tmp_path / "out")]) == (4 if what else 0)


def test_every_pair_of_the_table_whose_curves_cross_is_told(tmp_path: Path) -> None:
    folders = {label: side(tmp_path / label, encodes(label, "sea")) for label in ("u", "v")}
    folders["x"] = side(tmp_path / "x", steeper("x", "sea", 1.5))
    there = compared(folders)
    told = [note for note in there.titles[0].told if note.kind == "crossing"]
    assert [note.sides for note in told] == [("x", "u"), ("x", "v")]
    assert told[1].sentence == told[0].sentence.replace("than u", "than v")
    listed = {(f.test, f.anchor) for f in there.figures}
    assert {note.sides for note in told} <= listed
    back = compared({label: folders[label] for label in ("x", "u", "v")})
    (u, v) = (note for note in back.titles[0].told if note.kind == "crossing")
    assert (u.sides, v.sides) == (("u", "x"), ("v", "x"))
    assert u.sentence.startswith("u needs fewer bits than x up to a score of about")
