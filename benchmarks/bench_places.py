"""How far a frame's score moves with the places it is judged at: the constants of models/place_error.py.

YOTO_DATA=data python benchmarks/bench_places.py [--format json]

Eighteen rated frames of each content of AVT-VQDB-UHD-1, shown at 1080, 720 or 540 lines in turn, are judged at six
places, six times, each time at others; "own": made 1.5, 2 or 3 times smaller, and judged as they are then stored. What
is printed are the `SPREAD`s of which 1.96 hold 95 % of the differences between one of the six and the mean of the
others, those that fit the variances, and what part these would hold.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Literal

import numpy as np

FRAMES, LOOKS = 18, 6
RASTERS = ((1920, 1080), (1280, 720), (960, 540))
SMALLER = (1.5, 2, 3)
MODES: tuple[Literal["nr", "fr", "own"], ...] = ("nr", "fr", "own")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    options = parser.parse_args()

    from yoto_video.models.judge import FEWER_OWN, Judge
    from yoto_video.models.own_raster import octaves
    from yoto_video.models.place_error import PLACES, SPREAD, place_error
    from yoto_video.models.training.datasets.known import read
    from yoto_video.models.training.making import load_picture
    from yoto_video.models.training.tables import Sample

    judge = Judge.load("yoto_mobilenetv2")
    by_content: dict[str, list[Sample]] = {}
    for sample in read("avt_vqdb_uhd1", Path(os.environ.get("YOTO_DATA", "../shared/data"))).samples:
        by_content.setdefault(sample.content, []).append(sample)
    rng = np.random.default_rng(0)
    seen: dict[str, list[tuple[float, float]]] = {mode: [] for mode in MODES}  # away, and what SPREAD 1 says
    for k, (_, samples) in enumerate(sorted(by_content.items())):
        for i, at in enumerate(rng.choice(len(samples), FRAMES, replace=False)):
            sample, raster = samples[at], RASTERS[(i + k) % len(RASTERS)]
            frame = load_picture(sample.image, raster)
            master = None if sample.reference is None else load_picture(sample.reference, raster)
            times = SMALLER[(i + i // len(RASTERS) + k) % len(SMALLER)]
            small = round(raster[0] / times), round(raster[1] / times)
            stored = load_picture(sample.image, small)
            scores: dict[str, list[float]] = {mode: [] for mode in MODES}
            for judge.seed in range(LOOKS):
                encoded = judge.encode([frame])
                scores["nr"] += judge.nr(encoded)
                scores["own"] += [part.score for part in judge.own([stored], [octaves(small, raster)])]
                if master is not None:
                    scores["fr"] += judge.fr(encoded, judge.encode([master]))
            for mode in MODES:
                looked_at = (small, PLACES // FEWER_OWN) if mode == "own" else (raster, PLACES)
                for j, score in enumerate(scores[mode]):
                    said = place_error(mode, score, *looked_at) / SPREAD[mode]
                    if said:  # its places do not cover it
                        seen[mode].append((float(abs(score - np.delete(scores[mode], j).mean())), said))
    for mode in MODES:
        away, said = np.asarray(seen[mode]).T
        held = float(np.quantile(away / said, 0.95)) / 1.96
        fitted = float(np.sqrt(np.sum(away**2) / np.sum(said**2) * (LOOKS - 1) / LOOKS))
        row = {"mode": mode, "frames": len(away) // LOOKS, "spread": round(held, 2), "of_variance": round(fitted, 2)}
        row["held_by_that"] = round(float((away / said <= 1.96 * fitted).mean()), 3)
        print(json.dumps({"type": "places", **row}) if options.format == "json" else row, flush=True)


if __name__ == "__main__":
    main()
