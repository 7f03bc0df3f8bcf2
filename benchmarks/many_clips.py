"""Thousands of small clips in one scan: does memory grow, does a clip take longer the more there are?

    python -m benchmarks.many_clips [--clips 10000] [--workers 0] [--network] [--csv FILE]

Run from the project's root. The clips differ in their bytes, and each is a title of its own. Once a second the memory
of the scan and of its workers (Ray's, with `--workers N`) is taken, and the rows that are committed are counted. The
table has a line for each tenth; below it stands what each grew by over the last half. Without `--network` scores come
from arithmetic: everything but the network is as in every scan, and ten thousand clips take minutes, not hours.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from yoto_video.jobs.options import make_settings
from yoto_video.jobs.request import Request
from yoto_video.jobs.scan import scan
from yoto_video.jobs.work import load_judge

from tests.clips import make
from tests.fakes import FakeJudge


def arithmetic(_: Any) -> FakeJudge:
    """A judge that needs no weights."""
    return FakeJudge()


def child(root: str, out: str, workers: int, network: bool) -> None:
    """The scan, in a process of its own."""
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


def resident(process: int) -> float:
    """MB of a process's memory; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, IndexError):
        return 0.0


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
    began, moments = time.monotonic(), list[Moment]()
    environment = os.environ | {"MANY": mark.partition("=")[2]}
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.many_clips", *words], env=environment)
    while process.poll() is None:
        largest = max(map(resident, workers_of(mark.encode())), default=0.0) if workers else 0.0
        moments.append(Moment(time.monotonic() - began, committed(out), resident(process.pid), largest))
        time.sleep(1.0)
    if process.returncode:
        raise SystemExit(f"the scan ended with {process.returncode}")
    return moments


def growth(moments: list[Moment], what: str) -> str:
    """Of the last half of the rows: MB for each thousand, by a straight line."""
    late = [m for m in moments if moments[-1].rows / 2 <= m.rows < moments[-1].rows]
    if len({m.rows for m in late}) < 3:
        return "too few moments to tell"
    slope = np.polyfit([m.rows for m in late], [getattr(m, what) for m in late], 1)[0] * 1000
    return f"{slope:+.2f} MB a thousand clips in the last half"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--network", action="store_true", help="judge with the network that ships")
    parser.add_argument("--csv", metavar="FILE", help="write every moment, to plot")
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
    print(f"{'clips':>8}{'ms a clip':>11}{'driver MB':>11}{'worker MB':>11}")
    last = first
    for tenth in range(1, 11):
        now = next((m for m in moments if m.rows >= rows * tenth / 10), moments[-1])
        took = 1000 * (now.seconds - last.seconds) / max(now.rows - last.rows, 1)
        print(f"{now.rows:8d}{took:11.1f}{now.driver_mb:11.0f}{now.workers_mb:11.0f}")
        last = now
    print(f"driver: {growth(moments, 'driver_mb')}")
    if options.workers:
        print(f"largest worker: {growth(moments, 'workers_mb')}")


if __name__ == "__main__":
    main()
