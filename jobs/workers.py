"""The crews: this process, or Ray's workers here or on a cluster."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from .. import __version__
from ..pipeline.errors import YotoVideoError
from ..pipeline.score import Judge
from ..pipeline.settings import Settings
from .cluster import WORKER_BYTES, first_line, last_line, places
from .metrics import Metrics
from .process import tune
from .work import Done, LoadJudge, Lost, Outcome, Station, Task, load_judge

LADDERS_A_WORKER = 200  # then it is replaced: whatever a decoder leaks goes with it
STUCK_S = 60.0  # beyond its time limit, after which a worker is killed: it would have said so itself
JOIN_S = 300.0  # that a scan without any worker waits for one: a cluster may be growing
STILLBORN = 10  # workers in a row that die while they start, beyond one each, after which it is given up
INSTALL = f"install yoto-video {__version__} with its libraries there"
NODE_DIED = ("node has died", "node was terminated")  # what Ray says of workers lost with a machine


class InProcess:
    """Measures in this process, one task at a time, with as many threads as torch and the decoders take."""

    workers = 1

    def __init__(self, settings: Settings, judge: Judge, tell: Callable[[int], None] = lambda _: None) -> None:
        self._station = Station(settings, judge, tell)
        self.engines = {judge.engine}
        self._tasks: deque[Task] = deque()

    def free(self) -> bool:
        """Whether nothing is under way."""
        return not self._tasks

    def send(self, task: Task) -> None:
        """Take a task; `wait` does it."""
        self._tasks.append(task)

    def wait(self) -> Outcome:
        """Do the task."""
        return self._station.measure(self._tasks.popleft())

    @property
    def stuck(self) -> bool:
        """Whether a thread hangs in a decoder: this process then cannot end in the ordinary way."""
        return self._station.stuck


def memory() -> int:
    """Bytes of this machine's memory."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 8 << 30  # not told; most machines have that much


class RayCrew:
    """Workers that hold the network, one task each at a time: a worker is busy, or it is given the next ladder at once.

    A worker counts from the moment it has loaded its network. One that waits for a place on a full cluster holds no
    task; it joins when there is room, as machines come and go.

    Args:
        settings: of the run.
        workers: how many; None: as many as this machine or the cluster has room for.
        most: no more than there are tasks.
        load: how a worker gets its network.
        shared: on a cluster that others use too: memory is asked for, and workers are spread over machines.
    """

    def __init__(
        self, settings: Settings, workers: int | None, most: int, load: LoadJudge = load_judge, *, shared: bool = False
    ) -> None:
        import ray

        self._ray = ray
        self._settings, self._load = settings, load
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        room = places(nodes, gpus=settings.device in ("auto", "cuda"), wanted=workers, most=most)
        self.workers, self.engines = room.workers, set[str]()
        # As `tune` has them; read when numpy and torch are imported, which is before it is called.
        variables = {"OMP_NUM_THREADS": str(room.threads), "OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
        variables["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
        asked: dict[str, Any] = {"memory": WORKER_BYTES, "scheduling_strategy": "SPREAD"} if shared else {}
        actor = ray.remote(num_cpus=1, num_gpus=room.gpus, max_restarts=0, runtime_env={"env_vars": variables}, **asked)
        self._kind = actor(_Worker)
        self._idle: deque[Any] = deque()
        self._joining: dict[Any, Any] = {}  # by Ray's reference to its first word: worker
        self._under_way: dict[Any, tuple[Any, Task, float]] = {}  # by Ray's reference: worker, task, until when
        self._measured: dict[Any, int] = {}  # ladders by worker
        self._stillborn = 0  # workers in a row that died before they could work
        self._seen = time.monotonic()  # when there last was a worker
        for _ in range(self.workers):
            self._hire()

    def free(self) -> bool:
        """Whether a worker is idle; while nobody works, one that joins is waited for a second.

        Raises:
            YotoVideoError: none has come for long, or none can work: another version there, or no network.
        """
        self._welcome(0)
        if self._idle or self._under_way:
            self._seen = time.monotonic()
            return bool(self._idle)
        self._welcome(1.0)
        if not self._idle and time.monotonic() - self._seen > JOIN_S:
            need = f"a core and {WORKER_BYTES >> 20} MiB of memory"
            raise YotoVideoError(f"no worker could start in {JOIN_S:.0f} s: {need} are nowhere free")
        return bool(self._idle)

    def send(self, task: Task) -> None:
        """Give the task to an idle worker."""
        worker = self._idle.popleft()
        until = time.monotonic() + self._settings.time_limit_s * len(task.ladder.videos) + STUCK_S
        self._under_way[worker.measure.remote(task)] = (worker, task, until)

    def wait(self) -> Outcome | None:
        """The next task to end, or None when a worker has joined; one that died, hung or grew old is replaced.

        Raises:
            YotoVideoError: as of `free`.
        """
        ready, late = list[Any](), list[Any]()
        while not ready and not late:
            ready, _ = self._ray.wait([*self._under_way, *self._joining], num_returns=1, timeout=1.0)
            late = [ref for ref, (*_, until) in self._under_way.items() if not ready and time.monotonic() > until]
        if ready and ready[0] in self._joining:
            self._welcome(0)
            return None
        worker, task, _ = self._under_way.pop((ready or late)[0])
        outcome: Outcome
        if late:  # a decoder's C code may keep even the worker's own watch from running
            outcome = Lost(task, "hung", "the worker judging it no longer answered; the file may be damaged")
        else:
            outcome = self._answer(ready[0], task)
        self._measured[worker] = self._measured.get(worker, 0) + 1
        if isinstance(outcome, Lost) or self._measured[worker] >= LADDERS_A_WORKER:
            self._ray.kill(worker)
            self._measured.pop(worker, None)
            self._hire()
        else:
            self._idle.append(worker)
        return outcome

    def _answer(self, ref: Any, task: Task) -> Outcome:
        try:
            return _with_task(self._ray.get(ref), task)
        except self._ray.exceptions.RayTaskError as error:
            raise _cannot_work(error) from error
        except self._ray.exceptions.RayError as error:
            return _lost(error, task)

    def _hire(self) -> None:
        worker: Any = self._kind.remote(self._settings, self._load, __version__)
        self._joining[worker.ready.remote()] = worker

    def _welcome(self, timeout_s: float) -> None:
        """Count workers that have said their first word; hire again for those that died before it."""
        if not self._joining:
            return
        refs = list(self._joining)
        ready, _ = self._ray.wait(refs, num_returns=len(refs) if timeout_s == 0 else 1, timeout=timeout_s)
        for ref in ready:
            worker = self._joining.pop(ref)
            try:
                said, engine = self._ray.get(ref)
            except self._ray.exceptions.RayTaskError as error:
                raise _cannot_work(error) from error
            except self._ray.exceptions.RayError as error:
                self._stillborn += 1
                if "ModuleNotFoundError" in str(error) or self._stillborn > STILLBORN + self.workers:
                    raise YotoVideoError(f"the workers cannot start ({last_line(error)}); {INSTALL}") from error
                self._hire()
                continue
            if said is not None:
                raise YotoVideoError(said)
            self.engines.add(engine)
            self._stillborn = 0
            self._idle.append(worker)


class _Worker:
    """Ray's actor: a station that loads its network before its first task."""

    def __init__(self, settings: Settings, load: LoadJudge, version: str) -> None:
        tune()
        self._settings, self._load, self._version = settings, load, version
        self._station: Station | None = None
        self._metrics = Metrics()

    def ready(self) -> tuple[str | None, str]:
        """Get ready to work; a sentence when no task can ever be done here, and what runs the network."""
        if self._version != __version__:
            return f"the cluster has yoto-video {__version__}, this is {self._version}; install the same there", ""
        try:
            judge = self._load(self._settings)
        except YotoVideoError as error:
            return f"a worker cannot load the network: {error}", ""
        self._station = Station(self._settings, judge)
        return None, judge.engine

    def measure(self, task: Task) -> Outcome:
        """The task's outcome; only when ready."""
        assert self._station is not None
        outcome = self._station.measure(task)
        self._metrics.count(outcome)
        return outcome


def _cannot_work(error: Any) -> YotoVideoError:
    """Its code could not run: not there, or not ours."""
    return YotoVideoError(f"the workers cannot work ({first_line(error.cause)}); {INSTALL}")


def _lost(error: Exception, task: Task) -> Lost:
    """A worker that did not come back: with its machine, which says nothing of the file, or by itself."""
    said = str(error)
    if any(word in said for word in NODE_DIED):
        return Lost(task, "gone", "the machine judging it went away")
    return Lost(task, "died", "the worker judging it died (a crash in a decoder, or memory ran out)")


def _with_task(outcome: Outcome, task: Task) -> Outcome:
    """The outcome with the very task that was sent, not the copy that travelled."""
    if isinstance(outcome, Lost):
        return Lost(task, outcome.how, outcome.reason)
    return Done(task, outcome.result, outcome.pictures)
