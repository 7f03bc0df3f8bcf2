"""What distinguishes one YOTO from another, and the two sizes that all have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GRID = 7  # the paper's grid of patches: its deepest map of a 224x224 input; "light" pools keys to it
STRIDE = 32  # pixels a side of one token of the deepest map


@dataclass(frozen=True)
class YotoConfig:
    """What distinguishes one YOTO from another."""

    encoder: str = "swin_tiny_patch4_window7_224"  # timm's name
    width: int = 768  # channels every stage is embedded to; the paper embeds all to Swin's deepest
    hidden: int = 384  # of the two heads
    form: Literal["paper", "light"] = "paper"
    encoder_norm: bool = False  # LayerNorm on each encoder map (the authors' Swin)
    encoder_options: tuple[tuple[str, object], ...] = ()  # of timm's create_model, where weights were trained so
    dropout: float = 0.1  # section 4.1
    permuted_channels: bool = False  # authors' quirk, see ChannelAttention; only their checkpoints want it
    # "light" only. `compared`: |x - y| of the encoder's maps joins the distorted tokens in FR, and a token that shows
    # no difference scores the top whatever it looks like: a perfect copy gets exactly the top of the scale.
    compared: bool = False
    # "light" only. `context`: each token votes knowing mean and spread of all tokens of its crop; how unevenly quality
    # is spread over a frame tells viewers' opinions better than the average of its places.
    context: bool = False
    # "light" only. `overview`: tokens know whether they see a place as shown or from afar (`crops.looks`).
    overview: bool = False
    # "light" only. `readout`: a frame's statistics have a say in its score beside the votes (`readout.Readout`).
    readout: bool = False
    int8: bool = False  # the encoder's convolutions but the first count in 256 levels (`int8.Convolution`)
    ha: bool = True  # False: without Hierarchical Attention, for ablations
    sda: bool = True  # False: without Semantic Distortion Aware, for ablations

    @property
    def strides(self) -> tuple[int, ...]:
        """Encoder maps in use. "light" adds the stride-2 map, where noise and fine grain live."""
        return (4, 8, 16, 32) if self.form == "paper" else (2, 4, 8, 16, 32)
