"""Which frames of a ladder stand for which: sampled instants to frames, frames of an encode to those of its master.

Instants are counted from each stream's own first frame; an encode's are put on its master's clock by the offset and
speed that `match` found. A pair is two frames whose instants differ by at most half a frame, never two frames of the
same index. What the frames of one video are depends on that video and its master alone, so a result stays true when
other rungs are added to the ladder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from . import sample, tone
from .findings import Finding
from .packet_table import frame_gap
from .values import VideoInfo

_SLOWER = Fraction(11, 10)  # frames that last this much longer than the master's: some of its frames were left out
_LARGER = 1.1  # times the master's sides: less than from any rung of usual ladders to the next


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame to decode.

    `step` orders the frames of all videos of a ladder: with a master it is the index of the master's frame shown at
    this instant, else the sample's own number. Samples of one video ascend in both `step` and `frame`.
    """

    step: int
    frame: int  # 0-based index in its own stream
    paired: bool = False  # the master's frame `step` shows the same instant, within half a frame
    scored: bool = True  # False for a master's frame that is only needed as a reference
    half: int = 0  # 0 or 1, in turns: which of its places it is to be looked at (`turns`)


@dataclass(frozen=True, slots=True)
class Clock:
    """An encode's time by its master's: offset + ratio x encode time, seconds from the first frame of each."""

    offset: Fraction = Fraction(0)  # positive: the encode lacks the master's beginning
    ratio: Fraction = Fraction(1)  # seconds of the master in a second of the encode
    steps: tuple[tuple[Fraction, Fraction], ...] = ()  # encode times from which on the master is so much further

    def of_master(self, time: Fraction) -> Fraction:
        """The master's time when the encode's is `time`."""
        return self.offset + self.ratio * time + sum(skip for at, skip in self.steps if time >= at)

    def of_encode(self, time: Fraction) -> Fraction:
        """The encode's time when the master's is `time`: the first, or that of the step that left it out."""
        found = (time - self.offset) / self.ratio
        for at, skip in self.steps:
            if found < at:
                break
            found = max(at, found - skip / self.ratio)
        return found


ALIKE = Clock()


@dataclass(frozen=True)
class Pairing:
    """The samples of one encode against its master, and how many of the master's instants found no frame in it."""

    samples: list[Sample]
    wanted: int  # instants looked for
    unpaired: int  # of these, without a frame within half a frame


def span(times: Sequence[Fraction]) -> Fraction:
    """From the first frame's appearance to the last one's disappearance, seconds."""
    return times[-1] - times[0] + frame_gap(times)


def own_samples(times: Sequence[Fraction], *, fps: float, min_frames: int, seed: int) -> list[Sample]:
    """The frames a stream is sampled at when nothing else decides; `step` counts them."""
    frames = sample.choose_frames(times, span(times), fps=fps, min_frames=min_frames, seed=seed)
    return [Sample(step=number, frame=frame, half=number % 2) for number, frame in enumerate(frames)]


def pair_with_master(
    times: Sequence[Fraction],
    master_times: Sequence[Fraction],
    chosen: Sequence[int],
    clock: Clock = ALIKE,
) -> Pairing:
    """Match an encode to its master.

    The encode answers each of the master's frames with its own frame nearest in time: a pair when the two lie within
    half a frame (the shorter of the two rates'), and otherwise a frame to judge without reference. An encode at a lower
    rate (30 of 60) lacks every second frame of the master: there the master first moves to the frame nearest to one
    that the encode has, or half of the pairs would be one frame off.

    Args:
        times, master_times: presentation times of all frames, ascending, seconds.
        chosen: indices of the master's sampled frames, ascending.
        clock: how the two lie beside each other.
    """

    def on_masters_clock(time: Fraction) -> Fraction:
        return master_times[0] + clock.of_master(time - times[0])

    def on_its_own(moment: Fraction) -> Fraction:
        return times[0] + clock.of_encode(moment - master_times[0])

    halves = {frame: number % 2 for number, frame in enumerate(chosen)}
    gap, master_gap = clock.ratio * frame_gap(times), frame_gap(master_times)
    if gap > _SLOWER * master_gap > 0:
        wished = [master_times[i] for i in chosen]
        kept = sample.nearest_frames(
            times, [on_its_own(t) for t in wished], frame_gap(times)
        )  # the last is shown so long
        moved = [t if i is None else on_masters_clock(times[i]) for t, i in zip(wished, kept, strict=True)]
        nearby = sample.nearest_frames(master_times, moved)
        halves = {i: number % 2 for number, i in enumerate(nearby) if i is not None}
        chosen = sorted(halves)
    moments = [master_times[i] for i in chosen]
    tolerance = min((g for g in (gap, master_gap) if g), default=Fraction(0)) / 2
    due = [on_its_own(moment) for moment in moments]
    pairs = sample.nearest_frames(times, due, tolerance / clock.ratio)
    if clock.steps:  # what one of them left out has no frame
        alike = [
            i is not None and abs(on_masters_clock(times[i]) - t) <= tolerance
            for i, t in zip(pairs, moments, strict=True)
        ]
        pairs = [i if one else None for i, one in zip(pairs, alike, strict=True)]
    nearest = sample.nearest_frames(times, due)
    start, end = on_masters_clock(times[0]), on_masters_clock(times[-1]) + gap

    samples: list[Sample] = []
    for step, moment, pair, near in zip(chosen, moments, pairs, nearest, strict=True):
        if near is None or not start - tolerance <= moment <= end:  # not begun, or ended
            continue
        new = Sample(step=step, frame=near, paired=pair is not None, half=halves[step])
        if samples and samples[-1].frame == near:  # one row a frame, with its reference if it has one
            if samples[-1].paired or not new.paired:
                continue
            samples.pop()
        samples.append(new)
    return Pairing(samples, wanted=len(chosen), unpaired=len(chosen) - sum(s.paired for s in samples))


def outside(
    own: Sequence[Sample],
    times: Sequence[Fraction],
    master_times: Sequence[Fraction],
    clock: Clock = ALIKE,
) -> list[Sample]:
    """Of an encode's own samples those that lie before or after all that its master shows: it lasts longer.

    By less than half of what lies between two samples it may. Steps before and after the master's order them.

    Args:
        own: as if it had no master.
        times, master_times, clock: as for `pair_with_master`.
    """
    slack = max(frame_gap([times[s.frame] for s in own]) / 2, frame_gap(times))
    first = times[0] + clock.of_encode(Fraction(0)) - slack
    last = times[0] + clock.of_encode(span(master_times)) + slack
    before, after = [s for s in own if times[s.frame] < first], [s for s in own if times[s.frame] > last]
    early = [replace(s, step=k - len(before)) for k, s in enumerate(before)]
    return early + [replace(s, step=len(master_times) + k) for k, s in enumerate(after)]


def master_samples(chosen: Sequence[int], encodes: Iterable[Sequence[Sample]]) -> list[Sample]:
    """What to decode of the master: its own sampled frames, and every frame an encode is paired with."""
    needed = {s.step: s.half for samples in encodes for s in samples if s.paired}
    mine = {frame: number % 2 for number, frame in enumerate(chosen)}
    return [Sample(step=i, frame=i, scored=i in mine, half=half) for i, half in sorted((needed | mine).items())]


def why_not_comparable(info: VideoInfo, master: VideoInfo) -> str | None:
    """Why this encode cannot be compared with this master, one sentence; None when it can."""
    if info.still != master.still:
        kinds = {True: "a still picture", False: "a video"}
        return f"not compared with its master: this is {kinds[info.still]}, the master {kinds[master.still]}"
    mine, theirs = _light(info), _light(master)
    if mine == theirs:
        return None
    return f"not compared with its master: this is {mine}, the master {theirs}: equal values stand for other light"


def smaller_master(info: VideoInfo, master: VideoInfo) -> list[Finding]:
    """A finding where both sides of the master, turned or not, are clearly the shorter ones: bars and cuts change one.

    As where the two were exchanged: FR then says nothing of the encode.
    """
    mine, theirs = sorted((info.width, info.height)), sorted((master.width, master.height))
    if any(own < _LARGER * other for own, other in zip(mine, theirs, strict=True)):
        return []
    sizes = f"{master.width}x{master.height} against {info.width}x{info.height}"
    said = f"its master is stored smaller than it, {sizes}: the two may have been exchanged"
    return [Finding(said, "smaller_master", "warning")]


def _light(info: VideoInfo) -> str:
    return f"HDR ({tone.HDR[info.color_transfer]})" if info.color_transfer in tone.HDR else "SDR"
