"""Findings from what was sampled: black, frozen, clipped and banded pictures, other colours than the master's.

Only sampled frames are known (two a second by default), so a stretch begins and ends halfway between two of them, and
what is shorter than two samples is not told. FFmpeg's blackdetect, freezedetect and their like want every frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .findings import COLOURED, GREY, Finding, Severity
from .looks import Watch
from .resized import of_sizes
from .stretches import Floats, between_samples, of_flags
from .values import FrameScore

BLACK_SHARE = 0.98  # of the pixels: the picture is black, as FFmpeg's blackdetect has it
BLACK_S = 1.0  # shorter black is a cut
STILL = (0.5, 4.0)  # luma levels, mean and largest of the blocks: a change that is none
REFRESHED = (3.0, 20.0)  # the same where a key frame lies between: the same picture, coded anew
STILL_S = 2.0  # as FFmpeg's freezedetect has it
WHITE_SHARE = 0.10  # of the pixels at the end of the range
CONTOUR_SHARE = 0.15  # of the stretches of a picture; real pictures were seen to have up to 0.08
MOST = 20  # findings of one sentence that are told one by one; of more, one for all of them
POOR_SOURCE = 50.0  # NR score of a master below which it is called poor: "fair" on the five-point scale
CLIPPED_MORE = 0.03  # share of pixels at an end of the range beyond the master's
CONTOURS_MORE = 0.05
LIGHTER = 4.0  # levels of luma
TINTED = 4.0  # levels of a colour difference
FLATTER = 0.08  # contrast lost or won, as a share; limited range shown as full is 0.14

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Beside:
    """The master of a clip that was compared: its looks, and which of its frames shows what one of the clip's does."""

    watch: Watch
    keys: Floats  # times of its key frames, seconds from its first frame
    pairs: Sequence[tuple[int, int]]  # (frame of the clip, frame of the master)
    sure: bool = True  # that paired frames are the same instant, to the frame

    def rows_beside(self, watch: Watch) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows of the clip's looks and of its master's that were paired; both (n,)."""
        mine = {int(frame): i for i, frame in enumerate(watch.column("frame"))}
        theirs = {int(frame): i for i, frame in enumerate(self.watch.column("frame"))}
        both = [(mine[a], theirs[b]) for a, b in self.pairs if a in mine and b in theirs]
        at, by = np.array(both, np.intp).reshape(-1, 2).T
        return at, by


def of_pictures(watch: Watch, keys: Floats, duration_s: float | None, master: Beside | None = None) -> list[Finding]:
    """What the pictures of one clip show, over time. With its master it is known whether a freeze is its own."""
    times = watch.column("time_s")
    if not len(times):
        return []
    bounds = between_samples(times, duration_s or 0.0)
    dark = watch.column("dark") >= BLACK_SHARE
    found = _black(dark, bounds)
    found += _frozen(watch, _still(watch, keys) & ~dark, bounds, master)
    white = watch.column("white") >= WHITE_SHARE
    said = f"at least {WHITE_SHARE:.0%} of the picture is clipped to white"
    found += _spans(white, bounds, 1.0, "clipping", "info", said)
    banded = watch.column("contours") >= CONTOUR_SHARE
    found += _spans(banded, bounds, 1.0, "banding", "info", "wide smooth gradients rise in visible steps: banding")
    lowest, highest = float(watch.column("lowest").min()), float(watch.column("highest").max())
    if 14 <= lowest <= 18 and 232 <= highest <= 237 and len(times) > 1:
        said = f"levels stay within {lowest:.0f} to {highest:.0f} of 255: limited range that is shown as full looks so"
        found.append(Finding(said, "range", "warning"))
    return few([*found, *of_sizes(watch.sizes, duration_s or float(times[-1]))])


def few(found: Sequence[Finding]) -> list[Finding]:
    """The same, but where one thing is seen in many places it is told once, from the first to the last."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in found:
        alike.setdefault((finding.kind, finding.sentence), []).append(finding)
    return [told for some in alike.values() for told in (some if len(some) <= MOST else [_all_of(some)])]


def _all_of(some: Sequence[Finding]) -> Finding:
    first, last = some[0], some[-1]
    return replace(first, sentence=f"{first.sentence}, in {len(some)} places", end_s=last.end_s)


def _black(dark: Flags, bounds: tuple[Floats, Floats]) -> list[Finding]:
    if dark.all():
        return [Finding("black throughout", "black", "error", 0.0, round(float(bounds[1][-1]), 3))]
    return _spans(dark, bounds, BLACK_S, "black", "warning", "black")


def _still(watch: Watch, keys: Floats) -> Flags:
    """Samples that look like the one before them."""
    times = watch.column("time_s")
    change, peak = (np.nan_to_num(watch.column(name), nan=255.0) for name in ("change", "peak"))
    still = (change < STILL[0]) & (peak < STILL[1])
    refreshed = (change < REFRESHED[0]) & (peak < REFRESHED[1])
    refreshed[1:] &= np.searchsorted(keys, times[1:], "right") > np.searchsorted(keys, times[:-1], "right")
    beside = np.concatenate([[False], still[:-1]]) | np.concatenate([still[1:], [False]])
    return np.asarray(still | (refreshed & beside), np.bool_)


def _frozen(watch: Watch, still: Flags, bounds: tuple[Floats, Floats], master: Beside | None) -> list[Finding]:
    """A still frame looks like the one before it, so that one belongs to the stretch."""
    starts, ends = bounds
    times, frames = watch.column("time_s"), watch.column("frame")
    moving: set[int] = set()  # frames of the clip where its master moves
    paired = {} if master is None else dict(master.pairs)
    if master is not None:
        known = zip(master.watch.column("frame"), _still(master.watch, master.keys), strict=True)
        at_rest = {int(frame): bool(rests) for frame, rests in known}
        moving = {mine for mine, theirs in paired.items() if not at_rest.get(theirs, True)}
    least_s = STILL_S - _slack(bounds)
    found = []
    for start, end, _ in of_flags(still, np.concatenate([starts[:1], starts[:-1]]), ends):
        if end - start < least_s:
            continue
        severity: Severity = "warning"
        throughout = (start, end) == (starts[0], ends[-1])
        said = "the same picture throughout" if throughout else "the picture stands still"
        inside = [int(f) for f in frames[(times > start) & (times < end)]][1:]  # the first came from before the stretch
        compared = [f for f in inside if f in paired]
        if compared:
            own = sum(f in moving for f in compared) > len(compared) / 2
            severity = "error" if own else "info"
            said += " while its master moves" if own else ", as in its master"
        found.append(Finding(said, "frozen", severity, round(start, 3), round(end, 3)))
    return found


def _spans(
    flags: Flags, bounds: tuple[Floats, Floats], least_s: float, kind: str, severity: Severity, said: str
) -> list[Finding]:
    """A finding for each run of at least two flagged samples and `least_s` seconds (or all of a shorter clip)."""
    least_s -= _slack(bounds)
    runs = [s for s in of_flags(flags, *bounds) if (s.frames > 1 and s.end_s - s.start_s >= least_s) or flags.all()]
    return [Finding(said, kind, severity, round(s.start_s, 3), round(s.end_s, 3)) for s in runs]


def _slack(bounds: tuple[Floats, Floats]) -> float:
    """Seconds that a run may end before its time: halfway to the next sample, so half of their distance."""
    return float(np.median(bounds[1] - bounds[0])) / 2


def unexplained(others: Sequence[str | Finding], pictures: Sequence[str | Finding]) -> list[str | Finding]:
    """`others` less what follows from stretches that are black, frozen or dimmed anyway: empty frames, lost quality."""
    by = [f for f in pictures if isinstance(f, Finding) and (f.kind in ("black", "frozen") or _dimmed(f))]

    def told(finding: Finding) -> bool:
        if finding.kind == "repeated":  # what stands still is coded as well as ever, but unlike what moves
            spans = [f for f in by if f.kind != "colour"]
        elif finding.kind in ("quality_drop", "collapse"):
            spans = [f for f in by if f.kind != "frozen" or f.severity == "error"]
        elif _dimmed(finding):
            spans = [f for f in by if f.kind == "black" or f.severity == "error"]
        else:
            return False
        start, end = finding.start_s or 0.0, finding.end_s or 0.0
        return any((f.start_s or 0.0) - 1.0 <= start and end <= (f.end_s or 0.0) + 1.0 for f in spans)

    return [f for f in others if isinstance(f, str) or not told(f)]


def _dimmed(finding: Finding) -> bool:
    """Whether it tells a stretch of other brightness (`fades`)."""
    return finding.kind == "colour" and finding.start_s is not None


def against_master(watch: Watch, master: Beside) -> list[Finding]:
    """What differs from the master more than coding makes it, over the whole clip: colours, contrast, banding."""
    at, by = master.rows_beside(watch)
    if len(at) < max(1, min(2, len(watch.column("frame")))):  # one pair of many tells nothing, a picture has no other
        return []

    def more(name: str) -> float:
        return float(np.median(watch.column(name)[at] - master.watch.column(name)[by]))

    found = []
    red, green, blue, luma = more("red"), more("green"), more("blue"), more("luma")
    spread = master.watch.column("spread")[by]
    seen = spread > 10
    contrast = float(np.median(watch.column("spread")[at][seen] / spread[seen])) - 1 if seen.any() else 0.0
    tint = max(abs(red - green), abs(blue - green))
    parts = [f"{luma:+.1f} luma"] if abs(luma) >= LIGHTER else []
    parts += [f"{red:+.1f} red, {green:+.1f} green, {blue:+.1f} blue"] if tint >= TINTED else []
    parts += [f"{contrast:+.0%} contrast"] if abs(contrast) >= FLATTER else []
    grey = watch.column("chroma")[at].mean() <= GREY and master.watch.column("chroma")[by].mean() >= COLOURED
    if parts or grey:
        said = "grey, where its master has colours" if grey else "colours differ from its master's"
        levels = "levels of 255" + (" in a typical frame" if len(at) > 1 else "")
        said += f": {', '.join(parts)} ({levels})" if parts else ""
        found.append(Finding(said, "colour", "warning"))
    clipped = max(more("white"), more("black"))
    if clipped >= CLIPPED_MORE:
        said = f"{clipped:.0%} more of the picture than in its master is clipped to black or white"
        found.append(Finding(said, "clipping", "warning"))
    if (banded := more("contours")) >= CONTOURS_MORE:
        said = f"smooth gradients rise in visible steps in {banded:.0%} more of the picture than in its master: banding"
        found.append(Finding(said, "banding", "warning"))
    return found


def poor_source(frames: Sequence[FrameScore], watch: Watch, *, of_master: bool) -> list[Finding]:
    """Where a master by itself looks poor: said of it, and of the encodes that were compared with it.

    Black scores low, and is no fault of a source: one that looks well wherever it shows something is not poor.

    Args:
        frames: NR scores of the master.
        watch: its looks.
    """
    black = set(watch.column("frame")[watch.column("dark") >= BLACK_SHARE])
    score = mean_score(frames)
    shown = mean_score([f for f in frames if f.frame_num not in black])
    if score is None or shown is None or max(score, shown) >= POOR_SOURCE:
        return []
    said = f"scores {score:.0f} by itself, below {POOR_SOURCE:.0f}"
    said = f"a poor source: {said}" if of_master else f"its master {said}: what looks bad may come from the source"
    return [Finding(said, "poor_source", "warning")]


def mean_score(frames: Sequence[FrameScore]) -> float | None:
    """The `mean` pool; None of no frames."""
    return float(np.mean([f.score for f in frames])) if frames else None
