"""The charts of a comparison's page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from ..pipeline.text import counted
from .bd import arrays
from .bootstrap import Interval
from .compare import Comparison, Saving
from .figures import DASHES, GREY, OKABE_ITO, SYMBOLS, Chart, Style, chart
from .labels import on_chart
from .ladder_figures import score_range
from .metric_maps import Map, curve_of
from .titles import Title

MOST_TITLES = 30  # on a forest plot; beyond, those where the test saves least and most


def styles(labels: Sequence[str]) -> dict[str, Style]:
    """Colour, dash and marker of each side; the anchor is the middle grey."""
    found = {labels[0]: Style(GREY, "dash", "x")}
    for i, label in enumerate(labels[1:]):
        found[label] = Style(OKABE_ITO[i % 6], DASHES[(i // 6) % 6], SYMBOLS[i % 6])
    return found


def forest(comparison: Comparison, mode: str) -> Chart | None:
    """BD-rate of every side against the anchor, overall and title by title, with 95 % intervals. None without any."""
    anchor, style = comparison.labels[0], styles(comparison.labels)
    overall = "all titles"
    titles = _shown(comparison, mode)
    rows = [*titles[::-1], overall]  # Plotly draws upwards
    data: list[dict[str, object]] = []
    tests = comparison.labels[1:]
    for i, test in enumerate(tests):
        figures = [comparison.overall(anchor, test, mode), *comparison.by_title(anchor, test)]
        known = {f.title or overall: f for f in figures if f.mode == mode and not math.isnan(f.delta.pchip)}
        at = [(rows.index(name), f) for name, f in known.items() if name in rows]
        if not at:
            continue
        shift = 0.18 * ((len(tests) - 1) / 2 - i)
        spans = [(f.rate.low, f.rate.high) if f.rate else (f.delta.pchip, f.delta.pchip) for _, f in at]
        data.append({
            "type": "scatter", "mode": "markers", "name": on_chart(test), "cliponaxis": False,
            "x": [f.delta.pchip for _, f in at], "y": [row + shift for row, _ in at],
            "marker": {"color": style[test].colour, "symbol": style[test].symbol,
                       "size": [13 if rows[row] == overall else 9 for row, _ in at]},
            "error_x": {"type": "data", "symmetric": False, "thickness": 1.5, "width": 4, "color": style[test].colour,
                        "array": [hi - f.delta.pchip for (_, f), (_, hi) in zip(at, spans, strict=True)],
                        "arrayminus": [f.delta.pchip - lo for (_, f), (lo, _) in zip(at, spans, strict=True)]},
            "customdata": [[on_chart(f.title or overall), _said(f.rate)] for _, f in at],
            "hovertemplate": "%{customdata[0]}: %{x:+.1f} %<br>%{customdata[1]}<extra>" + on_chart(test) + "</extra>",
        })  # fmt: skip
    if not data:
        return None
    names = [on_chart(name if len(name) <= 28 else f"{name[:27]}…") for name in rows]
    layout = {
        "hovermode": "closest", "showlegend": len(data) > 1, "dragmode": False,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 8, "r": 20, "t": 34, "b": 52},
        "xaxis": {"title": {"text": f"bit rate against {on_chart(anchor)} at equal quality"}, "ticksuffix": " %",
                  "zeroline": False},
        "yaxis": {"tickvals": list(range(len(rows))), "ticktext": names, "fixedrange": True, "showgrid": False,
                  "range": [-0.7, len(rows) - 0.3]},
        "shapes": [{"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
                    "line": {"color": GREY, "width": 1.5, "dash": "dot"}}],
    }  # fmt: skip
    return chart(data, layout, 110 + max(24, 15 * len(tests)) * len(rows))


def titles_of(comparison: Comparison, mode: str) -> list[str]:
    """Titles compared in a mode: the one the last side loses most on first."""
    figures = comparison.by_title(comparison.labels[0], comparison.labels[-1])
    known = sorted((-f.delta.pchip, f.title or "") for f in figures if f.mode == mode and not math.isnan(f.delta.pchip))
    names = [name for _, name in known]
    return names + [t.name for t in comparison.titles if t.mode == mode and not t.reason and t.name not in names]


def _shown(comparison: Comparison, mode: str) -> list[str]:
    """Those on a forest plot."""
    names = titles_of(comparison, mode)
    return names if len(names) <= MOST_TITLES else [*names[: MOST_TITLES // 2], *names[-MOST_TITLES // 2 :]]


def saving_levels(comparison: Comparison, mode: str) -> Chart | None:
    """Change of rate over quality, a line a side with its 95 % band. None where there is nothing to draw."""
    anchor, style = comparison.labels[0], styles(comparison.labels)
    data: list[dict[str, object]] = []
    for test in comparison.labels[1:]:
        own = [s for s in comparison.savings if (s.anchor, s.test, s.mode) == (anchor, test, mode)]
        if len(own) < 2:
            continue
        x, colour, name = [s.level for s in own], style[test].colour, on_chart(test)
        data += _bands(own, colour)
        data.append({
            "type": "scatter", "mode": "lines+markers", "x": x, "y": [s.percent for s in own], "name": name,
            "line": {"color": colour, "dash": style[test].dash}, "marker": {"symbol": style[test].symbol, "size": 8},
            "customdata": [[_said(s.interval), counted(s.titles, "title")] for s in own],
            "hovertemplate": "score %{x}: %{y:+.1f} %<br>%{customdata[0]}<br>%{customdata[1]}"
            f"<extra>{name}</extra>",
        })  # fmt: skip
    if not data:
        return None
    layout = {
        "hovermode": "closest", "showlegend": True, "dragmode": False, "margin": {"l": 56, "r": 16, "t": 34, "b": 52},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": {"title": {"text": f"{mode.upper()} score both reach"}, "dtick": 10},
        "yaxis": {"title": {"text": f"bit rate against {on_chart(anchor)}"}, "ticksuffix": " %", "zeroline": False},
        "shapes": [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below",
                    "line": {"color": GREY, "width": 1.5, "dash": "dot"}}],
    }  # fmt: skip
    return chart(data, layout, 360)


def _bands(own: Sequence[Saving], colour: str) -> list[dict[str, object]]:
    """A band over each run of levels that have an interval: what lies between two of them without one is not told."""
    data: list[dict[str, object]] = []
    for known, run in groupby(own, key=lambda s: s.interval is not None):
        if not known:
            continue
        ends = [(s.level, s.interval.low, s.interval.high) for s in run if s.interval]
        band = {
            "type": "scatter", "mode": "lines", "x": [level for level, _, _ in ends], "line": {"width": 0},
            "hoverinfo": "skip", "showlegend": False,
        }  # fmt: skip
        data += [
            band | {"y": [low for _, low, _ in ends]},
            band | {"y": [high for _, _, high in ends], "fill": "tonexty", "fillcolor": faint(colour)},
        ]
    return data


def _said(interval: Interval | None) -> str:
    """An interval of percents as it stands beside its figure."""
    return "no interval" if interval is None else f"95 %: {interval.low:+.1f} to {interval.high:+.1f} %"


def rate_quality(comparison: Comparison, title: Title) -> Chart | None:
    """A title's curves, one a side, with every encode and its 95 % interval; hollow where it is off the front."""
    if title.reason:
        return None
    style = styles(comparison.labels)
    data: list[dict[str, object]] = []
    bounds: list[float] = []
    for s, label in enumerate(comparison.labels):
        own, (curve, _) = title.sides[s], title.curve(s, "mean")
        rates, scores = arrays(curve)
        kept = {int(p.key) for p in curve}
        spans = [e.row.ci95_beside or (e.row.pools["mean"],) * 2 for e in own]
        bounds += [v for span in spans for v in span]
        symbols = [style[label].symbol + ("" if i in kept else "-open") for i in range(len(own))]
        name, colour = on_chart(label), style[label].colour
        data += [
            {"type": "scatter", "mode": "lines", "x": rates, "y": scores, "name": name, "legendgroup": name,
             "hoverinfo": "skip", "line": {"color": colour, "dash": style[label].dash, "width": 2}},
            {"type": "scatter", "mode": "markers", "x": [e.rate for e in own], "y": [e.row.pools["mean"] for e in own],
             "legendgroup": name, "showlegend": False, "cliponaxis": False,
             "marker": {"color": colour, "size": 8, "symbol": symbols},
             "error_y": {"type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": colour,
                         "array": [hi - e.row.pools["mean"] for e, (_, hi) in zip(own, spans, strict=True)],
                         "arrayminus": [e.row.pools["mean"] - lo for e, (lo, _) in zip(own, spans, strict=True)]},
             "customdata": [[on_chart(e.clip.label), e.size] for e in own],
             "hovertemplate": "%{customdata[0]}<br>%{x:,.0f} kbit/s, %{customdata[1]}<br>score %{y:.1f}"
             f"<extra>{name}</extra>"},
        ]  # fmt: skip
    layout = {
        "hovermode": "closest", "showlegend": True, "margin": {"l": 48, "r": 16, "t": 34, "b": 52},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": {"type": "log", "title": {"text": "bit rate, kbit/s, measured (log)"}, "tickformat": ",~f",
                  "dtick": "D2"},
        "yaxis": {"title": {"text": f"{title.mode.upper()} score"}, "range": score_range(bounds)},
    }  # fmt: skip
    return chart(data, layout, 340)


def carried(fitted: Map, labels: Sequence[str]) -> Chart:
    """Ours over another measure, encode by encode, with the fitted map."""
    style = styles(labels)
    low, high = fitted.knots[0][0], fitted.knots[-1][0]
    x = np.linspace(low, high, 120)
    data: list[dict[str, object]] = [
        {"type": "scatter", "mode": "lines", "x": x, "y": curve_of(fitted)(x), "name": "map", "hoverinfo": "skip",
         "line": {"color": GREY, "width": 3}}
    ]  # fmt: skip
    for label in labels:
        own = [(e, score) for e, side, score in fitted.pairs if side == label]
        if own:
            data.append({
                "type": "scatter", "mode": "markers", "name": on_chart(label), "x": [s for _, s in own],
                "y": [e.row.pools["mean"] for e, _ in own], "customdata": [on_chart(e.clip.label) for e, _ in own],
                "marker": {"color": style[label].colour, "symbol": style[label].symbol, "size": 8},
                "hovertemplate": "%{customdata}<br>%{x:.1f} and %{y:.1f}<extra></extra>",
            })  # fmt: skip
    layout = {
        "hovermode": "closest", "showlegend": True, "dragmode": False, "margin": {"l": 52, "r": 16, "t": 34, "b": 52},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": {"title": {"text": on_chart(fitted.metric.upper())}},
        "yaxis": {"title": {"text": f"{fitted.mode.upper()} score"}},
    }  # fmt: skip
    return chart(data, layout, 360)


def faint(colour: str, opacity: float = 0.16) -> str:
    """The colour of what lies behind a line."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
