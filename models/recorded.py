"""A network's many small steps, recorded and run without Python between them.

The default network asks some hundred small things of a frame once the encoder is through. Calling each from Python took
a fifth of the time of all of them, in which no other thread of ours may use Python either. A recording calls the same
kernels with the same numbers: scores are equal to the last bit.

torch calls TorchScript, which this is, outdated. What it has in its place wants a C++ compiler where it runs
(`torch.compile`) or goes through Python again (`torch.export`).
"""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Callable, Hashable

import torch
from torch import Tensor

from .engine import first_line
from .layout import Layout
from .products import LARGE, by_onednn, linear

Nested = Tensor | tuple[Tensor, ...]
Step = Callable[..., tuple[Tensor, ...]]  # of layouts, and of tensors or tuples of them

OFTEN = 16  # a recording takes as long as it saves in some thirty frames: single pictures are not worth one
MOST = 16  # recordings, of 6 MB each: what is of ever new sizes is not recorded
TRACING = threading.Lock()  # torch records what a process does, not what an object does


def plainly(step: Step, layouts: tuple[Layout, ...], *tensors: Nested) -> tuple[Tensor, ...]:
    """A step as it stands."""
    return step(layouts, *tensors)


class Recorder:
    """Runs steps of one network, which nobody trains; those that recur are recorded. May be called from any thread."""

    def __init__(self) -> None:
        self.trouble: str | None = None  # why it runs them as they stand, a few words
        self.recorded: dict[Hashable, Step] = {}
        self._asked: Counter[Hashable] = Counter()
        by_onednn()  # which is found by timing, and not within a recording
        with TRACING, torch.no_grad():  # what cannot be is to be known at once
            self._record(lambda tokens: (linear(tokens, tokens[:32]),), (torch.zeros(LARGE // 32, 32),))

    def __call__(self, step: Step, layouts: tuple[Layout, ...], *tensors: Nested) -> tuple[Tensor, ...]:
        """What the step gives for these layouts and tensors."""
        kind = step.__name__, layouts, _shapes(tensors)
        recorded = self.recorded.get(kind) or self._soon(kind, step, layouts, tensors)
        if recorded is None:
            return step(layouts, *tensors)
        # Its own passes over a recording take longer than recording, and find nothing in these.
        with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            return recorded(*tensors)

    def _soon(
        self, kind: Hashable, step: Step, layouts: tuple[Layout, ...], tensors: tuple[Nested, ...]
    ) -> Step | None:
        """A recording of what has come often enough; None while it has not, or another thread is making one."""
        if self.trouble or len(self.recorded) >= MOST:
            return None
        self._asked[kind] += 1
        if self._asked[kind] < OFTEN or not TRACING.acquire(blocking=False):
            return None
        try:
            made = self._record(lambda *some: step(layouts, *some), tensors)
        finally:
            TRACING.release()
        return None if made is None else self.recorded.setdefault(kind, made)

    def _record(self, step: Step, tensors: tuple[Nested, ...]) -> Step | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of being outdated, and of sizes taken for constants: here they are
                # What `torch.jit.trace` makes of a function stays in the process for good; this goes with its recorder.
                graph = torch._C._create_graph_by_tracing(step, tensors, lambda _: "", True, False, None, [])[0]
                recorded: Step = torch._C._create_function_from_graph("step", graph)
        except (RuntimeError, AttributeError, TypeError) as error:
            self.trouble = f"torch cannot record its steps ({first_line(error)})"
            return None
        return recorded


def _shapes(tensors: tuple[Nested, ...]) -> Hashable:
    return tuple(t.shape if isinstance(t, Tensor) else _shapes(t) for t in tensors)
