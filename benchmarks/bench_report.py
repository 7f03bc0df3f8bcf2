"""How long reports take to build and to open, from synthetic results.

python benchmarks/bench_report.py FOLDER [--rows 20000] [--ladders 1000] [--opened 20]

An overview of `--rows` result rows (without their pages of ladders), and `--ladders` whole ladders with their pages, of
which `--opened`, the largest files, are opened: until every chart is drawn, in Chromium by Playwright.
Wall-clock time and this process's CPU time are both told: on a machine busy with other work only the second says much.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from yoto_video.pipeline.store import Store
from yoto_video.reports import pages
from yoto_video.reports.results import load

from tests.synthetic_results import ladder, run_row

ROWS_A_LADDER = 21  # of synthetic_results: a master's, and ten encodes' in two modes


def timed(what: str, work: Callable[[], object]) -> None:
    """Run it and print how long it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    spent = time.process_time() - cpu
    print(f"{what}: {time.perf_counter() - wall:.1f} s ({spent:.1f} s CPU), load {os.getloadavg()[0]:.1f}", flush=True)


def fill(out: Path, ladders: int) -> None:
    """Results of so many ladders."""
    with Store(str(out)) as store:
        for i in range(ladders):
            made = ladder(f"title {i:05d}", seconds=10, seed=i, quality=-(i % 20))
            store.commit(made[0].clip.ladder, made)
        store.commit_run(run_row(made))


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


def opening(page: Path) -> tuple[float, float]:
    """Seconds until the first table can be read (or the page is there), and until all charts are drawn."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--ladders", type=int, default=1000)
    parser.add_argument("--opened", type=int, default=20)
    args = parser.parse_args()
    many = args.folder / "rows"
    if args.rows:
        if not many.exists():
            timed("results written", lambda: fill(many, -(-args.rows // ROWS_A_LADDER)))
        page: list[Path] = []
        timed("overview built", lambda: page.append(overview(many)))
        print("overview opens: readable {:.2f} s, charts {:.2f} s".format(*opening(page[0])), flush=True)
    if args.ladders:
        whole = args.folder / "ladders"
        if not whole.exists():
            timed("results written", lambda: fill(whole, args.ladders))
        timed(f"{args.ladders} ladders built", lambda: pages.build_report(whole))
        largest = sorted((whole / "report" / "ladders").iterdir(), key=lambda p: -p.stat().st_size)[: args.opened]
        print(f"slowest of the {len(largest)} largest ladders' pages: {max(opening(p)[1] for p in largest):.2f} s")


if __name__ == "__main__":
    main()
