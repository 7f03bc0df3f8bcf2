"""A comparison as one page that stands up in a meeting: OUT/compare/index.html, and its figures as CSV beside it.

The folder leans on nothing outside of it: pictures, scripts and styles lie in it, so that it can be mailed.
"""

from __future__ import annotations

import csv
import math
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..pipeline.errors import YotoVideoError
from ..pipeline.values import Moment
from . import compare_figures as charts
from .compare import Comparison, Figure, Saving
from .compare_time import Loss, losses
from .compare_words import answer, crossover, score_of
from .imports import Imported, Map, fit, match
from .ladders import choose
from .pages import environment, swap, write_assets
from .read import Fleet
from .titles import Title

MOST_CHARTS = 12  # titles whose curves are drawn; the table has all
COLUMNS = (
    *("title", "mode", "pool", "anchor", "test", "pchip", "akima", "ci95_low", "ci95_high", "effect_size"),
    *("bd_quality", "bd_quality_low", "bd_quality_high", "units", "unit", "titles", "verdict", "reason"),
)


def build_comparison(
    comparison: Comparison, out: Path, pictures: Mapping[tuple[str, int], Moment], imported: Sequence[Imported] = ()
) -> Path:
    """Write OUT/compare and return the path of its page.

    Args:
        comparison: what to tell.
        out: local folder; `pictures` are in it.
        pictures: by result id and frame.
        imported: other measures' scores.

    Raises:
        YotoVideoError: the folder cannot be written.
    """
    target, aside = out / "compare", None
    try:
        aside = Path(tempfile.mkdtemp(prefix=".compare-", dir=out))
        write_assets(aside / "assets")
        for moment in pictures.values():
            for name in (moment.encode, moment.heat_map, moment.reference):
                if name:
                    (aside / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(out / name, aside / name)
        with (aside / "figures.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows(comparison.figures))
        (aside / "index.html").write_text(_page(comparison, pictures, imported), encoding="utf-8")
        aside.chmod(0o755)
        swap(aside, target)
    except OSError as error:
        raise YotoVideoError(f"{target}: cannot write the page ({error.strerror or error})") from None
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    return target / "index.html"


def rows(figures: Iterable[Figure]) -> list[dict[str, Any]]:
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


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _page(
    comparison: Comparison, pictures: Mapping[tuple[str, int], Moment], imported: Sequence[Imported]
) -> str:
    labels, modes = comparison.labels, comparison.modes
    anchor = labels[0]
    fleet = Fleet(tuple(ladder for side in comparison.sides for ladder in side.results.fleet.ladders))
    compared = [t for t in comparison.titles if not t.reason]
    worst = [
        (labels[b], [_moment(loss, pictures) for loss in losses(comparison.titles, 0, b)])
        for b in range(1, len(labels))
    ]
    shown = [*losses(comparison.titles, 0, len(labels) - 1)] if len(labels) == 2 else []
    maps, lost = _maps(comparison, imported)
    pairs = [(labels[a], labels[b]) for a, b in comparison.pairs]
    return environment(fleet).get_template("compare.html").render(
        root="", labels=labels, anchor=anchor, modes=modes, answer=answer(comparison), styles=charts.styles(labels),
        facts=_facts(comparison),
        overall={m: [f for f in comparison.figures if f.title is None and f.mode == m] for m in modes},
        wins={(m, p): score_of(comparison, *p, m) for m in modes for p in pairs},
        crossings={m: [c for p in pairs if (c := crossover(comparison, *p, m))] for m in modes},
        forests={m: f for m in modes if (f := charts.forest(comparison, m))},
        levels={m: f for m in modes if (f := charts.saving_levels(comparison, m))},
        savings={m: _by_level(comparison, m) for m in modes}, costs=comparison.costs,
        title_table=_title_table(comparison),
        curves=[
            (t, charts.rate_quality(comparison, t), charts.when(comparison, t, shown))
            for t in _worst_first(comparison, compared)[:MOST_CHARTS]
        ],
        hidden=max(0, len(compared) - MOST_CHARTS), worst=[(label, own) for label, own in worst if own],
        ladders=[(t, [(label, choose(t, s)) for s, label in enumerate(labels)]) for t in compared[:MOST_CHARTS]],
        sizes=any(len({e.size for e in own}) > 1 for t in compared for own in t.sides),
        unpaired=[t for t in comparison.titles if t.reason], notes=[n for t in comparison.titles for n in t.notes],
        maps=[(m, charts.carried(m, labels)) for m in maps], lost=lost,
        warnings=[f"{side.label}: {w}" for side in comparison.sides for w in side.results.warnings],
    )  # fmt: skip


def _facts(comparison: Comparison) -> list[str]:
    titles = sum(not t.reason for t in comparison.titles)
    encodes = sum(len(t.encodes) for t in comparison.titles)
    facts = [f"{titles} title{'' if titles == 1 else 's'} compared, {encodes} encodes"]
    if len(comparison.titles) > titles:
        facts.append(f"{len(comparison.titles) - titles} not comparable")
    frames = sum(len(e.scores) for t in comparison.titles for e in t.encodes)
    return [*facts, f"{frames:,} judged frames"]


def _worst_first(comparison: Comparison, titles: Sequence[Title]) -> list[Title]:
    """The title on which the last side loses most first; those without a figure last."""
    cost = {f.title: f.delta.pchip for f in comparison.by_title(comparison.labels[0], comparison.labels[-1])}
    return sorted(titles, key=lambda t: (math.isnan(cost[t.name]), -cost[t.name], t.name))


def _moment(loss: Loss, pictures: Mapping[tuple[str, int], Moment]) -> dict[str, object]:
    found = [
        pictures.get((encode.row.result_id, encode.frame_nums[place]))
        for encode, place in ((loss.anchor, loss.anchor_frame), (loss.test, loss.test_frame))
    ]
    return {"loss": loss, "anchor": found[0], "test": found[1]}


def _by_level(comparison: Comparison, mode: str) -> list[tuple[float, list[Saving | None]]]:
    """For each level of quality what each side saves against the anchor."""
    own = [s for s in comparison.savings if s.mode == mode and s.anchor == comparison.labels[0]]
    return [
        (level, [next((s for s in own if (s.level, s.test) == (level, test)), None) for test in comparison.labels[1:]])
        for level in sorted({s.level for s in own})
    ]


def _title_table(comparison: Comparison) -> dict[str, object]:
    """A row a title and pair."""
    by_pool = {(f.title, f.anchor, f.test, f.pool): f for f in comparison.figures}
    titles: list[dict[str, object]] = []
    for f in comparison.figures:
        if f.title is None or f.pool != "mean":
            continue
        figure = None if math.isnan(f.delta.pchip) else _interval(f.delta.pchip, f.rate)
        quality = None if math.isnan(f.delta.quality) else _interval(f.delta.quality, f.quality)
        low = [_known(by_pool[f.title, f.anchor, f.test, p].delta.pchip) for p in ("p5", "worst_second")]
        cells: list[object] = [f.title, f"{f.test} against {f.anchor}", f.mode.upper(), figure, quality]
        cells += [None if v is None else round(v, 2) for v in low]
        cells += [f.verdict, f.delta.reason]
        titles.append({"cells": cells, "facets": [f"{f.test} against {f.anchor}", f.mode.upper(), f.verdict],
                       "find": f"{f.title} {f.test} {f.anchor}"})  # fmt: skip
    columns: list[dict[str, object]] = [
        {"label": "Title", "kind": "text"}, {"label": "Pair", "kind": "text"}, {"label": "Mode", "kind": "text"},
        {"label": "BD-rate, %", "kind": "interval", "digits": 1, "descending": True, "title": "below 0 saves bits"},
        {"label": "BD-quality", "kind": "interval", "digits": 1, "title": "points at equal rate; above 0 looks better"},
        {"label": "p5, %", "kind": "number", "digits": 1, "title": "BD-rate of the 5th percentile"},
        {"label": "Worst second, %", "kind": "number", "digits": 1, "title": "BD-rate of the worst second"},
        {"label": "Verdict", "kind": "text"}, {"label": "Why not", "kind": "text"},
    ]  # fmt: skip
    return {
        "columns": columns, "facets": ["Pair", "Mode", "Verdict"], "rows": titles, "sort": 3, "then": [0],
        "descending": True,
    }  # fmt: skip


def _interval(value: float, interval: Any) -> list[float | None]:
    return [round(v, 2) for v in (value, *((interval.low, interval.high) if interval else ()))] + (
        [] if interval else [None, None]
    )


def _maps(comparison: Comparison, imported: Sequence[Imported]) -> tuple[list[Map], list[str]]:
    """Maps of the imported measures, one a measure and mode; and what could not be used, a sentence each."""
    sides = [pair for t in comparison.titles for pair in zip(t.sides, comparison.labels, strict=True)]
    encodes = [(e, label) for own, label in sides for e in own]
    title_of = {e.row.path: t.name for t in comparison.titles for e in t.encodes}
    found, lost = match(imported, encodes)
    maps = []
    for metric, pairs in found.items():
        for mode in comparison.modes:
            own = [pair for pair in pairs if pair[0].row.mode == mode]
            fitted = fit(metric, mode, own, title_of)
            if fitted is not None:
                maps.append(fitted)
            elif own:
                lost.append(f"{metric}: {len(own)} encodes have it, a map needs at least four that differ")
    return maps, lost
