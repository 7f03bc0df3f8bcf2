"""The readout's regression: closed form, on the trained network's statistics of human-scored frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from .. import zoo
from ..crops import cut, picture_looks
from ..readout import mean_squares, near_and_far, pairing, statistics
from ..yoto import Yoto
from .making import PictureCache
from .recipe import Recipe, Ridge
from .tables import Sample

Values = NDArray[np.float64]


def refit(
    network: Yoto,
    entry: zoo.Entry,
    samples: Sequence[Sample],
    cache: PictureCache,
    recipe: Recipe,
    tell: Callable[[str], None],
) -> None:
    """Fit the network's readout, in place.

    Args:
        network: trained, in evaluation mode; its encoder's weights decide the statistics.
        entry: its record.
        samples: rated pictures of contents that it may see.
        cache: their prepared pixels.
        recipe: says how, and how often each picture is looked at.
        tell: takes progress lines.
    """
    figures: dict[str, list[torch.Tensor]] = {"nr": [], "fr": [], "own": []}
    opinions: dict[str, list[float]] = {"nr": [], "fr": [], "own": []}
    seen: dict[str, tuple[list[torch.Tensor], torch.Tensor]] = {}
    for done, sample in enumerate(sorted(samples, key=lambda s: (str(s.reference), str(s.image))), 1):
        file, reference = cache.rated(sample)
        maps, afar = _maps(network, entry, cache, file, recipe.readout_looks)
        opinion = (sample.mos - 1) / 4
        mine = statistics(maps)
        figures["nr"].append(near_and_far(mine, afar))
        opinions["nr"].append(opinion)
        if entry.own is not None:
            file, larger = cache.stored(sample)
            stored, from_afar = _maps(network, entry, cache, file, recipe.readout_looks)
            figures["own"].append(near_and_far(statistics(stored), from_afar))
            opinions["own"].append(entry.own.behind(100 * opinion, max(0.0, larger)) / 100)
        if reference is not None:
            if reference not in seen:
                theirs = _maps(network, entry, cache, reference, recipe.readout_looks)[0]
                seen = {reference: (theirs, statistics(theirs))}
            theirs, spread = seen[reference]
            apart = mean_squares([x - y for x, y in zip(maps, theirs, strict=True)])
            figures["fr"].append(near_and_far(pairing(apart, mine, spread), afar))
            opinions["fr"].append(opinion)
        if done % 100 == 0 or done == len(samples):
            tell(f"statistics of {done} of {len(samples)} rated pictures")
    for mode, ridge in (("nr", recipe.nr_readout), ("fr", recipe.fr_readout), ("own", recipe.own_readout)):
        if len(figures[mode]) > 1:
            fit(network, mode, torch.cat(figures[mode]), np.asarray(opinions[mode]), ridge)


@torch.inference_mode()
def _maps(
    network: Yoto, entry: zoo.Entry, cache: PictureCache, file: str, count: int
) -> tuple[list[torch.Tensor], torch.Tensor]:
    picture = cache.get(file)
    places = picture_looks(picture, count, entry.crop, overview=network.config.overview)
    crops = torch.from_numpy(np.stack([cut(picture, place, entry.crop) for place in places])).permute(0, 3, 1, 2)
    batches = [entry.normalise(b).contiguous(memory_format=torch.channels_last) for b in torch.split(crops, 8)]
    encoded = [network.encode(batch) for batch in batches]
    return [torch.cat(stage) for stage in zip(*encoded, strict=True)], torch.tensor([p.step > 1 for p in places])


def fit(network: Yoto, mode: str, figures: torch.Tensor, opinions: Values, ridge: Ridge) -> None:
    """Fit one of the network's regressions, in place.

    Args:
        network: whose readout it is.
        mode: "nr", "fr" or "own" (`Readout`).
        figures: (N, 4C) statistics of N pictures, near and afar.
        opinions: (N,) what people think of them, 0 to 1.
        ridge: how strongly it is drawn to nought, and its part of the score.
    """
    readout = network.readout
    readout.get_buffer(f"{mode}_centre").copy_(figures.mean(0))
    readout.get_buffer(f"{mode}_scale").copy_(figures.std(0).clamp_min(1e-6))
    z = readout.standard(mode, figures).double().numpy()
    weight, bias = solve(z, opinions, ridge.strength)
    readout.get_buffer(f"{mode}_weight").copy_(torch.from_numpy(weight))
    readout.get_buffer(f"{mode}_bias").fill_(bias)
    readout.get_buffer(f"{mode}_part").fill_(ridge.part)


def solve(z: Values, opinions: Values, strength: float) -> tuple[Values, float]:
    """Ridge regression of (N,) opinions on (N, F) figures, by its N x N dual: (F,) weights and the intercept."""
    centre, mean = z.mean(0), float(opinions.mean())
    z = z - centre
    gram = z @ z.T / z.shape[1]
    weight = z.T @ np.linalg.solve(gram + strength * np.eye(len(z)), opinions - mean) / z.shape[1]
    return weight, mean - float(centre @ weight)
