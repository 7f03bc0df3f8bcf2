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
from functools import cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import attention, light
from .config import GRID, STRIDE, YotoConfig
from .crops import Look
from .encoders import Pyramid
from .heads import Head, TokenMaps, votes
from .layout import Layout
from .products import linear
from .readout import Readout, near_and_far, pairing, statistics
from .recorded import plainly
from .said import Said
from .seen import Gaps, Seen, fine_of, gaps_of, layouts_of


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
        if in_light:  # stride-2 and stride-4 maps join on the stride-8 grid: see `_tokens`
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
        self.steps: Callable[..., tuple[Tensor, ...]] = plainly  # runs those of judging: of many frames, a `Recorder`

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

    def see(self, maps: Sequence[Tensor], afar: Tensor | None = None) -> Seen:
        """What judging needs of encoded images, in either mode and as a reference.

        `afar`: (B,) bool, which images show a place reduced in size (`YotoConfig.overview`); None: none of them.
        """
        if afar is None:
            afar = torch.zeros(len(maps[0]), dtype=torch.bool, device=maps[0].device)
        layouts = layouts_of(maps, self.config.form)
        found = self.steps(self._tokens, layouts, afar, *maps)
        tokens, figures = found[:4], found[4:]
        return Seen(tuple(maps), tokens, figures, cache(partial(self.steps, self._deeper, layouts, *tokens)), layouts)

    def _tokens(self, layouts: tuple[Layout, ...], afar: Tensor, *maps: Tensor) -> tuple[Tensor, ...]:
        """Those of all stages; then, where there is a readout, the maps' `statistics`."""
        fine = fine_of(maps) if self.config.form == "light" else []
        stages = [[m] for m in maps[len(fine) :]]
        if fine:  # stride-2 and stride-4 maps join on the stride-8 grid as mean and spread
            stages.insert(0, [part for m in fine for part in (m.mean, m.variance().clamp_min(1e-6).sqrt())])
        shifts = [view(afar.long()) for view in self.view] if self.config.overview else [None] * 4
        tokens = [
            mix(layout.by_patch(*features), embed, layout, shift)
            for features, layout, embed, mix, shift in zip(
                stages, layouts, self.embed, self.channel_attention, shifts, strict=True
            )
        ]
        return (*tokens, statistics(maps, fine)) if self.config.readout else tuple(tokens)

    def _deeper(self, _: tuple[Layout, ...], *tokens: Tensor) -> tuple[Tensor, ...]:
        """What the tokens of each stage but the deepest learn from all deeper ones."""
        sums: dict[int, Tensor] = {}
        for pair, sda in self.sda.items():
            i, j = map(int, pair)
            vote = self.sda_norm[pair](sda(tokens[i], tokens[j]))
            sums[i] = sums[i].add_(vote) if i in sums else vote
        return tuple(sums.values())

    def compare(self, x: Seen, y: Seen | None = None) -> TokenMaps:
        """Judge images against their references (FR) or alone (NR: y = x and both segments 0)."""
        if y is None:
            return self._compare(x.layouts, x.tokens, x.deeper())
        return self._compare(x.layouts, x.tokens, x.deeper(), y.tokens, self._gaps(x.maps, y.maps))

    def _gaps(self, mine: Sequence[Tensor], theirs: Sequence[Tensor]) -> Gaps | None:
        """How the encoder's maps differ, where anything asks for it."""
        return gaps_of(mine, theirs) if self.config.compared or self.config.readout else None

    def _compare(
        self, layouts: tuple[Layout, ...], tokens: Sequence[Tensor], deeper: Sequence[Tensor],
        theirs: Sequence[Tensor] | None = None, gaps: Gaps | None = None,
    ) -> TokenMaps:  # fmt: skip
        """Of tokens and what they learnt; `theirs` are the reference's."""
        segment = [self.get_parameter(f"segment.{i}.weight") for i in range(4)]
        shown: list[Tensor] | None = None  # of each stage: differences, (B, P, n, C_i)
        if gaps is not None and self.config.compared:
            shown = [layout.by_patch(*maps) for layout, maps in zip(layouts, gaps.stages, strict=True)]
        merged = []
        for i, layout in enumerate(layouts):
            if shown is None:
                judged = tokens[i] + segment[i][0]
            else:
                judged = linear(shown[i], self.difference[i].get_parameter("weight"), segment[i][0]).add_(tokens[i])
            asked = judged if theirs is None else theirs[i] + segment[i][1]
            vote: Tensor = self.ha_norm[i](self.ha[i](judged, asked, layout) if self.config.ha else judged)
            if i < len(deeper):  # the mean of all votes on these tokens
                vote = vote.add_(deeper[i]).div_(4 - i)
            merged.append(vote.flatten(1, 2))
        heads = self.score_head, self.weight_head
        scores, weights = votes(heads, torch.cat(merged, 1), context=self.config.context)
        if shown is not None:
            seen = torch.cat([(d @ share.exp()).flatten(1) for d, share in zip(shown, self.visible, strict=True)], 1)
            scores = 1 - (1 - scores) * (1 - torch.exp(-seen))  # nothing seen: exactly 1, the top
        return TokenMaps(scores, weights, layouts)

    def _alone(
        self, layouts: tuple[Layout, ...], tokens: tuple[Tensor, ...], deeper: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Votes and their weights without a reference."""
        return self._compare(layouts, tokens, deeper).summed()

    def _against(
        self, layouts: tuple[Layout, ...], maps: tuple[Tensor, ...], their_maps: tuple[Tensor, ...],
        tokens: tuple[Tensor, ...], theirs: tuple[Tensor, ...], deeper: tuple[Tensor, ...], *figures: Tensor,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """Votes and their weights with one; then, where there is a readout, the two sides' `pairing`."""
        gaps = self._gaps(maps, their_maps)
        said = self._compare(layouts, tokens, deeper, theirs, gaps).summed()
        return said if gaps is None or not figures else (*said, pairing(gaps.squares, *figures))

    def forward(self, distorted: Tensor, reference: Tensor | None = None) -> Tensor:
        """(B,) scores of (B, 3, H, W) images; `reference` of the same shape makes it FR."""
        if reference is not None and reference.shape != distorted.shape:
            raise ValueError(f"a reference of shape {tuple(reference.shape)} for {tuple(distorted.shape)}")
        x = self.see(self.encode(distorted))
        y = None if reference is None else self.see(self.encode(reference))
        votes, weights, *figures = self._said(x, y)
        if not figures:
            return votes / weights
        read = self.readout.nr if y is None else self.readout.fr  # one look at each: near stands for both
        return read(votes / weights, figures[0].repeat(1, 2))

    def _said(self, x: Seen, y: Seen | None) -> tuple[Tensor, ...]:
        """(B,) votes and (B,) weights; then, where there is a readout, the (B, 2C) figures that it reads."""
        if y is None:
            return (*self.steps(self._alone, x.layouts, x.tokens, x.deeper()), *x.figures)
        sides = (x.maps, y.maps, x.tokens, y.tokens, x.deeper(), *x.figures, *y.figures)
        return self.steps(self._against, x.layouts, *sides)

    def say(self, x: Seen, y: Seen | None, places: Sequence[Look], grid: list[Look]) -> Said:
        """What it makes of one frame at these places, all of its `grid` or some, for `frame`.

        `y`: the master at the same places makes it FR.
        """
        votes, weights, *figures = self._said(x, y)
        afar, turns = torch.tensor([[k.step > 1 for k in places], [k.turn for k in places]], device=votes.device)
        return Said(votes, weights, figures[0] if figures else None, afar.bool(), turns, y is not None, grid)

    def frame(self, said: Said, *, stored: bool = False) -> Tensor:
        """(1,) score of one frame from all its looks: all their tokens vote at once.

        `stored`: they were looks at a picture as it is stored, that is shown larger.
        """
        score = (said.votes.sum() / said.weights.sum())[None]
        if said.figures is None:
            return score
        figures = near_and_far(said.figures, said.afar)
        return self.readout.fr(score, figures) if said.compared else self.readout.nr(score, figures, stored=stored)


def _small_init(module: nn.Module) -> None:
    """Start every gate open: GELU of a bias of 0 has slope a half and value 0, and attention would learn late."""
    if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], nn.GELU):
        nn.init.constant_(module.get_parameter("0.bias"), 0.5)
