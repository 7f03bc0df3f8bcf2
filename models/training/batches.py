"""What one training step looks at: crops of made ladders and of rated pictures, the same for the same seed and step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .making import MadeLadder, PictureCache
from .opinions import opinion
from .recipe import Phase, Recipe
from .tables import Sample


@dataclass(frozen=True)
class Batch:
    """One step. `frames` are units with an opinion each; a frame has one or several crops.

    `crops` holds every distinct crop once, masters too: (N, 3, side, side) uint8. `frame_of` (M,) says which frame each
    judged crop belongs to, `judged` and `masters` (M,) where its pixels and its master's are in `crops` (-1: none).
    """

    crops: Tensor
    judged: Tensor
    masters: Tensor
    frame_of: Tensor
    opinion: Tensor  # (F,) 0 to 1
    weight: Tensor  # (F,)
    family: Tensor  # (F,) frames of one family are comparable in rank
    with_reference: Tensor  # (F,) bool


class Batches:
    """Draws steps from the prepared data."""

    def __init__(
        self,
        recipe: Recipe,
        cache: PictureCache,
        ladders: list[MadeLadder],
        rated: list[Sample],
        fitted: tuple[float, float, float, float],
    ) -> None:
        self.recipe, self.cache, self.ladders, self.rated, self.fitted = recipe, cache, ladders, rated, fitted
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
        rows: list[tuple[int, int, int]] = []  # judged, master, frame
        frames: list[tuple[float, float, int, bool]] = []  # opinion, weight, family, with_reference

        for family, pick in enumerate(rng.choice(len(self.ladders), phase.ladders, replace=False)):
            ladder = self.ladders[pick]
            chosen = rng.choice(len(ladder.versions), phase.versions, replace=False)
            place, flip = self._place(ladder.reference, side, rng), bool(rng.random() < 0.5)
            master = len(crops)
            crops.append(self._cut(ladder.reference, place, side, flip))
            rows.append((master, -1, len(frames)))
            frames.append((self.recipe.pristine_opinion, self.recipe.made_weight, family, False))
            for v in (ladder.versions[i] for i in chosen):
                rows.append((len(crops), master, len(frames)))
                crops.append(self._cut(v.file, place, side, flip))
                frames.append((opinion(v.vmaf, self.fitted), self.recipe.made_weight, family, True))

        datasets = sorted({s.dataset for s in self.rated})
        for pick in rng.choice(len(self.rated), phase.rated, replace=False, p=self.chance):
            sample, (file, reference) = self.rated[pick], self.files[pick]
            flip = bool(rng.random() < 0.5)
            for _ in range(phase.crops):
                place = self._place(file, side, rng)
                master = -1
                if reference is not None:
                    master = len(crops)
                    crops.append(self._cut(reference, place, side, flip))
                rows.append((len(crops), master, len(frames)))
                crops.append(self._cut(file, place, side, flip))
            family = 1000 + datasets.index(sample.dataset)
            frames.append(((sample.mos - 1) / 4, 1.0, family, reference is not None))

        judged, masters, frame_of = (torch.tensor(column) for column in zip(*rows, strict=True))
        opinions, weights, families, referenced = zip(*frames, strict=True)
        return Batch(
            torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2), judged, masters, frame_of,
            torch.tensor(opinions, dtype=torch.float32), torch.tensor(weights, dtype=torch.float32),
            torch.tensor(families), torch.tensor(referenced),
        )  # fmt: skip

    def _place(self, file: str, side: int, rng: np.random.Generator) -> tuple[int, int]:
        height, width = self.cache.get(file).shape[:2]
        return int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))

    def _cut(self, file: str, place: tuple[int, int], side: int, flip: bool) -> NDArray[np.uint8]:
        top, left = place
        cut = self.cache.get(file)[top : top + side, left : left + side]
        return np.ascontiguousarray(cut[:, ::-1] if flip else cut)
