"""Media with flipped, cut and swapped bytes through the whole command: has every file a row?

    python benchmarks/fuzz_media.py [--files 2000] [--batch 250] [--seed 0] [--workers 0] [--largest 3000]

Takes the files of the data's clips/torture and clips/sdr (YOTO_DATA), damages each in one or two of six ways, and scans
them with `yoto-video scan`, so many at once as --batch says. Every file must have its rows, the exit code must be 0 or
4, and nothing may look like a traceback. Prints how the files ended; a seed makes the same files again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

QUICK = ["--crops", "1", "--fps", "0.5", "--min-frames", "2", "--worst-frames", "0", "--format", "json"]
QUICK += ["--decode-timeout", "20", "--time-limit", "120"]
HEAD = 4096  # bytes in which half of the damage is: headers and indexes

Chance = random.Random


def flip(data: bytearray, chance: Chance) -> None:
    """Some bits, in the head or anywhere."""
    end = HEAD if chance.random() < 0.5 else len(data)
    for _ in range(chance.choice((1, 3, 10, 100))):
        data[chance.randrange(min(end, len(data)))] ^= 1 << chance.randrange(8)


def cut(data: bytearray, chance: Chance) -> None:
    """The end."""
    del data[chance.randrange(len(data)) :]


def swap(data: bytearray, chance: Chance) -> None:
    """Two stretches."""
    size = min(chance.choice((4, 64, 4096)), max(1, len(data) // 2))
    a, b = (chance.randrange(max(1, len(data) - size)) for _ in range(2))
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]


def blank(data: bytearray, chance: Chance) -> None:
    """A stretch, with zeros or ones."""
    at, size = chance.randrange(len(data)), chance.choice((8, 512, 8192))
    data[at : at + size] = bytes([chance.choice((0, 255))]) * len(data[at : at + size])


def lie(data: bytearray, chance: Chance) -> None:
    """A 32-bit number of the head becomes a large one."""
    at = chance.randrange(max(1, min(HEAD, len(data)) - 4))
    data[at : at + 4] = chance.choice((0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x00FFFFFF, 0)).to_bytes(4, "big")


def splice(data: bytearray, chance: Chance) -> None:
    """A stretch comes twice."""
    at, size = chance.randrange(len(data)), chance.choice((16, 1024, 65536))
    data[at:at] = data[at : at + size]


DAMAGES: tuple[Callable[[bytearray, Chance], None], ...] = (flip, cut, swap, blank, lie, splice)


def sources(data: Path, largest: int) -> list[Path]:
    """What is damaged, of so many KB at most; an empty file cannot be."""
    found = [p for name in ("torture", "sdr") for p in sorted((data / "clips" / name).iterdir())]
    return [p for p in found if p.is_file() and 0 < p.stat().st_size <= 1000 * largest]


def write(folder: Path, numbers: range, files: list[Path], seed: int) -> None:
    """So many damaged files, each in a folder of its own, so that they are not taken for a ladder."""
    for number in numbers:
        chance = random.Random(f"{seed} {number}")
        source = files[number % len(files)]
        content = bytearray(source.read_bytes())
        for damage in chance.choices(DAMAGES, k=chance.choice((1, 1, 2))):
            if content:
                damage(content, chance)
        target = folder / f"{number:05d}" / source.name
        target.parent.mkdir()
        target.write_bytes(content)


def scanned(folder: Path, out: Path, workers: int) -> tuple[dict[str, str], list[str]]:
    """Status by path, and what is wrong with the scan itself."""
    words = ["scan", str(folder), "--out", str(out), "--workers", str(workers), *QUICK]
    command = [str(Path(sys.executable).parent / "yoto-video"), *words]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    rows: dict[str, str] = {}
    for line in map(json.loads, done.stdout.splitlines()):
        if line["type"] == "clip":
            rows[line["path"]] = line["status"]
    wrong = [] if done.returncode in (0, 4) else [f"exit code {done.returncode}: {done.stderr[-2000:]}"]
    wrong += [line for line in done.stderr.splitlines() if "Traceback" in line or "crashed" in line]
    wrong += [f"{path}: an error nobody foresaw" for path in told(out) if path]
    return rows, wrong


def told(out: Path) -> list[str]:
    """Paths of rows whose reason is a fault of the program."""
    from yoto_video.pipeline.store import Store

    if not (out / "yoto-video.json").exists():
        return []
    clips = Store(out, read_only=True).clips()
    return [f"{clip.path} ({clip.reason})" for clip in clips if "please report" in (clip.reason or "")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("files", 2000), ("batch", 250), ("seed", 0), ("workers", 0), ("largest", 3000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    files, statuses, wrong = sources(data, options.largest), Counter[str](), list[str]()
    began = time.perf_counter()
    for first in range(0, options.files, options.batch):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, "in")
            folder.mkdir()
            write(folder, range(first, min(first + options.batch, options.files)), files, options.seed)
            rows, faults = scanned(folder, Path(scratch, "out"), options.workers)
            paths = {str(path) for path in folder.rglob("*") if path.is_file()}
            faults += [f"{path}: no row" for path in sorted(paths - rows.keys())]
            wrong += (said := [fault.replace(f"{folder}/", "") for fault in faults])
            statuses.update(rows[path] for path in paths & rows.keys())
        took = time.perf_counter() - began
        now = f"{sum(statuses.values())} files with a row, {len(wrong)} faults, {took:.0f} s"
        print(now, *said, sep="\n  ", flush=True)
    print(f"{options.files} files: {dict(statuses)}; {len(wrong)} faults")
    if wrong or sum(statuses.values()) != options.files:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
