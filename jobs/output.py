"""What people and programs see: progress and notes on stderr, tables or JSON lines on stdout."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich import progress
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..pipeline.convert import clip_json
from ..pipeline.plan import Plan, describe
from ..pipeline.text import counted, printable
from ..pipeline.values import ClipScore
from .progress import Progress, duration
from .request import STATUSES, Listener, count

ROWS = 40  # rows of a table; of more, the worst are shown
EVERY_S = 30.0  # between progress lines where there is no terminal


class Terminal(Listener):
    """Shows a scan as it goes: bars on a terminal, now and then a line elsewhere.

    Args:
        plan_to: "stdout" when the plan is part of what was asked for, else "stderr".
    """

    def __init__(self, plan_to: str = "stderr") -> None:
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self._plan_to = sys.stdout if plan_to == "stdout" else sys.stderr
        self._stage: _Stage | None = None

    def say(self, sentence: str) -> None:
        """One line on stderr, above the bar."""
        self._errors.print(Text(printable(sentence)))

    def planned(self, plan: Plan) -> None:
        """Print the plan."""
        print(*describe(plan), sep="\n", file=self._plan_to, flush=True)

    @contextlib.contextmanager
    def stage(self, what: str, total: int, work: float | None = None) -> Iterator[None]:
        """A bar for a stretch of work."""
        with _Stage(self._errors, what, Progress(total, work)) as self._stage:
            yield
        self._stage = None

    def advanced(self, videos: int, work: float | None = None) -> None:
        """Move the bar."""
        if self._stage is not None:
            self._stage.advance(videos, work)

    def judged(self, frames: int) -> None:
        """Show that a long ladder is alive."""
        if self._stage is not None:
            self._stage.frames(frames)


class _Stage:
    """One stretch of work on stderr."""

    def __init__(self, console: Console, what: str, at: Progress) -> None:
        self._console, self._what, self._at = console, what, at
        self._told = 0.0  # seconds from the beginning
        text = progress.TextColumn
        self._bar = progress.Progress(
            progress.SpinnerColumn(), text("{task.description}"), progress.BarColumn(), progress.MofNCompleteColumn(),
            text("videos"), progress.TimeElapsedColumn(), text("{task.fields[pace]}"), text("{task.fields[frames]}"),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task(what, total=at.videos, frames="", pace="")

    def __enter__(self) -> _Stage:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, videos: int, work: float | None) -> None:
        at = self._at
        at.advance(videos, work)
        self._bar.update(self._task, completed=at.done, frames="", pace=str(at))
        if not self._console.is_terminal and at.seconds - self._told > EVERY_S:
            self._told = at.seconds
            since = duration(at.seconds)
            self._console.print(
                f"{self._what}: {at.done:,} of {counted(at.videos, 'video')} in {since}, {at}".rstrip(", ")
            )

    def frames(self, frames: int) -> None:
        self._bar.update(self._task, frames=counted(frames, "frame"))


def clip_lines(clips: Iterable[ClipScore]) -> Iterator[str]:
    """One JSON object a row."""
    for clip in clips:
        yield json.dumps(clip_json(clip), ensure_ascii=False, allow_nan=False)


def summary_line(clips: Sequence[ClipScore], seconds: dict[str, float]) -> str:
    """The last JSON line: rows by status, and seconds by stage."""
    counts = {status: count(clips, status) for status in ("ok", "skipped", "failed")}
    rounded = {stage: round(s, 3) for stage, s in seconds.items()}
    return json.dumps({"type": "summary", **counts, "seconds": rounded})


def plan_lines(plan: Plan) -> Iterator[str]:
    """A plan as JSON lines: one object a ladder, one for each thing that cannot be used."""
    for ladder in plan.ladders:
        master = None if ladder.master is None else ladder.master.path
        renditions = [r.video.path for r in ladder.renditions]
        yield json.dumps(
            {
                "type": "ladder", "ladder": ladder.name, "grouped_by": ladder.grouped_by, "master": master,
                "renditions": renditions,
            },
            ensure_ascii=False,
        )  # fmt: skip
    for error in plan.rejected:
        line = {"type": "rejected", "path": error.path, "status": error.status, "reason": error.reason}
        yield json.dumps(line, ensure_ascii=False)


def tally(clips: Sequence[ClipScore]) -> str:
    """How many videos there are and have a score, as the report counts them: a video has a result in each mode."""
    videos = {clip.path: clip.status for clip in sorted(clips, key=lambda c: c.status == "ok")}  # ok in a mode is ok
    modes = [f"{n:,} {m.upper()}" for m in ("fr", "nr") if (n := sum(c.mode == m and c.status == "ok" for c in clips))]
    counts = {status: sum(own == status for own in videos.values()) for status in STATUSES}
    words = [f"{counts[status]:,} {word}" for status, word in STATUSES.items()]
    words[0] += f" ({', '.join(modes)})" if modes else ""
    return f"{counted(len(videos), 'video')}: {', '.join(words)}"


def print_scan_table(clips: Sequence[ClipScore]) -> None:
    """The rows of a scan on stdout, one line a video: all of them, or the worst of many."""
    videos: dict[str, list[ClipScore]] = {}
    for clip in clips:
        videos.setdefault(clip.path, []).append(clip)
    rows = list(videos.values())
    left_out = len(rows) - ROWS
    if left_out > 0:
        rows = sorted(rows, key=lambda modes: _of(modes, "fr") or _of(modes, "nr") or 0.0)[:ROWS]
    table = new_table(
        "ladder", "video", ">NR", ">FR", ">FR p5", ">master NR", ">size", "codec", ">video kbit/s", "note"
    )
    shown = None
    for modes in rows:
        one = modes[0]
        ladder = one.ladder if one.ladder != shown else ""
        shown = one.ladder
        video = one.path.rsplit("/", 1)[-1] + (" (master)" if one.is_master else "")
        p5 = next((c.pools["p5"] for c in modes if c.mode == "fr" and c.pools), None)
        size = f"{one.width}x{one.height}" if one.width else ""
        note = next((f"{c.status}: {c.reason}" for c in modes if c.status != "ok"), "") or _labels(modes)
        source = next((c.master_score for c in modes if c.master_score is not None), None)
        cells = [ladder, video, *map(_number, (_of(modes, "nr"), _of(modes, "fr"), p5, source)), size]
        table.add_row(*cells, one.codec or "", "" if one.bitrate_kbps is None else f"{one.bitrate_kbps:,.0f}", note)
    print_table(table)
    if left_out > 0:
        print(f"the {ROWS} worst of {len(videos):,} videos; all are in the report")


def print_ladder_table(clips: Sequence[ClipScore]) -> None:
    """The videos of one ladder on stdout by rising bitrate, one line each."""
    table = new_table("video", "codec", ">size", ">video kbit/s", ">FR", ">NR")
    paths = sorted({c.path: c.bitrate_kbps or 0.0 for c in clips}.items(), key=lambda item: item[1])
    for path, kbps in paths:
        modes = [c for c in clips if c.path == path]
        one = modes[0]
        size = f"{one.width}x{one.height}" if one.width else ""
        scores = [_number(_of(modes, "fr")), _number(_of(modes, "nr"))]
        table.add_row(path.rsplit("/", 1)[-1], one.codec or "", size, f"{kbps:,.0f}", *scores)
    print_table(table)


def print_score_table(clips: Sequence[ClipScore]) -> None:
    """The rows of one video on stdout, one line a mode."""
    table = new_table(
        "mode", ">score", "95 % interval", ">p5", ">min", ">worst second", ">master NR", ">frames", "display", "note"
    )
    for clip in clips:
        if clip.status != "ok":
            table.add_row(*[""] * 9, f"{clip.status}: {clip.reason}")
            continue
        interval = "" if clip.ci95 is None else f"{clip.ci95[0]:.1f} to {clip.ci95[1]:.1f}"
        pools = [_number(clip.pools.get(name)) for name in ("p5", "min", "worst_second")]
        note = "; ".join(clip.sentences)
        table.add_row(
            (clip.mode or "").upper(), _number(clip.score), interval, *pools, _number(clip.master_score),
            str(clip.frames), clip.display, note,
        )  # fmt: skip
    print_table(table)


def _labels(modes: Sequence[ClipScore]) -> str:
    """What a reader of the scores has to know: kinds of warnings and errors, the gravest first."""
    grave = sorted((f for clip in modes for f in clip.findings if f.severity != "info"), key=lambda f: f.severity)
    return ", ".join(dict.fromkeys(f.kind.replace("_", " ") for f in grave))


def _of(modes: Sequence[ClipScore], mode: str) -> float | None:
    return next((clip.score for clip in modes if clip.mode == mode), None)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


class _Table(Table):
    """One whose cells come from other people's files."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """A row of text."""
        super().add_row(*(printable(cell) if isinstance(cell, str) else cell for cell in cells), **options)


def new_table(*columns: str) -> Table:
    """Plain columns; ">" puts one to the right."""
    table = _Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        right = name.startswith(">")
        plain = name.removeprefix(">")
        table.add_column(plain, justify="right" if right else "left", no_wrap=plain != "note", overflow="fold")
    return table


def print_table(table: Table) -> None:
    """On a terminal as wide as it is; elsewhere as wide as it takes, so that nothing is cut."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=10_000, no_color=True)
    console.print(table)
