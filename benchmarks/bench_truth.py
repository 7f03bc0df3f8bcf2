"""The truth table with real clips and real encoders: what disturbances cost an encode that they should cost nothing.

python benchmarks/bench_truth.py [--format json] [--clips NAME ...] [--codecs NAME ...] [--only NAME ...]

Of each clip of the shared data a master is made and, with each encoder, an encode without and with each disturbance of
tests/disturbances.py: another start, turns, bars, cut borders, range, matrix, sample aspect ratio, fields, frames left
out or repeated. A row is the comparison of one encode: the points by which its FR score is off that of the undisturbed
encode (2 are allowed), and the offset found, in frames, beside the true one. "MISSED" marks what is further off,
"NOT COMPARED" what fell back to no reference, with its reason.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

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
    counted = {"right": 0, "NOT COMPARED": 0, "MISSED": 0}
    for clip in options.clips:
        for codec in options.codecs:
            with tempfile.TemporaryDirectory() as folder:
                table = Table(Path(folder), data / "clips" / "sdr" / clip, codec, judge)
                for name in options.only:
                    wanted = DISTURBED[name]
                    if wanted.codec not in (None, codec):
                        continue
                    plain, found = table.row(wanted.against), table.row(name)
                    off = (found.score or 0.0) - (plain.score or 0.0)
                    right = found.offset_frames == wanted.offset_frames
                    right = right and (abs(off) <= ALLOWED or name == "narrow")  # narrower pictures are worse ones
                    how = "NOT COMPARED" if found.mode != "fr" else "right" if right else "MISSED"
                    counted[how] += 1
                    row = {
                        "clip": clip, "codec": codec, "disturbance": name, "mode": found.mode, "score": found.score,
                        "off": off, "offset": found.offset_frames, "true_offset": wanted.offset_frames,
                        "confidence": found.match_confidence, "how": how,
                    }  # fmt: skip
                    if options.format == "json":
                        print(json.dumps({"type": "bench_truth", **row}), flush=True)
                        continue
                    cells = f"{clip:24}{codec:12}{name:14}{found.mode or '-':4}{found.score or 0:8.1f}{off:+8.2f}"
                    cells += f"{found.offset_frames!s:>6} of {wanted.offset_frames}"
                    print(cells + ("" if right else f"   {how}: " + "; ".join(found.sentences)), flush=True)
    said = ", ".join(f"{count} {how.lower()}" for how, count in counted.items())
    print(f"{sum(counted.values())} encodes: {said}", file=sys.stderr if options.format == "json" else sys.stdout)


if __name__ == "__main__":
    main()
