"""Charts as files for slides and papers: the figures of the pages, drawn without a browser.

The pages' charts are Plotly's words for what to draw. Plotly's own way to make pictures of them, `kaleido`, starts a
Chrome; Matplotlib comes with `bjontegaard` anyway. So the words that our charts use are drawn here again, by Matplotlib
and in the same colours, dashes and marks; what a chart shows is decided in one place.
"""

from __future__ import annotations

import html
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .figures import GREY, Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Format = Literal["svg", "png"]
FORMATS: tuple[Format, ...] = ("svg", "png")
SIZE = (12.8, 7.2)  # inches: a slide
DPI = 150  # 1920x1080
LONGEST = 84  # characters of a title that fit
INK, GRID = "#1b1f24", "#dfe2e6"
_MARKERS = {"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "cross": "P", "star": "*", "x": "X"}
_DASHES: dict[str, Any] = {
    "solid": "-", "dash": (0, (5, 2.5)), "dot": (0, (1, 2)), "dashdot": (0, (5, 2, 1, 2)), "longdash": (0, (9, 3)),
    "longdashdot": (0, (9, 3, 1, 3)),
}  # fmt: skip
_STYLE: Any = {
    "font.size": 15, "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.edgecolor": GRID, "axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left",
    "axes.axisbelow": True, "grid.color": GRID, "legend.frameon": False, "text.parse_math": False,
    "svg.hashsalt": "yoto-video", "figure.dpi": DPI,
}  # fmt: skip


def draw(figure: Chart, title: str, file: Path) -> None:
    """Write a chart as SVG or PNG, by the file's ending; the same chart gives the same bytes.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = figure.layout
    names = list(dict.fromkeys(map(_row, figure.data)))
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # of scripts that the font lacks: a box stands there
        made = Figure(figsize=SIZE, layout=ConstrainedLayoutEngine(w_pad=0.2, h_pad=0.15))
        rows = made.subplots(len(names), sharex=True, squeeze=False)[:, 0]
        for axes, name in zip(rows, names, strict=True):
            _axes(axes, layout, layout.get(name, {}), [t for t in figure.data if _row(t) == name])
        for axes, note in zip(rows, layout.get("annotations", ()), strict=False):
            axes.set_title(_text(note["text"]), fontsize=15)
        shown = title if len(title) <= LONGEST else f"{title[: LONGEST // 2]}…{title[1 - LONGEST // 2 :]}"
        made.suptitle(shown, fontsize=20, x=0.01, ha="left", weight="bold")
        metadata = {"Date": None} if file.suffix == ".svg" else {"Software": None}
        made.savefig(file, metadata=metadata)


def _row(trace: Mapping[str, Any]) -> str:
    """The key of a trace's y axis in the layout: "y2" is "yaxis2"."""
    return f"yaxis{trace.get('yaxis', 'y')[1:]}"


def _axes(axes: Axes, layout: Mapping[str, Any], y: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]) -> None:
    x = layout.get("xaxis", {})
    handles: dict[str, Any] = {}
    rows: dict[str, float] = {name: i for i, name in enumerate(y.get("categoryarray", ()))}
    boxes = [i for i, t in enumerate(traces) if t["type"] == "box"]
    floor = np.zeros(0)
    for i, trace in enumerate(traces):
        if trace["type"] == "bar":
            floor = floor if len(floor) else np.zeros(len(trace["y"]))
            handle = _bar(axes, trace, floor)
            floor = floor + np.asarray(trace["y"])
        elif trace["type"] == "box":
            handle = _boxes(axes, trace, rows, (boxes.index(i) + 0.5) / len(boxes) - 0.5, 0.7 / len(boxes))
        else:
            handle = _scatter(axes, trace, before=traces[i - 1] if i else None)
        if layout.get("showlegend") and trace.get("showlegend", True) and trace.get("name"):
            handles.setdefault(_text(trace["name"]), handle)
    for shape in layout.get("shapes", ()):
        across = axes.axhline if shape["y0"] == shape["y1"] else axes.axvline
        at = shape["y0"] if shape["y0"] == shape["y1"] else shape["x0"]
        across(at, color=shape["line"]["color"], linewidth=1.5, linestyle=_DASHES[shape["line"]["dash"]], zorder=1)
    if rows:
        axes.set_yticks(list(rows.values()), [_text(name) for name in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
    _axis(axes, "x", x)
    _axis(axes, "y", y)
    if handles:
        columns = min(4, len(handles))
        named = [f" {name}" if name.startswith("_") else name for name in handles]  # Matplotlib hides "_..."
        axes.legend(list(handles.values()), named, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=columns)


def _axis(axes: Axes, which: Literal["x", "y"], said: Mapping[str, Any]) -> None:
    """Scale, range, ticks, grid and title of one axis."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    log = said.get("type") == "log"
    if log:
        axes.set_xscale("log")
        axis.set_minor_formatter(NullFormatter())
    if "range" in said:
        low, high = (10**v if log else v for v in said["range"])
        (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    suffix = said.get("ticksuffix", "")
    if log or "tickvals" in said:
        ticks = list(said.get("tickvals") or (m * 10.0**e for e in range(-1, 8) for m in (1, 2, 5)))
        labels = said.get("ticktext") or [f"{v:,.0f}{suffix}" if v >= 1 else f"{v:g}" for v in ticks]
        shown = [(v, _text(str(label))) for v, label in zip(ticks, labels, strict=True) if low <= v <= high]
        axis.set_ticks([v for v, _ in shown], labels=[label for _, label in shown])
        axis.set_ticks([], minor=True)
    elif isinstance(said.get("dtick"), int | float) and not said.get("categoryarray"):
        axis.set_major_locator(MultipleLocator(float(said["dtick"])))
    if suffix and "tickvals" not in said:
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}{suffix}".replace("-", "−")))
    if said.get("showgrid", True):
        axis.grid(visible=True)
    axis.set_tick_params(length=0)
    if "title" in said:
        axis.set_label_text(_text(said["title"]["text"]))


def _scatter(axes: Axes, trace: Mapping[str, Any], before: Mapping[str, Any] | None) -> Any:
    mode, line, marker = str(trace["mode"]), trace.get("line", {}), trace.get("marker", {})
    x, y = (np.array(trace[k], np.float64) for k in ("x", "y"))
    if trace.get("fill") == "tonexty" and before is not None:
        low = np.array(before["y"], np.float64)
        return axes.fill_between(x, low, y, color=_colour(trace["fillcolor"]), linewidth=0)
    handle: Any = None
    if "lines" in mode and line.get("width", 2):
        (handle,) = axes.plot(
            x, y, color=_colour(line["color"]), linewidth=line.get("width", 2) * 1.3,
            linestyle=_DASHES[line.get("dash", "solid")], zorder=2, solid_capstyle="round",
        )  # fmt: skip
    for bars, upright in ((trace.get("error_y"), True), (trace.get("error_x"), False)):
        if bars:
            spread = np.array([bars["arrayminus"], bars["array"]], np.float64)
            err: Any = {"yerr" if upright else "xerr": spread}
            axes.errorbar(x, y, fmt="none", ecolor=_colour(bars["color"]), capsize=3, zorder=2, **err)
    if "markers" in mode:
        usual = {"color": line.get("color", GREY), "symbol": "circle", "size": 6}
        each = [_each(marker.get(key, value), len(x)) for key, value in usual.items()]
        for at, height, colour, symbol, size in zip(x, y, *each, strict=True):
            face = "none" if symbol.endswith("-open") else _colour(colour)
            (point,) = axes.plot(
                at, height, linestyle="none", marker=_MARKERS[symbol.removesuffix("-open")], markersize=size * 1.1,
                markerfacecolor=face, markeredgecolor=_colour(colour), zorder=3, clip_on=False,
            )  # fmt: skip
            handle = (handle, point) if handle is not None and not isinstance(handle, tuple) else handle or point
    places = _each(trace.get("textposition", ""), len(x))
    for at, height, said, place in zip(x, y, trace.get("text", ()), places, strict=False):
        above = place != "bottom right"
        side: Any = {"ha": "right", "va": "bottom"} if above else {"ha": "left", "va": "top"}
        offset = (-7, 5) if above else (7, -5)
        axes.annotate(_text(said), (at, height), offset, textcoords="offset points", fontsize=12, **side)
    return handle


def _bar(axes: Axes, trace: Mapping[str, Any], floor: Any) -> Any:
    x, marker = np.array(trace["x"], np.float64), trace["marker"]
    hatch = marker.get("pattern", {}).get("shape") or None
    return axes.bar(
        x, trace["y"], bottom=floor, width=0.92 * (x[1] - x[0]), color=marker["color"], hatch=hatch, edgecolor="white",
        linewidth=0,
    )  # fmt: skip


def _boxes(axes: Axes, trace: Mapping[str, Any], rows: Mapping[str, float], shift: float, width: float) -> Any:
    """Five-number summaries, lying; `shift` and `width` are shares of a row."""
    colour = trace["marker"]["color"]
    for name, *five in zip(trace["y"], *(trace[k] for k in _FIVE), strict=True):
        stats: Any = dict(zip(("whislo", "q1", "med", "q3", "whishi"), map(float, five), strict=True)) | {"fliers": []}
        lines = {"color": colour, "linewidth": 2}
        drawn = axes.bxp(
            [stats], positions=[rows[name] + 0.8 * shift], widths=0.8 * width, orientation="horizontal",
            manage_ticks=False, patch_artist=True, boxprops={"facecolor": f"{colour}80", "edgecolor": colour},
            medianprops=lines | {"linewidth": 3}, whiskerprops=lines, capprops=lines,
        )  # fmt: skip
    return drawn["boxes"][0]


_FIVE = ("lowerfence", "q1", "median", "q3", "upperfence")


def _each(value: Any, count: int) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | np.ndarray) else [value] * count


def _colour(said: str) -> Any:
    """Matplotlib's word for Plotly's "rgba(0,114,178,0.2)"."""
    if not said.startswith("rgba("):
        return said
    *rgb, alpha = (float(v) for v in said[5:-1].split(","))
    return (*(v / 255 for v in rgb), alpha)


def _text(said: str) -> str:
    """Plain text of what Plotly reads as HTML."""
    return html.unescape(said.replace("<br>", "\n"))
