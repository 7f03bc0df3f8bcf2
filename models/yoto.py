"""YOTO, *You Only Train Once* (Yun & Lin, arXiv 2310.09560): one network for full- and no-reference quality.

Read `attention` first, then `heads`, then this, like the paper: channel attention, Hierarchical Attention (HA),
Semantic Distortion Aware (SDA); the head, the whole. An encoder gives four maps of an image. Every map is embedded to
one width and refined by channel attention. HA lets the reference question the distorted image on each stage, SDA lets
each shallow stage question the deeper ones of the distorted image. All tokens then vote:
score = sum(s * w) / sum(w). Without a reference the distorted image takes the reference's place; that is all the
difference between the modes.

The modules exist in two forms with the same flow. "paper" is the authors': dense attention over a fixed 224x224 input.
"light" (`light`) is for CPUs and takes any size: keys of the dense steps are pooled to a 7x7 grid, the local step works
inside patches of 32x32 pixels in place of quarters of the image, and four things are added (see `YotoConfig`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import attention, light
from .config import GRID, STRIDE, YotoConfig
from .crops import Look
from .encoders import Pyramid
from .heads import Head, TokenMaps, votes
from .layout import Layout
from .moments import Moments, moments
from .readout import Readout, mean_squares, near_and_far, pairing, statistics
from .said import Said

FINE = (4, 2)  # the light form's two finest maps: pixels a side of their cells on the third one's grid


@dataclass(frozen=True)
class Seen:
    """Encoded images and what both modes ask of either side of a comparison: computed once an image.

    Tokens of a stage are (B, P, n, width), as `Layout` says.
    """

    maps: list[Tensor]  # the encoder's, (B, C_i, H_i, W_i)
    fine: list[Moments]  # of the two finest maps on the grid of the third, in the light form
    tokens: list[Tensor]
    # SDA's votes on each stage's tokens, summed, None for the deepest; computed when first asked, for references never
    deeper: Callable[[], list[Tensor | None]]
    layouts: tuple[Layout, ...]

    @cached_property
    def figures(self) -> Tensor:
        """(B, 2C) `statistics` of the maps."""
        return statistics(self.maps, self.fine)


class Gaps(NamedTuple):
    """Absolute differences of two sides' encoder maps."""

    stages: list[list[Tensor]]  # of each stage, (B, C_i, h, w) on its own grid
    squares: Tensor  # (B, C) their mean squares, of every channel of every map


class Yoto(nn.Module):
    """The network. `model(distorted)` is NR, `model(distorted, reference)` is FR; normalised (B, 3, H, W) to (B,).

    The paper's form takes 224x224 only; the light form any size (padded by repeating the border to a multiple of 32).
    Scores are on the scale the weights were trained on: `zoo` says which.

    Args:
        config: which network.
        encoder: in place of the one that the configuration names.
    """

    def __init__(self, config: YotoConfig, encoder: Pyramid | None = None) -> None:
        super().__init__()
        self.config = config
        in_light = config.form == "light"
        self.encoder = encoder or Pyramid(
            config.encoder,
            config.strides,
            norm=config.encoder_norm,
            options=config.encoder_options,
            counted=config.int8,
        )
        channels = self.encoder.channels
        if in_light:  # stride-2 and stride-4 maps join on the stride-8 grid as mean and spread: see `see`
            channels = (2 * (channels[0] + channels[1]), *channels[2:])
        sides = [8 * GRID, 4 * GRID, 2 * GRID, GRID]  # of the paper's maps
        levels = range(4)
        pairs = [(i, j) for i in levels for j in levels if i < j and config.sda]
        self.embed = nn.ModuleList(nn.Linear(c, config.width) for c in channels)
        parts = light if in_light else attention
        self.channel_attention = nn.ModuleList(
            light.ChannelAttention(config) if in_light else attention.ChannelAttention(side**2, config)
            for side in sides
        )
        # row 0: what is judged, row 1: its reference
        self.segment = nn.ModuleList(nn.Embedding(2, config.width) for _ in levels)
        if config.overview:  # row 0: as shown, row 1: from afar
            self.view = nn.ModuleList(nn.Embedding(2, config.width) for _ in levels)
            for view in self.view:
                nn.init.zeros_(view.get_parameter("weight"))
        self.ha = nn.ModuleList(parts.HierarchicalAttention(config, local=i < 3) for i in levels if config.ha)
        self.sda = nn.ModuleDict({f"{i}{j}": attention.SemanticDistortionAware(config) for i, j in pairs})
        self.ha_norm = nn.ModuleList(nn.LayerNorm(config.width) for _ in levels)
        self.sda_norm = nn.ModuleDict({f"{i}{j}": nn.LayerNorm(config.width) for i, j in pairs})
        self.score_head = Head(config, nn.Sigmoid() if in_light else nn.ReLU())
        self.weight_head = Head(config, nn.Sigmoid())
        if config.compared:
            differing = self.encoder.channels
            differing = (differing[0] + differing[1], *differing[2:])
            self.difference = nn.ModuleList(nn.Linear(c, config.width, bias=False) for c in differing)
            # log of each channel's share in "shows a difference"; positive by construction, as in LPIPS
            self.visible = nn.ParameterList(torch.full((c,), -math.log(c)) for c in differing)
        if config.readout:
            self.readout = Readout(sum(self.encoder.channels))
        if in_light:
            self.apply(_small_init)

    def encode(self, images: Tensor) -> list[Tensor]:
        """The encoder's maps of (B, 3, H, W) images: all that either side of a comparison needs, computed once."""
        h, w = images.shape[-2:]
        if self.config.form == "paper":
            if (h, w) != (STRIDE * GRID, STRIDE * GRID):
                raise ValueError(f"the paper's form takes 224x224 images, not {w}x{h}")
        elif h % STRIDE or w % STRIDE:
            images = F.pad(images, (0, -w % STRIDE, 0, -h % STRIDE), mode="replicate")
        maps: list[Tensor] = self.encoder(images)
        return maps

    def see(self, maps: list[Tensor], afar: Tensor | None = None) -> Seen:
        """What judging needs of encoded images, in either mode and as a reference.

        `afar`: (B,) bool, which images show a place reduced in size (`YotoConfig.overview`); None: none of them.
        """
        in_light = self.config.form == "light"
        fine = [moments(m, side) for m, side in zip(maps, FINE, strict=False)] if in_light else []
        coarse = maps[len(fine) :]
        stages = [[m] for m in coarse]
        if in_light:  # stride-2 and stride-4 maps join on the stride-8 grid
            stages.insert(0, [part for m in fine for part in (m.mean, m.variance().clamp_min(1e-6).sqrt())])
        grid = maps[-1].shape[2], maps[-1].shape[3]
        layouts = tuple(Layout((m.shape[2], m.shape[3]), grid) for m in ([maps[2], *coarse] if in_light else coarse))
        shifts: list[Tensor | None] = [None] * len(stages)
        if self.config.overview:
            seen = torch.zeros(len(maps[0]), dtype=torch.long, device=maps[0].device) if afar is None else afar.long()
            shifts = [view(seen) for view in self.view]
        tokens = [
            mix(layout.by_patch(*features), embed, layout, shift)
            for features, layout, embed, mix, shift in zip(
                stages, layouts, self.embed, self.channel_attention, shifts, strict=True
            )
        ]
        return Seen(maps, fine, tokens, cache(partial(self._deeper, tokens, layouts)), layouts)

    def _deeper(self, tokens: list[Tensor], layouts: tuple[Layout, ...]) -> list[Tensor | None]:
        """What each stage's tokens learn from all deeper ones."""
        sums: list[Tensor | None] = [None] * 4
        for pair, sda in self.sda.items():
            i, j = map(int, pair)
            vote = self.sda_norm[pair](sda(tokens[i], tokens[j]))
            before = sums[i]
            sums[i] = vote if before is None else before.add_(vote)
        return sums

    def compare(self, x: Seen, y: Seen | None = None) -> TokenMaps:
        """Judge images against their references (FR) or alone (NR: y = x and both segments 0)."""
        return self._compare(x, y, self._gaps(x, y))

    def _gaps(self, x: Seen, y: Seen | None) -> Gaps | None:
        """How the encoder's maps differ, where anything asks for it."""
        if y is None or not (self.config.compared or self.config.readout):
            return None
        gaps = [(mine - theirs).abs_() for mine, theirs in zip(x.maps, y.maps, strict=True)]
        fine, rest = [moments(gap, side) for gap, side in zip(gaps, FINE, strict=False)], gaps[len(FINE) :]
        squares = torch.cat([*[m.square.mean((2, 3)) for m in fine], mean_squares(rest)], 1)
        return Gaps([[m.mean for m in fine], *[[gap] for gap in rest]], squares)

    def _compare(self, x: Seen, y: Seen | None, gaps: Gaps | None) -> TokenMaps:
        segment = [self.get_parameter(f"segment.{i}.weight") for i in range(4)]
        shown: list[Tensor] | None = None  # of each stage: differences, (B, P, n, C_i)
        if gaps is not None and self.config.compared:
            shown = [layout.by_patch(*maps) for layout, maps in zip(x.layouts, gaps.stages, strict=True)]
        merged, learnt = [], x.deeper()
        for i, layout in enumerate(x.layouts):
            if shown is None:
                judged = x.tokens[i] + segment[i][0]
            else:
                judged = F.linear(shown[i], self.difference[i].get_parameter("weight"), segment[i][0]).add_(x.tokens[i])
            asked = judged if y is None else y.tokens[i] + segment[i][1]
            vote: Tensor = self.ha_norm[i](self.ha[i](judged, asked, layout) if self.config.ha else judged)
            deeper = learnt[i]
            merged.append((vote if deeper is None else vote.add_(deeper)).flatten(1, 2))
        counts = [1 if deeper is None else 4 - i for i, deeper in enumerate(learnt)]  # of votes in each sum
        scores, weights = votes((self.score_head, self.weight_head), merged, counts, context=self.config.context)
        if shown is not None:
            seen = torch.cat([(d @ share.exp()).flatten(1) for d, share in zip(shown, self.visible, strict=True)], 1)
            scores = 1 - (1 - scores) * (1 - torch.exp(-seen))  # nothing seen: exactly 1, the top
        return TokenMaps(scores, weights, x.layouts)

    def forward(self, distorted: Tensor, reference: Tensor | None = None) -> Tensor:
        """(B,) scores of (B, 3, H, W) images; `reference` of the same shape makes it FR."""
        if reference is not None and reference.shape != distorted.shape:
            raise ValueError(f"a reference of shape {tuple(reference.shape)} for {tuple(distorted.shape)}")
        x = self.see(self.encode(distorted))
        y = None if reference is None else self.see(self.encode(reference))
        gaps = self._gaps(x, y)
        said = self._compare(x, y, gaps).pooled()
        if not self.config.readout:
            return said
        if y is None or gaps is None:  # one look at each: near stands for both
            return self.readout.nr(said, x.figures.repeat(1, 2))
        return self.readout.fr(said, pairing(gaps.squares, x.figures, y.figures).repeat(1, 2))

    def say(self, x: Seen, y: Seen | None, places: Sequence[Look], grid: list[Look]) -> Said:
        """What it makes of one frame at these places, all of its `grid` or some, for `frame`.

        `y`: the master at the same places makes it FR.
        """
        gaps = self._gaps(x, y)
        maps = self._compare(x, y, gaps)
        figures: Tensor | None = None
        if self.config.readout:
            figures = x.figures if y is None or gaps is None else pairing(gaps.squares, x.figures, y.figures)
        votes, weights = (maps.scores * maps.weights).sum(1), maps.weights.sum(1)
        afar, turns = torch.tensor([[k.step > 1 for k in places], [k.turn for k in places]], device=votes.device)
        return Said(votes, weights, figures, afar.bool(), turns, y is not None, grid)

    def frame(self, said: Said) -> Tensor:
        """(1,) score of one frame from all its looks: all their tokens vote at once."""
        score = (said.votes.sum() / said.weights.sum())[None]
        if said.figures is None:
            return score
        read = self.readout.fr if said.compared else self.readout.nr
        return read(score, near_and_far(said.figures, said.afar))


def _small_init(module: nn.Module) -> None:
    """Start every gate open: GELU of a bias of 0 has slope a half and value 0, and attention would learn late."""
    if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], nn.GELU):
        nn.init.constant_(module.get_parameter("0.bias"), 0.5)
