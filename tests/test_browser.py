"""The report in a real browser: opens from a file, asks for nothing else, sorts, filters, compares, prints."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from yoto_video.pipeline.store import Store
from yoto_video.reports.agreement_plot import Point, write_agreement_plot
from yoto_video.reports.pages import build_report, page_name

from .synthetic_results import HOSTILE, ladder, run_row, scored, showcase, unscored, with_moments, write

CHROMIUM = next((c for n in ("chromium", "chromium-browser", "google-chrome") if (c := shutil.which(n))), None)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: browser tests skipped")
expect = sync_api.expect  # waits until it holds: what an action causes comes a moment after it
expect.set_options(timeout=120_000)  # a busy machine is slow, not wrong
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: install it to run the browser tests")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)  # Playwright gives it an empty profile
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_report(showcase(tmp_path_factory.mktemp("browser") / "out", 5))


class Visit:
    """A page that records what must not happen: requests that leave the disk, errors, console output."""

    def __init__(self, browser: Any, **context: Any) -> None:
        self.wrong: list[str] = []
        context.setdefault("viewport", {"width": 1360, "height": 900})
        self.context = browser.new_context(**context)
        self.context.set_default_timeout(120_000)
        self.page = self.context.new_page()
        self.page.on("console", lambda m: self.wrong.append(f"{m.type}: {m.text}"))
        self.page.on("pageerror", lambda e: self.wrong.append(f"error: {e}"))
        self.page.on("requestfailed", self._failed)
        self.context.on("request", self._request)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.wrong.append(f"left the disk: {request.url}")

    def _failed(self, request: Any) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # the page was left before all of it had come
            self.wrong.append(f"failed: {request.url}")

    def open(self, path: Path) -> Any:
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    visit = Visit(browser)
    yield visit
    visit.context.close()
    assert visit.wrong == []


def column(page: Any, place: int) -> list[str]:
    """Bold scores of a column of the clips table, as shown."""
    return page.locator(f"#clip-table tbody tr td:nth-child({place})").evaluate_all(
        "cells => cells.map(c => c.querySelector('b') ? c.querySelector('b').textContent : c.textContent)"
    )


def test_the_overview_opens_with_its_charts_and_worst_clips_first(visit: Visit, index: Path) -> None:
    page = visit.open(index)
    page.wait_for_selector("#distribution[data-drawn]")
    page.wait_for_selector("#by-size[data-drawn]")
    fr, nr = column(page, 2), column(page, 3)
    scores = [float(s) for s in fr if s != "–"]
    assert len(scores) > 20
    assert scores == sorted(scores)
    rest = [float(s) for s in nr[len(scores) :] if s != "–"]  # clips without a master follow, by their NR score
    assert len(rest) > 10
    assert rest == sorted(rest)
    assert page.locator(".worst img").first.evaluate("img => img.decode().then(() => img.naturalWidth)") == 320


def test_the_table_sorts_both_ways_and_keeps_unknown_last(visit: Visit, index: Path) -> None:
    page = visit.open(index)
    header = page.locator("#clip-table thead th", has_text="FR score")
    header.get_by_role("button").click()  # worst first is the start: this turns it
    expect(header).to_have_attribute("aria-sort", "descending")
    page.wait_for_function("() => parseFloat(document.querySelector('#clip-table td:nth-child(2) b').textContent) > 80")
    values = column(page, 2)
    scores = [float(v) for v in values if v != "–"]
    assert scores == sorted(scores, reverse=True)
    assert values[: len(scores)] == [v for v in values if v != "–"]
    page.locator("#clip-table thead th", has_text="Clip").get_by_role("button").press("Enter")  # by keyboard
    expect(page.locator("#clip-table tbody a").first).to_have_text("h264_240p.mp4")
    names = page.locator("#clip-table tbody tr td:first-child a").all_text_contents()
    assert names[:2] == ["h264_240p.mp4", "h264_240p.mp4"]


def test_the_table_finds_and_filters(visit: Visit, index: Path) -> None:
    page = visit.open(index)
    rows = page.locator("#clip-table tbody tr")
    page.locator("#clip-table input").fill("aurora 720p")
    expect(rows).to_have_count(2)
    page.locator("#clip-table select").nth(1).select_option("hevc")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("hevc_720p.mp4")
    page.locator("#clip-table input").fill("no such clip")
    expect(page.locator("#clip-table [role=status]")).to_contain_text("Nothing matches")
    page.locator("#clip-table input").fill("")
    page.locator("#clip-table select").nth(1).select_option("")
    page.locator("#clip-table select").last.select_option("failed")
    expect(rows).to_have_count(3)


def test_a_ladder_page_opens_from_the_table_and_leads_back(visit: Visit, index: Path) -> None:
    page = visit.open(index)
    page.locator("#ladder-table a", has_text="aurora").click()
    page.wait_for_selector("#timeline[data-drawn]")
    page.wait_for_selector("#curve-fr[data-drawn]")
    expect(page.locator("h1")).to_have_text("aurora")
    page.get_by_text("← All ladders").click()
    page.wait_for_selector("#distribution[data-drawn]")


def test_a_name_shows_and_hides_its_lines_in_all_rows(visit: Visit, index: Path) -> None:
    page = visit.open(index.parent / "ladders" / page_name("aurora"))
    page.wait_for_selector("#timeline[data-drawn]")
    shown = "() => document.getElementById('timeline').data.filter(t => t.visible !== false).length"
    before = page.evaluate(shown)
    button = page.get_by_role("button", name="h264_720p.mp4")
    button.press("Space")
    expect(button).to_have_attribute("aria-pressed", "false")
    page.wait_for_function(f"() => ({shown})() === {before - 2}")  # FR and NR
    button.click()
    page.wait_for_function(f"() => ({shown})() === {before}")


def test_zooming_one_row_zooms_all(visit: Visit, index: Path) -> None:
    page = visit.open(index.parent / "ladders" / page_name("aurora"))
    page.wait_for_selector("#timeline[data-drawn]")
    area = page.locator("#timeline .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 50, steps=4)
    page.mouse.up()
    span = "() => document.getElementById('timeline').layout.xaxis.range"
    page.wait_for_function(f"() => ({span})()[0] > 1")
    low, high = page.evaluate(span)
    assert 4 < low < 8
    assert 10 < high < 14
    assert "xaxis2" not in page.evaluate("() => Object.keys(document.getElementById('timeline').layout)")


def test_worst_frames_switch_in_place_by_keyboard(visit: Visit, index: Path) -> None:
    page = visit.open(index.parent / "ladders" / page_name("aurora"))
    page.locator(".pictures a").first.click()
    picture = page.locator("dialog img").first
    expect(picture).to_have_attribute("src", re.compile("encode"))
    page.keyboard.press("ArrowRight")
    expect(picture).to_have_attribute("src", re.compile("reference"))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(picture).to_have_attribute("src", re.compile("heat"))
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).not_to_have_attribute("open", re.compile(""))


def test_a_slider_and_a_flicker_lay_the_encode_over_its_master(visit: Visit, index: Path) -> None:
    page = visit.open(index.parent / "ladders" / page_name("aurora"))
    page.locator(".pictures a").first.click()
    page.get_by_role("button", name="Slider").press("Enter")
    over, under = page.locator("dialog img.over"), page.locator("dialog img").first
    expect(over).to_have_attribute("src", re.compile("encode"))
    expect(under).to_have_attribute("src", re.compile("reference"))
    page.keyboard.press("End")  # the slider has the focus: all of the encode
    expect(over).to_have_css("clip-path", "inset(0px 0% 0px 0px)")
    page.keyboard.press("Home")
    expect(over).to_have_css("clip-path", "inset(0px 100% 0px 0px)")
    page.get_by_role("button", name="Flicker").click()
    expect(over).to_be_hidden()
    expect(under).to_have_attribute("src", re.compile("reference"))
    expect(under).to_have_attribute("src", re.compile("encode"))
    page.keyboard.press("Escape")


def test_the_time_line_zooms_by_keyboard(visit: Visit, index: Path) -> None:
    page = visit.open(index.parent / "ladders" / page_name("aurora"))
    page.wait_for_selector("#timeline[data-drawn]")
    span = "() => document.getElementById('timeline').layout.xaxis.range"
    low, high = page.evaluate(span)
    page.locator("#timeline").press("+")
    page.wait_for_function(f"() => ({span})()[1] < {high}")
    near = page.evaluate(span)
    assert near[1] - near[0] == pytest.approx((high - low) / 2)
    page.locator("#timeline").press("0")
    page.wait_for_function(f"() => ({span})()[1] === {high}")


def test_no_button_can_send_a_chart_anywhere(visit: Visit, index: Path, tmp_path: Path) -> None:
    page = visit.open(index.parent / "ladders" / page_name("aurora"))
    page.wait_for_selector("#timeline[data-drawn]")
    titles = page.locator("#timeline .modebar-btn").evaluate_all("all => all.map(b => b.dataset.title)")
    assert len(titles) == 4
    plot = tmp_path / "plot.html"
    write_agreement_plot(plot, "mine", {"nr": [Point(50, 60, "a.png", "h264")]}, {})
    page = visit.open(plot)
    page.wait_for_selector(".modebar-btn", state="attached")
    titles += page.locator(".modebar-btn").evaluate_all("all => all.map(b => b.dataset.title)")
    assert len(titles) == 8
    assert not [t for t in titles if "hare" in t or "loud" in t or "lotly" in t]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_and_both_colour_schemes(browser: Any, index: Path, scheme: str) -> None:
    visit = Visit(browser, viewport={"width": 360, "height": 740}, color_scheme=scheme, has_touch=True, is_mobile=True)
    for path in (index, index.parent / "ladders" / page_name("aurora")):
        page = visit.open(path)
        page.wait_for_selector(".js-plotly-plot text")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        ink = page.locator(".js-plotly-plot .xtick text").first.evaluate("e => getComputedStyle(e).fill")
        red = int(ink.removeprefix("rgb(").split(",")[0])
        assert (red < 100) == (scheme == "light")
    visit.context.close()
    assert visit.wrong == []


def test_findings_have_room_on_a_narrow_screen(browser: Any, index: Path) -> None:
    """What was found is a sentence: in a column of 50 pixels it was a word a line, and its letters were cut."""
    visit = Visit(browser, viewport={"width": 500, "height": 900})
    page = visit.open(index.parent / "ladders" / page_name("aurora"))
    said = page.locator("#findings tbody td:last-child")
    assert said.evaluate_all("cells => Math.min(...cells.map(c => c.clientWidth))") > 300
    assert page.locator("#findings .scroll").evaluate("e => e.scrollWidth - e.clientWidth") == 0
    visit.context.close()
    assert visit.wrong == []


def test_the_table_of_runs_fits_a_desk(browser: Any, tmp_path: Path) -> None:
    """With every stage that a scan has, and thousands of seconds in each."""
    out = write(tmp_path / "out", [ladder("sea")])
    stages = ("plan", "probe", "decode", "wait", "inference", "pictures", "store", "wall", "report")
    with Store(str(out)) as store:
        store.commit_run(replace(run_row([]), run_id="next", seconds=dict.fromkeys(stages, 1234.5)))
    visit = Visit(browser, viewport={"width": 1400, "height": 900})
    page = visit.open(build_report(out))
    assert page.locator("#runs .scroll").evaluate("e => e.scrollWidth - e.clientWidth") == 0
    visit.context.close()
    assert visit.wrong == []


def test_a_page_that_is_never_shown_has_its_charts(visit: Visit, index: Path) -> None:
    """A browser without a window gives no frames to a page that a script archives."""
    visit.page.add_init_script("window.requestAnimationFrame = () => 0")
    page = visit.open(index)
    expect(page.locator("script[src*=plotly]")).to_have_count(1)
    expect(page.locator(".chart svg.main-svg").first).to_be_attached()


def test_the_longest_name_widens_no_page(browser: Any, tmp_path: Path) -> None:
    name, out = "x" * 250, tmp_path / "out"
    with Store(str(out)) as store:
        results = [with_moments(scored(f"/v/{name}.mp4", name, "nr", 50, seconds=4), store, reference=False)]
        store.commit(name, results)
        store.commit_run(run_row(results))
    index = build_report(out)
    visit = Visit(browser, viewport={"width": 360, "height": 740}, is_mobile=True)
    for path in (index, index.parent / "ladders" / page_name(name)):
        page = visit.open(path)
        page.wait_for_selector(".js-plotly-plot text")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    visit.context.close()
    assert visit.wrong == []


def test_print_shows_every_row_and_every_worst_frame(visit: Visit, index: Path) -> None:
    page = visit.open(index)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#clip-table tbody tr")).to_have_count(54)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("#clip-table tbody tr")).to_have_count(50)
    page = visit.open(index.parent / "ladders" / page_name("aurora"))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("details:not([open])")).to_have_count(0)


def test_names_with_script_do_nothing(visit: Visit, out_dir: Path) -> None:
    name = HOSTILE.replace("/", "∕")
    index = build_report(write(out_dir, [ladder(name, root="/v/" + name), [unscored("/v/b.mp4", HOSTILE, HOSTILE)]]))
    page = visit.open(index)
    page.wait_for_selector("#by-size[data-drawn]")
    assert "pwned" not in page.title().replace(HOSTILE, "")[:5]
    assert page.locator("img[onerror]").count() == 0
    page = visit.open(index.parent / "ladders" / page_name(name))
    page.wait_for_selector("#timeline[data-drawn]")
    page.locator("#curve-fr .points path").first.hover(force=True)
    assert page.locator("img[onerror]").count() == 0
    expect(page.locator("h1")).to_have_text(name)
    assert page.evaluate("document.title") != "pwned"


def test_a_thousand_clips_make_a_page_of_the_first_fifty(browser: Any, tmp_path: Path) -> None:
    ladders = [ladder(f"title {i:03d}", seconds=4, seed=i, quality=-(i % 20)) for i in range(91)]  # 91 x 11 = 1,001
    index = build_report(write(tmp_path / "out", ladders))
    assert index.stat().st_size < 1_000_000
    visit = Visit(browser)
    page = visit.open(index)
    page.wait_for_selector("#by-size[data-drawn]")
    expect(page.locator("#clip-table [role=status]")).to_have_text(re.compile("^1 to 50 of 1,001"))
    visit.context.close()
    assert visit.wrong == []
