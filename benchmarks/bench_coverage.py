"""How often a clip's 95 % interval holds the score of a much closer look: real clips of the shared data, NR.

python benchmarks/bench_coverage.py [--format json] [--seeds 5] [--limit CLIPS]

The closer look judges six frames a second, each at 24 places; the interval is that of a scan as it is by default
(two frames a second, six places), drawn anew for each seed. "frames" is the same with the default's places in the
closer look: what the choice of frames alone does.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

CLOSER_FPS, CLOSER_CROPS = 6.0, 24


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=99)
    options = parser.parse_args()
    folder = Path(os.environ.get("YOTO_DATA", "../shared/data")) / "clips"
    clips = [*sorted((folder / "sdr").glob("*.mp4")), *sorted((folder / "fr_pairs").glob("*.mp4"))][: options.limit]
    if not clips:
        raise SystemExit(f"{folder}: no clips; name the data folder in YOTO_DATA")

    import yoto_video

    rows = []
    for clip in clips:
        found = [yoto_video.score(clip, seed=seed)[0] for seed in range(options.seeds)]
        if found[0].score is None or found[0].ci95 is None:
            continue
        crops = yoto_video.score(clip, fps=CLOSER_FPS, crops=CLOSER_CROPS, seed=100)[0].score
        frames = [yoto_video.score(clip, fps=CLOSER_FPS, seed=seed)[0].score for seed in range(options.seeds)]
        assert crops is not None
        intervals = [one.ci95 or (0.0, 100.0) for one in found]
        rows.append({
            "type": "coverage", "clip": clip.name, "closer": crops,
            "width": sum(high - low for low, high in intervals) / len(intervals),
            "frames": sum(low <= (f or 0) <= high for (low, high), f in zip(intervals, frames, strict=True)),
            "all": sum(low <= crops <= high for low, high in intervals), "of": len(intervals),
        })  # fmt: skip
        if options.format == "table":
            row = rows[-1]
            print(
                f"{clip.name:40} {crops:5.1f}  width {row['width']:5.1f}  frames {row['frames']}/{row['of']}  "
                f"frames and places {row['all']}/{row['of']}", flush=True,
            )  # fmt: skip
    of = sum(int(str(row["of"])) for row in rows)
    total = {name: sum(int(str(row[name])) for row in rows) / max(1, of) for name in ("frames", "all")}
    if options.format == "json":
        for row in [*rows, {"type": "total", "of": of, **total}]:
            print(json.dumps(row))
    else:
        held = f"{total['frames']:.0%} hold the closer look in time, {total['all']:.0%} in time and place"
        print(f"{of} intervals: {held}")


if __name__ == "__main__":
    main()
