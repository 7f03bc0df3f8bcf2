"""A title over time: quality at equal rate against the anchor, with shots, cuts and the worst moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .compare import Comparison
from .compare_figures import faint, styles
from .compare_shots import Shot
from .compare_time import Loss, over_time
from .figures import GREY, Chart, chart
from .labels import on_chart
from .ladder_figures import cut_lines
from .titles import Title


def when(comparison: Comparison, title: Title, losses: Sequence[Loss], shots: Sequence[Shot]) -> Chart | None:
    """Quality at equal rate against the anchor over time, a line a side, and the mean of each shot as a broad bar.

    Scene cuts and the moments shown as pictures are marked.
    """
    style, data = styles(comparison.labels), list[dict[str, object]]()
    for b, label in enumerate(comparison.labels[1:], 1):
        times, points = over_time(title, 0, b)
        if not len(times):
            continue
        name = on_chart(label)
        data.append({
            "type": "scatter", "mode": "lines+markers" if len(times) < 40 else "lines", "x": times, "y": points,
            "name": name, "line": {"color": style[label].colour, "dash": style[label].dash, "shape": "hvh"},
            "hovertemplate": f"%{{x:.1f}} s: %{{y:+.1f}} points<extra>{name}</extra>",
        })  # fmt: skip
        data += _shot_bars([s for s in shots if s.test == label], style[label].colour, name)
    if not data:
        return None
    data += _cut_lines(title, data)
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below"}
    marks = [
        {"type": "line", "x0": loss.seconds, "x1": loss.seconds, "yref": "paper", "y0": 0, "y1": 1,
         "line": {"color": GREY, "width": 1.5}}
        for loss in losses if loss.title is title
    ]  # fmt: skip
    layout = {
        "hovermode": "closest", "showlegend": len(data) > 1, "margin": {"l": 48, "r": 16, "t": 34, "b": 48},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": {"title": {"text": "time, s"}},
        "yaxis": {"title": {"text": "points at equal rate"}, "zeroline": False},
        "shapes": [line | {"line": {"color": GREY, "width": 1.5}}, *marks],
    }  # fmt: skip
    return chart(data, layout, 340)


def _shot_bars(shots: Sequence[Shot], colour: str, name: str) -> list[dict[str, object]]:
    """One trace with a bar from the start to the end of each shot."""
    if len(shots) < 2:
        return []
    said = []
    for s in shots:
        span = f"95 %: {s.interval.low:+.1f} to {s.interval.high:+.1f}" if s.interval else "no interval"
        said.append(f"shot {s.number}, {s.start_s:.1f} to {s.end_s:.1f} s: {s.points:+.1f} points<br>{span}")
    return [{
        "type": "scatter", "mode": "lines", "name": f"{name}, shot by shot", "showlegend": False,
        "x": [x for s in shots for x in (s.start_s, s.end_s, None)],
        "y": [y for s in shots for y in (s.points, s.points, None)],
        "customdata": [text for one in said for text in (one, one, "")],
        "line": {"color": faint(colour, 0.45), "width": 7}, "hovertemplate": f"%{{customdata}}<extra>{name}</extra>",
    }]  # fmt: skip


def _cut_lines(title: Title, data: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """The title's cuts from the lowest to the highest that is drawn."""
    drawn = np.concatenate([np.asarray(trace["y"], np.float64) for trace in data])
    return cut_lines(title.cuts, [float(np.nanmin(drawn)), float(np.nanmax(drawn))], "y")
