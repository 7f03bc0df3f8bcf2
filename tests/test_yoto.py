"""The network: shapes, modes, sizes, and what its two forms promise."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
import torch
from yoto_video.models import zoo
from yoto_video.models.layout import Layout
from yoto_video.models.light import Projection
from yoto_video.models.yoto import Yoto


@pytest.fixture(scope="module")
def light() -> Yoto:
    torch.manual_seed(0)
    return Yoto(zoo.LIGHT).eval()


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.randn(3, 3, 96, 128, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", ["yoto_resnet50", "yoto_swin_tiny"])
def test_paper_form_runs_in_both_modes(name: str) -> None:
    network = Yoto(zoo.entry(name).config).eval()
    x = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        assert network(x).shape == network(x, 0.5 * x).shape == (1,)
        with pytest.raises(ValueError, match="224x224"):
            network(torch.zeros(1, 3, 256, 256))


@pytest.mark.parametrize("size", [(16, 16), (33, 47), (224, 224), (64, 320)])
def test_light_form_takes_any_size(light: Yoto, size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    with torch.inference_mode():
        maps = light.compare(light.see(light.encode(x)))
        assert light(x).shape == (2,)
    score, weight = maps.heat()
    assert score.shape == weight.shape == (2, *maps.sizes[0])
    assert float(score.min()) >= 0
    assert float(score.max()) <= 1


def test_perfect_copy_scores_exactly_the_top(light: Yoto, pictures: torch.Tensor) -> None:
    with torch.inference_mode():
        assert torch.equal(light(pictures, pictures), torch.ones(3))
        assert float(light(pictures, pictures + 0.2 * torch.randn_like(pictures)).max()) < 1


def test_score_is_the_weighted_mean_of_its_tokens(light: Yoto, pictures: torch.Tensor) -> None:
    with torch.inference_mode():
        maps = light.compare(light.see(light.encode(pictures)))
        by_hand = (maps.scores * maps.weights).sum(1) / maps.weights.sum(1)
        assert torch.equal(light(pictures), by_hand)
        score, weight = maps.heat()
        from_heat = (score * weight).sum((1, 2)) / weight.sum((1, 2))
    assert maps.scores.shape[1] == sum(h * w for h, w in maps.sizes)
    assert torch.allclose(from_heat, by_hand, atol=1e-5)  # the heat map is the score, laid out


def test_encoding_once_is_the_same_as_encoding_again(light: Yoto, pictures: torch.Tensor) -> None:
    with torch.inference_mode():
        master = light.see(light.encode(pictures[:1]))
        for rung in pictures[1:]:
            encoded = light.see(light.encode(rung[None]))
            fresh = light(rung[None], pictures[:1])
            assert torch.equal(light.compare(encoded, master).pooled(), fresh)


def test_scores_do_not_depend_on_the_batch(light: Yoto, pictures: torch.Tensor) -> None:
    with torch.inference_mode():
        together = light(pictures)
        alone = torch.cat([light(p[None]) for p in pictures])
    assert torch.allclose(together, alone, atol=1e-6)


def test_modes_share_weights_but_differ(light: Yoto, pictures: torch.Tensor) -> None:
    with torch.inference_mode():
        assert not torch.allclose(light(pictures), light(pictures, pictures.flip(0)))
    with pytest.raises(ValueError, match="reference of shape"):
        light(pictures, pictures[:, :, :64])


def test_both_modes_train_every_layer() -> None:
    network = Yoto(zoo.LIGHT).train()
    x = torch.randn(2, 3, 64, 64)
    (network(x).sum() + network(x, 0.9 * x).sum()).backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None]
    # With one token a patch on the deepest map, its attention has a single key and needs no query. What a key's bias
    # adds is the same for all keys, which is no matter to a softmax.
    needless = [n for n in idle if re.fullmatch(r"(channel_attention|ha|sda)\..*key\d?\.bias", n)]
    single = [n for n in idle if n.startswith("sda.") and n.split(".")[1][1] == "3" and ("query" in n or "key" in n)]
    assert set(idle) == {*needless, *single}


def test_changed_weights_are_seen(light: Yoto, pictures: torch.Tensor) -> None:
    trained = copy.deepcopy(light)
    with torch.inference_mode():
        before = trained(pictures, pictures.flip(0))
    with torch.no_grad():
        for name, parameter in trained.named_parameters():
            if "query" in name or "key" in name or "value" in name:
                parameter.mul_(1.5)
    fresh = Yoto(zoo.LIGHT).eval()
    fresh.load_state_dict(trained.state_dict())
    with torch.inference_mode():
        after = trained(pictures, pictures.flip(0))
        assert torch.equal(after, fresh(pictures, pictures.flip(0)))
    assert not torch.equal(after, before)
    assert torch.allclose(after, trained(pictures, pictures.flip(0)), atol=1e-6)  # as it is computed for training


def test_other_weights_at_an_address_seen_before_are_seen() -> None:
    query, key, tokens = torch.nn.Linear(64, 64), torch.nn.Linear(64, 64), torch.ones(1, 64)
    known = Projection(query, key)
    with torch.no_grad():
        for _ in range(10):
            known(tokens)
            for _ in range(2):  # the second takes the memory that the first one freed
                key.weight.data = torch.randn(64, 64)
            assert torch.equal(known(tokens).key, Projection(query, key)(tokens).key)


def test_copies_know_nothing_of_the_originals_weights(light: Yoto, pictures: torch.Tensor) -> None:
    with torch.inference_mode():
        before = light(pictures, pictures.flip(0))
    for other in (copy.deepcopy(light), pickle.loads(pickle.dumps(light))):
        products = [p for m in other.modules() for p in vars(m).values() if isinstance(p, Projection)]
        assert products
        assert all(p._kept is None for p in products)
        with torch.inference_mode():
            assert torch.allclose(other(pictures, pictures.flip(0)), before, atol=1e-6)
        assert any(p._kept is not None for p in products)


def test_patches_and_back() -> None:
    tokens = torch.arange(2 * 8 * 12 * 3.0).view(2, 96, 3)
    layout = Layout((8, 12), (4, 3))
    cut = layout.cut(tokens)
    assert cut.shape == (2, 12, 8, 3)
    assert torch.equal(cut[0, 0, :, 0], tokens.view(2, 8, 12, 3)[0, :2, :4, 0].flatten())
    assert torch.equal(layout.as_map(cut).flatten(2).transpose(1, 2), tokens)


def test_quarters_and_back() -> None:
    tokens = torch.arange(2 * 14 * 28 * 3.0).view(2, 392, 3)
    layout = Layout((14, 28), (7, 7))
    lying = layout.cut(tokens).flatten(1, 2)
    quarters = layout.quarters(lying)
    assert torch.equal(quarters, Layout((14, 28), (2, 2)).cut(tokens).flatten(0, 1))
    assert torch.equal(layout.whole(quarters), lying)


def test_fused_norms_change_nothing(light: Yoto, pictures: torch.Tensor) -> None:
    trained = copy.deepcopy(light)
    generator = torch.Generator().manual_seed(1)
    for norm in (m for m in trained.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        norm.running_mean = torch.randn(norm.num_features, generator=generator) / 10
        norm.running_var = torch.rand(norm.num_features, generator=generator) + 0.5
    fused = copy.deepcopy(trained)
    fused.encoder.fuse()
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in fused.modules())
    with torch.inference_mode():
        assert torch.allclose(fused(pictures), trained(pictures), atol=1e-5)
        assert not torch.allclose(trained(pictures), light(pictures), atol=1e-5)
