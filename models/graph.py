"""An encoder as a graph of OpenVINO's: from the network's own layers, with its preprocessing, by a trace."""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .engine import ExportError, first_line
from .recorded import TRACING
from .yoto import Yoto
from .zoo import Entry


class Graph(NamedTuple):
    """An encoder in OpenVINO's own format."""

    text: NDArray[np.uint8]
    weights: NDArray[np.uint8]
    strides: tuple[int, ...]  # of its maps
    channels: tuple[int, ...]
    crop: int  # pixels a side of the crops it sees as a rule

    def digest(self) -> str:
        """Hex sha256 of all of it."""
        facts = json.dumps([self.strides, self.channels, self.crop]).encode()
        return hashlib.sha256(facts + self.text.tobytes() + self.weights.tobytes()).hexdigest()


class FromPixels(nn.Module):
    """What is exported: pixels to (B, H, W, C) maps, which is how OpenVINO has them where it counts in integers."""

    def __init__(self, entry: Entry, network: Yoto) -> None:
        super().__init__()
        self.entry, self.network = entry, network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Maps of (B, 3, H, W) uint8 images."""
        return tuple(m.permute(0, 2, 3, 1) for m in self.network.encode(self.entry.normalise(images)))


def convert(encoder: FromPixels, example: Tensor) -> Graph:
    """The graph of an encoder in evaluation mode, traced on (B, 3, H, W) uint8 images.

    Raises:
        ExportError: OpenVINO is not installed, or cannot take it.
    """
    import openvino

    config = encoder.entry.config
    try:
        with TRACING, torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a trace may miss; the numbers are compared afterwards
            # Not frozen: that would leave of 8-bit weights what they come to in float32.
            traced = torch.jit.trace(encoder, example, check_trace=False)  # type: ignore[no-untyped-call]
        model = openvino.convert_model(traced, example_input=example)
        side = -1 if config.form == "light" else example.shape[-1]
        model.reshape([-1, 3, side, side])
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "graph.xml"
            openvino.save_model(model, file, compress_to_fp16=False)
            _read_planes(file)
            text, weights = (np.fromfile(part, np.uint8) for part in (file, file.with_suffix(".bin")))
    except Exception as error:  # of whatever kind: torch can do it
        raise ExportError(f"OpenVINO cannot take it ({first_line(error)})") from error
    return Graph(text, weights, config.strides, encoder.network.encoder.channels, encoder.entry.crop)


def _read_planes(file: Path) -> None:
    """Ask for the kernel that reads colour planes as they lie, in the first layer, where the processor has it.

    The one it takes by itself wants each pixel's colours side by side, and to put them so takes as long as the layer.
    """
    tree = ET.parse(file)
    first = next(layer for layer in tree.iter("layer") if layer.get("type") == "Convolution")
    said = ET.Element("rt_info")
    ET.SubElement(said, "attribute", name="primitives_priority", version="0", value="cpu:jit_avx512")
    first.insert([part.tag for part in first].index("input"), said)
    tree.write(file)
