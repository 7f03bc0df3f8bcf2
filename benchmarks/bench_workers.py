"""Clips a second with 1 and 2 workers, each on a core of its own, and the efficiency: whole scans with Ray.

python benchmarks/bench_workers.py [--format json] [--clips 24] [--seconds 4] [--workers 1 2] [--rounds 3]
                                   [--model NAME_OR_FILE]

Clips of 640x360 are made here, all different. Each scan is a process of its own that may use as many cores as it has
workers; the counts take turns, and a round goes up and down, so that a machine that grows busy slows all alike. Ray's
start and the last clips, when workers run out of work, are not counted: clips a second are those from the first
committed clip to the last but as many as there are workers. Efficiency is clips a second over those of one worker, a
worker. The medians stand first, the least and most behind them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from bench_scan import FPS, canvas, pan

SIZE = (640, 360)
SCAN = "import sys; from yoto_video.jobs.cli import main; sys.exit(main())"


def make(folder: Path, clips: int, seconds: int) -> None:
    """Clips that no two are the same of: names that make no ladders."""
    from yoto_video.pipeline.encode import Rung, encode

    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    frames = pan(canvas(data), clips * seconds * FPS)
    for number in range(clips):
        cut = (next(frames)[: SIZE[1], : SIZE[0]] for _ in range(seconds * FPS))
        name = f"{chr(97 + number // 26)}{chr(97 + number % 26)}.mp4"
        encode(cut, [Rung(folder / name, "libx264", *SIZE, 700, (("preset", "veryfast"),))], fps=FPS)


def clips_a_second(videos: Path, out: Path, workers: int, more: list[str]) -> float:
    """Of one scan."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < workers:
        raise SystemExit(f"{workers} workers need {workers} cores, here are {len(cores)}")
    log = out.with_suffix(".jsonl")
    words = ["scan", str(videos), "--out", str(out), "--workers", str(workers), "--log", str(log), *more]
    subprocess.run(
        [sys.executable, "-c", SCAN, *words], check=True, capture_output=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores[:workers]),
    )  # fmt: skip
    records = [json.loads(line) for line in log.read_text().splitlines()]
    ends = [datetime.fromisoformat(r["time"]).timestamp() for r in records if r["event"] == "ladder" and r["ok"]]
    steady = ends[: len(ends) - workers + 1]
    return (len(steady) - 1) / (steady[-1] - steady[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--seconds", type=int, default=4, help="of each clip")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", help="network or .safetensors file (default: the scan's)")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    args = parser.parse_args()
    more = ["--worst-frames", "0", *(["--model", args.model] if args.model else [])]
    found: dict[int, list[float]] = {count: [] for count in args.workers}
    with tempfile.TemporaryDirectory() as scratch:
        videos = Path(scratch) / "videos"
        videos.mkdir()
        make(videos, args.clips, args.seconds)
        for turn in range(args.rounds):
            for count in args.workers if turn % 2 == 0 else args.workers[::-1]:
                found[count].append(clips_a_second(videos, Path(scratch) / f"{turn}-{count}", count, more))
    one = statistics.median(found[args.workers[0]]) / args.workers[0]
    rows: list[dict[str, Any]] = [
        {
            "workers": count, "clips_s": statistics.median(rates), "least": min(rates), "most": max(rates),
            "efficiency": statistics.median(rates) / count / one,
        }
        for count, rates in found.items()
    ]  # fmt: skip
    if args.format == "json":
        print(*map(json.dumps, rows), sep="\n")
        return
    print(f"{args.clips} clips of {args.seconds} s, {SIZE[0]}x{SIZE[1]}, {args.rounds} rounds")
    print("| workers | clips/s | of the ideal |\n| --- | --- | --- |")
    for r in rows:
        spread = f"{r['clips_s']:.2f} ({r['least']:.2f} to {r['most']:.2f})"
        print(f"| {r['workers']} | {spread} | {100 * r['efficiency']:.0f} % |")


if __name__ == "__main__":
    main()
