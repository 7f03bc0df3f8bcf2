"""What a scan is asked, whom it tells, and what it answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..pipeline.discover import Plan
from ..pipeline.score import Judge
from ..pipeline.settings import Settings
from ..pipeline.values import ClipScore
from .work import Done, Lost

End = Literal["finished", "interrupted", "failed"]


@dataclass(frozen=True)
class Request:
    """What to scan, and how."""

    root: str  # folder, file or URI
    out: str  # folder of the results, or URI of one in a bucket
    settings: Settings = field(default_factory=Settings)
    reference: str | None = None  # the master of what is scanned, where names do not say it
    mapping: str | None = None  # CSV or JSON file that says which videos belong together
    resume: bool = True  # False: measure again what is known
    workers: int | None = None  # None: one a core where that pays; 0: in this process, without Ray
    address: str | None = None  # of a Ray cluster
    isolate: bool = False  # in workers whatever it costs: one was lost before
    budget: str | None = None  # "90min" or "5000frames": a first look at all, closer ones as far as this goes
    command: str = "yoto_video.scan"  # as it stands in `runs`


@dataclass(frozen=True)
class ScanResult:
    """What a scan came to. Rows are those of the videos it found, measured now or known before."""

    out: Path | str  # a URI where the results are in a bucket
    report: Path | str  # index.html
    clips: list[ClipScore]
    measured: int  # rows measured by this scan
    up_to_date: int  # rows that an earlier one had measured
    seconds: dict[str, float]  # by stage, summed over workers; "wall" is the whole scan's
    bytes_read: int | None = None  # from object stores; None where the videos are in none
    bytes_stored: int | None = None  # of the videos there
    outdated: int = 0  # videos that a budget did not reach and that keep what was measured otherwise

    @property
    def ok(self) -> int:
        """Rows that were scored."""
        return count(self.clips, "ok")

    @property
    def skipped(self) -> int:
        """Rows of files in which there is nothing to score."""
        return count(self.clips, "skipped")

    @property
    def failed(self) -> int:
        """Rows of files that could not be scored."""
        return count(self.clips, "failed")


STATUSES = {"ok": "scored", "skipped": "skipped", "failed": "failed"}  # as results have them, and in words


def count(clips: Sequence[ClipScore], status: str) -> int:
    """Rows with a status: "ok", "skipped" or "failed"."""
    return sum(clip.status == status for clip in clips)


def below(clips: Sequence[ClipScore], threshold: float) -> list[ClipScore]:
    """Rows that fail a quality gate: their score is below the threshold."""
    return [clip for clip in gated(clips) if clip.score is not None and clip.score < threshold]


def gated(clips: Sequence[ClipScore]) -> list[ClipScore]:
    """The rows that quality gates are about: a video's FR row where it has one, else its NR row.

    Masters are what encodes are made from, not encodes: a ladder's master is not gated.
    """
    compared = {clip.path for clip in clips if clip.mode == "fr" and clip.status == "ok"}
    return [c for c in clips if c.score is not None and not c.is_master and (c.mode == "fr" or c.path not in compared)]


class Listener:
    """Told what goes on, and passes it on to the others that it was made with; subclasses do more."""

    _others: tuple[Listener, ...] = ()

    def __init__(self, *others: Listener) -> None:
        self._others = others

    def say(self, sentence: str) -> None:
        """Something worth knowing."""
        for one in self._others:
            one.say(sentence)

    def loaded(self, judge: Judge) -> None:
        """A network is ready; whoever speaks says where it takes longer than it is meant to."""
        for one in self._others:
            one.loaded(judge)

    def looked(self, looks: int) -> None:
        """So many looks were taken at files, to find what belongs together; maybe from several threads."""
        for one in self._others:
            one.looked(looks)

    def planned(self, plan: Plan) -> None:
        """What was found."""
        for one in self._others:
            one.planned(plan)

    def known(self, rows: Sequence[ClipScore]) -> None:
        """Rows that an earlier scan measured and that hold."""
        for one in self._others:
            one.known(rows)

    @contextlib.contextmanager
    def stage(self, what: str, total: int, work: float | None = None) -> Iterator[None]:
        """A stretch over `total` videos with so much work in them; over when the context is left, however that is."""
        with contextlib.ExitStack() as stack:
            for one in self._others:
                stack.enter_context(one.stage(what, total, work))
            yield

    def advanced(self, videos: int, work: float | None = None) -> None:
        """So many more videos of the stage are done, and so much of its work."""
        for one in self._others:
            one.advanced(videos, work)

    def measured(self, done: Done) -> None:
        """A task's rows are committed."""
        for one in self._others:
            one.measured(done)

    def lost(self, lost: Lost) -> None:
        """A task came back without results: its videos are tried again, or get rows that say why."""
        for one in self._others:
            one.lost(lost)

    def judged(self, frames: int) -> None:
        """Frames judged so far of the ladder in hand; told in-process only, and from another thread."""
        for one in self._others:
            one.judged(frames)

    def ended(self, how: End, result: ScanResult | None = None, reason: str | None = None) -> None:
        """The scan is over; `reason` says why it failed."""
        for one in self._others:
            one.ended(how, result, reason)
