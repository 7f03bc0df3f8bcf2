"""The store: what was committed is what is read, whatever happened in between, by us and by other readers."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.parts import part_name
from yoto_video.pipeline.pool import ci95, pool
from yoto_video.pipeline.runs import RunRow
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult, Moment

from .stored import both, check_from_outside, failed, scored, told


def test_values_survive_the_store(out_dir: Path) -> None:
    moment = Moment(12, 0.48, 3.0, "pictures/x/encode.webp", "pictures/x/heat.webp", None)
    results = [
        *both("/v/1.mp4"),
        failed("/v/2.mp4"),
        scored("/v/3.mp4", moments=(moment,), findings=(Finding("assumed"),)),
    ]
    with Store(out_dir) as store:
        assert store.commit("a", results)
        stored = store.clips()
    reread = Store(out_dir, read_only=True)
    assert reread.clips() == stored
    assert [replace(c, measured_at=None) for c in stored] == sorted(
        (r.clip for r in results), key=lambda c: (c.path, c.mode or "")
    )
    assert all(c.measured_at is not None and c.measured_at.tzinfo == UTC for c in stored)
    for result in results[:2]:
        assert reread.frames("/v/1.mp4", result.clip.mode) == list(result.frames)
    assert len(reread.frames("/v/1.mp4")) == 12
    assert reread.frames("/v/2.mp4") == reread.frames("/v/none.mp4") == []
    assert set(reread.ladder_frames("a")) == {("/v/1.mp4", "nr"), ("/v/1.mp4", "fr"), ("/v/3.mp4", "nr")}
    assert reread.ladder_frames("none") == {}
    check_from_outside(out_dir)


def test_pools_and_interval_recompute_from_frame_rows(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), *both("/v/2.mp4", content="5")])
    store = Store(out_dir, read_only=True)
    for clip in store.clips():
        frames = store.frames(clip.path, clip.mode)
        assert pool([f.pts_time for f in frames], [f.score for f in frames]) == clip.pools
        assert ci95([f.score for f in frames]) == clip.ci95


def test_known_is_what_need_not_be_measured_again(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4"), failed("/v/3.mp4", retryable=True)])
        expected = {"1-1-nr", "1-1-fr", "2-1-none"}
        assert set(store.known()) == expected
        assert store.known()["2-1-none"].reason == "it is truncated; copy it again"
    assert set(Store(out_dir).known()) == expected


def test_a_measured_path_replaces_all_its_older_rows(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), *both("/v/2.mp4")])
        store.commit("a", both("/v/1.mp4", content="2"))  # the file changed
        assert {c.content_id for c in store.clips() if c.path == "/v/1.mp4"} == {"2"}
        store.commit("a", [scored("/v/1.mp4", content="3")])  # its master is gone
        assert [(c.path, c.mode) for c in store.clips()] == [("/v/1.mp4", "nr"), ("/v/2.mp4", "fr"), ("/v/2.mp4", "nr")]
        store.commit("a", [failed("/v/1.mp4")])  # now it is broken
        assert told(store) == {("/v/1.mp4", None, "a", "1"), ("/v/2.mp4", "nr", "a", "1"), ("/v/2.mp4", "fr", "a", "1")}
        assert store.frames("/v/1.mp4") == []
        store.commit("a", both("/v/1.mp4"))  # and was repaired
        assert len(store.clips()) == 4
    assert len(pq.read_table(out_dir / "frames" / part_name("a"))) == 24
    check_from_outside(out_dir)


def test_committing_again_doubles_nothing(out_dir: Path) -> None:
    for _ in range(3):
        with Store(out_dir) as store:
            store.commit("a", both("/v/1.mp4"))
    assert len(list((out_dir / "clips").iterdir())) == 1
    assert len(Store(out_dir, read_only=True).clips()) == 2
    check_from_outside(out_dir)


def test_a_regrouped_file_moves_with_its_frames(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), *both("/v/2.mp4")])
        rows = [replace(c, ladder="b", is_master=True) for c in store.clips() if c.path == "/v/1.mp4"]
        frames = store.frames("/v/1.mp4")
        assert store.commit("b", [], rows)
        assert not store.commit("b", [], rows)  # nothing to do any more
        assert told(store) == {
            (p, m, ladder, "1") for p, ladder in [("/v/1.mp4", "b"), ("/v/2.mp4", "a")] for m in ("nr", "fr")
        }
        assert store.frames("/v/1.mp4") == frames
        rows = [replace(c, ladder="b") for c in store.clips() if c.path == "/v/2.mp4"]
        store.commit("b", [], rows)  # the last one leaves a
    for data_set in ("clips", "frames"):
        assert [path.name for path in (out_dir / data_set).iterdir()] == [part_name("a")]  # never out of its part
    check_from_outside(out_dir)


def test_one_kept_row_leaves_its_sibling_alone(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
        fr = next(c for c in store.clips() if c.mode == "fr")
        assert store.commit("a", [scored("/v/2.mp4")], [replace(fr, reference="/v/moved.mp4")])
        assert {(c.path, c.mode, c.reference) for c in store.clips()} == {
            ("/v/1.mp4", "nr", None), ("/v/1.mp4", "fr", "/v/moved.mp4"), ("/v/2.mp4", "nr", None),
        }  # fmt: skip
    check_from_outside(out_dir)


def test_a_copy_gets_rows_of_its_own(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [scored("/v/1.mp4")])
        row = store.known()["1-1-nr"]
        store.commit("b", [], [replace(row, path="/w/1.mp4", ladder="b")])
        assert store.frames("/w/1.mp4") == store.frames("/v/1.mp4")
        assert store.forget(["/v/1.mp4", "/v/never.mp4"]) == 1
        assert told(store) == {("/w/1.mp4", "nr", "b", "1")}
        assert len(store.frames("/w/1.mp4")) == 6
    check_from_outside(out_dir)


def test_a_mistake_is_refused_before_anything_is_written(out_dir: Path) -> None:
    good = scored("/v/1.mp4")
    with Store(out_dir) as store:
        for results, says in [
            ([good, good], "two results"),
            ([scored("/v/1.mp4", ladder="b")], "of ladder 'b'"),
            ([replace(good, frames=good.frames[1:])], "comes with 5"),
            ([ClipResult(replace(good.clip, frames=0))], "comes with 0"),
            ([replace(good, clip=replace(good.clip, mode="fr"))], "another mode"),
        ]:
            with pytest.raises(ValueError, match=says):
                store.commit("a", results)
        with pytest.raises(ValueError, match="is not in"):
            store.commit("a", [], [good.clip])
    with pytest.raises(ValueError, match="closed"):
        store.commit("a", [good])
    assert not list((out_dir / "clips").iterdir())
    assert not list((out_dir / "frames").iterdir())


def test_ladders_of_any_name(out_dir: Path) -> None:
    names = ["a/b", "a_b", "a b", "..", ".hidden", "_x", "é" * 300, "con", "A/B", "x=1/y", "", "\udce9", "\n", "a/b/"]
    assert len({part_name(name).lower() for name in names}) == len(names)
    with Store(out_dir) as store:
        for i, name in enumerate(names):
            store.commit(name, [scored(f"/v/{i}.mp4", ladder=name)])
    found = Store(out_dir, read_only=True)
    assert {c.ladder for c in found.clips()} == {"\\udce9" if n == "\udce9" else n for n in names}
    assert all(len(found.ladder_frames(name)) == 1 for name in names)
    for path in (out_dir / "clips").iterdir():
        assert path.name[0] not in "._-"
        assert len(path.name) < 100
    assert len(pl.read_parquet(out_dir / "clips")) == len(names)


def test_a_file_name_that_is_no_utf8(out_dir: Path) -> None:
    path = os.fsdecode(b"/v/caf\xe9.mp4")
    result = scored("/v/1.mp4")
    result = replace(result, clip=replace(result.clip, path=path, findings=(Finding(f"see {path}"),)))
    with Store(out_dir) as store:
        store.commit("a", [result])
        store.commit("a", [result])
        assert len(store.clips()) == 1
        assert len(store.frames(path)) == 6
        assert store.forget([path]) == 1


def test_runs_are_recorded_once(out_dir: Path) -> None:
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    first = RunRow("r1", days[1], days[2], "scan x", "0.1", {"fps": 2.0})
    second = replace(first, run_id="r2", started_at=days[0], seconds={"decode": 1.5}, ok=3)
    with Store(out_dir) as store:
        for run in (first, second, first):
            store.commit_run(run)
    assert Store(out_dir, read_only=True).runs() == [second, first]


def test_pictures_go_when_their_result_goes(out_dir: Path) -> None:
    def save(store: Store, result_id: str) -> None:
        store.save_pictures({f"pictures/{result_id}/encode.webp": b"x"})

    with Store(out_dir) as store:
        save(store, "1-1-nr")
        store.commit("a", [scored("/v/1.mp4")])
        save(store, "1-2-nr")
        store.commit("a", [scored("/v/1.mp4", content="2")])
        assert [p.name for p in (out_dir / "pictures").iterdir()] == ["1-2-nr"]
        save(store, "9-9-nr")  # its run is killed before the commit
    Store(out_dir).close()
    assert [p.name for p in (out_dir / "pictures").iterdir()] == ["1-2-nr"]
