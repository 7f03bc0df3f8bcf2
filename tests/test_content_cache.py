"""Content ids are remembered between runs."""

from __future__ import annotations

import time
from pathlib import Path

from yoto_video.pipeline.content_cache import ContentIds
from yoto_video.pipeline.store import Store

OLD = 1_600_000_000_000_000_000  # nanoseconds


def test_content_ids_are_remembered_between_runs(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.content_ids.put("/v/é\n.mp4", 10, OLD, "id")
        store.content_ids.put("/v/é\n.mp4", 11, OLD, "other")
        store.content_ids.put("/v/new.mp4", 10, time.time_ns(), "may change within the clock's tick")
    ids = Store(out_dir).content_ids
    assert ids.get("/v/é\n.mp4", 11, OLD) == "other"
    assert ids.get("/v/é\n.mp4", 10, OLD) is None
    assert ids.get("/v/é\n.mp4", 11, OLD + 1) is None
    assert ids.get("/v/é\n.mp4", 11, OLD, 1) is None
    assert ids.get("/v/new.mp4", 10, OLD) is None
    assert len(ids) == 1


def test_a_broken_cache_costs_only_time(tmp_path: Path) -> None:
    path = tmp_path / "ids.jsonl"
    with ContentIds(path) as ids:
        ids.put("/a", 1, OLD, "one")
    path.write_bytes(path.read_bytes() + b'["/b", 1, 2\n[1, 2]\n{}\nnull\n\xff\xfe\n["/c", 1, ')
    with ContentIds(path) as ids:
        ids.put("/d", 1, OLD, "four")
    with ContentIds(path) as ids:
        assert (ids.get("/a", 1, OLD), ids.get("/d", 1, OLD)) == ("one", "four")
    unwritable = ContentIds(tmp_path / "none" / "ids.jsonl")
    unwritable.put("/a", 1, OLD, "one")
    assert unwritable.get("/a", 1, OLD) == "one"


def test_the_cache_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "ids.jsonl"
    with ContentIds(path) as ids:
        for i in range(1200):
            ids.put("/a", i, OLD, "x")
    with ContentIds(path) as ids:
        assert ids.get("/a", 1199, OLD) == "x"
    assert len(path.read_text().splitlines()) == 1


def test_a_reader_leaves_the_cache_alone(out_dir: Path) -> None:
    Store(out_dir).close()
    Store(out_dir, read_only=True).content_ids.put("/a", 1, OLD, "one")
    assert not (out_dir / ".cache" / "content_ids.jsonl").exists()
