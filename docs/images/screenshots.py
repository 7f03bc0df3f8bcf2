"""Make the README's pictures of the report: draw a small fleet, scan it, and photograph its pages.

    python docs/images/screenshots.py FOLDER        needs Chromium and Playwright; the fleet and its results stay there

Everything shown is drawn by `yoto_video.jobs.scenery`, so the pictures are the project's own.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from yoto_video.jobs.demo import AVC, HEVC, MASTER
from yoto_video.jobs.scenery import landscape
from yoto_video.pipeline.encode import Rung, encode

HERE = Path(__file__).resolve().parent
TITLES = {  # name: (seed of the scene, seconds, codecs, its master is kept)
    "balloon festival": (3, 10, ("h264", "hevc"), True),
    "city morning": (5, 4, ("h264", "hevc"), True),
    "mountain road": (7, 4, ("h264",), True),
    "summer evening": (9, 4, ("h264",), False),
}


def draw(folder: Path) -> None:
    """A ladder a title, one without its master; and two files such as every bucket has."""
    for title, (seed, seconds, codecs, keep) in TITLES.items():
        place = folder / title
        if place.exists():
            continue
        place.mkdir(parents=True)
        rungs = [Rung(place / "master.mp4", MASTER[0], 1280, 720, options=MASTER[1])] if keep else []
        for codec, encoder, sizes in (("h264", "libx264", AVC), ("hevc", "libx265", HEVC)):
            options = (("preset", "veryfast"),) + ((("x265-params", "log-level=none"),) if codec == "hevc" else ())
            for width, height, kbps in sizes if codec in codecs else ():
                rungs.append(Rung(place / f"{codec}_{height}p_{kbps}k.mp4", encoder, width, height, kbps, options))
        encode(landscape(1280, 720, 24 * seconds, seed=seed), rungs, fps=24, threads=1)
    (folder / "trailers").mkdir(exist_ok=True)
    whole = (folder / "city morning" / "h264_360p_500k.mp4").read_bytes()
    (folder / "trailers" / "city_trailer.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "trailers" / "festival_teaser.mp4").write_bytes(b"")


def photograph(report: Path) -> None:
    """Two pictures, `overview.png` and `ladder.png`, beside this file, each down to the end of one of its parts."""
    ladder = next((report.parent / "ladders").glob("balloon-festival-*.html"))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, path, last in (("overview", report, "#worst"), ("ladder", ladder, ".moment")):
            page = browser.new_page(viewport={"width": 1200, "height": 3600})
            page.set_default_timeout(300_000)
            page.goto(path.as_uri())
            charts = "() => [...document.querySelectorAll('.chart')].every(c => 'drawn' in c.dataset)"
            page.wait_for_function(charts)
            loaded = "() => [...document.querySelectorAll('img')].slice(0, 6).every(i => i.complete)"
            page.wait_for_function(loaded)
            end = page.locator(last).first.evaluate("e => e.getBoundingClientRect().bottom")
            png = page.screenshot(clip={"x": 0, "y": 0, "width": 1200, "height": end + 6})
            picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
            picture.save(HERE / f"{name}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    work = Path(sys.argv[1])
    draw(work / "vod")
    # run in the folder, so that the page names what was scanned as anybody would
    command = [Path(sys.executable).with_name("yoto-video"), "scan", "vod", "--out", "results", "--workers", "0"]
    if subprocess.run(command, cwd=work, check=False).returncode not in (0, 4):
        sys.exit("the scan failed")
    photograph(work / "results" / "report" / "index.html")
