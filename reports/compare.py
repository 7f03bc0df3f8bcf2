"""Two or more encoders on the same titles: what each saves against each other, and how surely. Numbers only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from . import bd, bootstrap
from .bd import NAN, Delta
from .bootstrap import POOLS, Interval
from .clip import MODES
from .shots import Floats
from .titles import Side, Title

SEED = 20
LEVEL_STEP = 10  # points of score between the levels that savings are told for


@dataclass(frozen=True)
class Figure:
    """BD-rate and BD-quality of one side against another: of a title, or of all compared in a mode (title None)."""

    title: str | None
    mode: str
    pool: str
    anchor: str
    test: str
    delta: Delta
    rate: Interval | None = None  # of delta.pchip, percent
    quality: Interval | None = None  # of delta.quality, points
    units: int = 0  # that the intervals were drawn from
    unit: str = "blocks"  # of time, or "titles"
    titles: int = 1  # that it is the mean of

    @property
    def crossed(self) -> bool:
        """Whether fewer bits go with a lower quality at equal rate, or more with a higher: the curves cross."""
        return self.delta.pchip * self.delta.quality > 0

    @property
    def verdict(self) -> str:
        """Of the test: "saves", "costs", "no difference shown", "cannot be told" (no interval) or "not comparable"."""
        if self.rate is None:
            return "not comparable" if math.isnan(self.delta.pchip) else "cannot be told"
        if self.rate.low <= 0 <= self.rate.high or self.crossed:
            return "no difference shown"
        return "saves" if self.rate.high < 0 else "costs"


@dataclass(frozen=True)
class Saving:
    """Change of rate in percent at one quality, mean over the titles whose curves reach it on both sides."""

    anchor: str
    test: str
    mode: str
    level: float
    percent: float
    interval: Interval | None
    titles: int


@dataclass(frozen=True)
class _Pair:
    """One pair of curves of one title, as it is and in each draw of its blocks of time."""

    delta: Delta
    blocks: int = 0
    hidden: float = 0.0  # `bootstrap.lost` of them
    rate: Floats = field(default_factory=lambda: np.full(bootstrap.DRAWS, NAN))  # differences of log-rate
    quality: Floats = field(default_factory=lambda: np.full(bootstrap.DRAWS, NAN))
    rates: tuple[Floats, Floats] = (np.empty(0), np.empty(0))  # kbit/s, (k,) each
    scores: tuple[Floats, Floats] = (np.empty(0), np.empty(0))  # as they are, (1, k)
    drawn: tuple[Floats, Floats] = (np.empty(0), np.empty(0))  # (draws, k)


class Comparison:
    """All figures of these sides; the first is the anchor of the others. The same input gives the same figures.

    Args:
        sides: at least two.
        titles: as the sides made them.
        seconds: of encoding, by path, where known.
    """

    def __init__(
        self, sides: Sequence[Side], titles: Sequence[Title], seconds: Mapping[str, float] | None = None
    ) -> None:
        self.sides, self.titles, self.seconds = tuple(sides), tuple(titles), dict(seconds or {})
        self.labels = tuple(side.label for side in sides)
        self.pairs = list(itertools.combinations(range(len(sides)), 2))
        self._pairs: dict[tuple[str, int, int, str], _Pair] = {}
        for title in titles:
            self._draw(title)

    @cached_property
    def modes(self) -> list[str]:
        """The modes in which titles were compared, with a master first."""
        return [m for m in MODES if any(t.mode == m and not t.reason for t in self.titles)]

    def compared(self, side: int) -> list[Title]:
        """The titles of which a side has a figure against another one."""
        own = [(a, b) for a, b in self.pairs if side in (a, b)]
        return [
            title for title in self.titles
            if not title.reason and any(self._pairs[title.name, a, b, "mean"].delta.reason is None for a, b in own)
        ]  # fmt: skip

    @cached_property
    def main_mode(self) -> str:
        """The mode to answer in: the first that has a figure over all titles, else that of what was to be compared."""
        own = [f for f in self.figures if f.title is None and f.anchor == self.labels[0]]
        told = {f.mode for f in own if not math.isnan(f.delta.pchip)}
        return next(m for m in MODES if m in (told or self._modes))

    @property
    def _modes(self) -> list[str]:
        """Those of overall figures; where nothing can be compared, the first of the titles that were to be."""
        return self.modes or [next((m for m in MODES if any(t.mode == m for t in self.titles)), "nr")]

    @cached_property
    def figures(self) -> list[Figure]:
        """Overall first, mode by mode, then title by title; by pair, then by pool."""
        each = [(a, b, pool) for a, b in self.pairs for pool in POOLS]
        found = [self._overall(mode, *which) for mode in self._modes for which in each]
        return found + [self._of_title(title, *which) for title in self.titles for which in each]

    def overall(self, anchor: str, test: str, mode: str) -> Figure:
        """The figure over all titles of a mode, by their means."""
        wanted = (None, mode, "mean", anchor, test)
        return next(f for f in self.figures if (f.title, f.mode, f.pool, f.anchor, f.test) == wanted)

    def by_title(self, anchor: str, test: str) -> list[Figure]:
        """The titles' own figures, by their means."""
        return [f for f in self.figures if f.title is not None and (f.pool, f.anchor, f.test) == ("mean", anchor, test)]

    @cached_property
    def savings(self) -> list[Saving]:
        """At round levels of quality, by pair and mode; only levels that some title reaches on both sides."""
        each = itertools.product(self.pairs, self.modes, range(LEVEL_STEP, 100, LEVEL_STEP))
        return [saving for (a, b), mode, level in each if (saving := self._saving(a, b, mode, level)) is not None]

    def _saving(self, a: int, b: int, mode: str, level: float) -> Saving | None:
        pairs = self._comparable(mode, a, b, "mean")
        ratios = [float(bd.log_ratios(pair.rates, pair.scores, level)[0]) for pair in pairs]
        reach = [(ratio, pair) for ratio, pair in zip(ratios, pairs, strict=True) if math.isfinite(ratio)]
        if not reach:
            return None
        mean = float(np.mean([ratio for ratio, _ in reach]))
        drawn = [bd.log_ratios(pair.rates, pair.drawn, level) for _, pair in reach]
        interval = _percents(self._interval(mean, drawn, reach[0][1]))
        return Saving(self.labels[a], self.labels[b], mode, level, bd.percent(mean), interval, len(reach))

    def _draw(self, title: Title) -> None:
        """Draw the title's blocks once, for all its encodes together, and compare its curves in each draw."""
        if title.reason:
            return
        blocks, count = bootstrap.blocks_of([e.times for e in title.encodes])
        rng = np.random.default_rng([SEED, *title.name.encode()])  # whatever other titles there are
        counts, hidden = bootstrap.draw(count, rng), bootstrap.lost([e.spans for e in title.encodes], count)
        pooled = [
            bootstrap.pooled(e.times, e.scores, block, counts) for e, block in zip(title.encodes, blocks, strict=True)
        ]
        first = list(itertools.accumulate((len(own) for own in title.sides), initial=0))
        for (a, b), pool in itertools.product(self.pairs, POOLS):
            curves = [title.curve(s, pool) for s in (a, b)]
            flaws = [f"{self.labels[s]}: {why}" for s, (_, why) in zip((a, b), curves, strict=True) if why]
            if flaws:
                self._pairs[title.name, a, b, pool] = _Pair(Delta(NAN, NAN, NAN, flaws[0]))
                continue
            delta = bd.delta(curves[0][0], curves[1][0])
            (r1, q1), (r2, q2) = (bd.arrays(curve) for curve, _ in curves)
            d1, d2 = (
                np.stack([pooled[first[s] + int(p.key)][pool] for p in curve], axis=1)
                for s, (curve, _) in zip((a, b), curves, strict=True)
            )
            rate, quality = bd.log_deltas((r1, r2), (d1, d2))
            made = _Pair(delta, count, hidden, rate, quality, (r1, r2), (q1[None], q2[None]), (d1, d2))
            self._pairs[title.name, a, b, pool] = made

    def _comparable(self, mode: str, a: int, b: int, pool: str) -> list[_Pair]:
        pairs = [self._pairs[t.name, a, b, pool] for t in self.titles if t.mode == mode and not t.reason]
        return [pair for pair in pairs if pair.delta.reason is None]

    def _of_title(self, title: Title, a: int, b: int, pool: str) -> Figure:
        made = Figure(title.name, title.mode, pool, self.labels[a], self.labels[b], Delta(NAN, NAN, NAN, title.reason))
        if title.reason:
            return made
        pair = self._pairs[title.name, a, b, pool]
        delta = pair.delta
        rate = bootstrap.interval(math.log1p(delta.pchip / 100), pair.rate, pair.blocks, pair.hidden)
        quality = bootstrap.interval(delta.quality, pair.quality, pair.blocks, pair.hidden)
        return replace(made, delta=delta, rate=_percents(rate), quality=quality, units=pair.blocks)

    def _overall(self, mode: str, a: int, b: int, pool: str) -> Figure:
        """Mean over titles: of log-rate, so that swapping the sides turns a saving into the cost that undoes it."""
        known = self._comparable(mode, a, b, pool)
        made = Figure(None, mode, pool, self.labels[a], self.labels[b], Delta(NAN, NAN, NAN), titles=len(known))
        if not known:
            own = {f.delta.reason for f in (self._of_title(t, a, b, pool) for t in self.titles) if f.mode == mode}
            why = next(iter(own)) if len(own) == 1 else "no title's curves can be compared; each title says why"
            return replace(made, delta=Delta(NAN, NAN, NAN, why or "there is no title to compare"))
        logs, akima = (
            np.log1p(np.array([getattr(pair.delta, name) for pair in known]) / 100) for name in ("pchip", "akima")
        )
        mean, one = float(logs.mean()), known[0]
        qualities = [p for p in known if math.isfinite(p.delta.quality)]
        quality = float(np.mean([p.delta.quality for p in qualities])) if qualities else NAN
        return replace(
            made, delta=Delta(bd.percent(mean), bd.percent(float(akima.mean())), quality),
            rate=_percents(self._interval(mean, [p.rate for p in known], one)),
            quality=self._interval(quality, [p.quality for p in qualities], one) if qualities else None,
            units=len(known) if len(known) > 1 else one.blocks, unit="titles" if len(known) > 1 else "blocks",
        )  # fmt: skip

    def _interval(self, mean: float, drawn: Sequence[Floats], one: _Pair) -> Interval | None:
        """Over titles; of a single one over its blocks."""
        if len(drawn) == 1:
            return bootstrap.interval(mean, drawn[0], one.blocks, one.hidden)
        return bootstrap.interval(mean, bootstrap.over_titles(drawn, np.random.default_rng(SEED)), len(drawn))


def _percents(of_logs: Interval | None) -> Interval | None:
    """In percent; none of what may as well be a tenth of the bits or ten times as many."""
    if of_logs is None or (of_logs.low <= 0 <= of_logs.high and max(-of_logs.low, of_logs.high) > math.log(10)):
        return None
    return replace(of_logs, low=bd.percent(of_logs.low), high=bd.percent(of_logs.high))
