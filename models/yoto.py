"""YOTO, *You Only Train Once* (Yun & Lin, arXiv 2310.09560): one network for full- and no-reference quality.

Read `attention` first, then this, top to bottom like the paper: channel attention, Hierarchical Attention (HA),
Semantic Distortion Aware (SDA); the head, the whole. An encoder gives four maps of an image. Every map is embedded to
one width and refined by channel attention. HA lets the reference question the distorted image on each stage, SDA lets
each shallow stage question the deeper ones of the distorted image. All tokens then vote:
score = sum(s * w) / sum(w). Without a reference the distorted image takes the reference's place; that is all the
difference between the modes.

The modules exist in two forms with the same flow. "paper" is the authors': dense attention over a fixed 224x224 input.
"light" is for CPUs and takes any size: keys of the dense steps are pooled to a 7x7 grid, the local step works inside
patches of 32x32 pixels in place of quarters of the image, and four things are added (see `YotoConfig`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import ChannelAttention, HierarchicalAttention, SemanticDistortionAware
from .config import GRID, STRIDE, YotoConfig
from .encoders import Pyramid
from .readout import Readout, near_and_far, pairing, statistics


class Head(nn.Module):
    """One number a token from its features: width -> hidden -> 1, and the activation that bounds it."""

    def __init__(self, config: YotoConfig, activation: nn.Module) -> None:
        super().__init__()
        self.inner = nn.Linear(config.width, config.hidden)
        self.context = nn.Linear(2 * config.width, config.hidden, bias=False) if config.context else None
        self.outer = nn.Linear(config.hidden, 1)
        self.drop = nn.Dropout(config.dropout)
        self.activation = activation

    def forward(self, tokens: Tensor, spread: Tensor | None = None) -> Tensor:
        """(B, T, C) to (B, T); `spread` (B, 2C) is what `YotoConfig.context` adds, and given with it."""
        hidden = self.inner(tokens)
        if self.context is not None:
            assert spread is not None
            hidden = hidden + self.context(spread)[:, None]
        out: Tensor = self.activation(self.outer(self.drop(F.relu(hidden)))).squeeze(-1)
        return out


@dataclass(frozen=True)
class TokenMaps:
    """What every token says: (B, T) scores and weights, T running over the maps of `sizes`, finest first."""

    scores: Tensor
    weights: Tensor
    sizes: tuple[tuple[int, int], ...]

    def pooled(self) -> Tensor:
        """(B,) score of each image: sum(s * w) / sum(w), the paper's equation 8."""
        return (self.scores * self.weights).sum(1) / self.weights.sum(1)

    def heat(self) -> tuple[Tensor, Tensor]:
        """(B, h, w) score and weight on the finest grid, every stage's tokens voting where they look."""
        counts = [h * w for h, w in self.sizes]
        finest = self.sizes[0]
        score = self.scores.new_zeros(len(self.scores), 1, *finest)
        weight = torch.zeros_like(score)
        scores, weights = torch.split(self.scores, counts, 1), torch.split(self.weights, counts, 1)
        for s, w, size in zip(scores, weights, self.sizes, strict=True):
            share = size[0] * size[1] / (finest[0] * finest[1])  # a deep token's vote is spread over its patch
            score += F.interpolate((s * w).view(-1, 1, *size), finest, mode="nearest") * share
            weight += F.interpolate(w.view(-1, 1, *size), finest, mode="nearest") * share
        return (score / weight)[:, 0], weight[:, 0]


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
        light = config.form == "light"
        self.encoder = encoder or Pyramid(
            config.encoder, config.strides, norm=config.encoder_norm, options=config.encoder_options
        )
        channels = self.encoder.channels
        if light:  # stride-2 and stride-4 maps join on the stride-8 grid as mean and spread: see `stages`
            channels = (2 * (channels[0] + channels[1]), *channels[2:])
        sides = [8 * GRID, 4 * GRID, 2 * GRID, GRID]  # of the paper's maps
        levels = range(4)
        pairs = [(i, j) for i in levels for j in levels if i < j and config.sda]
        self.embed = nn.ModuleList(nn.Linear(c, config.width) for c in channels)
        self.channel_attention = nn.ModuleList(
            ChannelAttention(GRID**2 if light else side**2, config) for side in sides
        )
        # row 0: what is judged, row 1: its reference
        self.segment = nn.ModuleList(nn.Embedding(2, config.width) for _ in levels)
        if config.overview:  # row 0: as shown, row 1: from afar
            self.view = nn.ModuleList(nn.Embedding(2, config.width) for _ in levels)
            for view in self.view:
                nn.init.zeros_(view.get_parameter("weight"))
        self.ha = nn.ModuleList(HierarchicalAttention(config, local=i < 3) for i in levels if config.ha)
        self.sda = nn.ModuleDict({f"{i}{j}": SemanticDistortionAware(config) for i, j in pairs})
        self.ha_norm = nn.ModuleList(nn.LayerNorm(config.width) for _ in levels)
        self.sda_norm = nn.ModuleDict({f"{i}{j}": nn.LayerNorm(config.width) for i, j in pairs})
        self.score_head = Head(config, nn.Sigmoid() if light else nn.ReLU())
        self.weight_head = Head(config, nn.Sigmoid())
        if config.compared:
            differing = self.encoder.channels
            differing = (differing[0] + differing[1], *differing[2:])
            self.difference = nn.ModuleList(nn.Linear(c, config.width, bias=False) for c in differing)
            # log of each channel's share in "shows a difference"; positive by construction, as in LPIPS
            self.visible = nn.ParameterList(torch.full((c,), -math.log(c)) for c in differing)
        if config.readout:
            self.readout = Readout(sum(self.encoder.channels))
        if light:
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

    def stages(self, maps: list[Tensor]) -> list[Tensor]:
        """Four (B, C_i, H_i, W_i) maps from the encoder's."""
        if self.config.form == "paper":
            return maps
        fine = [_mean_and_spread(maps[0], 4), _mean_and_spread(maps[1], 2)]
        return [torch.cat(fine, 1), *maps[2:]]

    def tokens(self, maps: list[Tensor], afar: Tensor | None = None) -> list[Tensor]:
        """(B, N_i, width) of each stage: embedded and refined by channel attention; `afar` as in `compare`."""
        out = []
        for stage, embed, attention in zip(self.stages(maps), self.embed, self.channel_attention, strict=True):
            size = (stage.shape[2], stage.shape[3])
            source = stage.flatten(2).transpose(1, 2)
            out.append(attention(embed(source), size, source, embed))
        if self.config.overview:
            seen = torch.zeros(len(maps[0]), dtype=torch.long, device=maps[0].device) if afar is None else afar.long()
            out = [t + view(seen)[:, None] for t, view in zip(out, self.view, strict=True)]
        return out

    def differences(self, maps: list[Tensor], reference: list[Tensor]) -> list[Tensor]:
        """(B, N_i, C_i) absolute differences of the encoder's maps on the grids of the stages."""
        gaps = [(x - y).abs() for x, y in zip(maps, reference, strict=True)]
        fine = torch.cat([F.avg_pool2d(gaps[0], 4), F.avg_pool2d(gaps[1], 2)], 1)
        return [g.flatten(2).transpose(1, 2) for g in (fine, *gaps[2:])]

    def compare(
        self, distorted: list[Tensor], reference: list[Tensor] | None = None, afar: Tensor | None = None
    ) -> TokenMaps:
        """Judge encoded images, against encoded references (FR) or alone (NR: y = x and both segments 0).

        `afar`: (B,) bool, which images show a place reduced in size (`YotoConfig.overview`); None: none of them.
        """
        x = self.tokens(distorted, afar)
        sizes = tuple((m.shape[2], m.shape[3]) for m in self.stages(distorted))
        grid = sizes[-1]
        segment = [self.get_parameter(f"segment.{i}.weight") for i in range(4)]
        y = x if reference is None else self.tokens(reference, afar)
        asked = [t + s[0 if reference is None else 1] for t, s in zip(y, segment, strict=True)]
        judged = [t + s[0] for t, s in zip(x, segment, strict=True)]
        gaps = self.differences(distorted, reference) if self.config.compared and reference is not None else None
        if gaps is not None:
            judged = [t + embed(g) for t, embed, g in zip(judged, self.difference, gaps, strict=True)]

        merged = []
        for i, size in enumerate(sizes):
            met = self.ha[i](judged[i], asked[i], size, grid) if self.config.ha else judged[i]
            votes = [self.ha_norm[i](met)]
            for j in range(i + 1, 4 if self.config.sda else 0):
                sda, norm = self.sda[f"{i}{j}"], self.sda_norm[f"{i}{j}"]
                votes.append(norm(sda(x[i], x[j], size, sizes[j], grid)))
            merged.append(torch.stack(votes).mean(0))
        tokens = torch.cat(merged, dim=1)
        spread = None
        if self.config.context:
            mean = tokens.mean(1)
            variance = (tokens - mean[:, None]).square().sum(1) / (tokens.shape[1] - 1)  # torch.var is slow here
            spread = torch.cat([mean, variance.clamp_min(1e-12).sqrt()], 1)
        scores: Tensor = self.score_head(tokens, spread)
        if gaps is not None:
            seen = torch.cat([g @ share.exp() for g, share in zip(gaps, self.visible, strict=True)], 1)
            scores = 1 - (1 - scores) * (1 - torch.exp(-seen))  # nothing seen: exactly 1, the top
        return TokenMaps(scores, self.weight_head(tokens, spread), sizes)

    def forward(self, distorted: Tensor, reference: Tensor | None = None) -> Tensor:
        """(B,) scores of (B, 3, H, W) images; `reference` of the same shape makes it FR."""
        if reference is not None and reference.shape != distorted.shape:
            raise ValueError(f"a reference of shape {tuple(reference.shape)} for {tuple(distorted.shape)}")
        x, y = self.encode(distorted), None if reference is None else self.encode(reference)
        votes = self.compare(x, y).pooled()
        if not self.config.readout:
            return votes
        figures = (statistics(x) if y is None else pairing(x, y)).repeat(1, 2)  # one look at each: near stands for both
        return self.readout.nr(votes, figures) if y is None else self.readout.fr(votes, figures)

    def frame(self, maps: list[Tensor], reference: list[Tensor] | None, afar: Tensor) -> Tensor:
        """(1,) score of one frame from all its looks, (N, C_i, H_i, W_i) maps of each stage: all tokens vote at once.

        `reference`: the same looks at the master makes it FR. `afar`: (N,) bool, as in `compare`.
        """
        said = self.compare(maps, reference, afar)
        votes = ((said.scores * said.weights).sum() / said.weights.sum())[None]
        if not self.config.readout:
            return votes
        if reference is None:
            return self.readout.nr(votes, near_and_far(statistics(maps), afar))
        return self.readout.fr(votes, near_and_far(pairing(maps, reference), afar))


def _mean_and_spread(feature: Tensor, side: int) -> Tensor:
    """Mean and standard deviation over side x side cells: (B, C, H, W) to (B, 2C, H / side, W / side)."""
    mean = F.avg_pool2d(feature, side)
    square = F.avg_pool2d(feature * feature, side)
    return torch.cat([mean, (square - mean * mean).clamp_min(1e-6).sqrt()], 1)


def _small_init(module: nn.Module) -> None:
    """Start every gate open: GELU of a bias of 0 has slope a half and value 0, and attention would learn late."""
    if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], nn.GELU):
        nn.init.constant_(module.get_parameter("0.bias"), 0.5)
