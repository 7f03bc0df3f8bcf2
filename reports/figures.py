"""The overview's charts, and what all charts share: colours, marks, and the way into a page.

Colours are Okabe-Ito's, told apart with every common colour blindness: a test holds them to it. Text and grid colours
are the page's own: `report.js` lays them over, and lighter blues and grey on dark. What is drawn here was computed by
`read` and `rd`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go
from markupsafe import Markup

from ..pipeline.text import counted
from .clip import MODES, Clip
from .labels import on_chart

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # no yellow, no black: light and dark
GREY = "#606060"
MODE_COLOUR = {"fr": "#0072B2", "nr": "#E69F00"}
MODE_TITLE = {"fr": "FR · beside the master", "nr": "NR · by itself"}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
BIN = 5  # width of a histogram bar, score points
LONGEST = 28  # characters of a name beside its box
SCORE_TICKS = [0, 25, 50, 75, 100]  # the five points of the scale


@dataclass(frozen=True)
class Chart:
    """A figure on its way into a page: JSON, safe inside a script element, and its height in pixels.

    `data` and `layout` are what the JSON says, in Plotly's words, for those who draw it without a browser.
    """

    json: Markup
    height: int
    data: Sequence[Mapping[str, Any]] = field(repr=False, compare=False)
    layout: Mapping[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Style:
    """How one rendition is drawn on every chart of its ladder."""

    colour: str
    dash: str
    symbol: str


def styles(clips: Sequence[Clip]) -> dict[str, Style]:
    """A style a path: colour by rank inside a codec, dashes and marker by codec; the master is a grey line.

    Where sizes have several rates, colour says the size, dashes the rate, dashes and marker the codec. Up to 36
    renditions differ from one another; beyond that styles repeat.
    """
    found = {c.path: Style(GREY, "solid", "x") for c in clips if c.is_master}
    renditions = [c for c in clips if not c.is_master]
    if (by_size := _by_size(renditions)) is not None:
        return found | by_size
    dash = 0
    for rank, codec in enumerate(dict.fromkeys(c.codec for c in renditions)):
        of_codec = [c for c in renditions if c.codec == codec]
        for i, clip in enumerate(of_codec):
            colour, overflow = OKABE_ITO[i % len(OKABE_ITO)], i // len(OKABE_ITO)
            found[clip.path] = Style(colour, DASHES[(dash + overflow) % len(DASHES)], SYMBOLS[rank % len(SYMBOLS)])
        dash += 1 + (len(of_codec) - 1) // len(OKABE_ITO)
    return found


def _by_size(renditions: Sequence[Clip]) -> dict[str, Style] | None:
    """Styles of a ladder of several sizes some of which have several rates; None of any other, or if marks run out.

    More than six sizes, or rates of one, take further markers.
    """
    sizes, codecs = (list(dict.fromkeys(of)) for of in ([c.rung for c in renditions], [c.codec for c in renditions]))
    groups: dict[tuple[str | None, int | None], list[Clip]] = {}
    for clip in renditions:
        groups.setdefault((clip.codec, clip.rung), []).append(clip)
    if len(sizes) < 2 or len(groups) == len(renditions):
        return None
    rates = max(map(len, groups.values()))
    many, most = (1 + (n - 1) // len(OKABE_ITO) for n in (len(sizes), rates))
    if len(codecs) * many * most > len(SYMBOLS):
        return None
    found = {}
    for (codec, size), own in groups.items():
        turn, colour = divmod(sizes.index(size), len(OKABE_ITO))
        rank = codecs.index(codec)
        for i, clip in enumerate(own):
            dash, mark = DASHES[(rank * rates + i) % len(DASHES)], (rank * many + turn) * most + i // len(DASHES)
            found[clip.path] = Style(OKABE_ITO[colour], dash, SYMBOLS[mark])
    return found


def distribution(clips: Sequence[Clip], *, height: int | None = None) -> Chart | None:
    """Histogram of clip scores, a row a mode on one score axis, masters apart. None without any score."""
    modes = [m for m in MODES if any(c.score(m) is not None for c in clips)]
    if not modes:
        return None
    edges = np.arange(0, 100 + BIN, BIN)
    data: list[dict[str, object]] = []
    titles: list[dict[str, object]] = []
    layout: dict[str, object] = {
        "barmode": "stack", "bargap": 0.08, "showlegend": False, "hovermode": "closest", "dragmode": False,
        "margin": {"l": 44, "r": 28, "t": 26, "b": 52},
        "grid": {"rows": len(modes), "columns": 1, "roworder": "top to bottom", "ygap": 0.3}, "annotations": titles,
    }  # fmt: skip
    for row, mode in enumerate(modes):
        axis = "y" if row == 0 else f"y{row + 1}"
        tallest = 0
        for label, master in (("rendition", False), ("master", True)):
            values = [s for c in clips if c.is_master is master and (s := c.score(mode)) is not None]
            if not values:
                continue
            counts, _ = np.histogram(values, edges)
            tallest = max(tallest, int(counts.max()))
            told = [[f"{e} to {e + BIN}", counted(int(n), label)] for e, n in zip(edges, counts, strict=False)]
            data.append({
                "type": "bar", "x": edges[:-1] + BIN / 2, "y": counts, "xaxis": "x", "yaxis": axis,
                "name": f"{mode.upper()} {label}s", "customdata": told,
                "marker": {"color": GREY if master else MODE_COLOUR[mode], "pattern": {"shape": "/" if master else ""}},
                "hovertemplate": f"{mode.upper()} score %{{customdata[0]}}: %{{customdata[1]}}<extra></extra>",
            })  # fmt: skip
        layout[f"yaxis{axis[1:]}"] = {"rangemode": "tozero", "dtick": max(1, tallest // 4), "fixedrange": True}
        titles.append({
            "text": MODE_TITLE[mode], "xref": "paper", "yref": f"{axis} domain", "x": 0, "y": 1.02, "showarrow": False,
            "xanchor": "left", "yanchor": "bottom", "font": {"size": 13},
        })  # fmt: skip
    layout["xaxis"] = {
        "range": [0, 100], "fixedrange": True, "anchor": axis,
        "tickvals": SCORE_TICKS, "ticktext": ["0<br>bad", "25<br>poor", "50<br>fair", "75<br>good", "100<br>excellent"],
    }  # fmt: skip
    return chart(data, layout, height or 150 * len(modes) + 70)


def by_size_and_codec(clips: Sequence[Clip], *, most: int = 10) -> Chart | None:
    """Five-number summary of clip scores for each rung and codec, the `most` frequent ones.

    None without any scored rendition.
    """
    groups: dict[tuple[int, str], list[Clip]] = {}
    for clip in clips:
        if not clip.is_master and clip.rows_ok:
            groups.setdefault((clip.rung or 0, clip.codec or "unknown codec"), []).append(clip)
    shown = sorted(sorted(groups, key=lambda k: -len(groups[k]))[:most])
    return _boxes({f"{f'{rung}p' if rung else 'size?'} {codec[:16]}": groups[rung, codec] for rung, codec in shown})


def by_name(clips: Sequence[Clip], name: Callable[[Clip], str], *, most: int = 10) -> Chart | None:
    """Five-number summary of clip scores by a name, the `most` groups of the lowest median, the lowest on top.

    The median is of FR scores, of a group without any of NR. None with fewer than two groups.
    """
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        if not clip.is_master and clip.rows_ok:
            groups.setdefault(name(clip), []).append(clip)
    if len(groups) < 2:
        return None
    worst = sorted(groups, key=lambda n: (_median(groups[n]), n))[:most]
    return _boxes({n: groups[n] for n in reversed(worst)})  # Plotly stacks upwards


def _median(clips: Sequence[Clip]) -> float:
    return next(float(np.median(v)) for m in MODES if (v := [s for c in clips if (s := c.score(m)) is not None]))


def _boxes(groups: Mapping[str, Sequence[Clip]]) -> Chart | None:
    """A row a group, from the bottom up; its name is cut where it is long, and its number of clips beside it."""
    if not groups:
        return None
    short = {n: n if len(n) <= LONGEST else f"{n[: LONGEST // 2]}…{n[1 - LONGEST // 2 :]}" for n in groups}
    twice = {s for s, count in Counter(short.values()).items() if count > 1}  # then the place tells them apart
    names = {
        n: on_chart(short[n] + (f" #{i}" if short[n] in twice else "") + f" ({len(groups[n])})")
        for i, n in enumerate(groups, 1)
    }
    shown = list(groups)
    data = []
    for mode in reversed(MODES):  # Plotly stacks horizontal groups upwards
        boxes = {names[k]: v for k in shown if (v := [s for c in groups[k] if (s := c.score(mode)) is not None])}
        if not boxes:
            continue
        low, q1, mid, q3, high = np.array([np.percentile(v, [0, 25, 50, 75, 100]) for v in boxes.values()]).T
        data.append({
            "type": "box", "orientation": "h", "name": MODE_TITLE[mode], "y": list(boxes), "lowerfence": low, "q1": q1,
            "median": mid, "q3": q3, "upperfence": high, "marker": {"color": MODE_COLOUR[mode]}, "line": {"width": 1.5},
            "hoverinfo": "x+name",
        })  # fmt: skip
    height = max(300, (16 * len(data) + 12) * len(shown) + 90)
    layout = {
        "boxmode": "group", "boxgap": 0.35, "boxgroupgap": 0.15, "dragmode": False,
        "xaxis": {"range": [0, 100], "tickvals": SCORE_TICKS, "ticktext": [str(v) for v in SCORE_TICKS],
                  "fixedrange": True, "title": {"text": "score"}, "hoverformat": ".1f"},  # of ticks, too, without text
        "yaxis": {"fixedrange": True, "categoryarray": [names[k] for k in shown], "showgrid": False},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "reversed"},
        "margin": {"l": 8, "r": 16, "t": 30, "b": 40}, "showlegend": True,
    }  # fmt: skip
    return chart(data, layout, height)


def chart(data: Sequence[Mapping[str, object]], layout: Mapping[str, object], height: int) -> Chart:
    """Check a figure and write it as JSON.

    Plotly escapes `<` itself with its standard engine; doing it here keeps pages safe with any engine.
    """
    figure = go.Figure(data=list(data), layout=dict(layout) | {"template": "none", "height": height})
    text: str = figure.to_json(engine="json")
    return Chart(Markup(text.replace("<", "\\u003c")), height, data, layout)


def nice_rates(rates: Sequence[float]) -> list[float]:
    """Tick values 1, 2, 5, 10, 20, 50... around the given rates."""
    low, high = int(np.floor(np.log10(min(rates)))) - 1, int(np.ceil(np.log10(max(rates)))) + 1
    return [float(f"{m}e{e}") for e in range(low, high) for m in (1, 2, 5)]
