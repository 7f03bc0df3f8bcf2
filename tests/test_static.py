"""Charts as files: everything that a page's chart says is in its picture, for any name, and the same each time."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from yoto_video.jobs import cli
from yoto_video.reports import compare_figures, figures, ladder_figures
from yoto_video.reports.figures import Chart
from yoto_video.reports.pages import page_name
from yoto_video.reports.read import gather
from yoto_video.reports.static import draw

from .synthetic_results import HOSTILE, ladder, scored, showcase
from .test_compare import compared, encodes, side

ODD = "_a $x$ & <b>"


def drawn(figure: Chart | None, folder: Path, title: str = "A title") -> tuple[str, list[str]]:
    """The SVG, and the texts in it: Matplotlib draws letters as shapes and says beside each text what it is."""
    assert figure is not None
    file = folder / "figure.svg"
    draw(figure, title, file)
    svg = file.read_text(encoding="utf-8")
    ET.fromstring(svg)
    return svg, re.findall(r"<!-- (.*?) -->", svg)


def test_quality_over_bit_rate_has_its_lines_hull_sizes_and_axes(tmp_path: Path) -> None:
    table = gather([r.clip for r in ladder("title")]).ladders[0]
    svg, texts = drawn(ladder_figures.rate_quality(table, "fr", figures.styles(table.clips)), tmp_path)
    assert {"A title", "hevc", "h264", "hull of a codec", "1080p"} <= set(texts)
    assert {"FR score", "bit rate, kbit/s, measured (log)", "1,000"} <= set(texts)
    for colour in figures.OKABE_ITO[:5]:
        assert colour.lower() in svg.lower()
    assert "stroke-dasharray" in svg
    long = f"begins {'x' * 200} ends"
    _, texts = drawn(ladder_figures.rate_quality(table, "fr", figures.styles(table.clips)), tmp_path, title=long)
    (cut,) = (t for t in texts if t.startswith("begins"))
    assert len(cut) <= 84
    assert cut.endswith(" ends")


def test_distributions_have_a_row_a_mode_and_a_box_a_group(tmp_path: Path) -> None:
    clips = gather([r.clip for seed in range(4) for r in ladder(f"title {seed}", seed=seed)]).clips
    _, texts = drawn(figures.distribution(clips), tmp_path)
    assert {"FR · beside the master", "NR · by itself", "excellent"} <= set(texts)
    _, texts = drawn(figures.by_size_and_codec(clips), tmp_path)
    assert {"1080p h264 (4)", "240p hevc (4)", "score", *figures.MODE_TITLE.values()} <= set(texts)


def test_a_comparison_has_its_bd_rates_bands_and_curves(tmp_path: Path) -> None:
    a = side(tmp_path / "a", encodes("a", "sea"), encodes("a", ODD))
    b = side(tmp_path / "b", encodes("b", "sea", saves=0.2), encodes("b", ODD, saves=0.3))
    found = compared({"a": a, "$b$": b})
    _, texts = drawn(compare_figures.forest(found, "fr"), tmp_path, title=HOSTILE)
    assert {"all titles", "sea", "bit rate against a at equal quality"} <= set(texts)
    svg, texts = drawn(compare_figures.saving_levels(found, "fr"), tmp_path)
    assert {"$b$", "FR score both reach"} <= set(texts)
    assert "fill-opacity: 0.16" in svg
    _, texts = drawn(compare_figures.rate_quality(found, found.titles[0]), tmp_path)
    assert {"a", "$b$", "500", "2,000"} <= set(texts)


def test_odd_names_and_hollow_marks_are_drawn_as_they_are(tmp_path: Path) -> None:
    results = [scored(f"/{i}.mp4", ODD, "nr", 20 + 10 * i, bitrate_kbps=100.0 * (i + 1), codec=ODD) for i in range(4)]
    table = gather([r.clip for r in results]).ladders[0]
    _, texts = drawn(ladder_figures.rate_quality(table, "nr", figures.styles(table.clips)), tmp_path, title=ODD)
    assert [html.unescape(t).strip() for t in texts].count(f"{ODD} 1080p") == 1  # in the legend
    assert ODD in map(html.unescape, texts)
    marks = {"type": "scatter", "mode": "markers", "x": [1.0, 2.0], "y": [1.0, 2.0]}
    each = [
        drawn(figures.chart([marks | {"marker": {"color": "#0072B2", "symbol": symbol}}], {}, 300), tmp_path)[0]
        for symbol in (["circle", "square"], ["circle-open", "square-open"])
    ]
    assert [len(re.findall("(?:fill: none|fill-opacity: 0); stroke: #0072b2", svg)) for svg in each] == [0, 2]


def test_the_same_chart_gives_the_same_file(tmp_path: Path) -> None:
    clips = gather([r.clip for r in ladder("title")]).clips
    figure = figures.distribution(clips)
    assert figure is not None
    for form in ("svg", "png"):
        for name in ("one", "two"):
            draw(figure, "Title", tmp_path / f"{name}.{form}")
        assert (tmp_path / f"one.{form}").read_bytes() == (tmp_path / f"two.{form}").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.size == (1920, 1080)


def test_commands_write_them_beside_the_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = showcase(tmp_path / "out", 2, pictures=False)
    packed = tmp_path / "report.zip"
    assert cli.main(["report", str(out), "--figures", "svg", "--zip", str(packed)]) == 0
    stem = page_name("aurora").removesuffix(".html")
    names = {f.name for f in (out / "report" / "figures").iterdir()}
    assert {"distribution.svg", "by-size.svg", f"{stem}-fr.svg", f"{stem}-nr.svg"} <= names
    with zipfile.ZipFile(packed) as zipped:
        assert "report/figures/distribution.svg" in zipped.namelist()
    assert cli.main(["report", str(out)]) == 0  # without the flag none of them stay, which would be old ones
    assert not (out / "report" / "figures").exists()
    a, b = side(tmp_path / "a", encodes("a", "sea")), side(tmp_path / "b", encodes("b", "sea", saves=0.2))
    assert cli.main(["compare", a, b, "--out", str(tmp_path / "ab"), "--worst-frames", "0", "--figures", "png"]) == 0
    names = {f.name for f in (tmp_path / "ab" / "compare" / "figures").iterdir()}
    assert names == {"bd-rate-fr.png", "at-equal-quality-fr.png", f"{page_name('sea').removesuffix('.html')}-fr.png"}
    capsys.readouterr()
