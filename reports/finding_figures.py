"""Findings on the time line: a bar from start to end, a row a clip, under the scores and never part of them."""

from __future__ import annotations

from collections.abc import Sequence

from ..pipeline.findings import Finding
from .clip import Clip
from .figures import GREY
from .labels import on_chart
from .words import kind

SEVERITY_COLOUR = {"error": "#D55E00", "warning": "#E69F00", "info": GREY}
ROW = 34  # pixels a clip: its name, and below it its bars
LEAST = 0.004  # of the time axis: a bar of no length would not be seen


def timed(clips: Sequence[Clip]) -> list[tuple[int, Clip, list[Finding]]]:
    """Clips with findings that have a time: place in `clips`, clip, its timed findings."""
    found = [(i, c, [f for f in c.findings if f.start_s is not None]) for i, c in enumerate(clips)]
    return [entry for entry in found if entry[2]]


def bars(
    entries: Sequence[tuple[int, Clip, list[Finding]]], axis: str, longest: float, scale: float
) -> list[dict[str, object]]:
    """One trace a finding, on the row of its clip.

    Args:
        entries: of `timed`.
        axis: Plotly's name of the y axis, whose categories are `row_name`s.
        longest: end of the time axis, seconds.
        scale: units of the time axis a second.
    """
    return [_bar(place, clip, finding, axis, longest, scale) for place, clip, told in entries for finding in told]


def row_name(clip: Clip) -> str:
    """A clip's category on the y axis; Plotly reads tags in it."""
    return on_chart(clip.label)


def _bar(place: int, clip: Clip, finding: Finding, axis: str, longest: float, scale: float) -> dict[str, object]:
    start = finding.start_s or 0.0
    end = max(finding.end_s or 0.0, start + LEAST * longest)
    what = f"{kind(finding.kind)} ({finding.severity}): {finding.sentence.removeprefix(finding.kind + ': ')}"
    said = f"<b>{on_chart(clip.label)}</b><br>{on_chart(what)}"
    return {
        "type": "scatter", "mode": "lines", "x": [start * scale, end * scale], "y": [row_name(clip)] * 2,
        "xaxis": "x", "yaxis": axis, "legendgroup": str(place), "name": f"finding: {kind(finding.kind)}",
        "line": {"color": SEVERITY_COLOUR[finding.severity], "width": 9}, "hoveron": "points",
        "hovertemplate": f"{said}<br>{start:.2f} to {finding.end_s or start:.2f} s<extra></extra>",
    }  # fmt: skip
