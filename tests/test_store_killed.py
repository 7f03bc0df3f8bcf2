"""The store after runs that were killed: every result whole, once, or not at all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yoto_video.pipeline import ledger
from yoto_video.pipeline.store import Store

from .stored import both, check_from_outside, failed, scored, told


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


def killed_while_changing(out: Path, kill_at: Callable[[int], None], step: int) -> bool:
    """Whether the n-th step of `changes` was reached, and the run died there."""
    store = Store(out)
    kill_at(step)
    try:
        changes(store)
        died = False
    except Killed:
        died = True
    kill_at(10**9)
    store.close()
    return died


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
    died = killed_while_changing(out_dir, kill_at, step)
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

    died = killed_while_changing(out_dir, kill_at, step)
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
