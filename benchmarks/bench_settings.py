"""How well opinions are told by how a picture was encoded, exactly known, without a look at it.

python benchmarks/bench_settings.py

Of the H.265 images encoded height and CRF, of the AVT frames height, kbit/s, frame rate and codec; a ridge regression
on these, their squares and products, each content judged by one that is fitted on all others.
"""

from __future__ import annotations

import argparse
import math
import os
import re
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from yoto_video.models.training.correlation import agreement, split_median
from yoto_video.models.training.refit import Values, solve
from yoto_video.models.training.tables import csv_rows

STRENGTH = 0.01  # of the pull to nought; ten times as much and a tenth of it change no figure by 0.003
CODECS = ("h264", "hevc", "vp9")


def images(row: dict[str, str]) -> list[float]:
    """Settings of an image."""
    return [math.log(float(row["height"])), float(row["crf"])]


def frames(row: dict[str, str]) -> list[float]:
    """Settings of a frame's video; its rate stands in its name."""
    rate = re.search(r"_(\d+)kbps_", row["video"])
    if rate is None:
        raise SystemExit(f"{row['video']}: no rate in its name")
    kinds = [float(row["codec"] == codec) for codec in CODECS]
    return [math.log(float(row["height"])), math.log(float(rate[1])), float(row["fps"]), *kinds]


def crossed(settings: Values, mos: Values, contents: list[str]) -> Values:
    """What each row is held to be by a regression on the other contents' rows."""
    z = (settings - settings.mean(0)) / settings.std(0)
    both = [z[:, i] * z[:, j] for i, j in combinations_with_replacement(range(z.shape[1]), 2)]
    z, out = np.column_stack([z, *both]), np.empty(len(mos))
    for content in set(contents):
        own = np.array([c == content for c in contents])
        weight, bias = solve(z[~own], mos[~own], STRENGTH)
        out[own] = z[own] @ weight + bias
    return out


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data") / "mos"
    print(f"{'set':18}{'known':34}{'n':>5}{'SROCC':>8}{'ten splits':>12}")
    for name, of, known in (
        ("uhd_h265_images", images, "height, CRF"),
        ("avt_vqdb_uhd1", frames, "height, kbit/s, frame rate, codec"),
    ):
        rows = csv_rows(data / name / "labels.csv")
        mos, contents = np.array([float(row["mos"]) for row in rows]), [row["content"] for row in rows]
        told = crossed(np.array([of(row) for row in rows]), mos, contents)
        splits = split_median(told, mos, contents)
        said = f"{agreement(told, mos).srocc:8.3f}" + ("" if splits is None else f"{splits.srocc:12.3f}")
        print(f"{name:18}{known:34}{len(rows):5}{said}")


if __name__ == "__main__":
    main()
