"""The encoder on pixels: torch on any device, in 16 bits where a GPU's scores allow it, or its export on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor

from . import engine, exported
from .zoo import Loaded, ModelError


class Runner:
    """Computes an encoder's maps. May be called from any thread.

    Args:
        loaded: its network is moved to the device, batch norms fused: it can be neither trained nor saved after that.
        device: "auto", "cpu", "cuda", "cuda:1".

    Raises:
        ModelError: a device that is not there; one sentence.
    """

    def __init__(self, loaded: Loaded, device: str) -> None:
        device = present(device)
        self.half: torch.dtype | None = None  # of torch's numbers; None: float32
        self.fallback: str | None = None  # why it is slower than it is meant to be: no OpenVINO, no 16 bits, no cache
        self._loaded = loaded
        self._exported: exported.Exported | None = None
        self._room = 1 << 62  # pixels of crops that a GPU's memory holds in one pass, as far as was found
        loaded.network.encoder.fuse()
        try:
            self.device = torch.device(device)
            # Channels last: this encoder's convolutions take half the time on CPUs, and no more on GPUs.
            loaded.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        except (RuntimeError, AssertionError) as error:
            why = engine.first_line(error).rstrip(".")
            if why.startswith(("Expected one of", "Invalid device string")):  # the first with twenty kinds of devices
                why = "there is no such kind of device"
            raise ModelError(
                f"the device {device!r} cannot be used: {why}; use --device cpu"
                + ("" if torch.version.cuda or not device.startswith("cuda") else ", or install PyTorch's CUDA build")
            ) from error

    @property
    def engine(self) -> str:
        """What runs it: "openvino 2026.4.1", "torch 2.13.0", "torch 2.13.0, float16" on a GPU."""
        if self._exported is not None:
            return engine.name()
        by_torch = f"torch {torch.__version__}"
        return by_torch if self.device.type == "cpu" else f"{by_torch}, {name(self.half)}"

    def export(self, ready: exported.Exported | None) -> None:
        """Leave it to OpenVINO, on a CPU: to the export that was in the cache, or to one made now.

        Where OpenVINO cannot, torch goes on and `fallback` says why; it also says why an export cannot be kept.
        """
        try:
            self._exported = ready or exported.export(self._loaded)
            self.fallback = self._exported.unkept
        except engine.ExportError as error:
            self.fallback = str(error)

    def maps(self, crops: Tensor) -> list[Tensor]:
        """One float32 (B, C_i, h / stride_i, w / stride_i) map a stride of (B, 3, h, w) uint8 crops.

        Half as many crops at a time from where a GPU's memory runs out.

        Raises:
            MemoryError: not even one crop fits.
        """
        if self._exported is not None:
            return self._exported(crops)
        pixels = crops[0, 0].numel()
        while True:
            parts = torch.split(crops, max(1, self._room // pixels))
            try:
                maps = [self._by_torch(part) for part in parts]
            except torch.cuda.OutOfMemoryError as error:
                if len(parts[0]) == 1:
                    raise MemoryError("the GPU's, even for one picture at a time") from error
            else:
                return maps[0] if len(maps) == 1 else [torch.cat(stage) for stage in zip(*maps, strict=True)]
            self._room = len(parts[0]) // 2 * pixels
            torch.cuda.empty_cache()  # only here: the error held what did not fit

    def _by_torch(self, crops: Tensor) -> list[Tensor]:
        images = self._loaded.entry.normalise(crops.to(self.device)).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, self.half, enabled=self.half is not None):
            return [m.float() for m in self._loaded.network.encode(images)]


def present(device: str) -> str:
    """The device that "auto" means here; any other as it is."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def name(kind: torch.dtype | None) -> str:
    """What a format of numbers is called; None is "float32"."""
    return str(kind or torch.float32).removeprefix("torch.")
