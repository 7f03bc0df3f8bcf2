"""How often encodes are laid over masters that show something else: every pair of real clips of the data.

python benchmarks/bench_unrelated.py [--format json] [--seconds 60]

Each clip is tried as an encode of every other one, at full length and with the whole search window of a scan, as
`match` is called there. Clips of one scene are no pair. At least 99 of 100 pairs are to be refused; those that are
not are listed.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

# One clip a scene, of those in which something can be seen.
CLIPS = (
    *(f"sdr/{name}" for name in (
        "bedroom_540p.mp4", "bigbuckbunny_720p.mp4", "bikes_640x272.mp4", "coffee_720p.mp4", "dog_720p.mp4",
        "flower_540p.mp4", "friday_480p.mp4", "nasa_multistream.mp4", "uhd_vp9_10s.mkv",
    )),
    "fr_pairs/carphone_pristine.mp4", "fr_pairs/ferris-ref.mp4",
    *(f"torture/{name}" for name in (
        "bbb_176x144_192kbps_15fps_mpeg4.mp4", "bbb_2500ms.ts", "bbb_800x640_768kbps_30fps_vp9.mp4",
        "bbb_960x540_60fps_vp8.webm", "bt601.mp4", "bt709_full_range.mp4", "h265_bframes.mp4", "hdr10-av1.mp4",
        "hlg10-color-test.mp4", "iibbibb_editlist_videoonly.mp4",
        "internal_emulator_transformer_output_270_rotated.mp4",
        "sample_with_increasing_timestamps_320w_240h_5s.mp4",
    )),
)  # fmt: skip


def look(path: Path, seconds: float) -> tuple[Any, Any]:
    """A clip's pictures, to be read as far as they are asked for, and what probing tells of it."""
    from yoto_video.pipeline import decode, probe
    from yoto_video.pipeline.luma import Sight
    from yoto_video.pipeline.values import VideoRef

    ref = VideoRef(str(path))
    info = probe.probe(ref)
    times = decode.frame_times(ref, info)
    return Sight(ref, info, [t for t in times if t - times[0] < seconds]), info


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each clip, at most")
    parser.add_argument("--clips", type=int, default=len(CLIPS), help="so many of them")
    options = parser.parse_args()
    from yoto_video.pipeline.match import match

    data = Path(os.environ.get("YOTO_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    looks = {name: look(data / "clips" / name, options.seconds) for name in CLIPS[: options.clips]}
    began, accepted, pairs = time.process_time(), [], 0
    for one, (encode, info) in looks.items():
        for two, (master, other) in looks.items():
            if one == two:
                continue
            rates = (info.fps or Fraction(25), other.fps or Fraction(25))
            found = match(encode, master, (other.width, other.height), (info.width, info.height), rates)
            pairs += 1
            if found.reason is None:
                accepted.append((one, two))
    cpu_s = time.process_time() - began
    row = {"pairs": pairs, "refused": pairs - len(accepted), "refused_share": 1 - len(accepted) / pairs, "cpu_s": cpu_s}
    if options.format == "json":
        print(json.dumps({"type": "bench_unrelated", **row, "accepted": accepted}))
        return
    print(f"{len(looks)} clips, every one against every other, {options.seconds:g} s of each at most")
    print("".join(f"{name.replace('_', ' '):>20}" for name in row))
    print("".join(f"{value:20.3f}" if isinstance(value, float) else f"{value:20}" for value in row.values()))
    for one, two in accepted:
        print(f"not refused: {one} against {two}")


if __name__ == "__main__":
    main()
