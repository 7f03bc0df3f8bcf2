"""Which task is tried when, and what becomes of one that does not come back. Knows neither Ray nor files."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..pipeline.ladder_result import LadderResult
from ..pipeline.values import ClipResult, ClipScore, Ladder, Rendition
from .work import Done, Lost, Outcome, Task

TRIES = 3  # for a ladder whose worker died; the last of several videos is each of them alone
MOVES = 20  # of a ladder whose machine went away: that is not its fault, but it has to end some day


class Crew(Protocol):
    """Workers, or this process. `workers` is how many tasks they do at once, `engines` what runs their networks."""

    workers: int
    engines: set[str]

    def free(self) -> bool:
        """Whether a task can be sent now; while none is under way, it may wait a little for somebody to come."""

    def send(self, task: Task) -> None:
        """Start a task; only when `free`."""

    def wait(self) -> Outcome | None:
        """The next task to end, in whatever order, or None: somebody may be free. Only when one was sent."""


@dataclass(frozen=True)
class _Try:
    task: Task
    number: int = 1  # of attempts, this one included
    moves: int = 0  # of these, such as ended with their machine
    last: bool = False  # its rows were committed, and those worth another try are tried now; no further ones
    alone: _Split | None = None  # one video of a ladder that did not come back: is it the one?
    of: _Split | None = None  # what remains of such a ladder


@dataclass
class _Split:
    """A ladder that did not come back, while each of its videos is tried alone."""

    task: Task
    left: int
    culprits: dict[str, Lost] = field(default_factory=dict)  # by path


class Dispatcher:
    """Sends tasks to a crew, a bounded number at a time, and sees to those that get lost.

    A ladder whose worker died is tried again, then each of its videos alone, then the ladder without those at fault:
    one poisonous file costs its own row and no other. One that hung or met an unforeseen error goes video by video at
    once. Rows that failed for a reason that may pass are tried once more when everything else is done.
    """

    def __init__(
        self,
        tasks: Iterable[Task],
        crew: Crew,
        *,
        stopped: Callable[[], bool] = lambda: False,
        lost: Callable[[Lost], None] = lambda _: None,
    ) -> None:
        self._crew = crew
        self._stopped = stopped  # asked before a task is sent; those under way are waited for
        self._tell = lost
        self._new = (_Try(task) for task in tasks)
        self._again: deque[_Try] = deque()
        self._last: deque[_Try] = deque()
        self._over = False  # all that is not in `_last` came to its end
        self._busy: dict[int, _Try] = {}

    def results(self) -> Iterator[Done]:
        """Every task's results as they come; some videos' rows may come again, better, at the end."""
        following = None
        while True:
            following = following or self._next()
            while following is not None and not self._stopped() and self._crew.free():
                self._busy[id(following.task)] = following
                self._crew.send(following.task)
                following = self._next()
            if not self._busy:
                if following is None or self._stopped():
                    return
                continue  # nobody is there yet
            outcome = self._crew.wait()
            if outcome is None:
                continue
            attempt = self._busy.pop(id(outcome.task))
            if isinstance(outcome, Lost):
                self._tell(outcome)
            if isinstance(outcome, Lost) and outcome.how == "gone" and attempt.moves < MOVES:
                self._again.append(replace(attempt, moves=attempt.moves + 1))
            elif attempt.alone is not None:
                yield from self._tried_alone(attempt.alone, outcome)
            elif isinstance(outcome, Lost):
                yield from self._lost(attempt, outcome)
            else:
                yield from self._done(attempt, outcome)

    def _next(self) -> _Try | None:
        if self._again:
            return self._again.popleft()
        fresh = next(self._new, None)
        self._over = self._over or (fresh is None and not self._busy)
        return self._last.popleft() if self._over and self._last else fresh

    def _done(self, attempt: _Try, done: Done) -> Iterator[Done]:
        retryable = done.result.retryable
        if retryable and not attempt.last and attempt.of is None:
            self._last.append(_Try(replace(attempt.task, todo=frozenset(retryable)), last=True))
        if attempt.of is not None:
            done = replace(done, result=replace(done.result, results=[*done.result.results, *_rows(attempt.of)]))
        yield done

    def _lost(self, attempt: _Try, lost: Lost) -> Iterator[Done]:
        task, videos = attempt.task, attempt.task.ladder.videos
        if attempt.last:
            return  # the rows of the first try stand
        if attempt.of is not None:  # each video lives alone and they die together: none of them has a result
            yield Done(task, LadderResult([*_rows(attempt.of), *(lost_row(task, path, lost) for path in task.due)]))
        elif lost.how == "died" and attempt.number < TRIES - (len(videos) > 1):
            self._again.append(replace(attempt, number=attempt.number + 1))
        elif len(videos) == 1:
            yield Done(task, LadderResult([lost_row(task, videos[0].path, lost)]))
        else:
            read = [video for video in videos if video.path in task.due or video == task.ladder.master]
            split = _Split(task, left=len(read))
            for video in read:
                alone = Ladder(task.ladder.name, (Rendition(video),), grouped_by=task.ladder.grouped_by)
                self._again.append(_Try(replace(task, ladder=alone, todo=None), alone=split))

    def _tried_alone(self, split: _Split, outcome: Outcome) -> Iterator[Done]:
        split.left -= 1
        if isinstance(outcome, Lost):
            split.culprits[outcome.task.ladder.videos[0].path] = outcome
        if split.left:
            return
        rest = _without(split.task, split.culprits)
        if rest is None or not rest.due:
            yield Done(split.task, LadderResult(_rows(split)))
        else:
            self._again.append(_Try(rest, of=split))


def _without(task: Task, culprits: dict[str, Lost]) -> Task | None:
    """The task less some videos; None when nothing remains."""
    ladder = task.ladder
    renditions = tuple(r for r in ladder.renditions if r.video.path not in culprits)
    if ladder.master is None or ladder.master.path not in culprits:
        if not renditions and ladder.master is None:
            return None
        return replace(task, ladder=replace(ladder, renditions=renditions))
    if not renditions:
        return None
    lost = culprits[ladder.master.path]
    finding = f"not compared with its master, which could not be read: {lost.reason}"
    return replace(task, ladder=replace(ladder, renditions=renditions, master=None), finding=finding)


def _rows(split: _Split) -> list[ClipResult]:
    """Of those at fault that were to be measured: a master that was only compared with keeps the rows it has."""
    return [lost_row(split.task, path, lost) for path, lost in split.culprits.items() if path in split.task.due]


def lost_row(task: Task, path: str, lost: Lost) -> ClipResult:
    """The row of a video that never came back; the next run tries it again."""
    master = task.ladder.master is not None and task.ladder.master.path == path
    return ClipResult(
        ClipScore(
            path=path, ladder=task.ladder.name, mode=None, status="failed", reason=lost.reason, is_master=master,
            content_id=task.content_ids.get(path, ""), retryable=True, depth="first" if task.first_look else "full",
        )
    )  # fmt: skip
