"""Feature pyramids: four stages of maps from a timm backbone, finest first."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from . import int8

_declared: list[object] = []  # operators declared here live as long as their library's handle


def import_timm() -> Any:
    """Import timm, also where torchvision's compiled operators do not load.

    PyPI's torchvision is a CUDA build. Beside a CPU build of torch its operators are missing, and importing it stops at
    the first operator it wants to describe to the compiler. timm needs torchvision's Python half only, so declaring
    those operators (they stay unusable) is enough.
    """
    try:
        import timm
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)
        import timm
    return timm


class Pyramid(nn.Module):
    """A timm backbone that gives its feature maps at the strides asked for.

    Args:
        name: timm's name of the backbone.
        strides: which reductions of the input to return, ascending.
        norm: LayerNorm over the channels of every map (the authors' Swin encoder has one a stage).
        options: further arguments of timm's `create_model`.
        counted: convolutions are `int8.Convolution`.
    """

    def __init__(
        self,
        name: str,
        strides: tuple[int, ...],
        *,
        norm: bool = False,
        options: tuple[tuple[str, object], ...] = (),
        counted: bool = False,
    ) -> None:
        super().__init__()
        backbone = import_timm().create_model(name, features_only=True, pretrained=False, **dict(options))
        reductions: list[int] = backbone.feature_info.reduction()
        self.picks = [reductions.index(s) for s in strides]
        self.channels = tuple(backbone.feature_info.channels()[i] for i in self.picks)
        self.name, self.options = name, dict(options)
        self.channels_last = name.startswith("swin")  # timm's Swin gives (B, H, W, C)
        if counted:
            int8.put_in(backbone)
        self.backbone = backbone
        self.norms = nn.ModuleList(nn.LayerNorm(c) for c in self.channels) if norm else None

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps of (B, 3, H, W) images: one (B, C_i, H / stride_i, W / stride_i) a stride."""
        every = self.backbone(images)
        maps = [every[i] for i in self.picks]
        if self.norms is None:
            return [m.permute(0, 3, 1, 2) for m in maps] if self.channels_last else maps
        last = maps if self.channels_last else [m.permute(0, 2, 3, 1) for m in maps]
        return [norm(m).permute(0, 3, 1, 2) for norm, m in zip(self.norms, last, strict=True)]

    @property
    def in_int8(self) -> bool:
        """Whether it computes in 8 bits."""
        return any(isinstance(m, int8.Convolution) and m.measured for m in self.backbone.modules())

    def fuse(self) -> None:
        """Put the batch norms into the convolutions before them, equal but for rounding, and round weights once.

        For judging only: the result can be neither trained nor saved.
        """
        for parent, (name, convolution), (norm_name, norm) in list(int8.with_norms(self.backbone)):
            setattr(parent, name, fuse_conv_bn_eval(convolution, norm))
            setattr(parent, norm_name, getattr(norm, "act", nn.Identity()))  # timm's norms may hold one
        for parent in self.backbone.modules():
            parts = [child for child in parent.children() if not isinstance(child, nn.Identity)]
            for before, part in itertools.pairwise([None, *parts]):
                if isinstance(part, int8.Convolution):
                    part.freeze(alone=isinstance(before, nn.ReLU6))  # between the two nothing branches off

    def name_rounding(self, named: bool) -> None:
        """Whether an export is to hold rounding by its operator's name, which stands for counting in integers."""
        for module in self.backbone.modules():
            if isinstance(module, int8.Convolution):
                module.named = named

    def load_pretrained(self) -> None:
        """Take timm's ImageNet weights from its hub; raises what timm raises where that cannot be reached."""
        trained = import_timm().create_model(self.name, features_only=True, pretrained=True, **self.options)
        self.backbone.load_state_dict(trained.state_dict())


class Elsewhere(Pyramid):
    """Stands for an encoder that runs outside of the network (`exported`): no weights, and no timm to build it."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        nn.Module.__init__(self)
        self.channels = channels

    def forward(self, images: Tensor) -> list[Tensor]:
        """Raises RuntimeError."""
        raise RuntimeError("this network was loaded without its encoder")

    def fuse(self) -> None:
        """Nothing to fuse."""
