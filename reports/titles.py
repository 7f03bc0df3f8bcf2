"""The same titles as several encoders made them, brought into one mode and onto one time line each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..pipeline.pool import worst_second_ci95
from ..pipeline.values import ClipScore
from . import bd
from .clip import MODES, Clip
from .rd import RatePoint
from .read import LadderTable
from .results import Results, series_of
from .shots import Floats, Numbers, cuts, spans
from .title_notes import Note, notes_of

WHOLE = 0.9  # of the longest encode's length: shorter ones are of another part of the title


@dataclass(frozen=True)
class Side:
    """One encoder's results, under a name."""

    label: str
    results: Results


@dataclass(frozen=True, eq=False)
class Encode:
    """One encode in the mode it is compared in, with its frames on the title's common time line."""

    clip: Clip
    row: ClipScore
    frame_nums: tuple[int, ...]
    times: Floats  # seconds; of the reference, where there is one
    scores: Floats
    shots: Numbers = None  # of its frames
    spans: Floats | None = None  # `FrameScore.span_s` of its frames

    @property
    def rate(self) -> float:
        """Measured, kbit/s."""
        assert self.row.bitrate_kbps
        return self.row.bitrate_kbps

    def own_time(self, place: int) -> float:
        """Of a frame, by its place in `times`: seconds from the encode's first frame."""
        return (float(self.times[place]) - (self.row.offset_s or 0.0)) / (self.row.rate_ratio or 1.0)

    @property
    def worst_second_ci95(self) -> tuple[float, float] | None:
        """95 % interval of its worst second."""
        return worst_second_ci95(self.times, self.scores, self.spans)

    @property
    def size(self) -> str:
        """For people: "1280×720"."""
        return self.clip.size or "unknown size"


@dataclass(frozen=True, eq=False)
class Title:
    """One title: each side's encodes by rising rate; or the reason why it is not compared."""

    name: str
    mode: str
    sides: tuple[tuple[Encode, ...], ...]
    reason: str | None = None
    told: tuple[Note, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What else to know of it, a sentence each."""
        return tuple(note.sentence for note in self.told)

    @property
    def encodes(self) -> tuple[Encode, ...]:
        """Those of all sides, one side after the other."""
        return tuple(itertools.chain.from_iterable(self.sides))

    @cached_property
    def cuts(self) -> list[tuple[float, float]]:
        """Scene cuts, as `shots.cuts` tells them from all encodes."""
        return cuts((e.times, e.shots) for e in self.encodes)

    @cached_property
    def shots(self) -> list[tuple[float, float]]:
        """From when to when each shot is, in seconds; none where shots were not looked for."""
        known = [e.times for e in self.encodes if e.shots is not None]
        if not known:
            return []
        first, last = min(t[0] for t in known), max(t[-1] for t in known)
        return spans(self.cuts, float(first), float(np.nextafter(last, np.inf)))  # the last frame is in the last shot

    def curve(self, side: int, pool: str) -> tuple[list[RatePoint], str | None]:
        """A side's rate-quality curve, and what is wrong with it. Keys are places in `sides[side]`."""
        own = self.sides[side]
        points = [RatePoint(e.rate, e.row.pools[pool], str(i)) for i, e in enumerate(own)]
        files = {str(i): bd.File(e.clip.label, e.clip.content_id) for i, e in enumerate(own)}
        return bd.usable(points, [e.size for e in own], files)


def make_titles(sides: Sequence[Side], paired: Mapping[str, Sequence[str | None]]) -> list[Title]:
    """Read the encodes of titles that belong together.

    Args:
        sides: at least two.
        paired: by title, the name of its ladder on each side; None where a side lacks it.
    """
    return [_title(name, sides, ladders) for name, ladders in paired.items()]


def _title(name: str, sides: Sequence[Side], ladders: Sequence[str | None]) -> Title:
    missing = [side.label for side, ladder in zip(sides, ladders, strict=True) if ladder is None]
    tables = [
        next((t for t in side.results.fleet.ladders if t.name == ladder), LadderTable(name, ()))
        for side, ladder in zip(sides, ladders, strict=True)
    ]
    clips = [table.renditions for table in tables]
    whole = [[c for c in own if c.broken is None] for own in clips]
    scored = {m: [[c for c in own if c.row(m) is not None and c.bitrate_kbps] for own in whole] for m in MODES}
    known = [own for own in zip(scored["fr"], scored["nr"], strict=True) if any(own)]  # of sides that have it at all
    mode = "fr" if known and all(_enough(*own) for own in known) else "nr"
    absent = f"not among the encodes of {' and '.join(missing)}"
    reason = absent if missing else _unfair(sides, clips, scored[mode], mode)
    if reason:
        title = Title(name, mode, tuple(() for _ in sides), reason)
        return replace(title, told=tuple(notes_of(sides, tables, title)))
    made = []
    for side, ladder, own in zip(sides, ladders, scored[mode], strict=True):
        frames = side.results.store.ladder_frames(ladder or "")
        encodes = []
        for clip in own:
            row = clip.row(mode)
            assert row is not None
            rows = frames[clip.path, row.mode]
            series = series_of(rows)
            moved = series._replace(times=(row.offset_s or 0.0) + (row.rate_ratio or 1.0) * series.times)
            encodes.append(Encode(clip, row, tuple(f.frame_num for f in rows), *moved))
        made.append(tuple(sorted(encodes, key=lambda e: (e.rate, e.row.path))))
    title = Title(name, mode, tuple(made))
    return replace(title, told=tuple(notes_of(sides, tables, title)))


def _enough(compared: Sequence[Clip], alone: Sequence[Clip]) -> bool:
    """Whether a side's encodes that have FR make a curve, or are all there are."""
    return len(compared) >= min(bd.LEAST_POINTS, max(1, len(alone)))


def _without_score(sides: Sequence[Side], clips: Sequence[Sequence[Clip]]) -> str | None:
    """Of which sides no encode has a score, each with the first one's reason; None where all have some."""
    said = []
    for side, own in zip(sides, clips, strict=True):
        if own and not any(c.rows_ok for c in own):
            why = next((reason for c in own for reason in c.reasons), "")
            none = f"none of the {len(own)} encodes" if len(own) > 1 else "not the one encode"
            said.append(f"{none} of {side.label} has a score ({why})")
    return "; ".join(said) or None


def _unfair(
    sides: Sequence[Side], clips: Sequence[Sequence[Clip]], scored: Sequence[Sequence[Clip]], mode: str
) -> str | None:
    """Why scores cannot stand beside each other; None when they can."""
    if said := _without_score(sides, clips):
        return said
    for side, own in zip(sides, scored, strict=True):
        if not own:
            return f"no whole encode of {side.label} has a score and a bit rate"
        codecs = sorted({c.codec or "unknown" for c in own})
        if len(codecs) > 1:
            return f"{side.label} holds encodes of several codecs ({', '.join(codecs)}); give a folder for each"
    rows = [[r for c in own if (r := c.row(mode)) is not None] for own in scored]
    if said := _other_stretch(sides, rows):
        return said
    shown = [sorted({r.display or "" for r in own}) for own in rows]
    if len({d for own in shown for d in own}) > 1:
        each = "; ".join(f"{s.label} at {', '.join(d)}" for s, d in zip(sides, shown, strict=True))
        cut = any(finding.kind == "area" for own in rows for row in own for finding in row.findings)
        remedy = "some show a part of their master alone, without bars or borders" if cut else "give one with --display"
        return f"judged on different display rasters ({each}); {remedy}"
    if len({r.model_sha256 for own in rows for r in own}) > 1:
        return "scored by different models; scan again with one"
    return None


def _other_stretch(sides: Sequence[Side], rows: Sequence[Sequence[ClipScore]]) -> str | None:
    """Whether another part of the title was encoded: one encode is much shorter than another."""
    known = [
        (r.duration_s * (r.rate_ratio or 1.0), side.label)
        for side, own in zip(sides, rows, strict=True)
        for r in own
        if r.duration_s
    ]
    (least, short), (most, long) = min(known, default=(1.0, "")), max(known, default=(1.0, ""))
    if least >= WHOLE * most:
        return None
    said = f"an encode of {short} lasts {least:.2f} s, one of {long} {most:.2f} s"
    return f"{said}: rates and scores are of other stretches; cut them alike"
