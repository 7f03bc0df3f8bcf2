"""What people see while it goes: the plan, notes, and bars on a terminal; now and then a line on stderr elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from rich import progress
from rich.console import Console
from rich.text import Text

from ..pipeline.plan import Plan, describe
from ..pipeline.score import Judge
from ..pipeline.text import counted, printable
from .progress import Progress, duration
from .request import Listener
from .work import slower

EVERY_S = 30.0  # between progress lines where there is no terminal
LOOKING_S = 5.0  # of looking at files before a line says so; small folders take less


class Terminal(Listener):
    """Shows a scan as it goes: bars on a terminal, now and then a line elsewhere.

    Args:
        plan_to: "stdout" when the plan is part of what was asked for, else "stderr".
    """

    def __init__(self, plan_to: str = "stderr") -> None:
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self._plan_to = sys.stdout if plan_to == "stdout" else sys.stderr
        self._stage: _Stage | None = None
        self._slower: str | None = None  # what was said of the network
        self._looking: float | None = None  # since when files are looked at
        self._next_s = LOOKING_S

    def say(self, sentence: str) -> None:
        """One line on stderr, above the bar."""
        self._errors.print(Text(printable(sentence)))

    def loaded(self, judge: Judge) -> None:
        """A line on stderr where the network takes longer than it is meant to; once, however many sides are scanned."""
        sentence = slower(judge)
        if sentence is not None and sentence != self._slower:
            self.say(sentence)
            self._slower = sentence

    def looked(self, looks: int) -> None:
        """A line after the first seconds, and now and then: how much there is to look at nobody knows before."""
        now = time.monotonic()
        self._looking = now if self._looking is None else self._looking
        if (since := now - self._looking) >= self._next_s:
            self._next_s = since + EVERY_S
            self.say(f"finding what belongs together: {counted(looks, 'look')} at files in {duration(since)}")

    def planned(self, plan: Plan) -> None:
        """Print the plan."""
        print(*describe(plan), sep="\n", file=self._plan_to, flush=True)

    @contextlib.contextmanager
    def stage(self, what: str, total: int, work: float | None = None) -> Iterator[None]:
        """A bar for a stretch of work."""
        with _Stage(self._errors, what, Progress(total, work)) as self._stage:
            yield
        self._stage = None

    def advanced(self, videos: int, work: float | None = None) -> None:
        """Move the bar."""
        if self._stage is not None:
            self._stage.advance(videos, work)

    def judged(self, frames: int) -> None:
        """Show that a long ladder is alive."""
        if self._stage is not None:
            self._stage.frames(frames)


class _Stage:
    """One stretch of work on stderr."""

    def __init__(self, console: Console, what: str, at: Progress) -> None:
        self._console, self._what, self._at = console, what, at
        self._told = 0.0  # seconds from the beginning
        text = progress.TextColumn
        self._bar = progress.Progress(
            progress.SpinnerColumn(), text("{task.description}"), progress.BarColumn(), progress.MofNCompleteColumn(),
            text("videos"), progress.TimeElapsedColumn(), text("{task.fields[pace]}"), text("{task.fields[frames]}"),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task(what, total=at.videos, frames="", pace="")

    def __enter__(self) -> _Stage:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, videos: int, work: float | None) -> None:
        at = self._at
        at.advance(videos, work)
        self._bar.update(self._task, completed=at.done, frames="", pace=str(at))
        if not self._console.is_terminal and at.seconds - self._told > EVERY_S:
            self._told = at.seconds
            since = duration(at.seconds)
            self._console.print(
                f"{self._what}: {at.done:,} of {counted(at.videos, 'video')} in {since}, {at}".rstrip(", ")
            )

    def frames(self, frames: int) -> None:
        self._bar.update(self._task, frames=counted(frames, "frame"))
