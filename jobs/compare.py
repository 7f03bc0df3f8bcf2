"""Encoders side by side: scan what is not scanned yet, pair the titles, compare, tell.

OUT/sides/SIDE     results of a scan of each side given as a folder: the next run measures only what is new
OUT/compare        the page, its pictures, and the figures as CSV; leans on nothing outside of it
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ..pipeline import mapping as mappings
from ..pipeline import storage
from ..pipeline.discover import Plan, is_media
from ..pipeline.errors import UsageError, VideoError, YotoVideoError
from ..pipeline.parts import part_name
from ..pipeline.references import reference_files
from ..pipeline.results_folder import MARKER, claim, local_path
from ..pipeline.settings import Settings
from ..pipeline.text import counted
from ..pipeline.values import ClipScore, Ladder, VideoRef
from .encoding_times import seconds_by_path
from .moments import photograph
from .pairing import any_scored, by_ladder, pair, with_masters
from .request import Listener, Request
from .scan import make_plan, scan
from .work import LoadJudge, load_judge

if TYPE_CHECKING:
    from ..reports.compare import Comparison
    from ..reports.metric_maps import Map


@dataclass(frozen=True)
class CompareRequest:
    """What to compare, and how."""

    sides: tuple[str, ...]  # folders or URIs of encodes, or folders of results; the first is the anchor
    out: str
    settings: Settings = field(default_factory=Settings)
    labels: tuple[str, ...] = ()  # names of the sides; empty: from their paths
    reference: str | None = None
    mapping: str | None = None
    times: str | None = None  # CSV of encoding times
    imports: tuple[str, ...] = ()  # logs of other measures, or folders of them
    resume: bool = True
    workers: int | None = None
    address: str | None = None
    isolate: bool = False  # in workers whatever it costs: one was lost before
    command: str = "yoto_video.compare"


@dataclass(frozen=True)
class CompareResult:
    """What a comparison came to: its page, its figures, the rows of all sides and seconds by stage."""

    page: Path
    comparison: Comparison
    clips: list[ClipScore]
    seconds: dict[str, float]
    maps: tuple[Map, ...] = ()  # of other measures to ours


def compare(request: CompareRequest, listener: Listener | None = None, load: LoadJudge = load_judge) -> CompareResult:
    """Compare as requested.

    Raises:
        UsageError: the request is wrong; nothing was measured.
        YotoVideoError: as of `scan`.
    """
    from ..reports.beside import lay_beside
    from ..reports.compare import Comparison
    from ..reports.compare_pages import build_comparison
    from ..reports.compare_time import losses
    from ..reports.imports import read_imports
    from ..reports.results import load as load_results
    from ..reports.titles import Side, make_titles

    listener, began, spent = listener or Listener(), time.perf_counter(), dict[str, float]()
    labels, times, imported = _labels(request), seconds_by_path(request.times), read_imports(request.imports)
    out = local_path(request.out)
    folders = _scan_sides(request, out, labels, spent, listener, load)
    sides = [Side(label, load_results(folder)) for label, folder in zip(labels, folders, strict=True)]
    rows, scanned = [side.results.store.clips() for side in sides], time.perf_counter()
    ladders = [by_ladder(own) for own in rows]
    if not any_scored(ladders):
        raise YotoVideoError("nothing could be scored on any side; the sides' own reports say why")
    comparison = Comparison(sides, make_titles(sides, pair(ladders)), times)
    beside = lay_beside(comparison, imported)
    if beside.sentence is not None:
        listener.say(beside.sentence)
    spent["compare"] = time.perf_counter() - scanned
    others = range(1, len(sides)) if request.settings.worst_frames else ()
    worst = [loss for b in others for loss in losses(comparison.titles, 0, b)]
    pictures = photograph(worst, chain(*rows), out, request.settings, load, listener)
    page = build_comparison(comparison, out, pictures, beside)
    spent["wall"] = time.perf_counter() - began
    return CompareResult(page, comparison, [clip for own in rows for clip in own], spent, beside.maps)


def _scan_sides(
    request: CompareRequest, out: Path, labels: Sequence[str], spent: dict[str, float], listener: Listener,
    load: LoadJudge,
) -> list[str]:  # fmt: skip
    """Folders of results of all sides, scanned where they are not; time is added to `spent` by stage."""
    plain = {path: _scan_request(request, out, path) for path in request.sides if not _is_results(path)}
    mapped = {path: _mapped(request, path) for path in plain}
    for own in plain.values():  # what is wrong with any side is said before the first is measured
        make_plan(own, listener)
    claim(out)
    whole = {path: _with_mapping(own, mapped[path]) for path, own in plain.items()}
    for path, own in whole.items():
        _say_few(labels[request.sides.index(path)], make_plan(own, listener), listener)
    folders = []
    for label, path in zip(labels, request.sides, strict=True):
        if path not in plain:
            folders.append(path)
            continue
        listener.say(path if label == path.rstrip("/") else f"{label}: {path}")
        done = scan(whole[path], listener, load)
        folders.append(str(done.out))
        for stage, took in done.seconds.items():
            spent[stage] = spent.get(stage, 0.0) + took
    return folders


def _say_few(label: str, plan: Plan, listener: Listener) -> None:
    """Say where no title of a side can have a curve: measuring may take hours."""
    from ..reports.bd import LEAST_POINTS

    most = max((len(ladder.renditions) for ladder in plan.ladders), default=LEAST_POINTS)
    if most < LEAST_POINTS:
        few = f"{label}: {counted(most, 'encode')} of a title at most"
        listener.say(f"{few}; bits for the same quality need {LEAST_POINTS} on each side, so none will be told")


def _labels(request: CompareRequest) -> tuple[str, ...]:
    """A name for each side: as asked, else the shortest ends of their paths that differ."""
    count = len(request.sides)
    if count < 2:
        raise UsageError("give at least two sides to compare: folders of encodes, or results of a scan")
    if request.labels:
        labels = tuple(label.strip() for label in request.labels)
        if len(labels) != count:
            raise UsageError(f"--labels has {len(labels)} of {count} names, for: {', '.join(request.sides)}")
        if len(set(labels)) < count or "" in labels:
            raise UsageError(f"--labels must be {count} different names, not {', '.join(request.labels)}")
        return labels
    from ..reports.labels import short_labels

    paths = [storage.canonical(path) for path in request.sides]
    if len(set(paths)) < count:
        raise UsageError("the same folder is given twice: what differs between the sides?")
    short = short_labels(paths)
    return tuple(short[path] for path in paths)


def _is_results(path: str) -> bool:
    """Whether a side is what a scan left behind: told by what is in the folder."""
    return _is_file(storage.join(storage.canonical(path), MARKER))


def _scan_request(request: CompareRequest, out: Path, path: str) -> Request:
    """A scan of one side. Its folder goes by what is scanned: other encodes under the same label are other results."""
    folder = out / "sides" / part_name(storage.canonical(path)).removesuffix(".parquet")
    return Request(
        path, str(folder), request.settings, reference=request.reference, resume=request.resume,
        workers=request.workers, address=request.address, isolate=request.isolate, command=request.command,
    )  # fmt: skip


Place = tuple[str, str, str]  # a row of a mapping: path, ladder, role


def _mapped(request: CompareRequest, path: str) -> list[Place]:
    """The part of the user's mapping that is about this side."""
    if request.mapping is None:
        return []
    around = storage.canonical(request.mapping).rsplit("/", 1)[0]
    rows = mappings.read(request.mapping, around, (), _is_file)
    root = storage.canonical(path).rstrip("/")
    inside = [row for row in rows if row.path == root or row.path.startswith((f"{root}/", f"{root}#"))]
    ladders = {row.ladder for row in inside if row.role != "master"}
    masters = [row for row in rows if row.role == "master" and row.ladder in ladders and row not in inside]
    return [(row.path, row.ladder, row.role) for row in [*inside, *masters]]


def _with_mapping(request: Request, rows: Sequence[Place]) -> Request:
    """The request with these rows as its mapping; and masters by pictures for ladders whose names do not say one."""
    mapped = replace(request, mapping=_write(request, rows)) if rows else request
    if request.reference is None:
        return mapped
    ladders = make_plan(mapped).ladders
    masters = [VideoRef(path) for path in reference_files(request.reference, is_media)]
    found: dict[str, list[Ladder]] = {}  # by master: encodes with names of no kind may be several ladders
    for name, master in with_masters(ladders, masters).items():
        found.setdefault(master.path, []).append(next(ladder for ladder in ladders if ladder.name == name))
    if not found:
        return mapped
    every = dict.fromkeys(rows)
    for master_path, own in found.items():
        every |= {(video.path, own[0].name, "rendition"): None for ladder in own for video in ladder.videos}
        every[master_path, own[0].name, "master"] = None
    return replace(request, mapping=_write(request, list({row[0]: row for row in every}.values())))


def _write(request: Request, rows: Sequence[Place]) -> str:
    """A mapping beside the results of a side; returns its path."""
    file = Path(f"{request.out}.mapping.json")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([dict(zip(mappings.COLUMNS, row, strict=True)) for row in rows]), encoding="utf-8")
    return str(file)


def _is_file(path: str) -> bool:
    try:
        return bool(storage.stat(path))
    except VideoError:
        return False
