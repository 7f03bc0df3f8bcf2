"""Where sizes stand beside the marks of a chart, so that none lies over another or over a mark.

A chart is as wide as its window, and text keeps its size: a place has to do in narrow charts and in wide ones. What
finds none is left to the hover.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import log10
from typing import Any, NamedTuple

PLACES = ("top left", "bottom right")  # Plotly's words; a line that rises is in the way of the others
# Pixels between the axes, width and height: on a telephone, and one of two on a desk, or the only one; a long legend
# takes some of the height.
_SIZES = ((262.0, 240.0), (275.0, 270.0), (475.0, 245.0), (475.0, 270.0), (1060.0, 280.0))
_CHARACTER, _LINE = 7.8, 13.0  # pixels of a text of 12
_GAP = 7.0  # of it to its mark's centre
_MARK = 6.0  # half of a mark


class Spot(NamedTuple):
    """A mark and what is to stand beside it. `x` and `y` are shares of the chart's sides, from its lower left."""

    x: float
    y: float
    text: str  # "": nothing
    first: str  # the place to try first


_Box = tuple[float, float, float, float]  # left, lower, right, upper; pixels


def places(spots: Sequence[Spot]) -> list[str | None]:
    """For each mark where its text stands, of `PLACES`; None where there is no room for it.

    Those at the ends of the chart, which say most, come first.
    """
    marks = [[_around(_at(spot, size)) for spot in spots] for size in _SIZES]
    texts: list[list[_Box]] = [[] for _ in _SIZES]
    found: list[str | None] = [None] * len(spots)
    wanted = sorted((k for k, spot in enumerate(spots) if spot.text), key=lambda k: spots[k].x)
    for k in [*wanted[:1], *wanted[:0:-1][:1], *wanted[1:-1]]:
        for place in (spots[k].first, *(other for other in PLACES if other != spots[k].first)):
            boxes = [_text(spots[k], place, _at(spots[k], size)) for size in _SIZES]
            taken = ([*there, *said] for there, said in zip(marks, texts, strict=True))
            if not any(_meet(box, other) for box, others in zip(boxes, taken, strict=True) for other in others):
                found[k] = place
                for said, box in zip(texts, boxes, strict=True):
                    said.append(box)
                break
    return found


def put(lines: Sequence[dict[str, Any]], x: Sequence[float], y: Sequence[float]) -> None:
    """Place the texts of a chart's lines, in Plotly's words, or take them out.

    Args:
        lines: those with a text have it beside their marks, and a `textposition` for all of them.
        x, y: ends of the axes, `x` in powers of ten.
    """
    named = [line for line in lines if "text" in line]
    spots = [
        Spot((log10(kbps) - x[0]) / (x[1] - x[0]), (score - y[0]) / (y[1] - y[0]), text, line["textposition"])
        for line in named
        for kbps, score, text in zip(line["x"], line["y"], line["text"], strict=True)
    ]
    found = iter(zip(spots, places(spots), strict=True))
    for line in named:
        mine = list(islice(found, len(line["x"])))
        line["text"] = [spot.text if place else "" for spot, place in mine]
        line["textposition"] = [place or spot.first for spot, place in mine]


def _at(spot: Spot, size: tuple[float, float]) -> tuple[float, float]:
    return spot.x * size[0], spot.y * size[1]


def _around(at: tuple[float, float]) -> _Box:
    return at[0] - _MARK, at[1] - _MARK, at[0] + _MARK, at[1] + _MARK


def _text(spot: Spot, place: str, at: tuple[float, float]) -> _Box:
    wide = _CHARACTER * len(spot.text)
    left = at[0] - _GAP - wide if "left" in place else at[0] + _GAP
    lower = at[1] + _GAP if "top" in place else at[1] - _GAP - _LINE
    return left, lower, left + wide, lower + _LINE


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
