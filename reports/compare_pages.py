"""A comparison as pages that stand up in a meeting: OUT/compare/index.html, a page a title, figures as CSV beside them.

The folder leans on nothing outside of it: pictures, scripts and styles lie in it, so that it can be mailed.
"""

from __future__ import annotations

import csv
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..pipeline.errors import YotoVideoError
from ..pipeline.text import counted, safe_cell
from ..pipeline.values import Moment
from . import compare_figures as charts
from . import compare_tables as tables
from .beside import NONE, Beside
from .compare import Comparison, Figure, Saving
from .compare_cost import costs
from .compare_shots import Shot, by_shot
from .compare_time import Loss, losses
from .compare_time_figures import when
from .compare_words import answer, crossover, score_of, sentence, units, versus
from .figures import Chart
from .ladders import ChosenLadder, choose
from .pages import environment, folder_aside, page_name, swap, write_assets
from .read import Fleet
from .titles import Title

MOST_CHARTS = 4  # titles whose curves are on the first page; each has them on its own
MOST_LADDERS = 12


def build_comparison(
    comparison: Comparison, out: Path, pictures: Mapping[tuple[str, int], Moment], beside: Beside = NONE
) -> Path:
    """Write OUT/compare and return the path of its first page.

    Args:
        comparison: what to tell.
        out: local folder; `pictures` are in it.
        pictures: by result id and frame.
        beside: what other measures say of the same encodes.

    Raises:
        YotoVideoError: the folder cannot be written.
    """
    target, aside = out / "compare", None
    try:
        aside = folder_aside(out, ".compare-")
        write_assets(aside / "assets")
        for moment in pictures.values():
            for name in (moment.encode, moment.heat_map, moment.reference):
                if name:
                    (aside / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(out / name, aside / name)
        shots = by_shot(comparison)
        _write_csv(aside / "figures.csv", tables.FIGURE_COLUMNS, tables.figure_rows(comparison.figures))
        _write_csv(aside / "shots.csv", tables.SHOT_COLUMNS, tables.shot_rows(shots))
        _write_pages(_Told(comparison, shots, pictures), beside, aside)
        aside.chmod(0o755)
        swap(aside, target)
    except OSError as error:
        raise YotoVideoError(f"{target}: cannot write the page ({error.strerror or error})") from None
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    return target / "index.html"


def _write_csv(file: Path, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: safe_cell(value) for name, value in row.items()} for row in rows)


class _Told:
    """What several pages tell of a comparison, found out once."""

    def __init__(
        self, comparison: Comparison, shots: Sequence[Shot], pictures: Mapping[tuple[str, int], Moment]
    ) -> None:
        self.comparison = comparison
        self.shots: dict[str, list[Shot]] = {title.name: [] for title in comparison.titles}
        for shot in shots:
            self.shots[shot.title.name].append(shot)
        self.styles = charts.styles(comparison.labels)
        labels = comparison.labels
        fleet = Fleet(tuple(ladder for side in comparison.sides for ladder in side.results.fleet.ladders))
        self.pages = environment(fleet)
        self.pages.globals |= {"labels": labels, "anchor": labels[0], "versus": versus(labels), "styles": self.styles}
        self.worst = [
            (labels[b], [_moment(loss, pictures) for loss in losses(comparison.titles, 0, b)])
            for b in range(1, len(labels))
        ]
        self.figures: dict[str | None, list[Figure]] = {}
        for figure in comparison.figures:
            self.figures.setdefault(figure.title, []).append(figure)

    def charts(self, title: Title) -> tuple[Chart | None, Chart | None]:
        """A title's quality over bit rate, and over time against the anchor."""
        shown = [m.loss for _, own in self.worst for m in own] if len(self.comparison.labels) == 2 else []
        time = when(self.comparison, title, shown, self.shots[title.name])
        return charts.rate_quality(self.comparison, title), time


def _write_pages(told: _Told, beside: Beside, folder: Path) -> None:
    """The first page, and one a title, those where the last side loses most first."""
    order = _worst_first(told.comparison)
    links = {title.name: f"titles/{page_name(title.name)}" for title in order}
    (folder / "index.html").write_text(_overview(told, order, links, beside), encoding="utf-8")
    (folder / "titles").mkdir()
    addresses = [None, *(f"../{links[title.name]}" for title in order), None]
    for title, before, after in zip(order, addresses, addresses[2:], strict=False):
        (folder / links[title.name]).write_text(_title_page(told, title, before, after), encoding="utf-8")


def _title_page(told: _Told, title: Title, before: str | None, after: str | None) -> str:
    figures, (curve, time) = told.figures[title.name], told.charts(title)
    shots = told.shots[title.name]
    moments = [(label, [m for m in found if m.loss.title is title]) for label, found in told.worst]
    anchor = told.comparison.labels[0]
    return told.pages.get_template("compare_title.html").render(
        root="../", title=title, before=before, after=after, figures=figures, curve=curve, time=time,
        answers=[sentence(f) for f in figures if f.pool == "mean" and f.anchor == anchor],
        shot_table=tables.shot_table(shots) if shots else None, worst=[(label, own) for label, own in moments if own],
        ladders=[(title, _ladders(told.comparison, title))] if not title.reason else [], sizes=_several_sizes([title]),
    )  # fmt: skip


def _overview(told: _Told, order: Sequence[Title], links: Mapping[str, str], beside: Beside) -> str:
    comparison = told.comparison
    labels, modes = comparison.labels, comparison.modes
    pairs = [(labels[a], labels[b]) for a, b in comparison.pairs]
    compared = [t for t in order if not t.reason]
    with_figure = {t.name: t.mode for side in range(len(labels)) for t in comparison.compared(side)}
    shots = [shot for own in told.shots.values() for shot in own]
    return told.pages.get_template("compare.html").render(
        root="", modes=modes, answer=answer(comparison), links=links, facts=_facts(comparison),
        compared={m: list(with_figure.values()).count(m) for m in modes},
        overall={m: [f for f in told.figures[None] if f.mode == m] for m in modes},
        units={m: units(f for f in told.figures[None] if f.mode == m) for m in modes},
        wins={(m, p): score_of(comparison, *p, m) for m in modes for p in pairs},
        crossings={m: [c for p in pairs if (c := crossover(comparison, *p, m))] for m in modes},
        forests={m: f for m in modes if (f := charts.forest(comparison, m))}, most=charts.MOST_TITLES,
        of_titles={m: len(charts.titles_of(comparison, m)) for m in modes},
        levels={m: f for m in modes if (f := charts.saving_levels(comparison, m))},
        savings={m: _by_level(comparison, m) for m in modes}, costs=costs(comparison),
        title_table=tables.title_table(comparison, links),
        shot_table=tables.shot_table(shots, links) if shots else None,
        curves=[(t, *told.charts(t)) for t in compared[:MOST_CHARTS]],
        worst=[(label, own) for label, own in told.worst if own],
        ladders=[(t, _ladders(comparison, t)) for t in compared[:MOST_LADDERS]], sizes=_several_sizes(compared),
        more=len(compared) - MOST_LADDERS,
        unpaired=[t for t in comparison.titles if t.reason], notes=[(t, n) for t in comparison.titles for n in t.notes],
        maps=[(m, charts.carried(m, labels)) for m in beside.maps], lost=beside.lost,
        warnings=[f"{side.label}: {w}" for side in comparison.sides for w in side.results.warnings],
    )  # fmt: skip


def _ladders(comparison: Comparison, title: Title) -> list[tuple[str, ChosenLadder]]:
    return [(label, choose(title, s)) for s, label in enumerate(comparison.labels)]


def _several_sizes(titles: Sequence[Title]) -> bool:
    return any(len({e.size for e in own}) > 1 for t in titles for own in t.sides)


def _facts(comparison: Comparison) -> list[str]:
    """What was compared: the encodes of which their side has a figure, and their titles."""
    own = [comparison.compared(side) for side in range(len(comparison.sides))]
    compared = {title.name for titles in own for title in titles}
    encodes = [e for side, titles in enumerate(own) for title in titles for e in title.sides[side]]
    facts = [f"{counted(len(compared), 'title')} compared, {counted(len(encodes), 'encode')}"]
    if len(comparison.titles) > len(compared):
        facts.append(f"{len(comparison.titles) - len(compared):,} not comparable")
    return [*facts, counted(sum(len(e.scores) for e in encodes), "judged frame")]


def _worst_first(comparison: Comparison) -> list[Title]:
    """The title on which the last side loses most first; those without a figure last."""
    cost = {f.title: f.delta.pchip for f in comparison.by_title(comparison.labels[0], comparison.labels[-1])}
    return sorted(comparison.titles, key=lambda t: (math.isnan(cost[t.name]), -cost[t.name], t.name))


@dataclass(frozen=True)
class _Shown:
    """A moment at which a side loses, with the pictures of it that could be taken."""

    loss: Loss
    anchor: Moment | None
    test: Moment | None


def _moment(loss: Loss, pictures: Mapping[tuple[str, int], Moment]) -> _Shown:
    found = [
        pictures.get((encode.row.result_id, encode.frame_nums[place]))
        for encode, place in ((loss.anchor, loss.anchor_frame), (loss.test, loss.test_frame))
    ]
    return _Shown(loss, *found)


def _by_level(comparison: Comparison, mode: str) -> list[tuple[float, list[Saving | None]]]:
    """For each level of quality what each side saves against the anchor."""
    own = [s for s in comparison.savings if s.mode == mode and s.anchor == comparison.labels[0]]
    return [
        (level, [next((s for s in own if (s.level, s.test) == (level, test)), None) for test in comparison.labels[1:]])
        for level in sorted({s.level for s in own})
    ]
