"""Results in a bucket, through a real S3 protocol: the same as on a disk, one writer, nothing half, no key anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from yoto_video.jobs.cli import main
from yoto_video.jobs.request import Request
from yoto_video.jobs.scan import scan
from yoto_video.pipeline import mirror
from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.errors import UsageError, YotoVideoError
from yoto_video.pipeline.runs import RunRow
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.store import Store
from yoto_video.reports.pages import build_report

from . import s3
from .clips import make
from .drifting import scene
from .fakes import FakeJudge
from .scanning import SETTINGS, Said
from .stored import both, check_from_outside, failed, scored, told

OUT = "s3://bucket/deep/out"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3.Server]:
    (tmp_path / "stores" / "bucket").mkdir(parents=True)
    with s3.serving(tmp_path / "stores", monkeypatch) as running:
        yield running


def there(server: s3.Server) -> Path:
    """The results as they lie in the bucket."""
    return server.root / "bucket" / "deep" / "out"


def test_a_bucket_keeps_what_a_disk_keeps(server: s3.Server, out_dir: Path) -> None:
    server.failing = 0.1
    day = datetime(2026, 1, 1, tzinfo=UTC)
    for out in (OUT, str(out_dir)):
        with Store(out) as store:
            store.save_pictures({"pictures/1-1-nr/encode.webp": b"x", "pictures/9-9-nr/encode.webp": b"y"})
            store.commit("a", [*both("/v/1.mp4"), *both("/v/2.mp4")])
            store.commit("b", [*both("/v/4.mp4", "b"), failed("/v/5.mp4", "b")])
            store.commit("a", [scored("/v/2.mp4", content="3")])
            store.forget(["/v/5.mp4"])
            store.commit_run(RunRow("r1", day, day, "scan x", "0.1"))
            store.content_ids.put("/v/1.mp4", 1, 1, "one")
        with Store(out) as store:  # the next run
            assert store.content_ids.get("/v/1.mp4", 1, 1) == "one"
            assert set(store.known()) == {"1-1-nr", "1-1-fr", "2-3-nr", "4-1-nr", "4-1-fr"}
    server.failing = 0.0
    assert server.failed > 5
    bucket, disk = Store(OUT, read_only=True), Store(out_dir, read_only=True)
    assert told(bucket) == told(disk)
    assert bucket.frames("/v/2.mp4") == disk.frames("/v/2.mp4")
    assert bucket.runs() == disk.runs()
    check_from_outside(there(server))
    for name in ("clips", "frames", "runs", "pictures"):
        found = [sorted(p.name for p in (out / name).iterdir()) for out in (there(server), out_dir)]
        assert found[0] == found[1]
    assert not list((there(server) / ".lock").iterdir())


def test_working_copies_go_with_their_owners(
    server: s3.Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Store(OUT) as store:
        store.commit("a", both("/v/1.mp4"))
        copies = list(tmp_path.glob("yoto-video-copy-*"))
    assert copies == [store.out]
    reader = Store(OUT, read_only=True)
    del store
    assert list(tmp_path.glob("yoto-video-copy-*")) == [reader.out]
    left = tmp_path / "yoto-video-copy-killed"
    left.mkdir()
    os.utime(left, (1, 1))
    assert Store(OUT, read_only=True).clips()
    assert not left.exists()
    assert reader.out.exists()


def test_addresses_that_cannot_be_used(server: s3.Server) -> None:
    (server.root / "bucket" / "movies" / "clips").mkdir(parents=True)
    (server.root / "bucket" / "movies" / "clips" / "a.mp4").write_text("x")
    with pytest.raises(UsageError, match=r"s3://bucket/movies: holds objects that are not results"):
        Store("s3://bucket/movies")
    with pytest.raises(UsageError, match=r"s3://bucket/none: no results of yoto-video here"):
        Store("s3://bucket/none", read_only=True)
    server.refuses = True
    with pytest.raises(UsageError, match=r"s3://bucket/none: cannot be"):
        Store("s3://bucket/none")


# --- one writer -----------------------------------------------------------------------------------------------------

HOLD = """
import sys, time
from yoto_video.pipeline.runs import RunRow
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.runs import RunRow
store = Store(sys.argv[1])
print("open", flush=True)
time.sleep(600)
"""


def test_one_run_writes_at_a_time_and_a_killed_one_holds_nobody_up(server: s3.Server) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, OUT], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(UsageError, match=rf"another run is writing there \(process {holder.pid} on "):
            Store(OUT)
        assert Store(OUT, read_only=True).clips() == []
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    began = time.monotonic()
    with Store(OUT) as store:
        store.commit("a", both("/v/1.mp4"))
    assert time.monotonic() - began < mirror.LEASE_S / 2  # it is told gone, not waited for


def test_a_claim_from_another_machine_is_outwaited(server: s3.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "LEASE_S", 2.0)
    Store(OUT).close()
    lock = there(server) / ".lock" / "elsewhere.json"
    lock.write_text(json.dumps({"host": "elsewhere", "process": 1, "began": "1"}))
    Store(OUT).close()
    assert not lock.exists()


def test_a_run_that_lost_touch_writes_no_more(server: s3.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(OUT) as store:
        store.commit("a", both("/v/1.mp4"))
        monkeypatch.setattr(mirror, "LEASE_S", 0.0)
        with pytest.raises(YotoVideoError, match="another run may write there now"):
            store.commit("b", both("/v/2.mp4", "b"))
    monkeypatch.undo()
    assert {clip.path for clip in _read(server).clips()} == {"/v/1.mp4"}


def _read(server: s3.Server) -> Store:
    return Store(there(server), read_only=True)


# --- scans ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def films(server: s3.Server) -> str:
    folder = server.root / "bucket" / "vod"
    folder.mkdir()
    for name in ("one_master", "one_96p", "one_48p"):
        make(folder / f"{name}.mp4", size=(128, 96), frames=12)
    make(folder / "long.mp4", size=(640, 360), frames=200, options={"crf": "5"})
    (folder / "text.mp4").write_text("not a video")
    return "s3://bucket/vod"


def run(root: str, out: str, settings: Settings = SETTINGS) -> tuple[FakeJudge, list[str], object]:
    judge, said = FakeJudge(), Said()
    result = scan(Request(root, out, settings, workers=0), said, load=lambda _: judge)
    return judge, said.sentences, result


def test_a_scan_from_bucket_to_bucket(server: s3.Server, films: str, tmp_path: Path) -> None:
    server.failing = 0.05
    judge, _, result = run(films, OUT)
    assert judge.encoded
    assert str(result.report) == f"{OUT}/report/index.html"  # type: ignore[attr-defined]
    assert result.failed == 1  # type: ignore[attr-defined]
    for name in ("index.html", "assets/report.js", "ladders"):
        assert (there(server) / "report" / name).exists()
    assert list((there(server) / "pictures").rglob("*.webp"))
    judge, said, _ = run(films, OUT)
    assert judge.encoded == 0
    assert "nothing to measure; up to date: 7 results" in said
    server.failing = 0.0
    assert main(["report", OUT, "--zip", str(tmp_path / "report.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "report.zip") as packed:
        assert {"report/index.html", "report/assets/report.js"} <= set(packed.namelist())
        assert any(name.startswith("pictures/") for name in packed.namelist())
    assert main(["lint", OUT]) == 4  # the text has no score
    assert main(["export", OUT, "--to", str(tmp_path / "clips.csv")]) == 0
    assert "s3://bucket/vod/one_96p.mp4" in (tmp_path / "clips.csv").read_text()
    disk = tmp_path / "disk"
    run(films, str(disk))
    assert {(c.path, c.mode, c.score) for c in _read(server).clips()} == {
        (c.path, c.mode, c.score) for c in Store(disk, read_only=True).clips()
    }
    first, again, *_ = Store(OUT, read_only=True).runs()
    stored = sum(f.stat().st_size for f in (server.root / "bucket" / "vod").iterdir())
    assert first.bytes_stored == again.bytes_stored == stored
    assert again.bytes_read is not None
    assert first.bytes_read is not None
    assert again.bytes_read < first.bytes_read
    assert build_report(disk) == disk / "report" / "index.html"


def test_a_second_scan_opens_no_file_that_has_not_changed(server: s3.Server) -> None:
    folder = server.root / "bucket" / "vod"
    folder.mkdir()
    clip = make(folder / "film.mp4", size=(128, 96), frames=12)
    os.utime(clip, (time.time() - 1000,) * 2)  # what was written just now may change within the clock's tick
    run("s3://bucket/vod", OUT)
    server.requests.clear()
    judge, _, _ = run("s3://bucket/vod", OUT)
    assert judge.encoded == 0
    assert not [r for r in server.requests if "/vod/" in r]  # the listing tells that they are as they were


def test_files_that_are_compared_to_group_them_are_opened_once(
    server: s3.Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Rungs of one name, rungs without a master, files of no name that are alike, and what is no video."""
    folder = server.root / "bucket" / "vod"
    folder.mkdir()
    seeds = {"one_master": 1, "one_96p": 1, "two_96p": 2, "two_48p": 2, "zz_source": 3, "x": 3, "yy": 4}
    for name, seed in seeds.items():
        height = 48 if name in ("two_48p", "x") else 96
        scene(folder / f"{name}.mp4", seed, (height * 4 // 3, height))
    (folder / "one_48p.mp4").write_text("not a video")
    for file in folder.iterdir():
        os.utime(file, (time.time() - 1000,) * 2)
    as_shown = replace(SETTINGS, display=None)  # the tallest rung decides
    ladders = {ladder.name: ladder for ladder in discover("s3://bucket/vod").ladders}
    assert (len(ladders["two"].videos), ladders["two"].master) == (2, None)
    for out in (OUT, str(tmp_path / "disk")):
        s3.forget_pieces(monkeypatch)
        _, _, first = run("s3://bucket/vod", out, as_shown)
        s3.forget_pieces(monkeypatch)
        server.requests.clear()
        judge, _, again = run("s3://bucket/vod", out, as_shown)
        assert judge.encoded == again.bytes_read == 0  # type: ignore[attr-defined]
        assert not [r for r in server.requests if "/vod/" in r]
        assert [asdict(clip) for clip in first.clips] == [asdict(clip) for clip in again.clips]  # type: ignore[attr-defined]
    s3.forget_pieces(monkeypatch)
    scene(folder / "yy.mp4", 5)  # replaced: looked at again, and no other
    server.requests.clear()
    run("s3://bucket/vod", OUT, as_shown)
    assert {r.split()[1].rpartition("/")[2] for r in server.requests if "/vod/" in r} == {"yy.mp4"}


def test_much_less_is_read_than_is_stored(server: s3.Server) -> None:
    """A file of which most is sound: the picture's bytes and the index are read, by range."""
    folder = server.root / "bucket" / "vod"
    folder.mkdir()
    clip = make(folder / "film.mp4", size=(64, 48), frames=12, options={"crf": "30"})
    with clip.open("ab") as file:  # a box that players pass over
        file.write((64 << 20).to_bytes(4, "big") + b"free")
        file.truncate(file.tell() + (64 << 20) - 8)
    _, _, result = run("s3://bucket/vod", OUT)
    assert (result.ok, result.bytes_stored) == (1, clip.stat().st_size)  # type: ignore[attr-defined]
    assert result.bytes_read < 12 << 20  # type: ignore[attr-defined]
    assert server.sent < 16 << 20


def test_a_video_is_fetched_once(server: s3.Server) -> None:
    """A file of some megabytes, for its content's id, its header, its packets and its pictures."""
    folder = server.root / "bucket" / "vod"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (24, 360, 640, 3), np.uint8)
    for name in ("film_master", "film_96p"):
        make(folder / f"{name}.mp4", size=(640, 360), frames=24, picture=lambda number, *_: noise[number])
    stored = sum(film.stat().st_size for film in folder.iterdir())
    assert stored > 4 << 20
    _, _, result = run("s3://bucket/vod", OUT)
    assert result.bytes_read == result.bytes_stored == stored  # type: ignore[attr-defined]


def test_no_key_is_ever_told(
    server: s3.Server, films: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": "hush-SECRET-hush", "AWS_ACCESS_KEY_ID": "AKIAHUSHHUSH",
               "AWS_SESSION_TOKEN": "hush-TOKEN-hush"}  # fmt: skip
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    s3.forget_clients()
    run(films, OUT)
    server.refuses = True
    s3.forget_clients()
    for words in (["scan", films, "--out", OUT], ["report", OUT], ["score", f"{films}/one_48p.mp4"]):
        assert main(words) != 0
    server.refuses = False
    for words in (
        ["scan", "s3://AKIAHUSHHUSH:hush-SECRET-hush@bucket/vod", "--out", OUT],
        ["scan", films, "--out", "s3://AKIAHUSHHUSH:hush-SECRET-hush@bucket/out"],
        ["score", "s3://AKIAHUSHHUSH:hush-SECRET-hush@bucket/vod/one_48p.mp4"],
    ):
        assert main(words) == 2
    told_ = "".join(capfd.readouterr())
    assert "no keys in an address" in told_
    assert not any(value in told_ for value in secrets.values())
    kept = b"".join(p.read_bytes() for p in there(server).rglob("*") if p.is_file())
    assert not any(value.encode() in kept for value in secrets.values())
    assert server.unsigned == 0
