"""How far apart the scores of OpenVINO and of torch are: on rated frames, frame by frame.

YOTO_DATA=data python benchmarks/bench_engines.py [--format json] [--frames 60] [--model NAME_OR_FILE]

In 8 bits the last digit of a float32 decides how a number is rounded, and the layers after it show that.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

import numpy as np


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--model", default="yoto_mobilenetv2", help="name or .safetensors file")
    options = parser.parse_args()

    from yoto_video.models.judge import Judge
    from yoto_video.models.training.making import load_picture, rated_samples

    samples = rated_samples(Path(os.environ.get("YOTO_DATA", "../shared/data")))
    apart: dict[str, list[float]] = {"nr": [], "fr": []}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["YOTO_CACHE"] = cache  # an export of before may be another processor's
        judges = [Judge.load(options.model, device="cpu", export=export) for export in (True, False)]
        if judges[0].fallback is not None:
            print(judges[0].fallback)
        for at in np.random.default_rng(0).permutation(len(samples))[: options.frames]:
            sample = samples[at]
            frame = load_picture(sample.image, sample.display)
            master = None if sample.reference is None else load_picture(sample.reference, sample.display)
            encoded = [judge.encode([frame]) for judge in judges]
            nr = [judge.nr(e)[0] for judge, e in zip(judges, encoded, strict=True)]
            apart["nr"].append(abs(nr[0] - nr[1]))
            if master is not None:
                fr = [judge.fr(e, judge.encode([master]))[0] for judge, e in zip(judges, encoded, strict=True)]
                apart["fr"].append(abs(fr[0] - fr[1]))
    for mode, points in apart.items():
        row = {"mode": mode, "frames": len(points), "mean": float(np.mean(points)), "most": float(np.max(points))}
        said = f"{mode}: {row['mean']:.2f} points on average, {row['most']:.2f} at most, of {row['frames']} frames"
        print(json.dumps({"type": "engines", **row}) if options.format == "json" else said)


if __name__ == "__main__":
    main()
