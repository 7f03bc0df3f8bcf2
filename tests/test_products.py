"""Products by the faster library: the same numbers, of every shape, in recordings, and only where it is exact."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from yoto_video.models import products

HERE = pytest.mark.skipif(not hasattr(torch.ops.mkldnn, "_linear_pointwise"), reason="torch is built without oneDNN")


@pytest.fixture
def setting() -> Iterator[None]:
    before = torch.backends.mkldnn.matmul.fp32_precision
    yield
    torch.backends.mkldnn.matmul.fp32_precision = before


@HERE
@settings(deadline=None)
@given(
    rows=st.integers(1, 300),
    columns=st.integers(1, 80),
    both=st.integers(1, 90),
    bias=st.booleans(),
)
def test_numbers_are_those_of_torch(rows: int, columns: int, both: int, bias: bool) -> None:
    chance = torch.Generator().manual_seed(rows)
    tokens, weight = torch.randn(2, rows, both, generator=chance), torch.randn(columns, both, generator=chance)
    added = torch.randn(columns, generator=chance) if bias else None
    plain = F.linear(tokens, weight, added)
    found = products._onednn(tokens, weight, added)
    torch.testing.assert_close(found, plain, rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(products.linear(tokens, weight, added), found, rtol=1e-5, atol=1e-5)


@HERE
def test_only_large_products_that_nobody_trains_go_there(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []

    def onednn(tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        asked.append(tuple(tokens.shape))
        return F.linear(tokens, weight, bias)

    monkeypatch.setattr(products, "_onednn", onednn)
    monkeypatch.setattr(products, "by_onednn", lambda: True)
    large, small, weight = torch.ones(products.LARGE // 64, 8), torch.ones(4, 8), torch.ones(8, 8)
    with torch.no_grad():
        for tokens in (large, small):
            products.linear(tokens, weight)
    assert asked == [tuple(large.shape)]
    weight.requires_grad_()
    products.linear(large, weight).sum().backward()
    assert weight.grad is not None
    assert len(asked) == 1


def test_without_it_torch_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise AttributeError("_linear_pointwise")

    monkeypatch.setattr(products, "_script", missing)
    assert not products.by_onednn.__wrapped__()


@HERE
@pytest.mark.usefixtures("setting")
def test_a_library_that_is_no_faster_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_seconds", lambda *_: [1.0, 1.2])
    assert not products.by_onednn.__wrapped__()
    monkeypatch.setattr(products, "_seconds", lambda *_: [1.0, 2.0])
    assert products.by_onednn.__wrapped__()


@HERE
@pytest.mark.usefixtures("setting")
def test_all_products_are_asked_for_only_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.backends.mkldnn.matmul.fp32_precision
    monkeypatch.setattr(products, "by_onednn", lambda: True)
    if products.ask_onednn():  # in full precision: far from what 16 bits would give
        tokens, weight, bias = products._example()
        wanted = F.linear(tokens.double(), weight.double(), bias.double())
        assert float((F.linear(tokens, weight, bias) - wanted).abs().max()) < 1e-4
        cut = F.linear(tokens.bfloat16().double(), weight.bfloat16().double(), bias.double())
        assert float((cut - wanted).abs().max()) > 1e-2
        torch.backends.mkldnn.matmul.fp32_precision = before
    monkeypatch.setattr(products, "_close", lambda *_: False)
    assert not products.ask_onednn()
    assert torch.backends.mkldnn.matmul.fp32_precision == before
