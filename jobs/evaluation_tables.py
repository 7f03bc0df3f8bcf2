"""What `yoto-video evaluate` prints for people; tables of 80 columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..models.training.evaluation import Line, Meaning
from ..pipeline.text import printable

NAMES = {"psnr": "PSNR", "ssim": "SSIM", "ms_ssim": "MS-SSIM", "brisque": "BRISQUE", "niqe": "NIQE", "vmaf": "VMAF"}
FIFTHS = ("0–20", "20–40", "40–60", "60–80", "80–100")
BY_GROUP = 5  # measures that a table by group has room for; JSON has them all
CAPTION = (
    "95 %: of SROCC, bootstrap over contents. PLCC and RMSE (points of 100) after the usual logistic fit. "
    "Splits: median SROCC over the test parts of ten 80/20 splits by content."
)


def print_tables(model: str, lines: Sequence[Line]) -> None:
    """Agreement of every measure by data set and mode; after each, by codec or distortion, where a set has them."""
    console = Console()
    print(model)
    for dataset, mode in dict.fromkeys((line.dataset, line.mode) for line in lines):
        same = [line for line in lines if (line.dataset, line.mode) == (dataset, mode)]
        title = _shown(f"{dataset}, {'all rows judged' if mode == 'nr' else 'those with a reference'}")
        _print_measures(console, title, [line for line in same if line.group is None])
        if any(line.group is not None for line in same):
            _print_groups(console, title, [line for line in same if line.group is not None])
    console.print(CAPTION)


def print_scale(meanings: Sequence[Meaning]) -> None:
    """Mean opinion by fifth of our scores, where that is known, and the differences that viewers notice."""
    console = Console()
    table = _table("What scores mean: mean opinion (0 to 100) where scores lie", "data set, mode", *FIFTHS)
    for m in meanings:
        by_low = {b.low: b for b in m.bins}
        cells = ["" if b is None else f"{b.opinion:.0f} ({b.n})" for b in map(by_low.get, range(0, 100, 20))]
        table.add_row(_shown(f"{m.dataset}, {m.mode.upper()}"), *cells)
    if any(m.bins for m in meanings):
        console.print(table)
    for m in meanings:
        if m.noticed is not None:
            half = m.noticed.significant
            more = "" if math.isnan(half) else f", in half of them beyond doubt from {half:.1f} on"
            console.print(_shown(
                f"{m.dataset}, {m.mode.upper()}: three pairs in four are rated in the order of their scores from "
                f"{m.noticed.ordered:.1f} points of difference on{more} ({m.noticed.pairs} pairs)"
            ))  # fmt: skip


def _print_measures(console: Console, title: str, lines: Sequence[Line]) -> None:
    table = _table(title, "measure", "n", "SROCC", "95 %", "PLCC", "KROCC", "RMSE", "splits")
    for line in lines:
        a, median = line.agreement, line.splits.srocc if line.splits else math.nan
        figures = [_figure(v) for v in (a.plcc, a.krocc)]
        cells = [_name(line.measure), str(a.n), _figure(a.srocc), _interval(line), *figures]
        table.add_row(*cells, _figure(a.rmse, 1), _figure(median))
    console.print(table)


def _print_groups(console: Console, title: str, lines: Sequence[Line]) -> None:
    measures = [m for m in dict.fromkeys(line.measure for line in lines) if m != "height"]
    measures = sorted(measures, key=lambda m: (not m.startswith("yoto"), m != "published vmaf"))[:BY_GROUP]
    first, *others = map(_name, measures)
    table = _table(f"{title}: SROCC by group", "group", "n", first, "95 %", *others)
    for group in dict.fromkeys(line.group for line in lines):
        found = {line.measure: line for line in lines if line.group == group}
        ours, rest = found[measures[0]], [found.get(measure) for measure in measures[1:]]
        cells = ["" if other is None else _figure(other.agreement.srocc) for other in rest]
        table.add_row(_shown(str(group)), str(ours.agreement.n), _figure(ours.agreement.srocc), _interval(ours), *cells)
    console.print(table)


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for column in others:
        table.add_column(column, justify="right")
    return table


def _shown(text: str) -> str:
    """Text of other people's tables: neither markup nor a terminal's commands."""
    return escape(printable(text))


def _name(measure: str) -> str:
    """A measure as people write it."""
    where, _, last = measure.rpartition(" ")
    if where == "yoto":
        return f"YOTO {last.upper()}"
    return {"height": "encoded height"}.get(measure, f"{where} {NAMES.get(last, last)}".strip())


def _figure(value: float, digits: int = 3) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _interval(line: Line) -> str:
    return "–" if line.ci95 is None else "–".join(_figure(v, 2) for v in line.ci95["srocc"])
