"""Rows to what the pages tell of: clips in all their modes, gathered by ladder. No page and no figure is known here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ..pipeline.values import ClipScore, Declared, Finding, Moment
from .labels import common_folder, last_component, short_labels
from .shots import Floats, Numbers

MODES = ("fr", "nr")  # order of telling: with a master first
RUNGS = (144, 240, 288, 360, 432, 480, 540, 576, 720, 900, 1080, 1440, 2160, 4320)  # lines people name a size by


class Series(NamedTuple):
    """The frames of one clip in one mode, in order; (n,) each."""

    times: Floats  # seconds
    scores: Floats  # 0 to 100
    shots: Numbers = None


@dataclass(frozen=True)
class Clip:
    """One video with its rows of `clips`: one in each mode it was scored in, or the one that says why not."""

    rows: tuple[ClipScore, ...]
    label: str  # shortest end of the path that is unique in its ladder

    @cached_property
    def _any(self) -> ClipScore:
        """The row that knows most of the stream."""
        return max(self.rows, key=lambda r: (r.status == "ok", r.width is not None, r.mode == "nr"))

    @property
    def path(self) -> str:
        """As in the `path` column."""
        return self._any.path

    @property
    def name(self) -> str:
        """Last component of the path."""
        return last_component(self.path)

    @property
    def ladder(self) -> str:
        """Name of its ladder."""
        return self._any.ladder

    @property
    def is_master(self) -> bool:
        """Whether the ladder's encodes are compared with it."""
        return any(r.is_master for r in self.rows)

    @property
    def rows_ok(self) -> tuple[ClipScore, ...]:
        """The rows with a score."""
        return tuple(r for r in self.rows if r.status == "ok")

    @property
    def status(self) -> str:
        """`ok` when scored in at least one mode, else the worse of the rows' own."""
        return "ok" if self.rows_ok else "failed" if any(r.status == "failed" for r in self.rows) else "skipped"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a mode (or all) is missing, each sentence once."""
        return tuple(dict.fromkeys(r.reason for r in self.rows if r.status != "ok" and r.reason))

    @property
    def moments(self) -> list[tuple[ClipScore, Moment]]:
        """The worst frames kept, each with the row it was judged for."""
        return [(r, m) for r in self.rows_ok for m in r.moments]

    def row(self, mode: str) -> ClipScore | None:
        """The scored row of a mode."""
        return next((r for r in self.rows_ok if r.mode == mode), None)

    def score(self, mode: str) -> float | None:
        """Mean over frames in a mode, 0 to 100."""
        row = self.row(mode)
        return None if row is None else row.score

    def interval(self, mode: str) -> tuple[float, float] | None:
        """95 % interval of the mean over frames, where there is one."""
        row = self.row(mode)
        return None if row is None else row.ci95

    def interval_beside(self, mode: str) -> tuple[float, float] | None:
        """The same, to compare it with other encodes of its ladder."""
        row = self.row(mode)
        return None if row is None else row.ci95_beside

    @property
    def declared(self) -> Declared:
        """What its name or manifest says of it."""
        return self._any.declared

    @property
    def content_id(self) -> str:
        """Of its bytes; empty when they could not be read."""
        return self._any.content_id

    @property
    def master_score(self) -> float | None:
        """NR score of the master it was compared with."""
        return next((r.master_score for r in self.rows_ok if r.master_score is not None), None)

    @property
    def displays(self) -> tuple[str, ...]:
        """Rasters it was judged at."""
        return tuple(dict.fromkeys(r.display for r in self.rows_ok if r.display))

    @property
    def width(self) -> int | None:
        """Pixels, as shown."""
        return self._any.width

    @property
    def height(self) -> int | None:
        """Pixels, as shown."""
        return self._any.height

    @property
    def size(self) -> str | None:
        """Like "1920x1080", with a multiplication sign, as people write it."""
        return f"{self.width}×{self.height}" if self.width and self.height else None

    @property
    def rung(self) -> int | None:
        """Lines a size is named by: 1920x800 and 1080x1920 are 1080(p), 1916x1076 too."""
        if not (self.width and self.height):
            return None
        short, long = sorted((self.width, self.height))
        lines = max(short, round(long * 9 / 16))
        nearest = min(RUNGS, key=lambda r: abs(r - lines))
        return nearest if abs(nearest - lines) <= 0.04 * nearest else lines

    @property
    def codec(self) -> str | None:
        """FFmpeg's name."""
        return self._any.codec

    @property
    def fps(self) -> float | None:
        """Average frames a second; None for a still picture."""
        return self._any.fps

    @property
    def bitrate_kbps(self) -> float | None:
        """Measured, kilobits a second."""
        return self._any.bitrate_kbps

    @property
    def duration_s(self) -> float | None:
        """Seconds of video."""
        return self._any.duration_s

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all modes, each once."""
        return tuple(dict.fromkeys(f for r in self.rows for f in r.findings))

    @property
    def labels(self) -> tuple[str, ...]:
        """Kinds of findings that a reader of the score has to know of: warnings and errors, the gravest first."""
        grave = sorted((f for f in self.findings if f.severity != "info"), key=lambda f: f.severity)  # error, warning
        return tuple(dict.fromkeys(f.kind for f in grave))


@dataclass(frozen=True)
class LadderTable:
    """All clips of one ladder: the master first, then codecs together, tall and fast before small and slow."""

    name: str
    clips: tuple[Clip, ...]

    @property
    def master(self) -> Clip | None:
        """The source, where there is one."""
        return next((c for c in self.clips if c.is_master), None)

    @property
    def renditions(self) -> tuple[Clip, ...]:
        """All but the master."""
        return tuple(c for c in self.clips if not c.is_master)

    @property
    def findings(self) -> list[tuple[Clip, Finding]]:
        """What was found in each clip, notes apart: the gravest first, then by time."""
        rank = ("error", "warning", "info").index
        found = [(c, f) for c in self.clips for f in c.findings if f.kind != "note"]
        return sorted(found, key=lambda entry: (rank(entry[1].severity), entry[1].start_s or 0.0))

    @property
    def notes(self) -> list[tuple[str, list[Clip]]]:
        """Each note once, with the clips it is about."""
        notes: dict[str, list[Clip]] = {}
        for clip in self.clips:
            for finding in clip.findings:
                if finding.kind == "note":
                    notes.setdefault(finding.sentence, []).append(clip)
        return list(notes.items())

    def span(self, mode: str) -> tuple[float, float] | None:
        """Lowest and highest score of the renditions in a mode."""
        scores = [s for c in self.renditions if (s := c.score(mode)) is not None]
        return (min(scores), max(scores)) if scores else None


@dataclass(frozen=True)
class Fleet:
    """Everything one results folder holds, without its frames."""

    ladders: tuple[LadderTable, ...]

    @cached_property
    def clips(self) -> tuple[Clip, ...]:
        """All clips, ladder by ladder."""
        return tuple(c for ladder in self.ladders for c in ladder.clips)

    @cached_property
    def folder(self) -> str:
        """The folder all clips lie below, with its final slash; empty when there is none."""
        return common_folder([c.path for c in self.clips])

    def top_folder(self, clip: Clip) -> str:
        """The first folder of a clip below the common one; its file's name where it lies in that itself."""
        return clip.path.removeprefix(self.folder).partition("/")[0]

    @property
    def folders_group(self) -> bool:
        """Whether folders say more than ladders: not where each ladder has one to itself."""
        pairs = {(c.ladder, self.top_folder(c)) for c in self.clips}
        return len({folder for _, folder in pairs}) < len(pairs)

    def with_status(self, status: str) -> list[Clip]:
        """Clips that are `ok`, `skipped` or `failed`."""
        return [c for c in self.clips if c.status == status]

    def worst(self, mode: str, count: int) -> list[Clip]:
        """The lowest scored clips of a mode, worst first."""
        scored = [(s, c.path, c) for c in self.clips if (s := c.score(mode)) is not None]
        return [c for _, _, c in sorted(scored, key=lambda t: t[:2])[:count]]

    @cached_property
    def models(self) -> list[tuple[str, str]]:
        """(name, sha256) of every model that gave a score."""
        return models(self.clips)

    @cached_property
    def displays(self) -> list[str]:
        """Every display raster a score was judged at."""
        return sorted({d for c in self.clips for d in c.displays})


def models(clips: Iterable[Clip]) -> list[tuple[str, str]]:
    """(name, sha256) of every model that scored one of these."""
    return sorted({(r.model or "unknown model", r.model_sha256 or "") for c in clips for r in c.rows_ok})


def gather(rows: Iterable[ClipScore]) -> Fleet:
    """Group rows of `clips` by ladder and by video; ladders by name."""
    ladders: dict[str, dict[str, list[ClipScore]]] = {}
    for row in rows:
        ladders.setdefault(row.ladder, {}).setdefault(row.path, []).append(row)
    return Fleet(tuple(_ladder(name, ladders[name]) for name in sorted(ladders)))


def _ladder(name: str, by_path: dict[str, list[ClipScore]]) -> LadderTable:
    labels = short_labels(list(by_path))
    clips = [Clip(tuple(rows), labels[path]) for path, rows in by_path.items()]
    clips.sort(key=lambda c: (not c.is_master, c.codec or "~", -(c.height or 0), -(c.bitrate_kbps or 0), c.path))
    return LadderTable(name, tuple(clips))
