"""One encode laid over its master in time and space, or the reason why it cannot be.

The head of both is looked at first, only as far as it takes: one and a half seconds where an encode begins with its
master and something moves. Where a head of bars, a slate or black tells no offset, two places behind it are. Then one
place far behind, for drift.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from . import by_features, drift, geometry
from .by_features import Features
from .findings import Finding, Severity
from .geometry import UPRIGHT, View
from .laid import LEAST_AGREEMENT, TURNED_S, VECTOR, Laid, lay, registered, some_pairs
from .luma import Sight, Stretch, resample
from .text import counted
from .timeline import SURE

WINDOWS_S = (1.5, TURNED_S, 14.0)  # of the head, one after the other until the offset is sure
_SHARES = (0.6, 0.2, 0.2)  # of the encode's frames in each that have to lie on the master
REACH_S = (1 - _SHARES[-1]) * WINDOWS_S[-1]  # offsets of long videos up to this are found, either way
_SOON = 0.85  # agreement with which a shorter window is enough
_LATER = (0.3, 0.7)  # of what both last after their heads: places looked at where these tell no offset
_LATER_S, _BESIDE_S = 4.0, 10.0  # of the encode looked at there, and of the master before and after


@dataclass(frozen=True)
class Match:
    """How frames of an encode and its master correspond: master time = offset + ratio x encode time.

    Times count from each video's first frame. `reason` says why there is no correspondence.
    """

    offset: Fraction = Fraction(0)  # seconds; positive: the encode lacks the master's beginning
    frames: int = 0  # the same in frames of the master
    ratio: Fraction = Fraction(1)  # seconds of the master in a second of the encode
    confidence: float | None = None  # 0 to 1; None: nothing in the pictures to go by
    view: View | None = None  # how the encode is read; None: as it stands
    master_view: View | None = None  # the same of the master
    laid: Laid | None = None  # what it was found by
    uneven: bool = False  # frames were repeated or left out: pairs are to be looked for by content
    findings: tuple[str | Finding, ...] = ()  # a plain sentence is a note
    reason: str | None = None
    severity: Severity = "warning"  # of that; an error where they show different things


def match(
    encode: Sight,
    master: Sight,
    raster: tuple[int, int],
    size: tuple[int, int],
    rates: tuple[Fraction, Fraction],
    features: Features | None = None,
) -> Match:
    """Lay an encode over its master.

    Args:
        encode, master: the videos.
        raster: (width, height) the master's whole picture is judged at.
        size: (width, height) the encode is shown at.
        rates: nominal frames a second of encode and master; 0 for a still picture.
        features: the network's, asked where luma cannot tell a frame from its neighbour; None: luma alone decides.
    """
    gap = min((g for g in (encode.gap, master.gap) if g), default=0.04)
    ratios = _ratios(encode, master, rates)
    aspect = size[0] / size[1] * raster[1] / raster[0]
    found = _laid(encode, master, ratios, gap, aspect)
    if found is None:
        return Match(findings=("nothing shows in either: laid over its master at equal start",))
    mine, theirs, laid = found
    if features is None or laid.offset.sure or laid.agreement < LEAST_AGREEMENT:
        return _judged(encode, master, mine, theirs, laid, ratios, gap, raster, size, rates[1])
    laid = by_features.settled(mine, theirs, laid, gap, features)
    judged = _judged(encode, master, mine, theirs, laid, ratios, gap, raster, size, rates[1])
    said = (by_features.SAID,) if laid.offset.sure else ()
    return replace(judged, findings=(*said, *judged.findings))


def _laid(
    encode: Sight, master: Sight, ratios: list[Fraction], gap: float, aspect: float
) -> tuple[Stretch, Stretch, Laid] | None:
    """The stretches by which one lies on the other, and how; None where nothing shows in them."""
    best: tuple[Stretch, Stretch, Laid] | None = None
    seen = (0, 0)
    for seconds, share in zip(WINDOWS_S, _SHARES, strict=True):
        mine, theirs = encode.head(seconds), master.head(seconds)
        if seen == (len(mine.times), len(theirs.times)):
            break  # there is no more of them
        seen = (len(mine.times), len(theirs.times))
        if not all(seen):
            break
        laid = lay(mine, theirs, ratios, gap, share=share, aspect=aspect)
        if laid is not None:
            best = mine, theirs, laid
            if laid.offset.sure and laid.agreement >= _SOON:
                break
    if best is not None and (best[2].offset.sure or best[2].agreement < LEAST_AGREEMENT):
        return best
    rest = min(encode.times[-1], master.times[-1]) - WINDOWS_S[-1] - _LATER_S
    for at in (WINDOWS_S[-1] + part * rest for part in _LATER if rest > 0):
        there = [one for ratio in ratios if (one := _later(encode, master, at, ratio, gap, aspect)) is not None]
        if there:
            one = max(there, key=lambda some: some[2].agreement)
            best = best or one
            if one[2].offset.sure or one[2].agreement < LEAST_AGREEMENT:
                return one
    return best


def _later(
    encode: Sight, master: Sight, at: float, ratio: Fraction, gap: float, aspect: float
) -> tuple[Stretch, Stretch, Laid] | None:
    """The same at one moment of the encode and at one speed."""
    begin, end = float(ratio) * at - _BESIDE_S, float(ratio) * (at + _LATER_S) + _BESIDE_S
    mine, theirs = encode.between(at, at + _LATER_S), master.between(begin, end)
    if not len(mine.times) or not len(theirs.times):
        return None
    laid = lay(mine, theirs, [ratio], gap, share=0.8, aspect=aspect)
    return None if laid is None else (mine, theirs, laid)


def _judged(
    encode: Sight, master: Sight, mine: Stretch, theirs: Stretch, laid: Laid, ratios: list[Fraction], gap: float,
    raster: tuple[int, int], size: tuple[int, int], rate: Fraction,
) -> Match:  # fmt: skip
    elsewhere = laid.offset.over_start >= SURE
    if not laid.offset.sure and not elsewhere:
        laid = replace(laid, offset=replace(laid.offset, offset_s=0.0, ratio=1.0, unique=0.0, uneven=0.0))
    laid = registered(mine, theirs, laid, gap, raster, size)
    near = elsewhere and laid.offset.near and not laid.offset.sure
    undetermined = not laid.offset.sure and not near
    agreement = max(0.0, min(1.0, laid.agreement))
    confidence = agreement * (1.0 if laid.offset.sure else 0.7)
    if agreement < LEAST_AGREEMENT:
        said = "not compared with its master: they do not show the same pictures, with up to "
        said += f"{REACH_S:.0f} s between their starts (agreement {agreement:.2f} of 1)"
        return Match(confidence=confidence, reason=said, severity="error")
    if undetermined and elsewhere:
        said = "not compared with its master: several offsets in time fit alike, or none surely"
        return Match(confidence=min(confidence, 0.3), reason=said)
    findings: list[str | Finding] = []
    ratio = min(ratios, key=lambda r: abs(float(r) - laid.offset.ratio))
    shift = laid.offset.offset_s
    if undetermined:
        if len(encode.times) > 1:  # a picture has no time
            findings.append("too little moves to find its offset in time: laid over its master at equal start")
    else:
        if near:
            findings.append("too little moves to find its offset in time to the frame: it may be one frame off")
        far = drift.late(encode, master, laid, ratios, gap)
        if isinstance(far, str):
            return Match(confidence=min(confidence, 0.3), reason=far, severity="error")
        if far is not None:
            ratio = far
    offset = Fraction(shift if abs(shift) >= 0.2 * gap else 0.0).limit_denominator(90000)
    way, late, frames = "after" if offset > 0 else "before", abs(float(offset)), round(offset * rate)
    if frames:
        said = f"starts {counted(abs(frames), 'frame')} ({late:.2f} s) {way} its master"
        findings.append(Finding(said, "offset", "warning"))
    elif offset:
        findings.append(Finding(f"starts {late:.3f} s {way} its master, not a whole frame", "offset"))
    if ratio != 1:
        findings.append(Finding(f"plays {float(ratio):.4f} times as fast as its master", "speed", "warning"))
    uneven = laid.offset.uneven > 0.02
    if uneven:
        said = "repeats or leaves out frames of its master: pairs were looked for by content"
        findings.append(Finding(said, "pairing", "warning"))
    findings += _levels(mine, theirs, laid)
    view, master_view, said_of_space = _views(laid, raster, size)
    return Match(
        offset=offset,
        frames=frames,
        ratio=ratio,
        confidence=confidence,
        view=view,
        master_view=master_view,
        laid=laid,
        uneven=uneven,
        findings=(*findings, *said_of_space),
    )


def _ratios(encode: Sight, master: Sight, rates: tuple[Fraction, Fraction]) -> list[Fraction]:
    """Speeds worth trying: equal, frame by frame at another rate, the whole length in another."""
    found = [Fraction(1)]
    spans = [s.times[-1] + s.gap for s in (encode, master)]
    if rates[0] and rates[1]:
        found.append(rates[0] / rates[1])
    if spans[0] and abs(spans[1] / spans[0] - 1) > 0.002:
        found.append(Fraction(spans[1] / spans[0]).limit_denominator(5000))
    usable = [r for r in found if Fraction(4, 5) < r < Fraction(5, 4)]
    return sorted(set(usable), key=usable.index)


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
        cut = f"where both show picture, {_part(master_view)} of the master: bars or cut borders"
        said.append(Finding(f"compared {cut}", "area", "warning"))
    elif view.cut != (0, 0, *view.size):
        said.append(Finding(f"compared without its bars: its picture is {_part(view)}", "area", "warning"))
    return view, None if plain else master_view, tuple(said)


def _part(view: View) -> str:
    left, top, right, bottom = view.cut
    return f"{right - left}x{bottom - top} of {view.size[0]}x{view.size[1]} from {left},{top}"
