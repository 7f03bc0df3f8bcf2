"""What is wrong with the files of a ladder as files: no score, false labels, other lengths, copies."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median_low

from ..pipeline.findings import Severity
from ..pipeline.values import Declared
from .clip import Clip
from .lint_findings import copies, lacks_parts
from .lint_issue import Issue
from .read import LadderTable

RATE_OVER, RATE_UNDER = 1.1, 0.5  # of the declared rate
SLACK = 0.01  # of a declared size, frame rate or duration
SHORT = 0.9  # of its ladder's duration, below which an encode was cut off
SLACK_S = 0.5  # of a duration, at least


def of_files(ladder: LadderTable) -> Iterator[Issue]:
    """Clip by clip, then of their lengths and bytes."""
    for clip in ladder.clips:
        if clip.status != "ok":
            said = f"{clip.label}: {clip.status}: {' '.join(clip.reasons)}"
            yield Issue(ladder.name, "unscored", "error", said, (clip.path,))
        for rule, severity, what in _against(clip.declared, clip, whole=not lacks_parts(clip, ladder)):
            yield Issue(ladder.name, rule, severity, f"{clip.label}: {what}", (clip.path,))
    yield from _of_durations(ladder)
    yield from _same_bytes(ladder)


def _of_durations(ladder: LadderTable) -> Iterator[Issue]:
    """Clips that last longer or shorter than most; where no length is that of most, the shortest beside the longest.

    What is truncated is told as that.
    """
    lasting = sorted((c.duration_s, c.path, c) for c in ladder.clips if c.duration_s and c.broken != "truncated")
    if not lasting:
        return
    usual = median_low(length for length, *_ in lasting)
    others = [(length, clip) for length, _, clip in lasting if _off(length, usual, least=SLACK_S)]
    if len(others) < len(lasting) / 2:
        for length, clip in others:
            said = f"{clip.label} lasts {length:.2f} s, most of its ladder {usual:.2f} s"
            grave: Severity = "error" if length < SHORT * usual and not clip.is_master else "warning"
            yield Issue(ladder.name, "duration", grave, said, (clip.path,))
        return
    (low, _, short), (high, _, long) = lasting[0], lasting[-1]
    said = f"{short.label} lasts {low:.2f} s, {long.label} {high:.2f} s: one is not whole, or of another cut"
    yield Issue(ladder.name, "duration", "warning", said, (short.path, long.path))


def _against(said: Declared, clip: Clip, *, whole: bool) -> Iterator[tuple[str, Severity, str]]:
    """Where the stream is not what its name or manifest says: (rule, severity, sentence); of a part size and codec."""
    width, height = clip.width, clip.height
    if said.height and width and height and not _same_size(said, clip):
        stated = f"{said.width}×{said.height}" if said.width else f"{said.height} lines"
        if said.width and not _off(said.height, width) and not _off(said.width, height):
            yield "mislabelled", "error", f"declared {stated} and shown {clip.size}: turned on its side"
        elif said.width and not _off(said.height, height):
            yield "declared_size", "warning", f"declared {stated}, shown {clip.size}: the width differs"
        else:
            yield "mislabelled", "error", f"declared {stated}, and is {clip.size}"
    if said.codec and clip.codec and said.codec != clip.codec:
        yield "mislabelled", "error", f"declared {said.codec}, and is {clip.codec}"
    if not whole:
        return
    if said.bitrate_kbps and clip.bitrate_kbps:
        share = clip.bitrate_kbps / said.bitrate_kbps
        rates = f"declared {said.bitrate_kbps:,.0f} kbit/s, measured {clip.bitrate_kbps:,.0f}"
        if share > RATE_OVER:
            yield "declared_rate", "warning", f"{rates}: {share - 1:.0%} more, players may stall"
        elif share < RATE_UNDER:
            yield "declared_rate", "info", f"{rates}: under half of it"
    if said.fps and clip.fps and _off(clip.fps, said.fps):
        yield "declared_fps", "warning", f"declared {said.fps:g} frames a second, measured {clip.fps:.3f}"
    if said.duration_s and clip.duration_s and _off(clip.duration_s, said.duration_s, least=SLACK_S):
        yield "declared_duration", "warning", f"declared {said.duration_s:.2f} s, measured {clip.duration_s:.2f} s"


def _same_size(said: Declared, clip: Clip) -> bool:
    """Names say 1080 of 1920x800 and of 1080x1920 too: the rung counts where no width is said."""
    assert said.height
    assert clip.width
    assert clip.height
    if said.width:
        return not _off(clip.height, said.height) and not _off(clip.width, said.width)
    return said.height == clip.rung or any(not _off(side, said.height) for side in (clip.height, clip.width))


def _same_bytes(ladder: LadderTable) -> Iterator[Issue]:
    sets: dict[str, list[Clip]] = {}
    for clip, other in copies(ladder):
        sets.setdefault(other.path, [other]).append(clip)
    for other, *again in sets.values():
        *most, last = (clip.label for clip in again)
        which = f"{', '.join(most)} and {last} hold" if most else f"{last} holds"
        severity: Severity = "info" if other.is_master else "error"  # a master may be sent out as it is
        files = (*(clip.path for clip in again), other.path)
        yield Issue(ladder.name, "mislabelled", severity, f"{which} the same bytes as {other.label}", files)


def _off(value: float, wanted: float, *, least: float = 0.0) -> bool:
    return abs(value - wanted) > max(SLACK * wanted, least)
