"""The encoder in 8 bits: what is rounded and how far, that training can go on, and what OpenVINO makes of it."""

from __future__ import annotations

import copy
import importlib.util
import os
import pickle
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from yoto_video.models import engine, int8, zoo
from yoto_video.models.encoders import Pyramid, import_timm

needs_openvino = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="OpenVINO is not installed")


@settings(max_examples=30, deadline=None)
@given(
    kernel=st.sampled_from([1, 2, 3, 4, 5]),
    stride=st.sampled_from([1, 2, 4]),
    dilation=st.sampled_from([1, 2]),
    depthwise=st.booleans(),
    same=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_until_measured_it_is_the_convolution_it_stands_for(
    kernel: int, stride: int, dilation: int, depthwise: bool, same: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    import_timm()
    from timm.layers import create_conv2d

    padding = "same" if same else ""
    original = create_conv2d(8, 8, kernel, stride=stride, dilation=dilation, padding=padding, depthwise=depthwise)
    maps = torch.randn(2, 8, 16, 24)
    assert torch.equal(int8.Convolution(original)(maps), original(maps))


def test_borders_that_are_not_nought_are_refused() -> None:
    with pytest.raises(ValueError, match="'reflect'"):
        int8.Convolution(nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"))


@pytest.mark.parametrize("depthwise", [False, True])
def test_input_and_weights_take_256_values_each_half_a_step_away_at_most(depthwise: bool) -> None:
    torch.manual_seed(1)
    conv = int8.Convolution(nn.Conv2d(6, 6, 1, groups=6 if depthwise else 1, bias=False))
    maps = torch.randn(2, 6, 32, 32) * torch.linspace(0.1, 10, 6)[None, :, None, None]
    exact = conv(maps).detach()
    conv.measure(maps)
    assert conv.measured
    counted = conv._counted(maps)
    step, weight = (conv.range[1] - conv.range[0]) / 255, conv.weight.detach()
    assert float(((counted - maps).abs() / step[None, :, None, None]).max()) <= 0.51
    channels = counted.transpose(0, 1).flatten(1) if depthwise else counted.flatten()[None]
    assert all(len(values.unique()) <= 256 for values in channels)
    assert float((conv._weight().detach() - weight).abs().max()) <= float(weight.abs().max()) / int8.LEVELS / 2 + 1e-7
    assert float((conv(maps).detach() - exact).abs().mean()) < 0.05 * float(exact.abs().mean())


@settings(max_examples=30, deadline=None)
@given(
    depthwise=st.booleans(),
    same=st.booleans(),
    lowest=st.sampled_from([0.0, -0.1, -3.0]),  # one for all channels, or one each
    uneven=st.booleans(),
    alone=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_frozen_it_gives_equal_numbers(
    depthwise: bool, same: bool, lowest: float, uneven: bool, alone: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    from timm.layers import create_conv2d

    original = create_conv2d(8, 8, 3, stride=2, padding="same" if same else "", depthwise=depthwise)
    conv = int8.Convolution(original).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    maps = torch.randn(2, 8, 16, 24).contiguous(memory_format=torch.channels_last)
    scale = torch.linspace(0.2, 3, 8) if uneven else torch.ones(8)
    conv.measure(maps.clamp(lowest, 2) * scale[:, None, None])
    with torch.no_grad():
        expected, given_to_it = conv(maps), maps.clone()
        conv.freeze(alone=alone)
        assert torch.equal(conv(given_to_it), expected)
    assert alone or torch.equal(given_to_it, maps)
    assert torch.equal(conv.weight, original.weight)
    assert set(conv.state_dict()) == {"weight", "range"}  # nothing of it is kept in weights


def test_what_was_never_measured_is_not_frozen() -> None:
    torch.manual_seed(5)
    original, maps = nn.Conv2d(4, 4, 3), torch.randn(1, 4, 8, 8)
    conv = int8.Convolution(original)
    conv.freeze(alone=True)
    assert torch.equal(conv(maps), original(maps))


def test_gradients_go_through_the_rounding() -> None:
    torch.manual_seed(2)
    conv = int8.Convolution(nn.Conv2d(4, 3, 3, padding=1))
    maps = torch.randn(1, 4, 8, 8, requires_grad=True)
    conv.measure(maps.detach())
    conv(maps).square().mean().backward()
    for values in (maps, conv.weight):
        assert values.grad is not None
        assert float(values.grad.abs().sum()) > 0


def encoder() -> Pyramid:
    torch.manual_seed(3)
    made = Pyramid("mobilenetv2_035", (2, 4, 8, 16, 32), options=(("pad_type", "same"),), counted=True).eval()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):  # as trained: no norm is the identity
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return made


def test_settling_takes_the_shift_out_of_every_layer() -> None:
    made = encoder()
    pictures = torch.rand(4, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        exact = made(pictures)
        assert not made.in_int8
        int8.settle(made.backbone, lambda: made(pictures))
        assert made.in_int8
        counted = made(pictures)
    for a, b in zip(exact, counted, strict=True):
        assert not torch.equal(a, b)
        # Single numbers are rounded; means of channels are what they were.
        assert float((a - b).mean((0, 2, 3)).abs().max()) < 0.01 * float(a.abs().mean())
    made.fuse()
    assert any(m.alone for m in made.modules() if isinstance(m, int8.Convolution))
    with torch.no_grad():
        fused = made(pictures)
        for module in made.modules():
            if isinstance(module, int8.Convolution):
                module.fixed = None  # rounds at each call, and nothing in place
        assert all(torch.equal(a, b) for a, b in zip(fused, made(pictures), strict=True))
    for a, b in zip(counted, fused, strict=True):
        assert float((a - b).abs().mean()) < 0.05 * float(a.abs().mean())


@pytest.mark.parametrize("bias", [True, False])
def test_settling_without_batch_norms_measures_all_and_mends_biases(bias: bool) -> None:
    torch.manual_seed(4)
    layers = [nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, bias=bias), nn.ReLU(), nn.Conv2d(8, 4, 1, bias=bias)]
    made = nn.Sequential(*layers).eval()
    pictures = torch.rand(4, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        exact = made(pictures)
        int8.put_in(made)
        assert torch.equal(made(pictures), exact)
        int8.settle(made, lambda: made(pictures))
        counted = made(pictures)
    assert [isinstance(m, int8.Convolution) and m.measured for m in made] == [False, True, False, True]
    assert not torch.equal(counted, exact)
    shift = float((counted - exact).mean((0, 2, 3)).abs().max())
    assert shift < (1e-5 if bias else 0.01) * float(exact.abs().mean())


def test_settling_that_fails_leaves_nothing_hooked() -> None:
    made = encoder()

    def run() -> None:
        made(torch.zeros(1, 3, 64, 64))
        raise MemoryError

    with pytest.raises(MemoryError):
        int8.settle(made.backbone, run)
    assert not any(module._forward_hooks for module in made.modules())


def test_copies_compute_the_same() -> None:
    made = encoder()
    pictures = torch.rand(1, 3, 64, 64) * 2 - 1
    int8.settle(made.backbone, lambda: made(pictures))
    with torch.no_grad():
        for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
            assert other.in_int8
            assert all(torch.equal(a, b) for a, b in zip(made(pictures), other(pictures), strict=True))


def test_ranges_are_part_of_the_weights_and_weights_without_them_compute_in_float32() -> None:
    made, other = encoder(), encoder()
    pictures = torch.rand(2, 3, 64, 64) * 2 - 1
    int8.settle(made.backbone, lambda: made(pictures))
    state = made.state_dict()
    other.load_state_dict(state)
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(made(pictures), other(pictures), strict=True))
    old = {name: value for name, value in state.items() if not name.endswith(".range")}
    other.load_state_dict(old)
    assert not other.in_int8


def test_the_default_computes_in_8_bits() -> None:
    network = zoo.load("yoto_mobilenetv2").network
    assert network.encoder.in_int8
    first, *rest = [m for m in network.encoder.backbone.modules() if isinstance(m, nn.Conv2d)]
    assert not isinstance(first, int8.Convolution)
    assert all(isinstance(m, int8.Convolution) and m.measured for m in rest)


PROGRAM = """
import sys
import numpy as np
import torch
from yoto_video.models import engine
from yoto_video.models.judge import Judge
torch.set_num_threads(int(sys.argv[1]))
v, u = np.mgrid[0:256, 0:320]
frame = np.stack([128 + 90 * np.sin(u / a + v / b) for a, b in ((3, 9), (20, 5), (7, 40))], -1).astype(np.uint8)
judge = Judge.load("yoto_mobilenetv2", device="cpu")
scores = judge.nr(judge.encode([frame, frame // 32 * 32]))
print(engine.counts_right(), judge.engine, judge.fallback, *scores, sep="|")
"""


@needs_openvino
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="processors of other makes")
def test_where_8_bit_sums_overflow_openvino_gives_the_same_scores_in_float32(tmp_path: Path) -> None:
    said = []
    # AVX2 adds two products of 8-bit numbers in 16 bits. With two threads there are two streams, which share weights.
    for most, threads in (("DEFAULT", "1"), ("AVX2", "1"), ("AVX2", "2")):
        environment = os.environ | {"ONEDNN_MAX_CPU_ISA": most, "YOTO_CACHE": str(tmp_path)}
        run = [sys.executable, "-c", PROGRAM, threads]
        done = subprocess.run(run, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.strip().split("|"))
    native, exported, cached = said
    assert exported[:3] == ["False", engine.name(), "None"]
    assert cached[:3] == exported[:3]
    assert [float(n) for n in cached[3:]] == pytest.approx([float(n) for n in exported[3:]], abs=1e-3)
    assert len(list(tmp_path.iterdir())) == (2 if native[0] == "True" else 1)  # neither kind is taken for the other
    assert [float(n) for n in exported[3:]] == pytest.approx([float(n) for n in native[3:]], abs=0.5)
