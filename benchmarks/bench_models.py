"""Images a second and parameters of the three networks, NR and FR, on this machine.

python benchmarks/bench_models.py [--format json] [--threads 2] [--seconds 5]

NR encodes and judges one 224x224 crop; FR encodes crop and reference; "FR, reference ready" is what a further rung of a
ladder costs, whose master is encoded already. Weights do not matter for speed: the networks start at random.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import torch
from yoto_video.models import zoo
from yoto_video.models.judge import BATCH
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    if options.format == "table":
        print(f"{'network':18} {'parameters':>11} {'batch':>6} {'NR /s':>8} {'FR /s':>8} {'FR, ready /s':>13}")
    for name, entry in zoo.ZOO.items():
        network = Yoto(entry.config).eval()
        parameters = sum(p.numel() for p in network.parameters())
        network.encoder.fuse()  # as judging does, with channels last
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        batch = BATCH if entry.config.form == "light" else 1
        row = measure(network, batch, options.seconds)
        if options.format == "json":
            facts = {"type": "bench_models", "network": name, "parameters": parameters, "batch": batch}
            print(json.dumps({**facts, **row}))
        else:
            figures = [f"{v:.2f}" for v in row.values()]
            print(f"{name:18} {parameters / 1e6:10.2f}M {batch:6} {figures[0]:>8} {figures[1]:>8} {figures[2]:>13}")


if __name__ == "__main__":
    main()
