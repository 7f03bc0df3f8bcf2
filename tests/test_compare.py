"""Encoders side by side: known savings are found, nothing unlike is compared, and every refusal says why."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import av
import pytest
from yoto_video.jobs import cli
from yoto_video.jobs.compare_output import print_comparison
from yoto_video.jobs.pairing import by_ladder, pair
from yoto_video.pipeline.encode import Rung, encode
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult, ClipScore, Mode
from yoto_video.reports.compare import Comparison
from yoto_video.reports.compare_pages import build_comparison
from yoto_video.reports.compare_time import losses, over_time
from yoto_video.reports.compare_words import answer
from yoto_video.reports.ladders import choose
from yoto_video.reports.results import load
from yoto_video.reports.titles import Side, make_titles

from .clips import make
from .fakes import FakeJudge
from .synthetic_results import HOSTILE, result, scored, unscored
from .test_cli import KEYS

RATES = (250, 500, 1000, 2000, 4000)
BD_KEYS = ["type", "title", "mode", "pool", "pchip", "akima", "ci95", "reason"]


def encodes(
    label: str, title: str, *, saves: float = 0.0, modes: tuple[Mode, ...] = ("nr", "fr"), hard: float = 0.0,
    bad_second: float | None = None, name: str | None = None, **facts: Any,
) -> list[ClipResult]:  # fmt: skip
    """Five encodes of a title whose quality is that of one with `saves` more bits; the same swings in time."""
    made = []
    for kbps in RATES:
        path = f"/v/{label}/{name or title}_{kbps}k.mp4"
        mean = 20 + 9 * math.log2(kbps / (1 - saves) / 100) - hard
        known: dict[str, Any] = {"bitrate_kbps": float(kbps), "content_id": f"{saves} {title} {kbps}"} | facts
        for mode in modes:
            reference = {"reference": f"/masters/{title}.mov"} if mode == "fr" else {}
            one = scored(path, name or title, mode, mean, seconds=12, seed=len(title), **(known | reference))
            if bad_second is not None:
                lost = {f.frame_num: 15 * (abs(f.pts_time - bad_second) < 0.6) for f in one.frames}
                one = result(one.clip, tuple(replace(f, score=f.score - lost[f.frame_num]) for f in one.frames))
            made.append(one)
    return made


def side(out: Path, *ladders: list[ClipResult]) -> str:
    with Store(str(out)) as store:
        for results in ladders:
            store.commit(results[0].clip.ladder, results)
    return str(out)


def compared(folders: dict[str, str]) -> Comparison:
    sides = [Side(label, load(folder)) for label, folder in folders.items()]
    return Comparison(sides, make_titles(sides, pair([by_ladder(s.results.store.clips()) for s in sides])))


def test_a_known_saving_is_found_with_its_interval_and_both_ways(tmp_path: Path) -> None:
    titles = ("sea", "city", "forest", "desert", "mountains")
    a = side(tmp_path / "a", *(encodes("a", t) for t in titles))
    b = side(tmp_path / "b", *(encodes("b", t, saves=0.25 + 0.03 * i) for i, t in enumerate(titles)))
    there = compared({"old": a, "new": b})
    figure = there.overall("old", "new", "fr")
    assert there.modes == ["fr"]
    expected = 100 * (math.exp(sum(math.log(0.75 - 0.03 * i) for i in range(5)) / 5) - 1)
    assert figure.delta.pchip == pytest.approx(expected, abs=0.5)
    assert figure.delta.akima == pytest.approx(expected, abs=0.5)
    assert figure.delta.quality == pytest.approx(-9 * math.log2(1 + expected / 100), abs=0.2)
    assert figure.rate is not None
    assert figure.rate.low < expected < figure.rate.high < 0
    assert figure.rate.effect is not None
    assert figure.rate.effect < -1
    assert (figure.verdict, figure.titles, figure.unit) == ("saves", 5, "titles")
    assert answer(there).startswith("new needs 3")
    assert {s.titles for s in there.savings} == {5}
    assert all(s.percent == pytest.approx(expected, abs=1) for s in there.savings)
    back = compared({"new": b, "old": a}).overall("new", "old", "fr")
    assert 1 + back.delta.pchip / 100 == pytest.approx(1 / (1 + figure.delta.pchip / 100), rel=1e-9)
    assert back.verdict == "costs"


def test_the_same_encodes_under_another_name_show_no_difference(tmp_path: Path) -> None:
    a = side(tmp_path / "a", *(encodes("a", t) for t in ("sea", "city", "forest")))
    b = side(tmp_path / "b", *(encodes("b", t, name=f"take2 {t}") for t in ("sea", "city", "forest")))
    there = compared({"x264": a, "again": b})
    for figure in there.figures:
        assert figure.delta.pchip == pytest.approx(0, abs=1e-9)
        assert figure.rate is not None
        assert figure.rate.low <= 0 <= figure.rate.high
        assert figure.verdict == "no difference shown"
    said = answer(there)
    assert "No difference shown between again and x264: +0.0 %" in said
    assert "narrow" not in said  # nothing would, an interval of no width
    assert said.endswith("masters). All 15 encodes of again are the same bytes as encodes of x264: check the folders.")
    one = [
        replace(r, clip=replace(r.clip, content_id="other")) if "_250k" in r.clip.path else r
        for r in encodes("b", "sea")
    ]
    assert "the same bytes" not in answer(compared({"x264": a, "again": side(tmp_path / "c", one)}))


def test_what_is_damaged_says_nothing_of_its_encoder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torn = (Finding("pictures are damaged", "damaged", "error", 3.0, 4.0),)

    def spoilt(one: ClipResult) -> ClipResult:
        if not one.clip.path.endswith("_1000k.mp4"):
            return one
        frames = tuple(replace(frame, score=frame.score / 2) for frame in one.frames)
        return result(replace(one.clip, findings=torn), frames)

    a = side(tmp_path / "a", encodes("a", "sea"))
    b = side(tmp_path / "b", [spoilt(one) for one in encodes("b", "sea", saves=0.3)])
    there = compared({"a": a, "b": b})
    figure = there.overall("a", "b", "fr")
    assert figure.delta.pchip == pytest.approx(-30, abs=0.5)
    (title,) = there.titles
    assert [len(own) for own in title.sides] == [5, 4]
    print_comparison(there)
    assert "sea: b: sea_1000k.mp4 is damaged and is left out" in capsys.readouterr().out


def test_a_side_that_never_looks_as_good_is_named(tmp_path: Path) -> None:
    whole = encodes("a", "sea", modes=("nr",))
    lower = [r for r in encodes("b", "sea", modes=("nr",)) if (r.clip.bitrate_kbps or 0) < 4000]
    lower += [scored("/v/b/sea_125k.mp4", "sea", "nr", 22, seconds=12, bitrate_kbps=125.0, content_id="b 125")]
    a, b, same = (side(tmp_path / name, own) for name, own in (("a", whole), ("b", lower), ("same", whole)))
    (title,) = compared({"a": a, "b": b}).titles
    (note,) = title.notes
    assert note.startswith("b reaches ")
    assert note.endswith(": what lies beyond is in no BD-rate of b")
    (title,) = compared({"a": a, "b": same}).titles
    assert title.notes == ()


def test_one_title_has_the_interval_of_its_blocks_and_says_so(tmp_path: Path) -> None:
    a, b = side(tmp_path / "a", encodes("a", "sea")), side(tmp_path / "b", encodes("b", "sea", saves=0.3))
    figure = compared({"a": a, "b": b}).overall("a", "b", "fr")
    assert figure.unit == "blocks"
    assert figure.units == 12
    assert figure.rate is not None
    assert "one title" in answer(compared({"a": a, "b": b}))


def test_modes_rasters_models_and_codecs_are_never_mixed(tmp_path: Path) -> None:
    a = side(tmp_path / "a", *(encodes("a", t) for t in ("sea", "city", "forest", "lake", "moor")))
    b = side(
        tmp_path / "b", encodes("b", "sea", saves=0.2, modes=("nr",)), encodes("b", "city"),
        encodes("b", "forest", display="1280x720"), encodes("b", "lake", codec="h264")[:4] + encodes("b", "lake")[4:],
    )  # fmt: skip
    mixed = encodes("c", "moor", codec="hevc")[:4] + encodes("c", "moor", codec="h264")[4:]
    with Store(b) as store:
        store.commit("moor", mixed)
    there = compared({"a": a, "b": b})
    by_name = {t.name: t for t in there.titles}
    assert (by_name["sea"].mode, by_name["city"].mode) == ("nr", "fr")
    assert all(e.row.mode == "nr" for e in by_name["sea"].encodes)
    assert there.modes == ["fr", "nr"]
    assert there.overall("a", "b", "nr").titles == 1
    assert "rasters (a at 1920x1080; b at 1280x720)" in (by_name["forest"].reason or "")
    assert "several codecs (h264, hevc)" in (by_name["moor"].reason or "")
    page = build_comparison(there, tmp_path, {}).read_text(encoding="utf-8")
    assert page.count("What each needs for the same quality") == 2
    assert "The videos are not there" in page or "loses against" not in page


def test_what_has_no_partner_or_no_score_says_so(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "only here"))
    none = [unscored("/v/b/x.mp4", "x", "the file is empty")]
    b = side(tmp_path / "b", encodes("b", "sea")[:6], encodes("b", "only there"), none)
    there = compared({"a": a, "b": b})
    reasons = {f.title: f.delta.reason for f in there.figures if f.pool == "mean"}
    assert "at least 4" in (reasons["sea"] or "")
    assert reasons["only here"] == "not among the encodes of b"
    assert reasons["only there"] == "not among the encodes of a"
    assert math.isnan(there.overall("a", "b", "fr").delta.pchip)
    assert "cannot be compared" in answer(there)


def test_several_sides_have_one_sentence_and_every_pair_its_figure(tmp_path: Path) -> None:
    folders = {
        label: side(tmp_path / label, *(encodes(label, t, saves=saves) for t in ("sea", "city", "forest")))
        for label, saves in (("x264", 0.0), ("x265", 0.3), ("again", 0.0))
    }
    there = compared(folders)
    assert {(f.anchor, f.test) for f in there.figures} == {("x264", "x265"), ("x264", "again"), ("x265", "again")}
    assert there.overall("x265", "again", "fr").delta.pchip == pytest.approx(100 * (1 / 0.7 - 1), abs=1)
    said = answer(there)
    assert said.startswith("Against x264, for the same quality: x265 needs 30.")
    assert "no difference shown for again, +0.0 % (+0.0 to +0.0 %)" in said
    assert said.count(". ") == 1
    assert said.endswith(" All 15 encodes of again are the same bytes as encodes of x264: check the folders.")


def test_the_worst_moment_is_where_it_was_made(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", "city"))
    b = side(tmp_path / "b", encodes("b", "sea", saves=0.2, bad_second=7.5), encodes("b", "city", saves=0.2))
    there = compared({"a": a, "b": b})
    times, points = over_time(there.titles[1], 0, 1)
    assert there.titles[1].name == "sea"
    assert len(times) == 12
    assert 6.5 < times[points.argmin()] < 8.5
    worst, *_ = losses(there.titles, 0, 1)
    assert worst.title.name == "sea"
    assert abs(worst.seconds - 7.5) < 1
    assert worst.points < -5


def test_sides_at_other_speeds_are_compared_at_the_masters_moments(tmp_path: Path) -> None:
    """PAL's speed-up of 25 over 24, and what the encode shows no worse for it anywhere."""
    speed = 25 / 24
    fast = [
        result(
            replace(one.clip, rate_ratio=speed if one.clip.mode == "fr" else None, offset_s=one.clip.offset_s),
            tuple(replace(f, pts_time=f.pts_time / speed) for f in one.frames),
        )
        for one in encodes("b", "sea")
    ]
    there = compared({"as it is": side(tmp_path / "a", encodes("a", "sea")), "pal": side(tmp_path / "b", fast)})
    (title,) = there.titles
    (one, *_), (two, *_) = title.sides
    assert two.times == pytest.approx(one.times)
    assert two.own_time(7) == pytest.approx(one.own_time(7) / speed)
    assert losses(there.titles, 0, 1) == []


def test_over_several_sizes_the_hull_decides(tmp_path: Path) -> None:
    small = [r for r in encodes("a", "sea") if (r.clip.bitrate_kbps or 0) <= 1000]
    large = encodes("a", "sea", name="big", hard=6)
    ladder = []
    for width, height, rows in ((640, 360, small), (1280, 720, large)):
        for r in rows:
            kbps = (r.clip.bitrate_kbps or 0) + 3 * (height == 720)
            path = f"/v/a/{height}_{kbps}.mp4"
            clip = replace(r.clip, ladder="sea", path=path, width=width, height=height, bitrate_kbps=kbps)
            ladder.append(ClipResult(clip, r.frames))
    there = compared({"a": side(tmp_path / "a", ladder), "b": side(tmp_path / "b", encodes("b", "sea"))})
    chosen = choose(there.titles[0], 0)
    assert list(dict.fromkeys(e.size for e in chosen.hull)) == ["640×360", "1280×720"]
    assert [c[:2] for c in chosen.crossings] == [("640×360", "1280×720")]
    assert math.isfinite(there.overall("a", "b", "fr").delta.pchip)


def test_a_ladder_is_not_left_with_a_gap_that_lint_would_find(tmp_path: Path) -> None:
    """A curve that rises ever faster has but two corners on its hull; what lies between serves all the same."""
    own = []
    for kbps, mean in ((300, 30.0), (450, 38.0), (650, 47.0), (900, 62.0), (1100, 80.0)):
        known = {"bitrate_kbps": float(kbps), "content_id": str(kbps)}
        own.append(scored(f"/v/a/sea_{kbps}k.mp4", "sea", "nr", mean, seconds=12, **known))
    there = compared({"a": side(tmp_path / "a", own), "b": side(tmp_path / "b", encodes("b", "sea", modes=("nr",)))})
    chosen = choose(there.titles[0], 0)
    assert [round(e.rate) for e in chosen.hull] == [300, 1100]
    assert [round(e.rate) for e in chosen.rungs] == [300, 450, 650, 900, 1100]


def test_ladders_pair_by_name_title_master_and_content(tmp_path: Path) -> None:
    def row(path: str, ladder: str, **facts: Any) -> ClipScore:
        return scored(path, ladder, "nr", 50, seconds=1, **facts).clip

    master = {"is_master": True}
    a = [row("/a/Sea_1.mp4", "Sea"), row("/a/x/lake.mp4", "x/lake"), row("/a/o1.mp4", "o1"),
         row("/m/hill.mov", "o1", **master), row("/a/p1.mp4", "p1", content_id="same")]  # fmt: skip
    b = [row("/b/sea_1.mp4", "sea"), row("/b/lake.mp4", "lake"), row("/b/q.mp4", "q"),
         row("/m/hill.mov", "q", **master), row("/b/r.mp4", "r", content_id="same"),
         row("/b/left.mp4", "left")]  # fmt: skip
    assert pair([by_ladder(a), by_ladder(b)]) == {
        "Sea": ["Sea", "sea"], "o1": ["o1", "q"], "p1": ["p1", "r"], "x/lake": ["x/lake", "lake"],
        "left": [None, "left"],
    }  # fmt: skip


def test_the_command_on_two_results_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = HOSTILE.replace("/", "∕")
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", bad), encodes("a", "alone"))
    b = side(tmp_path / "b", encodes("b", "sea", saves=0.3), encodes("b", bad, saves=0.3))
    out = tmp_path / "out"
    words = ["compare", a, b, "--out", str(out), "--labels", f"old,{HOSTILE.replace(',', '')}", "--format", "json"]
    assert cli.main(words) == 0
    said = capsys.readouterr()
    *lines, summary = [json.loads(line) for line in said.out.splitlines()]
    clips, figures = [o for o in lines if o["type"] == "clip"], [o for o in lines if o["type"] == "bd_rate"]
    assert len(clips) == 50
    assert all(list(clip) == KEYS for clip in clips)
    assert [f["pool"] for f in figures if f["title"] is None] == ["mean", "p5", "worst_second"]
    assert all(list(f)[:8] == BD_KEYS for f in figures)
    assert {f["mode"] for f in figures} == {"fr"} | {f["mode"] for f in figures if f["title"] == "alone"}
    lonely = next(f for f in figures if f["title"] == "alone")
    assert (lonely["pchip"], lonely["akima"], lonely["ci95"]) == (None, None, None)
    assert "not among" in lonely["reason"]
    assert figures[0]["ci95"][0] <= figures[0]["pchip"] <= figures[0]["ci95"][1] < 0
    assert (summary["type"], summary["ok"]) == ("summary", 50)
    apart = side(tmp_path / "apart", encodes("c", "elsewhere"))
    assert cli.main(["compare", a, apart, "--out", str(tmp_path / "other")]) == 4
    assert "cannot be compared: " in capsys.readouterr().out
    page = (out / "compare" / "index.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "nan" not in {word.strip("<>b,;") for word in page.lower().split()}
    table = (out / "compare" / "figures.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 1 + len(figures)
    before = page.split("Written by")[0]
    assert cli.main([*words[:-2]]) == 0
    assert "page: " in capsys.readouterr().out
    assert (out / "compare" / "index.html").read_text(encoding="utf-8").split("Written by")[0] == before


def test_folders_are_scanned_mapped_and_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Encodes with names of no kind: a mapping says what they are, for both sides. Their judge is arithmetic."""
    monkeypatch.setattr("yoto_video.models.judge.Judge.load", lambda *_, **__: FakeJudge())
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "film.mov", size=(96, 64), frames=24)
    rows = ["path,ladder,role", "film.mov,film,master"]
    for label in ("a", "b", "c"):
        (tmp_path / label).mkdir()
        for number, quality in enumerate((30, 35, 40, 45, 50)):
            make(tmp_path / label / f"x{number}{label}.mp4", size=(96, 64), frames=24, options={"crf": str(quality)})
            rows.append(f"{label}/x{number}{label}.mp4,film,")
    (tmp_path / "mapping.csv").write_text("\n".join(rows))
    words = ["compare", "a", "b", "--mapping", "mapping.csv", "--workers", "0", "--labels", "a,new"]
    words += ["--format", "json"]
    code = cli.main(words)
    assert code in (0, 4)  # so small that some curves do not rise
    said = capsys.readouterr()
    assert {"a", "new: b"} <= set(said.err.splitlines())  # which side is scanned, by a name of its own if it has one
    lines = [json.loads(line) for line in said.out.splitlines()]
    figures = [o for o in lines if o["type"] == "bd_rate"]
    assert {(f["title"], f["mode"]) for f in figures} == {(None, "fr"), ("film", "fr")}
    assert len(list((tmp_path / "yoto-compare" / "sides").glob("*/yoto-video.json"))) == 2
    assert cli.main(words) == code
    assert capsys.readouterr().err.count("nothing to measure") == 2
    words[2] = "c"  # another folder under the same label is not mixed with the one before
    assert cli.main(words) == code
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {Path(o["path"]).parent.name for o in lines if o["type"] == "clip" and o["mode"] == "fr"} == {"a", "c"}


def test_too_few_encodes_for_a_curve_are_said_before_they_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("yoto_video.models.judge.Judge.load", lambda *_, **__: FakeJudge())
    monkeypatch.chdir(tmp_path)
    places = ["path,ladder,role"]
    for label, names in (("a", ["film"] * 4), ("b", ["film"] * 3), ("c", ["this", "that", "one", "more"])):
        (tmp_path / label).mkdir()
        for name, quality in zip(names, (30, 35, 40, 45), strict=False):
            file = f"{label}/{name}_crf{quality}.mp4"
            make(tmp_path / file, size=(96, 64), frames=8, options={"crf": str(quality)})
            places.append(f"{file},film,")
    (tmp_path / "mapping.csv").write_text("\n".join(places))
    rest = "of a title at most; bits for the same quality need 4 on each side, so none will be told"
    assert cli.main(["compare", "a", "b", "c", "--workers", "0"]) in (0, 4)
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if "of a title at most" in line] == [f"b: 3 encodes {rest}", f"c: 1 encode {rest}"]
    assert said.index(f"c: 1 encode {rest}") < said.index("a")  # before the first side is scanned
    assert cli.main(["compare", "a", "c", "--workers", "0", "--mapping", "mapping.csv"]) in (0, 4)
    assert "of a title at most" not in capsys.readouterr().err  # the mapping says that they are of one


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["A"], "at least two"), (["A", "A"], "given twice"), (["A", "B", "--labels", "x"], "has 1 of 2 names"),
        (["A", "B", "--labels", "x,x"], "different names"), (["A", "nowhere"], "nowhere"),
        (["A", "B", "--import", "none.json"], "no such file"), (["A", "B", "--import", "notes.json"], "is no log"),
        (["A", "B", "--times", "none.csv"], "--times"), (["A", "B", "--times", "notes.json"], "path and seconds"),
        (["A", "B", "--times", "times.csv"], "line 3: needs a path, and seconds above 0"),
        (["A", "B", "--out", "A"], None), (["A", "B", "--out", "theirs"], "--out"),
        (["A", "B", "--out", ""], "the results' folder is empty"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_one_line_and_code_2(
    words: list[str],
    said: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    side(tmp_path / "A", encodes("a", "sea"))
    side(tmp_path / "B", encodes("b", "sea"))
    (tmp_path / "notes.json").write_text('{"a": 1}')
    (tmp_path / "times.csv").write_text("\ufeffpath,seconds\nA/x.mp4,3\nA/y.mp4,soon\n", encoding="utf-8")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").touch()
    code = cli.main(["compare", *words])
    errors = capsys.readouterr().err
    if said is None:
        assert code == 0  # results of a scan may hold a comparison too
        return
    assert code == 2
    assert said in errors
    assert len(errors.splitlines()) == 1
    assert not (tmp_path / "yoto-compare").exists()


@pytest.mark.timeout(600)
def test_real_encoders_rank_as_everyone_expects(data_dir: Path, tmp_path: Path) -> None:
    """x265 against x264 at five qualities each, and x264 again as copies whose names say nothing of the title."""
    with av.open(str(data_dir / "clips" / "sdr" / "bedroom_540p.mp4")) as container:
        frames = [f.reformat(480, 270, "rgb24").to_ndarray() for f in islice(container.decode(video=0), 150)]
    nearly_lossless = (("crf", "4"), ("preset", "ultrafast"))
    rungs = [Rung(tmp_path / "masters" / "bedroom.mp4", "libx264", 480, 270, options=nearly_lossless)]
    for quality in (22, 27, 32, 37, 42):
        own = (("crf", str(quality)), ("preset", "veryfast"))
        hevc = (("crf", str(quality)), ("preset", "fast"), ("x265-params", "log-level=none"))
        rungs.append(Rung(tmp_path / "x264" / f"bedroom_crf{quality}.mp4", "libx264", 480, 270, options=own))
        rungs.append(Rung(tmp_path / "x265" / f"bedroom_crf{quality}.mp4", "libx265", 480, 270, options=hevc))
    encode(frames, rungs, fps=30, threads=1)
    (tmp_path / "again").mkdir()
    for number, rung in enumerate(r for r in rungs if r.encoder == "libx264" and r.file.parent.name == "x264"):
        (tmp_path / "again" / f"take_two_q{number + 10}.mp4").write_bytes(rung.file.read_bytes())
    command = [str(Path(sys.executable).parent / "yoto-video"), "compare", "x264", "x265", "again"]
    command += ["--reference", "masters", "--workers", "0", "--crops", "2", "--fps", "1", "--format", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    figures = [o for line in done.stdout.splitlines() if (o := json.loads(line))["type"] == "bd_rate"]
    overall = {(f["anchor"], f["test"]): f for f in figures if f["title"] is None and f["pool"] == "mean"}
    assert {f["mode"] for f in figures} == {"fr"}
    assert overall["x264", "x265"]["verdict"] == "saves", overall
    assert overall["x264", "x265"]["ci95"][1] < 0
    assert overall["x264", "again"]["pchip"] == pytest.approx(0, abs=1e-6)
    assert overall["x264", "again"]["ci95"][0] <= 0 <= overall["x264", "again"]["ci95"][1]
    pictures = list((tmp_path / "yoto-compare" / "compare" / "pictures").rglob("*.webp"))
    assert len(pictures) % 3 == 0
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500)
    assert again.stderr.count("nothing to measure") == 3, again.stderr
    assert [line for line in again.stdout.splitlines() if "bd_rate" in line] == [
        line for line in done.stdout.splitlines() if "bd_rate" in line
    ]
