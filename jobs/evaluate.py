"""`yoto-video evaluate`: how well scores agree with people's, on known data sets and on any table."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from ..models.judge import Judge
from ..models.training.correlation import agreement, hundredths, intervals, split_median
from ..models.training.datasets.known import PUBLISHED, SHARED, read
from ..models.training.evaluation import (
    Judged,
    Meaning,
    as_json,
    compare_measures,
    finite,
    judge_samples,
    meaning,
    plain,
    plain_intervals,
)
from ..models.training.folds import FOLDS
from ..models.training.peers import missing
from ..models.training.tables import DataError, Listing, Skipped, listing
from ..pipeline.errors import UsageError, unwritable
from ..pipeline.text import counted
from .flags import EVALUATE_CROPS, INCOMPLETE, OK
from .rated_pictures import as_scored
from .rated_table import RatedTable, check_writable, read_table, table_of, write_scores
from .train import data_folder
from .work import slower

NAMED = 20  # skipped pictures named on a screen; JSON names all


@dataclass(frozen=True)
class Evaluate:
    """What to evaluate, and what to write."""

    model: str  # a name of the zoo or a weights file
    cross: tuple[str, ...] = ()  # in its place: weights files of several folds, for cross-validation
    dataset: str | None = None  # a known set; None: the two of the data folder, or `table`
    table: str | None = None  # a CSV file of the user's
    data: str | None = None  # folder
    contents: str = "held-out"  # of the sets that training reads: "held-out", "trained" or "all"
    device: str = "auto"
    crops: int = EVALUATE_CROPS
    peers: bool = True  # whether to compute other measures
    format: str = "table"  # or "json": one object a line, the last of type "evaluation"
    out: str | None = None  # CSV file with every row's scores
    plot: str | None = None  # HTML file


def run_evaluate(wanted: Evaluate) -> int:
    """Judge, compare, print. The exit code is 4 when some rows could not be judged.

    Raises:
        UsageError: no data, a data set that is not as published, or nothing in it that can be judged.
    """
    judges = [Judge.load(m, device=wanted.device, crops=wanted.crops) for m in wanted.cross or (wanted.model,)]
    if wanted.cross:
        _check_cross(wanted, judges)
    say_slower(judges)
    try:
        found, table = _found(wanted, judges)
    except DataError as error:
        raise UsageError(str(error)) from error
    for path in (wanted.out, wanted.plot):
        if path is not None:
            check_writable(Path(path))  # before an hour of judging, not after
    of = len(found.samples)
    judged: list[Judged] = []
    skipped = list(found.skipped)
    for each in judges:
        mine = [s for s in found.samples if not wanted.cross or s.content in FOLDS[each.fold]]
        before = len(judged)
        said = partial(_tell, before, of)
        done, broken = judge_samples(each, mine, said, read=as_scored, with_peers=wanted.peers)
        judged += done
        skipped += broken
    if not judged:
        raise UsageError(f"none of the {of} pictures can be judged; the first, {skipped[0]}")
    if wanted.out is not None:
        by_sample = {id(j.sample): j for j in judged}
        rows: list[Judged | None] = [None] * len(table.rows)
        for sample, row in zip(found.samples, found.rows, strict=True):
            rows[row] = by_sample.get(id(sample))
        write_scores(Path(wanted.out), table, rows)
    if wanted.plot is not None:
        _plot(Path(wanted.plot), _title(judges), judged)
    _note(wanted, table, judged, skipped)
    lines = compare_measures(judged)
    meanings = meaning(judged)
    if wanted.table is not None and table.mos_range is not None:
        meanings = [replace(m, bins=[]) for m in meanings]  # its opinions are not on 0 to 100
    if wanted.format == "json":
        objects: list[dict[str, object]] = [as_json(line) for line in lines]
        objects += _scale_objects(meanings)
        objects += [{"type": "skipped", "path": str(s.image), "reason": s.reason} for s in skipped]
        for line_of in [*objects, _last(judges, judged, skipped)]:
            print(json.dumps(line_of))
    else:
        from .evaluation_tables import print_scale, print_tables

        print_tables(_title(judges), lines)
        print_scale(meanings)
        print(f"{counted(len(judged), 'picture')} judged, {len(skipped)} skipped")
    return INCOMPLETE if skipped else OK


def say_slower(judges: Sequence[Judge]) -> None:
    """A line on stderr, once, where networks take longer than they are meant to."""
    for sentence in dict.fromkeys(filter(None, map(slower, judges))):
        print(f"yoto-video: {sentence}", file=sys.stderr)


def _check_cross(wanted: Evaluate, judges: Sequence[Judge]) -> None:
    folds = [judge.fold for judge in judges]
    if 0 in folds or len(set(folds)) < len(folds):
        raise UsageError(
            f"--cross: weights of folds {', '.join(map(str, folds))}; give one of each fold from 1 to "
            f"{len(FOLDS) - 1}, as train --fold makes them"
        )
    if wanted.table is not None or wanted.dataset not in (None, *SHARED) or wanted.contents != "held-out":
        raise UsageError("--cross judges what each fold held out of the two default sets: no --table, no --contents")


def _found(wanted: Evaluate, judges: Sequence[Judge]) -> tuple[Listing, RatedTable]:
    """The rows to judge, and the table that they stand in."""
    if wanted.table is not None:
        table = read_table(Path(wanted.table))
        return listing(table.name, table.labels, scaled=True), table
    if wanted.dataset is not None and wanted.dataset not in SHARED:
        if wanted.dataset in PUBLISHED and wanted.data is None:
            raise UsageError(f"--dataset {wanted.dataset}: say where it is with --data FOLDER, the set's own folder")
        listings = [read(wanted.dataset, Path(wanted.data or "."))]
        named = wanted.dataset
    else:
        folder = data_folder(wanted.data)
        listings = [read(name, folder) for name in SHARED if wanted.dataset in (None, name)]
        named = str(folder)
    kept = {"held-out": (True,), "trained": (False,), "all": (True, False)}[wanted.contents]
    every = [s for found in listings for s in found.samples]
    if wanted.cross:
        samples = [s for s in every if any(s.content in FOLDS[judge.fold] for judge in judges)]
    else:
        samples = [s for s in every if s.unseen(judges[0].fold) in kept]
    if not samples:
        raise UsageError(f"{named}: has no {wanted.contents} contents; choose others with --contents")
    skipped = [s for found in listings for s in found.skipped]
    return Listing(samples, list(range(len(samples))), skipped), table_of(samples)


def _title(judges: Sequence[Judge]) -> str:
    each = " + ".join(judge.model_sha256[:12] for judge in judges)
    return f"{judges[0].model_name} ({'cross-validation of ' if len(judges) > 1 else ''}{each})"


def _last(judges: Sequence[Judge], judged: Sequence[Judged], skipped: Sequence[Skipped]) -> dict[str, object]:
    """The closing object. Over all sets at once, which is harsher than any of them: the scale must hold across sets."""
    sha256 = "+".join(judge.model_sha256 for judge in judges)
    last: dict[str, object] = {"type": "evaluation", "model": judges[0].model_name, "model_sha256": sha256}
    for mode in ("nr", "fr"):
        rows = [(j.nr if mode == "nr" else j.fr, j.sample.mos, j.sample.content) for j in judged]
        having = [(score, mos, content) for score, mos, content in rows if score is not None]
        scores, mos, contents = [r[0] for r in having], [r[1] for r in having], [r[2] for r in having]
        figures = plain(agreement(scores, mos)) or {}
        more = {
            "ci95": plain_intervals(intervals(scores, mos, contents)),
            "splits": plain(split_median(scores, mos, contents)),
        }
        last[mode] = figures | more
    return last | {"skipped": len(skipped)}


def _scale_objects(meanings: Sequence[Meaning]) -> list[dict[str, object]]:
    """What the scores mean, as JSON objects of `type` "calibration", one a data set and mode."""
    return [
        {
            "type": "calibration", "dataset": m.dataset, "mode": m.mode, "bins": [asdict(b) for b in m.bins],
            "noticed": None if m.noticed is None else finite(asdict(m.noticed)),
        }
        for m in meanings
    ]  # fmt: skip


def _note(wanted: Evaluate, table: RatedTable, judged: Sequence[Judged], skipped: Sequence[Skipped]) -> None:
    """What a reader of the figures has to know, to stderr: a sentence a line."""
    notes = [f"skipped {s}" for s in skipped[:NAMED]]
    if len(skipped) > NAMED:
        notes.append(f"skipped {len(skipped) - NAMED} more; --format json names all")
    if wanted.peers:
        notes += missing()
    if wanted.table is not None and table.mos_range is not None:
        low, high = table.mos_range
        notes.append(
            f"{wanted.table}: mos runs from {low:g} to {high:g}, not from 1 to 5: SROCC, KROCC and PLCC hold, RMSE "
            "counts 25 points for a step of 1, and the calibration is left out"
        )
    if len(judged) < 3:
        notes.append(f"{counted(len(judged), 'picture')} judged: figures of agreement take three at least")
    elif agreement([j.nr for j in judged], [j.sample.mos for j in judged]).srocc < -0.2:
        notes.append("NR scores fall where mos rises: is it a difference score (DMOS), where higher is worse?")
    for note in notes:
        print(f"yoto-video: {note}", file=sys.stderr)


def _plot(path: Path, model: str, judged: Sequence[Judged]) -> None:
    from ..models.training.correlation import fitted_curve
    from ..reports.agreement_plot import Point, write_agreement_plot

    def points(mode: str) -> list[Point]:
        rows = [(j.nr if mode == "nr" else j.fr, j.sample) for j in judged]
        return [
            Point(score, float(hundredths([s.mos])[0]), s.image.name, f"{s.dataset} {s.group}".strip())
            for score, s in rows
            if score is not None
        ]

    clouds = {mode: points(mode) for mode in ("nr", "fr")}
    curves = {}
    for mode, cloud in clouds.items():
        scores, mos = [p.score for p in cloud], [p.mos / 25 + 1 for p in cloud]
        if len(set(scores)) > 2:
            curves[mode] = fitted_curve(scores, mos)
    try:
        write_agreement_plot(path, model, clouds, curves)
    except OSError as error:
        raise unwritable(path, error) from error


def _tell(before: int, of: int, done: int) -> None:
    done += before
    if sys.stderr.isatty() or done == of:
        print(f"\rjudged {done} of {of} pictures", end="" if done < of else "\n", file=sys.stderr, flush=True)
