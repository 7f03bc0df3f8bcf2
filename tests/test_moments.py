"""Moments over cells: what slicing cell by cell gives, the whole map's from them."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.models.moments import moments
from yoto_video.models.readout import statistics


def picture(seed: int, side: int, rows: int, columns: int, *, last: bool) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 3, rows * side, columns * side, generator=draw) * 0.3 + 1
    return x.contiguous(memory_format=torch.channels_last) if last else x


sizes = {"side": st.sampled_from([2, 3, 4]), "rows": st.integers(1, 5), "columns": st.integers(1, 5)}


@given(seed=st.integers(0, 999), last=st.booleans(), **sizes)
@settings(max_examples=30, deadline=None)
def test_cells(seed: int, side: int, rows: int, columns: int, *, last: bool) -> None:
    x = picture(seed, side, rows, columns, last=last)
    cells = x.unfold(2, side, side).unfold(3, side, side).flatten(4).double()  # (B, C, rows, columns, pixels)
    found = moments(x, side)
    torch.testing.assert_close(found.mean.double(), cells.mean(-1), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found.variance().double(), cells.var(-1, correction=0), rtol=1e-4, atol=1e-6)


@given(seed=st.integers(0, 999), offset=st.floats(-30, 30), **sizes)
@settings(max_examples=30, deadline=None)
def test_the_whole_maps_figures_come_from_its_cells(
    seed: int, offset: float, side: int, rows: int, columns: int
) -> None:
    x = picture(seed, side, rows, columns, last=True) + offset
    told = statistics([x, x], [moments(x, side)])
    (mean, plain_mean), (spread, plain_spread) = (half.chunk(2, 1) for half in told.chunk(2, 1))
    torch.testing.assert_close(mean, plain_mean, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(spread, plain_spread, rtol=2e-3, atol=1e-3)


def test_gradients_flow_through_them() -> None:
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: tuple(moments(a, 4)), (x,))
