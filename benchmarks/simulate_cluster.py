"""A model of a scan on 1 to 100 machines: how far it scales, what the driver can take, what lost machines cost.

python benchmarks/simulate_cluster.py [--machines 1 10 100] [--cores 16] [--ladders 50000] [--ladder-s 60]
                                      [--spread 1.0] [--driver-ms 22] [--days-between-failures 10] [--away-s 600]

The product's own `Dispatcher` hands out ladders, longest first, to a crew whose clock is simulated: it decides what is
sent, tried again or moved; only the work itself is a number. Ladders take a log-normal time of one worker. The driver
does one thing at a time: sending, receiving and committing a ladder takes `--driver-ms`. Machines fail at random, come
back after `--away-s`, and take their ladders in hand with them. Not in it: the network and the object store (the last
column says what they have to give), stragglers among machines, the report.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Cluster:
    """A crew of the dispatcher in simulated time. A worker is (machine, number)."""

    machines: int
    cores: int
    seconds: dict[str, float]  # of one worker, by ladder
    driver_s: float
    start_s: float
    between_failures_s: float
    away_s: float
    now: float = 0.0
    driver_busy: float = 0.0
    worked: float = 0.0
    losses: int = 0
    events: list[tuple[float, int, str, Any]] = field(default_factory=list)
    idle: list[tuple[int, int]] = field(default_factory=list)
    hands: dict[int, dict[int, Any]] = field(default_factory=dict)  # machine: {worker: task}
    born: dict[int, int] = field(default_factory=dict)  # machine: how often it came back
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    count: int = 0

    def __post_init__(self) -> None:
        self.workers = self.machines * self.cores
        self.lost: list[Any] = []
        for machine in range(self.machines):
            self.hands[machine], self.born[machine] = {}, 0
            self.at(self.start_s, "joins", machine)
            self.at(self.start_s + self.rng.expovariate(1 / self.between_failures_s), "fails", machine)

    def at(self, when: float, what: str, about: Any) -> None:
        self.count += 1
        heapq.heappush(self.events, (when, self.count, what, about))

    def free(self) -> bool:
        while not self.idle and not any(self.hands.values()) and not self.lost:
            self.step()
        return bool(self.idle)

    def send(self, task: Any) -> None:
        machine, worker = self.idle.pop()
        took = self.seconds[task.ladder.name]
        self.hands[machine][worker] = task
        self.at(self.now + took, "done", (machine, self.born[machine], worker, task, took))

    def wait(self) -> Any:
        """Done, Lost, or None when workers have joined."""
        from yoto_video.jobs.work import Done, Lost
        from yoto_video.pipeline.ladder_result import LadderResult

        idle = len(self.idle)
        while not self.lost:
            task = self.step()
            if task is not None:
                self.now += self.driver_s
                self.driver_busy += self.driver_s
                return Done(task, LadderResult([]))
            if len(self.idle) > idle:
                return None
        self.losses += 1
        return Lost(self.lost.pop(), "gone", "its machine went away")

    def step(self) -> Any:
        """The next event; a task that ended."""
        when, _, what, about = heapq.heappop(self.events)
        self.now = max(self.now, when)
        if what == "joins":
            self.idle += [(about, worker) for worker in range(self.cores)]
        elif what == "fails":
            self.lost += self.hands[about].values()
            self.hands[about], self.born[about] = {}, self.born[about] + 1
            self.idle = [one for one in self.idle if one[0] != about]
            back = when + self.away_s + self.start_s
            self.at(back, "joins", about)
            self.at(back + self.rng.expovariate(1 / self.between_failures_s), "fails", about)
        else:
            machine, born, worker, task, took = about
            if born == self.born[machine]:
                del self.hands[machine][worker]
                self.idle.append((machine, worker))
                self.worked += took
                return task
        return None


def simulate(machines: int, args: argparse.Namespace) -> dict[str, float]:
    from yoto_video.jobs.dispatch import Dispatcher
    from yoto_video.jobs.work import Task
    from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

    rng = random.Random(1)
    mu = -(args.spread**2) / 2  # the mean of the log-normal is then 1
    seconds = {str(n): args.ladder_s * rng.lognormvariate(mu, args.spread) for n in range(args.ladders)}
    order = sorted(seconds, key=lambda name: seconds[name], reverse=True)
    tasks = (Task(Ladder(name, (Rendition(VideoRef(name)),))) for name in order)
    crew = Cluster(
        machines, args.cores, seconds, args.driver_ms / 1000, args.start_s, args.days_between_failures * 86400,
        args.away_s,
    )  # fmt: skip
    done = sum(1 for _ in Dispatcher(tasks, crew).results())
    assert done == args.ladders
    rate = args.ladders / crew.now
    return {
        "machines": machines, "hours": crew.now / 3600, "ladders_s": rate, "driver_busy": crew.driver_busy / crew.now,
        "efficiency": sum(seconds.values()) / (crew.now * crew.workers), "moved": crew.losses,
        "gigabyte_s": rate * args.ladder_mb / 1000,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, nargs="+", default=[1, 10, 50, 100, 200])
    parser.add_argument("--cores", type=int, default=16, help="workers a machine")
    parser.add_argument("--ladders", type=int, default=50_000)
    parser.add_argument("--ladder-s", type=float, default=60.0, help="mean time of a ladder, seconds of one worker")
    parser.add_argument("--ladder-mb", type=float, default=100.0, help="read of a ladder, MB, for the last column")
    parser.add_argument("--spread", type=float, default=1.0, help="standard deviation of the time's logarithm")
    parser.add_argument("--driver-ms", type=float, default=22.0, help="of the driver for each ladder")
    parser.add_argument("--start-s", type=float, default=30.0, help="until a machine's workers have their network")
    parser.add_argument("--days-between-failures", type=float, default=10.0, help="of one machine, mean")
    parser.add_argument("--away-s", type=float, default=600.0, help="until a lost machine is replaced")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    args = parser.parse_args()
    rows = [simulate(machines, args) for machines in args.machines]
    if args.format == "json":
        print(*map(json.dumps, rows), sep="\n")
        return
    print("| machines | hours | ladders/s | of the ideal | driver busy | ladders moved | GB/s read |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for r in rows:
        print(
            f"| {r['machines']} | {r['hours']:.2f} | {r['ladders_s']:.1f} | {100 * r['efficiency']:.0f} % "
            f"| {100 * r['driver_busy']:.0f} % | {r['moved']} | {r['gigabyte_s']:.2f} |"
        )


if __name__ == "__main__":
    main()
