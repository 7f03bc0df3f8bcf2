"""Encoders side by side: scan what is not scanned yet, pair the titles, compare, tell.

OUT/sides/LABEL    results of a scan of each side given as a folder: the next run measures only what is new
OUT/compare        the page, its pictures, and the figures as CSV; leans on nothing outside of it
"""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..pipeline import mapping as mappings
from ..pipeline import storage
from ..pipeline.discover import is_media
from ..pipeline.errors import UsageError, VideoError, YotoVideoError
from ..pipeline.parts import part_name
from ..pipeline.references import reference_files
from ..pipeline.results_folder import MARKER, claim, local_path
from ..pipeline.settings import Settings
from ..pipeline.values import ClipScore, VideoRef
from .pairing import by_ladder, pair, with_masters
from .request import Listener, Request
from .scan import make_plan, scan
from .work import LoadJudge, load_judge

if TYPE_CHECKING:
    from ..reports.compare import Comparison


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
    imports: tuple[str, ...] = ()  # scores of other measures
    resume: bool = True
    workers: int | None = None
    address: str | None = None
    command: str = "yoto_video.compare"


@dataclass(frozen=True)
class CompareResult:
    """What a comparison came to: its page, its figures, the rows of all sides and seconds by stage."""

    page: Path
    comparison: Comparison
    clips: list[ClipScore]
    seconds: dict[str, float]


def compare(
    request: CompareRequest, listener: Listener | None = None, load: LoadJudge = load_judge
) -> CompareResult:
    """Compare as requested.

    Raises:
        UsageError: the request is wrong; nothing was measured.
        YotoVideoError: as of `scan`.
    """
    listener = listener or Listener()
    labels = _labels(request)
    seconds = _times(request)
    began = time.perf_counter()
    out = local_path(request.out)
    scans = {label: path for label, path in zip(labels, request.sides, strict=True) if not _is_results(path)}
    requests = {label: _scan_request(request, out, label, path) for label, path in scans.items()}
    for one in requests.values():  # what is wrong with any side is said before the first is measured
        make_plan(one)
    from ..reports.imports import read_imports

    imported = read_imports(request.imports)
    claim(out)
    spent: dict[str, float] = {}
    folders, clips = [], []
    for label, path in zip(labels, request.sides, strict=True):
        if label in requests:
            listener.say(f"{label}: {path}")
            done = scan(_find_masters(requests[label]), listener, load)
            folders.append(str(done.out))
            clips.append(done.clips)
            for stage, took in done.seconds.items():
                spent[stage] = spent.get(stage, 0.0) + took
        else:
            folders.append(path)
    from ..reports.compare import Comparison
    from ..reports.compare_pages import build_comparison
    from ..reports.compare_time import losses
    from ..reports.results import load as load_results
    from ..reports.titles import Side, make_titles
    from .moments import photograph

    sides = [Side(label, load_results(folder)) for label, folder in zip(labels, folders, strict=True)]
    rows = [side.results.store.clips() for side in sides]
    began_compare = time.perf_counter()
    paired = pair([by_ladder(own) for own in rows])
    if not paired:
        raise YotoVideoError("nothing could be scored on any side; the sides' reports say why")
    comparison = Comparison(sides, make_titles(sides, paired), seconds)
    comparison.figures  # noqa: B018  (computed here, so that its time is known)
    spent["compare"] = time.perf_counter() - began_compare
    began_pictures = time.perf_counter()
    against_anchor = comparison.pairs[: len(sides) - 1] if request.settings.worst_frames else []
    worst = {ab: losses(comparison.titles, *ab) for ab in against_anchor}
    pictures = photograph(worst, out, request.settings, load, listener)
    spent["pictures"] = spent.get("pictures", 0.0) + time.perf_counter() - began_pictures
    page = build_comparison(comparison, out, pictures, imported)
    spent["wall"] = time.perf_counter() - began
    return CompareResult(page, comparison, [clip for own in rows for clip in own], spent)


def _labels(request: CompareRequest) -> tuple[str, ...]:
    """A name for each side: as asked, else the shortest ends of their paths that differ."""
    count = len(request.sides)
    if count < 2:
        raise UsageError("give at least two sides to compare: folders of encodes, or results of a scan")
    if request.labels:
        labels = tuple(label.strip() for label in request.labels)
        if len(labels) != count:
            raise UsageError(f"--labels names {len(labels)} sides, {count} are given: {', '.join(request.sides)}")
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
    return not storage.is_remote(path) and (Path(path).expanduser() / MARKER).exists()


def _scan_request(request: CompareRequest, out: Path, label: str, path: str) -> Request:
    folder = out / "sides" / part_name(label).removesuffix(".parquet")
    return Request(
        path, str(folder), request.settings, reference=request.reference,
        mapping=_mapping_of(request, path, folder.with_suffix(".mapping.json")), resume=request.resume,
        workers=request.workers, address=request.address, command=request.command,
    )  # fmt: skip


def _mapping_of(request: CompareRequest, path: str, file: Path) -> str | None:
    """The part of the user's mapping that is about this side, as a file of its own; None where there is none."""
    if request.mapping is None:
        return None
    around = storage.canonical(request.mapping).rsplit("/", 1)[0]
    root = storage.canonical(path).rstrip("/")
    rows = mappings.read(request.mapping, around, (), _is_file)
    inside = (f"{root}/", f"{root}#")
    own = [row for row in rows if row.role == "master" or row.path == root or row.path.startswith(inside)]
    ladders = {row.ladder for row in own if row.role != "master"}
    return _write_mapping(file, [(r.path, r.ladder, r.role) for r in own if r.ladder in ladders])


def _find_masters(request: Request) -> Request:
    """The request with a mapping that gives masters to ladders whose names do not, where the pictures tell."""
    if request.reference is None:
        return request
    plan = make_plan(request)
    masters = [VideoRef(path) for path in reference_files(request.reference, is_media)]
    found = with_masters(plan.ladders, masters)
    if not found:
        return request
    lonely = [ladder for ladder in plan.ladders if ladder.name in found]
    rows = [(video.path, ladder.name, "rendition") for ladder in lonely for video in ladder.videos]
    rows += [(master.path, ladder, "master") for ladder, master in found.items()]
    if request.mapping is not None:
        rows += [(r["path"], r["ladder"], r["role"]) for r in json.loads(Path(request.mapping).read_text())]
    file = Path(request.out).with_suffix(".mapping.json")
    return replace(request, mapping=_write_mapping(file, list(dict.fromkeys(rows))))


def _write_mapping(file: Path, rows: Sequence[tuple[str, str, str]]) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([dict(zip(mappings.COLUMNS, row, strict=True)) for row in rows]))
    return str(file)


def _is_file(path: str) -> bool:
    try:
        return bool(storage.stat(path))
    except VideoError:
        return False


def _times(request: CompareRequest) -> dict[str, float]:
    """Seconds of encoding by canonical path, of a CSV with `path,seconds`; paths are relative to it, or absolute."""
    if request.times is None:
        return {}
    known = {}
    try:
        with open(request.times, newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            if not {"path", "seconds"} <= {*(table.fieldnames or ())}:
                raise ValueError
            for number, row in enumerate(table, 2):
                path, seconds = row["path"], float(row["seconds"])
                if not seconds > 0:
                    raise UsageError(f"--times {request.times}: line {number}: seconds must be above 0")
                at = path if storage.is_remote(path) else os.path.join(os.path.dirname(request.times), path)
                known[storage.canonical(at)] = seconds
    except OSError as error:
        raise UsageError(f"--times {request.times}: cannot be read ({error.strerror})") from None
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"--times {request.times}: give CSV with the columns path and seconds") from None
    return known
