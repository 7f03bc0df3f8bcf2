"""Frames to numbers: each decoded frame is encoded once, judged without a reference, and with one where it has one."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .errors import BrokenVideo, TransientVideoError, VideoError
from .lockstep import Taken
from .pictures import Shown, WorstFrames
from .turns import WHOLE, Turn, Turns
from .values import RGB, Frame, FrameScore, Mode

T = TypeVar("T")


class Judge(Protocol):
    """What measuring needs of a network; `models.judge.Judge` is one. What it encodes and says is opaque here."""

    @property
    def model_name(self) -> str: ...  # noqa: D102 - a protocol's members are described by their class

    @property
    def model_sha256(self) -> str: ...  # noqa: D102

    @property
    def engine(self) -> str: ...  # noqa: D102

    @property
    def fallback(self) -> str | None: ...  # noqa: D102

    def encode(self, frames: Sequence[RGB], turns: Sequence[int | None]) -> Sequence[Any]: ...  # noqa: D102

    def say(self, encoded: Sequence[Any], references: Sequence[Any] | None = None) -> Sequence[Any]: ...  # noqa: D102

    def joined(self, said: Any, before: Any) -> Any: ...  # noqa: D102

    def score(self, said: Any) -> float: ...  # noqa: D102

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
    frame: Frame
    shown: Shown
    turn: Turn  # how it is looked at
    encoded: Any = None
    beside: Any = None  # its reference, encoded
    pair: Turn = WHOLE  # how it is compared
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
        self._step, self._half = -1, 0  # the last one, and whose turn it is
        self._turns: dict[tuple[int, Mode | None], Turns] = defaultdict(Turns)  # without a mode: frames not scored

    def add(self, batch: Sequence[Taken]) -> None:
        """Score what was decoded and note what was not."""
        jobs = [job for taken in batch if (job := self._accept(taken)) is not None]
        jobs = self._run(jobs, self._encoded, _set_encoded)

        scored = [j for j in jobs if j.taken.sample.scored]
        self._run(scored, lambda some: self._judge.say([j.encoded for j in some]), self._note("nr"))

        for job in jobs:
            if job.taken.video in self._masters and job.tally.failure is None:
                self._references[job.taken.video, job.taken.sample.step] = job
        pairs = self._beside([j for j in scored if j.taken.sample.paired and j.tally.failure is None])
        self._run(
            pairs, lambda some: self._judge.say([j.encoded for j in some], [j.beside for j in some]), self._note("fr")
        )
        for job in scored:
            self._offer(job)
        last = max((t.sample.step for t in batch), default=0)
        self._references = {key: job for key, job in self._references.items() if key[1] >= last}

    def _encoded(self, jobs: list[_Job]) -> Sequence[Any]:
        return self._judge.encode([job.frame.rgb for job in jobs], [job.turn.half for job in jobs])

    def _reference(self, job: _Job) -> _Job | None:
        """The master's frame this one is compared with."""
        return self._references.get((self._reference_of.get(job.taken.video, job.taken.video), job.taken.sample.step))

    def _beside(self, jobs: list[_Job]) -> list[_Job]:
        """Those that have a reference, with it: a pair is looked at where its reference was."""
        pairs = [job for job in jobs if self._reference(job) is not None]
        for job in pairs:
            reference = self._reference(job)
            assert reference is not None
            turns = self._turns[job.taken.video, "fr"]
            job.pair = turns.take(reference.turn.half, job.frame.pts_s, cut=reference.frame.cut)
            # Where nothing fresh is known of the pair's other half (a frame had no reference, say), all is looked at.
            job.beside = reference.encoded if job.pair.half == reference.turn.half else None
        whole = [job for job in pairs if job.beside is None]
        self._run(whole, self._encoded_whole, _set_beside)
        return [job for job in pairs if job.tally.failure is None]

    def _encoded_whole(self, jobs: list[_Job]) -> Sequence[Any]:
        """Their references, all places."""
        frames = [r.frame.rgb for job in jobs if (r := self._reference(job)) is not None]
        return self._judge.encode(frames, [None] * len(frames))

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
        frame, sample = taken.frame, taken.sample
        if sample.step != self._step:
            self._step, self._half = sample.step, 1 - self._half
        turns = self._turns[taken.video, "nr" if sample.scored else None]
        turn = turns.take(self._half, frame.pts_s, cut=frame.cut)
        return _Job(tally, taken, frame, Shown(frame.rgb), turn)

    def _note(self, mode: Mode) -> Callable[[_Job, Any], None]:
        """How to write down what the network says of a frame in one mode."""

        def note(job: _Job, said: Any) -> None:
            frame, turns = job.frame, self._turns[job.taken.video, mode]
            both = said
            if (turn := job.turn if mode == "nr" else job.pair).half is not None:
                both = self._judge.joined(said, turns.said)
            turns.said, score = both, self._judge.score(both)
            if not math.isfinite(score):
                reason = (
                    f"the network gave no number ({score}, {mode}) for frame {frame.index}: "
                    "its weights do not suit this picture, try another --model"
                )
                job.tally.failure = BrokenVideo(job.tally.path, reason)
                return
            time_s, span_s = float(frame.pts_s - job.tally.start_s), 0.0 if both is said else turn.span_s
            row = FrameScore(frame.index, time_s, float(score), mode, span_s=span_s)
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


def _set_beside(job: _Job, encoded: Any) -> None:
    job.beside = encoded


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
