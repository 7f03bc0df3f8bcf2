"""Encoders everybody knows the order of, on real clips: what `yoto-video compare` says of them.

python benchmarks/bench_compare.py [FOLDER] [--clips 6] [--seconds 4] [--encode-only]

Clips of the shared data (YOTO_DATA) are cut and scaled to 640x360 as masters, and encoded by x264, x265, SVT-AV1 and
VP9 at five constant qualities each; x264's encodes are also copied under other names, as an encoder that is none. The
commands run are `compare x264 x265 svtav1 vp9` and `compare x264 again`. FOLDER (default: one that is removed
afterwards) keeps everything; a second run encodes and measures nothing new. Encoding times are written for --times.
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
from itertools import islice
from pathlib import Path

import av
import numpy as np

CLIPS = (
    "bedroom_540p.mp4", "flower_540p.mp4", "dog_720p.mp4", "coffee_720p.mp4", "bigbuckbunny_720p.mp4",
    "friday_480p.mp4", "bikes_640x272.mp4",
)  # fmt: skip
ENCODERS = {  # FFmpeg's name, constant qualities from good to bad, other options: all near their default speed
    "x264": ("libx264", (25, 29, 33, 37, 41), (("preset", "medium"),)),
    "x265": ("libx265", (25, 29, 33, 37, 41), (("preset", "medium"), ("x265-params", "log-level=none"))),
    "svtav1": ("libsvtav1", (32, 40, 48, 55, 62), (("preset", "5"),)),
    "vp9": ("libvpx-vp9", (33, 40, 47, 54, 61), (("b", "0"), ("cpu-used", "2"), ("row-mt", "1"))),
}


def frames(path: Path, count: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """The clip's first frames, scaled: (height, width, 3) uint8."""
    with av.open(str(path)) as container:
        for frame in islice(container.decode(video=0), count):
            yield frame.reformat(*size, "rgb24", interpolation="BICUBIC").to_ndarray()


def make(folder: Path, data: Path, clips: int, seconds: float, size: tuple[int, int] = (640, 360)) -> None:
    """Masters, encodes and times; what is there already is kept."""
    from yoto_video.pipeline.encode import Rung, encode

    os.environ.setdefault("SVT_LOG", "1")  # errors only
    times = folder / "times.csv"
    folder.mkdir(parents=True, exist_ok=True)
    known = list(csv.reader(times.open())) if times.exists() else [["path", "seconds"]]
    for name in CLIPS[:clips]:
        source, title = data / "clips" / "sdr" / name, name.split("_")[0]
        with av.open(str(source)) as container:
            fps = round(container.streams.video[0].average_rate or 25)
        pictures = list(frames(source, round(fps * seconds), size))
        wanted = [(folder / "masters" / f"{title}.mp4", "libx264", (("preset", "veryfast"), ("crf", "4")))]
        for label, (encoder, qualities, options) in ENCODERS.items():
            for q in qualities:
                wanted.append((folder / label / f"{title}_crf{q}.mp4", encoder, (*options, ("crf", str(q)))))
        for file, encoder, options in wanted:
            if file.exists():
                continue
            began = time.perf_counter()
            partial = file.with_name(f".{file.name}")
            encode(pictures, [Rung(partial, encoder, *size, options=options)], fps=fps, threads=1)
            partial.replace(file)
            known.append([str(file.relative_to(folder)), f"{time.perf_counter() - began:.2f}"])
        for file in (folder / "x264").glob(f"{title}_*"):
            again = folder / "again" / file.name.replace(title, f"{title}-take2")
            again.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, again)
        with times.open("w", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows(known)
        print(f"{title}: encoded", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=4)
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
    for out, labels in (("encoders", list(ENCODERS)), ("itself", ["x264", "again"])):
        command = [str(Path(sys.executable).with_name("yoto-video")), "compare", *labels, "--reference", "masters"]
        command += ["--out", f"results-{out}", "--times", "times.csv"]
        print("$ yoto-video", *command[1:], flush=True)
        subprocess.run(command, cwd=folder, check=True)


if __name__ == "__main__":
    main()
