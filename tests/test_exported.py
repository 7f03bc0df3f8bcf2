"""The encoder as OpenVINO runs it: the same scores, kept between processes, and torch where it cannot be had."""

from __future__ import annotations

import errno
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from yoto_video.models import engine, export_cache, exported, int8, zoo
from yoto_video.models.encoders import Elsewhere
from yoto_video.models.graph import Graph
from yoto_video.models.judge import Judge

MODEL = "yoto_mobilenetv2"
needs_openvino = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="OpenVINO is not installed")


def picture(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(u / a + v / b) for a, b in rng.uniform(2, 40, (3, 2))], -1)
    return np.clip(128 + 60 * waves + rng.normal(0, 6, waves.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("YOTO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def in_float32(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The default network without the ranges that make its encoder compute in 8 bits."""
    network = zoo.load(MODEL).network
    for module in network.encoder.modules():
        if isinstance(module, int8.Convolution):
            module.range.fill_(torch.nan)
    file = tmp_path_factory.mktemp("weights") / "float32.safetensors"
    zoo.save(network, MODEL, file)
    return str(file)


# In 8 bits the last digit of a float32 decides how a number is rounded, and that shows in the layers after it.
@needs_openvino
@pytest.mark.parametrize(("model", "points"), [("in_float32", 1e-3), (MODEL, 1.5)])
def test_scores_are_those_of_torch(model: str, points: float, request: pytest.FixtureRequest) -> None:
    weights = model if model == MODEL else request.getfixturevalue(model)
    judge, by_torch = Judge.load(weights, device="cpu"), Judge.load(weights, device="cpu", export=False)
    assert judge.engine == engine.name()
    assert judge.fallback is None
    assert by_torch.engine.startswith("torch ")
    # All sizes in one call, then one by one: none may leave anything behind that another sees.
    frames = [picture(*size, i) for i, size in enumerate([(720, 1280), (144, 176), (301, 533), (16, 16), (720, 1280)])]
    damaged = [frame // 24 * 24 for frame in frames]
    ours, theirs = judge.encode(frames), by_torch.encode(frames)
    assert judge.nr(ours) == pytest.approx(by_torch.nr(theirs), abs=points)
    assert judge.fr(judge.encode(damaged), ours) == pytest.approx(
        by_torch.fr(by_torch.encode(damaged), theirs), abs=points
    )
    assert judge.fr(ours, ours) == [100.0] * len(frames)
    alone = [judge.nr(judge.encode([frame]))[0] for frame in frames]
    assert alone == pytest.approx(judge.nr(ours), abs=1e-3)
    heat = judge.heat_map(damaged[2], frames[2])
    assert np.abs(heat - by_torch.heat_map(damaged[2], frames[2])).max() < 10 * points


@needs_openvino
def test_exported_once(cache: Path) -> None:
    first = Judge.load(MODEL, device="cpu")
    (file,) = cache.iterdir()
    again = Judge.load(MODEL, device="cpu")
    assert list(cache.iterdir()) == [file]
    assert not isinstance(first.network.encoder, Elsewhere)
    assert isinstance(again.network.encoder, Elsewhere)  # nothing of it was built
    frame = picture(240, 320, 0)
    assert again.nr(again.encode([frame])) == first.nr(first.encode([frame]))


@needs_openvino
def test_a_damaged_export_is_made_anew(cache: Path) -> None:
    entry = zoo.entry(MODEL)
    assert entry.sha256 is not None
    Judge.load(MODEL, device="cpu")
    (file,) = cache.iterdir()
    data = file.read_bytes()
    middle = len(data) // 2
    for damaged in (data[:middle], data[:middle] + bytes(100) + data[middle + 100 :], b"something else"):
        file.write_bytes(damaged)
        assert exported.cached(entry, entry.sha256) is None
    Judge.load(MODEL, device="cpu")
    assert exported.cached(entry, entry.sha256) is not None


@needs_openvino
def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("YOTO_CACHE", str(tmp_path / "file" / "cache"))
    judge = Judge.load(MODEL, device="cpu")
    assert judge.engine == engine.name()
    assert f"the cache cannot keep (Not a directory: {tmp_path / 'file' / 'cache'}" in (judge.fallback or "")


@needs_openvino
def test_a_cache_that_others_wrote_is_read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Judge.load(MODEL, device="cpu")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(exported.os, "utime", refuse)
    assert isinstance(Judge.load(MODEL, device="cpu").network.encoder, Elsewhere)


@needs_openvino
def test_without_a_home_folder_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("YOTO_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as where a user has no name either
    with pytest.raises(FileNotFoundError, match="no home folder"):
        export_cache.folder()
    judge = Judge.load(MODEL, device="cpu")
    assert judge.engine == engine.name()
    assert judge.fallback is not None
    assert "the cache cannot keep (no home folder to keep exports in); YOTO_CACHE" in judge.fallback


def test_an_export_that_cannot_be_kept_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    empty = np.zeros(1, np.uint8)
    with pytest.raises(OSError, match="No space"):
        exported._keep("encoder-1", Graph(empty, empty, (8,), (3,), 224))
    assert list(cache.iterdir()) == []


@needs_openvino
def test_other_numbers_are_not_used(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported, "TOLERANCE_INT8", -1.0)
    judge = Judge.load(MODEL, device="cpu")
    assert (judge.engine[:6], judge.fallback) == ("torch ", "OpenVINO comes to other numbers than torch")
    assert not cache.exists()


@needs_openvino
def test_a_second_process_needs_no_timm_and_tells_nobody(cache: Path) -> None:
    Judge.load(MODEL, device="cpu")
    code = (
        "import sys\nfrom yoto_video.models.judge import Judge\nj = Judge.load('yoto_mobilenetv2', device='cpu')\n"
        "assert j.engine.startswith('openvino'), j.fallback\n"
        "print([m for m in ('timm', 'torchvision', 'openvino_telemetry') if sys.modules.get(m)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_without_openvino_torch_judges_and_says_why(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    judge = Judge.load(MODEL, device="cpu")
    assert judge.engine.startswith("torch ")
    assert judge.fallback == "OpenVINO is not installed"
    assert 0 <= judge.nr(judge.encode([picture(64, 64, 0)]))[0] <= 100
    assert not cache.exists()


def test_old_exports_go(cache: Path) -> None:
    empty = np.zeros(1, np.uint8)
    for number in range(export_cache.KEPT + 3):
        exported._keep(f"encoder-{number}", Graph(empty, empty, (8,), (3,), 224))
    assert len(list(cache.iterdir())) == export_cache.KEPT
    assert (cache / f"encoder-{export_cache.KEPT + 2}").exists()


def test_exports_that_others_take_away_meanwhile(cache: Path) -> None:
    cache.mkdir()
    (cache / "encoder-gone").symlink_to("nowhere")  # listed, and not there when it is looked at
    export_cache.keep("encoder-new", b"x")
    assert (cache / "encoder-new").read_bytes() == b"x"
