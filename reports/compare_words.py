"""A comparison in sentences: what stands at the top of the page and at the end of the terminal's table."""

from __future__ import annotations

import math
from itertools import pairwise

from .compare import Comparison, Figure


def answer(comparison: Comparison) -> str:
    """The answer in one sentence, or one sentence a side where there are several."""
    mode = next(iter(comparison.modes), "nr")
    anchor = comparison.labels[0]
    figures = [comparison.overall(anchor, test, mode) for test in comparison.labels[1:]]
    figures.sort(key=lambda f: (math.isnan(f.delta.pchip), f.delta.pchip))
    return " ".join(sentence(figure) for figure in figures)


def sentence(figure: Figure) -> str:
    """What one figure says: its size, its interval, and what it was drawn from."""
    test, anchor, delta = figure.test, figure.anchor, figure.delta
    if figure.verdict == "not comparable":
        return f"{test} and {anchor} cannot be compared: {delta.reason}."
    known = basis(figure)
    if figure.rate is None:
        return f"{test} needs {delta.pchip:+.1f} % bits against {anchor}, but no interval can be given ({known})."
    low, high = sorted((figure.rate.low, figure.rate.high))
    if figure.verdict == "no difference shown":
        return (
            f"No difference shown between {test} and {anchor}: {delta.pchip:+.1f} % "
            f"(95 % interval {low:+.1f} to {high:+.1f} %, {known})."
        )
    more = "fewer" if figure.verdict == "saves" else "more"
    ends = sorted((abs(low), abs(high)))
    return (
        f"{test} needs {abs(delta.pchip):.1f} % {more} bits than {anchor} for the same quality "
        f"(95 % interval {ends[0]:.1f} to {ends[1]:.1f} %, {known})."
    )


def basis(figure: Figure) -> str:
    """What a figure rests on."""
    mode = "beside the masters" if figure.mode == "fr" else "without masters"
    if figure.unit == "titles":
        return f"{figure.units} titles, {mode}"
    return f"one title, so the interval is over its {figure.units} blocks of time alone, {mode}"


def score_of(comparison: Comparison, anchor: str, test: str, mode: str) -> dict[str, int]:
    """Titles of a mode by verdict, for the mean."""
    counts = {"saves": 0, "costs": 0, "no difference shown": 0, "not comparable": 0}
    for figure in comparison.by_title(anchor, test):
        if figure.mode == mode:
            counts[figure.verdict] += 1
    return counts


def crossover(comparison: Comparison, anchor: str, test: str, mode: str) -> str | None:
    """Where a saving turns into a cost over quality; None where it does not."""
    own = [s for s in comparison.savings if (s.anchor, s.test, s.mode) == (anchor, test, mode)]
    for low, high in pairwise(own):
        if low.percent * high.percent < 0:
            below, above = ("saves", "costs") if low.percent < 0 else ("costs", "saves")
            return (
                f"{test} {below} bits against {anchor} up to a score of {low.level:.0f} and {above} them "
                f"from {high.level:.0f}."
            )
    return None
