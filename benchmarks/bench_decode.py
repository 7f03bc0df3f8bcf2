"""Time PyAV and decord as this project uses them: CPU and wall seconds for a given choice of frames of one video.

    python benchmarks/bench_decode.py [VIDEO.mp4]

Without a video 20 s of 1080p H.264 (groups of 60, B-frames) are made from a clip of the data (YOTO_DATA). Wall
times mean little on a busy machine; CPU times hold.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
from yoto_video.pipeline import decode, decord_reader, probe
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.sample import choose_frames
from yoto_video.pipeline.settings import Decoder
from yoto_video.pipeline.values import VideoInfo, VideoRef

DEFAULT = Path(os.environ.get("YOTO_DATA") or "../shared/data") / "clips/sdr/coffee_720p.mp4"


def make_clip(source: Path, target: Path, seconds: int = 20) -> Path:
    """The source in a loop, scaled to 1080p, encoded with x264 at its medium preset."""
    with av.open(str(target), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "23", "g": "60"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        number = 0
        while number < seconds * 30:
            with av.open(str(source)) as container:
                for frame in container.decode(video=0):
                    scaled = frame.reformat(width=1920, height=1080, interpolation="BICUBIC")
                    scaled.pts, scaled.time_base = number, Fraction(1, 30)
                    out.mux(stream.encode(scaled))
                    number += 1
                    if number >= seconds * 30:
                        break
        out.mux(stream.encode(None))
    return target


def timed(job: Callable[[], int]) -> tuple[float, float, int]:
    """CPU seconds (all threads), wall seconds, and what the job returned."""
    cpu, wall = time.process_time(), time.perf_counter()
    count = job()
    return time.process_time() - cpu, time.perf_counter() - wall, count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", nargs="?", help="an H.264 or HEVC MP4 file")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each case; the least is printed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.video is None and not DEFAULT.is_file():
            sys.exit(f"{DEFAULT} is not there: give a video, or set YOTO_DATA")
        path = options.video or make_clip(DEFAULT, Path(folder) / "made.mp4")
        ref = VideoRef(os.path.abspath(path))
        info = probe.probe(ref)
        times = decode.frame_times(ref, info)
        reason = decord_reader.why_not(ref, info, packet_table(ref))
        print(f"{ref.name}: {info.codec} {info.width}x{info.height}, {len(times)} frames; decord: {reason or 'right'}")
        print(f"{'case':34} {'frames':>6} {'PyAV cpu':>9} {'wall':>6} {'decord cpu':>11} {'wall':>6}   seconds")
        decoders: tuple[Decoder, ...] = ("pyav", "decord")
        for name, indices in cases(info.duration_s or 0.0, times):
            figures = []
            for decoder in decoders:
                job = partial(count, ref, info, indices, decoder)
                best = min(timed(job) for _ in range(options.repeat))
                figures += [f"{best[0]:.2f}", f"{best[1]:.2f}"]
            print(f"{name:34} {len(indices):6} {figures[0]:>9} {figures[1]:>6} {figures[2]:>11} {figures[3]:>6}")


def cases(duration: float, times: Sequence[Fraction]) -> list[tuple[str, list[int]]]:
    """Names and frame numbers: dense, usual and sparse sampling, and a few frames anywhere."""
    sampled = {
        f"{fps:g} a second": choose_frames(times, duration, fps=fps, min_frames=4, seed=0) for fps in (2.0, 0.5, 0.1)
    }
    everywhere = sorted(random.Random(0).sample(range(len(times)), 5))
    return [("first 200, every frame", list(range(min(200, len(times))))), *sampled.items(), ("5 anywhere", everywhere)]


def count(ref: VideoRef, info: VideoInfo, indices: list[int], decoder: Decoder) -> int:
    """Read the frames as a scan does, and count them."""
    return sum(1 for _ in decode.read_frames(ref, info, indices, decoder=decoder))


if __name__ == "__main__":
    main()
