"""The crews: this process, or Ray's workers here or on a cluster. The only module that knows Ray."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from .. import __version__
from ..pipeline.errors import UsageError, YotoVideoError
from ..pipeline.score import Judge
from ..pipeline.settings import Settings
from .process import tune
from .work import Done, LoadJudge, Lost, Outcome, Station, Task, load_judge

LADDERS_A_WORKER = 200  # then it is replaced: whatever a decoder leaks goes with it
STORE_BYTES = 200 << 20  # of Ray's object store: only rows and a few pictures travel


class InProcess:
    """Measures in this process, one task at a time, with as many threads as torch and the decoders take."""

    workers = 1

    def __init__(self, settings: Settings, judge: Judge, tell: Callable[[int], None] = lambda _: None) -> None:
        self._station = Station(settings, judge, tell)
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


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> int:
    """Bytes of this machine's memory."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 8 << 30  # not told; most machines have that much


class RayCrew:
    """Workers that hold the network, one task each at a time: a worker is busy, or it is given the next ladder at once.

    Args:
        settings: of the run.
        workers: how many; None: one a core, of this machine or of the cluster.
        most: no more than there are tasks.
        load: how a worker gets its network.
    """

    def __init__(self, settings: Settings, workers: int | None, most: int, load: LoadJudge = load_judge) -> None:
        import ray

        self._ray = ray
        self._settings, self._load = settings, load
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        available = max(int(resources.get("CPU", 1)), 1)
        self.workers = max(1, min(workers or available, most))
        threads = max(1, available // max(self.workers, workers or 1))
        gpus = float(resources.get("GPU", 0)) if settings.device in ("auto", "cuda") else 0.0
        share = min(1.0, int(10_000 * gpus / self.workers) / 10_000)  # Ray counts ten-thousandths
        variables = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}  # read when torch is imported
        variables["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
        actor = ray.remote(num_cpus=1, num_gpus=share, max_restarts=0, runtime_env={"env_vars": variables})
        self._kind = actor(_Worker)
        self._idle: deque[Any] = deque(self._hire() for _ in range(self.workers))
        self._under_way: dict[Any, tuple[Any, Task]] = {}  # by Ray's reference: worker and task
        self._measured: dict[Any, int] = {}  # ladders by worker

    def free(self) -> bool:
        """Whether a worker is idle."""
        return bool(self._idle)

    def send(self, task: Task) -> None:
        """Give the task to an idle worker."""
        worker = self._idle.popleft()
        self._under_way[worker.measure.remote(task)] = (worker, task)

    def wait(self) -> Outcome:
        """The next task to end; a worker that died, hung or grew old is replaced.

        Raises:
            YotoVideoError: a worker cannot work at all: another version there, or no network.
        """
        ready: list[Any] = []
        while not ready:  # a wait without end would keep Ctrl-C waiting too
            ready, _ = self._ray.wait(list(self._under_way), num_returns=1, timeout=1.0)
        worker, task = self._under_way.pop(ready[0])
        outcome: Outcome
        try:
            answer = self._ray.get(ready[0])
        except self._ray.exceptions.RayTaskError as error:  # its code could not run: not there, or not ours
            said = _first_line(error.cause)
            raise YotoVideoError(f"the workers cannot work ({said}); install yoto-video {__version__} there") from error
        except self._ray.exceptions.RayError as error:
            if "creation task" in str(error) or "ModuleNotFoundError" in str(error):
                raise YotoVideoError(
                    f"the workers cannot start ({_last_line(error)}); install yoto-video {__version__} there"
                ) from error
            outcome = Lost(task, "died", "the worker judging it died (a crash in a decoder, or memory ran out)")
        else:
            if isinstance(answer, str):
                raise YotoVideoError(answer)
            outcome = _with_task(answer, task)
        self._measured[worker] = self._measured.get(worker, 0) + 1
        if isinstance(outcome, Lost) or self._measured[worker] >= LADDERS_A_WORKER:
            self._ray.kill(worker)
            self._measured.pop(worker, None)
            worker = self._hire()
        self._idle.append(worker)
        return outcome

    def _hire(self) -> Any:
        return self._kind.remote(self._settings, self._load, __version__)


class _Worker:
    """Ray's actor: a station that loads its network with its first task."""

    def __init__(self, settings: Settings, load: LoadJudge, version: str) -> None:
        tune()
        self._settings, self._load, self._version = settings, load, version
        self._station: Station | None = None

    def measure(self, task: Task) -> Outcome | str:
        """The task's outcome, or a sentence when no task can ever be done here."""
        if self._version != __version__:
            return f"the cluster has yoto-video {__version__}, this is {self._version}; install the same there"
        try:
            if self._station is None:
                self._station = Station(self._settings, self._load(self._settings))
        except YotoVideoError as error:
            return f"a worker cannot load the network: {error}"
        return self._station.measure(task)


def _with_task(outcome: Outcome, task: Task) -> Outcome:
    """The outcome with the very task that was sent, not the copy that travelled."""
    if isinstance(outcome, Lost):
        return Lost(task, outcome.how, outcome.reason)
    return Done(task, outcome.result, outcome.pictures)


@contextlib.contextmanager
def ray_session(address: str | None, cpus: int) -> Iterator[None]:
    """Ray, started here with `cpus` processors and without a word, or the cluster at `address`; released at the end.

    Raises:
        YotoVideoError: the cluster does not answer, or Ray cannot start here.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")  # of 30 s a busy machine needs more
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address is not None:
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "3")  # of 20, each with a line on stderr
        _knock(address)
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL, "configure_logging": True}
    try:
        if address is not None:
            ray.init(address=address, **quiet)
        else:
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, object_store_memory=STORE_BYTES, **quiet)
    except Exception as error:
        said = _first_line(error)
        if address is None:
            raise YotoVideoError(f"Ray cannot start on this machine ({said})") from error
        hint = "check the address and, where the cluster asks for one, RAY_AUTH_MODE and RAY_AUTH_TOKEN"
        raise YotoVideoError(f"no Ray cluster lets us in at {address} ({said}); {hint}") from error
    # Ray tells of dead workers on the driver's stdout, whatever it was asked; there stand our results.
    inside = sys.modules.get("ray._private.worker")
    spoken = getattr(inside, "print_to_stdstream", None)
    if spoken is not None:
        inside.print_to_stdstream = lambda *_, **__: None  # type: ignore[union-attr]
    try:
        yield
    finally:
        ray.shutdown()
        if spoken is not None:
            inside.print_to_stdstream = spoken  # type: ignore[union-attr]


def _knock(address: str) -> None:
    """See at once whether anybody is there: Ray itself asks for minutes.

    Raises:
        UsageError: the address is not HOST:PORT.
        YotoVideoError: nobody listens there.
    """
    if address in ("auto", "local"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"{address!r} is no address of a Ray cluster; give HOST:PORT, or 'auto' for this machine's")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise YotoVideoError(f"no Ray cluster answers at {address} ({said}); check the address") from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]
