"""A comparison's tables as plain rows: those `report.js` sorts and filters, and the CSV files beside the pages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from .bootstrap import Interval
from .compare import Comparison, Figure
from .compare_shots import Shot
from .words import clock

Json = dict[str, object]
EFFECT: Json = {"label": "Effect", "kind": "number", "digits": 1, "title": "in standard deviations of its seconds"}
VERDICT: Json = {"label": "Verdict", "kind": "text", "whole": True}
NAMES = ("Pair", "Mode", "Encoder", "Title")  # columns of names
FIGURE_COLUMNS = (
    *("title", "mode", "pool", "anchor", "test", "pchip", "akima", "ci95_low", "ci95_high", "effect_size"),
    *("bd_quality", "bd_quality_low", "bd_quality_high", "units", "unit", "titles", "verdict", "reason"),
)
SHOT_COLUMNS = (
    *("title", "mode", "anchor", "test", "shot", "start_s", "end_s", "points"),
    *("ci95_low", "ci95_high", "effect_size", "blocks", "verdict"),
)


def figure_rows(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """Figures as flat rows; what there is not is None, never NaN."""
    return [
        {
            "title": f.title, "mode": f.mode, "pool": f.pool, "anchor": f.anchor, "test": f.test,
            "pchip": _known(f.delta.pchip), "akima": _known(f.delta.akima),
            "ci95_low": f.rate and f.rate.low, "ci95_high": f.rate and f.rate.high,
            "effect_size": f.rate and f.rate.effect, "bd_quality": _known(f.delta.quality),
            "bd_quality_low": f.quality and f.quality.low, "bd_quality_high": f.quality and f.quality.high,
            "units": f.units, "unit": f.unit, "titles": f.titles, "verdict": f.verdict, "reason": f.delta.reason,
        }
        for f in figures
    ]  # fmt: skip


def shot_rows(shots: Iterable[Shot]) -> list[dict[str, Any]]:
    """Shots as flat rows."""
    return [
        {
            "title": s.title.name, "mode": s.title.mode, "anchor": s.anchor, "test": s.test, "shot": s.number,
            "start_s": round(s.start_s, 3), "end_s": round(s.end_s, 3), "points": s.points,
            "ci95_low": s.interval and s.interval.low, "ci95_high": s.interval and s.interval.high,
            "effect_size": s.interval and s.interval.effect, "blocks": s.blocks, "verdict": s.verdict,
        }
        for s in shots
    ]  # fmt: skip


def title_table(comparison: Comparison, links: Mapping[str, str]) -> Json:
    """A row a title and pair; `links` are the addresses of the titles' pages."""
    by_pool = {(f.title, f.anchor, f.test, f.pool): f for f in comparison.figures}
    rows: list[Json] = []
    for f in comparison.figures:
        if f.title is None or f.pool != "mean":
            continue
        low = [by_pool[f.title, f.anchor, f.test, pool] for pool in ("p5", "worst_second")]
        pair = f"{f.test} against {f.anchor}"
        cells: list[object] = [[f.title, links[f.title], None, f.delta.reason], [pair, f.test, f"against {f.anchor}"]]
        cells += [f.mode.upper(), _interval(f.delta.pchip, f.rate), f.verdict, _effect(f.rate)]
        cells += [_interval(f.delta.quality, f.quality), *(_interval(one.delta.pchip, one.rate) for one in low)]
        facets = [pair, f.mode.upper(), f.verdict]
        rows.append({"cells": cells, "facets": facets, "find": f"{f.title} {f.test} {f.anchor}"})
    columns: list[Json] = [
        {"label": "Title", "kind": "link"}, {"label": "Pair", "kind": "parts"}, {"label": "Mode", "kind": "text"},
        {"label": "BD-rate, %", "kind": "interval", "descending": True, "title": "below 0 saves bits"},
        VERDICT, EFFECT,
        {"label": "BD-quality", "kind": "interval", "title": "points at equal rate; above 0 looks better"},
        {"label": "p5, %", "kind": "interval", "title": "BD-rate of the 5th percentile"},
        {"label": "Worst second, %", "kind": "interval", "title": "BD-rate of the worst second"},
    ]  # fmt: skip
    return _table(columns, rows, ["Pair", "Mode", "Verdict"], ("BD-rate, %", "Title")) | {"descending": True}


def shot_table(shots: Sequence[Shot], links: Mapping[str, str] | None = None) -> Json:
    """A row a shot and side, where it loses most first; without `links` the shots are of one title."""
    rows: list[Json] = []
    for s in shots:
        name: object = [s.title.name, links[s.title.name], None, None] if links else s.title.name
        cells: list[object] = [name, s.test, s.number, [s.start_s, f"{clock(s.start_s)} – {clock(s.end_s)}"]]
        cells += [_interval(s.points, s.interval), _effect(s.interval), s.verdict]
        rows.append({"cells": cells, "facets": [s.test, s.verdict], "find": f"{s.title.name} {s.test}"})
    columns: list[Json] = [
        {"label": "Title", "kind": "link" if links else "text"}, {"label": "Encoder", "kind": "text"},
        {"label": "Shot", "kind": "number"}, {"label": "When", "kind": "span", "whole": True},
        {"label": "Points at equal rate", "kind": "interval", "title": "above 0 looks better"},
        EFFECT, VERDICT,
    ]  # fmt: skip
    made = _table(columns, rows, ["Encoder", "Verdict"], ("Points at equal rate", "Title", "When"))
    return made | {"page": 25, "print_all": links is None}  # of all titles the worst are enough on paper


def _table(columns: Sequence[Json], rows: Sequence[Json], facets: Sequence[str], order: Sequence[str]) -> Json:
    """The table without columns of names that say the same in every row; sorted by the columns of these labels."""
    cells = [cast(list[object], row["cells"]) for row in rows]
    told = [
        i for i, column in enumerate(columns)
        if column["label"] not in NAMES or column["kind"] == "link" or len({str(own[i]) for own in cells}) > 1
    ]  # fmt: skip
    labels = [columns[i]["label"] for i in told]
    places = [labels.index(label) for label in order if label in labels]
    kept = [row | {"cells": [own[i] for i in told]} for row, own in zip(rows, cells, strict=True)]
    return {
        "columns": [columns[i] for i in told], "facets": facets, "rows": kept, "sort": places[0], "then": places[1:],
        "descending": False,
    }  # fmt: skip


def _interval(value: float, interval: Interval | None) -> list[float | None] | None:
    if not math.isfinite(value):
        return None
    ends = (None, None) if interval is None else (round(interval.low, 1), round(interval.high, 1))
    return [round(value, 1), *ends]


def _effect(interval: Interval | None) -> float | None:
    return None if interval is None or interval.effect is None else round(interval.effect, 1)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
