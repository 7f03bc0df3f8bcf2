"""The truth table with real clips and real encoders: what disturbances cost an encode that they should cost nothing.

python benchmarks/bench_truth.py [--format json] [--clips NAME ...] [--codecs NAME ...] [--only NAME ...]

Of each clip of the data (YOTO_DATA) a master is made and, with each encoder, an encode with each disturbance of
tests/disturbances.py: another start, turns, bars, cut borders, range, matrix, sample aspect ratio, fields, frames left
out or repeated. A row is the comparison of one encode: the points by which its FR score is off that of the same encode
without the disturbance (2 are allowed), and the offset found, in frames, beside the true one. "MISSED" marks what is
further off, "NOT COMPARED" what fell back to no reference, with its reason. "anew" is how far the score is from that of
another encode, made of the undisturbed pictures: what the encoder itself makes of bars, turns and fields is in it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/ is no part of the package
ALLOWED = 2.0
CLIPS = ("bedroom_540p.mp4", "bigbuckbunny_720p.mp4", "bikes_640x272.mp4", "coffee_720p.mp4", "dog_720p.mp4",
         "flower_540p.mp4", "friday_480p.mp4")  # fmt: skip


def main() -> None:
    from yoto_video.models.judge import Judge

    from tests.disturbances import CODECS, DISTURBED, Table

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--clips", nargs="+", default=CLIPS, help="files of clips/sdr")
    parser.add_argument("--codecs", nargs="+", default=list(CODECS), choices=list(CODECS))
    parser.add_argument("--only", nargs="+", default=list(DISTURBED), choices=list(DISTURBED))
    options = parser.parse_args()
    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    judge = Judge.load("yoto_mobilenetv2", device="cpu")
    rows: list[dict[str, Any]] = []
    counted = {"right": 0, "NOT COMPARED": 0, "MISSED": 0}
    for clip in options.clips:
        for codec in options.codecs:
            with tempfile.TemporaryDirectory() as folder:
                table = Table(Path(folder), data / "clips" / "sdr" / clip, codec, judge)
                for name in options.only:
                    wanted = DISTURBED[name]
                    if wanted.codec not in (None, codec):
                        continue
                    found = table.row(name)
                    score, anew = found.score or 0.0, table.row(wanted.against).score or 0.0
                    off = score - table.undisturbed(name) if found.mode == "fr" else None
                    right = found.offset_frames == wanted.offset_frames and off is not None and abs(off) <= ALLOWED
                    how = "NOT COMPARED" if off is None else "right" if right else "MISSED"
                    counted[how] += 1
                    row = {
                        "clip": clip, "codec": codec, "disturbance": name, "mode": found.mode, "score": found.score,
                        "off": off, "anew": None if off is None else score - anew, "offset": found.offset_frames,
                        "true_offset": wanted.offset_frames, "confidence": found.match_confidence, "how": how,
                    }  # fmt: skip
                    rows.append(row)
                    if options.format == "json":
                        print(json.dumps({"type": "bench_truth", **row}), flush=True)
                        continue
                    cells = f"{clip:24}{codec:12}{name:20}{found.mode or '-':4}{score:8.1f}"
                    cells += "".join(f"{'-' if row[k] is None else format(row[k], '+.2f'):>8}" for k in ("off", "anew"))
                    cells += f"{found.offset_frames!s:>6} of {wanted.offset_frames}"
                    print(cells + ("" if right else f"   {how}: " + "; ".join(found.sentences)), flush=True)
    said = ", ".join(f"{count} {how.lower()}" for how, count in counted.items())
    for which in ("off", "anew"):
        far = max((abs(row[which]) for row in rows if row[which] is not None), default=0.0)
        near = sum(row[which] is not None and abs(row[which]) <= ALLOWED for row in rows)
        said += f"; {which}: {near} within {ALLOWED:g} points, the largest {far:.2f}"
    print(f"{len(rows)} encodes: {said}", file=sys.stderr if options.format == "json" else sys.stdout)


if __name__ == "__main__":
    main()
