"""The charts of one ladder's page: quality over bit rate, and quality over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .clip import MODES, Clip, Series
from .figures import DASHES, GREY, Chart, Style, chart, nice_rates
from .finding_figures import ROW, bars, row_name, timed
from .labels import on_chart
from .rd import RatePoint, by_rate, hull
from .read import LadderTable
from .shots import cuts
from .size_labels import PLACES, put

MOST_POINTS = 2_000  # of one line over time; beyond, each stretch keeps its lowest and highest frame
FEW_POINTS = 30  # a line with no more than these shows each of them


def rate_quality(ladder: LadderTable, mode: str, style: Mapping[str, Style]) -> Chart | None:
    """Quality over measured bit rate (log), a line a codec (a resolution, where it has several rates), hulls behind.

    None with fewer than two renditions that have both a score in this mode and a measured bit rate.
    """
    rated = {c.path: c for c in ladder.renditions if c.on_curve(mode)}
    if len(rated) < 2:
        return None
    points = [RatePoint(float(c.bitrate_kbps or 0), float(c.score(mode) or 0), p) for p, c in rated.items()]
    by_resolution = len({(c.codec, c.rung) for c in rated.values()}) < len(rated)
    hulls: list[dict[str, object]] = []
    lines: list[dict[str, object]] = []
    for rank, codec in enumerate(_best_first(points, rated)):
        of_codec = [p for p in points if rated[p.key].codec == codec]
        label = on_chart(codec or "unknown codec")
        hulls += _hull(of_codec, label, first=not hulls)
        for rung in dict.fromkeys(rated[p.key].rung if by_resolution else None for p in of_codec):
            line = by_rate([p for p in of_codec if rung is None or rated[p.key].rung == rung])
            name = f"{label} {rung}p" if rung else label
            lines += _encodes(line, rated, mode, style, name, rank)
    bounds = [v for c in rated.values() for v in (c.interval_beside(mode) or (float(c.score(mode) or 0),))]
    own = ladder.master.score(mode) if ladder.master else None
    if own is not None:
        bounds.append(own)
    rates = [p.bitrate_kbps for p in points]
    low, high = (float(np.log10(end(rates))) for end in (min, max))  # beside the ends there is room for their sizes
    ends = [low - max(0.23, 0.15 * (high - low)), high + max(0.15, 0.06 * (high - low))], score_range(bounds)
    layout = {
        "hovermode": "closest", "margin": {"l": 52, "r": 36, "t": 30, "b": 90}, "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top"},
        "xaxis": {"type": "log", "title": {"text": "bit rate, kbit/s, measured (log)"}, "tickformat": ",~f",
                  "tickvals": nice_rates(rates), "range": ends[0]},
        "yaxis": {"title": {"text": f"{mode.upper()} score"}, "range": ends[1]},
    }  # fmt: skip
    if own is not None:  # the source by itself: no encode of it should look much better
        grey = {"color": GREY, "width": 1.5, "dash": "dot"}
        layout["shapes"] = [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": own, "y1": own, "line": grey}]
    put(lines, *ends)
    return chart([*hulls, *lines], layout, 400)


def _best_first(points: Sequence[RatePoint], rated: Mapping[str, Clip]) -> list[str | None]:
    """Codecs, the most efficient first: by mean height above one straight line through everything."""
    x, y = np.log([p.bitrate_kbps for p in points]), np.array([p.score for p in points])
    spread = float(np.dot(x - x.mean(), x - x.mean()))
    slope = float(np.dot(x - x.mean(), y)) / spread if spread else 0.0
    above: dict[str | None, list[float]] = {}
    for p, value in zip(points, y - slope * x, strict=True):
        above.setdefault(rated[p.key].codec, []).append(float(value))
    return sorted(above, key=lambda codec: (-float(np.mean(above[codec])), codec or ""))


def _hull(points: Sequence[RatePoint], codec: str, *, first: bool) -> list[dict[str, object]]:
    """The hull of one codec as a broad band to lie behind its line; nothing where it is a single point."""
    corners = hull(points)
    if len(corners) < 2:
        return []
    return [{
        "type": "scatter", "mode": "lines", "x": [p.bitrate_kbps for p in corners], "y": [p.score for p in corners],
        "name": "hull of a codec", "hoverinfo": "skip", "legendgroup": "hull", "showlegend": first, "meta": codec,
        "line": {"color": "rgba(128,128,128,0.26)", "width": 12},
    }]  # fmt: skip


def _encodes(
    line: Sequence[RatePoint], rated: Mapping[str, Clip], mode: str, style: Mapping[str, Style], name: str, rank: int
) -> list[dict[str, object]]:
    """One line of encodes, dashed by its codec's rank; on it, in the renditions' own colours, markers and intervals."""
    clips = [rated[p.key] for p in line]
    spans = [c.interval_beside(mode) or (p.score, p.score) for c, p in zip(clips, line, strict=True)]
    place = {"type": "scatter", "x": [p.bitrate_kbps for p in line], "y": [p.score for p in line], "legendgroup": name}
    symbol, colours = style[line[0].key].symbol, [style[p.key].colour for p in line]
    colour = colours[0] if len(line) > 1 and len(set(colours)) == 1 else GREY  # a line of one size has its colour
    sizes = [f"{c.rung}p" if c.rung else "" for c in clips]
    labels = [size if size != after else "" for size, after in pairwise([*sizes, None])]  # once, where it ends
    dash = style[line[0].key].dash if colour == GREY else DASHES[rank % len(DASHES)]
    return [
        place | {
            "mode": "lines+markers", "name": name, "hoverinfo": "skip", "marker": {"color": colour, "symbol": symbol},
            "line": {"color": colour, "width": 1.5, "dash": dash},
        },
        place | {
            "mode": "markers+text", "showlegend": False, "cliponaxis": False,
            "marker": {"size": 10, "color": colours, "symbol": symbol},
            "text": labels, "textposition": PLACES[bool(rank)],
            "error_y": {"type": "data", "symmetric": False, "thickness": 1, "width": 4, "color": GREY,
                        "array": [max(0.0, hi - p.score) for p, (_, hi) in zip(line, spans, strict=True)],
                        "arrayminus": [max(0.0, p.score - lo) for p, (lo, _) in zip(line, spans, strict=True)]},
            "customdata": [[on_chart(c.label), c.size or "", _said(c, mode)] for c in clips],
            "hovertemplate": f"<b>%{{customdata[0]}}</b><br>{mode.upper()} %{{y:.1f}} (%{{customdata[2]}})"
                             "<br>%{x:,.0f} kbit/s, %{customdata[1]}<extra></extra>",
        },
    ]  # fmt: skip


def _said(clip: Clip, mode: str) -> str:
    own, beside = (
        f"{one[0]:.1f} to {one[1]:.1f}" if one else "" for one in (clip.interval(mode), clip.interval_beside(mode))
    )
    return "no interval" if not own else f"95 %: {own}" + (f"; to compare: {beside}" if beside != own else "")


def over_time(
    clips: Sequence[Clip], series: Mapping[tuple[str, str], Series], style: Mapping[str, Style]
) -> Chart | None:
    """Score of every sampled frame over time: a row a mode, a line a clip, one time axis that zooms all rows.

    Scene cuts are dotted lines across, findings that have a time are bars in a row of their own below.

    A trace's `legendgroup` is its clip's place in `clips`: the page's own legend shows and hides by it.

    Args:
        clips: the ladder's clips in drawing order.
        series: frame scores by (path, mode).
        style: from `styles`.

    Returns:
        None where no clip has two frames.
    """
    modes = [m for m in MODES if any(len(s.times) > 1 for (_, mode), s in series.items() if mode == m)]
    if not modes:
        return None
    longest = max(float(s.times[-1]) for s in series.values() if len(s.times))
    as_clock = longest > 120  # minutes and seconds read better than thousands of seconds
    data: list[dict[str, object]] = []
    layout: dict[str, object] = {"hovermode": "closest", "dragmode": "zoom", "showlegend": False}
    entries, found = timed(clips), scene_cuts(series)
    tall, below = 280 * len(modes), ROW * len(entries) + 16 if entries else 0
    foot = below / (tall + below)  # share of the plot that findings take
    for row, mode in enumerate(modes):
        axis = "y" if row == 0 else f"y{row + 1}"
        shown = [(i, c, s) for i, c in enumerate(clips) if (s := series.get((c.path, mode))) and len(s.times)]
        ends = score_range([float(v) for _, _, s in shown for v in (s.scores.min(), s.scores.max())])
        data += cut_lines(found, ends, axis, 1000.0 if as_clock else 1.0)
        data += [_frames(i, c, mode, *thin(s.times, s.scores), style[c.path], axis, as_clock) for i, c, s in shown]
        top, bottom = (1 - (1 - foot) * (row + k) / len(modes) for k in (0, 1))
        between = (0.04 if entries or row + 1 < len(modes) else 0.0, 0.04 if row else 0.0)
        layout[f"yaxis{axis[1:]}"] = {
            "title": {"text": f"{mode.upper()} score"}, "fixedrange": True,
            "range": ends, "domain": [bottom + between[0], top - between[1]],
        }  # fmt: skip
    if entries:
        axis = f"y{len(modes) + 1}"
        data += bars(entries, axis, longest, 1000.0 if as_clock else 1.0)
        names = [row_name(c) for _, c, _ in reversed(entries)]
        layout[f"yaxis{axis[1:]}"] = {
            "type": "category", "categoryarray": names, "fixedrange": True, "showticklabels": False,
            "domain": [0.0, foot], "showgrid": False, "range": [-0.4, len(entries) - 0.4],
        }  # fmt: skip
        above = {"xref": "paper", "x": 0, "xanchor": "left", "yref": axis, "yanchor": "bottom", "showarrow": False}
        layout["annotations"] = [above | {"y": n, "yshift": 4, "text": n, "font": {"size": 11}} for n in names]
    clock = {"type": "date", "tickformat": "%H:%M:%S" if longest >= 3600 else "%M:%S", "hoverformat": "%H:%M:%S.%L"}
    layout["xaxis"] = {"anchor": axis, "title": {"text": "time" if as_clock else "time, s"}} | (
        clock if as_clock else {"rangemode": "tozero"}
    )
    layout["margin"] = {"l": 52, "r": 16, "t": 30, "b": 44}
    return chart(data, layout, tall + below + 60)


def scene_cuts(series: Mapping[tuple[str, str], Series]) -> list[tuple[float, float]]:
    """The ladder's cuts, as `shots.cuts` has them: of the mode that most of its clips were judged in."""
    modes = [mode for _, mode in series]
    usual = max(MODES, key=modes.count)
    return cuts((s.times, s.shots) for (_, mode), s in series.items() if mode == usual)


def cut_lines(
    found: Sequence[tuple[float, float]], ends: Sequence[float], axis: str, scale: float = 1.0
) -> list[dict[str, object]]:
    """Scene cuts as dotted lines across a row, all in one trace.

    Args:
        found: of `shots.cuts`.
        ends: of the row's y axis.
        axis: Plotly's name of it.
        scale: units of the time axis a second.
    """
    if not found:
        return []
    at = [scale * (before + after) / 2 for before, after in found]
    said = [f"scene cut between {before:.2f} and {after:.2f} s" for before, after in found]
    return [{
        "type": "scatter", "mode": "lines", "name": "scene cut", "xaxis": "x", "yaxis": axis, "showlegend": False,
        "x": [x for middle in at for x in (middle, middle, None)], "y": [*ends[:2], None] * len(at),
        "customdata": [s for text in said for s in (text, text, "")], "hovertemplate": "%{customdata}<extra></extra>",
        "line": {"color": GREY, "width": 1, "dash": "dot"},
    }]  # fmt: skip


def _frames(
    place: int, clip: Clip, mode: str, times: NDArray[np.float64], scores: NDArray[np.float64], style: Style,
    axis: str, as_clock: bool,
) -> dict[str, object]:  # fmt: skip
    """One clip's line in one mode's row."""
    when = "%{x|%H:%M:%S.%L}" if as_clock else "%{x:.2f} s"
    return {
        "type": "scatter", "mode": "lines+markers" if len(times) <= FEW_POINTS else "lines",
        "x": times * 1000 if as_clock else times, "y": scores.astype(np.float32),
        "xaxis": "x", "yaxis": axis, "legendgroup": str(place), "name": on_chart(clip.label),
        "line": {"color": style.colour, "dash": style.dash, "width": 1.8},
        "marker": {"size": 5, "symbol": style.symbol},
        "hovertemplate": f"<b>{on_chart(clip.label)}</b><br>{mode.upper()} %{{y:.1f}} at {when}<extra></extra>",
    }  # fmt: skip


def thin(
    times: NDArray[np.float64], scores: NDArray[np.float64], most: int = MOST_POINTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most `most` points of a line: the lowest and the highest of each equal stretch, so that no dip is lost."""
    if len(times) <= most:
        return times, scores
    keep: set[int] = set()
    for part in np.array_split(np.arange(len(times)), most // 2):
        keep |= {int(part[scores[part].argmin()]), int(part[scores[part].argmax()])}
    chosen = np.array(sorted(keep))
    return times[chosen], scores[chosen]


def score_range(values: Sequence[float], *, least: float = 30.0) -> list[float]:
    """An honest axis: tens around the values, inside 0 to 100, never narrower than `least`."""
    low = max(0.0, 10 * float(np.floor((min(values) - 2) / 10)))
    high = min(100.0, 10 * float(np.ceil((max(values) + 2) / 10)))
    if high - low < least:
        low = max(0.0, min(low - (least - high + low) / 2, 100 - least))
        high = max(high, low + least)
    return [low, high if high < 100 else 101.0]  # a line at 100 is not cut in half
