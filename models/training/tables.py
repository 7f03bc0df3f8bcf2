"""Pictures with human opinion scores: one table whatever the data set."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from pathlib import Path

from PIL import Image

from ..upright import upright_size
from .folds import held_out

NOT_A_PICTURE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # what Pillow raises for broken files


@dataclass(frozen=True)
class Sample:
    """A picture people rated."""

    image: Path
    reference: Path | None  # at the same instant; None where there is none: NR only
    mos: float  # 1 (bad) to 5 (excellent)
    content: str  # splits go by this
    display: tuple[int, int]  # (width, height) the picture is judged at
    dataset: str
    group: str  # what is compared within a data set: test, codec, distortion
    published: dict[str, float] = field(default_factory=dict)  # other measures' figures on the same row
    as_reference: bool = False  # `display` is the reference's size, for no other was asked for

    def unseen(self, fold: int = 0) -> bool:
        """Whether training on this fold never saw this content; it reads none of the other sets."""
        return self.content in held_out(fold) or self.dataset not in DATASETS


class DataError(ValueError):
    """A data set's folder is not as published; one sentence that names the file."""


@dataclass(frozen=True)
class Label:
    """A line of a label file, before anybody looked at its pictures. Fields as of `Sample`."""

    image: Path
    reference: Path | None
    mos: float  # NaN: unreadable
    content: str
    group: str
    # Raster, or the picture that has its size. None: the reference's size, without one the picture's own.
    display: tuple[int, int] | Path | None = None
    published: dict[str, float] = field(default_factory=dict)
    wrong: str = ""  # why its line cannot be used


@dataclass(frozen=True)
class Skipped:
    """A labelled picture that cannot be used."""

    image: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.image}: {self.reason}"


@dataclass(frozen=True)
class Listing:
    """What of a data set can be used, and what cannot."""

    samples: list[Sample]
    rows: list[int]  # which label each sample is, from 0
    skipped: list[Skipped]


def listing(dataset: str, labels: Iterable[Label], *, scaled: bool = False) -> Listing:
    """Look at the pictures of every label (their headers; broken pixels are found when they are read).

    Args:
        dataset: name of the set.
        labels: its label file.
        scaled: a picture of its reference's shape but not size is judged at the reference's size. Otherwise it is
            skipped: the published sets with references have none.

    Raises:
        DataError: nothing remains; the sentence gives the first reason.
    """
    size_of = cache(_size)
    samples: list[Sample] = []
    rows: list[int] = []
    skipped: list[Skipped] = []
    for row, label in enumerate(labels):
        try:
            samples.append(_sample(dataset, label, size_of, scaled))
            rows.append(row)
        except DataError as error:
            skipped.append(Skipped(label.image, str(error)))
    if not samples:
        why = f"none of its {len(skipped)} pictures can be used; the first, {skipped[0]}" if skipped else "no labels"
        raise DataError(f"{dataset}: {why}")
    return Listing(samples, rows, skipped)


def _sample(dataset: str, label: Label, size_of: Callable[[Path], tuple[int, int]], scaled: bool) -> Sample:
    if label.wrong:
        raise DataError(label.wrong)
    if not math.isfinite(label.mos):
        raise DataError("its opinion score is not a number")
    own, display = size_of(label.image), label.display

    def of_reference(path: Path) -> tuple[int, int]:
        try:
            return size_of(path)
        except DataError as error:
            raise DataError(f"its reference {path.name}: {error}") from None

    if isinstance(display, Path):
        display = of_reference(display)
    if label.reference is not None:
        size = of_reference(label.reference)
        # Half a pixel of either size may have been rounded away.
        same_shape = abs(own[0] * size[1] - own[1] * size[0]) <= max(*own, *size)
        if display is None and size != own and not (scaled and same_shape):
            shapes = f"{own[0]}x{own[1]}, its reference {label.reference.name} is {size[0]}x{size[1]}"
            raise DataError(f"is {shapes}; both must have one size" + (", or a display raster" if scaled else ""))
        display = display or size
    return Sample(
        label.image, label.reference, label.mos, label.content, display or own, dataset, label.group, label.published,
        as_reference=label.display is None and label.reference is not None,
    )  # fmt: skip


def _size(path: Path) -> tuple[int, int]:
    """(width, height) of the upright picture, from its header."""
    try:
        if path.is_file():  # which a name too long for any file has no answer to
            with Image.open(path) as picture:
                return upright_size(picture)
    except NOT_A_PICTURE as error:
        raise DataError("cannot be read as a picture; fetch it again, or name a picture") from error
    why = "it is a folder; name a picture" if path.is_dir() else "there is no such file"
    raise DataError(f"cannot be read as a picture: {why}")


def csv_cells(path: Path) -> list[list[str]]:
    """The rows of a label file that are not empty.

    Raises:
        DataError: it is missing or no text.
    """
    if not path.is_file():
        raise DataError(f"{path}: this data set's label file is missing; point --data at the folder that holds it")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [row for row in csv.reader(file) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file in UTF-8") from error


def csv_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a label file by column name; cells that are not there are empty.

    Raises:
        DataError: it is missing or no text.
    """
    heading, *rows = csv_cells(path) or [[]]
    return [dict(zip_longest(heading, row[: len(heading)], fillvalue="")) for row in rows]


def column(row: dict[str, str], path: Path, *names: str) -> str:
    """A row's value under the first of these column names that it has.

    Raises:
        DataError: it has none.
    """
    for name in names:
        if name in row:
            return row[name]
    raise DataError(f"{path}: has no column {' or '.join(names)}; it has {', '.join(row)}")


def number(text: object) -> float:
    """A label's number; NaN where it is none, so that `listing` names and skips its picture."""
    written = str(text)
    try:
        return math.nan if "_" in written else float(written)  # Python reads 4_0 as 40
    except ValueError:
        return math.nan


def published(row: dict[str, str]) -> dict[str, float]:
    """Finite numbers of a row: of other measures (published_...), `height`, `test`, `mos_ci` (95 %), `crowd_mos`."""
    named = {k.removeprefix("published_"): number(v) for k, v in row.items() if k.startswith("published_")}
    named |= {name: number(row[name]) for name in ("height", "test", "mos_ci", "crowd_mos") if name in row}
    return {k: v for k, v in named.items() if math.isfinite(v)}


def avt_vqdb_uhd1(root: Path) -> Iterator[Label]:
    """Frames of H.264, HEVC and VP9 encodes with the lab MOS of their videos (AVT-VQDB-UHD-1), at half size."""
    folder = root / "mos" / "avt_vqdb_uhd1"
    labels = folder / "labels.csv"
    for row in csv_rows(labels):
        source = folder / "sources" / column(row, labels, "source_frame")
        aligned = column(row, labels, "reference_aligned") == "True"  # else the source is another instant
        codec = row.get("codec") or f"test {column(row, labels, 'test')}"
        yield Label(
            folder / "frames" / column(row, labels, "frame"), source if aligned else None,
            number(column(row, labels, "mos")), column(row, labels, "content"), codec, source, published(row),
        )  # fmt: skip


def uhd_h265_images(root: Path) -> Iterator[Label]:
    """H.265 intra images with lab MOS, shown on a screen of 2160 lines; square centre crops, no sources."""
    folder = root / "mos" / "uhd_h265_images"
    labels = folder / "labels.csv"
    for row in csv_rows(labels):
        yield Label(
            folder / "images" / column(row, labels, "frame"), None, number(column(row, labels, "mos")),
            _content(column(row, labels, "content")), "lab", (2160, 2160), published(row),
        )  # fmt: skip


def _content(name: str) -> str:
    """The title without size, rate and container, spelled as in the other set."""
    stem = name.rsplit(".", 1)[0]
    for tail in ("_3840x2160", "_4096x2160", "_harmonic", "_ffvhuff", "-422p", "-60fps", "-6k-"):
        stem = stem.split(tail)[0]
    return stem


def _whole(dataset: str, read: Callable[[Path], Iterator[Label]]) -> Callable[[Path], list[Sample]]:
    """A set for training, which stops at the first picture that cannot be used: its weights say what they saw."""

    def samples(root: Path) -> list[Sample]:
        found = listing(dataset, read(root))
        if found.skipped:
            raise DataError(str(found.skipped[0]))
        return found.samples

    return samples


# What training reads.
DATASETS: dict[str, Callable[[Path], list[Sample]]] = {
    "avt_vqdb_uhd1": _whole("avt_vqdb_uhd1", avt_vqdb_uhd1),
    "uhd_h265_images": _whole("uhd_h265_images", uhd_h265_images),
}
