"""A folder or bucket, from finding to telling: plan, see what is known, measure the rest, commit ladder by ladder.

Killed at any moment, a scan loses the ladders that were under way and nothing else; the next one goes on from there.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..pipeline import listing, storage
from ..pipeline.before import keep_before
from ..pipeline.discover import Plan, discover
from ..pipeline.errors import YotoVideoError
from ..pipeline.look_cache import LOOKS, LookCache
from ..pipeline.object_store import TRAFFIC
from ..pipeline.runs import RunRow
from ..pipeline.score import Judge
from ..pipeline.store import Store
from ..pipeline.text import counted, plain
from .budget import Purse, parse_budget, seconds_of
from .cluster import WORKER_BYTES, ray_session
from .dispatch import Crew
from .heartbeat import Heartbeat
from .judging import Budgeted, Judging
from .known import find_known, plan_paths, tidy
from .log import Log
from .process import cores
from .progress import Clock
from .request import Listener, Request, ScanResult
from .stopping import gently
from .work import LoadJudge, Task, load_judge
from .workers import InProcess, RayCrew, memory

SMALL_S = 60.0  # seconds of video in all up to which Ray's start costs more than it gains


def make_plan(request: Request, listener: Listener | None = None, looked: LookCache | None = None) -> Plan:
    """What there is to scan.

    Args:
        request: what to scan.
        listener: told how it goes.
        looked: what an earlier scan into the same folder saw; None: read from there.

    Raises:
        UsageError: the path does not exist, or holds no video.
    """
    return discover(
        request.root, mapping=request.mapping, exclude=request.out, reference=request.reference,
        looked=looked or LookCache(request.out, (listener or Listener()).looked),
    )  # fmt: skip


def scan(request: Request, listener: Listener | None = None, load: LoadJudge = load_judge) -> ScanResult:
    """Scan as requested. Writes the Parquet data sets and the report below `request.out`.

    Args:
        request: what to scan, and how.
        listener: told what goes on.
        load: how workers get their network.

    Raises:
        UsageError: the request is wrong; nothing was measured.
        YotoVideoError: the network cannot be loaded, no worker can run, or the disk refused.
        KeyboardInterrupt: somebody asked for an end, and what was in hand is committed.
    """
    listener = listener or Listener()
    began, seconds, read = Began(), dict[str, float](), -TRAFFIC.read
    budget = None if request.budget is None else parse_budget(request.budget)
    judge = loaded(request, load)
    looked = LookCache(request.out, listener.looked)
    plan = make_plan(request, looked=looked)
    with Store(request.out) as store, _watched(listener, store, request) as listener:
        for warning in store.warnings:
            listener.say(warning)
        if looked.save(store.out, plan.root):
            store.send(LOOKS)
        keep_before(store)
        listener.planned(plan)
        listener.loaded(judge)
        with listener.stage("checking", plan.videos):
            known = find_known(
                plan, store, request.settings, judge.model_sha256, resume=request.resume, advanced=listener.advanced,
                first_look=budget is not None,
            )  # fmt: skip
        listener.known(known.rows)
        gone = tidy(plan, store, known.kept, {task.ladder.name for task in known.tasks})
        if gone:
            are = "is" if gone == 1 else "are"
            listener.say(f"{counted(gone, 'video')} {are} no longer there or needed; the results were removed")
        seconds["plan"] = began.seconds
        read += TRAFFIC.read  # what workers read is told by them
        engines = {judge.engine}
        closer = [] if budget is None else _to_look_closer(plan, store)
        with gently() as stop:
            judging = Judging(store, known.kept, plan.files, listener, stop)
            if known.tasks or closer:
                videos = sum(task.videos for task in known.tasks)
                if known.up_to_date:
                    listener.say(
                        f"up to date: {counted(known.up_to_date, 'result')}; new or changed: {counted(videos, 'video')}"
                    )
                workers = how_many_workers(request, plan, [*known.tasks, *closer])
                if workers != 0:  # the long ones first, or the last one keeps everybody waiting
                    known.tasks.sort(key=lambda task: length(task, plan), reverse=True)
                with crew_for(request, workers, len([*known.tasks, *closer]), judge, load, listener) as crew:
                    engines = crew.engines
                    if budget is None:
                        work = sum(length(task, plan) for task in known.tasks)
                        judging.run(
                            "judging", known.tasks, crew, videos=videos, work=work, share=lambda t: length(t, plan)
                        )
                    else:
                        purse = Purse(budget, crew.workers, began)
                        Budgeted(budget, plan, request.settings, judge.model_sha256, judging, crew, purse).run(known)
            else:
                listener.say(f"nothing to measure; up to date: {counted(known.up_to_date, 'result')}")
        for stage, spent in judging.seconds.items():
            seconds[stage] = seconds.get(stage, 0.0) + spent
        paths = plan_paths(plan)
        clips = [clip for clip in store.clips() if clip.path in paths]
        seconds["wall"] = began.seconds
        out = Path(store.place) if store.place == str(store.out) else store.place
        if judging.outdated:
            kept = f"{counted(judging.outdated, 'video')} that the budget did not reach"
            listener.say(f"{kept}: what was measured with other settings or beside another master stands")
        measured = judging.measured & {(clip.path, clip.mode) for clip in clips}  # what another try replaced is gone
        result = ScanResult(out, out, clips, len(measured), known.up_to_date, seconds.copy())
        result = replace(result, outdated=judging.outdated)
        if storage.is_remote(plan.root):
            result = replace(result, bytes_read=read + judging.bytes_read, bytes_stored=plan.stored_bytes)
        store.commit_run(_run_row(request, result, began, judge, judging.frames, engines))
        if stop.asked:
            raise KeyboardInterrupt
        listener.ended("finished", result)
    from ..reports.pages import build_report  # Plotly is not needed before this

    seconds["report"] = began.seconds - seconds["wall"]
    return replace(result, report=build_report(result.out), seconds=seconds | {"wall": began.seconds})


def loaded(request: Request, load: LoadJudge) -> Judge:
    """The network, before anything is listed: a wrong --model or --device is said before a bucket is gone through.

    Raises:
        UsageError: of the network, or before it is loaded: there is no such path.
    """
    next(listing.walk(request.root), None)
    # A cluster's machines need not be like this one: here the network is only looked at.
    return load(request.settings if request.address is None else replace(request.settings, device="cpu"))


class Began(Clock):
    """When something began, and how long ago that is."""

    def __init__(self) -> None:
        super().__init__()
        self.at = datetime.now(UTC)


@contextlib.contextmanager
def _watched(listener: Listener, store: Store, request: Request) -> Iterator[Listener]:
    """Whom to tell: the listener, whoever asks for the status, and the log."""
    with Heartbeat(store, request.command) as heartbeat:
        together = Listener(listener, heartbeat, Log())
        try:
            yield together
        except KeyboardInterrupt:
            together.ended("interrupted")
            raise
        except BaseException as error:
            together.ended("failed", reason=str(error) or type(error).__name__)
            raise


def _to_look_closer(plan: Plan, store: Store) -> list[Task]:
    """Ladders with videos that an earlier run only had a first look at; to see how much there is to do."""
    first = {row.path for row in store.clips() if row.depth == "first" and row.status == "ok"}
    return [Task(ladder) for ladder in plan.ladders if any(plain(video.path) in first for video in ladder.videos)]


def how_many_workers(request: Request, plan: Plan, tasks: Sequence[Task]) -> int | None:
    """0: in this process; else Ray's workers, None for as many as the cluster has cores.

    Ray takes about 10 s to start, so one ladder and a few short clips are measured right here.
    """
    if request.workers is not None:
        return max(request.workers, int(request.isolate))
    if request.address is not None:
        return None
    most = min(cores(), len(tasks), memory() // WORKER_BYTES)
    if request.isolate:
        return max(1, most)
    return 0 if most <= 1 or sum(length(task, plan) for task in tasks) <= SMALL_S else most


def length(task: Task, plan: Plan) -> float:
    """Seconds of video in a task, as far as headers say."""
    return sum(seconds_of(video, plan) for video in task.ladder.videos)


@contextlib.contextmanager
def crew_for(
    request: Request, workers: int | None, tasks: int, judge: Judge, load: LoadJudge, listener: Listener
) -> Iterator[Crew]:
    """Who measures: this process, or Ray's workers."""
    with contextlib.ExitStack() as stack:
        if workers != 0:
            wish = "a worker on each core of the cluster" if workers is None else counted(workers, "worker")
            listener.say(f"starting {wish} (takes about 10 s; --workers 0 goes without)")
            try:
                stack.enter_context(ray_session(request.address, cpus=workers or 1))
            except YotoVideoError as error:
                if request.workers is not None or request.address is not None:
                    raise
                listener.say(f"{error}; measuring in this process")  # nobody asked for workers
                workers = 0
        if workers == 0:
            yield InProcess(request.settings, judge, listener.judged)
        else:
            yield RayCrew(request.settings, workers, tasks, load, shared=request.address is not None)


def _run_row(
    request: Request, result: ScanResult, began: Began, judge: Judge, frames: int, engines: set[str]
) -> RunRow:
    said = {f.name: getattr(request, f.name) for f in fields(request) if f.name not in ("settings", "command")}
    said |= {"root_path": plain(storage.canonical(request.root))}
    settings = {**asdict(request.settings), **said, "engine": "; ".join(sorted(engines))}
    seen = sum(clip.depth != "none" for clip in result.clips)  # what a budget never reached was measured by no run
    return RunRow(
        run_id=f"{began.at:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}", started_at=began.at, finished_at=datetime.now(UTC),
        command=request.command, version=__version__, settings=settings,
        ok=result.ok, skipped=result.skipped, failed=result.failed, reused=seen - result.measured,
        seconds=result.seconds, frames=frames, model=judge.model_name, model_sha256=judge.model_sha256,
        bytes_read=result.bytes_read, bytes_stored=result.bytes_stored,
    )  # fmt: skip
