"""What a reader of `evaluate`'s figures has to know beside them."""

from __future__ import annotations

from collections.abc import Sequence

from ..models.training.correlation import agreement
from ..models.training.evaluation import Judged
from ..models.training.tables import Skipped
from ..pipeline.text import counted

NAMED = 20  # pictures skipped, or not compared, that are named on a screen; JSON names all


def mos_range(judged: Sequence[Judged]) -> tuple[float, float] | None:
    """Lowest and highest opinion score of what was judged, where one of them lies outside 1 to 5."""
    scores = [j.sample.mos for j in judged]
    return (min(scores), max(scores)) if scores and (min(scores) < 1 or max(scores) > 5) else None


def sentences(
    table: str | None, of_table: Sequence[str], judged: Sequence[Judged], skipped: Sequence[Skipped]
) -> list[str]:
    """A sentence a line.

    Args:
        table: the user's own; None for a known data set.
        of_table: what is to be said of its rows.
        judged, skipped: what became of them.
    """
    notes = [f"skipped {s}" for s in skipped[:NAMED]]
    if len(skipped) > NAMED:
        notes.append(f"skipped {len(skipped) - NAMED} more; --format json names all")
    alone = [f"{j.sample.image}: {j.not_compared}" for j in judged if j.not_compared is not None]
    notes += alone[:NAMED]
    if len(alone) > NAMED:
        notes.append(f"{len(alone) - NAMED} more not compared with their references; --format json names all")
    notes += of_table
    opinions = [j.sample.mos for j in judged]
    if table is not None and (found := mos_range(judged)):
        off = [j.sample for j in judged if not 1 <= j.sample.mos <= 5]
        notes.append(
            f"{table}: mos runs from {found[0]:g} to {found[1]:g}, not from 1 to 5 ({len(off)} of {len(judged)} are "
            f"outside, {off[0].mos:g} of {off[0].image.name} first): SROCC, KROCC and PLCC hold, RMSE (in JSON alone) "
            "counts 25 points for a step of 1, and the calibration is left out"
        )
    if len(judged) < 3:
        notes.append(f"{counted(len(judged), 'picture')} judged: figures of agreement take three at least")
    elif len(set(opinions)) == 1:
        notes.append(f"every opinion is {opinions[0]:g}: figures of agreement take different ones")
    elif agreement([j.nr for j in judged], opinions).srocc < -0.2:
        notes.append("NR scores fall where mos rises: is it a difference score (DMOS), where higher is worse?")
    return notes
