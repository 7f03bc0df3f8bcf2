"""One encode laid over its master in time and space, or the reason why it cannot be.

`overlap` says where the one lies on the other; one place far behind is then looked at for drift, and some frames of
all of it where scores ask for it, for steps there and back, or where lengths differ, for what is out of step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from . import by_features, drift, geometry, out_of_step
from .align import ALIKE, Clock
from .by_features import Features
from .findings import Finding, Severity
from .geometry import UPRIGHT, View
from .laid import LEAST_AGREEMENT, VECTOR, Laid, registered, some_pairs
from .luma import Sight, Stretch, resample
from .overlap import REACH_S, Question, Seen, look
from .steps import Step, together
from .text import counted
from .timeline import SURE

_LONG_S = 0.5  # left out or shown again, from which on nobody overlooks it


@dataclass(frozen=True)
class Match:
    """How frames of an encode and its master correspond; `reason` says why they do not."""

    clock: Clock = ALIKE
    frames: int = 0  # the clock's offset in frames of the master
    confidence: float | None = None  # 0 to 1; None: nothing in the pictures to go by
    view: View | None = None  # how the encode is read; None: as it stands
    master_view: View | None = None  # the same of the master
    laid: Laid | None = None  # what it was found by
    uneven: bool = False  # frames were repeated or left out: pairs are to be looked for by content
    findings: tuple[str | Finding, ...] = ()  # a plain sentence is a note
    reason: str | None = None
    severity: Severity = "warning"  # of that; an error where they show different things
    foreign: bool = False  # they show different things from the start: this is no master of it


def match(
    encode: Sight,
    master: Sight,
    raster: tuple[int, int],
    size: tuple[int, int],
    rates: tuple[Fraction, Fraction],
    features: Features | None = None,
    *,
    closely: bool = False,
) -> Match:
    """Lay an encode over its master.

    Args:
        encode, master: the videos.
        raster: (width, height) the master's whole picture is judged at.
        size: (width, height) the encode is shown at.
        rates: nominal frames a second of encode and master; 0 for a still picture.
        features: the network's, asked where luma cannot tell a frame from its neighbour; None: luma alone decides.
        closely: whether to look along all of it for frames left out that others make up for (`astray`).
    """
    asked = Question(encode, master, raster, size, rates)
    seen = look(asked)
    if seen is None:
        return Match(findings=("nothing shows in either: laid over its master at equal start",))
    if features is None or seen.over:
        return _judged(asked, seen, closely)
    seen = seen._replace(laid=by_features.settled(*seen, asked.gap, features))
    judged = _judged(asked, seen, closely)
    said = (by_features.SAID,) if seen.laid.offset.sure else ()
    return replace(judged, findings=(*said, *judged.findings))


def _judged(asked: Question, seen: Seen, closely: bool) -> Match:
    mine, theirs, laid = seen
    elsewhere = laid.offset.over_start >= SURE
    if not laid.offset.sure and not elsewhere:
        laid = replace(laid, offset=replace(laid.offset, offset_s=0.0, ratio=1.0, unique=0.0, uneven=0.0))
    laid = registered(mine, theirs, laid, asked.gap, asked.raster, asked.size)
    near = elsewhere and laid.offset.near and not laid.offset.sure
    undetermined = not laid.offset.sure and not near
    agreement = max(0.0, min(1.0, laid.agreement))
    confidence = agreement * (1.0 if laid.offset.sure else 0.7)
    if agreement < LEAST_AGREEMENT:
        stills = max(len(video.times) for video in (asked.encode, asked.master)) == 1  # which have no time
        said = "picture" if stills else f"pictures, with up to {REACH_S:.0f} s between their starts"
        said = f"not compared with its master: they do not show the same {said} (agreement {agreement:.2f} of 1)"
        return Match(confidence=confidence, reason=said, severity="error", foreign=True)
    if undetermined and elsewhere:
        said = "not compared with its master: several offsets in time fit alike, or none surely"
        return Match(confidence=min(confidence, 0.3), reason=said)
    findings: list[str | Finding] = []
    ratio = min(asked.ratios, key=lambda r: abs(float(r) - laid.offset.ratio))
    shift, steps = laid.offset.offset_s, tuple[Step, ...]()
    if undetermined:
        # A step within the head leaves all of it unsure; both begin and end together.
        same = (
            closely and asked.in_step and abs(asked.encode.times[-1] - asked.master.times[-1]) <= asked.encode.gap / 2
        )
        back = drift.back_again(asked.encode, asked.master, laid, asked.gap) if same else None
        if back is not None:
            steps = back.steps
        elif len(asked.encode.times) > 1:  # a picture has no time
            findings.append("too little moves to find its offset in time: laid over its master at equal start")
    else:
        if near:
            findings.append("too little moves to find its offset in time to the frame: it may be one frame off")
        far = drift.late(
            asked.encode, asked.master, laid, asked.ratios, asked.gap, in_step=asked.in_step, closely=closely
        )
        if isinstance(far, str):
            return Match(confidence=min(confidence, 0.3), reason=far, severity="error")
        if isinstance(far, Fraction):
            ratio = far
        elif far is not None:
            shift, steps = shift + far.starts_s, far.steps
    if ratio == 1 and (at := out_of_step.first(asked.encode, asked.master, laid, shift, steps, asked.gap)) is not None:
        said = f"not compared with its master: {at:.1f} s after its start something was cut out or put in"
        return Match(confidence=min(confidence, 0.3), reason=said, severity="error")
    offset = _exact(shift if abs(shift) >= 0.2 * asked.gap else 0.0)
    apart, frames = abs(float(offset)), round(offset * asked.rates[1])
    way = "ahead of" if offset > 0 else "behind"
    if frames:
        said = f"runs {counted(abs(frames), 'frame')} ({apart:.2f} s) {way} its master"
        said += ", whose beginning it lacks" if offset > 0 else ""
        findings.append(Finding(said, "offset", "warning"))
    elif offset:
        findings.append(Finding(f"runs {apart:.3f} s {way} its master, not a whole frame", "offset"))
    if ratio != 1:
        findings.append(Finding(f"plays {float(ratio):.4f} times as fast as its master", "speed", "warning"))
    findings += [_told(each, asked.gap) for each in together(steps)]
    uneven = laid.offset.uneven > 0.02 or bool(steps) or (ratio != 1 and asked.in_step)
    if uneven and not steps:
        said = "repeats or leaves out frames of its master: pairs were looked for by content"
        findings.append(Finding(said, "pairing", "warning"))
    findings += _levels(mine, theirs, laid)
    view, master_view, said_of_space = _views(laid, asked.raster, asked.size)
    return Match(
        clock=Clock(offset, ratio, tuple((_exact(s.at_s - asked.gap / 2), _exact(s.skip_s)) for s in steps)),
        frames=frames,
        confidence=confidence,
        view=view,
        master_view=master_view,
        laid=laid,
        uneven=uneven,
        findings=(*findings, *said_of_space),
    )


def _exact(seconds: float) -> Fraction:
    return Fraction(seconds).limit_denominator(90000)


def _told(steps: Sequence[Step], gap: float) -> Finding:
    skip = sum(step.skip_s for step in steps)
    how = "leaves out" if skip > 0 else "shows again"
    said = f"{how} {counted(abs(round(skip / gap)), 'frame')} ({abs(skip):.2f} s) of its master, and plays on"
    severity: Severity = "error" if abs(skip) >= _LONG_S else "warning"
    return Finding(said, "pairing", severity, round(steps[0].at_s, 3), round(steps[-1].at_s, 3))


def _levels(mine: Stretch, theirs: Stretch, laid: Laid) -> list[Finding]:
    """A finding where luma is the master's through the map between limited and full range, to a few levels.

    Nothing is undone: viewers see these levels too.
    """
    chosen, near = some_pairs(mine, theirs, laid.offset)
    shown = resample(geometry.turned(mine.luma[chosen], laid.turn), laid.area, VECTOR).ravel()
    wanted = resample(theirs.luma[near], laid.part, VECTOR).ravel()
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
            said = f"its levels are its master's {how}: the colour range of one of them is marked wrong"
            return [Finding(said, "range", "warning")]
    return []


def _views(
    laid: Laid, raster: tuple[int, int], size: tuple[int, int]
) -> tuple[View | None, View | None, tuple[Finding, ...]]:
    """How both are read, and what is to be said about it."""
    said: list[Finding] = []
    if laid.turn != UPRIGHT:
        back = laid.turn.clockwise_degrees
        stands = back if laid.turn.mirrored else -back % 360  # a mirror is undone by itself
        words = ["mirrored"] * laid.turn.mirrored + [f"turned clockwise by {stands} degrees"] * bool(stands)
        what = " and ".join(words)
        said.append(Finding(f"{what} against its master: turned back to be compared", "turned", "warning"))
    if not laid.bars and laid.turn == UPRIGHT:
        return None, None, ()
    shown = size[::-1] if laid.turn.transpose else size
    view, master_view = geometry.views(raster, laid.area, laid.part, laid.turn, shown)
    plain = master_view.cut == (0, 0, *raster)
    if not plain:
        cut = f"where both show picture, {_part(master_view, ' of the master')}: bars or cut borders"
        said.append(Finding(f"compared {cut}", "area", "warning"))
    elif view.cut != (0, 0, *view.size):
        said.append(Finding(f"compared without its bars: its picture is {_part(view)}", "area", "warning"))
    return view, None if plain else master_view, tuple(said)


def _part(view: View, whose: str = "") -> str:
    left, top, right, bottom = view.cut
    of = f"{view.size[0]}x{view.size[1]}{whose}"
    return f"{right - left}x{bottom - top} of {of}, {left} pixels from the left and {top} from the top"
