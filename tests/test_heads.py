"""What tokens say: both heads at once say what each says alone, with and without a look at all tokens."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from yoto_video.models import zoo
from yoto_video.models.heads import Head, TokenMaps, votes
from yoto_video.models.layout import Layout


@pytest.mark.parametrize("context", [False, True])
def test_heads_asked_together_say_what_each_says_alone(*, context: bool) -> None:
    torch.manual_seed(0)
    config = replace(zoo.LIGHT, width=8, hidden=6, context=context)
    heads = [Head(config, nn.Sigmoid()).eval(), Head(config, nn.Sigmoid()).eval()]
    with torch.no_grad():
        tokens = torch.randn(2, 21, 8)
        said = votes(heads, tokens, context=context)
        spread = torch.cat([tokens.mean(1), tokens.std(1)], 1)[:, None]
        for head, found in zip(heads, said, strict=True):
            hidden = head.inner(tokens)
            if head.context is not None:
                hidden = hidden + head.context(spread)
            alone = torch.sigmoid(head.outer(hidden.relu()))[..., 0]
            torch.testing.assert_close(found, alone, rtol=1e-5, atol=1e-5)


def test_tokens_that_are_all_alike_have_a_spread() -> None:
    config = replace(zoo.LIGHT, width=8, hidden=6, context=True)
    heads = [Head(config, nn.Sigmoid()).train() for _ in range(2)]
    tokens = torch.ones(1, 5, 8, requires_grad=True)
    for said in votes(heads, tokens, context=True):
        assert said.isfinite().all()
        said.sum().backward(retain_graph=True)
    assert tokens.grad is not None
    assert tokens.grad.isfinite().all()


def test_an_image_is_the_weighted_mean_of_its_tokens() -> None:
    layouts = (Layout((2, 2), (1, 1)), Layout((1, 1), (1, 1)))
    maps = TokenMaps(torch.tensor([[0.1, 0.2, 0.3, 0.4, 1.0]]), torch.tensor([[1.0, 1.0, 1.0, 1.0, 4.0]]), layouts)
    assert float(maps.pooled()) == pytest.approx((1.0 + 4.0) / 8)
    score, weight = maps.heat()
    assert score.shape == weight.shape == (1, 2, 2)
    # The deep token looks at the whole image: a quarter of its vote lies on each cell.
    assert weight.flatten().tolist() == pytest.approx([2.0] * 4)
    assert score.flatten().tolist() == pytest.approx([(s + 1.0) / 2 for s in (0.1, 0.2, 0.3, 0.4)])
