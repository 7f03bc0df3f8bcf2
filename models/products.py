"""Products of matrices in float32 on a CPU, by the faster of the two libraries that torch carries.

As a rule torch asks MKL, which on processors that are not Intel's leaves half of their AVX-512 idle. oneDNN does not;
where it is that much faster, found by trying, it is asked. Both compute in float32: numbers differ by rounding alone.
"""

from __future__ import annotations

import functools
import time
import warnings
from collections.abc import Callable
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

FASTER = 1.25  # times as fast as MKL: below, what a call costs would eat what it saves
LARGE = 1 << 20  # multiplications: below, a call costs more than the product
EXACT = 1e-5  # of the largest number: 1e-6 is usual in float32, and 3e-3 where numbers are cut to 16 bits
SHAPE = (1024, 128, 128)  # what is tried: rows, columns, what both have
ROUNDS = 7


def linear(tokens: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`torch.nn.functional.linear`."""
    steps = tokens.numel() // tokens.shape[-1] * weight.numel()
    here = tokens.device.type == "cpu" and tokens.dtype == torch.float32 and not torch.is_grad_enabled()
    if here and steps >= LARGE and by_onednn():
        return _onednn(tokens, weight, bias)
    return F.linear(tokens, weight, bias)


@functools.cache
def by_onednn() -> bool:
    """Whether `linear` asks oneDNN for large products: where torch has it, and it is that much faster here."""
    tokens, weight, bias = _example()
    with torch.inference_mode():
        try:
            exact = _close(_onednn(tokens, weight, bias), tokens, weight, bias)
        except (AttributeError, RuntimeError):  # a build of torch without it
            return False
        ours, theirs = _seconds(lambda: _onednn(tokens, weight, bias), lambda: F.linear(tokens, weight, bias))
    return exact and theirs >= FASTER * ours


def ask_onednn() -> bool:
    """Let oneDNN compute all products of this process, attention's too, where it does so in float32 and is faster.

    torch has it do so where it is allowed to cut numbers to 16 bits. Without units for 16 bits oneDNN does not, which
    is tried: where it does, all stays as it was.

    Returns:
        Whether it does.
    """
    allowed = getattr(torch.backends.mkldnn, "matmul", None)  # since torch 2.9
    if allowed is None or not by_onednn():
        return False
    tokens, weight, bias = _example()
    before, allowed.fp32_precision = allowed.fp32_precision, "bf16"
    exact = _close(F.linear(tokens, weight, bias), tokens, weight, bias)
    if not exact:
        allowed.fp32_precision = before
    return exact


def _asked(tokens: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:  # noqa: UP045 - a script
    product: Tensor = torch.ops.mkldnn._linear_pointwise(tokens, weight, bias, "none", [], "")
    return product


@functools.cache
def _script() -> Callable[[Tensor, Tensor, Tensor | None], Tensor]:
    """That call as it can stand in a recording (`recorded`): its empty list cannot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of being outdated
        return torch.jit.script(_asked)


def _onednn(tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return _script()(tokens, weight, bias)


def _example() -> tuple[Tensor, Tensor, Tensor]:
    rows, columns, both = SHAPE
    chance = torch.Generator().manual_seed(0)
    shapes = (rows, both), (columns, both), (columns,)
    tokens, weight, bias = (torch.randn(shape, generator=chance) for shape in shapes)
    return tokens, weight, bias


def _close(found: Tensor, tokens: Tensor, weight: Tensor, bias: Tensor) -> bool:
    wanted = F.linear(tokens.double(), weight.double(), bias.double())
    return float((found - wanted).abs().max()) <= EXACT * float(wanted.abs().max())


def _seconds(*ways: Callable[[], object]) -> list[float]:
    """The shortest time of each, tried in turns."""
    shortest = [float("inf")] * len(ways)
    for _ in range(ROUNDS):
        for i, way in enumerate(ways):
            began = time.perf_counter()
            way()
            shortest[i] = min(shortest[i], time.perf_counter() - began)
    return shortest
