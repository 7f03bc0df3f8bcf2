"""Numbers as people read them: what the templates write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup

from ..pipeline.text import counted
from .figures import Style
from .labels import last_component

ACR = ("bad", "poor", "fair", "good", "excellent")
_DASHES = {"solid": "none", "dash": "7 4", "dot": "2 3", "dashdot": "7 3 2 3", "longdash": "11 4"}


def number(value: float | None, digits: int = 1) -> str:
    """A number for reading; a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def rate(kbps: float | None) -> str:
    """Kilobits a second, with thousands apart; one digit below 100."""
    return "–" if kbps is None else f"{kbps:,.0f}" if kbps >= 100 else f"{kbps:.1f}"


def clock(seconds: float | None) -> str:
    """Seconds as 0:12.50, or 1:02:03.50."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds, 2), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:05.2f}" if hours else f"{minutes}:{rest:05.2f}"


def acr(score: float) -> str:
    """The nearest word of the five-point scale."""
    return ACR[min(4, max(0, round(score / 25)))]


def sentences(texts: Sequence[str]) -> str:
    """Several reasons as running text: word for word, each with its full stop."""
    return " ".join(t + ("" if t.endswith((".", "!", "?")) else ".") for t in texts if t)


def raster(text: str | None) -> str:
    """Like "1920x1080", with a multiplication sign."""
    return (text or "–").replace("x", "×")


def picture(path: str, root: str) -> str:
    """Address of a picture of OUT from a page; `root` leads from the page to OUT."""
    return root + quote(path)


def dasharray(style: Style) -> str:
    """SVG's word for Plotly's dash, as short lines in tables show it."""
    return _DASHES.get(style.dash, "11 3 2 3")


def kind(name: str) -> str:
    """A finding's kind in words: "poor_source" is "poor source"."""
    return name.replace("_", " ")


def span(start_s: float | None, end_s: float | None) -> str:
    """When a finding is: from and to, or the whole video."""
    return "throughout" if start_s is None else f"{clock(start_s)} – {clock(end_s)}"


def breakable(name: str) -> Markup:
    """A name that breaks where people would break it: after its separators (report.js does the same in tables)."""
    return Markup("<wbr>").join(re.split(r"(?<=[/_.-])", name))


FILTERS = {
    f.__name__: f
    for f in (
        *(number, rate, clock, acr, sentences, raster, picture, dasharray, kind, span, breakable, last_component),
        counted,
    )
}
