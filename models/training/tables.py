"""Pictures with human opinion scores: one table whatever the data set."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

# Contents that training never sees; figures for the shipped weights are on these alone. "vegetables" has
# non-commercial terms and may serve for validation only. A content of both sets is held out of both.
HELD_OUT = frozenset({
    "vegetables", "Dancers", "bigbuck_bunny",
    "Netflix_BarScene", "NTIA_4K_Vignette_1_Violin", "classroom", "costa_rica", "raptors", "weapon8k-standard",
})  # fmt: skip


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

    @property
    def held_out(self) -> bool:
        """Whether training never sees this content."""
        return self.content in HELD_OUT


class DataError(ValueError):
    """A data set's folder is not as published; one sentence that names the file."""


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise DataError(f"{path}: this data set's label file is missing; point --data at the folder that holds it")
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _numbers(row: dict[str, str]) -> dict[str, float]:
    found = {k.removeprefix("published_"): v for k, v in row.items() if k.startswith("published_") and v}
    return {k: float(v) for k, v in found.items() if math.isfinite(float(v))}


def avt_vqdb_uhd1(root: Path) -> list[Sample]:
    """Frames of H.264, HEVC and VP9 encodes with the lab MOS of their videos (AVT-VQDB-UHD-1), at half size."""
    folder = root / "mos" / "avt_vqdb_uhd1"
    samples = []
    for row in _rows(folder / "labels.csv"):
        source = folder / "sources" / row["source_frame"]
        try:
            with Image.open(source) as picture:
                display = picture.size
        except OSError as error:
            raise DataError(f"{source}: cannot be read as a picture; fetch the data set again") from error
        samples.append(
            Sample(
                folder / "frames" / row["frame"], source if row["reference_aligned"] == "True" else None,
                float(row["mos"]), row["content"], display, "avt_vqdb_uhd1", row["test"],
                _numbers(row) | {"height": float(row["height"])},
            )
        )  # fmt: skip
    return samples


def uhd_h265_images(root: Path) -> list[Sample]:
    """H.265 intra images with lab MOS, shown on a screen of 2160 lines; square centre crops, no sources."""
    folder = root / "mos" / "uhd_h265_images"
    return [
        Sample(
            folder / "images" / row["frame"], None, float(row["mos"]), _content(row["content"]), (2160, 2160),
            "uhd_h265_images", "lab", _numbers(row) | {"height": float(row["height"])},
        )
        for row in _rows(folder / "labels.csv")
    ]  # fmt: skip


def _content(name: str) -> str:
    """The title without size, rate and container, spelled as in the other set."""
    stem = name.rsplit(".", 1)[0]
    for tail in ("_3840x2160", "_4096x2160", "_harmonic", "_ffvhuff", "-422p", "-60fps", "-6k-"):
        stem = stem.split(tail)[0]
    return stem


DATASETS: dict[str, Callable[[Path], list[Sample]]] = {
    "avt_vqdb_uhd1": avt_vqdb_uhd1,
    "uhd_h265_images": uhd_h265_images,
}
