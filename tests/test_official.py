"""Our network against what the authors' own prints for known weights (rule in the data's README)."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from yoto_video.models.official import load_official, translate
from yoto_video.models.zoo import CheckpointError


def tensor_for(name: str, shape: list[int], salt: str) -> torch.Tensor:
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(f"{salt}:{name}".encode())))
    n = rng.standard_normal(shape, dtype=np.float32)
    if len(shape) >= 2:
        return torch.from_numpy(n / np.float32(np.sqrt(np.prod(shape[1:]))))
    if name.endswith("weight"):
        return torch.from_numpy(1 + np.float32(0.1) * n)
    return torch.from_numpy(np.float32(0.1) * n)


def image(i: int, salt: str) -> np.ndarray:
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(f"{salt}:image:{i}".encode())))
    return rng.random((3, 224, 224), dtype=np.float32) * 2 - 1


@pytest.fixture(scope="module")
def parity(data_dir: Path) -> dict:
    return json.loads((data_dir / "reference" / "yoto_parity.json").read_text())


@pytest.fixture(scope="module")
def state(parity: dict) -> dict[str, torch.Tensor]:
    return {name: tensor_for(name, shape, parity["salt"]) for name, shape in parity["parameters"].items()}


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 1e-4)])
def test_parity(parity: dict, state: dict[str, torch.Tensor], dtype: torch.dtype, tolerance: float) -> None:
    network = load_official({k: v.to(dtype) for k, v in state.items()})
    xs = [image(i, parity["salt"]) for i in range(parity["n"])]
    ys = [np.float32(0.7) * x + np.float32(0.3) * image(100 + i, parity["salt"]) for i, x in enumerate(xs)]
    means = []
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        xt, yt = torch.from_numpy(x)[None].to(dtype), torch.from_numpy(y)[None].to(dtype)
        with torch.inference_mode():
            maps = network.encode(xt)
            seen = network.see(maps)
            nr = network(xt).item()
            fr, fr_self = network(xt, yt).item(), network.compare(seen, seen).pooled().item()
        assert nr == pytest.approx(parity["NR"][i], abs=tolerance)
        assert fr == pytest.approx(parity["FR"][i], abs=tolerance)
        assert fr_self == pytest.approx(parity["FR_self"][i], abs=tolerance)
        means.append([m.abs().mean().item() for m in maps])
    assert np.mean(means, 0) == pytest.approx(parity["encoder_stage_mean_abs"], abs=tolerance)


def test_wrapped_checkpoint_file(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "theirs.pth"
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}, path)
    network = load_official(path)
    assert not network.training
    assert torch.equal(network.embed[0].weight, state["emb1.weight"].flatten(1))


@pytest.mark.parametrize("damage", ["missing", "shape", "name"])
def test_refuses_other_networks(state: dict[str, torch.Tensor], damage: str) -> None:
    other = dict(state)
    match damage:
        case "missing":
            del other["CSA33.c_q2.weight"]
        case "shape":
            other["emb2.bias"] = torch.zeros(10)
        case "name":
            other["stem.conv.weight"] = torch.zeros(3)
    with pytest.raises(CheckpointError, match="no checkpoint of the authors' network"):
        load_official(other)


def test_refuses_files_that_are_no_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match=r"x\.pth: not a readable checkpoint"):
        load_official(tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        load_official(tmp_path / "y.pth")


def test_translation_is_one_to_one(state: dict[str, torch.Tensor]) -> None:
    unused = {"CSA44.scale2.0.weight", "CSA44.scale2.0.bias"}
    assert len(translate(state)) == len(state) - len(unused)
