"""`yoto-video evaluate`: how well scores agree with people's, on known data sets and on any table."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from ..models.judge import Judge
from ..models.training.correlation import agreement, intervals, split_median
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
from ..pipeline.colour import rescaled
from ..pipeline.errors import ScalingError, UsageError
from ..pipeline.text import counted, printable
from ..pipeline.two_pictures import shows_another
from ..pipeline.values import RGB
from .evaluation_files import check_outputs, write_files
from .evaluation_notes import mos_range, sentences
from .flags import EVALUATE_CROPS, INCOMPLETE, OK
from .rated_table import RatedTable, read_table, table_of
from .train import data_folder
from .work import slower


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
    """Judge, compare, print. The exit code is 4 when some rows could not be judged, or not with their references.

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
    check_outputs(wanted.out, wanted.plot, wanted.table, table.labels)  # before an hour of judging, not after
    of = len(found.samples)
    judged: list[Judged] = []
    skipped = list(found.skipped)
    for each in judges:
        mine = [s for s in found.samples if not wanted.cross or s.content in FOLDS[each.fold]]
        before = len(judged)
        said = partial(_tell, before, of)
        more = {} if wanted.table is None else {"is_foreign": shows_another}  # the known sets' references are right
        done, broken = judge_samples(each, mine, said, scaled=_scaled, with_peers=wanted.peers, **more)
        judged += done
        skipped += broken
    if not judged:
        raise UsageError(f"none of the {of} pictures can be judged; the first, {skipped[0]}")
    other_scale = None if wanted.table is None else mos_range(judged)
    notes = sentences(wanted.table, table.notes, judged, skipped)
    for note in [*notes, *(missing() if wanted.peers else [])]:
        print(f"yoto-video: {printable(note)}", file=sys.stderr)
    try:
        _print(wanted, judges, judged, skipped, calibrated=other_scale is None)
        sys.stdout.flush()
    finally:  # neither is lost with the other: it may be an hour's judging
        out, plot = (None if path is None else Path(path) for path in (wanted.out, wanted.plot))
        write_files(out, plot, _title(judges), table, found, judged)
    return INCOMPLETE if skipped or any(j.foreign for j in judged) else OK


def _print(
    wanted: Evaluate,
    judges: Sequence[Judge],
    judged: Sequence[Judged],
    skipped: Sequence[Skipped],
    *,
    calibrated: bool,
) -> None:
    """The figures to stdout; `calibrated`: whether opinions are on the scale of 0 to 100."""
    lines = compare_measures(judged)
    meanings = [m if calibrated else replace(m, bins=[]) for m in meaning(judged)]
    if wanted.format == "json":
        objects: list[dict[str, object]] = [as_json(line) for line in lines]
        objects += _scale_objects(meanings)
        objects += [{"type": "skipped", "path": str(s.image), "reason": s.reason} for s in skipped]
        objects += [
            {"type": "not_compared", "path": str(j.sample.image), "reason": j.not_compared}
            for j in judged
            if j.not_compared is not None
        ]
        for line_of in [*objects, _last(judges, judged, skipped)]:
            print(json.dumps(line_of))
    else:
        from .evaluation_tables import print_scale, print_tables

        if not calibrated:  # then an error in points of 100 is none
            lines = [replace(line, agreement=replace(line.agreement, rmse=math.nan)) for line in lines]
        print_tables(_title(judges), lines)
        print_scale(meanings)
        print(f"{counted(len(judged), 'picture')} judged, {len(skipped)} skipped")


def _scaled(picture: RGB, display: tuple[int, int]) -> RGB:
    try:
        return rescaled(picture, display)
    except ScalingError as error:
        own, wanted = error.args
        raise DataError(f"a picture of {own} cannot be scaled to its display raster {wanted}; name another") from error


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
        if wanted.data is not None or wanted.contents != "held-out":
            raise UsageError("--table is judged whole, its pictures found by its own paths: no --data, no --contents")
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


def _tell(before: int, of: int, done: int) -> None:
    done += before
    if sys.stderr.isatty() or done == of:
        print(f"\rjudged {done} of {of} pictures", end="" if done < of else "\n", file=sys.stderr, flush=True)
