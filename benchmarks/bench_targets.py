"""What a scan costs beside decoding alone and beside other measures, in one run: the ratios that matter, in one table.

python benchmarks/bench_targets.py [--format json] [--threads 2] [--seconds 20] [--model NAME_OR_FILE]

Works: NR of one 1080p H.264 clip at 2 frames a second; FR and NR of a ladder of five rungs. "decoding alone" is the
same with a judge that costs nothing. Peers run in the ffmpeg of the imageio-ffmpeg wheel on one 1080p encode and its
master, both decoded: libvmaf whole and with n_subsample=5, SSIM, PSNR; five rungs cost a peer five times that. Each
figure is in wall and in processor seconds of all threads; the ratios of the latter hold on a busy machine too.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_scan import FPS, MASTER_KBPS, RUNGS, SIZE, Idle, canvas, load, pan, tuned

PEERS = {
    "libvmaf": "libvmaf=n_threads={threads}",
    "libvmaf n_subsample=5": "libvmaf=n_subsample=5",
    "the same with our threads": "libvmaf=n_threads={threads}:n_subsample=5",
    "ssim": "ssim",
    "psnr": "psnr",
}
# Work, beside what, how often that, and how many times as long the work may take, where that was set.
TARGETS: list[tuple[str, str, int, float | None]] = [
    ("NR of a clip", "decoding of a clip alone", 1, 1.6),
    ("NR of a clip", "libvmaf n_subsample=5", 1, 1 / 4),
    ("FR and NR of a ladder", "decoding of a ladder alone", 1, 1.8),
    ("FR and NR of a ladder", "libvmaf n_subsample=5", len(RUNGS), 1 / 5),
    ("NR of a clip", "the same with our threads", 1, None),
    ("FR and NR of a ladder", "the same with our threads", len(RUNGS), None),
]


def spent() -> float:
    """Processor seconds of this process and of those it waited for."""
    parts = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in parts)


def timed(job: Callable[[], object]) -> dict[str, float]:
    """Wall and processor seconds of a job."""
    cpu, wall = spent(), time.perf_counter()
    job()
    return {"wall_s": time.perf_counter() - wall, "cpu_s": spent() - cpu}


def command(*words: str) -> dict[str, float]:
    """The same of a command of ours, start included."""
    code = "import sys; from yoto_video.jobs.cli import main; sys.exit(main())"
    return timed(lambda: subprocess.run([sys.executable, "-c", code, *words], stdout=subprocess.DEVNULL, check=True))


def peer(program: str, filters: str, encode: Path, master: Path, threads: int) -> dict[str, float]:
    """The same of one of ffmpeg's measures."""
    graph = "[0:v][1:v]" + filters.format(threads=threads)
    ends = ["-threads", str(threads), "-i", str(encode), "-threads", str(threads), "-i", str(master)]
    rest = ["-lavfi", graph, "-f", "null", "-"]
    return timed(lambda: subprocess.run([program, "-v", "error", "-nostdin", *ends, *rest], check=True))


def measured(folder: Path, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Every figure, by what it is of."""
    import imageio_ffmpeg
    import numpy as np
    from yoto_video.pipeline.encode import Rung, encode
    from yoto_video.pipeline.measure import measure_ladder
    from yoto_video.pipeline.settings import Settings
    from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    wanted = [(*SIZE, MASTER_KBPS, "master.mp4"), *[(*rung, f"{rung[1]}p_{rung[2]}k.mp4") for rung in RUNGS]]
    rungs = [Rung(folder / n, "libx264", w, h, k, (("preset", "veryfast"),)) for w, h, k, n in wanted]
    encode(pan(canvas(data), options.seconds * FPS), rungs, fps=FPS)
    master, *encodes = (VideoRef(str(r.file)) for r in rungs)
    works = {
        "a clip": Ladder("clip", (Rendition(encodes[0]),), None),
        "a ladder": Ladder("ladder", tuple(Rendition(v) for v in encodes), master),
    }

    def run(ladder: Any, judge: Any) -> None:
        bad = [r.clip.reason for r in measure_ladder(ladder, judge, Settings()).results if r.clip.status != "ok"]
        if bad:
            raise SystemExit("\n".join(map(str, bad)))

    judge = load(options.model)
    judge.nr(judge.encode([np.zeros((*SIZE[::-1], 3), np.uint8)]))  # warm
    out = {}
    for name, ladder in works.items():
        run(ladder, Idle())  # tables of packets are remembered: not whoever comes first pays for them
        out[f"decoding of {name} alone"] = timed(lambda ladder=ladder: run(ladder, Idle()))
        what = "NR of a clip" if name == "a clip" else "FR and NR of a ladder"
        out[what] = timed(lambda ladder=ladder: run(ladder, judge))
    program = imageio_ffmpeg.get_ffmpeg_exe()
    for name, filters in PEERS.items():
        out[name] = peer(program, filters, rungs[1].file, rungs[0].file, options.threads)
    out["yoto-video --help"] = command("--help")
    out["yoto-video score, the clip"] = command("score", str(rungs[1].file))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument(
        "--threads", type=int, default=2, help="of the network and of the peers, and videos decoded at once"
    )
    parser.add_argument("--seconds", type=int, default=20, help="length of the clip")
    parser.add_argument("--model", help="name or .safetensors file; default: the default network")
    options = parser.parse_args()
    tuned(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(Path(folder), options)
    ratios = []
    for work, beside, times, target in TARGETS:
        ratio = {f"{k}_ratio": figures[work][f"{k}_s"] / (times * figures[beside][f"{k}_s"]) for k in ("wall", "cpu")}
        ratios.append({"work": work, "beside": beside, "times": times, "target": target, **ratio})
    if options.format == "json":
        facts = {"type": "bench_targets", "seconds": options.seconds, "threads": options.threads}
        for name, row in figures.items():
            print(json.dumps({**facts, "of": name, **row}))
        for ratio in ratios:
            print(json.dumps({**facts, **ratio}))
        return
    print(
        f"{options.seconds} s of {SIZE[0]}x{SIZE[1]} at {FPS} fps, {options.threads} threads\n{'':40}  wall s   cpu s"
    )
    for name, row in figures.items():
        print(f"{name:40}{row['wall_s']:8.2f}{row['cpu_s']:8.2f}")
    print(f"\n{'':58}    wall     cpu  at most")
    for r in ratios:
        beside = r["beside"] if r["times"] == 1 else f"{r['times']} x {r['beside']}"
        print(
            f"{r['work']:24}/ {beside:32}{r['wall_ratio']:8.2f}{r['cpu_ratio']:8.2f}"
            + ("" if r["target"] is None else f"{r['target']:9.2f}")
        )


if __name__ == "__main__":
    main()
