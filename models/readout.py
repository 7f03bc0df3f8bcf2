"""What the statistics of a whole frame say of its quality, beside the votes of its tokens.

How features are spread over a frame tells more of viewers' opinions than the average of its places. A few hundred rated
frames are too few to learn that by gradient steps; a ridge regression on the trained encoder's statistics has a closed
form (`training/refit.py`), and is a part of the network like its other layers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .moments import Moments

FLOOR = 1e-3  # of variances: dead channels are alike
FAR = 4.0  # standard deviations: what lies further out than rated frames do is not extrapolated
SIGHT = 200.0  # how soon a difference in structure counts as one: at a mean loss of 0.005 two thirds of it is seen


def statistics(maps: Sequence[Tensor], fine: Sequence[Moments] = ()) -> Tensor:
    """(B, 2C) mean and standard deviation of every channel of an image's (B, C_i, H_i, W_i) maps, C of them in all.

    `fine`: the moments of the first maps, where they are known.
    """
    known = [m.whole() for m in fine] + [_whole(m.float()) for m in maps[len(fine) :]]
    return torch.cat([mean for mean, _ in known] + [variance.sqrt() for _, variance in known], 1)


def pairing(apart: Tensor, figures: Tensor, reference: Tensor) -> Tensor:
    """(B, 2C) of an image against its reference: of every channel, lost structure and the log ratio of energies.

    Lost structure is 1 - (2 cov + c) / (var_x + var_y + c), one minus the structure term of DISTS (Ding et al., TPAMI
    2020); it is 0 to 2, and exactly 0 for a perfect copy.

    Args:
        apart: (B, C) mean squares of the two sides' differences.
        figures: (B, 2C) `statistics` of the image.
        reference: those of its reference.
    """
    (mean_x, spread_x), (mean_y, spread_y) = figures.chunk(2, 1), reference.chunk(2, 1)
    var_x, var_y = spread_x.square(), spread_y.square()
    # var_x + var_y - 2 cov is the variance of the differences, and exactly 0 where there are none.
    lost = (apart - (mean_x - mean_y).square()).clamp_min(0) / (var_x + var_y + FLOOR)
    return torch.cat([lost, ((var_x + FLOOR) / (var_y + FLOOR)).log()], 1)


def mean_squares(gaps: Sequence[Tensor]) -> Tensor:
    """(B, C) of every channel of (B, C_i, H_i, W_i) maps."""
    return torch.cat([gap.float().square().mean((2, 3)) for gap in gaps], 1)


def _whole(feature: Tensor) -> tuple[Tensor, Tensor]:
    """(B, C) mean and variance of a map's channels; torch.var_mean takes three times as long on a CPU."""
    mean = feature.mean((2, 3), keepdim=True)
    return mean.flatten(1), (feature - mean).square().mean((2, 3))


class Readout(nn.Module):
    """Linear functions of a frame's statistics near and afar, and their part of its score.

    One for each mode, and `own` for NR of frames as they are stored, that are shown larger (`own_raster`). Unfitted,
    their part is nothing. Nothing here is trained by gradient steps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = 4 * channels  # two figures a channel, near and afar
        for mode in ("nr", "fr", "own"):
            self.register_buffer(f"{mode}_centre", torch.zeros(width))
            self.register_buffer(f"{mode}_scale", torch.ones(width))
            self.register_buffer(f"{mode}_weight", torch.zeros(width))
            self.register_buffer(f"{mode}_bias", torch.zeros(()))
            self.register_buffer(f"{mode}_part", torch.zeros(()))  # 0 to 1 of the score

    def standard(self, mode: str, figures: Tensor) -> Tensor:
        """(B, 4C) figures as the regression sees them: centred, scaled and clipped."""
        centred = (figures - self.get_buffer(f"{mode}_centre")) / self.get_buffer(f"{mode}_scale")
        return centred.clamp(-FAR, FAR)

    def nr(self, votes: Tensor, figures: Tensor, *, stored: bool = False) -> Tensor:
        """(B,) scores 0 to 1 from the (B,) votes and (B, 4C) `statistics` of frames, near and afar.

        `stored`: of frames as they are stored, that are shown larger.
        """
        mode = "own" if stored else "nr"
        return torch.lerp(votes, self._read(mode, figures), self.get_buffer(f"{mode}_part"))

    def fr(self, votes: Tensor, figures: Tensor) -> Tensor:
        """(B,) scores 0 to 1 from the (B,) votes and (B, 4C) `pairing` of frames; a perfect copy keeps its vote, 1."""
        half = figures.shape[1] // 2
        quarter = half // 2
        lost = torch.cat([figures[:, :quarter], figures[:, half : half + quarter]], 1).mean(1)
        seen = 1 - torch.exp(-SIGHT * lost)
        return torch.lerp(votes, 1 - seen * (1 - self._read("fr", figures)), self.get_buffer("fr_part"))

    def _read(self, mode: str, figures: Tensor) -> Tensor:
        read = self.standard(mode, figures) @ self.get_buffer(f"{mode}_weight") + self.get_buffer(f"{mode}_bias")
        return read.clamp(0, 1)


def near_and_far(figures: Tensor, afar: Tensor) -> Tensor:
    """(1, 2F) means over a frame's (N, F) near looks and over its overviews; without overviews near stands for both."""
    near = figures[~afar].mean(0)
    return torch.cat([near, figures[afar].mean(0) if bool(afar.any()) else near])[None]
