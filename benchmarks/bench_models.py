"""Images a second and parameters of the three networks, NR and FR, on this machine.

python benchmarks/bench_models.py [--format json] [--threads 2] [--seconds 5]

NR encodes and judges one 224x224 crop; FR encodes crop and reference; "FR, reference ready" is what a further rung of a
ladder costs, whose master is encoded already. The networks start at random, and compute in float32, in torch. The last
row is the shipped default as it judges frames of six places, in 8 bits and by OpenVINO where that is there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import torch
from yoto_video.models import zoo
from yoto_video.models.judge import BATCH, Judge
from yoto_video.models.yoto import Yoto


def rate(run: Callable[[], object], images: int, seconds: float) -> float:
    """Median images/s over runs that fill `seconds`, after one that is not counted."""
    run()
    taken = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(taken) < 3:
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return images / sorted(taken)[len(taken) // 2]


@torch.inference_mode()
def measure(network: Yoto, batch: int, seconds: float) -> dict[str, float]:
    """Images/s in each way of judging."""
    x, y = (t.contiguous(memory_format=torch.channels_last) for t in torch.randn(2, batch, 3, 224, 224))
    master = network.see(network.encode(y))
    return {
        "nr_per_s": rate(lambda: network(x), batch, seconds),
        "fr_per_s": rate(lambda: network(x, y), batch, seconds),
        "fr_ready_per_s": rate(lambda: network.compare(network.see(network.encode(x)), master), batch, seconds),
    }


@torch.inference_mode()
def judged(seconds: float) -> tuple[Judge, dict[str, float]]:
    """The default network as frames are judged by it, and its crops/s."""
    judge = Judge.load("yoto_mobilenetv2", device="cpu")
    frames = list(np.random.default_rng(0).integers(0, 256, (4, 1080, 1920, 3), np.uint8))
    masters, crops = judge.encode(frames), len(frames) * judge.crops

    def fr() -> None:
        judge.fr(judge.encode(frames), judge.encode(frames))

    return judge, {
        "nr_per_s": rate(lambda: judge.nr(judge.encode(frames)), crops, seconds),
        "fr_per_s": rate(fr, crops, seconds),
        "fr_ready_per_s": rate(lambda: judge.fr(judge.encode(frames), masters), crops, seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    if options.format == "table":
        print(f"{'network':26} {'parameters':>11} {'batch':>6} {'NR /s':>8} {'FR /s':>8} {'FR, ready /s':>13}")
    for name, entry in zoo.ZOO.items():
        network = Yoto(entry.config).eval()
        parameters = sum(p.numel() for p in network.parameters())
        network.encoder.fuse()  # as judging does, with channels last
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        batch = BATCH if entry.config.form == "light" else 1
        say(options.format, name, parameters, batch, measure(network, batch, options.seconds))
    judge, row = judged(options.seconds)
    parameters = sum(p.numel() for p in zoo.load(judge.model_name).network.parameters())
    say(options.format, f"default, {judge.engine}", parameters, judge.crops, row)


def say(how: str, name: str, parameters: int, batch: int, row: dict[str, float]) -> None:
    """Print one network's figures."""
    if how == "json":
        print(json.dumps({"type": "bench_models", "network": name, "parameters": parameters, "batch": batch, **row}))
    else:
        figures = [f"{v:.2f}" for v in row.values()]
        print(f"{name:26} {parameters / 1e6:10.2f}M {batch:6} {figures[0]:>8} {figures[1]:>8} {figures[2]:>13}")


if __name__ == "__main__":
    main()
