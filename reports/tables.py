"""The overview's tables as plain JSON-ready rows; `report.js` sorts and filters them.

A table is {columns, facets, rows, sort, then, descending}: `then` are the columns that decide between equal or unknown
ones; `page` rows are shown at once (50), and `print_all` says whether paper gets all of them (true). A row is {cells,
facets, find}. A cell is None where nothing is known, else what its column's kind asks for: link [text, address, tag,
text below], score or interval (of differences) [value, low, high], size [pixels, width, height], span [start, text],
number, rate (kbit/s), text or status. `whole` columns do not break their lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..pipeline.runs import RunRow
from .clip import MODES, Clip
from .lint import of_ladder
from .rd import RatePoint, hull, pareto
from .read import Fleet, LadderTable
from .words import kind

Json = dict[str, object]
Cell = object


def clip_table(fleet: Fleet, links: Mapping[str, str]) -> Json:
    """A row a clip, in both modes, the lowest FR score first (NR where no clip has FR)."""
    modes = [m for m in MODES if any(c.score(m) is not None for c in fleet.clips)]
    columns: list[Json] = [{"label": "Clip", "kind": "link"}]
    columns += [
        {"label": f"{m.upper()} score", "kind": "score", "mode": m, "title": "mean over frames and its 95 % interval"}
        for m in modes
    ]
    masters = any(c.master_score is not None for c in fleet.clips)
    if masters:
        title = "the master by itself: a bad source is no bad encode"
        columns.append({"label": "Master, NR", "kind": "number", "digits": 1, "title": title})
    columns += [
        {"label": "Judged at", "kind": "size", "title": "display raster"},
        {"label": "kbit/s", "kind": "rate", "descending": True, "title": "measured from the stream"},
        {"label": "Size", "kind": "size", "descending": True},
        {"label": "Codec", "kind": "text"},
        {"label": "Length, s", "kind": "number", "digits": 1, "descending": True},
        {"label": "Status", "kind": "status"},
    ]
    return {
        "columns": columns,
        "facets": ["Mode", "Codec", "Size", "Kind", "Status"],
        "rows": [_clip_row(c, modes, masters, links, fleet.folder) for c in fleet.clips],
        "sort": 1 if modes else 0,
        "then": list(range(1, 1 + len(modes))),
        "descending": False,
    }


def _clip_row(clip: Clip, modes: Sequence[str], masters: bool, links: Mapping[str, str], folder: str) -> Json:
    tag = ", ".join([*(["master"] if clip.is_master else []), *map(kind, clip.labels)]) or None
    shown = clip.path.removeprefix(folder)
    scored = " + ".join(r.mode.upper() for m in MODES if (r := clip.row(m)) is not None and r.mode)
    cells: list[Cell] = [[clip.label, links[clip.ladder], tag, shown if shown != clip.label else None]]
    cells += [score_cell(clip, m) for m in modes]
    if masters:
        cells.append(_rounded(clip.master_score, 1))
    cells += [
        _raster(next((r.display for r in clip.rows_ok if r.display), None)),
        _rounded(clip.bitrate_kbps, 0 if (clip.bitrate_kbps or 0) >= 100 else 1),
        [clip.width * clip.height, clip.width, clip.height] if clip.width and clip.height else None,
        clip.codec,
        _rounded(clip.duration_s, 2),
        clip.status,
    ]
    return {
        "cells": cells,
        "facets": [
            scored or "not scored", clip.codec, f"{clip.rung}p" if clip.rung else None,
            "master" if clip.is_master else "rendition", "scored" if clip.status == "ok" else clip.status,
        ],
        "find": f"{clip.path} {clip.ladder} {' '.join(map(kind, clip.labels))}",
    }  # fmt: skip


def ladder_table(fleet: Fleet, links: Mapping[str, str]) -> Json:
    """A row a ladder: its size, its range of scores by mode, its master by itself, and what is missing."""
    modes = [m for m in MODES if any(ladder.span(m) for ladder in fleet.ladders)]
    masters = any(ladder.master for ladder in fleet.ladders)
    columns: list[Json] = [
        {"label": "Ladder", "kind": "link"},
        {"label": "Videos", "kind": "number", "descending": True},
    ]
    for m in modes:
        columns += [
            {"label": f"{m.upper()} lowest", "kind": "score", "mode": m},
            {"label": f"{m.upper()} highest", "kind": "score", "mode": m},
        ]
    if masters:
        columns.append({"label": "Master, NR", "kind": "score", "mode": "nr"})
    columns.append(
        {"label": "Lint", "kind": "number", "descending": True, "title": "what is wrong with it as a ladder"}
    )
    columns.append({"label": "Not scored", "kind": "number", "descending": True})
    return {
        "columns": columns,
        "facets": ["Master", "Complete"],
        "rows": [_ladder_row(ladder, modes, masters, links) for ladder in fleet.ladders],
        "sort": 2 if modes else 0,
        "then": list(range(2, 2 + 2 * len(modes), 2)),
        "descending": False,
    }


def _ladder_row(ladder: LadderTable, modes: Sequence[str], masters: bool, links: Mapping[str, str]) -> Json:
    missing = sum(c.status != "ok" for c in ladder.clips)
    cells: list[Cell] = [[ladder.name, links[ladder.name], None, None], len(ladder.clips)]
    for m in modes:
        ranked = sorted((s, i) for i, c in enumerate(ladder.renditions) if (s := c.score(m)) is not None)
        ends = [ladder.renditions[ranked[k][1]] for k in (0, -1)] if ranked else [None, None]
        cells += [score_cell(c, m) if c else None for c in ends]
    if masters:
        cells.append(score_cell(ladder.master, "nr") if ladder.master else None)
    cells += [sum(i.severity != "info" and i.rule != "unscored" for i in of_ladder(ladder)), missing]
    return {
        "cells": cells,
        "facets": ["with a master" if ladder.master else "without", "yes" if not missing else "some not scored"],
        "find": ladder.name,
    }


def score_cell(clip: Clip, mode: str) -> list[float | None] | None:
    """[mean, low, high] to the digit that is shown; None without a score."""
    score, interval = clip.score(mode), clip.interval(mode)
    if score is None:
        return None
    return [round(score, 1), *((round(interval[0], 1), round(interval[1], 1)) if interval else (None, None))]


def unscored(fleet: Fleet) -> list[Json]:
    """What has no score, grouped by status and reason, failures first; then clips that lack one mode only."""
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in fleet.clips:
        status = "partly" if clip.status == "ok" else clip.status
        for reason in clip.reasons:
            groups.setdefault((status, reason), []).append(clip)
    order = {"failed": 0, "skipped": 1, "partly": 2}
    ranked = sorted(groups.items(), key=lambda g: (order[g[0][0]], -len(g[1]), g[0][1]))
    return [{"status": status, "reason": reason, "clips": clips} for (status, reason), clips in ranked]


def ladder_tiles(ladder: LadderTable) -> list[Json]:
    """The few figures a ladder's page starts with."""
    codecs = ", ".join(dict.fromkeys(c.codec for c in ladder.renditions if c.codec))
    count = len(ladder.renditions)
    what = "renditions" if count > 1 else "rendition" if ladder.master else "video"
    tiles = [_tile(count, what, codecs)] if count else []
    words = {"fr": "beside the master", "nr": "without a master"}
    for mode in MODES:
        span = ladder.span(mode)
        if span is not None:
            text = f"{span[0]:.1f}" if len(ladder.renditions) == 1 else f"{span[0]:.1f} – {span[1]:.1f}"
            tiles.append(_tile(text, f"{mode.upper()} score", words[mode], mode))
    if ladder.master is not None:
        own = ladder.master.score("nr")
        if own is not None:
            tiles.append(_tile(f"{own:.1f}", "NR score of the master", "how good the source is", "nr"))
    missing = sum(c.status != "ok" for c in ladder.clips)
    if missing:
        tiles.append(_tile(missing, "not scored", "see below", "bad"))
    return tiles


def _tile(value: object, label: str, note: str = "", tone: str = "") -> Json:
    return {"value": value, "label": label, "note": note, "tone": tone}


def worth(ladder: LadderTable, mode: str) -> dict[str, str]:
    """For each rendition with a score and a rate, by path: where it stands among the encodes of its own codec."""
    said: dict[str, str] = {}
    groups: dict[str | None, dict[str, Clip]] = {}
    for clip in ladder.renditions:
        if clip.on_curve(mode):
            groups.setdefault(clip.codec, {})[clip.path] = clip
    for clips in groups.values():
        points = [RatePoint(float(c.bitrate_kbps or 0), float(c.score(mode) or 0), p) for p, c in clips.items()]
        front, corners = {p.key for p in pareto(points)}, {p.key for p in hull(points)}
        for point in points:
            if point.key in corners:
                said[point.key] = "on the hull"
            elif point.key in front:
                said[point.key] = "below the hull"
            else:
                better = [q for q in points if q.bitrate_kbps <= point.bitrate_kbps and q.score >= point.score]
                best = max((q for q in better if q is not point), key=lambda q: q.score)
                mine, theirs = (clips[k].interval_beside(mode) for k in (point.key, best.key))
                sure = mine is not None and theirs is not None and theirs[0] > mine[1]
                said[point.key] = f"{'beaten by' if sure else 'no better than'} {clips[best.key].label}"
    return said


def runs(rows: Sequence[RunRow]) -> Json | None:
    """Every run, newest first, with the time of each stage; None without runs."""
    if not rows:
        return None
    stages = list(dict.fromkeys(stage for run in rows for stage in run.seconds))
    head = ["Finished (UTC)", "Rows: scored", "skipped", "failed", "kept from before"]
    head += [*(f"{s},\u00a0s" for s in stages), "Version"]
    table = [
        [f"{r.finished_at:%Y-%m-%d %H:%M:%S}", r.ok, r.skipped, r.failed, r.reused,
         *(f"{r.seconds[s]:,.1f}" if s in r.seconds else "–" for s in stages), r.version]
        for r in reversed(rows)
    ]  # fmt: skip
    return {"head": head, "rows": table}


def _raster(text: str | None) -> list[int] | None:
    """ "1920x1080" as a size cell."""
    width, _, height = (text or "").partition("x")
    return [int(width) * int(height), int(width), int(height)] if width.isdigit() and height.isdigit() else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
