"""`yoto-video train` and `yoto-video evaluate`: the model's own two commands."""

from __future__ import annotations

import json
import math
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

from ..pipeline.errors import UsageError

DATA = "../shared/data"


def data_folder(given: str | None) -> Path:
    """The folder with mos/, pristine/ and weights/: --data, else YOTO_DATA, else ../shared/data.

    Raises:
        UsageError: it is not there.
    """
    folder = Path(given or os.environ.get("YOTO_DATA") or DATA)
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such data folder; name it with --data or YOTO_DATA")
    return folder


def run_train(*, data: str | None, out: str, model: str | None = None, steps: int | None = None) -> int:
    """Train as `models.training.recipe` says; progress to stderr, the path of the weights to stdout.

    Args:
        data: see `data_folder`.
        out: folder of the run; a run that was interrupted there goes on.
        model: another network of the zoo than the recipe's.
        steps: about this length, in the recipe's proportions.

    Raises:
        UsageError: no data, a data set that is not as published, or a folder that holds another run.
    """
    from ..models import zoo
    from ..models.training.loop import train
    from ..models.training.recipe import Recipe
    from ..models.training.tables import DataError

    folder = data_folder(data)
    recipe = Recipe()
    if model is not None:
        recipe = replace(recipe, model=zoo.entry(model).name)
    if steps is not None:
        if steps < 1:
            raise UsageError(f"--steps {steps}: a training run needs at least one step")
        recipe = recipe.shortened(steps)
    try:
        weights = train(folder, Path(out), recipe, lambda line: print(line, file=sys.stderr, flush=True))
    except (DataError, OSError) as error:
        raise UsageError(str(error)) from error
    print(weights)
    return 0


def run_evaluate(
    *,
    model: str,
    data: str | None,
    contents: str = "held-out",
    device: str = "auto",
    crops: int = 6,
    format: str = "table",
) -> int:
    """Agreement with people on the human-scored sets, ours beside published measures on the same rows.

    Args:
        model: a name of the zoo or a weights file.
        data: see `data_folder`.
        contents: "held-out" (never trained on: the honest figures), "trained" or "all".
        device: as in `Settings`.
        crops: places a frame is judged at.
        format: "table", or "json": one object a line, the last of type "evaluation".

    Raises:
        UsageError: no data, or no row of that kind.
    """
    from ..models.judge import Judge
    from ..models.training.evaluation import agreement, as_json, compare_measures, judge_samples
    from ..models.training.making import rated_samples
    from ..models.training.tables import DataError

    folder = data_folder(data)
    judge = Judge.load(model, device=device, crops=crops)
    try:
        wanted = {"held-out": (True,), "trained": (False,), "all": (True, False)}[contents]
        samples = [s for s in rated_samples(folder) if s.held_out in wanted]
        judged = judge_samples(judge, samples, lambda n: _tell(n, len(samples)))
    except DataError as error:
        raise UsageError(str(error)) from error
    lines = compare_measures(judged)
    if format == "json":
        for line in lines:
            print(json.dumps(as_json(line)))
        last: dict[str, object] = {"type": "evaluation", "model": judge.model_name, "model_sha256": judge.model_sha256}
        for mode in ("nr", "fr"):
            # Over all sets at once, which is harsher than any of them: the scale must hold across sets.
            rows = [(j.nr if mode == "nr" else j.fr, j.sample.mos) for j in judged]
            having = [(score, mos) for score, mos in rows if score is not None]
            figures = asdict(agreement([s for s, _ in having], [m for _, m in having]))
            last[mode] = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in figures.items()}
        print(json.dumps(last))
        return 0

    from rich.console import Console
    from rich.table import Table

    title = f"{judge.model_name} ({judge.model_sha256[:12]}) on {contents} contents: {len(judged)} pictures"
    table = Table(title=title, caption="RMSE in points of 100, after the usual logistic fit")
    for column in ("data set", "rows", "measure"):
        table.add_column(column)
    for column in ("n", "SROCC", "PLCC", "KROCC", "RMSE"):
        table.add_column(column, justify="right")
    before = None
    for line in lines:
        key, a = (line.dataset, line.mode), line.agreement
        if before not in (None, key):
            table.add_section()
        rows_of = "all" if line.mode == "nr" else "with reference"
        cells = [f"{v:.3f}" for v in (a.srocc, a.plcc, a.krocc)]
        table.add_row(line.dataset, rows_of, line.measure, str(a.n), *cells, f"{a.rmse:.1f}")
        before = key
    Console().print(table)
    return 0


def _tell(done: int, of: int) -> None:
    if sys.stderr.isatty() or done == of:
        print(f"\rjudged {done} of {of} pictures", end="" if done < of else "\n", file=sys.stderr, flush=True)
