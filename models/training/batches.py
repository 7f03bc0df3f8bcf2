"""What one training step looks at: crops of made ladders and of rated pictures, the same for the same seed and step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..crops import Look, cut, overview_step
from .making import MadeLadder, PictureCache
from .opinions import Map, opinion
from .recipe import Phase, Recipe
from .tables import Sample


@dataclass(frozen=True)
class Batch:
    """One step. `frames` are units with an opinion each; a frame has one or several crops.

    `crops` holds every distinct crop once, masters too: (N, 3, side, side) uint8. `frame_of` (M,) says which frame each
    judged crop belongs to, `judged` and `masters` (M,) where its pixels and its master's are in `crops` (-1: none),
    `afar` (M,) whether it is an overview.
    """

    crops: Tensor
    judged: Tensor
    masters: Tensor
    frame_of: Tensor
    afar: Tensor
    opinion: Tensor  # (F,) 0 to 1
    weight: Tensor  # (F,)
    family: Tensor  # (F,) frames of one family are comparable in rank
    chain: Tensor  # (F,) made frames of one chain, a number, are certainly in order of `level`; -1: of none
    level: Tensor  # (F,) more is worse
    with_reference: Tensor  # (F,) bool


class Batches:
    """Draws steps from the prepared data."""

    def __init__(
        self,
        recipe: Recipe,
        cache: PictureCache,
        ladders: list[MadeLadder],
        rated: list[Sample],
        maps: dict[str, Map],
    ) -> None:
        self.recipe, self.cache, self.rated = recipe, cache, rated
        self.ladders = [(ladder, _opinions(ladder, maps)) for ladder in ladders]
        self.files = [cache.rated(s) for s in rated]
        counts: dict[tuple[str, str], int] = {}
        for s in rated:
            counts[s.dataset, s.content] = counts.get((s.dataset, s.content), 0) + 1
        # A content rated a hundred times is not a hundred times as telling as one rated once.
        chance = np.array([counts[s.dataset, s.content] ** -0.5 for s in rated])
        self.chance = chance / chance.sum()

    def phase(self, step: int) -> Phase:
        """Which stretch of the recipe a step falls into."""
        for phase in self.recipe.phases:
            if step < phase.steps:
                return phase
            step -= phase.steps
        return self.recipe.phases[-1]

    def draw(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.Generator(np.random.PCG64([self.recipe.seed, step]))
        phase, side = self.phase(step), int(rng.choice(self.recipe.crop_sides))
        crops: list[NDArray[np.uint8]] = []
        rows: list[tuple[int, int, int, bool]] = []  # judged, master, frame, afar
        frames: list[tuple[float, float, int, bool, int, float]] = []  # the columns of Batch from `opinion` on

        for family, pick in enumerate(rng.choice(len(self.ladders), phase.ladders, replace=False)):
            ladder, opinions = self.ladders[pick]
            chosen = rng.choice(len(ladder.versions), phase.versions, replace=False)
            # What is seen from afar is learnt on pictures of all sizes.
            step = int(rng.choice((2, 4))) if rng.random() < self.recipe.afar else 1
            look, flip = self._look(ladder.reference, side, step, rng), bool(rng.random() < 0.5)
            master, afar = len(crops), look.step > 1
            crops.append(self._cut(ladder.reference, look, side, flip))
            rows.append((master, -1, len(frames), afar))
            made = self.recipe.made_weight
            frames.append((self.recipe.pristine_opinion, made, family, False, -1, 0.0))
            chains = sorted({v.chain for v in ladder.versions})
            for i in chosen:
                version = ladder.versions[i]
                rows.append((len(crops), master, len(frames), afar))
                crops.append(self._cut(version.file, look, side, flip))
                chain = family * 100 + chains.index(version.chain)
                frames.append((opinions[i], made, family, True, chain, version.level))

        datasets = sorted({s.dataset for s in self.rated})
        for pick in rng.choice(len(self.rated), phase.rated, replace=False, p=self.chance) if phase.rated else ():
            sample, (file, reference) = self.rated[pick], self.files[pick]
            flip = bool(rng.random() < 0.5)
            height, width = self.cache.get(file).shape[:2]
            afar_step = overview_step(height, width, side)
            for number in range(phase.crops):
                # As in judging, a third of the looks is from afar.
                look = self._look(file, side, afar_step if number < round(phase.crops / 3) else 1, rng)
                master = -1
                if reference is not None:
                    master = len(crops)
                    crops.append(self._cut(reference, look, side, flip))
                rows.append((len(crops), master, len(frames), look.step > 1))
                crops.append(self._cut(file, look, side, flip))
            family = 1000 + datasets.index(sample.dataset)
            frames.append(((sample.mos - 1) / 4, 1.0, family, reference is not None, -1, 0.0))

        judged, masters, frame_of, far = (torch.tensor(column) for column in zip(*rows, strict=True))
        opinion, weight, families, referenced, chains_of, levels = zip(*frames, strict=True)
        return Batch(
            torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2), judged, masters, frame_of, far,
            torch.tensor(opinion, dtype=torch.float32), torch.tensor(weight, dtype=torch.float32),
            torch.tensor(families), torch.tensor(chains_of), torch.tensor(levels, dtype=torch.float32),
            torch.tensor(referenced),
        )  # fmt: skip

    def typical(self, count: int, side: int) -> Tensor:
        """(count, 3, side, side) uint8 places: of rated pictures in turn with made ones and their masters."""
        rng = np.random.Generator(np.random.PCG64([self.recipe.seed, count]))
        made = [version.file for ladder, _ in self.ladders for version in ladder.versions]
        files = [file for file, _ in self.files], [*made, *(ladder.reference for ladder, _ in self.ladders)]
        crops = []
        for number in range(count):
            some = files[number % 2] or files[0] or files[1]
            file = some[int(rng.integers(len(some)))]
            crops.append(self._cut(file, self._look(file, side, int(rng.choice((1, 1, 2))), rng), side, flip=False))
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)

    def _look(self, file: str, side: int, step: int, rng: np.random.Generator) -> Look:
        """A random place, seen from afar as far as the picture's size allows."""
        height, width = self.cache.get(file).shape[:2]
        step = max(1, min(step, min(height, width) // side))
        top, left = rng.integers(0, height - side * step + 1), rng.integers(0, width - side * step + 1)
        return Look(int(top), int(left), step)

    def _cut(self, file: str, look: Look, side: int, flip: bool) -> NDArray[np.uint8]:
        seen = cut(self.cache.get(file), look, side)
        return np.ascontiguousarray(seen[:, ::-1] if flip else seen)


def _opinions(ladder: MadeLadder, maps: dict[str, Map]) -> list[float]:
    """Of each version; within a chain a stronger harm is never thought better of, whatever the measures say."""
    out = [opinion(v.measured, maps) for v in ladder.versions]
    order = sorted(range(len(out)), key=lambda i: ladder.versions[i].level)
    for place, i in enumerate(order):
        milder = [out[j] for j in order[:place] if ladder.versions[j].chain == ladder.versions[i].chain]
        out[i] = min([out[i], *milder])
    return out
