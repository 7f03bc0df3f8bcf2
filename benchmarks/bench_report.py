"""How long reports take to build and to open, from synthetic results, beside the limits they have to keep.

python benchmarks/bench_report.py [FOLDER] [--rows 20000] [--ladders 1000] [--titles 200] [--opened 20]

An overview of `--rows` result rows (without their pages of ladders), `--ladders` whole ladders with their pages, and a
comparison of `--titles` titles; of both the `--opened` largest pages are opened in Chromium by Playwright, until every
chart is drawn. 0 leaves a part out. FOLDER (default: one that is removed afterwards) keeps the results for the next
run. Wall-clock time and this process's CPU time are both told: on a machine busy with other work only the second says
much.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from yoto_video.jobs.pairing import by_ladder, pair
from yoto_video.pipeline.store import Store
from yoto_video.reports import pages
from yoto_video.reports.compare import Comparison
from yoto_video.reports.compare_pages import build_comparison
from yoto_video.reports.results import load
from yoto_video.reports.titles import Side, make_titles

from tests.synthetic_results import ladder, run_row, scored

T = TypeVar("T")
ROWS_A_LADDER = 21  # of synthetic_results: a master's, and ten encodes' in two modes
OVERVIEW_S, PAGE_S, LADDERS_S = 3.0, 2.0, 120.0  # the limits: of 20,000 rows, of any page, of 1,000 ladders


def told(what: str, seconds: float, limit: float | None = None, more: str = "") -> None:
    """Print one figure, and whether it keeps its limit."""
    beside = "" if limit is None else f", limit {limit:g} s: {'kept' if seconds <= limit else 'MISSED'}"
    print(f"{what}: {seconds:.2f} s{beside}{more}", flush=True)


def timed(what: str, work: Callable[[], T], limit: float | None = None) -> T:
    """Run it and print how long it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    spent = f" ({time.process_time() - cpu:.1f} s CPU, load {os.getloadavg()[0]:.1f})"
    told(what, time.perf_counter() - wall, limit, spent)
    return done


def fill(out: Path, ladders: int) -> None:
    """Results of so many ladders."""
    with Store(str(out)) as store:
        for i in range(ladders):
            made = ladder(f"title {i:05d}", seconds=10, seed=i, quality=-(i % 20))
            store.commit(made[0].clip.ladder, made)
        store.commit_run(run_row(made))


def fill_side(out: Path, titles: int, saves: float) -> None:
    """One encoder's results: five encodes a title of a minute."""
    with Store(str(out)) as store:
        for i in range(titles):
            name, made = f"title {i:05d}", []
            for kbps in (250.0, 500.0, 1000.0, 2000.0, 4000.0):
                mean = 20 + 9 * math.log2(kbps / (1 - saves * (i % 7) / 3) / 100)
                facts: dict[str, Any] = {"bitrate_kbps": kbps, "reference": f"/masters/{name}.mov"}
                path = f"/{out.name}/{name}_{kbps:.0f}k.mp4"
                made.append(scored(path, name, "fr", mean, seconds=60, seed=i, **facts))
            store.commit(name, made)


def overview(out: Path) -> Path:
    """The overview alone, with its assets."""
    results, folder = load(out), out / "overview"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pages.write_assets(folder / "assets")
    links = {found.name: pages.page_name(found.name) for found in results.fleet.ladders}
    page = folder / "index.html"
    page.write_text(pages.overview(pages.environment(results.fleet), results, links), encoding="utf-8")
    print(f"overview: {len(results.fleet.clips):,} clips, {page.stat().st_size / 1e6:.1f} MB")
    return page


def comparison(folder: Path) -> Path:
    """A comparison's pages."""
    sides = [Side(name, load(folder / name)) for name in ("old", "new")]
    titles = make_titles(sides, pair([by_ladder(side.results.store.clips()) for side in sides]))
    return build_comparison(Comparison(sides, titles), folder, {})


@contextlib.contextmanager
def chromium() -> Iterator[Callable[[Path], tuple[float, float]]]:
    """What opens a page: seconds until it can be read, and until all charts are drawn. A process a page."""
    from playwright.sync_api import sync_playwright

    def opened(page: Path) -> tuple[float, float]:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1360, "height": 900})
        tab.set_default_timeout(600_000)
        begin = time.perf_counter()
        tab.goto(page.as_uri())
        tab.wait_for_selector("tbody tr")
        readable = time.perf_counter() - begin
        tab.wait_for_function("() => [...document.querySelectorAll('.chart')].every(c => 'drawn' in c.dataset)")
        drawn = time.perf_counter() - begin
        browser.close()
        return readable, drawn

    with sync_playwright() as driver:
        yield opened


def open_all(what: str, found: list[Path], limit: float) -> None:
    """Open pages; print the slowest and what is usual."""
    with chromium() as opened:
        took = sorted((opened(page)[1], page.name) for page in found)
    usual = f" (median {took[len(took) // 2][0]:.2f} s of {len(took)}; {took[-1][1]})"
    told(f"{what} opens, all charts drawn", took[-1][0], limit, usual if len(took) > 1 else "")


def largest(folder: Path, count: int) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda p: -p.stat().st_size)[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--ladders", type=int, default=1000)
    parser.add_argument("--titles", type=int, default=200)
    parser.add_argument("--opened", type=int, default=20)
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        measure(args, args.folder or Path(stack.enter_context(tempfile.TemporaryDirectory())))


def measure(args: argparse.Namespace, folder: Path) -> None:
    many, whole, sides = (folder / name for name in ("rows", "ladders", "sides"))
    if args.rows:
        if not many.exists():
            timed("results written", lambda: fill(many, -(-args.rows // ROWS_A_LADDER)))
        page = timed("overview built", lambda: overview(many))
        open_all(f"overview of {args.rows:,} rows", [page], OVERVIEW_S)
    if args.ladders:
        if not whole.exists():
            timed("results written", lambda: fill(whole, args.ladders))
        index = timed(f"{args.ladders:,} ladders built", lambda: pages.build_report(whole), LADDERS_S)
        open_all(f"overview of {args.ladders:,} ladders", [index], OVERVIEW_S)
        open_all("slowest of the largest ladders' pages", largest(index.parent / "ladders", args.opened), PAGE_S)
    if args.titles:
        if not sides.exists():
            for name, saves in (("old", 0.0), ("new", 0.2)):
                timed("results written", partial(fill_side, sides / name, args.titles, saves))
        index = timed(f"comparison of {args.titles} titles built", lambda: comparison(sides))
        open_all(f"comparison of {args.titles} titles", [index], PAGE_S)
        open_all("slowest of the largest titles' pages", largest(index.parent / "titles", args.opened), PAGE_S)


if __name__ == "__main__":
    main()
