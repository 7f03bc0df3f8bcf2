"""Names, files, and one-sentence errors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from yoto_video.models import zoo
from yoto_video.models.judge import Judge
from yoto_video.models.yoto import Yoto


def test_unknown_name_names_the_nearest() -> None:
    with pytest.raises(zoo.UnknownModelError, match="did you mean 'yoto_mobilenetv2'"):
        zoo.load("yoto_mobilenet2")


def test_a_file_that_holds_no_weights_is_no_misspelt_name(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(zoo.UnknownModelError, match=r"clip\.mp4: no weights; give") as error:
        zoo.load(str(tmp_path / "clip.mp4"))
    assert "did you mean" not in str(error.value)


def test_models_without_weights_say_what_to_do() -> None:
    with pytest.raises(zoo.UnknownModelError, match="train them"):
        zoo.load("yoto_resnet50")


def test_shipped_weights_are_the_ones_in_the_table() -> None:
    for entry in zoo.ZOO.values():
        if entry.weights is not None:
            path = zoo.WEIGHTS / entry.weights
            assert zoo.sha256_of(path) == entry.sha256
            assert path.stat().st_size < 20e6
            assert zoo.load(entry.name).sha256 == entry.sha256


def test_changed_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = zoo.entry("yoto_mobilenetv2")
    (tmp_path / str(entry.weights)).write_bytes((zoo.WEIGHTS / str(entry.weights)).read_bytes()[:-1] + b"\0")
    monkeypatch.setattr(zoo, "WEIGHTS", tmp_path)
    with pytest.raises(zoo.CheckpointError, match="sha256 differs"):
        zoo.load("yoto_mobilenetv2")


def test_round_trip_through_a_file(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = Yoto(zoo.LIGHT).eval()
    digest = zoo.save(network, "yoto_mobilenetv2", tmp_path / "w.safetensors")
    loaded = zoo.load(str(tmp_path / "w.safetensors"))
    assert loaded.sha256 == digest
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(loaded.network(x), network(x))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not weights", "not a readable safetensors file"),
        (b"", "not a readable safetensors file"),
    ],
)
def test_corrupt_files(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(zoo.CheckpointError, match=sentence):
        zoo.load(str(path))


def test_weights_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(zoo.CheckpointError, match="which model"):
        zoo.load(str(path))
    save_file({"a": torch.zeros(2)}, path, metadata={"model": "yoto_mobilenetv2"})
    with pytest.raises(zoo.CheckpointError, match=r"not weights of yoto_mobilenetv2 as .* train it again"):
        zoo.load(str(path))
    save_file({"a": torch.zeros(2)}, path, metadata={"model": "dover/fold1"})
    with pytest.raises(zoo.CheckpointError, match=r"w\.safetensors: of a model 'dover', and this version knows yoto_m"):
        zoo.load(str(path))


@pytest.mark.parametrize("name", ["embed.0.bias", "readout.nr_weight", "encoder.backbone.bn1.running_mean"])
@pytest.mark.parametrize("number", [float("nan"), float("-inf")])
def test_weights_with_numbers_that_are_none(name: str, number: float, tmp_path: Path) -> None:
    state = Yoto(zoo.LIGHT).state_dict()
    state[name].flatten()[0] = number
    save_file(state, tmp_path / "w.safetensors", metadata={"model": "yoto_mobilenetv2"})
    with pytest.raises(zoo.CheckpointError, match="not finite"):
        zoo.load(str(tmp_path / "w.safetensors"))


RANGE = "encoder.backbone.blocks.0.0.conv_dw.range"  # (2, 32): of a depthwise convolution
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 6.0), (-6.0, 0.0), (NAN, NAN)])  # NaN: in float32
def test_ranges(low: float, high: float, tmp_path: Path) -> None:
    state = zoo.load("yoto_mobilenetv2").network.state_dict()
    state[RANGE][0], state[RANGE][1] = low, high
    save_file(state, tmp_path / "w.safetensors", metadata={"model": "yoto_mobilenetv2"})
    zoo.load(str(tmp_path / "w.safetensors"))


@pytest.mark.parametrize(
    ("low", "high"),
    [(-1.0, NAN), (NAN, 1.0), (0.0, INF), (-INF, 0.0), (0.0, 0.0), (0.0, 1e-42), (1.0, -1.0), (1.0, 2.0), (-2.0, -1.0)],
)
@pytest.mark.parametrize("channels", [slice(None), 3])
def test_damaged_ranges(low: float, high: float, channels: slice | int, tmp_path: Path) -> None:
    state = zoo.load("yoto_mobilenetv2").network.state_dict()
    state[RANGE][0, channels], state[RANGE][1, channels] = low, high
    save_file(state, tmp_path / "w.safetensors", metadata={"model": "yoto_mobilenetv2"})
    with pytest.raises(zoo.CheckpointError, match=r"w\.safetensors: holds a range"):
        zoo.load(str(tmp_path / "w.safetensors"))


def test_a_range_that_is_measured_in_part(tmp_path: Path) -> None:
    state = zoo.load("yoto_mobilenetv2").network.state_dict()
    state[RANGE][:, 3] = NAN
    save_file(state, tmp_path / "w.safetensors", metadata={"model": "yoto_mobilenetv2"})
    with pytest.raises(zoo.CheckpointError, match="holds a range"):
        zoo.load(str(tmp_path / "w.safetensors"))


def test_ranges_of_another_shape(tmp_path: Path) -> None:
    state = zoo.load("yoto_mobilenetv2").network.state_dict()
    state[RANGE] = state[RANGE][:, :1].clone()
    save_file(state, tmp_path / "w.safetensors", metadata={"model": "yoto_mobilenetv2"})
    with pytest.raises(zoo.CheckpointError, match=r"not weights of yoto_mobilenetv2 as .* train it again"):
        zoo.load(str(tmp_path / "w.safetensors"))


def test_missing_device_is_a_sentence() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU: cuda:77 is what is missing here, not cuda")
    with pytest.raises(zoo.ModelError, match=r"device 'cuda' cannot be used: .*; use --device cpu"):
        Judge.load("yoto_mobilenetv2", device="cuda")


def test_weights_know_their_fold_and_equal_ones_are_equal_files(tmp_path: Path) -> None:
    network = Yoto(zoo.LIGHT).eval()
    once, again = (zoo.save(network, "yoto_mobilenetv2", tmp_path / f"{i}.safetensors", fold=2) for i in range(2))
    assert once == again
    assert zoo.load(str(tmp_path / "0.safetensors")).fold == 2
    zoo.save(network, "yoto_mobilenetv2", tmp_path / "odd.safetensors", fold=9)
    with pytest.raises(zoo.CheckpointError, match=r"odd\.safetensors: of fold '9'"):
        zoo.load(str(tmp_path / "odd.safetensors"))
    zoo.save(network, "yoto_mobilenetv2", tmp_path / "whole.safetensors")
    assert zoo.load(str(tmp_path / "whole.safetensors")).fold == zoo.load("yoto_mobilenetv2").fold == 0


@pytest.mark.parametrize(("parts", "modes"), [("ha", "nr fr"), ("sda+readout", "nr fr"), ("ha+sda+readout", "nr")])
def test_a_network_can_go_without_its_parts(parts: str, modes: str) -> None:
    entry = zoo.entry(f"yoto_mobilenetv2-without-{parts}")
    assert entry.weights is None
    network = Yoto(entry.config).eval()
    names = {name.split(".")[0] for name, _ in network.state_dict().items()}
    assert not names & set(parts.split("+"))
    x, y = torch.rand(2, 1, 3, 64, 64)
    with torch.inference_mode():
        for mode in modes.split():
            assert 0 <= float(network(x, None if mode == "nr" else y)) <= 1
        assert float(network(x, x)) == 1


@pytest.mark.parametrize("name", ["yoto_mobilenetv2-without-head", "yoto-without-ha", "yoto_mobilenetv2-without-"])
def test_unknown_parts_are_unknown_models(name: str) -> None:
    with pytest.raises(zoo.UnknownModelError, match="yoto_mobilenetv2"):
        zoo.entry(name)
