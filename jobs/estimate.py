"""What a scan will take, before it starts: frames from headers, time from trying a few ladders for a few seconds.

Ladders are drawn with a chance that grows with their frames, and their first moments go through the very crew that
would do the scan: opening, aligning, decoding, judging, pictures, beside as many others as there are workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..pipeline.discover import Plan
from ..pipeline.errors import UsageError, YotoVideoError
from ..pipeline.sample import jitter
from ..pipeline.settings import Settings
from ..pipeline.store import Store
from ..pipeline.text import counted
from .budget import UNKNOWN_S, Budget, frames_in, parse_budget, seconds_of, told_length
from .dispatch import Crew, Dispatcher
from .known import Known, find_known
from .progress import Clock, duration
from .request import Listener, Request
from .scan import crew_for, how_many_workers, loaded, make_plan
from .work import LoadJudge, Task, load_judge

MOMENTS = 8  # of a ladder that is tried
TRIES = 6  # ladders tried at least, where there are so many
CALIBRATE_S = 30.0  # after which no further ladder is tried
START_S = 10.0  # of Ray and its workers

Range = tuple[float, float]  # (low, high)


@dataclass(frozen=True)
class Estimate:
    """What a scan will take. Seconds are on the clock; a range goes from the fastest ladder tried to the slowest."""

    videos: int  # to be measured
    ladders: int  # they are in, a video that is alone counted as one
    alone: int  # of these, videos that are alone
    up_to_date: int  # rows that hold
    video_s: float  # seconds of video to be measured
    unknown: int  # videos whose header does not tell how long they are
    frames: int  # through the network
    workers: int
    seconds: Range
    tried: int  # ladders
    tried_s: float
    first_look: tuple[int, Range] | None = None  # with a budget: frames and seconds of the first look
    budget: Budget | None = None
    closer: Range = (0.0, 0.0)  # part of all frames that closer looks get to then

    def as_json(self) -> dict[str, object]:
        """One object for programs."""
        first = self.first_look
        return {
            "type": "estimate", "videos": self.videos, "ladders": self.ladders - self.alone, "alone": self.alone,
            "up_to_date": self.up_to_date, "video_s": round(self.video_s, 3), "unknown_lengths": self.unknown,
            "frames": self.frames, "workers": self.workers, "seconds": _rounded(self.seconds),
            "calibration": {"ladders": self.tried, "seconds": round(self.tried_s, 1)},
            "budget": None if first is None or self.budget is None else {
                "budget": self.budget.said, "first_look_frames": first[0], "first_look_seconds": _rounded(first[1]),
                "closer_share": [round(part, 3) for part in self.closer],
            },
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """For people."""
        held = f" (up to date: {counted(self.up_to_date, 'result')})" if self.up_to_date else ""
        ladders = counted(self.ladders - self.alone, "ladder")
        yield f"to measure  {counted(self.videos, 'video')}, {ladders}, {self.alone:,} alone{held}"
        if not self.videos:
            return
        which = f"{counted(self.unknown, 'header')} {'does' if self.unknown == 1 else 'do'} not say it"
        taken = f"; {which}, {UNKNOWN_S:g} s taken" if self.unknown else ""
        yield f"video       {duration(self.video_s)}, lengths as headers say{taken}"
        yield f"frames      {self.frames:,}"
        who = f"with {counted(self.workers, 'worker')}"
        how = f"tried: {counted(self.tried, 'ladder')}, for {duration(self.tried_s)}"
        yield f"time        {_words(self.seconds)} {who}; {how}"
        if self.first_look is not None and self.budget is not None:
            frames, seconds = self.first_look
            yield f"first look  {frames:,} frames, {_words(seconds)}"
            low, high = (f"{100 * part:.0f} %" for part in self.closer)
            part = low if low == high else f"{low} to {high}"
            yield f"closer      with a budget of {self.budget.said}, about {part} of the work of a full scan"


def estimate(request: Request, listener: Listener | None = None, load: LoadJudge = load_judge) -> Estimate:
    """Find out what `scan` would take. Nothing is written.

    Raises:
        UsageError: the request is wrong.
        YotoVideoError: the network cannot be loaded, or no worker can run.
    """
    listener, planning = listener or Listener(), Clock()
    budget = None if request.budget is None else parse_budget(request.budget)
    judge = loaded(request, load)
    listener.loaded(judge)
    plan = make_plan(request, listener)
    known = _known(plan, request, judge.model_sha256, first_look=False)
    glimpsed = None if budget is None else _known(plan, request, judge.model_sha256, first_look=True)
    tasks = known.tasks
    full = [frames_in(task, plan, request.settings) for task in tasks]
    videos = [video for task in tasks for video in task.ladder.videos]
    made = Estimate(
        sum(task.videos for task in tasks), len(tasks), sum(len(t.ladder.videos) == 1 for t in tasks), known.up_to_date,
        sum(seconds_of(video, plan) for video in videos), sum(told_length(video, plan) is None for video in videos),
        sum(full), 1, (0.0, 0.0), 0, 0.0, budget=budget,
    )  # fmt: skip
    planned_s = planning.seconds
    if not tasks:
        return made
    workers = how_many_workers(request, plan, tasks)
    with crew_for(request, workers, len(tasks), judge, load, listener) as crew:
        clock = Clock()
        rates = _try(_drawn(tasks, full, max(TRIES, 2 * crew.workers)), crew, request.settings, plan)
        glances = []
        if glimpsed is not None and glimpsed.tasks:
            sizes = [frames_in(task, plan, request.settings) for task in glimpsed.tasks]
            glances = _try(_drawn(glimpsed.tasks, sizes, TRIES), crew, request.settings, plan)
        fixed = planned_s + (START_S if workers != 0 else 0.0)
        made = replace(
            made, workers=crew.workers, seconds=_clock_time(full, rates, crew.workers, fixed), tried=len(rates),
            tried_s=clock.seconds,
        )  # fmt: skip
        if glimpsed is None or budget is None:
            return made
        firsts = [frames_in(task, plan, request.settings) for task in glimpsed.tasks]
        first = sum(firsts), _clock_time(firsts, glances, crew.workers, fixed) if firsts else (0.0, 0.0)
    return replace(made, first_look=first, closer=_closer(budget, first, made))


def _known(plan: Plan, request: Request, model_sha256: str, *, first_look: bool) -> Known:
    try:
        store = Store(request.out, read_only=True)
    except UsageError:  # no results yet, which is usual; what else may be wrong with the folder, scanning says
        return Known([Task(ladder, first_look=first_look) for ladder in plan.ladders])
    return find_known(plan, store, request.settings, model_sha256, resume=request.resume, first_look=first_look)


def _drawn(tasks: Sequence[Task], sizes: Sequence[int], count: int) -> list[Task]:
    """Tasks drawn by their size, one in each of `count` equal parts of the whole: large ones surely, each once."""
    whole, found, end = sum(sizes), list[Task](), 0.0
    marks = [whole * (i + float(jitter(0, i))) / count for i in range(count)]
    for task, size in zip(tasks, sizes, strict=True):
        end += size
        hit = sum(mark < end for mark in marks)
        marks = marks[hit:]
        found += [task] * bool(hit)
    return found


def _try(tasks: Sequence[Task], crew: Crew, settings: Settings, plan: Plan) -> list[float]:
    """Seconds of one worker a frame, of each task that gave some."""
    clock = Clock()
    warm = [replace(tasks[i % len(tasks)], moments=1) for i in range(crew.workers)]
    list(Dispatcher(warm, crew).results())  # the first frames of a process take longer, and are few in a scan
    rates: list[float] = []
    wanted = (replace(task, moments=MOMENTS) for task in tasks if clock.seconds < CALIBRATE_S or not rates)
    for done in Dispatcher(wanted, crew).results():
        spent, frames = done.result.seconds, frames_in(done.task, plan, settings)
        if not spent or not frames:
            continue
        fixed = spent["probe"] + spent["pictures"]
        more = max(1.0, frames / done.result.frames) if done.result.frames else 1.0
        rates.append((fixed + (spent["wall"] - fixed) * more) / frames)
    if not rates:
        raise YotoVideoError(f"none of {len(tasks)} ladders could be tried; scan one of them to see why")
    return rates


def _clock_time(sizes: Sequence[int], rates: Sequence[float], workers: int, fixed: float) -> Range:
    """Seconds for all frames: none earlier than the largest ladder is done. Few tries say less: a wider range."""
    slack = 1.25 if len(rates) >= TRIES else 1.5 if len(rates) > 1 else 2.0
    most = max(sum(sizes) / workers, max(sizes))
    return fixed + most * min(rates) / slack, fixed + most * max(rates) * slack


def _closer(budget: Budget, first: tuple[int, Range], made: Estimate) -> Range:
    """Which part of a full scan's work is left for closer looks."""
    by_frames = (budget.frames - first[0]) / made.frames
    (first_low, first_high), (low, high) = first[1], made.seconds
    by_time = (budget.seconds - first_high) / high, (budget.seconds - first_low) / low
    found = sorted(min(1.0, max(0.0, min(by_frames, part))) for part in by_time)
    return found[0], found[1]


def _words(seconds: Range) -> str:
    low, high = map(duration, seconds)
    return low if low == high else f"{low} to {high}"


def _rounded(seconds: Range) -> list[float]:
    return [round(bound, 1) for bound in seconds]
