"""Training and evaluation as commands: find the data, run, print."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..models.judge import Judge
from ..models.training import evaluation, loop
from ..models.training.making import rated_samples
from ..models.training.recipe import Recipe
from ..models.training.tables import DataError
from ..pipeline.errors import UsageError
from ..pipeline.settings import Settings
from .work import model_errors


def data_folder(given: str | None) -> Path:
    """The shared data: as given, else YOTO_DATA, else ../shared/data.

    Raises:
        UsageError: there is no such folder.
    """
    folder = Path(given or os.environ.get("YOTO_DATA") or "../shared/data")
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such data folder; name it with --data or YOTO_DATA")
    return folder


def train(
    data: str | None, out: str, *, model: str, steps: int | None, seed: int | None, tell: Callable[[str], None]
) -> Path:
    """Train a network from ImageNet weights and return the weights' path. Interrupted, it goes on from its last save.

    Raises:
        UsageError: the data is missing or broken, or `out` holds a run of another recipe.
    """
    recipe = replace(Recipe(), model=model)
    recipe = recipe if steps is None else replace(recipe, steps=steps)
    recipe = recipe if seed is None else replace(recipe, seed=seed)
    try:
        with model_errors():
            return loop.train(data_folder(data), Path(out), recipe, tell)
    except DataError as error:
        raise UsageError(str(error)) from error


def evaluate(
    data: str | None, settings: Settings, *, everything: bool, tell: Callable[[int], None]
) -> list[evaluation.Line]:
    """Agreement with people's scores by data set and mode, on held-out contents or on everything.

    Raises:
        UsageError: the data is missing or broken, or there is no such network.
        YotoVideoError: the weights cannot be read.
    """
    try:
        samples = rated_samples(data_folder(data))
    except DataError as error:
        raise UsageError(str(error)) from error
    samples = [sample for sample in samples if everything or sample.held_out]
    with model_errors():
        judge = Judge.load(settings.model, device=settings.device, crops=settings.crops, seed=settings.seed)
    return evaluation.compare_measures(evaluation.judge_samples(judge, samples, tell))


def table_of(lines: list[evaluation.Line]) -> str:
    """The lines as text, a blank line between data sets and modes."""
    rows = [f"{'data set':<18}{'mode':<6}{'measure':<10}{'rows':>5}{'SROCC':>8}{'PLCC':>8}{'KROCC':>8}{'RMSE':>8}"]
    before = None
    for line in lines:
        if before not in (None, (line.dataset, line.mode)):
            rows.append("")
        before = (line.dataset, line.mode)
        a = line.agreement
        figures = [f"{value:>8.3f}" for value in (a.srocc, a.plcc, a.krocc)] + [f"{a.rmse:>8.1f}"]
        shown = [f"{'-':>8}" if math.isnan(value) else text for value, text in zip(
            (a.srocc, a.plcc, a.krocc, a.rmse), figures, strict=True)]  # fmt: skip
        rows.append(f"{line.dataset:<18}{line.mode.upper():<6}{line.measure:<10}{a.n:>5}{''.join(shown)}")
    return "\n".join(rows)


def json_of(lines: list[evaluation.Line]) -> str:
    """One JSON object a line."""
    return "\n".join(json.dumps(evaluation.as_json(line), allow_nan=False) for line in lines)
