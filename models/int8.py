"""Convolutions in numbers of eight bits: less than half the time on CPUs that multiply these fast.

The numbers are part of the network, not of a machine: torch and OpenVINO round at the same places. They are settled
after training (Nagel et al., "A White Paper on Neural Network Quantization", arXiv 2106.08295), and gradients still go
through. Weights have a step a channel, inputs one a layer; inputs of depthwise convolutions, whose channels do not mix,
have one a channel too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 127  # of a weight's magnitude
SMALLEST = 0.01  # width of an input's range: below it there is nothing to tell apart


class Convolution(nn.Conv2d):
    """A convolution whose input and weights take 256 values each; in float32 until its input's range is measured.

    Borders are TensorFlow's "same" where the original's were, for maps whose sides its stride divides.

    Raises:
        ValueError: the original fills its borders with something else than nought.
    """

    range: Tensor  # (2, inputs) or (2, 1): lowest and highest number of its input; NaN: not measured
    fixed: Tensor | None  # weights as rounded by `freeze`, and how its input is: (1, inputs, 1, 1) or (1, 1, 1, 1)
    step: Tensor
    rate: Tensor  # 1 / step
    lowest: Any  # counts: numbers where all channels share them, by which clamping takes a fraction of the time
    highest: Any
    alone = False  # nobody else reads its input: it is rounded in place
    named = True  # an export holds the rounding by its operator's name, once frozen too; else as steps of its own

    def __init__(self, original: nn.Conv2d) -> None:
        if original.padding_mode != "zeros":
            raise ValueError(f"a convolution with borders of kind {original.padding_mode!r} is not computed in 8 bits")
        shape: dict[str, Any] = {"kernel_size": original.kernel_size, "stride": original.stride}
        shape |= {"padding": original.padding, "dilation": original.dilation, "groups": original.groups}
        super().__init__(original.in_channels, original.out_channels, bias=original.bias is not None, **shape)
        self.weight, self.bias = original.weight, original.bias
        own = self.in_channels if self.groups == self.in_channels else 1
        self.register_buffer("range", torch.full((2, own), torch.nan))
        self.register_buffer("fixed", None, persistent=False)
        spans = [(k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True)]
        spare = [max(0, span - s) for span, s in zip(spans, self.stride, strict=True)]
        same = type(original).__name__ == "Conv2dSame"
        self.border = (spare[1] // 2, -(-spare[1] // 2), spare[0] // 2, -(-spare[0] // 2)) if same else None

    @property
    def measured(self) -> bool:
        """Whether its input's range is known."""
        return not bool(self.range[0, 0].isnan())

    @property
    def sound(self) -> bool:
        """Whether its range can be counted in: not empty, finite, nought in it; or is not measured at all."""
        low, high = self.range
        width = high - low
        good = (low <= 0) & (high >= 0) & (width > SMALLEST / 2) & width.isfinite()
        return bool(good.all() or self.range.isnan().all())

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H / stride, W / stride)."""
        weight, padding = self.weight, self.padding
        if self.fixed is not None and not (self.named and _exporting()):
            mine = self.alone and maps.dtype == self.rate.dtype
            maps = maps.mul_(self.rate) if mine else maps.mul(self.rate)
            maps, weight = maps.round_().clamp_(self.lowest, self.highest).mul_(self.step), self.fixed
        elif self.measured:
            maps, weight = self._counted(maps), self._weight()
        if self.border is not None:
            maps, padding = F.pad(maps, self.border), (0, 0)
        return F.conv2d(maps, weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def measure(self, maps: Tensor) -> None:
        """Take the range of (B, C, H, W) inputs for all inputs; nought is always in it."""
        axes = (0, 2, 3) if self.range.shape[1] > 1 else (0, 1, 2, 3)
        low, high = maps.amin(axes).clamp_max(0), maps.amax(axes).clamp_min(0)
        self.range[0], self.range[1] = low, torch.maximum(high, low + SMALLEST)

    @torch.no_grad()
    def freeze(self, *, alone: bool = False) -> None:
        """Round the weights once for all calls, where the range is measured: for judging, with equal numbers.

        It can be neither trained nor measured anew after that.

        Args:
            alone: nobody else reads its input, which may be rounded in place.
        """
        if not self.measured:
            return
        step, nought = self._steps()
        self.alone, self.fixed = alone, self._weight()
        counts = {"lowest": -nought, "highest": 255 - nought}
        if bool((nought == nought[0]).all()):
            self.lowest, self.highest = (float(values[0]) for values in counts.values())
            counts = {}
        for name, values in {"step": step, "rate": 1 / step, **counts}.items():
            self.register_buffer(name, values.view(1, -1, 1, 1), persistent=False)

    def _steps(self) -> tuple[Tensor, Tensor]:
        """Width of a step of the input, and which count stands for 0."""
        step = (self.range[1] - self.range[0]) / 255
        return step, (-self.range[0] / step).round()

    def _counted(self, maps: Tensor) -> Tensor:
        return rounded(maps, *self._steps(), 1, (0, 255))

    def _weight(self) -> Tensor:
        step = self.weight.detach().abs().amax((1, 2, 3)).clamp_min(1e-12) / LEVELS
        return rounded(self.weight, step, torch.zeros_like(step), 0, (-LEVELS, LEVELS))

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        state.setdefault(f"{prefix}range", torch.full_like(self.range, torch.nan))  # of weights trained in float32
        super()._load_from_state_dict(state, prefix, *rest)


class _Rounded(torch.autograd.Function):
    """To whole steps and back; gradients go through as they are (straight-through estimator).

    torch's own operators also keep which numbers lay within the range, and take five times as long on CPUs.
    """

    @staticmethod
    def forward(_: Any, values: Tensor, step: Tensor, nought: Tensor, ends: tuple[int, int]) -> Tensor:
        low, high = ends
        return torch.clamp(values.mul(1 / step).round_(), low - nought, high - nought).mul_(step)

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        return gradients[0], None, None, None


def rounded(values: Tensor, step: Tensor, nought: Tensor, axis: int, ends: tuple[int, int]) -> Tensor:
    """(A, B, C, D) values at whole steps from the lowest to the highest count.

    Args:
        values: any.
        step: (1,) or one for each index of `axis`: width of a step.
        nought: the same: what count stands for 0.
        axis: 0 or 1.
        ends: lowest and highest count.
    """
    if _exporting():
        # An export is to hold the operator by its name, not what it is made of.
        if len(step) == 1:
            return torch.fake_quantize_per_tensor_affine(values, float(step), int(nought), *ends)
        return torch.fake_quantize_per_channel_affine(values, step, nought.int(), axis, *ends)
    shape = [-1 if i == axis else 1 for i in range(values.dim())]
    found: Tensor = _Rounded.apply(  # type: ignore[no-untyped-call]
        values, step.view(shape), nought.view(shape), ends
    )
    return found


def _exporting() -> bool:
    return bool(torch.jit.is_tracing())  # type: ignore[attr-defined,no-untyped-call]


def put_in(backbone: nn.Module) -> None:
    """Put a `Convolution` in the place of every convolution but the first, which sees the finest noise."""
    found = [
        (parent, name, child)
        for parent in backbone.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Conv2d)
    ]
    for parent, name, child in found[1:]:
        setattr(parent, name, Convolution(child))


def with_norms(backbone: nn.Module) -> Iterator[tuple[nn.Module, tuple[str, nn.Conv2d], tuple[str, nn.BatchNorm2d]]]:
    """Every convolution that a batch norm follows: their parent, and each with its name."""
    for parent in list(backbone.modules()):
        for (name, child), (following, norm) in itertools.pairwise(list(parent.named_children())):
            if isinstance(child, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                yield parent, (name, child), (following, norm)


@torch.no_grad()
def settle(backbone: nn.Module, run: Callable[[], object]) -> None:
    """Measure all ranges on typical pictures, and take out what rounding shifts the means of channels by.

    It goes into the running means of the batch norm that follows a convolution, else into the convolution's bias; where
    there is neither it stays.

    Args:
        backbone: trained in float32, in evaluation mode.
        run: computes it on the pictures, all in one batch.
    """
    norms = {conv: norm for _, (_, conv), (_, norm) in with_norms(backbone)}
    means: dict[nn.Module, Tensor] = {}

    def measure(conv: Convolution, given: tuple[Tensor], found: Tensor) -> None:
        conv.measure(given[0])
        means[conv] = found.mean((0, 2, 3))

    def mend(conv: Convolution, _: tuple[Tensor], found: Tensor) -> Tensor | None:
        shift, norm = found.mean((0, 2, 3)) - means[conv], norms.get(conv)
        if norm is not None and norm.running_mean is not None:
            norm.running_mean += shift
        elif norm is None and conv.bias is not None:
            conv.bias -= shift
            return found - shift[:, None, None]
        return None

    convolutions = [module for module in backbone.modules() if isinstance(module, Convolution)]
    for conv in convolutions:
        conv.range.fill_(torch.nan)
    # One pass each does it: a layer's shift is out before the next layer is computed.
    for hook in (measure, mend):
        hooks = [conv.register_forward_hook(hook) for conv in convolutions]
        try:
            run()
        finally:
            for handle in hooks:
                handle.remove()
