"""The readout: nothing until fitted, the top for a perfect copy whatever was fitted, and an honest ridge regression."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.models import zoo
from yoto_video.models.crops import Look
from yoto_video.models.readout import Readout, mean_squares, near_and_far, statistics
from yoto_video.models.readout import pairing as pairing_of
from yoto_video.models.training.refit import solve
from yoto_video.models.yoto import Yoto


def maps(seed: int, looks: int = 3) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [torch.rand(looks, c, side, side, generator=draw) for c, side in ((4, 16), (6, 8))]


def pairing(x: list[torch.Tensor], y: list[torch.Tensor]) -> torch.Tensor:
    apart = mean_squares([a - b for a, b in zip(x, y, strict=True)])
    return pairing_of(apart, statistics(x), statistics(y))


def fitted(seed: int, channels: int = 10) -> Readout:
    draw, readout = torch.Generator().manual_seed(seed), Readout(channels)
    for name, buffer in readout.named_buffers():
        buffer.copy_(torch.rand(buffer.shape, generator=draw) + (0.1 if "scale" in name else -0.5))
        if "part" in name:
            buffer.fill_(0.7)
    return readout


@given(st.integers(0, 999))
@settings(max_examples=20, deadline=None)
def test_a_perfect_copy_keeps_the_top_and_all_stays_on_the_scale(seed: int) -> None:
    readout, x, y = fitted(seed), maps(seed), maps(seed + 1000)
    afar = torch.tensor([False, False, True])
    votes = torch.rand(1, generator=torch.Generator().manual_seed(seed))
    assert float(readout.fr(torch.ones(1), near_and_far(pairing(x, x), afar))) == 1
    for said in (
        readout.fr(votes, near_and_far(pairing(x, y), afar)),
        readout.nr(votes, near_and_far(statistics(x), afar)),
        readout.nr(votes, near_and_far(statistics(x), afar), stored=True),
    ):
        assert 0 <= float(said) <= 1


def test_unfitted_it_says_nothing() -> None:
    readout, votes = Readout(10), torch.tensor([0.25])
    near = torch.tensor([False] * 3)
    for stored in (False, True):
        assert torch.equal(readout.nr(votes, near_and_far(statistics(maps(1)), near), stored=stored), votes)
    assert torch.equal(readout.fr(votes, near_and_far(pairing(maps(1), maps(2)), near)), votes)


def test_lost_structure_is_one_minus_the_structure_term() -> None:
    x, y = maps(3, 1), maps(4, 1)
    a, b = x[1][0, 2].flatten().double(), y[1][0, 2].flatten().double()
    covariance = ((a - a.mean()) * (b - b.mean())).mean()
    term = (2 * covariance + 1e-3) / (a.var(correction=0) + b.var(correction=0) + 1e-3)
    assert float(pairing(x, y)[0, 4 + 2]) == pytest.approx(float(1 - term), rel=1e-5)


@given(st.integers(0, 999), st.floats(0.01, 10))
@settings(max_examples=20, deadline=None)
def test_the_dual_ridge_is_the_primal_one(seed: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    z, opinions = rng.normal(size=(12, 5)), rng.random(12)
    weight, bias = solve(z, opinions, strength)
    centred = z - z.mean(0)
    primal = np.linalg.solve(centred.T @ centred + 5 * strength * np.eye(5), centred.T @ (opinions - opinions.mean()))
    np.testing.assert_allclose(weight, primal, rtol=1e-8, atol=1e-12)
    assert (z @ weight + bias).mean() == pytest.approx(opinions.mean())


def test_one_look_scores_as_the_whole_network_does() -> None:
    torch.manual_seed(0)
    network = Yoto(zoo.LIGHT).eval()
    network.readout = fitted(1, sum(network.encoder.channels))
    for mode, says in (("nr", 0.2), ("own", 0.8)):
        network.readout.get_buffer(f"{mode}_weight").zero_()
        network.readout.get_buffer(f"{mode}_bias").fill_(says)
    x, y = torch.rand(2, 1, 3, 96, 96)
    with torch.inference_mode():
        place = [Look(0, 0)]
        for reference in (None, y):
            encoded = None if reference is None else network.see(network.encode(reference))
            seen = network.see(network.encode(x))
            said = network.say(seen, encoded, place, place)
            torch.testing.assert_close(network(x, reference), network.frame(said))
            differs = float(network.frame(said, stored=True) - network.frame(said))
            assert differs == pytest.approx(0 if reference is not None else 0.7 * (0.8 - 0.2))  # FR has no such part
        assert float(network(x, x)) == 1
