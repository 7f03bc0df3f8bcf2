"""A comparison in sentences: what stands at the top of the page and at the end of the terminal's table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from ..pipeline.text import counted
from .compare import Comparison, Figure

FEW = 5  # titles below which an interval is mostly as wide as it is for their number
LEAST_WIDTH = 0.05  # percent: a narrower interval prints as a single figure


def versus(labels: Sequence[str]) -> str:
    """What a comparison compares: "x265 and av1 against x264", the anchor last."""
    anchor, *tests = labels
    return f"{', '.join(tests[:-1])}{' and ' if tests[1:] else ''}{tests[-1]} against {anchor}"


def answer(comparison: Comparison) -> str:
    """The answer in one sentence: of the mean over all titles, beside the masters where that gives a figure.

    A second one names sides whose files are the anchor's.
    """
    anchor, mode = comparison.labels[0], comparison.main_mode
    figures = [comparison.overall(anchor, test, mode) for test in comparison.labels[1:]]
    copied = "".join(f" {words}." for f in figures if (words := copies(comparison, f)))
    if len(figures) == 1:
        return f"{sentence(figures[0], _left_out(comparison, figures[0]))}{copied}"
    figures.sort(key=lambda f: (math.isnan(f.delta.pchip), f.delta.pchip))
    said: dict[str, list[str]] = {}
    for figure in figures:
        if figure.verdict != "not comparable":
            said.setdefault(basis(figure) + _left_out(comparison, figure), []).append(figure.test)
    whose = [f"{' and '.join(tests)}: {known}" if len(said) > 1 else known for known, tests in said.items()]
    brackets = ["95 % intervals in brackets"] if any(f.rate for f in figures) else []
    from_what = f" ({'; '.join([*brackets, *whose])})" if whose else ""
    return f"Against {anchor}, for the same quality: {'; '.join(map(_clause, figures))}{from_what}.{copied}"


def sentence(figure: Figure, left_out: str = "") -> str:
    """What one figure says: its size, its interval, what it was drawn from, and what was left out of it."""
    test, anchor, delta = figure.test, figure.anchor, figure.delta
    if figure.verdict == "not comparable":
        return f"{test} and {anchor} cannot be compared: {delta.reason}."
    if figure.verdict == "cannot be told":
        what = f"the mean of {figure.units} titles" if figure.unit == "titles" else "the figure of one title"
        return (
            f"Whether {test} needs fewer or more bits than {anchor} for the same quality cannot be told: "
            f"{delta.pchip:+.1f} % is {what}, and no interval can be given ({_beside(figure)}{left_out})."
        )
    known = basis(figure) + left_out
    if figure.verdict == "no difference shown":
        return (
            f"No difference shown between {test} and {anchor}: {delta.pchip:+.1f} % of the bits for the same quality "
            f"(95 % interval {_ends(figure)}, {known}{'; their curves cross' if figure.crossed else ''})."
        )
    more = "fewer" if figure.verdict == "saves" else "more"
    return (
        f"{test} needs {abs(delta.pchip):.1f} % {more} bits than {anchor} for the same quality "
        f"(95 % interval {_ends(figure)}, {known})."
    )


def copies(comparison: Comparison, figure: Figure) -> str | None:
    """That every file of a side is one of the anchor's of the same title, byte for byte; None where one is not."""
    a, b = (comparison.labels.index(label) for label in (figure.anchor, figure.test))
    files = 0
    for title in comparison.compared(b):
        mine, theirs = ({e.row.content_id for e in title.sides[s]} for s in (a, b))
        if "" in theirs or not theirs <= mine:
            return None
        files += len(title.sides[b])
    if not files:
        return None
    return f"All {files:,} encodes of {figure.test} are the same bytes as encodes of {figure.anchor}: check the folders"


def _left_out(comparison: Comparison, figure: Figure) -> str:
    """How many titles have no figure of a pair, in any mode."""
    own = comparison.by_title(figure.anchor, figure.test)
    missing = sum(math.isnan(f.delta.pchip) for f in own)
    return f"; {missing:,} of {counted(len(own), 'title')} left out" if missing else ""


def _clause(figure: Figure) -> str:
    if figure.verdict == "not comparable":
        return f"{figure.test} cannot be compared, {figure.delta.reason}"
    if figure.verdict == "cannot be told":
        return f"for {figure.test} it cannot be told, {figure.delta.pchip:+.1f} % without an interval"
    ends = f"({_ends(figure)})"
    if figure.verdict == "no difference shown":
        return f"no difference shown for {figure.test}, {figure.delta.pchip:+.1f} % {ends}"
    more = "fewer" if figure.verdict == "saves" else "more"
    return f"{figure.test} needs {abs(figure.delta.pchip):.1f} % {more} bits {ends}"


def _ends(figure: Figure) -> str:
    """An interval for reading: without signs where the words around it say them."""
    assert figure.rate is not None
    low, high = figure.rate.low, figure.rate.high
    if figure.verdict == "no difference shown":
        return f"{low:+.1f} to {high:+.1f} %"
    low, high = sorted((abs(low), abs(high)))
    return f"{low:.1f} to {high:.1f} %"


def basis(figure: Figure) -> str:
    """What a figure rests on."""
    mode = _beside(figure)
    if figure.unit == "titles":
        narrows = figure.rate is not None and figure.rate.high - figure.rate.low > LEAST_WIDTH
        few = "; more titles would narrow it" if figure.units < FEW and narrows else ""
        return f"{figure.units} titles, {mode}{few}"
    if figure.rate is None:
        return f"one title, {mode}"
    return f"one title, so the interval is over its {figure.units} blocks of time alone, {mode}"


def units(figures: Iterable[Figure]) -> list[str]:
    """What the figures with a value were drawn from: "titles", "blocks", both or neither."""
    found = {f.unit for f in figures if not math.isnan(f.delta.pchip)}
    return sorted(found, reverse=True)


def _beside(figure: Figure) -> str:
    return "beside the masters" if figure.mode == "fr" else "without masters"


def score_of(comparison: Comparison, anchor: str, test: str, mode: str) -> dict[str, int]:
    """Titles of a mode by verdict, for the mean."""
    counts = {"saves": 0, "costs": 0, "no difference shown": 0, "cannot be told": 0, "not comparable": 0}
    for figure in comparison.by_title(anchor, test):
        if figure.mode == mode:
            counts[figure.verdict] += 1
    return counts


def crossover(comparison: Comparison, anchor: str, test: str, mode: str) -> str | None:
    """Where a shown saving turns into a shown cost, or the reverse; None where that is not shown."""
    own = [s for s in comparison.savings if (s.anchor, s.test, s.mode) == (anchor, test, mode) and s.interval]
    shown = [(s.level, s.percent) for s in own if s.interval and not s.interval.low <= 0 <= s.interval.high]
    for (low, before), (high, after) in pairwise(shown):
        if before * after < 0:
            below, above = ("saves", "costs") if before < 0 else ("costs", "saves")
            return f"{test} {below} bits against {anchor} up to a score of {low:.0f} and {above} them from {high:.0f}."
    return None
