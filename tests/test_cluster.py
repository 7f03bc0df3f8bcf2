"""A Ray cluster of several machines on this one: what it holds, what reaches it, and what a lost machine costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.jobs.cluster import WORKER_BYTES, WORKERS_A_GPU, places
from yoto_video.jobs.metrics import Metrics
from yoto_video.jobs.request import Request
from yoto_video.jobs.scan import scan
from yoto_video.jobs.work import Done, Lost, Task
from yoto_video.pipeline.ladder_result import LadderResult
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult, ClipScore, Ladder, Rendition, VideoRef

from .fakes import load_elsewhere
from .scanning import SETTINGS, Said, rows

GB = float(1 << 30)


def node(cpus: int, gpus: int = 0, memory: float = 1000 * GB) -> dict[str, float]:
    return {"CPU": cpus, "memory": memory} | ({"GPU": gpus} if gpus else {})


def place(*nodes: dict[str, float], wanted: int | None = None, most: int = 1000, gpus: bool = True) -> Any:
    return places(nodes, gpus=gpus, wanted=wanted, most=most)


def test_a_worker_a_core_where_there_are_no_gpus() -> None:
    assert place(node(0), node(8), node(8)).workers == 16
    assert place(node(8), node(8), most=3).workers == 3
    assert place(node(8), wanted=2).threads == 4
    assert place(node(8, memory=4 * GB)).workers == 2  # memory for no more
    assert place(node(0)).workers == 1  # a cluster that has still to grow
    assert place(node(4, gpus=1), gpus=False).gpus == 0


def test_gpus_are_shared_by_the_workers_of_their_machines_and_no_others() -> None:
    mixed = place(node(8, gpus=1), node(64))
    assert (mixed.workers, mixed.gpus) == (8, 0.125)  # the machine without a GPU could hold none of them
    assert place(node(128, gpus=1)).workers == WORKERS_A_GPU
    assert place(node(16, gpus=8), wanted=4).gpus == 1.0
    assert place(node(0, gpus=8), node(4)).gpus == 0  # no core to decode on
    assert (place(node(5, gpus=2)).workers, place(node(5, gpus=2)).gpus) == (5, 0.3333)


@settings(deadline=None)
@given(
    machines=st.lists(st.tuples(st.integers(0, 96), st.integers(0, 8), st.floats(0, 200)), min_size=1, max_size=6),
    wanted=st.none() | st.integers(1, 64),
    most=st.integers(1, 500),
)
def test_what_is_placed_without_a_wish_finds_room(
    machines: list[tuple[int, int, float]], wanted: int | None, most: int
) -> None:
    nodes = [node(cpus, gpus, memory * GB) for cpus, gpus, memory in machines]
    found = place(*nodes, wanted=wanted, most=most)
    assert 1 <= found.workers <= most
    assert 0 <= found.gpus <= 1
    assert found.threads >= 1
    if wanted is not None:
        assert found.workers == min(wanted, most)
        return
    room = 0
    for one in nodes:
        slots = min(int(one["CPU"]), int(one["memory"] // WORKER_BYTES))
        room += slots if not found.gpus else min(slots, int(one.get("GPU", 0)) * int(1 / found.gpus))
    assert found.workers <= max(1, room)


def test_workers_count_for_the_dashboard(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, float, tuple[str, ...]]] = []

    class Metric:
        def __init__(self, name: str, *_: Any, **__: Any) -> None:
            self.name = name

        def inc(self, value: float = 1.0, tags: Any = None) -> None:
            assert value > 0  # Ray refuses to count nothing
            counted.append((self.name, value, tuple((tags or {}).values())))

        observe = inc

    monkeypatch.setattr("ray.util.metrics.Counter", Metric)
    monkeypatch.setattr("ray.util.metrics.Histogram", Metric)
    metrics, task = Metrics(), Task(Ladder("l", (Rendition(VideoRef("/a")),)))
    row = ClipResult(ClipScore("/a", "l", None, "failed", "broken"))
    metrics.count(Done(task, LadderResult([row], {"decode": 2.0, "wait": 0.0}, frames=12)))
    metrics.count(Done(task, LadderResult([row])))
    metrics.count(Lost(task, "hung", "nothing moved"))
    assert counted == [
        ("yoto_video_rows", 1, ("failed",)), ("yoto_video_frames", 12, ()),
        ("yoto_video_ladder_seconds", 2.0, ("decode",)), ("yoto_video_ladder_seconds", 1e-6, ("wait",)),
        ("yoto_video_rows", 1, ("failed",)), ("yoto_video_lost_ladders", 1, ("hung",)),
    ]  # fmt: skip


@pytest.fixture
def two_machines() -> Iterator[Any]:
    """A head without cores and two small machines; deaths are noticed in two seconds, not in thirty."""
    import ray
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 << 20}
    soon = {"health_check_period_ms": 500, "health_check_failure_threshold": 3, "health_check_initial_delay_ms": 0}
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": soon, **small}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.machines = [cluster.add_node(num_cpus=1, **small) for _ in range(2)]
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_a_machine_lost_half_way_costs_no_row(films: Path, tmp_path: Path, two_machines: Any) -> None:
    """The rows are those of an undisturbed run in this process; the package has come from here with the scan."""
    import ray

    class Killing(Said):
        def __init__(self) -> None:
            super().__init__()
            self.gone: list[Lost] = []
            self.committed = 0
            self.code: set[str] = set()

        def measured(self, done: Any) -> None:
            self.committed += 1
            if self.committed == 2:

                @ray.remote(num_cpus=0)
                def where() -> str:
                    import yoto_video

                    return str(yoto_video.__file__)

                self.code = {ray.get(where.remote())}
                two_machines.remove_node(two_machines.machines[1], allow_graceful=False)

        def lost(self, lost: Lost) -> None:
            self.gone.append(lost)

    slow = load_elsewhere(lambda frames: time.sleep(0.1 * len(frames)))
    scan(Request(str(films), str(tmp_path / "plain"), SETTINGS, workers=0), load=slow)
    seen = Killing()
    request = Request(str(films), str(tmp_path / "out"), SETTINGS, address=two_machines.address)
    result = scan(request, seen, load=slow)
    assert [lost.how for lost in seen.gone] == ["gone"]
    assert "py_modules" in seen.code.pop()
    assert rows(tmp_path / "out") == rows(tmp_path / "plain")
    with Store(tmp_path / "out", read_only=True) as store:
        assert [run.settings["engine"] for run in store.runs()] == ["somewhere"]  # the workers', not the driver's
    pictures = [
        {p.relative_to(tmp_path / out): p.read_bytes() for p in (tmp_path / out / "pictures").rglob("*.webp")}
        for out in ("out", "plain")
    ]
    assert pictures[0]
    assert pictures[0] == pictures[1]
    assert (result.ok, result.failed) == (11, 3)
