"""A Ray cluster: joined or started here, the package brought to its machines, and how many workers they can hold.

Only this module and workers.py know Ray.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..pipeline.errors import UsageError, YotoVideoError

STORE_BYTES = 200 << 20  # of Ray's object store: only rows and a few pictures travel
WORKER_BYTES = 1536 << 20  # of memory for each worker: network, decoders and frames took 0.9 GB with UHD clips
WORKERS_A_GPU = 16  # at most: each has a context of its own in the GPU's memory, about half a GB
ROOMS = ("models", "pipeline", "reports", "jobs")


@dataclass(frozen=True)
class Places:
    """How many workers machines can hold, and what each of them gets."""

    workers: int
    gpus: float = 0.0  # part of one
    threads: int = 1


def places(nodes: Sequence[Mapping[str, float]], *, gpus: bool, wanted: int | None, most: int) -> Places:
    """Where workers go: to the machines with GPUs where there are any, one a core elsewhere, as memory allows.

    A GPU is shared by workers of its machine, each of which decodes on a core of its own and judges on its part of the
    GPU, so that frames never travel. All parts are equal, and as large as gives every worker one.

    Args:
        nodes: resources of each machine that is alive, as Ray counts them: CPU, GPU, memory in bytes.
        gpus: whether GPUs may be used.
        wanted: workers; None: as many as fit.
        most: tasks there are.
    """
    with_gpu = [node for node in nodes if gpus and node.get("GPU", 0) >= 1 and _slots(node)]
    used = with_gpu or nodes
    workers = max(1, min(wanted or sum(map(_slots, used)), most))
    share = 0.0
    if with_gpu:
        for each in range(1, WORKERS_A_GPU + 1):  # workers a GPU
            room = sum(min(_slots(node), int(node["GPU"]) * each) for node in with_gpu)
            share = int(10_000 / each) / 10_000  # Ray counts ten-thousandths
            if room >= workers:
                break
        workers = workers if wanted else min(workers, room)
    cores = sum(int(node.get("CPU", 0)) for node in used)
    return Places(workers, share, max(1, cores // max(workers, wanted or 1)))


def _slots(node: Mapping[str, float]) -> int:
    """Workers that a machine has cores and memory for."""
    return min(int(node.get("CPU", 0)), int(node.get("memory", float(1 << 62)) // WORKER_BYTES))


@contextlib.contextmanager
def _package() -> Iterator[Path]:
    """A folder with the package and nothing else, under its own name, to be sent to machines that lack it."""
    home = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory(prefix="yoto-video-") as scratch:
        copy = Path(scratch) / "yoto_video"
        copy.mkdir()
        for file in (home / "__init__.py", home / "py.typed"):
            shutil.copyfile(file, copy / file.name)
        for room in ROOMS:
            shutil.copytree(home / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        yield copy


@contextlib.contextmanager
def ray_session(address: str | None, cpus: int) -> Iterator[None]:
    """Ray, started here with `cpus` processors and without a word, or the cluster at `address`; released at the end.

    To a cluster the package is brought along; its libraries have to be there.

    Raises:
        YotoVideoError: the cluster does not answer, or Ray cannot start here.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")  # of 30 s a busy machine needs more
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_DISABLE_FAILURE_SIGNAL_HANDLER", "1")  # it writes C++ stacks for every SIGTERM
    if address is not None:
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "3")  # of 20, each with a line on stderr
        _knock(address)
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL, "configure_logging": True}
    try:
        with _own_sigterm():
            if address is not None:
                with _package() as package:  # sent before this returns
                    ray.init(address=address, runtime_env={"py_modules": [str(package)]}, **quiet)
            else:
                here: dict[str, Any] = {"include_dashboard": False, "object_store_memory": STORE_BYTES}
                ray.init(address="local", num_cpus=cpus, **here, **quiet)
    except Exception as error:
        said = first_line(error)
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


@contextlib.contextmanager
def _own_sigterm() -> Iterator[None]:
    """While Ray starts and ever after, SIGTERM does what it did before: Ray puts handlers of its own in its place."""
    if threading.current_thread() is not threading.main_thread():  # there Ray leaves signals alone
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    utils = sys.modules.get("ray._private.utils")
    setter = getattr(utils, "set_sigterm_handler", None)
    if setter is not None:
        utils.set_sigterm_handler = lambda _: None  # type: ignore[union-attr]
    try:
        yield
    finally:
        if setter is not None:
            utils.set_sigterm_handler = setter  # type: ignore[union-attr]
        if before is not None:  # of C code's it cannot be told
            signal.signal(signal.SIGTERM, before)


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


def first_line(error: BaseException) -> str:
    """What an error says first, at most 200 characters."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def last_line(error: BaseException) -> str:
    """What an error says last, at most 200 characters."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]
