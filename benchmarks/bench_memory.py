"""Peak memory of a worker against the length of what it measures: a master of up to two hours with twelve encodes.

python benchmarks/bench_memory.py [--format json] [--minutes 10 30 120] [--rungs 12] [--height 54]

Ten seconds of a real clip are encoded small, and their packets put one after the other until they last as long as
asked, so that reading, pairing and book-keeping are those of a real programme; a key frame in five spares decoding.
Twelve encodes are three, four times each. Each length is measured by a process of
its own, through `measure_ladder`, two frames a second, and its rows are stored; the network is left out (its share does
not depend on the length, see bench_ladder.py). Pictures are small, so nothing hides what grows with the length.
"grown MB" is the peak less what the process had before it began.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_ladder import lengthen, peak_mb
from bench_scan import Idle

BASE_S = 10
ENCODES = 3


def make(folder: Path, rungs: int, height: int) -> None:
    """A master and its encodes, ten seconds each, of one of the shared clips."""
    from yoto_video.pipeline import decode, probe
    from yoto_video.pipeline.encode import Rung, encode
    from yoto_video.pipeline.values import VideoRef

    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    ref = VideoRef(str(data / "clips" / "sdr" / "bikes_640x272.mp4"))
    info = probe.probe(ref)
    width = height * 16 // 9 // 2 * 2
    frames = decode.read_frames(ref, info, range(BASE_S * 25), raster=(width, height))
    options = (("preset", "veryfast"), ("x264-params", "keyint=5"))
    wanted = [Rung(folder / "master.mp4", "libx264", width, height, 400, options)]
    wanted += [
        Rung(folder / name(i), "libx264", width, height, 40 + 60 * i, options) for i in range(min(ENCODES, rungs))
    ]
    encode((frame.rgb for frame in frames), wanted, fps=25, threads=1)


def make_longer(folder: Path, rungs: int, times: int) -> None:
    """All of them so many times as long."""
    for file in list(folder.glob("*.mp4")):
        lengthen(file, times)
    for i in range(ENCODES, rungs):
        os.link(folder / name(i % ENCODES), folder / name(i))


def name(rung: int) -> str:
    return f"rung_{rung}.mp4"


def one(folder: Path, rungs: int) -> dict[str, Any]:
    """Measure the ladder in this process."""
    from yoto_video.pipeline.measure import measure_ladder
    from yoto_video.pipeline.settings import Settings
    from yoto_video.pipeline.store import Store
    from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

    encodes = tuple(Rendition(VideoRef(str(folder / name(i)))) for i in range(rungs))
    ladder = Ladder("ladder", encodes, VideoRef(str(folder / "master.mp4")))
    before, began = peak_mb(), time.process_time()
    result = measure_ladder(ladder, Idle(), Settings())
    measured = peak_mb()
    rows = [r.clip for r in result.results]
    bad = [f"{clip.path}: {clip.reason}" for clip in rows if clip.status != "ok"]
    if bad or sum(clip.mode == "fr" for clip in rows) < rungs:
        raise SystemExit("\n".join(bad) or "not all encodes were compared")
    with Store(folder / "out") as store:
        store.commit(ladder.name, result.results)
    return {
        "videos": rungs + 1, "frame_rows": sum(clip.frames for clip in rows), "cpu_s": time.process_time() - began,
        "start_mb": before, "measured_mb": measured, "peak_mb": peak_mb(), "grown_mb": peak_mb() - before,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 30, 120])
    parser.add_argument("--rungs", type=int, default=12)
    parser.add_argument("--height", type=int, default=54, help="of the pictures")
    parser.add_argument("--folder", help=argparse.SUPPRESS)  # of a process that measures one length
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    if options.folder:
        print(json.dumps(one(Path(options.folder), options.rungs)))
        return
    for number, minutes in enumerate(options.minutes):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), options.rungs, options.height)
            make_longer(Path(folder), options.rungs, max(1, round(60 * minutes / BASE_S)))
            command = [sys.executable, __file__, "--folder", folder, "--rungs", str(options.rungs)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        row = {"minutes": minutes, **json.loads(done.stdout)}
        if options.format == "json":
            print(json.dumps({"type": "bench_memory", **row}), flush=True)
            continue
        if not number:
            print("".join(f"{key.replace('_', ' '):>14}" for key in row))
        print("".join(f"{value:14.0f}" for value in row.values()), flush=True)


if __name__ == "__main__":
    main()
