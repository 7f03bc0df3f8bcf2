"""`yoto-video evaluate --sanity`: what needs no opinions, on good photographs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..models.judge import Judge
from ..models.training.distortions import Picture
from ..models.training.making import load_picture
from ..models.training.sanity import Check, examine
from ..models.training.tables import DataError
from ..pipeline.errors import UsageError
from ..pipeline.text import counted
from .evaluate import say_slower
from .flags import GATE, OK
from .scenery import landscape
from .train import data_folder

FOLDERS = ("kodak24", "mcmaster18", "urban100", "sunhays80", "wallpapers", "bsds500")  # of pristine/, one picture each
SIDE = 960  # longest side that photographs are scaled down to, pixels


def run_sanity(*, model: str, data: str | None, device: str, crops: int, format: str) -> int:
    """Put a network through the sanity suite; the exit code is 3 when a check fails.

    Photographs come from `pristine/` of the data folder; where there is none, drawn landscapes alone have to do.

    Raises:
        UsageError: `data` is given and has no photographs.
    """
    judge = Judge.load(model, device=device, crops=crops)
    say_slower([judge])
    pictures = photographs(data) | drawn(2)

    def tell(name: str) -> None:
        print(f"examined on {name}", file=sys.stderr, flush=True)

    checks = examine(judge, pictures, tell)
    failed = [check.name for check in checks if not check.passed]
    if format == "json":
        for check in checks:
            print(json.dumps({"type": "check", "passed": check.passed, **_plain(check)}))
        last = {"model": judge.model_name, "model_sha256": judge.model_sha256, "pictures": list(pictures)}
        print(json.dumps({"type": "sanity", "passed": not failed, "failed": failed, **last}))
    else:
        _print_table(f"{judge.model_name} ({judge.model_sha256[:12]}) on {counted(len(pictures), 'picture')}", checks)
        print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return GATE if failed else OK


def photographs(data: str | None) -> dict[str, Picture]:
    """One of each folder of `pristine/`, by name; none, which is said, where there is no data folder.

    Raises:
        UsageError: `data` is given and holds none, or one cannot be read.
    """
    try:
        root = data_folder(data) / "pristine"
    except UsageError as error:
        if data is not None:
            raise
        print(f"yoto-video: on drawn pictures alone: {error}", file=sys.stderr)
        return {}
    found: dict[str, Picture] = {}
    for folder in FOLDERS:
        files = sorted(p for p in (root / folder).glob("*") if p.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp"})
        if files:
            path = files[len(files) // 3]
            try:
                found[f"{folder}/{path.stem}"] = _fitted(path)
            except DataError as error:
                raise UsageError(str(error)) from error
    if not found:
        raise UsageError(f"{root}: has none of the folders {', '.join(FOLDERS)} with photographs; name another --data")
    return found


def drawn(count: int) -> dict[str, Picture]:
    """Landscapes made here, 640x360."""
    return {f"landscape {seed}": np.asarray(next(landscape(640, 360, 2, seed=seed))) for seed in range(count)}


def _fitted(path: Path) -> Picture:
    """A photograph with even sides, none longer than `SIDE`."""
    picture = Image.fromarray(load_picture(path))
    shrink = min(1.0, SIDE / max(picture.size))
    size = (max(2, int(picture.width * shrink) // 2 * 2), max(2, int(picture.height * shrink) // 2 * 2))
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC) if shrink < 1 else picture.crop((0, 0, *size)))


def _plain(check: Check) -> dict[str, object]:
    worst = None if math.isinf(check.worst) else round(check.worst, 3)  # null: a score was no number
    return {
        "name": check.name, "rule": check.rule, "compared": check.compared, "broken": check.broken, "worst": worst,
        "allowed": check.allowed, "where": check.where,
    }  # fmt: skip


def _print_table(title: str, checks: Sequence[Check]) -> None:
    table = Table(title=title, caption="worst: points of 100 by which the rule was missed", title_justify="left")
    for column in ("check", "rule"):
        table.add_column(column)
    for column in ("broken", "worst", "allowed"):
        table.add_column(column, justify="right")
    table.add_column("worst case")
    for check in checks:
        state = "" if check.passed else "FAILED\n"
        table.add_row(
            f"{state}{check.name}", check.rule, f"{check.broken} of {check.compared}", f"{check.worst:.2f}",
            f"{check.allowed:g}", escape(check.where),
        )  # fmt: skip
    Console().print(table)
