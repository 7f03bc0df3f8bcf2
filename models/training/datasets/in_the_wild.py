"""Sets of pictures as people took them: no references, every picture a content of its own.

Readers do as those of `with_references` do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..tables import DataError, Label, column, csv_rows, number
from .files import Files, first_folder, matlab

LIVE_CHALLENGE_TRAINING = 7  # pictures that only taught viewers the task; the papers leave them out


def live_challenge(root: Path) -> Iterator[Label]:
    """LIVE in the Wild (ChallengeDB_release): MOS = 1 + MOS / 25 (0 to 100)."""
    names = matlab(root / "Data" / "AllImages_release.mat", "AllImages_release")
    scores = matlab(root / "Data" / "AllMOS_release.mat", "AllMOS_release")
    if len(names) != len(scores):
        raise DataError(f"{root / 'Data'}: {len(names)} names for {len(scores)} scores; fetch the data set again")
    pictures = Files(root / "Images")
    for name, score in list(zip(map(str, names), scores, strict=True))[LIVE_CHALLENGE_TRAINING:]:
        yield Label(pictures[name], None, 1 + number(score) / 25, name, "authentic")


def koniq10k(root: Path) -> Iterator[Label]:
    """KonIQ-10k: MOS is 1 to 5 already. The pictures of 1024x768, or those of 512x384 where only they are there.

    Labels from koniq10k_scores_and_distributions.csv, or from koniq10k_distributions_sets.csv, which is published
    beside the authors' code: its MOS is on another scale, and the mean of its shares of answers, c1 to c5, is taken.
    """
    table, shares = (root / f"koniq10k_{name}.csv" for name in ("scores_and_distributions", "distributions_sets"))
    with_mos = table.is_file() or not shares.is_file()
    folder = first_folder(root, "1024x768", "512x384")
    for row in csv_rows(table if with_mos else shares):
        if with_mos:
            mos = number(column(row, table, "MOS"))
        else:
            mos = sum(answer * number(column(row, shares, f"c{answer}")) for answer in range(1, 6))
        name = column(row, table, "image_name")
        yield Label(folder / name, None, mos, name, "authentic")


def live_fb(root: Path) -> Iterator[Label]:
    """LIVE-FB (FLIVE, PaQ-2-PiQ), whole pictures: MOS = 1 + MOS / 25 (0 to 100). Groups are its source collections."""
    table = root / "labels_image.csv"
    folder = first_folder(root, "database", "FLIVE", ".")  # names hold their collection's folder
    for row in csv_rows(table):
        name, score = column(row, table, "name", "name_image"), number(column(row, table, "mos", "mos_image"))
        group = name.split("/")[0] if "/" in name else "authentic"
        yield Label(folder / name, None, 1 + score / 25, name, group)
