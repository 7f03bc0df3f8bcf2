"""The folder of a store: which can be used, by whom at a time, and what a full disk costs."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from yoto_video.pipeline import parts
from yoto_video.pipeline.errors import UsageError, YotoVideoError
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.parts import part_name
from yoto_video.pipeline.schema import CLIPS, SCHEMA_VERSION
from yoto_video.pipeline.store import Store

from .stored import both, check_from_outside, scored


def refuse(out: Any, says: str, **how: Any) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        Store(out, **how)
    assert "\n" not in str(caught.value)


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    refuse(file, "is a file, or lies below one")
    refuse(file / "below", "is a file, or lies below one")
    refuse("ftp9://bucket/out", "cannot be opened")
    refuse("", "empty")
    refuse("/proc/out", "cannot write there")
    foreign = tmp_path / "clips"
    (foreign / "clips").mkdir(parents=True)
    (foreign / "clips" / "movie.mp4").write_text("x")
    refuse(foreign, "holds files that are not results")
    assert [p.name for p in foreign.rglob("*")] == ["clips", "movie.mp4"]
    refuse(foreign, "no results of yoto-video here", read_only=True)
    refuse(tmp_path / "missing", "no results of yoto-video here", read_only=True)
    assert not (tmp_path / "missing").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    refuse(tmp_path / "out", "cannot write there")
    tmp_path.chmod(0o700)


def test_folders_that_can_be_used(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / ".DS_Store").write_text("")
    Store(hidden).close()
    Store(f"file://{tmp_path}/with%20space").close()
    assert (tmp_path / "with space" / "yoto-video.json").exists()
    Store(tmp_path / "deep" / "er").close()


def test_results_of_a_newer_version_are_refused(out_dir: Path) -> None:
    Store(out_dir).close()
    marker = out_dir / "yoto-video.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"schema_version": 99}))
    refuse(out_dir, "newer yoto-video")
    refuse(out_dir, "newer yoto-video", read_only=True)
    for broken in ("", "{}", "[]", '{"schema_version": "1"}'):
        marker.write_text(broken)
        refuse(out_dir, "not written by yoto-video")


def test_parts_of_version_1_are_written_anew_by_the_next_scan(out_dir: Path) -> None:
    with Store(out_dir) as store:
        noted = scored("/v/1.mp4", findings=(Finding("assumed"),))
        store.commit("a", [noted])
    (part,) = (out_dir / "clips").iterdir()
    table = pq.read_table(part)
    for name, column in (
        ("findings", pa.array([["assumed"]], pa.list_(pa.string()))), ("schema_version", pa.array([1], pa.int32())),
    ):  # fmt: skip
        table = table.set_column(table.schema.get_field_index(name), name, column)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"schema_version": b"1"}), part)
    marker = out_dir / "yoto-video.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"schema_version": 1}))
    with Store(out_dir, read_only=True) as store:
        assert [clip.findings for clip in store.clips()] == [(Finding("assumed"),)]
    assert pq.read_schema(part).field("findings").type == pa.list_(pa.string())  # a reader changes nothing
    with Store(out_dir) as store:
        assert [clip.findings for clip in store.clips()] == [(Finding("assumed"),)]
    assert pq.read_schema(part).field("findings").type == CLIPS.field("findings").type
    assert json.loads(marker.read_text())["schema_version"] == SCHEMA_VERSION


def test_a_part_of_a_newer_version_is_told(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
    part = out_dir / "clips" / part_name("a")
    table = pq.read_table(part)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"schema_version": b"99"}), part)
    assert "newer" in Store(out_dir, read_only=True).warnings[0]


def test_one_run_writes_at_a_time(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
        refuse(out_dir, rf"another run is writing there \(process {os.getpid()}\)")
        assert len(Store(out_dir, read_only=True).clips()) == 2
    Store(out_dir).close()


def test_reading_while_another_writes(out_dir: Path) -> None:
    """A reader may come at any moment: what it sees is whole."""
    stop = threading.Event()
    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))

        def write() -> None:
            for version in range(1, 12):
                store.commit("a", both("/v/1.mp4", content=str(version)))
            stop.set()

        writer = threading.Thread(target=write)
        writer.start()
        while not stop.is_set():
            for clip in Store(out_dir, read_only=True).clips():
                assert clip.frames == 6
        writer.join()


def test_a_full_disk_is_one_sentence_and_loses_nothing(out_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
        with monkeypatch.context() as patched:
            patched.setattr(parts.pq, "write_table", full)
            with pytest.raises(YotoVideoError, match=r"cannot write results \(No space left on device\)"):
                store.commit("a", both("/v/2.mp4"))
        assert len(store.clips()) == 2
        assert not list((out_dir / ".tmp").iterdir())
        store.commit("a", both("/v/2.mp4"))
    assert len(Store(out_dir).clips()) == 4


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 80 kB; skips, saying so, where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=80k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # whatever still looks at it


def test_a_disk_that_is_really_full_loses_nothing(small_disk: Path) -> None:
    """With room made, the same command goes on."""
    out, done = small_disk / "out", set[str]()

    def fill(store: Store) -> None:
        for number in range(300):
            store.commit(f"l{number}", both(f"/v/{number}.mp4", f"l{number}"))
            done.add(f"/v/{number}.mp4")

    with Store(out) as store, pytest.raises(YotoVideoError, match="No space left on device"):
        fill(store)
    assert done
    check_from_outside(out)
    assert {clip.path for clip in Store(out, read_only=True).clips()} == done
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    with Store(out) as store:
        assert {clip.path for clip in store.clips()} == done
        store.commit("more", both("/v/more.mp4", "more"))
    assert {clip.path for clip in Store(out, read_only=True).clips()} == done | {"/v/more.mp4"}
    check_from_outside(out)


def test_what_cannot_be_read_just_now_is_not_written_anew_without_it(
    out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*args: object, **kwargs: object) -> None:
        raise OSError(24, "Too many open files")

    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
        with monkeypatch.context() as patched:
            patched.setattr(parts.pq, "ParquetFile", busy)
            with pytest.raises(YotoVideoError, match="Too many open files"):
                store.commit("b", both("/v/2.mp4", "b"))  # goes to the same part
        store.commit("b", both("/v/2.mp4", "b"))
    assert len(Store(out_dir).clips()) == 4
    check_from_outside(out_dir)


def test_a_file_system_that_cannot_flush_folders(out_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, "Invalid argument")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
    check_from_outside(out_dir)
