"""Frames to numbers: each decoded frame is encoded once, judged without a reference, and with one where it has one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .errors import BrokenVideo, TransientVideoError, VideoError
from .lockstep import Taken
from .pictures import Shown, WorstFrames
from .values import RGB, FrameScore, Mode

T = TypeVar("T")


class Judge(Protocol):
    """What measuring needs of a network; `models.judge.Judge` is one. Encoded frames are opaque here."""

    @property
    def model_name(self) -> str: ...  # noqa: D102 - a protocol's members are described by their class

    @property
    def model_sha256(self) -> str: ...  # noqa: D102

    @property
    def engine(self) -> str: ...  # noqa: D102

    @property
    def fallback(self) -> str | None: ...  # noqa: D102

    def encode(self, frames: Sequence[RGB]) -> Sequence[Any]: ...  # noqa: D102

    def nr(self, encoded: Sequence[Any]) -> Sequence[float]: ...  # noqa: D102

    def fr(self, encoded: Sequence[Any], references: Sequence[Any]) -> Sequence[float]: ...  # noqa: D102

    def features(self, pictures: Sequence[RGB]) -> NDArray[np.float32]: ...  # noqa: D102

    def heat_map(self, frame: RGB, reference: RGB | None = None) -> NDArray[np.float32]: ...  # noqa: D102


@dataclass
class Tally:
    """What one video has been given so far. `failure` is final: nothing is added after it."""

    path: str
    start_s: Fraction  # exact presentation time of the stream's first frame, seconds
    worst: WorstFrames
    scores: dict[Mode, list[FrameScore]] = field(default_factory=lambda: {"nr": [], "fr": []})
    decoded: int = 0  # samples whose frame came
    trouble: str | None = None  # why decoding stopped before the last sample
    failure: VideoError | None = None


@dataclass
class _Job:
    """One frame on its way through a batch."""

    tally: Tally
    taken: Taken
    rgb: RGB
    shown: Shown
    encoded: Any = None
    row: FrameScore | None = None  # its score: against the reference if it has one


class Scorer:
    """Adds scores to the tallies of one ladder's videos, a batch of decoded frames at a time, in `in_step`'s order.

    A batch holds frames of all videos; a master's encoded frames stay until the encodes of the same step were compared.
    `references`: by an encode's place, the place its references come from. `seconds` is the time spent in the judge.
    """

    def __init__(self, judge: Judge, tallies: dict[int, Tally], references: Mapping[int, int]) -> None:
        self.seconds = 0.0
        self._judge = judge
        self._tallies = tallies
        self._reference_of = references
        self._masters = set(references.values())
        self._references: dict[tuple[int, int], _Job] = {}  # by place and step

    def add(self, batch: Sequence[Taken]) -> None:
        """Score what was decoded and note what was not."""
        jobs = [job for taken in batch if (job := self._accept(taken)) is not None]
        jobs = self._run(jobs, lambda some: self._judge.encode([j.rgb for j in some]), _set_encoded)

        scored = [j for j in jobs if j.taken.sample.scored]
        self._run(scored, lambda some: self._judge.nr([j.encoded for j in some]), self._note("nr"))

        for job in jobs:
            if job.taken.video in self._masters and job.tally.failure is None:
                self._references[job.taken.video, job.taken.sample.step] = job
        pairs = [j for j in scored if j.taken.sample.paired and self._reference(j) is not None]
        pairs = [j for j in pairs if j.tally.failure is None]
        self._run(
            pairs,
            lambda some: self._judge.fr(
                [j.encoded for j in some], [r.encoded for j in some if (r := self._reference(j)) is not None]
            ),
            self._note("fr"),
        )
        for job in scored:
            self._offer(job)
        last = max((t.sample.step for t in batch), default=0)
        self._references = {key: job for key, job in self._references.items() if key[1] >= last}

    def _reference(self, job: _Job) -> _Job | None:
        """The master's frame this one is compared with."""
        return self._references.get((self._reference_of.get(job.taken.video, job.taken.video), job.taken.sample.step))

    def _accept(self, taken: Taken) -> _Job | None:
        tally = self._tallies[taken.video]
        if taken.error is not None:
            problem = as_video_error(tally.path, taken.error, "decoding")
            if problem.retryable or not tally.decoded:
                tally.failure = tally.failure or problem
            tally.trouble = problem.reason
        if taken.frame is None or tally.failure is not None:
            return None
        tally.decoded += 1
        return _Job(tally, taken, taken.frame.rgb, Shown(taken.frame.rgb))

    def _note(self, mode: Mode) -> Callable[[_Job, float], None]:
        """How to write down one score."""

        def note(job: _Job, score: float) -> None:
            frame = job.taken.frame
            assert frame is not None
            if not math.isfinite(score):
                reason = (
                    f"the network gave no number ({score}, {mode}) for frame {frame.index}: "
                    "its weights do not suit this picture, try another --model"
                )
                job.tally.failure = BrokenVideo(job.tally.path, reason)
                return
            row = FrameScore(frame.index, float(frame.pts_s - job.tally.start_s), float(score), mode)
            job.tally.scores[mode].append(row)
            job.row = row

        return note

    def _offer(self, job: _Job) -> None:
        """Let a scored frame be one of its video's worst."""
        if job.row is not None and job.tally.failure is None:
            reference = self._reference(job) if job.row.mode == "fr" else None
            job.tally.worst.offer(job.row, job.shown, None if reference is None else reference.shown)

    def _run(
        self, jobs: list[_Job], call: Callable[[list[_Job]], Sequence[T]], use: Callable[[_Job, T], None]
    ) -> list[_Job]:
        """Call the judge on all jobs at once; if that fails, one by one, so that only the video at fault has to go."""
        if not jobs:
            return []
        began, problem = time.perf_counter(), None
        results: list[T] = []
        try:
            results = list(call(jobs))
            if len(results) != len(jobs):
                raise ValueError(f"{len(results)} answers for {len(jobs)} frames")
        except Exception as error:
            problem = error
        self.seconds += time.perf_counter() - began
        if problem is not None and len(jobs) > 1:
            return [done for job in jobs for done in self._run([job], call, use)]
        if problem is not None:
            jobs[0].tally.failure = as_video_error(jobs[0].tally.path, problem, "judging")
            return []
        for job, result in zip(jobs, results, strict=True):
            if job.tally.failure is None:
                use(job, result)
        return [job for job in jobs if job.tally.failure is None]


def _set_encoded(job: _Job, encoded: Any) -> None:
    job.encoded = encoded


def as_video_error(path: str, error: Exception, doing: str) -> VideoError:
    """Any exception as an error of this video. What nobody foresaw may have passing reasons: worth a retry."""
    if isinstance(error, VideoError):
        return error
    said = str(error).strip().splitlines()
    if isinstance(error, MemoryError):
        where = f" ({said[0]})" if said else ""
        return TransientVideoError(path, f"memory ran out while {doing}{where}; fewer --workers leave more to each")
    what = type(error).__name__ + (f": {said[0]}" if said else "")
    return TransientVideoError(path, f"unexpected error while {doing} ({what})")
