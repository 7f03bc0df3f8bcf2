"""`yoto-video train`: a network of your own."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from ..pipeline.errors import UsageError, unwritable

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


def run_train(
    *, data: str | None, out: str, model: str | None = None, steps: int | None = None, fold: int = 0, mode: str = "both"
) -> int:
    """Train as `models.training.recipe` says; progress to stderr, the path of the weights to stdout.

    Args:
        data: see `data_folder`.
        out: folder of the run; a run that was interrupted there goes on.
        model: another network of the zoo than the recipe's.
        steps: about this length, in the recipe's proportions.
        fold: which contents are held out (`models.training.folds`).
        mode: "both" at once, or "nr" or "fr" alone, to see what training once is worth.

    Raises:
        UsageError: no data, a data set that is not as published, or a folder that holds another run.
    """
    from ..models import zoo
    from ..models.training.loop import train
    from ..models.training.recipe import Recipe
    from ..models.training.tables import DataError

    folder = data_folder(data)
    recipe = Recipe(fold=fold)
    if mode != "both":
        recipe = replace(recipe, modes=(mode,))
    if model is not None and model.endswith(".safetensors"):
        raise UsageError(f"--model {model}: training begins with a network by name, {' or '.join(zoo.ZOO)}, not a file")
    if model is not None:
        recipe = replace(recipe, model=zoo.entry(model).name)
    if steps is not None:
        if steps < 1:
            raise UsageError(f"--steps {steps}: a training run needs at least one step")
        recipe = recipe.shortened(steps)
    try:
        weights = train(folder, Path(out), recipe, lambda line: print(line, file=sys.stderr, flush=True))
    except DataError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        place = str(error.filename or out)
        if place.startswith(str(folder)):
            raise UsageError(f"{place}: cannot be read ({error.strerror})") from error
        raise unwritable(place, error) from error
    print(weights)
    return 0
