"""Sets of pictures made worse on purpose, each beside its reference.

Every reader takes the set's own folder, raises `DataError` where its label file is missing or not as published, and
turns scores to MOS, 1 (bad) to 5 (excellent), by a straight line; ranks are the set's own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..tables import DataError, Label, column, csv_cells, csv_rows, number
from .files import Files, lines, matlab, need

LIVE_FOLDERS = {"jp2k": 227, "jpeg": 233, "wn": 174, "gblur": 174, "fastfading": 174}  # in the order of dmos.mat
TID2013_TYPES = (
    "Gaussian noise", "colour noise", "correlated noise", "masked noise", "high-frequency noise", "impulse noise",
    "quantisation noise", "Gaussian blur", "denoising", "JPEG", "JPEG 2000", "JPEG transmission",
    "JPEG 2000 transmission",
    "pattern noise", "local blocks", "mean shift", "contrast", "saturation", "multiplicative noise", "comfort noise",
    "compressed noise", "colour quantisation", "chromatic aberration", "sparse sampling",
)  # fmt: skip
KADID10K_TYPES = (
    "Gaussian blur", "lens blur", "motion blur", "colour diffusion", "colour shift", "colour quantisation",
    "saturation in HSV", "saturation in Lab", "JPEG 2000", "JPEG", "white noise", "colour noise", "impulse noise",
    "multiplicative noise", "denoising", "brighter", "darker", "mean shift", "jitter", "pattern patches", "pixelated",
    "quantisation", "colour blocks", "sharpening", "contrast",
)  # fmt: skip
CSIQ_TYPES = {"noise": "AWGN", "blur": "BLUR", "contrast": "contrast", "fnoise": "fnoise", "jpeg": "JPEG",
              "jpeg 2000": "jpeg2000", "jpeg2000": "jpeg2000", "awgn": "AWGN"}  # fmt: skip


def live(root: Path) -> Iterator[Label]:
    """LIVE release 2: MOS = 5 - DMOS / 25. The realigned DMOS where its file is there; undistorted copies are left out.

    A few DMOS lie outside 0 to 100, and so a few MOS outside 1 to 5.
    """
    realigned = root / "dmos_realigned.mat"
    table, name = (realigned, "dmos_new") if realigned.is_file() else (root / "dmos.mat", "dmos")
    scores, originals = matlab(table, name), matlab(table, "orgs")
    references = matlab(root / "refnames_all.mat", "refnames_all")
    counts = LIVE_FOLDERS
    if len(scores) != sum(counts.values()):  # a part of the release: its info files say how many pictures of each
        counts = {folder: len(lines(root / folder / "info.txt")) for folder in LIVE_FOLDERS}
    if not len(scores) == len(originals) == len(references) == sum(counts.values()):
        found = f"{len(scores)} scores, {len(references)} reference names and {sum(counts.values())} pictures"
        raise DataError(f"{table}: {found} do not belong together; fetch the data set again")
    pristine = Files(root / "refimgs")
    places = [(folder, i + 1) for folder, count in counts.items() for i in range(count)]
    for (folder, i), score, original, reference in zip(places, scores, originals, references, strict=True):
        if not original:
            path = root / folder / f"img{i}.bmp"
            yield Label(path, pristine[str(reference)], 5 - number(score) / 25, Path(str(reference)).stem, folder)


def csiq(root: Path) -> Iterator[Label]:
    """CSIQ: MOS = 5 - 4 DMOS. Labels from csiq.DMOS.xlsx, from its sheet all_by_image as csiq.DMOS.csv, or from
    csiq_label.txt (a picture's name and its DMOS a line).
    """
    distorted, pristine = Files(root / "dst_imgs"), Files(root / "src_imgs")
    for name, score in _csiq_labels(root):
        content, kind, *_ = *name.rsplit(".", 1)[0].rsplit(".", 2), ""  # a name of fewer parts is of no picture
        yield Label(distorted[name], pristine[f"{content}.png"], 5 - 4 * score, content, kind.lower())


def _csiq_labels(root: Path) -> Iterator[tuple[str, float]]:
    """(file name, DMOS) of every distorted picture."""
    workbook, text, flat = root / "csiq.DMOS.xlsx", root / "csiq.DMOS.csv", root / "csiq_label.txt"
    if text.is_file():
        yield from _csiq_sheet(csv_cells(text), text)
    elif flat.is_file():
        for place, line in enumerate(lines(flat)):
            name, *scores = re.split(r"[\s,]+", line.strip())
            score = number(scores[0] if scores else "")
            if place or name.count(".") >= 3 or not math.isnan(score):  # the first may be a heading
                yield name, score
    else:
        need(workbook)
        try:
            from openpyxl import load_workbook
        except ImportError:
            raise DataError(
                f"{workbook}: reading it needs openpyxl; pip install '.[train]' in a checkout of yoto-video, or "
                "save its sheet all_by_image as csiq.DMOS.csv"
            ) from None
        try:
            sheet = load_workbook(workbook, read_only=True, data_only=True)["all_by_image"]
        except Exception as error:  # of every kind, for damaged files
            raise DataError(f"{workbook}: not CSIQ's workbook (its sheet all_by_image is missing)") from error
        yield from _csiq_sheet(sheet.iter_rows(values_only=True), workbook)


def _csiq_sheet(rows: Iterable[Iterable[object]], where: Path) -> Iterator[tuple[str, float]]:
    """The sheet all_by_image: some lines and columns of explanation, a heading, the table."""
    at: dict[str, int] = {}
    for row in rows:
        cells = ["" if c is None else str(c).strip() for c in row]
        if not at:
            if {"image", "dst_type", "dst_lev", "dmos"} <= set(cells):
                at = {name: i for i, name in enumerate(cells)}
            continue
        cells += [""] * (max(at.values()) + 1 - len(cells))
        image, kind = cells[at["image"]].removesuffix(".0"), cells[at["dst_type"]].lower()
        if not image:
            continue
        if kind not in CSIQ_TYPES:
            raise DataError(f"{where}: {kind!r} is none of CSIQ's distortions")
        yield f"{image}.{CSIQ_TYPES[kind]}.{cells[at['dst_lev']].removesuffix('.0')}.png", number(cells[at["dmos"]])
    if not at:
        raise DataError(f"{where}: has no line with the headings image, dst_type, dst_lev and dmos")


def tid2013(root: Path) -> Iterator[Label]:
    """TID2013: MOS = 1 + 4/9 of the published MOS (0 to 9)."""
    distorted, pristine = Files(root / "distorted_images"), Files(root / "reference_images")
    table = root / "mos_with_names.txt"
    for line in lines(table):
        match = re.fullmatch(r"(\S+)\s+((i\d+)_(\d+)_\d+\.bmp)", line.strip(), re.IGNORECASE)
        if match is None:
            raise DataError(f"{table}: {line.strip()[:60]!r} is not a score and a picture's name")
        score, name, content, kind = match.groups()
        group = _named(TID2013_TYPES, int(kind))
        yield Label(distorted[name], pristine[f"{content}.BMP"], 1 + number(score) * 4 / 9, content.upper(), group)


def kadid10k(root: Path) -> Iterator[Label]:
    """KADID-10k: its "dmos" is a MOS already, 1 to 5, higher is better."""
    pictures, table = Files(root / "images"), root / "dmos.csv"
    for row in csv_rows(table):
        name, reference = column(row, table, "dist_img"), column(row, table, "ref_img")
        kind = re.fullmatch(r"i\d+_(\d+)_\d+\.png", name, re.IGNORECASE)
        if kind is None:
            raise DataError(f"{table}: {name!r} is not named like I01_01_01.png")
        score, group = number(column(row, table, "dmos")), _named(KADID10K_TYPES, int(kind[1]))
        yield Label(pictures[name], pictures[reference], score, Path(reference).stem, group)


def pipal(root: Path) -> Iterator[Label]:
    """PIPAL's training part: MOS = 1 + 4 (Elo - 900) / 950. Its distorted pictures in Train_Dist, or as they are
    downloaded, in Distortion_1 to Distortion_4.

    An Elo rating has no zero; the line sends the published ratings' range, about 900 to 1850, onto the scale.
    """
    together = root / "Train_Dist"
    distorted = Files(together if together.is_dir() or not any(root.glob("Distortion_*")) else root)
    pristine, labels = Files(root / "Train_Ref"), root / "Train_Label"
    tables = sorted(labels.glob("*.txt"))
    if not tables:
        raise DataError(f"{labels}: no label files (*.txt) here; point --data at the folder above Train_Label")
    for table in tables:
        for line in lines(table):
            name, _, score = line.partition(",")
            content, *kind = Path(name.strip()).stem.split("_")
            group = f"type {kind[0]}" if kind else "unknown type"
            mos = 1 + 4 * (number(score) - 900) / 950
            yield Label(distorted[name.strip()], pristine[f"{content}.bmp"], mos, content, group)


def _named(types: tuple[str, ...], kind: int) -> str:
    return f"{kind:02d} {types[kind - 1]}" if 1 <= kind <= len(types) else f"{kind:02d}"
