"""One encode laid over its master in time and space, or the reason why it cannot be.

The head of both is looked at first, only as far as it takes: one and a half seconds where an encode begins with its
master and something moves. Then one place far behind, for drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from . import geometry, timeline
from .align import Sample
from .colour import Orientation
from .geometry import TURNS, UPRIGHT, View
from .luma import HEIGHT, WHOLE, WIDTH, Rect, Sight, Stretch, resample
from .timeline import SURE, Offset
from .values import Finding

WINDOWS_S = (1.5, 4.5, 14.0)  # of the head, one after the other until the offset is sure
LEAST_AGREEMENT = 0.5  # of the pictures' structure, below which two videos are held to show different things
_SOON = 0.85  # agreement with which a shorter window is enough
_VECTOR = (32, 18)  # (width, height) of the pictures that the search in time compares
_FAR_S = 15.0  # a common length from which drift is looked for
_LATE_S, _AROUND_S = 1.0, 1.0  # of the encode looked at there, and of the master before and after
_FEW = 5  # pairs of frames by which pictures are laid over each other


@dataclass(frozen=True)
class Laid:
    """One try: the encode turned, one area on another, at the best offset."""

    turn: Orientation
    area: Rect
    part: Rect  # of the master
    offset: Offset
    agreement: float

    @property
    def bars(self) -> bool:
        """True where only a part of one of them shows what the other shows."""
        return self.area != WHOLE or self.part != WHOLE


@dataclass(frozen=True)
class Match:
    """How frames of an encode and its master correspond: master time = offset + ratio x encode time.

    Times count from each video's first frame. `reason` says why there is no correspondence.
    """

    offset: Fraction = Fraction(0)  # seconds; positive: the encode lacks the master's beginning
    ratio: Fraction = Fraction(1)  # seconds of the master in a second of the encode
    confidence: float | None = None  # 0 to 1; None: nothing in the pictures to go by
    view: View | None = None  # how the encode is read; None: as it stands
    master_view: View | None = None  # the same of the master
    laid: Laid | None = None  # what it was found by
    uneven: bool = False  # frames were repeated or left out: pairs are to be looked for by content
    findings: tuple[str | Finding, ...] = ()  # a plain sentence is a note
    reason: str | None = None


def match(
    encode: Sight, master: Sight, raster: tuple[int, int], size: tuple[int, int], rates: tuple[Fraction, Fraction]
) -> Match:
    """Lay an encode over its master.

    Args:
        encode, master: the videos.
        raster: (width, height) the master's whole picture is judged at.
        size: (width, height) the encode is shown at.
        rates: nominal frames a second of encode and master; 0 for a still picture.
    """
    gap = min((g for g in (_gap(encode), _gap(master)) if g), default=0.04)
    ratios = _ratios(encode, master, rates)
    laid: Laid | None = None
    seen = (0, 0)
    for seconds in WINDOWS_S:
        mine, theirs = encode.head(seconds), master.head(seconds)
        if seen == (len(mine.times), len(theirs.times)):
            break  # there is no more of them
        seen = (len(mine.times), len(theirs.times))
        if not all(seen):
            break
        soon = seconds < WINDOWS_S[-1]
        laid = _lay(mine, theirs, ratios, gap, share=0.6 if seconds == WINDOWS_S[0] else 0.2)
        if soon and laid is not None and laid.offset.sure and laid.agreement >= _SOON:
            break
    if laid is None:
        return Match(findings=("nothing shows in its first seconds: laid over its master at equal start",))
    return _judged(encode, master, mine, theirs, laid, ratios, gap, raster, size)


def _judged(
    encode: Sight, master: Sight, mine: Stretch, theirs: Stretch, laid: Laid, ratios: list[Fraction], gap: float,
    raster: tuple[int, int], size: tuple[int, int],
) -> Match:  # fmt: skip
    elsewhere = laid.offset.over_start >= SURE
    if not laid.offset.sure and not elsewhere:
        laid = replace(laid, offset=replace(laid.offset, offset_s=0.0, ratio=1.0, unique=0.0, uneven=0.0))
    laid = _registered(mine, theirs, laid, gap, raster, size)
    undetermined = not laid.offset.sure
    agreement = max(0.0, min(1.0, laid.agreement))
    confidence = agreement * (0.7 if undetermined else 1.0)
    if agreement < LEAST_AGREEMENT:
        said = f"not compared with its master: they do not show the same pictures (agreement {agreement:.2f} of 1)"
        return Match(confidence=confidence, reason=said)
    if undetermined and elsewhere:
        said = "not compared with its master: several offsets in time fit alike, or none surely"
        return Match(confidence=min(confidence, 0.3), reason=said)
    findings: list[str | Finding] = []
    ratio = min(ratios, key=lambda r: abs(float(r) - laid.offset.ratio))
    shift = laid.offset.offset_s
    if undetermined:
        findings.append("too little moves to find its offset in time: laid over its master at equal start")
    else:
        far = _late(encode, master, laid, ratios, gap)
        if isinstance(far, str):
            return Match(confidence=min(confidence, 0.3), reason=far)
        if far is not None:
            ratio = far
    frame = _gap(master) or gap
    if abs(shift) < 0.2 * gap:
        shift = 0.0
    if shift:
        frames = round(shift / frame)
        way = "after" if shift > 0 else "before"
        said = f"starts {abs(frames)} frames ({abs(shift):.2f} s) {way} its master"
        findings.append(Finding(said, "offset", "warning"))
    if ratio != 1:
        findings.append(Finding(f"plays {float(ratio):.4f} times as fast as its master", "speed", "warning"))
    uneven = laid.offset.uneven > 0.02
    if uneven:
        said = "repeats or leaves out frames of its master: pairs were looked for by content"
        findings.append(Finding(said, "pairing", "warning"))
    findings += _levels(mine, theirs, laid)
    view, master_view, said_of_space = _views(laid, raster, size)
    return Match(
        offset=Fraction(shift).limit_denominator(90000),
        ratio=ratio,
        confidence=confidence,
        view=view,
        master_view=master_view,
        laid=laid,
        uneven=uneven,
        findings=(*findings, *said_of_space),
    )


def _gap(sight: Sight) -> float:
    return float(np.median(np.diff(sight.times))) if len(sight.times) > 1 else 0.0


def _ratios(encode: Sight, master: Sight, rates: tuple[Fraction, Fraction]) -> list[Fraction]:
    """Speeds worth trying: equal, frame by frame at another rate, the whole length in another."""
    found = [Fraction(1)]
    spans = [s.times[-1] + _gap(s) for s in (encode, master)]
    if rates[0] and rates[1]:
        found.append(rates[0] / rates[1])
    if spans[0] and abs(spans[1] / spans[0] - 1) > 0.002:
        found.append(Fraction(spans[1] / spans[0]).limit_denominator(5000))
    usable = [r for r in found if Fraction(4, 5) < r < Fraction(5, 4)]
    return sorted(set(usable), key=usable.index)


def _lay(mine: Stretch, theirs: Stretch, ratios: Sequence[Fraction], gap: float, *, share: float) -> Laid | None:
    """The try whose pictures agree best; turned ones only where none upright agrees."""
    speeds = [float(r) for r in ratios]
    best: Laid | None = None
    upright, lit = geometry.active_area(mine.luma), geometry.active_area(theirs.luma)
    for turn in TURNS:
        if turn != UPRIGHT and (best is None or best.agreement > LEAST_AGREEMENT or mine.times[-1] > WINDOWS_S[1]):
            break
        small, area = geometry.turned(mine.small, turn), geometry.turned_rect(upright, turn)
        tries = [(WHOLE, WHOLE)]
        if max(abs(a - b) for a, b in zip(area, lit, strict=True)) > 1.5:
            tries.append((area, lit))
        for one, two in tries:
            found = timeline.search(
                timeline.see(mine.times, resample(small, one, _VECTOR)),
                timeline.see(theirs.times, resample(theirs.small, two, _VECTOR)),
                speeds, gap=gap, share=share,
            )  # fmt: skip
            if found is None:
                continue
            a, b = _some_pairs(mine, theirs, found)
            agreed = geometry.agreement(geometry.turned(mine.luma[a], turn), theirs.luma[b], one, two)
            if best is None or agreed > best.agreement + 0.02:
                best = Laid(turn, one, two, found, agreed)
    return best


def _some_pairs(mine: Stretch, theirs: Stretch, offset: Offset) -> tuple[list[int], list[int]]:
    """A few corresponding frames of both, spread over the stretch, those that show most."""
    moments = offset.offset_s + offset.ratio * mine.times
    near = np.abs(theirs.times[None, :] - moments[:, None]).argmin(axis=1)
    step = float(np.median(np.diff(theirs.times))) if len(theirs.times) > 1 else 1.0
    inside = np.flatnonzero(np.abs(theirs.times[near] - moments) <= 0.75 * step)
    if not len(inside):
        inside = np.arange(1)
    strength = mine.small.std(axis=(1, 2))
    groups = np.array_split(inside, min(_FEW, len(inside)))
    chosen = [int(g[strength[g].argmax()]) for g in groups]
    return chosen, [int(near[i]) for i in chosen]


def _registered(
    mine: Stretch, theirs: Stretch, laid: Laid, gap: float, raster: tuple[int, int], size: tuple[int, int]
) -> Laid:
    """The same with its areas fitted exactly, where they do not fit already."""
    chosen, near = _some_pairs(mine, theirs, laid.offset)
    a, b = geometry.turned(mine.luma[chosen], laid.turn), theirs.luma[near]
    part, first, last = geometry.register(a, b, laid.area, laid.part)
    # What the coarser of the two pictures can show.
    shown = size[::-1] if laid.turn.transpose else size
    pixel = np.array([WIDTH / min(shown[0], raster[0]), HEIGHT / min(shown[1], raster[1])] * 2)
    off = np.abs(np.array(part) - np.array(laid.part)) / pixel
    if off.max() <= 0.75 or 1 - first < 1.1 * (1 - last):
        return laid if laid.bars else Laid(laid.turn, WHOLE, WHOLE, laid.offset, laid.agreement)
    agreed = geometry.agreement(a, b, laid.area, part)
    offset = laid.offset
    again = timeline.search(
        timeline.see(mine.times, resample(geometry.turned(mine.small, laid.turn), laid.area, _VECTOR)),
        timeline.see(theirs.times, resample(theirs.small, part, _VECTOR)),
        [offset.ratio], gap=gap, share=0.2,
    )  # fmt: skip
    if again is not None and again.sure and not (offset.sure and abs(again.offset_s - offset.offset_s) > 3 * gap):
        offset = again
    return Laid(laid.turn, laid.area, part, offset, agreed)


def _levels(mine: Stretch, theirs: Stretch, laid: Laid) -> list[str]:
    """A finding where luma is the master's through the map between limited and full range, to a few levels.

    Nothing is undone: viewers see these levels too.
    """
    chosen, near = _some_pairs(mine, theirs, laid.offset)
    shown = resample(geometry.turned(mine.luma[chosen], laid.turn), laid.area, _VECTOR).ravel()
    wanted = resample(theirs.luma[near], laid.part, _VECTOR).ravel()
    inside = (shown > 8) & (shown < 247) & (wanted > 8) & (wanted < 247)  # what was not clipped
    if inside.sum() < 100 or wanted[inside].std() < 10:
        return []
    gain, lift = (float(v) for v in np.polyfit(wanted[inside], shown[inside], 1))
    if float(np.corrcoef(wanted[inside], shown[inside])[0, 1]) < 0.98:
        return []
    for exact, zero, how in (
        (219 / 255, 16.0, "squeezed into 16 to 235"),
        (255 / 219, -18.6, "stretched from 16 to 235"),
    ):
        if abs(gain - exact) < 0.04 and abs(lift - zero) < 5:
            return [f"its levels are its master's {how}: the colour range of one of them is marked wrong"]
    return []


def _late(encode: Sight, master: Sight, laid: Laid, ratios: Sequence[Fraction], gap: float) -> Fraction | str | None:
    """The speed as a place far behind tells it; a sentence where that place does not fit; None: nothing to add."""
    offset = laid.offset
    end = min(encode.times[-1], (master.times[-1] - offset.offset_s) / offset.ratio)
    at = 0.9 * end - _LATE_S
    if at < 1 or (end < _FAR_S and len(ratios) == 1):
        return None
    best: tuple[float, Fraction] | None = None
    agreed = []
    # First the one the head chose: over a short time two speeds may fit alike.
    for ratio in sorted(ratios, key=lambda r: abs(float(r) - offset.ratio) > 0.002):
        there = _at(encode, master, laid, at, float(ratio), gap)
        if there is None:
            continue
        agreed.append(there[0])
        if there[1] is not None and (best is None or abs(there[1]) < abs(best[0])):
            best = (there[1], ratio)
            if abs(there[1]) < 0.75 * gap:
                break
    if best is None:
        if agreed and max(agreed) < LEAST_AGREEMENT:
            return f"not compared with its master: {at:.1f} s after its start it shows other pictures"
        return None
    moved, ratio = best
    if abs(moved) >= 0.75 * gap:
        drift = float(ratio) + moved / at
        if abs(drift - 1) >= 0.002:
            return _CUT
        ratio = Fraction(drift).limit_denominator(10**6)
    if ratio != 1:  # a cut of a few frames looks like another speed, but not from everywhere
        midway = _at(encode, master, laid, at / 2, float(ratio), gap)
        if midway is not None and midway[1] is not None and abs(midway[1]) >= 0.75 * gap:
            return _CUT
    return ratio


_CUT = "not compared with its master: after its first seconds something was cut out or put in"


def _at(
    encode: Sight, master: Sight, laid: Laid, at: float, ratio: float, gap: float
) -> tuple[float, float | None] | None:
    """At a moment of the encode: how well pictures agree, and how many seconds off they are, where that is sure."""
    offset = laid.offset
    mine = encode.between(at, at + _LATE_S)
    middle = offset.offset_s + ratio * at
    theirs = master.between(middle - _AROUND_S, middle + _LATE_S + _AROUND_S)
    if len(mine.times) < 4 or len(theirs.times) < 4:
        return None
    found = timeline.search(
        timeline.see(mine.times, resample(geometry.turned(mine.small, laid.turn), laid.area, _VECTOR)),
        timeline.see(theirs.times, resample(theirs.small, laid.part, _VECTOR)),
        [ratio], gap=gap, share=0.8,
    )  # fmt: skip
    if found is None:
        return None
    a, b = _some_pairs(mine, theirs, found)
    luma = geometry.turned(mine.luma[a], laid.turn)
    agreed = geometry.agreement(luma, theirs.luma[b], laid.area, laid.part)
    sure = found.sure and agreed >= LEAST_AGREEMENT
    return agreed, found.offset_s - offset.offset_s if sure else None


def by_content(encode: Sight, master: Sight, laid: Laid, samples: Sequence[Sample]) -> list[Sample]:
    """Paired samples with the master's frame that each really shows: the nearest in time or one up to two beside it."""
    around = {n for s in samples if s.paired for n in range(s.step - 2, s.step + 3) if 0 <= n < len(master.times)}
    theirs = master.stream(sorted(around))
    mine = dict.fromkeys(s.frame for s in samples if s.paired)
    shown = encode.stream(list(mine))
    window: dict[int, NDArray[np.float32]] = {}
    number, picture = next(shown, (-1, None))
    out: list[Sample] = []
    for sample in samples:
        while picture is not None and number < sample.frame:
            number, picture = next(shown, (-1, None))
        step = sample.step
        if sample.paired and number == sample.frame and picture is not None:
            while max(window, default=-1) < step + 2 and (read := next(theirs, None)) is not None:
                window[read[0]] = _vector(read[1][None], laid.part)
            window = {n: v for n, v in window.items() if n >= step - 2}
            one = _vector(geometry.turned(picture[None], laid.turn), laid.area)
            apart = {n: float(1 - one @ v) for n, v in window.items() if n <= step + 2}
            best = min(apart, key=lambda n: (apart[n], abs(n - step)), default=step)
            if step not in apart or apart[best] < 0.6 * apart[step] - 1e-4:
                step = best
        if out and step <= out[-1].step:
            if sample.step <= out[-1].step:
                continue
            step, sample = sample.step, replace(sample, paired=False)
        out.append(replace(sample, step=step))
    return out


def _vector(picture: NDArray[np.uint8], rect: Rect) -> NDArray[np.float32]:
    return np.asarray(timeline.see(np.zeros(1), resample(picture, rect, _VECTOR)).vectors[0])


def _views(
    laid: Laid, raster: tuple[int, int], size: tuple[int, int]
) -> tuple[View | None, View | None, tuple[Finding, ...]]:
    """How both are read, and what is to be said about it."""
    bars = None
    said: list[Finding] = []
    if laid.turn != UPRIGHT:
        turned = f"turned by {laid.turn.clockwise_degrees} degrees" if laid.turn.clockwise_degrees else ""
        mirrored = "mirrored" if laid.turn.mirrored else ""
        what = " and ".join(word for word in (mirrored, turned) if word)
        sentence = f"{what} against its master: turned back to be compared"
        said.append(Finding(sentence, "turned", "warning"))
    if not laid.bars and laid.turn == UPRIGHT:
        return None, None, ()
    view, master_view = geometry.views(raster, laid.area, laid.part, bars, laid.turn)
    if view.cut != (0, 0, *view.size) or master_view.cut != (0, 0, *raster):
        left, top, right, bottom = master_view.cut
        sentence = (
            f"compared where both show picture, {right - left}x{bottom - top} of {raster[0]}x{raster[1]} "
            f"from {left},{top}: bars or cut borders"
        )
        said.append(Finding(sentence, "area", "warning"))
    plain = master_view.cut == (0, 0, *raster)
    return view, None if plain else master_view, tuple(said)
