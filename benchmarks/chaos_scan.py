"""A scan from bucket to bucket that is killed again and again while requests fail: is anything lost, or there twice?

    python -m benchmarks.chaos_scan [--clips 200] [--kills 50] [--faults 0.1] [--workers 0] [--seed 0]

Run from the project's root. An S3 server of its own fails one request in ten: half of them unanswered, half of them
after the work was done. Small clips lie in its bucket, in ladders and alone. Scans of them are started and killed
(SIGKILL) at random moments after their start, or after a random number of commits: the scan itself, or with
`--workers N` one of its workers as often. Between two scans some clips are replaced, so that there is always something
to do. After every kill the bucket is read as any other program
would: a result that was there before, of a clip that was not replaced, must be there still and unchanged, no video may
have two rows in a mode, and each row must have all its frames. At the end a scan runs through, and its rows must equal
those of an undisturbed one. Scores come from arithmetic instead of a network: what is tried here is everything else.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
from yoto_video.jobs.options import make_settings
from yoto_video.jobs.request import Request
from yoto_video.jobs.scan import scan
from yoto_video.pipeline.errors import YotoVideoError
from yoto_video.pipeline.store import Store

from tests import s3
from tests.clips import make
from tests.fakes import FakeJudge

VOD, OUT = "s3://bucket/vod", "s3://bucket/results/nightly"
LONGEST_S = 240.0  # a scan that takes so long has hung

Key = tuple[str, str | None]


def load(_: Any) -> FakeJudge:
    """The network of a scan; by name, so that workers find it."""
    return FakeJudge()


def child(out: str, workers: int) -> None:
    """One scan, in a process of its own."""
    settings = make_settings(min_frames=3, worst_frames=1, display="64x48")
    print("started", flush=True)
    try:
        scan(Request(VOD, out, settings, workers=workers), load=load)
    except YotoVideoError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


class Library:
    """Small clips, all of different bytes, in ladders of three and alone."""

    def __init__(self, folder: Path, count: int, chance: random.Random) -> None:
        self._folder, self._chance, self._serial = folder, chance, 0
        folder.mkdir(parents=True)
        aside = folder.parent.parent
        self._made = [
            make(aside / f"{i}.mp4", size=(64, 48), frames=6 + i, options={"crf": str(20 + 2 * i)}).read_bytes()
            for i in range(6)
        ]
        rungs = ("master", "48p_90k", "48p_50k")
        names = [f"film{i:04d}/film_{rung}.mp4" for i in range(count // 5) for rung in rungs]
        names += [f"alone{i:04d}/clip.mp4" for i in range(count - len(names))]
        self.names = names[:count]
        for name in self.names:
            self.change(name)

    def change(self, name: str) -> None:
        """Other bytes, and perhaps other pictures."""
        self._serial += 1
        mark = self._serial.to_bytes(8, "big")
        content = self._chance.choice(self._made) + (16).to_bytes(4, "big") + b"free" + mark
        aside = self._folder.parent / ".incoming"
        aside.write_bytes(content)
        (self._folder / name).parent.mkdir(exist_ok=True)
        aside.replace(self._folder / name)

    def change_some(self) -> set[str]:
        """Replace a tenth; returns the ladders' paths that this touches."""
        changed = self._chance.sample(self.names, max(1, len(self.names) // 10))
        for name in changed:
            self.change(name)
        titles = {name.partition("/")[0] for name in changed}
        return {f"{VOD}/{name}" for name in self.names if name.partition("/")[0] in titles}


def read(folder: Path) -> dict[Key, tuple[str, Any]]:
    """Rows as any reader finds them: (path, mode) to result and time; complains of doubled and of half ones."""
    clips = ds.dataset(folder / "clips").to_table().to_pylist() if any((folder / "clips").glob("*.parquet")) else []
    doubled = [key for key, n in Counter((c["path"], c["mode"]) for c in clips).items() if n > 1]
    if doubled:
        raise SystemExit(f"DOUBLED: {doubled}")
    frames = Counter[tuple[str, str, str]]()
    if clips and any(c["frames"] for c in clips):
        table = ds.dataset(folder / "frames").to_table(columns=["path", "mode", "result_id"]).to_pylist()
        frames.update((f["path"], f["mode"], f["result_id"]) for f in table)
    half = [c["path"] for c in clips if frames[c["path"], c["mode"], c["result_id"]] != c["frames"]]
    if half:
        raise SystemExit(f"HALF A RESULT: {half}")
    lasting = [c for c in clips if not c["retryable"]]
    return {(c["path"], c["mode"]): (c["result_id"], c["measured_at"]) for c in lasting}


def rows(out: str) -> list[dict[str, Any]]:
    """Everything a store holds, with its frames, but for when it was measured."""
    store = Store(out, read_only=True)
    if store.warnings:
        raise SystemExit(f"WARNINGS: {store.warnings}")
    return [
        asdict(clip) | {"measured_at": None, "frame_rows": store.frames(clip.path, clip.mode)} for clip in store.clips()
    ]


def start(out: str, workers: int, environment: dict[str, str]) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "benchmarks.chaos_scan", "--child", out, "--workers", str(workers)]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=LONGEST_S)
    if process.returncode != 0:
        raise SystemExit(f"the scan ended with {process.returncode}: {errors}")


def commits_of(server: s3.Server) -> int:
    """Parts of `clips` that were written since the scan began."""
    return sum(request.startswith("PUT bucket/results/nightly/clips/") for request in server.requests)


def workers_of(process: subprocess.Popen[str], mark: str) -> list[int]:
    """Ray's workers that this scan started, told by the environment they inherited."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ours = mark.encode() in (folder / "environ").read_bytes()
            if ours and (folder / "cmdline").read_bytes().startswith(b"ray::"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("clips", 200), ("kills", 50), ("workers", 0), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--faults", type=float, default=0.1, help="share of requests that fail")
    parser.add_argument("--child", metavar="OUT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child, options.workers)

    chance, began = random.Random(options.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, s3.started(Path(scratch, "stores")) as server:
        bucket = server.root / "bucket"
        library = Library(bucket / "vod", options.clips, chance)
        results = bucket / "results" / "nightly"
        results.mkdir(parents=True)
        mark = f"CHAOS={os.getpid()}-{time.time_ns()}"
        environment = os.environ | s3.environment(server) | {"CHAOS": mark.partition("=")[2], "TMPDIR": scratch}
        os.environ |= s3.environment(server)
        server.chance.seed(options.seed)
        known: dict[Key, tuple[str, Any]] = {}
        killed, touched = Counter[str](), set[str]()  # paths that a scan has yet to come to
        while sum(killed.values()) < options.kills:
            server.failing = options.faults
            touched |= library.change_some()
            server.requests.clear()
            process = start(OUT, options.workers, environment)
            commits, deadline = chance.choice((0, 1, 2, 4, 8, 16)), time.monotonic() + LONGEST_S
            while commits_of(server) < commits and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(chance.uniform(0.0, 0.2 if commits else 5.0))
            workers = workers_of(process, mark) if options.workers and chance.random() < 0.5 else []
            if process.poll() is not None:
                finish(process)
            elif workers:
                os.kill(chance.choice(workers), signal.SIGKILL)
                killed["worker"] += 1
                finish(process)
            else:
                process.kill()
                process.communicate()
                killed["scan"] += 1
            server.failing = 0.0
            now = read(results)
            changed = {key[0] for key in known | now if now.get(key) != known.get(key)}
            lost = [key for key in known if key[0] in changed - touched and now.get(key) != known[key]]
            if lost:
                raise SystemExit(f"LOST OR CHANGED: {lost}")
            known, touched = now, set() if process.returncode == 0 else touched - changed
            count = sum(killed.values())
            print(f"{count} kills, {len(now)} rows committed, {server.failed} requests failed", flush=True)
        server.failing = options.faults
        finish(start(OUT, options.workers, environment))
        server.failing = 0.0
        finish(start(f"{scratch}/undisturbed", 0, environment))
        read(results)
        disturbed, expected = rows(OUT), rows(f"{scratch}/undisturbed")
        paths = {row["path"] for row in disturbed}
        missing = [name for name in library.names if f"{VOD}/{name}" not in paths]
        parts = len(list((results / "clips").glob("*.parquet")))
        left = [p.name for p in Path(scratch).glob("yoto-video-copy-*")]
        failed = server.failed
    different = sum(a != b for a, b in zip(disturbed, expected, strict=False)) + abs(len(disturbed) - len(expected))
    print(
        f"{options.clips} clips, {dict(killed)} killed, {failed} requests failed: {len(disturbed)} rows, "
        f"{parts} parts, {len(missing)} clips without a row, 0 rows lost, 0 doubled, {different} not as undisturbed, "
        f"{len(left)} working copies left; {time.monotonic() - began:.0f} s"
    )
    if missing or different:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
