"""Every network we know by name: its configuration, its weights, how pictures go in and what comes out."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import int8
from .config import YotoConfig
from .encoders import Pyramid
from .own_raster import OwnRaster
from .training.folds import FOLDS
from .yoto import Yoto

WEIGHTS = Path(__file__).parent / "weights"


class ModelError(ValueError):
    """A network cannot be had. `str(error)` is one sentence for the user."""


class UnknownModelError(ModelError):
    """No network of that name, no weights file of that path; the message names the nearest."""


class CheckpointError(ModelError):
    """A weights file cannot be read, or is not what it should be."""


@dataclass(frozen=True)
class Entry:
    """One network: weights, preprocessing and scale are one record, because they only make sense together."""

    name: str
    config: YotoConfig
    mean: tuple[float, float, float]  # of RGB in 0 to 1; a pixel goes in as (x - mean) / std
    std: tuple[float, float, float]
    scale: tuple[float, float]  # the network's output that means score 0, and 100
    crop: int = 224  # side of the square places a frame is judged at, pixels of the display raster
    weights: str | None = None  # file in models/weights; None: nothing trained ships, load your own
    sha256: str | None = None  # of that file
    own: OwnRaster | None = None  # how enlarged pictures are judged; None: as any other
    about: str = ""

    def normalise(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 pixels to the network's float32 input."""
        mean = torch.tensor(self.mean, device=images.device).view(3, 1, 1)
        std = torch.tensor(self.std, device=images.device).view(3, 1, 1)
        return (images.float() / 255 - mean) / std

    def score(self, output: Tensor) -> Tensor:
        """The network's output on our scale, 0 to 100."""
        low, high = self.scale
        return (100 * (output - low) / (high - low)).clamp(0, 100)


PARTS = {"ha", "sda", "readout"}  # switches of `YotoConfig` that an ablation may turn off

HALF = (0.5, 0.5, 0.5)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LIGHT = YotoConfig(
    encoder="mobilenetv2_100", encoder_options=(("pad_type", "same"),), width=64, hidden=64, form="light",
    dropout=0.0, compared=True, context=True, overview=True, readout=True, int8=True,
)  # fmt: skip

ZOO = {
    entry.name: entry
    for entry in (
        Entry(
            "yoto_mobilenetv2", LIGHT, HALF, HALF, scale=(0.0, 1.0), weights="yoto_mobilenetv2.safetensors",
            sha256="0322f89806a02335f6853531468bf5a1fd39de312e957e2ec5700ee2f3be4b90",
            own=OwnRaster(share=0.65, step=4.2, part=0.17),
            about="the default: light form, for machines without a GPU",
        ),
        Entry(
            "yoto_swin_tiny", YotoConfig(encoder_norm=True), IMAGENET_MEAN, IMAGENET_STD, scale=(0.0, 1.0),
            about="the paper's network",
        ),
        Entry(
            "yoto_resnet50", YotoConfig(encoder="resnet50"), IMAGENET_MEAN, IMAGENET_STD, scale=(0.0, 1.0),
            about="the paper's other encoder",
        ),
    )
}  # fmt: skip


def entry(name: str) -> Entry:
    """The record of a network; of one to be trained without some of its parts: `NAME-without-ha+readout`.

    Raises:
        UnknownModelError: naming the nearest one that exists.
    """
    if name in ZOO:
        return ZOO[name]
    base, _, parts = name.partition("-without-")
    without = parts.split("+")
    if base in ZOO and set(without) <= PARTS:
        whole = ZOO[base]
        off: dict[str, Any] = dict.fromkeys(without, False)
        config = replace(whole.config, **off)
        return replace(whole, name=name, config=config, weights=None, sha256=None)
    if Path(name).exists():
        raise UnknownModelError(f"{name}: no weights; give a model's name or the .safetensors file that train wrote")
    near = difflib.get_close_matches(name, ZOO, n=1, cutoff=0.0)[0]
    known = f"Known: {', '.join(ZOO)}, and the path of any .safetensors file"
    raise UnknownModelError(f"there is no model {name!r}; did you mean {near!r}? {known}")


def sha256_of(path: Path) -> str:
    """Hex digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Loaded:
    """A network ready to judge: evaluation mode, weights in."""

    entry: Entry
    network: Yoto
    sha256: str
    fold: int = 0  # which rated contents it never saw: `training.folds`


EncoderFor = Callable[[Entry, str], Pyramid | None]


def load(name_or_path: str, encoder_for: EncoderFor = lambda *_: None) -> Loaded:
    """A trained network, by a name of the zoo or by the path of a .safetensors file that `yoto-video train` wrote.

    Args:
        name_or_path: which.
        encoder_for: given the record and the weights' sha256, an encoder to use in place of the one in the weights.

    Raises:
        UnknownModelError: no such name, no such file, or a name without trained weights.
        CheckpointError: the file is corrupt, of another network, or not the one that was shipped.
    """
    if not name_or_path.endswith(".safetensors"):
        record = entry(name_or_path)
        if record.weights is None:
            raise UnknownModelError(
                f"{record.name} ships without trained weights; train them (yoto-video train --model {record.name}) "
                "and pass the .safetensors file"
            )
        path = WEIGHTS / record.weights
        if not path.is_file():
            raise CheckpointError(f"{path}: the weights of {record.name} are missing; install yoto-video again")
        digest = sha256_of(path)
        if digest != record.sha256:
            raise CheckpointError(f"{path}: not the weights that were shipped (sha256 differs); install them again")
        return Loaded(*_read(path, record, digest, encoder_for)[:2], digest)
    path = Path(name_or_path)
    if not path.is_file():
        raise UnknownModelError(f"{path}: there is no such weights file")
    digest = sha256_of(path)
    record, network, fold = _read(path, None, digest, encoder_for)
    return Loaded(record, network, digest, fold)


def _read(path: Path, record: Entry | None, digest: str, encoder_for: EncoderFor) -> tuple[Entry, Yoto, int]:
    """Weights into the network that the file's `model` metadata (or `record`) names, and the fold it names."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a dict
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error}); fetch or train it again") from error
    if record is None:
        if "model" not in metadata:
            raise CheckpointError(
                f"{path}: not written by train (no 'model' in its metadata says which model it is of)"
            )
        name = metadata["model"].split("/")[0]
        try:
            record = entry(name)
        except UnknownModelError as error:
            raise CheckpointError(f"{path}: of a model {name!r}, and this version knows {', '.join(ZOO)}") from error
    encoder = encoder_for(record, digest)
    network = Yoto(record.config, encoder)
    if encoder is not None:
        state = {key: value for key, value in state.items() if not key.startswith("encoder.")}
    try:
        network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: these are not weights of {record.name} as this version has it; train it again, or use the "
            "version that trained it"
        ) from error
    numbers = (v for key, v in network.state_dict().items() if not key.endswith(".range"))
    if not all(bool(torch.isfinite(v).all()) for v in numbers):
        raise CheckpointError(f"{path}: holds numbers that are not finite")
    if not all(m.sound for m in network.modules() if isinstance(m, int8.Convolution)):
        raise CheckpointError(f"{path}: holds a range of 8-bit numbers that is empty, without nought or not finite")
    # One entry of metadata for both: safetensors writes several in any order, and equal runs are to give equal files.
    _, named, fold = metadata.get("model", "").partition("/fold")
    if named and fold not in map(str, range(len(FOLDS))):
        raise CheckpointError(f"{path}: of fold {fold!r}, and there are folds 0 to {len(FOLDS) - 1}; train it again")
    return record, network.eval(), int(fold or 0)


def _half(name: str, value: Tensor) -> Tensor:
    """In float16, but for the readout, whose scales span more orders of magnitude, and for ranges."""
    keep = not value.is_floating_point() or name.startswith("readout.") or name.endswith(".range")
    return value if keep else value.half()


def round_off(network: Yoto) -> None:
    """Give a network the numbers that `save` with `half` would leave it."""
    network.load_state_dict({k: _half(k, v).to(v.dtype) for k, v in network.state_dict().items()})


def save(network: Yoto, name: str, path: Path, *, half: bool = False, fold: int = 0) -> str:
    """Write weights, float16 if `half`, with their model's name and fold as metadata. Returns the file's sha256."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    state = {k: (_half(k, v) if half else v).cpu().contiguous() for k, v in network.state_dict().items()}
    temporary = path.with_suffix(".part")
    save_file(state, temporary, metadata={"model": f"{name}/fold{fold}" if fold else name})
    temporary.replace(path)
    return sha256_of(path)
