"""A comparison on stdout: a table with the answer below it, or one JSON object a line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..pipeline.text import printable
from .output import new_table, print_table

if TYPE_CHECKING:
    from ..reports.bootstrap import Interval
    from ..reports.compare import Comparison, Figure
    from ..reports.metric_maps import Map
    from ..reports.titles import Title


def figure_lines(figures: Iterable[Figure]) -> Iterator[str]:
    """One JSON object a figure."""
    for f in figures:
        yield json.dumps(
            {
                "type": "bd_rate", "title": f.title, "mode": f.mode, "pool": f.pool, "pchip": _finite(f.delta.pchip),
                "akima": _finite(f.delta.akima), "ci95": _ends(f.rate), "reason": f.delta.reason,
                "anchor": f.anchor, "test": f.test, "effect_size": f.rate.effect if f.rate else None,
                "bd_quality": _finite(f.delta.quality), "bd_quality_ci95": _ends(f.quality), "verdict": f.verdict,
                "titles": f.titles, "units": f.units, "unit": f.unit,
            },
            ensure_ascii=False, allow_nan=False,
        )  # fmt: skip


def note_lines(titles: Iterable[Title]) -> Iterator[str]:
    """One JSON object a note of a title."""
    for title in titles:
        for note in title.told:
            line = {"type": "note", "title": title.name, "mode": title.mode, **asdict(note)}
            yield json.dumps(line, ensure_ascii=False, allow_nan=False)


def map_lines(maps: Iterable[Map]) -> Iterator[str]:
    """One JSON object a map of another measure to ours."""
    for m in maps:
        carried = [
            {"theirs": theirs, "ours": ours, "ci95": None if low is None or high is None else [low, high]}
            for theirs, ours, low, high in m.rows
        ]
        yield json.dumps(
            {
                "type": "map", "metric": m.metric, "mode": m.mode, "encodes": len(m.pairs), "srocc": _finite(m.srocc),
                "rmse": _finite(m.rmse), "thresholds": carried, "knots": m.knots,
            },
            ensure_ascii=False, allow_nan=False,
        )  # fmt: skip


def print_comparison(comparison: Comparison) -> None:
    """All overall figures, the titles' own of the mean, and the answer."""
    from ..reports.compare_words import answer

    table = new_table("title", "mode", "pool", "test", "anchor", ">BD-rate %", "95 %", ">BD-quality", "95 %", "note")
    for f in comparison.figures:
        if f.title is not None and f.pool != "mean":
            continue
        note = f.delta.reason or f.verdict
        quality = _signed(f.delta.quality)
        table.add_row(
            f.title or "all", f.mode.upper(), f.pool, f.test, f.anchor, _signed(f.delta.pchip), _span(f.rate), quality,
            _span(f.quality), note,
        )  # fmt: skip
    print_table(table)
    for title in comparison.titles:
        for note in title.notes:
            print(printable(f"{title.name}: {note}"))
    print(f"\n{answer(comparison)}")


def _signed(value: float) -> str:
    return f"{value:+.1f}" if math.isfinite(value) else ""


def _span(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.low:+.1f} to {interval.high:+.1f}"


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
