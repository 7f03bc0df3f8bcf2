"""A folder or bucket, from finding to telling: plan, see what is known, measure the rest, commit ladder by ladder.

Killed at any moment, a scan loses the ladders that were under way and nothing else; the next one goes on from there.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime

from .. import __version__
from ..pipeline.before import keep_before
from ..pipeline.discover import Plan, discover
from ..pipeline.errors import YotoVideoError
from ..pipeline.pictures import write_pictures
from ..pipeline.score import Judge
from ..pipeline.store import Store
from ..pipeline.values import ClipScore, RunRow
from .dispatch import Crew, Dispatcher
from .known import ContentIds, find_known, plan_paths, tidy
from .request import Listener, Request, ScanResult
from .work import Done, LoadJudge, Task, load_judge
from .workers import InProcess, RayCrew, cores, memory, ray_session

SMALL_S = 60.0  # seconds of video in all up to which Ray's start costs more than it gains
UNKNOWN_S = 10.0  # taken for the duration of a video whose header does not say it
WORKER_BYTES = 1536 << 20  # of memory for each worker: network, decoders and frames took 0.9 GB with UHD clips


def make_plan(request: Request) -> Plan:
    """What there is to scan.

    Raises:
        UsageError: the path does not exist, or holds no video.
    """
    return discover(request.root, mapping=request.mapping, exclude=request.out, reference=request.reference)


def scan(request: Request, listener: Listener | None = None, load: LoadJudge = load_judge) -> ScanResult:
    """Scan as requested. Writes the Parquet data sets and the report below `request.out`.

    Args:
        request: what to scan, and how.
        listener: told what goes on.
        load: how workers get their network.

    Raises:
        UsageError: the request is wrong; nothing was measured.
        YotoVideoError: the network cannot be loaded, no worker can run, or the disk refused.
    """
    listener = listener or Listener()
    began, seconds = Began(), dict[str, float]()
    plan = make_plan(request)
    with Store(request.out) as store:
        for warning in store.warnings:
            listener.say(warning)
        keep_before(store)
        listener.planned(plan)
        # A cluster's machines need not be like this one: here the network is only looked at.
        judge = load(request.settings if request.address is None else replace(request.settings, device="cpu"))
        if judge.fallback is not None:
            listener.say(f"{judge.engine} runs the network, more slowly: {judge.fallback}")
        with listener.stage("checking", sum(len(ladder.videos) for ladder in plan.ladders)):
            known = find_known(
                plan, store, request.settings, judge.model_sha256, resume=request.resume, advanced=listener.advanced
            )
        gone = tidy(plan, store, known.kept, {task.ladder.name for task in known.tasks})
        if gone:
            listener.say(f"{gone} videos are no longer there; their results were removed")
        seconds["plan"] = began.seconds
        measured: set[tuple[str, str | None]] = set()
        if known.tasks:
            videos = sum(task.videos for task in known.tasks)
            if known.up_to_date:
                listener.say(f"{known.up_to_date} results are up to date; {videos} videos are new or changed")
            workers = how_many_workers(request, plan, known.tasks)
            if workers != 0:  # the long ones first, or the last one keeps everybody waiting
                known.tasks.sort(key=lambda task: length(task, plan), reverse=True)
            hired = _crew(request, workers, len(known.tasks), judge, load, listener)
            with listener.stage("judging", videos), hired as crew:
                for done in Dispatcher(known.tasks, crew).results():
                    _commit(store, done, known.kept)
                    measured |= {(r.clip.path, r.clip.mode) for r in done.result.results}
                    for stage in done.result.seconds.keys() - {"wall"}:
                        seconds[stage] = seconds.get(stage, 0.0) + done.result.seconds[stage]
                    listener.advanced(done.task.videos)
        else:
            listener.say(f"nothing to measure: {known.up_to_date} results are up to date")
        paths = plan_paths(plan)
        clips = [clip for clip in store.clips() if clip.path in paths]
        seconds["wall"] = began.seconds
        result = ScanResult(store.out, store.out, clips, len(measured), known.up_to_date, seconds.copy())
        store.commit_run(_run_row(request, result, began, judge))
    from ..reports.pages import build_report  # Plotly is not needed before this

    seconds["report"] = began.seconds - seconds["wall"]
    return replace(result, report=build_report(result.out), seconds=seconds | {"wall": began.seconds})


class Began:
    """When something began, and how long ago that is."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)
        self._clock = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since then."""
        return time.perf_counter() - self._clock


def how_many_workers(request: Request, plan: Plan, tasks: Sequence[Task]) -> int | None:
    """0: in this process; else Ray's workers, None for as many as the cluster has cores.

    Ray takes about 10 s to start, so one ladder and a few short clips are measured right here.
    """
    if request.workers is not None:
        return request.workers
    if request.address is not None:
        return None
    most = min(cores(), len(tasks), memory() // WORKER_BYTES)
    return 0 if most <= 1 or sum(length(task, plan) for task in tasks) <= SMALL_S else most


def length(task: Task, plan: Plan) -> float:
    """Seconds of video in a task, as far as headers say."""
    glances = [plan.glances.get(video.path) for video in task.ladder.videos]
    return sum(UNKNOWN_S if seen is None or seen.duration_s is None else seen.duration_s for seen in glances)


@contextlib.contextmanager
def _crew(
    request: Request, workers: int | None, tasks: int, judge: Judge, load: LoadJudge, listener: Listener
) -> Iterator[Crew]:
    """Who measures: this process, or Ray's workers."""
    with contextlib.ExitStack() as stack:
        if workers != 0:
            wish = "a worker on each core of the cluster" if workers is None else f"{workers} workers"
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
            yield RayCrew(request.settings, workers, tasks, load)


def _commit(store: Store, done: Done, kept: dict[str, list[ClipScore]]) -> None:
    """A ladder's pictures, then its rows: what the rows name is there when they are."""
    try:
        write_pictures(store.out, done.pictures)
    except OSError as error:
        raise YotoVideoError(f"{store.out}: cannot write pictures ({error.strerror}); make room, run again") from error
    fresh = {(r.clip.path, r.clip.mode) for r in done.result.results}
    moved = [row for row in kept.pop(done.task.ladder.name, []) if (row.path, row.mode) not in fresh]
    store.commit(done.task.ladder.name, done.result.results, moved)
    contents = ContentIds(store)
    for video in done.task.ladder.videos:
        found = next((r.clip.content_id for r in done.result.results if r.clip.path == video.path), "")
        contents.remember(video, found)


def _run_row(request: Request, result: ScanResult, began: Began, judge: Judge) -> RunRow:
    said = {f.name: getattr(request, f.name) for f in fields(request) if f.name not in ("settings", "command")}
    settings = {**asdict(request.settings), **said, "engine": judge.engine}
    return RunRow(
        run_id=f"{began.at:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}", started_at=began.at, finished_at=datetime.now(UTC),
        command=request.command, version=__version__, settings=settings,
        ok=result.ok, skipped=result.skipped, failed=result.failed, reused=len(result.clips) - result.measured,
        seconds=result.seconds, model=judge.model_name, model_sha256=judge.model_sha256,
    )  # fmt: skip
