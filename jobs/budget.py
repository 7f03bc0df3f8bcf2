"""A scan that may cost only so much: a first look at everything, then closer ones where they tell most.

The first look is cheap: few frames, no reference. Closer looks follow the lower end of each score's interval: it is low
where a video looks bad, and also where its few frames do not say how it looks. One budget is one run's; the next run
goes on where this one ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, inf
from pathlib import PurePosixPath

from ..pipeline.discover import Plan
from ..pipeline.errors import UsageError
from ..pipeline.found import STILLS
from ..pipeline.settings import Settings
from ..pipeline.text import counted, plain
from ..pipeline.values import ClipResult, ClipScore, Ladder, VideoRef
from .progress import Clock
from .work import Task

UNKNOWN_S = 10.0  # taken for the length of a video whose header does not say it
SECONDS_A_FRAME = 0.3  # of one worker, decoding included, until something was measured: 1080p on one CPU core
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "f": "frames", "frames": "frames"}


@dataclass(frozen=True)
class Budget:
    """What a run may cost; the other is without bounds."""

    said: str
    seconds: float = inf  # on the clock, from the start of the run
    frames: float = inf  # through the network


def parse_budget(text: str) -> Budget:
    """A budget from "90min", "2h" or "5000frames".

    Raises:
        UsageError: it is no such thing.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text.strip().lower())
    unit = _UNITS.get(match[2]) if match else None
    if match is None or unit is None or not float(match[1]) > 0:
        raise UsageError(f"--budget {text!r} is no budget; give minutes, hours or frames: 90min, 2h, 5000frames")
    number = float(match[1])
    said = f"{number:g} {unit}" if number % 1 else counted(int(number), unit.removesuffix("s"))
    if unit == "frames":
        return Budget(said, frames=number)
    return Budget(said, seconds=number * {"minutes": 60, "hours": 3600}[unit])


class Purse:
    """What is left of a budget while tasks are under way.

    Args:
        budget: of the run.
        workers: tasks that are done at once.
        clock: seconds since the run began.
    """

    def __init__(self, budget: Budget, workers: int, clock: Clock) -> None:
        self._budget, self._workers, self._clock = budget, workers, clock
        self._asked: dict[str, float] = {}  # frames by ladder under way
        self._spent = 0
        self._seconds = self._frames = 0.0  # of workers, and frames, in what is measured at present
        self._pace = SECONDS_A_FRAME

    @property
    def pace(self) -> float:
        """Seconds of one worker a frame."""
        return self._seconds / self._frames if self._frames else self._pace

    @property
    def room(self) -> float:
        """Frames that can still be asked for, by all workers together."""
        left = max(0.0, self._budget.seconds - self._clock.seconds) * self._workers / self.pace
        return min(left, self._budget.frames - self._spent - sum(self._asked.values()))

    def fits(self, frames: float) -> bool:
        """Whether one worker can do so many frames yet."""
        in_time = self._clock.seconds + frames * self.pace <= self._budget.seconds
        return in_time and frames <= self._budget.frames - self._spent - sum(self._asked.values())

    def ask(self, ladder: str, frames: float) -> None:
        """A ladder was sent to a worker."""
        self._asked[ladder] = frames

    def paid(self, ladder: str, frames: int, seconds: float) -> None:
        """It came back, and took so much of a worker's time."""
        self._asked.pop(ladder, None)
        self._spent += frames
        self._frames += frames
        self._seconds += seconds

    def closer(self) -> None:
        """First looks are over. Theirs cost more a frame; they are gone by only until closer ones have come back."""
        self._pace = self.pace
        self._seconds = self._frames = 0.0


@dataclass(frozen=True)
class Closer:
    """Videos of one ladder to be looked at in full, and what that takes."""

    ladder: Ladder
    paths: frozenset[str]
    frames: int


def told_length(video: VideoRef, plan: Plan) -> float | None:
    """How long a video is, as its header or manifest says: None where neither does, 0 for a still, as its name says."""
    if PurePosixPath(video.path).suffix.lower().removeprefix(".") in STILLS:
        return 0.0
    if (told := plan.told_s.get(video.path)) is not None:
        return told
    seen = plan.glances.get(video.path)
    return None if seen is None else seen.duration_s


def seconds_of(video: VideoRef, plan: Plan) -> float:
    """The same, with `UNKNOWN_S` where the header does not say."""
    told = told_length(video, plan)
    return UNKNOWN_S if told is None else told


def frames_of(duration_s: float | None, settings: Settings) -> int:
    """Frames that a video of this length is judged at; a still picture (0, or None) is one."""
    if not duration_s:
        return 1
    return ceil(duration_s * max(settings.fps, settings.min_frames / duration_s))


def frames_in(task: Task, plan: Plan, settings: Settings) -> int:
    """Frames of a task, as far as headers say; a master that is only compared with counts too."""
    settings = settings.first_look() if task.first_look else settings
    frames = [frames_of(seconds_of(video, plan), settings) for video in task.ladder.videos]
    part = task.videos / len(frames)
    if task.todo is not None and task.ladder.master is not None and settings.compare:
        return ceil(frames[0] + sum(frames[1:]) * part)
    return ceil(sum(frames) * part)


def urgency(row: ClipScore) -> float:
    """What closer looks go by, lowest first: the least score that the frames seen so far allow."""
    return row.ci95[0] if row.ci95 is not None else row.score or 0.0


def choose(plan: Plan, rows: Iterable[ClipScore], settings: Settings, purse: Purse) -> list[Closer]:
    """The closer looks that fit in what is left, most urgent first. A master is read once for all of its encodes.

    Args:
        plan: what there is.
        rows: the committed ones.
        settings: of a full look.
        purse: what is left.
    """
    paths_of = {plain(video.path): video.path for ladder in plan.ladders for video in ladder.videos}
    first = {paths_of.get(r.path, r.path): r for r in rows if r.depth == "first" and r.status == "ok"}
    wanted = [
        (urgency(first[video.path]), number, video.path)
        for number, ladder in enumerate(plan.ladders)
        for video in ladder.videos
        if video.path in first and (video != ladder.master or not _encodes(ladder, first))
    ]
    room, chosen = purse.room, dict[int, set[str]]()
    cost: dict[int, int] = {}
    for _, number, path in sorted(wanted):
        ladder = plan.ladders[number]
        more = _frames(path, first, settings)
        if number not in cost and ladder.master is not None and ladder.master.path != path:
            more += _frames(ladder.master.path, first, settings) or more  # its length is not known: take this one's
        if more > room or not purse.fits(cost.get(number, 0) + more):
            continue
        room -= more
        cost[number] = cost.get(number, 0) + more
        chosen.setdefault(number, set()).add(path)
        if ladder.master is not None and ladder.master.path in first:
            chosen[number].add(ladder.master.path)  # it is decoded and encoded anyway
    return [Closer(plan.ladders[n], frozenset(paths), cost[n]) for n, paths in chosen.items()]


def _encodes(ladder: Ladder, first: Mapping[str, ClipScore]) -> bool:
    return any(rendition.video.path in first for rendition in ladder.renditions)


def _frames(path: str, first: Mapping[str, ClipScore], settings: Settings) -> int:
    return frames_of(first[path].duration_s, settings) if path in first else 0


def not_looked_at(ladder: Ladder, paths: Iterable[str], budget: Budget) -> list[ClipResult]:
    """A row for each video that the budget did not reach."""
    reason = f"not looked at yet: the budget of {budget.said} was used up; the next run goes on"
    master = None if ladder.master is None else ladder.master.path
    return [
        ClipResult(
            ClipScore(
                path, ladder.name, None, "skipped", reason, is_master=path == master, retryable=True, depth="none"
            )
        )
        for path in paths
    ]
