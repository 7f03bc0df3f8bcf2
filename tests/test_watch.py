"""The watch over threads: it sees what moves and what does not, and does them no harm."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

from yoto_video.pipeline.watch import Watch


def still_after(work: Callable[[threading.Event], object], seconds: float) -> float:
    """What a watch over a thread that does this work says after so long."""
    watch, done = Watch(frozenset(sys._current_frames())), threading.Event()
    thread = threading.Thread(target=work, args=(done,))
    thread.start()
    time.sleep(0.1)
    watch.still_for()
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        time.sleep(0.02)
        still = watch.still_for()
    done.set()
    thread.join()
    return still


def test_one_long_call_stands_still() -> None:
    assert still_after(lambda done: done.wait(), 0.5) >= 0.4


def test_a_loop_that_counts_moves() -> None:
    def counts(done: threading.Event) -> None:
        count = 1000
        while not done.is_set():
            count += 1
            time.sleep(0.001)

    assert still_after(counts, 0.5) < 0.4


HARM = """
import sys, threading, time
from yoto_video.pipeline.watch import Watch

main = threading.main_thread()

class Slow:  # to be freed takes a while, and other threads run meanwhile
    def __del__(self):
        if threading.current_thread() is main:
            time.sleep(0.002)

def deep(n):
    a = b = c = d = e = f = None
    for _ in range(3):
        a = Slow()
        b = Slow()
        c = Slow()
        d = [Slow()]
        e = Slow()
        f = str(n)
        time.sleep(0.0001)
        a = b = c = d = e = None
    if n:
        deep(n - 1)

def work():
    while True:
        deep(6)

watch = Watch(frozenset(sys._current_frames()))
threading.Thread(target=work, daemon=True).start()
until = time.monotonic() + 3
while time.monotonic() < until:
    watch.still_for()
print("alive")
"""


def test_threads_that_are_looked_at_come_to_no_harm() -> None:
    done = subprocess.run([sys.executable, "-c", HARM], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr
