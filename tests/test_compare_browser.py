"""A comparison's page in a real browser, at desk and phone, light and dark: drawn, clean, and asking for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from yoto_video.pipeline.store import Store
from yoto_video.reports.compare_pages import build_comparison

from .synthetic_results import HOSTILE, with_moments
from .test_browser import Visit, browser, expect, pytestmark  # noqa: F401  (the fixture, and the reason to skip)
from .test_compare import compared, encodes, side


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sides, three titles, one with a bad second, one with a hostile name; pictures as if taken."""
    out = tmp_path_factory.mktemp("compare")
    bad = HOSTILE.replace("/", "∕")
    sides = {"x264": [encodes("a", t) for t in ("sea", "city", bad)]}
    dip = encodes("b", "sea", saves=0.2, bad_second=7.5)
    sides["new <b>"] = [dip, *(encodes("b", t, saves=0.3) for t in ("city", bad))]
    folders, moments = {}, {}
    for number, (label, ladders) in enumerate(sides.items()):
        folders[label] = str(out / str(number))
        with Store(folders[label]) as store:
            for results in ladders:
                store.commit(results[0].clip.ladder, results)
                for one in results:
                    if one.clip.mode == "fr":
                        kept = with_moments(one, store, reference=True, count=len(one.frames))
                        moments |= {(one.clip.result_id, m.frame_num): m for m in kept.clip.moments}
        pictures = out / str(number) / "pictures"
        for file in pictures.rglob("*.webp"):
            (out / "pictures" / file.parent.name).mkdir(parents=True, exist_ok=True)
            file.replace(out / "pictures" / file.parent.name / file.name)
    return build_comparison(compared(folders), out, moments)


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:  # noqa: F811
    visit = Visit(browser)
    yield visit
    visit.context.close()
    assert visit.wrong == []


def test_the_answer_stands_first_and_everything_is_drawn(visit: Visit, page_file: Path) -> None:
    page = visit.open(page_file)
    page.wait_for_function("() => [...document.querySelectorAll('.chart')].every(c => 'drawn' in c.dataset)")
    assert page.locator(".chart").count() == 2 + 2 * 3
    assert page.locator(".answer").text_content().startswith("No difference shown between new <b> and ")  # 2 titles
    assert page.locator("img[onerror]").count() == 0
    assert "pwned" not in page.title()


def test_the_table_of_titles_sorts_and_worst_moments_switch(visit: Visit, page_file: Path) -> None:
    page = visit.open(page_file)
    figures = "cells => cells.map(c => parseFloat(c.querySelector('b').textContent.replace('−', '-')))"
    column = page.locator("#title-table tbody tr td:nth-child(2)")
    first = column.evaluate_all(figures)
    assert first == sorted(first, reverse=True)
    page.locator("#title-table thead th", has_text="BD-rate").get_by_role("button").press("Enter")
    page.wait_for_function(
        "least => document.querySelector('#title-table tbody td:nth-child(2) b').textContent === least",
        arg=f"{min(first):.1f}".replace("-", "−"),
    )
    assert column.evaluate_all(figures) == sorted(first)
    page.locator(".pictures a").first.click()
    picture = page.locator("dialog img:not(.over)")
    assert picture.evaluate("img => img.decode().then(() => img.naturalWidth)") == 320
    seen = set()
    for _ in range(6):  # both encodes, their heat maps, the master beside each
        seen.add(picture.get_attribute("src"))
        page.keyboard.press("ArrowRight")
    assert len(seen) == 6


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_both_colour_schemes(browser: Any, page_file: Path, scheme: str) -> None:  # noqa: F811
    visit = Visit(browser, viewport={"width": 360, "height": 740}, color_scheme=scheme, has_touch=True, is_mobile=True)
    page = visit.open(page_file)
    page.wait_for_selector(".js-plotly-plot text")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    visit.context.close()
    assert visit.wrong == []


def test_a_title_leads_to_its_own_page_with_its_shots(visit: Visit, page_file: Path) -> None:
    page = visit.open(page_file)
    expect(page.locator("#shot-table tbody tr")).to_have_count(3 * 4)
    expect(page.locator("#shot-table tbody tr").first).to_contain_text("sea")
    page.locator("#title-table a", has_text="sea").click()
    expect(page.locator("h1")).to_contain_text("sea")
    page.wait_for_function("() => [...document.querySelectorAll('.chart')].every(c => 'drawn' in c.dataset)")
    rows = page.locator("#shot-table tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("0:06")  # the bad second is at 7.5
    expect(page.locator(".pictures img").first).to_have_js_property("naturalWidth", 320)
    page.locator("a[rel=next]").click()
    expect(page.locator("h1")).not_to_contain_text("sea")
    page.get_by_role("link", name="←").click()
    expect(page.locator("#title-table tbody tr")).to_have_count(3)


def test_the_table_of_titles_fits_a_desk_with_three_encoders(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    """Nothing of it lies beyond the edge, the verdict least of all, and its rows are of one height."""
    titles = (("Netflix_Tango_4096x2160", ("nr", "fr")), ("meridian", ("nr",)), ("Chimera-Aerial", ("nr", "fr")))
    folders = {}
    for label, saves in {"x264 medium": 0.0, "x265-slow": 0.3, "svtav1 p6": 0.45}.items():
        made = [encodes(label, t, modes=modes, saves=saves, bad_second=saves * 9) for t, modes in titles]  # type: ignore[arg-type]
        folders[label] = side(tmp_path / label, *made)
    visit = Visit(browser, viewport={"width": 1400, "height": 900})
    page = visit.open(build_comparison(compared(folders), tmp_path, {}))
    expect(page.locator("#title-table tbody tr")).to_have_count(9)
    place = page.locator("#title-table .scroll")
    assert place.evaluate("e => e.scrollWidth - e.clientWidth") == 0
    verdicts = page.locator("#title-table tbody td:nth-child(5)")
    assert set(verdicts.all_text_contents()) <= {"saves", "costs", "no difference shown"}
    heights = page.locator("#title-table tbody tr").evaluate_all("rows => rows.map(r => r.offsetHeight)")
    assert max(heights) - min(heights) <= 2
    pair = page.locator("#title-table tbody td:nth-child(2)").first
    assert " against " in pair.inner_text().replace("\n", " ")
    visit.context.close()
    assert visit.wrong == []


def test_four_encoders_fit_a_desk(browser: Any, tmp_path: Path) -> None:  # noqa: F811
    """Neither the figures with their verdicts nor the table at equal quality lies beyond the edge."""
    folders = {
        label: side(tmp_path / label, *(encodes(label, t, saves=saves, hard=5 * saves) for t in ("sea", "city")))
        for label, saves in {"x264-veryslow": 0.0, "x265-slow": 0.3, "libvpx-vp9": 0.2, "ultrafast": -4.5}.items()
    }
    visit = Visit(browser, viewport={"width": 1400, "height": 900})
    page = visit.open(build_comparison(compared(folders), tmp_path, {}))
    for name in ("Overall figures", "At equal quality"):
        place = page.get_by_role("region", name=name)
        assert place.evaluate("e => e.scrollWidth - e.clientWidth") == 0, name
    visit.context.close()
    assert visit.wrong == []
