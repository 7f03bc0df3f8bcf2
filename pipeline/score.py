"""Frames to numbers: each decoded frame is encoded once, judged without a reference, and with one where it has one."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..models.own_raster import Part
from .align import Sample
from .errors import BrokenVideo, VideoError, as_video_error
from .lockstep import Taken
from .own_raster import Looked, with_own
from .pictures import Shown, WorstFrames
from .turns import WHOLE, Turn, Turns
from .values import RGB, Frame, FrameScore, Mode

T = TypeVar("T")
UNSUITED = "its weights do not suit this picture, try another --model"


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

    def joined(self, said: Any, before: Any) -> Any | None: ...  # noqa: D102

    @property
    def sees_own(self) -> bool: ...  # noqa: D102

    def own(self, pictures: Sequence[RGB], octaves: Sequence[float]) -> Sequence[Part]: ...  # noqa: D102

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
    looks: list[Looked] = field(default_factory=list)  # at pictures as stored, of each score in "nr" that has one
    decoded: int = 0  # samples whose frame came
    trouble: str | None = None  # why decoding stopped before the last sample
    failure: VideoError | None = None


@dataclass
class _Job:
    """One frame on its way through a batch."""

    tally: Tally
    video: int
    sample: Sample
    frame: Frame
    shown: Shown
    turn: Turn  # how it is looked at
    encoded: Any = None
    pair: Turn = WHOLE  # how it is compared
    beside: Any = None  # its reference, encoded
    row: FrameScore | None = None  # its score: against the reference if it has one


class _Judged(NamedTuple):
    """What the network says of a frame in one mode."""

    said: Any  # of all places
    span_s: float  # how old half of that is
    score: float
    look: Looked | None = None  # what of that is of the picture as stored


class Scorer:
    """Adds scores to the tallies of one ladder's videos, a batch of decoded frames at a time, in `in_step`'s order.

    A batch holds frames of all videos; a master's encoded frames stay until the encodes of the same step were compared.
    Frames are looked at in `turns`: what a video scores depends on its own samples alone, and on its master's pictures.
    `references`: by an encode's place, the place its references come from. `seconds` is the time spent in the judge.
    """

    def __init__(self, judge: Judge, tallies: dict[int, Tally], references: Mapping[int, int]) -> None:
        self.seconds = 0.0
        self._judge = judge
        self._tallies = tallies
        self._reference_of = references
        self._masters = set(references.values())
        self._references: dict[tuple[int, int], _Job] = {}  # by place and step
        self._turns: dict[tuple[int, Mode | None], Turns] = defaultdict(Turns)  # without a mode: frames not scored

    def add(self, batch: Sequence[Taken]) -> None:
        """Score what was decoded and note what was not."""
        jobs = [job for taken in batch if (job := self._accept(taken)) is not None]
        jobs = self._run(jobs, self._encoded, _set_encoded)

        scored = [j for j in jobs if j.sample.scored]
        self._run(scored, partial(self._judged, "nr"), partial(self._note, "nr"))

        for job in jobs:
            if job.video in self._masters and job.tally.failure is None:
                self._references[job.video, job.sample.step] = job
        pairs = self._paired([j for j in scored if j.sample.paired and j.tally.failure is None])
        self._run(pairs, partial(self._judged, "fr"), partial(self._note, "fr"))
        for job in scored:
            self._offer(job)
        last = max((t.sample.step for t in batch), default=0)
        self._references = {key: job for key, job in self._references.items() if key[1] >= last}

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
        turn = self._turns[taken.video, "nr" if sample.scored else None].take(sample.half, frame.pts_s, frame.shot)
        return _Job(tally, taken.video, sample, frame, Shown(frame.rgb), turn)

    def _encoded(self, jobs: list[_Job]) -> Sequence[Any]:
        return self._judge.encode([job.frame.rgb for job in jobs], [job.turn.half for job in jobs])

    def _reference(self, job: _Job) -> _Job | None:
        """The master's frame this one is compared with."""
        return self._references.get((self._reference_of.get(job.video, job.video), job.sample.step))

    def _paired(self, jobs: list[_Job]) -> list[_Job]:
        """Those that have a reference, with it: a pair is looked at where the reference is."""
        pairs, otherwise = [job for job in jobs if self._reference(job) is not None], []
        for job in pairs:
            reference = self._reference(job)
            assert reference is not None
            job.pair = self._turns[job.video, "fr"].take(job.sample.half, job.frame.pts_s, job.frame.shot)
            job.beside = reference.encoded
            if reference.turn.half != job.pair.half:  # seldom: a frame before had no reference, or rates differ
                otherwise.append(job)
        self._run(otherwise, self._references_in_turn, _set_beside)
        return [job for job in pairs if job.tally.failure is None]

    def _references_in_turn(self, jobs: list[_Job]) -> Sequence[Any]:
        frames = [reference.frame.rgb for job in jobs if (reference := self._reference(job)) is not None]
        return self._judge.encode(frames, [job.pair.half for job in jobs])

    def _judged(self, mode: Mode, jobs: list[_Job]) -> list[_Judged]:
        """What the network says of frames: of half of their places now, of the other half a frame before."""
        said = self._judge.say([j.encoded for j in jobs], None if mode == "nr" else [j.beside for j in jobs])
        last = {job.video: self._turns[job.video, mode].said for job in jobs}
        found = []
        for job, now in zip(jobs, said, strict=False):  # `_run` counts the answers
            turn = job.turn if mode == "nr" else job.pair
            both = now if turn.half is None else self._judge.joined(now, last[job.video])
            if both is None:  # the places before were others
                both = now = self._anew(mode, job)
            last[job.video] = both
            found.append(_Judged(both, 0.0 if both is now else turn.span_s, self._judge.score(both)))
        if mode == "fr":
            return found
        frames, scores = [(j.video, j.frame) for j in jobs[: len(found)]], [each.score for each in found]
        known = {place: tally.looks[-1] for place, tally in self._tallies.items() if tally.looks}
        looked = with_own(self._judge.own, frames, scores, known)
        return [each._replace(score=score, look=look) for each, (score, look) in zip(found, looked, strict=True)]

    def _anew(self, mode: Mode, job: _Job) -> Any:
        """What the network says of a frame at all of its places."""
        reference = None if mode == "nr" else self._reference(job)
        whole = self._judge.encode([(reference or job).frame.rgb], [None])
        return (self._judge.say(whole) if reference is None else self._judge.say([job.encoded], whole))[0]

    def _note(self, mode: Mode, job: _Job, judged: _Judged) -> None:
        """Write down one score."""
        self._turns[job.video, mode].said = judged.said
        if judged.look is not None:
            job.tally.looks.append(judged.look)
        frame, score = job.frame, judged.score
        if not math.isfinite(score):
            reason = f"the network gave no number ({score}, {mode}) for frame {frame.index}: {UNSUITED}"
            job.tally.failure = BrokenVideo(job.tally.path, reason)
            return
        time_s = float(frame.pts_s - job.tally.start_s)
        job.row = FrameScore(frame.index, time_s, float(score), mode, frame.shot, judged.span_s)
        job.tally.scores[mode].append(job.row)

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
        began, problem, results = time.perf_counter(), None, list[T]()
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
