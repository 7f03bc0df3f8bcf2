"""Scores against people's opinions, as one HTML file that opens anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from .figures import GREY, MODE_TITLE, OKABE_ITO, SCORE_TICKS
from .labels import on_chart

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Point:
    """A rated picture."""

    score: float  # 0 to 100
    mos: float  # on the same scale
    name: str
    group: str  # colour


def write_agreement_plot(
    path: Path, title: str, clouds: Mapping[str, Sequence[Point]], curves: Mapping[str, Curve]
) -> None:
    """A scatter plot for each mode that has points ("nr", "fr"), scores across and opinions up, with its fitted curve.

    Raises:
        OSError: the file cannot be written.
    """
    modes = [mode for mode in ("nr", "fr") if clouds.get(mode)]
    figure = make_subplots(rows=1, cols=max(1, len(modes)), subplot_titles=[MODE_TITLE[m] for m in modes])
    groups = sorted({p.group for mode in modes for p in clouds[mode]})
    colour = {group: OKABE_ITO[i % len(OKABE_ITO)] for i, group in enumerate(groups)}
    for column, mode in enumerate(modes, 1):
        for group in groups:
            points = [p for p in clouds[mode] if p.group == group]
            marks = go.Scatter(
                x=[p.score for p in points], y=[p.mos for p in points], mode="markers", legendgroup=group,
                name=on_chart(group or "pictures"), showlegend=column == 1,
                text=[on_chart(p.name) for p in points],
                marker={"color": colour[group], "size": 7, "opacity": 0.7},
                hovertemplate="%{text}<br>score %{x:.1f}, opinion %{y:.1f}<extra></extra>",
            )  # fmt: skip
            figure.add_trace(marks, row=1, col=column)
        if mode in curves:
            scores = [p.score for p in clouds[mode]]
            x = np.linspace(min(scores), max(scores), 100)
            fit = go.Scatter(
                x=x, y=curves[mode](x), mode="lines", name="logistic fit", line={"color": GREY}, hoverinfo="skip",
                legendgroup="fit", showlegend=column == 1,
            )  # fmt: skip
            figure.add_trace(fit, row=1, col=column)
        figure.update_xaxes(title="score", range=[-2, 102], tickvals=SCORE_TICKS, row=1, col=column)
        figure.update_yaxes(title="people's opinion (100 × (MOS − 1) / 4)", tickvals=SCORE_TICKS, row=1, col=column)
    figure.update_layout(title=on_chart(title), template="plotly_white", height=620)
    buttons = ["zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]  # by default there is one that uploads the chart
    figure.write_html(path, include_plotlyjs=True, config={"displaylogo": False, "modeBarButtons": [buttons]})
