"""OpenVINO on this processor: whether it is there, how it is set up, and whether 8-bit numbers come out right."""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from typing import Any

import numpy as np
import torch

from . import lanes


class ExportError(RuntimeError):
    """OpenVINO cannot run an encoder here; `str(error)` says why in a few words."""


def name() -> str:
    """What runs an export, with its version: "openvino 2026.4.1"."""
    try:
        return f"openvino {importlib.metadata.version('openvino')}"
    except importlib.metadata.PackageNotFoundError:
        return "openvino"


def openvino() -> Any:
    """The package.

    Raises:
        ExportError: it is not installed.
    """
    # It sends usage figures to its makers unless this part of it is missing, which it then does without.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except (ImportError, OSError) as error:
        raise ExportError("OpenVINO is not installed") from error
    return openvino


def first_line(error: BaseException) -> str:
    """What an error says, without what libraries add below: 200 characters at most."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def streams() -> int:
    """How many pictures are computed at once; each has its share of torch's threads."""
    return min(torch.get_num_threads(), lanes.MOST)


def settings() -> dict[str, object]:
    """How a graph is compiled."""
    return {
        "INFERENCE_PRECISION_HINT": "f32",  # by default it computes in 16 bits where the processor can
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": streams(),  # calls at once, which share the threads
        "ENABLE_CPU_PINNING": False,  # or the processes of a machine would crowd on its first core
    }


@functools.cache
def counts_right() -> bool:
    """Whether products of 8-bit numbers are added without overflow, tried on the largest there are.

    Processors without VNNI add two at a time in 16 bits, and would give other scores.

    Raises:
        ExportError: OpenVINO is not installed, or cannot run this.
    """
    package = openvino()
    op, largest = package.opset13, np.float32(127)
    pixels = op.parameter([1, 64, 8, 8], np.float32)
    ends = op.constant(np.float32(0)), op.constant(np.float32(255))
    low, high = op.constant(-largest), op.constant(largest)
    weight = op.fake_quantize(op.constant(np.full((64, 64, 1, 1), largest)), low, high, low, high, 255)
    whole = op.convolution(op.fake_quantize(pixels, *ends, *ends, 256), weight, [1, 1], [0, 0], [0, 0], [1, 1])
    try:
        compiled = package.Core().compile_model(package.Model([whole], [pixels]), "CPU", settings())
        found = compiled([np.full((1, 64, 8, 8), 255, np.float32)])[0]
    except RuntimeError as error:
        raise ExportError(f"OpenVINO cannot run it ({first_line(error)})") from error
    return bool(np.allclose(found, 255 * 127 * 64))
