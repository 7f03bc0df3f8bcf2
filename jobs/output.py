"""Results on stdout: tables for people, or JSON lines for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from ..pipeline.convert import clip_json
from ..pipeline.depth import looks
from ..pipeline.findings import Finding
from ..pipeline.plan import Plan
from ..pipeline.text import counted, plain, printable
from ..pipeline.values import ClipScore
from ..reports.clip import MODES
from ..reports.labels import last_component
from .progress import duration
from .request import STATUSES, ScanResult, count

ROWS = 40  # rows of a table; of more, the worst are shown


def clip_lines(clips: Iterable[ClipScore]) -> Iterator[str]:
    """One JSON object a row."""
    for clip in clips:
        yield json.dumps(clip_json(clip), ensure_ascii=False, allow_nan=False)


def gate_lines(faults: Mapping[tuple[str, str | None], str]) -> Iterator[str]:
    """One JSON object a row that does not pass a gate."""
    for (path, mode), reason in faults.items():
        yield json.dumps(
            {"type": "gate", "path": plain(path), "mode": mode, "reason": plain(reason)}, ensure_ascii=False
        )


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


def print_scan(result: ScanResult) -> None:
    """What a scan came to: a table, what it counted, and where the report is."""
    print()
    print_scan_table(result.clips)
    print(f"\n{tally(result.clips)}")
    took = duration(result.seconds["wall"])
    print(f"{counted(result.measured, 'result')} measured in {took}, {result.up_to_date:,} were up to date")
    if result.bytes_read is not None and result.bytes_stored:
        stored, read = result.bytes_stored / 1e6, result.bytes_read / 1e6
        print(f"read {read:,.1f} MB of the {stored:,.1f} MB that the videos have")
    if (said := looks(result.clips)) is not None:
        print(f"{said} videos")
    if rasters := Counter({clip.path: clip.display for clip in result.clips if clip.display is not None}.values()):
        told = [f"{raster} ({counted(n, 'video')})" for raster, n in rasters.most_common()]
        print(f"judged as shown at {', '.join(told) if len(rasters) > 1 else next(iter(rasters))}")
    print(f"report: {result.report}")


def print_scan_table(clips: Sequence[ClipScore]) -> None:
    """The rows of a scan on stdout, one line a video: all of them, or the worst of many."""
    videos: dict[str, list[ClipScore]] = {}
    for clip in clips:
        videos.setdefault(clip.path, []).append(clip)
    rows = list(videos.values())
    left_out = len(rows) - ROWS
    if left_out > 0:
        rows = sorted(rows, key=_gated)[:ROWS]
    table = new_table(
        "ladder", "video", ">NR", ">FR", ">FR p5", ">master NR", ">size", "codec", ">video kbit/s", "note"
    )
    shown = None
    for modes in rows:
        one = modes[0]
        ladder = one.ladder if one.ladder != shown else ""
        shown = one.ladder
        video = last_component(one.path) + (" (master)" if one.is_master else "")
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
        table.add_row(last_component(path), one.codec or "", size, f"{kbps:,.0f}", *scores)
    print_table(table)


def print_score_table(clips: Sequence[ClipScore]) -> None:
    """The rows of one video on stdout, one line a mode, and below them what was found."""
    table = new_table(
        "mode", ">score", "95 % interval", ">p5", ">min", ">worst second", ">master NR", ">frames", "display"
    )
    for clip in clips:
        if clip.status != "ok":
            continue
        interval = "" if clip.ci95 is None else f"{clip.ci95[0]:.1f} to {clip.ci95[1]:.1f}"
        pools = [_number(clip.pools.get(name)) for name in ("p5", "min", "worst_second")]
        table.add_row(
            (clip.mode or "").upper(), _number(clip.score), interval, *pools, _number(clip.master_score),
            str(clip.frames), clip.display,
        )  # fmt: skip
    if table.row_count:
        print_table(table)
    for reason in dict.fromkeys(f"{clip.status}: {clip.reason}" for clip in clips if clip.status != "ok"):
        print(printable(reason))
    if found := dict.fromkeys(finding for clip in clips for finding in clip.findings):  # modes have most in common
        print()
        _print_findings(list(found))


def _print_findings(found: list[Finding]) -> None:
    """A line each, the gravest first, then by time."""
    table = new_table("severity", "seconds", "finding")
    for one in sorted(found, key=lambda f: f.order):
        when = "" if one.start_s is None or one.end_s is None else f"{one.start_s:.1f} to {one.end_s:.1f}"
        table.add_row(one.severity, when, one.sentence)
    print_table(table)


def _labels(modes: Sequence[ClipScore]) -> str:
    """What a reader of the scores has to know: kinds of warnings and errors, the gravest first."""
    grave = sorted((f for clip in modes for f in clip.findings if f.severity != "info"), key=lambda f: f.order)
    return ", ".join(dict.fromkeys(f.kind.replace("_", " ") for f in grave))


def _of(modes: Sequence[ClipScore], mode: str) -> float | None:
    return next((clip.score for clip in modes if clip.mode == mode), None)


def _gated(modes: Sequence[ClipScore]) -> float:
    """A video's score in FR, else in NR; what has none comes first."""
    return next((score for mode in MODES if (score := _of(modes, mode)) is not None), -1.0)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


class _Console(Console):
    """One that leaves a closed pipe to the command line, as `print` does."""

    def on_broken_pipe(self) -> None:
        """Go on with the error at hand."""
        raise BrokenPipeError


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
        table.add_column(
            plain, justify="right" if right else "left", no_wrap=plain not in ("note", "finding"), overflow="fold"
        )
    return table


def print_table(table: Table) -> None:
    """On a terminal as wide as it is; elsewhere as wide as it takes, so that nothing is cut."""
    console = _Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = _Console(highlight=False, markup=False, width=10_000, no_color=True)
    console.print(table)
