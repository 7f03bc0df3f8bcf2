"""The authors' checkpoints (github.com/BarCodeReader/YOTO) in our network, number for number.

Their names are translated here and nowhere else. Their quirks live in the paper's form of the network:

- the channel attention's output is transposed and then reshaped back, which really permutes it
  (`YotoConfig.permuted_channels`);
- its residual counts twice (2x + gated attention): `ChannelAttention.forward`;
- each encoder map has a LayerNorm of its own (`YotoConfig.encoder_norm`);
- its Swin shifts the windows of the deepest map too, although one window covers all of it; timm, as Swin's paper, does
  not unless told to (`always_partition`);
- `CSA44` owns a second gate that nothing uses: dropped;
- the network encodes the image twice in NR, with the same result: done once here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .config import YotoConfig
from .yoto import Yoto
from .zoo import CheckpointError

CONFIG = YotoConfig(encoder_norm=True, encoder_options=(("always_partition", True),), permuted_channels=True)

# Their name (a regular expression) and ours. Digits of theirs count from 1, ours from 0: \1 becomes {0}, less one.
_RENAMES = [
    (r"encoder\.patch_embed\.(.+)", "encoder.backbone.patch_embed.{0}"),
    (r"encoder\.layers\.(\d)\.(blocks\..+)", "encoder.backbone.layers_{0}.{1}"),
    (r"encoder\.layers\.(\d)\.downsample\.(.+)", "encoder.backbone.layers_{next}.downsample.{1}"),
    (r"encoder\.norm(\d)\.(.+)", "encoder.norms.{0}.{1}"),
    (r"emb(\d)\.(.+)", "embed.{less0}.{1}"),
    (r"CA(\d)\.c_([qkv])\.(.+)", "channel_attention.{less0}.{word1}.{2}"),
    (r"CA(\d)\.scale\.(.+)", "channel_attention.{less0}.gate.{1}"),
    (r"CSA(\d)\1\.c_([qkv])([12])\.(.+)", "ha.{less0}.{word1}{2}.{3}"),
    (r"CSA(\d)\1\.scale([12])\.(.+)", "ha.{less0}.gate{1}.{2}"),
    (r"CSA(\d)(\d)\.c_([qkv])\.(.+)", "sda.{less0}{less1}.{word2}.{3}"),
    (r"CSA(\d)(\d)\.scale\.(.+)", "sda.{less0}{less1}.gate.{2}"),
    (r"ln(\d)\1\.(.+)", "ha_norm.{less0}.{1}"),
    (r"ln(\d)(\d)\.(.+)", "sda_norm.{less0}{less1}.{2}"),
    (r"fc_(score|weight)\.0\.(.+)", "{0}_head.inner.{1}"),
    (r"fc_(score|weight)\.3\.(.+)", "{0}_head.outer.{1}"),
    (r"seg_embd(\d)\.(.+)", "segment.{less0}.{1}"),
]
_WORDS = {"q": "query", "k": "key", "v": "value"}
_DROPPED = re.compile(r"CSA44\.scale2\.|.*\.(relative_position_index|attn_mask)$")  # unused gate; fixed tables


def _ours(name: str) -> str | None:
    for pattern, template in _RENAMES:
        found = re.fullmatch(pattern, name)
        if found is None:
            continue
        groups = found.groups()
        values = {f"word{i}": _WORDS.get(g, "") for i, g in enumerate(groups)}
        values |= {f"less{i}": str(int(g) - 1) for i, g in enumerate(groups) if g.isdigit()}
        values["next"] = str(int(groups[0]) + 1) if groups[0].isdigit() else ""
        return template.format(*groups, **values)
    return None


def _read(path: str | os.PathLike[str]) -> Mapping[str, object]:
    if not Path(path).is_file():
        raise CheckpointError(f"{path}: there is no such checkpoint file")
    try:
        if str(path).endswith(".safetensors"):
            from safetensors.torch import load_file

            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    if not isinstance(loaded, Mapping):
        raise CheckpointError(f"{path}: holds a {type(loaded).__name__}, not a state dict")
    return loaded


def translate(state: Mapping[str, object]) -> dict[str, Tensor]:
    """A state dict of the authors' `Net` under our names.

    Training wrappers (`{"state_dict": ...}`, `{"model": ...}`, a `module.` prefix) are taken off.

    Raises:
        CheckpointError: a name that their network does not have.
    """
    for wrapper in ("state_dict", "model", "net", "model_state_dict"):
        inner = state.get(wrapper)
        if isinstance(inner, Mapping):
            state = inner
    out: dict[str, Tensor] = {}
    for key, value in state.items():
        name = key.removeprefix("module.")
        if _DROPPED.match(name) or not isinstance(value, Tensor):
            continue
        ours = _ours(name)
        if ours is None:
            raise CheckpointError(f"this is no checkpoint of the authors' network: it has no entry {name!r}")
        out[ours] = value.flatten(1) if name.startswith("emb") and value.ndim == 4 else value  # 1x1 conv is linear
    return out


def load_official(state_dict_or_path: Mapping[str, object] | str | os.PathLike[str]) -> Yoto:
    """The authors' network from a checkpoint in their layout, in evaluation mode.

    Takes 224x224 images normalised to [-1, 1] as theirs does and gives their scores, on the scale they were trained on.
    The network has the checkpoint's floating-point type.

    Raises:
        CheckpointError: the file cannot be read, or its entries are not those of their network.
    """
    source = state_dict_or_path
    state = translate(source if isinstance(source, Mapping) else _read(source))
    network = Yoto(CONFIG)
    own = network.state_dict()
    fixed = {name for name in own if name.endswith(("relative_position_index", "attn_mask"))}
    missing = sorted(own.keys() - state.keys() - fixed)
    wrong = sorted(n for n in state if n in own and state[n].shape != own[n].shape)
    if missing or wrong or state.keys() - own.keys():
        what = f"misses {missing[0]!r}" if missing else f"has another shape or name at {(wrong or sorted(state))[0]!r}"
        raise CheckpointError(f"this is no checkpoint of the authors' network with the Swin-T encoder: it {what}")
    network.to(next(iter(state.values())).dtype)
    network.load_state_dict(state, strict=False)
    return network.eval()
