"""Peak memory of a worker with one thread that measures a large ladder: 4K, 10-bit HEVC, HDR, twelve encodes.

python benchmarks/bench_uhd.py [--format json] [--seconds 2] [--threads 1] [--model NAME_OR_FILE]

The master has 2160 lines; its encodes have 2160 (three of them), 1440 (2), 1080 (3), 720 (2), 540 and 360. One encode
of each size is made here, by x265, and stands for all of that size. The ladder is measured by a process of its own,
through `measure_ladder`, network included. Memory does not grow with its length but as bench_memory.py says.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from bench_ladder import peak_mb
from bench_scan import FPS, canvas, load, pan, tuned

LINES = {2160: 3, 1440: 2, 1080: 3, 720: 2, 540: 1, 360: 1}
HDR10 = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"


def make(folder: Path, seconds: int) -> None:
    """The master and all twelve encodes."""
    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    picture = canvas(data)
    encode(folder / "master.mp4", 2160, 20000, pan(picture, seconds * FPS))
    for lines, count in LINES.items():
        first = folder / f"{lines}p_0.mp4"
        encode(first, lines, lines * 4, pan(picture, seconds * FPS))
        for number in range(1, count):
            os.link(first, folder / f"{lines}p_{number}.mp4")


def encode(file: Path, lines: int, kbps: int, frames: Iterator[Any]) -> None:
    """One encode of 16:9 frames scaled to so many lines."""
    options = {"preset": "ultrafast", "x265-params": f"log-level=error:{HDR10}"}
    with av.open(str(file), "w") as container:
        stream: Any = container.add_stream("libx265", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = lines * 16 // 9, lines, "yuv420p10le"
        stream.bit_rate = kbps * 1000
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame = frame.reformat(stream.width, stream.height, stream.pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def measured(folder: Path, model: str | None) -> dict[str, Any]:
    """Measure the ladder in this process."""
    from yoto_video.pipeline.measure import measure_ladder
    from yoto_video.pipeline.settings import Settings
    from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

    encodes = tuple(Rendition(VideoRef(str(file))) for file in sorted(folder.glob("*p_*.mp4")))
    judge, start = load(model), peak_mb()
    result = measure_ladder(Ladder("ladder", encodes, VideoRef(str(folder / "master.mp4"))), judge, Settings())
    bad = [f"{r.clip.path}: {r.clip.reason}" for r in result.results if r.clip.status != "ok"]
    if bad:
        raise SystemExit("\n".join(bad))
    return {"encodes": len(encodes), "rows": len(result.results), "start_mb": start, "peak_mb": peak_mb()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--seconds", type=int, default=2, help="length of the master")
    parser.add_argument("--threads", type=int, default=1, help="of the network, and videos decoded at once")
    parser.add_argument("--model", help="name or .safetensors file; default: the default network")
    parser.add_argument("--folder", help=argparse.SUPPRESS)  # of the process that measures
    options = parser.parse_args()
    tuned(options.threads)
    if options.folder:
        print(json.dumps(measured(Path(options.folder), options.model)))
        return
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), options.seconds)
        rest = ["--folder", folder, "--threads", str(options.threads)]
        rest += ["--model", options.model] if options.model else []
        done = subprocess.run([sys.executable, __file__, *rest], stdout=subprocess.PIPE, text=True, check=True)
    row = json.loads(done.stdout)
    if options.format == "json":
        print(json.dumps({"type": "bench_uhd", "seconds": options.seconds, "threads": options.threads, **row}))
    else:
        print(f"{row['encodes']} encodes of a 4K master, {options.seconds} s, {options.threads} threads:", end=" ")
        print(f"{row['rows']} rows, {row['start_mb']:.0f} MB before, {row['peak_mb']:.0f} MB at most")


if __name__ == "__main__":
    main()
