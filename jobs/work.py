"""One ladder as a piece of work, and the station that does it: in this process or inside a worker, the same code."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..pipeline.errors import UsageError, YotoVideoError
from ..pipeline.findings import Finding
from ..pipeline.ladder_result import LadderResult
from ..pipeline.measure import measure_ladder
from ..pipeline.pictures import PictureSink
from ..pipeline.score import Judge
from ..pipeline.settings import Settings
from ..pipeline.values import ClipScore, Ladder, VideoInfo
from ..pipeline.watch import Watch

GRACE_S = 5.0  # beyond the decode time-out: the pipeline's own time-outs come first, they know the file
FIRST_LOOK = Finding(
    "a first look: few frames, and not compared with its master; the next scan looks closer, without --budget at all",
    "first_look", "warning",
)  # fmt: skip
LoadJudge = Callable[[Settings], Judge]


@dataclass(frozen=True)
class Task:
    """A ladder to measure, or the part of it that a retry is about."""

    ladder: Ladder
    todo: frozenset[str] | None = None  # paths of the videos to measure; None: all of the ladder
    infos: Mapping[str, VideoInfo] = field(default_factory=dict)  # by path, what was probed before
    content_ids: Mapping[str, str] = field(default_factory=dict)  # by path, what was hashed before
    finding: str | None = None  # said in every row: why this was not measured as planned
    first_look: bool = False  # few frames, without reference
    moments: int | None = None  # only so many, to see what the whole will take

    @property
    def due(self) -> list[str]:
        """Paths of the videos to be measured."""
        return [v.path for v in self.ladder.videos if self.todo is None or v.path in self.todo]

    @property
    def videos(self) -> int:
        """How many videos are to be measured."""
        return len(self.due)


@dataclass(frozen=True)
class Done:
    """A task's results, with the pictures of its worst frames."""

    task: Task
    result: LadderResult
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # content by path relative to OUT


@dataclass(frozen=True)
class Lost:
    """A task without results: its worker died, hung, went over a limit, or met an error nobody foresaw."""

    task: Task
    how: Literal["died", "gone", "hung", "limit", "error"]  # gone: with its machine
    reason: str  # one sentence


Outcome = Done | Lost


def load_judge(settings: Settings) -> Judge:
    """The network that the settings name.

    Raises:
        UsageError: there is no such network or device.
        YotoVideoError: its weights cannot be read.
    """
    from ..models.judge import Judge as Network

    with model_errors():
        return Network.load(settings.model, device=settings.device, crops=settings.crops, seed=settings.seed)


def slower(judge: Judge) -> str | None:
    """Why a network takes longer than it is meant to on this device, a sentence; None where it does not."""
    return None if judge.fallback is None else f"{judge.engine} runs the network, more slowly: {judge.fallback}"


@contextlib.contextmanager
def model_errors() -> Iterator[None]:
    """Translate the errors of `models.zoo`: a name that is not there is the caller's mistake, a broken file is not."""
    from ..models.zoo import CheckpointError, ModelError

    try:
        yield
    except CheckpointError as error:
        raise YotoVideoError(str(error)) from error
    except ModelError as error:
        raise UsageError(str(error)) from error


class Station:
    """Holds the network and measures one task after the other.

    Args:
        settings: of the run.
        judge: the loaded network.
        tell: takes the number of frames judged so far in a task, from the measuring thread.
    """

    def __init__(self, settings: Settings, judge: Judge, tell: Callable[[int], None] = lambda _: None) -> None:
        self._settings = settings
        self._judge, self._tell = judge, tell
        self.stuck = False  # a thread of this process may never end

    def measure(self, task: Task) -> Outcome:
        """Measure, but give up when a limit is passed, or nothing moves: a decoder's C code cannot be interrupted."""
        judge = _Counting(self._judge, self._tell)
        before = frozenset(sys._current_frames())
        answer: list[Outcome] = []

        def work() -> None:
            with contextlib.suppress(SystemExit):  # of `judge`, when nobody waits for an answer any more
                answer.append(self._measure(task, judge))

        worker = threading.Thread(target=work, name="measure", daemon=True)
        limits = _Limits(self._settings, len(task.ladder.videos), before)
        worker.start()
        while not answer:
            try:
                worker.join(limits.look_again_s)
            except BaseException:  # Ctrl-C: the thread must not go on behind the caller's back
                judge.stopped = True
                raise
            if not worker.is_alive() and not answer:
                return Lost(task, "error", "the measuring thread ended without an answer")
            if not answer and (passed := limits.passed()) is not None:
                self.stuck = judge.stopped = True
                return Lost(task, *passed)
        return answer[0]

    def _measure(self, task: Task, judge: _Counting) -> Outcome:
        pictures = PictureSink()  # in memory: a worker may not see the driver's disk
        try:
            result = measure_ladder(
                task.ladder, judge, self._settings.first_look() if task.first_look else self._settings,
                todo=task.todo, pictures=pictures, infos=task.infos, content_ids=task.content_ids,
                moments=task.moments,
            )  # fmt: skip
        except Exception as error:  # a fault of ours: this ladder's rows say so, the others go on
            said = "".join(str(error).strip().splitlines()[:1]) or "no message"
            return Lost(task, "error", f"unexpected error ({type(error).__name__}: {said}); please report it")
        noted = [replace(r, clip=_noted(r.clip, task)) for r in result.results]
        return Done(task, replace(result, results=noted), pictures.files)


def _noted(clip: ClipScore, task: Task) -> ClipScore:
    """The row with what is to be said of its task."""
    notes = [] if task.finding is None else [Finding(task.finding)]
    if not task.first_look:
        return replace(clip, findings=(*clip.findings, *notes))
    if clip.status == "ok":
        notes.append(FIRST_LOOK)
    return replace(clip, findings=(*clip.findings, *notes), depth="first")


class _Counting:
    """A judge that counts the frames it encodes."""

    def __init__(self, judge: Judge, tell: Callable[[int], None]) -> None:
        self._judge, self._tell = judge, tell
        self.count = 0
        self.stopped = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._judge, name)

    def encode(self, frames: Sequence[Any], turns: Sequence[int | None]) -> Sequence[Any]:
        if self.stopped:
            raise SystemExit  # no Exception, which would become a video's failure
        encoded = self._judge.encode(frames, turns)
        self.count += len(frames)
        self._tell(self.count)
        return encoded


class _Limits:
    """What measuring one task may cost."""

    def __init__(self, settings: Settings, videos: int, before: frozenset[int]) -> None:
        self._watch, self._before = Watch(before), resident_mb()
        self._still_s, self._most_mb = settings.decode_timeout_s + GRACE_S, settings.memory_limit_mb
        self._most_s, self._began = settings.time_limit_s * videos, time.monotonic()
        self._settings = settings

    @property
    def look_again_s(self) -> float:
        """Seconds until the next look: memory can be eaten fast."""
        return min(0.2, self._still_s / 4, self._most_s / 4)

    def passed(self) -> tuple[Literal["hung", "limit"], str] | None:
        """What went too far, and a sentence about it."""
        if self._watch.still_for() > self._still_s:
            said = f"nothing moved for {self._still_s:.0f} s while it was read or decoded; the file may be damaged"
            return "hung", said
        if time.monotonic() - self._began > self._most_s:
            took = f"it was not done after {self._settings.time_limit_s:g} s; raise --time-limit or lower --fps"
            return "limit", took
        if resident_mb() - self._before > self._most_mb:
            return "limit", f"it took more than {self._most_mb} MB of memory; raise --memory-limit if it is sound"
        return None


def resident_mb() -> float:
    """Memory of this process that is in use, MB; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, IndexError):
        return 0.0
