"""Encoders everybody knows the order of, on real clips: what `yoto-video compare` says of them.

python benchmarks/bench_compare.py [FOLDER] [--clips 7] [--seconds 3] [--encode-only]

Clips of the data (YOTO_DATA) are cut and scaled to 480x270 as masters, and encoded by x264, x265, SVT-AV1 and
VP9 at five constant qualities each, two encodes at a time; x264's encodes are also copied under other names, as an
encoder that is none. Then `compare x264 x265 svtav1 vp9 again` is run. So small and short that all of it takes some
five minutes on two cores. FOLDER (default: one that is removed afterwards) keeps everything; a second run encodes and
measures nothing new. Encoding times are written for --times.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import av
import numpy as np
from yoto_video.pipeline.encode import Rung, encode

CLIPS = (
    "bedroom_540p.mp4", "flower_540p.mp4", "dog_720p.mp4", "coffee_720p.mp4", "bigbuckbunny_720p.mp4",
    "friday_480p.mp4", "bikes_640x272.mp4",
)  # fmt: skip
ENCODERS = {  # FFmpeg's name, constant qualities from good to bad, other options: all near their default speed
    "x264": ("libx264", (25, 29, 33, 37, 41), (("preset", "medium"),)),
    "x265": ("libx265", (25, 29, 33, 37, 41), (("preset", "medium"), ("x265-params", "log-level=none"))),
    "svtav1": ("libsvtav1", (32, 40, 48, 55, 62), (("preset", "5"),)),
    "vp9": ("libvpx-vp9", (33, 40, 47, 54, 61), (("b", "0"), ("deadline", "good"), ("cpu-used", "4"))),
}


def frames(path: Path, count: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """The clip's first frames, scaled: (height, width, 3) uint8."""
    with av.open(str(path)) as container:
        for frame in islice(container.decode(video=0), count):
            yield frame.reformat(*size, "rgb24", interpolation="BICUBIC").to_ndarray()


def write(pictures: list[np.ndarray], fps: int, rung: Rung) -> float:
    """Encode one file, which appears whole or not at all; returns the seconds it took."""
    began, aside = time.perf_counter(), rung.file.with_name(f".{rung.file.name}")
    encode(pictures, [replace(rung, file=aside)], fps=fps, threads=1)
    aside.replace(rung.file)
    return time.perf_counter() - began


def make(folder: Path, data: Path, clips: int, seconds: float, size: tuple[int, int] = (480, 270)) -> None:
    """Masters, encodes and times; what is there already is kept."""
    os.environ.setdefault("SVT_LOG", "1")  # errors only
    times = folder / "times.csv"
    folder.mkdir(parents=True, exist_ok=True)
    known = list(csv.reader(times.open())) if times.exists() else [["path", "seconds"]]
    start = time.perf_counter()
    for name in CLIPS[:clips]:
        source, title = data / "clips" / "sdr" / name, name.split("_")[0]
        with av.open(str(source)) as container:
            fps = round(container.streams.video[0].average_rate or 25)
        pictures = list(frames(source, round(fps * seconds), size))
        wanted = [(folder / "masters" / f"{title}.mp4", "libx264", (("preset", "veryfast"), ("crf", "4")))]
        for label, (encoder, qualities, options) in ENCODERS.items():
            for q in qualities:
                wanted.append((folder / label / f"{title}_crf{q}.mp4", encoder, (*options, ("crf", str(q)))))
        with ThreadPoolExecutor(2) as pool:  # the encoders release the interpreter lock
            rungs = [Rung(file, encoder, *size, options=own) for file, encoder, own in wanted if not file.exists()]
            for rung, seconds_taken in zip(rungs, pool.map(partial(write, pictures, fps), rungs), strict=True):
                known.append([str(rung.file.relative_to(folder)), f"{seconds_taken:.2f}"])
        for file in (folder / "x264").glob(f"{title}_*"):
            again = folder / "again" / file.name.replace(title, f"{title}-take2")
            again.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, again)
        with times.open("w", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows(known)
        print(f"{title}: encoded, {time.perf_counter() - start:.0f} s so far", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--encode-only", action="store_true")
    options = parser.parse_args()
    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        make(folder, data, options.clips, options.seconds)
        if not options.encode_only:
            compare(folder)


def compare(folder: Path) -> None:
    """What a person would run in the folder."""
    began = time.perf_counter()
    words = ["compare", *ENCODERS, "again", "--reference", "masters", "--out", "results", "--times", "times.csv"]
    words += ["--crops", "4", "--worst-frames", "0", "--workers", "0"]  # no waiting for Ray, side after side
    print("$ yoto-video", *words, flush=True)
    subprocess.run([str(Path(sys.executable).with_name("yoto-video")), *words], cwd=folder, check=True)
    print(f"compared in {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
