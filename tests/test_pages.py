"""The report's pages as files: complete, honest in every corner, and never anybody else's script."""

from __future__ import annotations

import hashlib
import html.parser
import json
import os
import re
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly.offline import get_plotlyjs_version
from yoto_video.pipeline import ledger
from yoto_video.pipeline.errors import UsageError, YotoVideoError
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult, ClipScore
from yoto_video.reports.labels import common_folder, last_component, short_labels
from yoto_video.reports.pack import pack
from yoto_video.reports.pages import build_report, page_name
from yoto_video.reports.read import gather
from yoto_video.reports.results import load
from yoto_video.reports.words import acr, clock, number, rate

from .synthetic_results import HOSTILE, SHA, ladder, scored, showcase, unscored, write


class Page(html.parser.HTMLParser):
    """What a browser sees: visible text, links, pictures, elements, and data of scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text, self.tags, self.links, self.scripts = "", [], [], []
        self._inside = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        else:
            self.text += data

    def table(self, name: str) -> dict:
        """The JSON behind a table."""
        scripts = [a for t, a in self.tags if t == "script"]
        at = next(i for i, a in enumerate(scripts) if a.get("class") == "rows" and a.get("data-for") == name)
        return json.loads(self.scripts[at])


def page_of(index: Path, ladder_name: str) -> Page:
    return Page(index.parent / "ladders" / page_name(ladder_name))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_report(showcase(tmp_path_factory.mktemp("show") / "out", 5))


def test_a_thinned_line_is_not_said_to_show_every_frame(tmp_path: Path) -> None:
    every, some = "Every sampled frame.", "Of long lines the lowest and the highest sampled frame of each short stretch"
    for seconds, said, other in ((20, every, some), (1200, some, every)):
        out = write(tmp_path / str(seconds), [[scored("/v/sea.mp4", "sea", "nr", 60, seconds=seconds)]])
        build_report(out)
        page = (out / "report" / "ladders" / page_name("sea")).read_text(encoding="utf-8")
        assert said in page
        assert other not in page


def test_the_overview_counts_what_is_in_the_clips_data_set(report: Path) -> None:
    store = Store(report.parent.parent, read_only=True)
    page = Page(report)
    paths = {c.path: c for c in store.clips()}
    text = re.sub(r"\s+", " ", page.text)
    assert f"{len(paths)} clips" in text
    scored_clips = {c.path for c in store.clips() if c.status == "ok"}
    assert f"{len(scored_clips)} scored" in text
    assert "3 skipped" in text
    assert "3 failed" in text
    table = page.table("clip-table")
    assert len(table["rows"]) == len(paths)
    assert len(page.table("ladder-table")["rows"]) == len({c.ladder for c in store.clips()})


def test_runs_count_rows_and_say_so(report: Path) -> None:
    text = re.sub(r"\s+", " ", Page(report).text)
    assert "Rows: scored" in text
    assert "A video has a row in each mode it was scored in" in text


def test_a_tile_says_what_its_score_goes_without(tmp_path: Path) -> None:
    index = build_report(write(tmp_path / "out", [[scored("/a/a_720p.mp4", "a", "nr", 50.0)]]))
    assert "NR score without a master" in re.sub(r"\s+", " ", page_of(index, "a").text)


def test_every_score_of_the_table_is_the_one_stored_with_its_interval(report: Path) -> None:
    store = Store(report.parent.parent, read_only=True)
    table = Page(report).table("clip-table")
    labels = [c["label"] for c in table["columns"]]
    told = {}
    for row in table["rows"]:
        for mode in ("FR", "NR"):
            told[(row["find"].split(" ")[0], mode.lower())] = row["cells"][labels.index(f"{mode} score")]
    for clip in store.clips():
        if clip.status == "ok" and " " not in clip.path and clip.mode:
            stored = [clip.score, *(clip.ci95 or ())]
            assert told[(clip.path, clip.mode)] == [None if v is None else float(f"{v:.1f}") for v in stored]


def test_ladders_are_counted_as_the_plan_counts_them(report: Path) -> None:
    fleet = load(report.parent.parent).fleet
    alone = sum(len(ladder.clips) == 1 for ladder in fleet.ladders)
    assert 0 < alone < len(fleet.ladders)
    several = len(fleet.ladders) - alone
    assert re.search(rf"{several}\s*ladders?\s*{alone} alone", Page(report).text)


def test_reasons_stand_with_their_files(report: Path) -> None:
    page = Page(report)
    assert "encrypted (cenc): give the clear file" in page.text
    assert "extras/promo.mp4" in page.text
    assert "audio file without a video track" in page.text


def test_every_link_and_picture_leads_to_a_file_of_the_results(report: Path) -> None:
    out = report.parent.parent
    for path in [report, *report.parent.glob("ladders/*.html")]:
        for link in Page(path).links:
            if link.startswith(("#", "data:")):
                continue
            assert "://" not in link, link
            assert not link.startswith("/"), link
            target = (path.parent / unquote(link.split("#")[0])).resolve()
            assert target.is_file(), f"{path.name}: {link}"
            assert target.is_relative_to(out)
    for name in ("clip-table", "ladder-table"):
        assert all((report.parent / row["cells"][0][1]).is_file() for row in Page(report).table(name)["rows"])


def test_plotly_is_written_once(report: Path) -> None:
    big = [p for p in report.parent.rglob("*") if p.is_file() and p.stat().st_size > 1_000_000]
    assert [p.name for p in big] == ["plotly-cartesian.min.js"]
    assert max(p.stat().st_size for p in report.parent.glob("ladders/*.html")) < 200_000


def test_a_ladder_page_tells_scores_intervals_rasters_pools_notes_and_the_model(report: Path) -> None:
    store = Store(report.parent.parent, read_only=True)
    page = page_of(report, "aurora")
    text = re.sub(r"\s+", " ", page.text)
    for clip in (c for c in store.clips() if c.ladder == "aurora"):
        assert f"{clip.score:.1f} {clip.ci95[0]:.1f}–{clip.ci95[1]:.1f}" in text
        assert f"{clip.pools['hysteresis']:.1f}" in text
    assert "1920×1080" in text
    assert "harmonic mean" in text
    assert "colour matrix not stated" in text
    assert f"yoto_mobilenetv2 sha256 {SHA}" in text
    assert {"curve-fr", "curve-nr", "timeline"} <= {a.get("id") for t, a in page.tags if t == "div"}


def test_a_ladder_page_tells_both_intervals_and_which_of_them_the_chart_shows(tmp_path: Path) -> None:
    def rung(lines: int, mean: float) -> ClipResult:
        made = scored(f"/t/{lines}p.mp4", "t", "nr", mean, height=lines, width=2 * lines, bitrate_kbps=2.0 * lines)
        return replace(made, clip=replace(made.clip, ci95=(mean - 6, mean + 6), ci95_frames=(mean - 1, mean + 2)))

    alone = replace(rung(720, 40.0), clip=replace(rung(720, 40.0).clip, ladder="u", path="/u/720p.mp4"))
    index = build_report(write(tmp_path / "out", [[rung(720, 60.0), rung(360, 50.0)], [alone]]))
    page = page_of(index, "t")
    text = re.sub(r"\s+", " ", page.text)
    assert "54.0–66.0to compare 59.0–62.0" in text
    assert "whiskers are 95 % intervals, those “to compare” of the table above" in text
    hovers = [a.get("title") or "" for _, a in page.tags]
    assert sum("interval to compare it with the others by" in hover for hover in hovers) == 2
    (bars,) = (t for s in page.scripts if "error_y" in s for t in json.loads(s)["data"] if "customdata" in t)
    assert [said for *_, said in bars["customdata"]] == [
        "95 %: 44.0 to 56.0; to compare: 49.0 to 52.0",
        "95 %: 54.0 to 66.0; to compare: 59.0 to 62.0",
    ]
    assert "to compare" not in page_of(index, "u").text  # with what


def test_worst_frames_stand_beside_reference_and_heat_map(report: Path) -> None:
    page = page_of(report, "aurora")
    pictures = [a["src"] for t, a in page.tags if t == "img"]
    assert len(pictures) == 10 * 2 * 3  # renditions x moments x (encode, reference, heat map)
    assert all(kind in pictures[i % 3 + 3 * (i // 3)] for i, kind in enumerate(["encode", "reference", "heat"] * 20))


def test_a_master_that_failed_is_said_and_its_encodes_are_told_by_nr(report: Path) -> None:
    page = page_of(report, "regatta")
    assert "The master could not be judged" in page.text
    assert "ends in the middle of its index" in page.text
    assert "curve-fr" not in {a.get("id") for _, a in page.tags}
    assert "curve-nr" in {a.get("id") for _, a in page.tags}


def test_a_ladder_without_a_master_has_no_empty_fr_column(report: Path) -> None:
    page = page_of(report, "snow leopard")
    assert "FR score" not in page.text.split("Scale.")[0]


def test_all_failed(out_dir: Path) -> None:
    write(out_dir, [[unscored(f"/v/{i}.mp4", f"v{i}", "truncated: copy it again")] for i in range(9)])
    page = Page(build_report(out_dir))
    assert "No clip could be scored" in page.text
    assert page.text.count("truncated: copy it again") == 1  # one reason, nine files
    assert "9 files" in page.text
    assert "distribution" not in {a.get("id") for _, a in page.tags}


def test_an_empty_run(out_dir: Path) -> None:
    Store(str(out_dir)).close()
    page = Page(build_report(out_dir))
    assert "Nothing was found to score" in page.text
    assert not [t for t, a in page.tags if a.get("class") == "rows"]


def test_a_still_picture_alone(out_dir: Path) -> None:
    facts = {"bitrate_kbps": None, "fps": None, "duration_s": None, "codec": "png"}
    write(out_dir, [[scored("/v/poster.png", "poster", "nr", 60, seconds=0.5, **facts)]])
    page = page_of(build_report(out_dir), "poster")
    assert not [a for _, a in page.tags if a.get("class") == "figure"]
    assert "poster.png" in page.text


def test_one_mode_missing_is_listed_with_its_reason(out_dir: Path) -> None:
    ok = scored("/v/a.mp4", "l", "nr", 60)
    fr = ClipResult(ClipScore("/v/a.mp4", "l", "fr", "failed", "its frame times never meet the master's"))
    index = build_report(write(out_dir, [[ok, fr]]))
    assert "never meet" in Page(index).text
    assert "never meet" in page_of(index, "l").text
    assert "1 scored" in re.sub(r"\s+", " ", Page(index).text)


def test_names_and_reasons_with_markup_are_text(out_dir: Path) -> None:
    results = ladder(HOSTILE.replace("/", "∕"), root="/v/" + HOSTILE.replace("/", "∕"))
    told = (Finding(HOSTILE), Finding(HOSTILE, HOSTILE, "error", 0.0, 1.0))
    results[-1] = replace(results[-1], clip=replace(results[-1].clip, findings=told, model=HOSTILE))
    index = build_report(write(out_dir, [results, [unscored("/v/b.mp4", HOSTILE, HOSTILE)]]))
    for path in [index, *index.parent.glob("ladders/*.html")]:
        page = Page(path)
        assert not [a for t, a in page.tags if t == "img" and "onerror" in a]
        raw = path.read_text()
        assert "<img src=x" not in raw
        assert raw.count("</script>") == len([t for t, _ in page.tags if t == "script"])
        assert "{{7*7}}" in page.text
        for script, text in zip([a for t, a in page.tags if t == "script"], page.scripts, strict=True):
            if script.get("type") == "application/json":
                json.loads(text)


def test_the_report_is_replaced_whole(out_dir: Path) -> None:
    write(out_dir, [[scored("/v/a.mp4", "first", "nr", 60)]])
    index = build_report(out_dir)
    with Store(str(out_dir)) as store:
        store.forget(["/v/a.mp4"])
        store.commit("second", [scored("/v/b.mp4", "second", "nr", 60)])
    assert build_report(out_dir) == index
    assert [p.name for p in (out_dir / "report" / "ladders").iterdir()] == [page_name("second")]
    assert not [p for p in out_dir.iterdir() if p.name.startswith(".report")]
    assert (out_dir / "report").stat().st_mode & 0o055 == 0o055  # others may read it, as they may the data


def test_frames_that_cannot_be_read_are_told_and_the_rest_is_shown(
    out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "FRAMES_A_PART", 0)  # a part each
    write(out_dir, [[scored("/v/a.mp4", "a", "nr", 60)], [scored("/v/b.mp4", "b", "nr", 70)]])
    part = next((out_dir / "frames").glob("a-*.parquet"))
    content = bytearray(part.read_bytes())
    content[200:260] = bytes(60)
    part.write_bytes(content)
    index = build_report(out_dir)
    assert "Some results could not be read" in Page(index).text
    assert part.name in Page(index).text
    assert "timeline" in {a.get("id") for _, a in page_of(index, "b").tags}
    assert "timeline" not in {a.get("id") for _, a in page_of(index, "a").tags}


def test_a_report_that_cannot_be_written_is_one_sentence_and_leaves_the_old_one(out_dir: Path, monkeypatch) -> None:
    index = build_report(write(out_dir, [[scored("/v/a.mp4", "a", "nr", 60)]]))
    old = index.read_text()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("yoto_video.reports.pages.shutil.copyfile", full)
    with pytest.raises(YotoVideoError, match="No space left on device") as caught:
        build_report(out_dir)
    assert "\n" not in str(caught.value)
    assert index.read_text() == old
    assert not [p for p in out_dir.iterdir() if p.name.startswith(".report")]


def test_what_a_killed_report_left_is_removed(report: Path) -> None:
    out = report.parent.parent
    for name, age in ((".report-old", 7200), (".report-new", 0)):
        (out / name).mkdir()
        os.utime(out / name, (time.time() - age,) * 2)
    build_report(str(out))
    assert not (out / ".report-old").exists()
    assert (out / ".report-new").exists()  # somebody is at work there
    (out / ".report-new").rmdir()


def test_a_zip_replaces_what_a_link_leads_to(report: Path, tmp_path: Path) -> None:
    (tmp_path / "real.zip").write_bytes(b"old")
    (tmp_path / "link.zip").symlink_to(tmp_path / "real.zip")
    assert pack(report.parent, tmp_path / "link.zip") == tmp_path / "real.zip"
    assert (tmp_path / "link.zip").is_symlink()
    assert zipfile.is_zipfile(tmp_path / "real.zip")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(YotoVideoError, match="this is no file"):
        pack(report.parent, tmp_path / "pipe")


def test_a_zip_holds_every_page_and_every_picture_they_lead_to(report: Path, tmp_path: Path) -> None:
    out = report.parent.parent
    (out / "pictures" / "nobody shows this.webp").write_bytes(b"x")
    with pytest.raises(YotoVideoError, match=r"sub/report\.zip: cannot write the zip"):
        pack(report.parent, tmp_path / "sub" / "report.zip")  # a mistyped folder is not made
    packed = pack(report.parent, tmp_path / "report.zip")
    with zipfile.ZipFile(packed) as content:
        content.extractall(tmp_path / "mailed")
    mailed = tmp_path / "mailed"
    assert not (mailed / "pictures" / "nobody shows this.webp").exists()
    pages = [mailed / "report" / "index.html", *(mailed / "report" / "ladders").iterdir()]
    assert len(pages) == 1 + len(list(report.parent.glob("ladders/*")))
    for page in pages:
        for link in Page(page).links:
            assert link.startswith(("#", "data:")) or (page.parent / unquote(link.split("#")[0])).is_file(), link
    with pytest.raises(YotoVideoError, match="cannot write the zip"):
        pack(report.parent, tmp_path / "mailed")  # a folder is there
    assert not list(tmp_path.glob(".zip-*"))


@pytest.mark.parametrize("name", ["dataTables", "plotly"])
def test_what_others_wrote_is_what_is_named_with_its_licence(report: Path, name: str) -> None:
    note = (Path(__file__).parent.parent / "reports" / "templates" / "VENDORED.md").read_text()
    (shipped,) = (report.parent / "assets").glob(f"{name}*.min.js")
    row = next(line for line in note.splitlines() if f"`{shipped.name}`" in line)
    assert hashlib.sha256(shipped.read_bytes()).hexdigest() in row
    licence = shipped.with_name(f"{name}.LICENSE.txt").read_text()
    assert "Permission is hereby granted, free of charge" in licence
    if name == "plotly":  # it has to read what the package writes
        version = re.search(r"plotly\.js .*v([\d.]+)", shipped.read_text(encoding="utf-8")[:200])
        assert version is not None
        assert f"| {version[1]} |" in row
        assert version[1].split(".")[0] == get_plotlyjs_version().split(".")[0]


def test_a_folder_without_results_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no results"):
        build_report(tmp_path / "nothing here")


@given(st.text(min_size=1))
def test_a_page_name_is_one_plain_file_name(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9-]+\.html", page_name(name))


def test_names_that_read_alike_have_pages_of_their_own() -> None:
    assert len({page_name(n) for n in ("a/b", "a b", "A/B", "a-b", "../a/b")}) == 5


@given(st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map("/".join), unique=True, max_size=6))
def test_labels_are_ends_of_their_paths_and_unique(paths: list[str]) -> None:
    labels = short_labels(paths)
    assert len(set(labels.values())) == len(paths)
    assert all(path.endswith(label) for path, label in labels.items())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v/film.mp4", "film.mp4"), ("/v/x#y.mp4", "x#y.mp4"), ("/v#1/film.mp4", "film.mp4"),
        ("s3://b/v/master.m3u8#v180/index.m3u8", "master.m3u8#v180/index.m3u8"), ("/v/m.MPD#1080", "m.MPD#1080"),
    ],
)  # fmt: skip
def test_a_manifests_renditions_have_names_of_their_own(path: str, name: str) -> None:
    assert last_component(path) == name


def test_renditions_of_a_manifest_are_called_by_name_and_size() -> None:
    sizes = {"v0/index.m3u8": (1280, 720), "v1/index.m3u8": (960, 540), "v2/index.m3u8": (960, 540), "low.m3u8": (0, 0)}
    rows = [
        replace(scored(f"/v/master.m3u8#{name}", "a", "nr", 50.0, bitrate_kbps=1000.0 * i).clip, width=w, height=h)
        for i, (name, (w, h)) in enumerate(sizes.items(), 1)
    ]
    far = scored("/v/master.m3u8#https://cdn/x/v9/index.m3u8?token=abc", "a", "nr", 50.0, bitrate_kbps=9000.0).clip
    rows.append(replace(far, width=2560, height=1440))
    rows += [scored(path, "a", "nr", 50.0).clip for path in ("/v/x.mpd#hi", "/v/y.mpd#hi", "/v/plain_720p.mp4")]
    (ladder,) = gather(rows).ladders
    assert {c.path.removeprefix("/v/"): c.label for c in ladder.clips} == {
        "master.m3u8#v0/index.m3u8": "v0 1280×720",
        "master.m3u8#v1/index.m3u8": "v1 960×540 2,000 kbit/s",
        "master.m3u8#v2/index.m3u8": "v2 960×540 3,000 kbit/s",
        far.path.removeprefix("/v/"): "v9 2560×1440",
        "master.m3u8#low.m3u8": "master.m3u8#low.m3u8",  # its size is not known
        "x.mpd#hi": "x.mpd#hi",  # two would be called the same
        "y.mpd#hi": "y.mpd#hi",
        "plain_720p.mp4": "plain_720p.mp4",
    }


def test_common_folder() -> None:
    assert common_folder(["/a/b/x.mp4", "/a/bc/y.mp4"]) == "/a/"
    assert common_folder(["s3://bucket/a/x", "s3://bucket/b/y"]) == "s3://bucket/"
    assert common_folder([]) == ""
    assert common_folder(["/a/x", "s3://b/y"]) == ""


@pytest.mark.parametrize(
    ("size", "lines"),
    [((1920, 1080), 1080), ((1920, 800), 1080), ((1080, 1920), 1080), ((1916, 1076), 1080), ((640, 480), 480),
     ((176, 144), 144), ((3840, 2160), 2160), ((1600, 900), 900), ((500, 200), 288), ((460, 262), 262),
     ((1139, 480), 480), ((1080, 2400), 1080)],
)  # fmt: skip
def test_sizes_are_named_by_their_lines(size: tuple[int, int], lines: int) -> None:
    clip = gather([scored("/a", "l", "nr", 5, width=size[0], height=size[1]).clip]).clips[0]
    assert clip.rung == lines


def test_numbers_for_people() -> None:
    assert [number(None), number(12.345), number(1234.5, 0)] == ["–", "12.3", "1,234"]
    assert [rate(None), rate(12345.6), rate(64.2)] == ["–", "12,346", "64.2"]
    assert [clock(None), clock(5.5), clock(59.999), clock(3725)] == ["–", "0:05.50", "1:00.00", "1:02:05.00"]
    assert [acr(0), acr(37.4), acr(37.6), acr(100)] == ["bad", "poor", "fair", "excellent"]
