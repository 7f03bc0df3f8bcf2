"""Thousands of small clips in one scan: does memory grow, does a clip take longer the more there are?

    python -m benchmarks.many_clips [--clips 10000] [--workers 0] [--network] [--csv FILE] [--picture FILE]

Run from the project's root. The clips differ in their bytes, and each is a title of its own. Once a second the memory
and the processor time of the scan and of its workers (Ray's, with `--workers N`) are taken, and the rows that are
committed are counted; processor time, since other programs do not change it much. The table has a line for each tenth;
below it stands what each grew by over the last half. Without `--network` scores come from arithmetic: everything but
the network is as in every scan, and ten thousand clips take minutes, not hours.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from markupsafe import Markup
from yoto_video.jobs.options import make_settings
from yoto_video.jobs.process import tune
from yoto_video.jobs.request import Request
from yoto_video.jobs.scan import scan
from yoto_video.jobs.work import load_judge
from yoto_video.reports.figures import OKABE_ITO, Chart
from yoto_video.reports.static import draw

from tests.clips import make
from tests.fakes import FakeJudge

POINTS = 50  # of processor time on the picture: each the mean of so many clips that noise does not hide a slope


def arithmetic(_: Any) -> FakeJudge:
    """A judge that needs no weights."""
    return FakeJudge()


def child(root: str, out: str, workers: int, network: bool) -> None:
    """The scan, in a process of its own, set up as the command's."""
    tune()
    settings = make_settings(min_frames=4, worst_frames=0, crops=1)
    load = load_judge if network else arithmetic
    result = scan(Request(root, out, settings, workers=workers), load=load)
    print(result.ok, result.seconds)


@dataclass(frozen=True)
class Moment:
    """What was seen at one time."""

    seconds: float
    rows: int
    driver_mb: float
    workers_mb: float  # of the largest
    driver_cpu_s: float
    workers_cpu_s: float  # of all there were, but for what they did after they were last seen


def resident(process: int) -> float:
    """MB of a process's memory; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, IndexError):
        return 0.0


def processor_s(process: int) -> float:
    """Seconds that a process has computed; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def workers_of(mark: bytes) -> list[int]:
    """Ray's workers that carry this mark in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes() and b"ray::" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def committed(out: Path) -> int:
    """Rows of clips."""
    total = 0
    for part in (out / "clips").glob("*.parquet"):
        try:
            total += pq.read_metadata(part).num_rows
        except OSError:
            continue  # replaced meanwhile
    return total


def watched(words: list[str], out: Path, workers: int) -> list[Moment]:
    """The scan's moments, one a second."""
    mark = f"MANY={os.getpid()}-{time.time_ns()}"
    began, moments, spent = time.monotonic(), list[Moment](), dict[int, float]()
    environment = os.environ | {"MANY": mark.partition("=")[2]}
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.many_clips", *words], env=environment)
    while process.poll() is None:
        there = workers_of(mark.encode()) if workers else []
        spent |= {one: max(processor_s(one), spent.get(one, 0.0)) for one in there}
        moments.append(
            Moment(
                time.monotonic() - began, committed(out), resident(process.pid),
                max(map(resident, there), default=0.0), processor_s(process.pid), sum(spent.values()),
            )
        )  # fmt: skip
        time.sleep(1.0)
    if process.returncode:
        raise SystemExit(f"the scan ended with {process.returncode}")
    return moments


def growth(moments: list[Moment], what: str) -> str:
    """Of the last half of the rows: MB for each thousand, by a straight line."""
    late = [m for m in moments if moments[-1].rows / 2 <= m.rows < moments[-1].rows and getattr(m, what)]
    if len({m.rows for m in late}) < 3:
        return "too few moments to tell"
    slope = np.polyfit([m.rows for m in late], [getattr(m, what) for m in late], 1)[0] * 1000
    return f"{slope:+.2f} MB a thousand clips in the last half"


def stretches(moments: Sequence[Moment], count: int) -> list[tuple[Moment, Moment]]:
    """The scan from its first row to its last, cut into so many stretches of equal length in rows."""
    rows = moments[-1].rows
    marks = [next(m for m in moments if m.rows)]
    for share in range(1, count + 1):
        now = next((m for m in moments if m.rows >= rows * share / count), moments[-1])
        if now.rows > marks[-1].rows:
            marks.append(now)
    return list(itertools.pairwise(marks))


def picture(moments: Sequence[Moment], workers: int, file: Path) -> None:
    """Memory and processor time over the clips that are done."""
    kept = [m for m in moments if m.rows and m.driver_mb]
    whole = stretches(kept, POINTS)
    ends = [b.rows for _, b in whole]
    lines = [("the scan", "driver_mb", "driver_cpu_s"), ("the largest worker", "workers_mb", "workers_cpu_s")]
    data: list[dict[str, Any]] = []
    for (name, mb, cpu), colour in zip(lines[: 1 + (workers > 0)], OKABE_ITO, strict=False):
        style: dict[str, Any] = {"type": "scatter", "mode": "lines", "line": {"color": colour}}
        data.append(style | {"name": name, "x": [m.rows for m in kept], "y": [getattr(m, mb) for m in kept]})
        each = [1000 * (getattr(b, cpu) - getattr(a, cpu)) / (b.rows - a.rows) for a, b in whole]
        data.append(style | {"showlegend": False, "yaxis": "y2", "x": ends, "y": each})
    layout: dict[str, Any] = {
        "showlegend": True, "xaxis": {"title": {"text": "clips that are done"}},
        "yaxis": {"title": {"text": "memory, MB"}, "range": [0, 1.1 * max(max(t["y"]) for t in data[::2])]},
        "yaxis2": {"title": {"text": "processor ms a clip"}, "range": [0, 1.1 * max(max(t["y"]) for t in data[1::2])]},
    }  # fmt: skip
    draw(Chart(Markup(), 0, data, layout), f"{moments[-1].rows:,} clips in one scan", file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--network", action="store_true", help="judge with the network that ships")
    parser.add_argument("--csv", metavar="FILE", help="write every moment, to plot")
    parser.add_argument("--picture", metavar="FILE", type=Path, help="plot memory and processor time: .svg or .png")
    parser.add_argument("--child", nargs=2, metavar=("ROOT", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(*options.child, options.workers, options.network)
    with tempfile.TemporaryDirectory() as scratch:
        root, out = Path(scratch, "in"), Path(scratch, "out")
        root.mkdir()
        clip = make(Path(scratch, "clip.mp4"), size=(64, 48), frames=8).read_bytes()
        for i in range(options.clips):
            folder = root / f"title{i:05d}"
            folder.mkdir()
            (folder / "clip.mp4").write_bytes(clip + (16).to_bytes(4, "big") + b"free" + i.to_bytes(8, "big"))
        words = ["--child", str(root), str(out), "--workers", str(options.workers)]
        moments = watched(words + ["--network"] * options.network, out, options.workers)
        parts, rows = len(list((out / "clips").iterdir())), committed(out)
    if options.csv:
        with open(options.csv, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(Moment.__dataclass_fields__)
            table.writerows([*vars(m).values()] for m in moments)
    first = next(m for m in moments if m.rows)
    print(f"{rows} rows in {parts} parts; planned and checked in {first.seconds:.0f} s")
    if options.picture:
        picture(moments, options.workers, options.picture)
    print(f"{'clips':>8}{'ms a clip':>11}{'driver CPU':>11}{'worker CPU':>11}{'driver MB':>11}{'worker MB':>11}")
    for a, b in stretches(moments, 10):
        wall, *cpu = (
            1000 * (getattr(b, n) - getattr(a, n)) / (b.rows - a.rows)
            for n in ("seconds", "driver_cpu_s", "workers_cpu_s")
        )
        print(f"{b.rows:8d}{wall:11.1f}{cpu[0]:11.1f}{cpu[1]:11.1f}{b.driver_mb:11.0f}{b.workers_mb:11.0f}")
    print(f"driver: {growth(moments, 'driver_mb')}")
    if options.workers:
        print(f"largest worker: {growth(moments, 'workers_mb')}")


if __name__ == "__main__":
    main()
