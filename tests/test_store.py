"""The store: what was committed is what is read, whatever happened in between, by us and by other readers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yoto_video.pipeline import ledger, parts
from yoto_video.pipeline.content_cache import ContentIds
from yoto_video.pipeline.errors import UsageError, YotoVideoError
from yoto_video.pipeline.parts import part_name
from yoto_video.pipeline.pool import ci95, pool
from yoto_video.pipeline.schema import CLIPS, FRAMES, SCHEMA_VERSION
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult, ClipScore, Finding, FrameScore, Mode, Moment, RunRow


def scored(path: str, mode: Mode = "nr", ladder: str = "a", content: str = "1", **changes: Any) -> ClipResult:
    """A result whose scores tell its content; its id tells file, content and mode."""
    base, pts = 10.0 * int(content, 36) % 90, [i * 0.48 for i in range(6)]
    scores = [base + (i * 7919 % 13) / 3 for i in range(6)]
    frames = tuple(FrameScore(i * 12, pts[i], scores[i], mode) for i in range(6))
    columns = {"result_id": f"{Path(path).stem}-{content}-{mode}", "content_id": content, "model": "m"} | changes
    clip = ClipScore(path, ladder, mode, "ok", pools=pool(pts, scores), ci95=ci95(scores), frames=6, **columns)
    return ClipResult(clip, frames)


def failed(path: str, ladder: str = "a", content: str = "1", retryable: bool = False) -> ClipResult:
    clip = ClipScore(path, ladder, None, "failed", "it is truncated; copy it again", content_id=content)
    return ClipResult(replace(clip, result_id=f"{Path(path).stem}-{content}-none", retryable=retryable))


def both(path: str, ladder: str = "a", content: str = "1") -> list[ClipResult]:
    return [scored(path, "nr", ladder, content), scored(path, "fr", ladder, content)]


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ladder has a part of its own, as large ones do."""
    monkeypatch.setattr(ledger, "FRAMES_A_PART", 0)


def told(store: Store) -> set[tuple[str, str | None, str, str]]:
    return {(c.path, c.mode, c.ladder, c.content_id) for c in store.clips()}


def check_from_outside(out: Path) -> None:
    """What any reader sees: no doubles, every clip with all its frames, pools that come out again."""
    clip_files, frame_files = list((out / "clips").glob("*")), list((out / "frames").glob("*"))
    assert all(path.name.endswith(".parquet") for path in clip_files + frame_files)
    if not clip_files:
        return
    clips = ds.dataset(out / "clips").to_table().to_pylist()
    assert len({(c["path"], c["mode"]) for c in clips}) == len(clips)
    frames: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for frame in ds.dataset(out / "frames", schema=FRAMES).to_table().to_pylist():
        frames.setdefault((frame["result_id"], frame["path"], frame["mode"]), []).append(frame)
    for clip in clips:
        own = frames.get((clip["result_id"], clip["path"], clip["mode"]), [])
        assert len(own) == clip["frames"]
        if clip["status"] == "ok":
            again = pool([f["pts_time"] for f in own], [f["score"] for f in own])
            assert again == clip["pools"]
            assert clip["score"] == clip["pools"]["mean"]


# --- what is committed is read --------------------------------------------------------------------------------------


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


# --- other readers --------------------------------------------------------------------------------------------------


def sql(query: str) -> list[tuple[Any, ...]]:
    return duckdb.connect().execute(query).fetchall()


READERS: dict[str, Callable[[Path], int]] = {
    "duckdb glob": lambda out: len(sql(f"SELECT pools.p5 FROM '{out}/clips/*.parquet'")),
    "duckdb folder": lambda out: len(sql(f"SELECT pools.p5 FROM read_parquet('{out}/clips')")),
    "polars folder": lambda out: pl.read_parquet(out / "clips").unnest("pools").height,
    "polars glob": lambda out: pl.read_parquet(f"{out}/clips/*.parquet").height,
    "pandas folder": lambda out: len(pd.read_parquet(out / "clips")),
    "pyarrow folder": lambda out: pq.read_table(out / "clips").num_rows,
}


@pytest.mark.parametrize("reader", READERS)
def test_other_readers_see_the_rows_and_no_leftovers(out_dir: Path, reader: str) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4")])
        store.commit("b", [failed("/v/3.mp4", "b")])  # a part whose pools are all null
        store.commit_run(RunRow("r", datetime.now(UTC), datetime.now(UTC), "scan", "0", seconds={"decode": 1.0}))
    (out_dir / ".tmp" / "clips-x.parquet").write_bytes(b"PAR1 half a fi")
    assert READERS[reader](out_dir) == 4


def test_values_look_natural_to_other_readers(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
        store.commit_run(RunRow("r", datetime.now(UTC), datetime.now(UTC), "scan", "0", seconds={"decode": 1.5}))
    clip = scored("/v/1.mp4").clip
    rows = sql(
        f"SELECT score, pools.worst_second, ci95[1], len(findings) FROM '{out_dir}/clips/*.parquet' WHERE mode = 'nr'"
    )
    assert rows == [(clip.score, clip.pools["worst_second"], clip.ci95[0] if clip.ci95 else None, 0)]
    pooled = sql(
        f"SELECT c.score - avg(f.score) FROM '{out_dir}/clips/*.parquet' c JOIN '{out_dir}/frames/*.parquet' f "
        "USING (result_id, path, mode) GROUP BY c.path, c.mode, c.score"
    )
    assert [abs(row[0]) < 1e-9 for row in pooled] == [True, True]
    assert pd.read_parquet(out_dir / "clips")["pools"][0]["mean"] == pytest.approx(clip.score)
    assert "1.5" in str(sql(f"SELECT seconds['decode'] FROM '{out_dir}/runs/*.parquet'"))
    assert pl.read_parquet(out_dir / "runs").height == 1


# --- killed runs ----------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Let the run die at the n-th step that touches the disk (write, flush, rename, remove), before it is done."""
    left = [10**9]

    def counted(do: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return do(*args, **kwargs)

        return step

    for owner, name in [(os, "fsync"), (Path, "replace"), (Path, "unlink"), (shutil, "rmtree"), (pq, "write_table")]:
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))

    def arm(steps: int) -> None:
        left[0] = steps

    yield arm
    left[0] = 10**9


def changes(store: Store) -> None:
    """A change of every kind in one commit: a new file, a changed one, one from another ladder, one kept in mode nr."""
    moved = [replace(c, ladder="a") for c in store.clips() if c.path == "/v/4.mp4"]
    store.commit("a", [*both("/v/1.mp4", content="2"), scored("/v/3.mp4")], moved)


def test_many_small_ladders_share_parts(out_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "CLIPS_A_PART", 10)
    with Store(out_dir) as store:
        for i in range(60):
            store.commit(f"l{i}", both(f"/v/{i}.mp4", f"l{i}"))
        store.commit("l3", both("/v/3.mp4", "l3", content="2"))
        assert len(list((out_dir / "clips").iterdir())) == len(list((out_dir / "frames").iterdir())) == 12
        store.forget([f"/v/{i}.mp4" for i in range(30)])
        for i in range(30):  # room that was made is used again
            store.commit(f"m{i}", both(f"/v/m{i}.mp4", f"m{i}"))
        assert len(list((out_dir / "clips").iterdir())) <= 13
    found = Store(out_dir, read_only=True)
    assert len(found.clips()) == 120
    assert {key[0] for key in found.ladder_frames("m7")} == {"/v/m7.mp4"}
    check_from_outside(out_dir)


@pytest.mark.parametrize("step", range(16))
def test_killed_at_any_step_what_else_is_in_the_part_stays(
    out_dir: Path, kill_at: Callable[[int], None], step: int
) -> None:
    """A ladder is measured anew, and a file of another one comes to it, inside one part: nothing is lost on the way."""
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), *both("/v/2.mp4")])
        store.commit("b", [*both("/v/4.mp4", "b"), failed("/v/5.mp4", "b")])
    store = Store(out_dir)
    kill_at(step)
    try:
        changes(store)
        died = False
    except Killed:
        died = True
    kill_at(10**9)
    store.close()
    check_from_outside(out_dir)
    with Store(out_dir) as store:
        assert {c.path for c in store.clips()} >= {"/v/2.mp4", "/v/4.mp4", "/v/5.mp4"}
        changes(store)
        assert len(store.clips()) == 8
    check_from_outside(out_dir)
    assert died or step > 12, "a commit has fewer steps than it had: fit the range"
    assert not (died and step == 15), "a commit has more steps than it had: fit the range"


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("step", range(38))
def test_a_run_killed_at_any_step_leaves_whole_results(
    out_dir: Path, kill_at: Callable[[int], None], step: int
) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), *both("/v/2.mp4")])
        store.commit("b", [*both("/v/4.mp4", "b"), failed("/v/5.mp4", "b")])
    undisturbed = out_dir.with_name("undisturbed")
    shutil.copytree(out_dir, undisturbed)
    with Store(undisturbed) as store:
        changes(store)
        expected = told(store)
    possible = {(f"/v/{name}.mp4", "1") for name in range(1, 6)} | {("/v/1.mp4", "2")}

    store = Store(out_dir)
    kill_at(step)
    try:
        changes(store)
        died = False
    except Killed:
        died = True
    kill_at(10**9)
    store.close()

    check_from_outside(out_dir)  # as it lies there, for anybody
    seen = Store(out_dir, read_only=True)
    assert {(c.path, c.content_id) for c in seen.clips()} <= possible
    assert not seen.warnings
    with Store(out_dir) as store:  # the next run
        assert not list((out_dir / ".tmp").iterdir())
        assert {("/v/2.mp4", "nr"), ("/v/2.mp4", "fr"), ("/v/5.mp4", None)} <= {(c.path, c.mode) for c in store.clips()}
        clips = {c.path for c in store.clips() if c.content_id == "1"}
        rows = sum(pq.read_metadata(path).num_rows for path in (out_dir / "frames").iterdir())
        assert rows == sum(c.frames for c in store.clips())  # no frames without a clip
        assert "/v/4.mp4" in clips
        changes(store)
        assert told(store) == expected
    check_from_outside(out_dir)
    assert died or step > 32, "a commit has fewer steps than it had: fit the range"
    assert not (died and step == 37), "a commit has more steps than it had: fit the range"


COMMITS = """
import sys
from yoto_video.pipeline.pool import pool
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult, ClipScore, FrameScore

def result(path, mode, ladder, content):
    frames = tuple(FrameScore(i, i / 2, 40.0 + i + 3 * content, mode) for i in range(6))
    pools = pool([f.pts_time for f in frames], [f.score for f in frames])
    name = f"{path[3]}-{content}-{mode}"
    return ClipResult(ClipScore(path, ladder, mode, "ok", pools=pools, frames=6, result_id=name), frames)

store = Store(sys.argv[1])
for n in range(10**6):  # four files wander between two ladders, changing as they go, and fail now and then
    ladder = "ab"[n % 2]
    store.commit(ladder, [result(f"/v/{p}.mp4", m, ladder, n % 7) for p in range(4) for m in ("nr", "fr")])
    store.commit("c", [ClipResult(ClipScore(f"/v/{n % 5}.mp4", "c", None, "failed", "broken", result_id=f"{n % 5}"))])
    print(n, flush=True)
"""


def test_sigkill_in_the_middle_of_commits(out_dir: Path) -> None:
    """A real process, really killed, again and again."""
    with Store(out_dir) as store:
        store.commit("z", both("/v/z.mp4", "z"))
    for round_ in range(3):
        child = subprocess.Popen([sys.executable, "-c", COMMITS, out_dir], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert [child.stdout.readline().strip() for _ in range(round_ + 1)] == [str(n) for n in range(round_ + 1)]
        time.sleep(0.007 * round_)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        check_from_outside(out_dir)
        with Store(out_dir) as store:  # the lock went with the process
            assert not store.warnings
            rows = sum(pq.read_metadata(path).num_rows for path in (out_dir / "frames").iterdir())
            assert rows == sum(c.frames for c in store.clips())
            assert {"z-1-nr", "z-1-fr"} <= set(store.known())
        assert not list((out_dir / ".tmp").iterdir())
        check_from_outside(out_dir)


operation = st.one_of(
    st.tuples(st.just("commit"), st.sampled_from("abc"), st.lists(st.sampled_from("1234"), unique=True, max_size=3)),
    st.tuples(st.just("fail"), st.sampled_from("abc"), st.sampled_from("1234")),
    st.tuples(st.just("move"), st.sampled_from("abc"), st.sampled_from("1234")),
    st.tuples(st.just("forget"), st.just(""), st.sampled_from("1234")),
    st.tuples(st.just("reopen"), st.just(""), st.just("")),
)


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(operation, max_size=8))
def test_any_history_ends_like_a_dictionary(operations: list[tuple[str, str, Any]], tmp_path: Path) -> None:
    out = tmp_path / f"out-{time.monotonic_ns()}"
    model: dict[tuple[str, str | None], tuple[str, str]] = {}  # (path, mode) to (ladder, content)
    store = Store(out)
    for version, (what, ladder, who) in enumerate(operations, 1):
        content = str(version)
        if what == "commit":
            paths = [f"/v/{p}.mp4" for p in who]
            store.commit(ladder, [r for path in paths for r in both(path, ladder, content)])
            model = {key: value for key, value in model.items() if key[0] not in paths}
            model |= {(path, mode): (ladder, content) for path in paths for mode in ("nr", "fr")}
        elif what == "fail":
            path = f"/v/{who}.mp4"
            store.commit(ladder, [failed(path, ladder, content)])
            model = {key: value for key, value in model.items() if key[0] != path} | {(path, None): (ladder, content)}
        elif what == "move":
            rows = [replace(c, ladder=ladder) for c in store.clips() if c.path == f"/v/{who}.mp4"]
            store.commit(ladder, [], rows)
            model |= {(c.path, c.mode): (ladder, c.content_id) for c in rows}
        elif what == "forget":
            store.forget([f"/v/{who}.mp4"])
            model = {key: value for key, value in model.items() if key[0] != f"/v/{who}.mp4"}
        else:
            store.close()
            store = Store(out)
        assert {(c.path, c.mode): (c.ladder, c.content_id) for c in store.clips()} == model
    store.close()
    assert {(c.path, c.mode): (c.ladder, c.content_id) for c in Store(out, read_only=True).clips()} == model
    check_from_outside(out)


# --- damage ---------------------------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    """A bit of the data, far from the footer: only the page checksums can tell."""
    content = bytearray(path.read_bytes())
    content[40] ^= 0x10
    path.write_bytes(content)


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("damage", [truncate, empty, flip])
@pytest.mark.parametrize("data_set", ["clips", "frames"])
def test_a_damaged_part_is_told_and_measured_again(
    out_dir: Path, data_set: str, damage: Callable[[Path], None]
) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4")])
        store.commit("b", both("/v/3.mp4", "b"))
    part = out_dir / data_set / part_name("a")
    damage(part)
    looked = Store(out_dir, read_only=True)
    looked.frames("/v/1.mp4")
    assert len(looked.warnings) == 1
    assert looked.warnings[0].startswith(f"{part}: ")
    assert part.exists()
    with Store(out_dir) as store:
        if (data_set, damage) == ("frames", flip):  # found when the frames are needed, not before
            store.commit("a", [scored("/v/9.mp4")])
            assert told(store) >= {("/v/9.mp4", "nr", "a", "1"), ("/v/2.mp4", None, "a", "1")}
        assert [w.startswith(f"{part}: ") for w in store.warnings] == [True]
        assert "\n" not in store.warnings[0]
        assert not {"1-1-nr", "1-1-fr"} & set(store.known())
        assert {"3-1-nr", "3-1-fr"} <= set(store.known())
        check_from_outside(out_dir)
        assert READERS["polars folder"](out_dir) == len(store.clips())
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4")])
        assert {"1-1-nr", "1-1-fr", "2-1-none"} <= set(store.known())
    assert not Store(out_dir).warnings
    check_from_outside(out_dir)


def test_a_missing_frames_part_is_told(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4")])
    (out_dir / "frames" / part_name("a")).unlink()
    with Store(out_dir) as store:
        assert "is missing" in store.warnings[0]
        assert set(store.known()) == {"2-1-none"}


def test_lost_frame_rows_are_told(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), scored("/v/2.mp4")])
    part = out_dir / "frames" / part_name("a")
    pq.write_table(pq.read_table(part).slice(1), part)
    with Store(out_dir) as store:
        assert "lacks rows" in store.warnings[0]
        assert set(store.known()) == {"1-1-nr", "2-1-nr"}
    check_from_outside(out_dir)


def test_a_stranger_among_the_parts_is_left_alone(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
    stranger = out_dir / "clips" / "mine.parquet"
    pq.write_table(pa.table({"x": [1]}), stranger)
    with Store(out_dir) as store:
        assert store.warnings == [f"{stranger}: was not written by yoto-video; what it held is measured again"]
        assert len(store.clips()) == 2
    assert stranger.exists()


def test_copies_of_a_part_are_not_counted_twice(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4")])
    for data_set in ("clips", "frames"):
        shutil.copy(out_dir / data_set / part_name("a"), out_dir / data_set / "copy.parquet")
    assert len(Store(out_dir, read_only=True).clips()) == 3
    with Store(out_dir) as store:
        assert len(store.clips()) == 3
    check_from_outside(out_dir)


# --- the folder -----------------------------------------------------------------------------------------------------


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
    subprocess.run(["umount", str(folder)], check=True)


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


# --- content ids ----------------------------------------------------------------------------------------------------

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
