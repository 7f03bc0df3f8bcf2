"""What changed between two results of the same videos: by how much, and whether the frames show it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ..pipeline.pool import ci95
from ..pipeline.values import ClipScore
from .labels import common_folder, last_component
from .results import Results


@dataclass(frozen=True)
class Change:
    """One row now and before. `difference` is now less before, points; `interval` 95 %, over their common frames."""

    now: ClipScore
    before: ClipScore
    difference: float
    interval: tuple[float, float] | None

    @property
    def shown(self) -> bool:
        """Whether the frames show that something changed: zero is outside the interval."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


@dataclass(frozen=True)
class Drift:
    """Two results compared.

    Attributes:
        changes: of rows that both have, the largest loss first.
        incomparable: (row now, why) where both have a row that cannot stand beside each other.
        new, gone: paths that only one has, as seen from its folder.
        failed, mended: paths of both that have a score before alone, or now alone.
    """

    changes: tuple[Change, ...]
    incomparable: tuple[tuple[ClipScore, str], ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    failed: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


def drift(now: Results, before: Results) -> Drift:
    """Compare rows of the same path; or, of what only one has, of the same place in the folders that were scanned."""
    both = now, before
    rows = [r.store.clips() for r in both]
    known = [{c.path for c in own} for own in rows]
    # What only one has may have moved. Encodes say from where to where, for a master may lie elsewhere.
    left = [known[side] - known[1 - side] for side in (0, 1)]
    encodes = [{c.path for c in own if not c.is_master} or paths for own, paths in zip(rows, known, strict=True)]
    roots = [_scanned(r, paths & own) for r, paths, own in zip(both, encodes, left, strict=True)]
    if not encodes[0] & encodes[1]:
        roots = [root or common_folder(list(paths)) for root, paths in zip(roots, encodes, strict=True)]
    elif not all(roots):
        roots = ["", ""]

    places = [
        {path: path.removeprefix(root) if path in own else path for path in paths}
        for root, own, paths in zip(roots, left, known, strict=True)
    ]
    places[0] |= _moved_masters(rows, places)
    old = {(places[1][c.path], c.mode): c for c in rows[1] if c.status == "ok"}
    compared = {places[0][c.path] for c in rows[0] if c.status == "ok" and c.mode == "fr"}
    changes, apart = [], []
    for clip in rows[0]:
        at = places[0][clip.path]
        other = old.get((at, clip.mode))
        if clip.status != "ok" or other is None:
            continue
        why = _unlike(clip, other)
        if why is None and clip.mode == "nr" and (at, "fr") in old and at not in compared:
            why = "compared with its master before, and not now"
        if why:
            apart.append((clip, why))
        else:
            changes.append(_change(clip, other, now, before))
    changes.sort(key=lambda c: (c.difference, c.now.path))
    there = [{*own.values()} for own in places]
    scored = [{places[side][c.path] for c in rows[side] if c.status == "ok"} for side in (0, 1)]
    new, gone = (sorted(there[side] - there[1 - side]) for side in (0, 1))
    mended, failed = (sorted((scored[side] - scored[1 - side]) & there[1 - side]) for side in (0, 1))
    return Drift(tuple(changes), tuple(apart), tuple(new), tuple(gone), tuple(failed), tuple(mended))


def _moved_masters(rows: Sequence[Sequence[ClipScore]], places: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Where masters were that lie elsewhere now, and outside of what was scanned: by path now, their place before.

    A master is what the same encode was compared with before, where that has its name, or its bytes; else it is the
    only one of its bytes.
    """
    taken = [{*own.values()} for own in places]
    then, now = (
        {c.path: c.content_id for c in rows[side] if c.is_master and places[side][c.path] not in taken[1 - side]}
        for side in (1, 0)
    )
    beside = {places[1][c.path]: c.reference for c in rows[1] if c.mode == "fr" and c.reference in then}
    likely = [(c.reference, beside.get(places[0][c.path])) for c in rows[0] if c.mode == "fr"]
    content = [Counter(own.values()) for own in (now, then)]
    by_bytes = {what: path for path, what in then.items() if what and all(own[what] == 1 for own in content)}
    likely += [(path, by_bytes.get(what)) for path, what in now.items()]
    found: dict[str, str] = {}
    used = set[str]()
    for master, before in likely:
        if master not in now or before is None or master in found or before in used:
            continue
        if last_component(master) == last_component(before) or now[master] == then[before] != "":
            found[master] = places[1][before]
            used.add(before)
    return found


def _scanned(results: Results, paths: Collection[str]) -> str:
    """The folder that was scanned last, where all these lie below it; "" else."""
    scanned = str(results.runs[-1].settings.get("root_path") or "").rstrip("/") + "/" if results.runs else "/"
    return scanned if scanned != "/" and all(path.startswith(scanned) for path in paths) else ""


def _unlike(clip: ClipScore, other: ClipScore) -> str | None:
    if clip.model_sha256 != other.model_sha256:
        return f"scored by another model ({other.model} before, {clip.model} now)"
    if clip.display != other.display:
        return f"judged at another display raster ({other.display} before, {clip.display} now)"
    return None


def _change(clip: ClipScore, other: ClipScore, now: Results, before: Results) -> Change:
    assert clip.score is not None
    assert other.score is not None
    if clip.result_id == other.result_id:
        return Change(clip, other, 0.0, (0.0, 0.0))
    frames = [{f.frame_num: f for f in r.store.frames(c.path, c.mode)} for r, c in ((now, clip), (before, other))]
    common = sorted(frames[0].keys() & frames[1].keys())
    interval = None
    if len(common) >= max(2, 0.9 * max(map(len, frames))):
        differences = [frames[0][n].score - frames[1][n].score for n in common]
        spans = [frames[0][n].span_s or frames[1][n].span_s for n in common]
        interval = ci95(differences, spans=spans, scale=(-100.0, 100.0))
    elif (one := clip.ci95_beside) and (two := other.ci95_beside):  # other frames: two means, each with its own spread
        half = math.hypot(*((high - low) / 2 for low, high in (one, two)))
        interval = (clip.score - other.score - half, clip.score - other.score + half)
    return Change(clip, other, clip.score - other.score, interval)
