"""One video as the pages tell of it: its rows in all modes, and its frames."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ..pipeline.findings import Finding
from ..pipeline.values import ClipScore, Declared, Moment
from .labels import last_component
from .shots import Floats, Numbers

MODES = ("fr", "nr")  # order of telling: with a master first
RUNGS = (144, 240, 288, 360, 432, 480, 540, 576, 720, 900, 1080, 1440, 2160, 4320)  # lines people name a size by


class Series(NamedTuple):
    """The frames of one clip in one mode, in order; (n,) each."""

    times: Floats  # seconds
    scores: Floats  # 0 to 100
    shots: Numbers = None
    spans: Floats | None = None  # `FrameScore.span_s`


@dataclass(frozen=True)
class Clip:
    """One video with its rows of `clips`: one in each mode it was scored in, or the one that says why not."""

    rows: tuple[ClipScore, ...]
    label: str  # shortest end of the path that is unique in its ladder; of a manifest's rendition: `rendition_labels`

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
        """Lines a size is named by: 1920x800 and 1080x1920 are 1080(p), 1916x1076 too.

        Where its longer side makes no usual size (a wrong sample aspect ratio, a very long shape) its shorter one may.
        """
        if not (self.width and self.height):
            return None
        short, long = sorted((self.width, self.height))
        lines = max(short, round(long * 9 / 16))
        for side in (lines, short):
            nearest = min(RUNGS, key=lambda r: abs(r - side))
            if abs(nearest - side) <= 0.04 * nearest:
                return nearest
        return lines

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
    def broken(self) -> str | None:
        """ "damaged" or "truncated" where pictures of it are: what it scores says nothing of its encoder."""
        kinds = [f.kind for f in self.findings if f.severity == "error" and f.kind in ("truncated", "damaged")]
        return kinds[0] if kinds else None

    @property
    def foreign(self) -> bool:
        """Whether it shows other pictures than its master."""
        return any(finding.foreign for finding in self.findings)

    def on_curve(self, mode: str) -> bool:
        """Whether it has a place on its ladder's curve: a score, a measured rate, and no other pictures."""
        return self.score(mode) is not None and bool(self.bitrate_kbps) and not self.foreign

    @property
    def labels(self) -> tuple[str, ...]:
        """Kinds of findings that a reader of the score has to know of: warnings and errors, the gravest first."""
        grave = sorted((f for f in self.findings if f.severity != "info"), key=lambda f: f.order)
        return tuple(dict.fromkeys(f.kind for f in grave))
