"""An encoder as OpenVINO runs it: exported once for given weights, checked against torch, kept in the user's cache.

On a CPU the encoder is most of the work, and OpenVINO does it in three quarters of the time torch takes, with the same
numbers but for rounding. A process that finds the export in the cache builds no encoder, and so needs no timm either.

Numbers of 8 bits it counts in integers. Where that overflows (`engine.counts_right`) they are whole steps in float32,
as in torch: equal but for rounding, in twice the time. The rounded weights are then constants of the graph: those that
OpenVINO rounds itself, its low-precision steps off, end up in other layers as soon as there are two streams.

A graph compiled for pictures of one size takes a fifth less than one for any: its maps need not be put in order
afterwards. That is done for the size of the network's crops, in numbers that do not depend on how many there are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import threading
from typing import Any

import torch
from torch import Tensor

from . import engine, export_cache, zoo
from .config import STRIDE
from .encoders import Elsewhere
from .engine import ExportError, first_line
from .graph import FromPixels, Graph, convert
from .zoo import Entry, Loaded

FORMAT = 6  # of the files in the cache; another number whenever what is exported changes
TOGETHER = 3  # crops computed at once: half of the places of a frame; many take more of a core each, out of its caches
TOLERANCE = 1e-4  # largest difference from torch, of the largest number in a map; 1e-6 is usual
# In 8 bits the last digit of a float32 decides what a number is rounded to, and layers later that shows: mean
# difference from torch, of the mean number in a map. The most is 0.05 as a rule, and 0.16 where sums overflow.
TOLERANCE_INT8 = 0.08


class Exported:
    """Computes an encoder's maps on the CPU. May be called from any thread.

    Raises:
        ExportError: OpenVINO is not installed, or cannot run this graph.
    """

    def __init__(self, graph: Graph) -> None:
        openvino = engine.openvino()
        self.unkept: str | None = None  # why it is not in the cache for the next process, a few words
        self.channels = graph.channels
        self._strides, self._crop = graph.strides, graph.crop
        self._idle: dict[int, queue.SimpleQueue[Any]] = {}  # by crops at once; 0: pictures of any number and size
        self._compiling = threading.Lock()
        self._tensor = openvino.Tensor
        self._core = openvino.Core()
        try:
            self._model = self._core.read_model(graph.text.tobytes(), openvino.Tensor(graph.weights))
            self._ready(TOGETHER)
        except RuntimeError as error:
            raise ExportError(f"OpenVINO cannot run it ({first_line(error)})") from error

    def _ready(self, crops: int) -> queue.SimpleQueue[Any]:
        """What computes so many crops at once, compiled when first asked for: it takes a quarter of a second."""
        with self._compiling:
            if crops not in self._idle:
                model = self._model.clone()
                if crops:
                    model.reshape([crops, 3, self._crop, self._crop])
                compiled = self._core.compile_model(model, "CPU", engine.settings())
                idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
                for _ in range(engine.streams()):
                    idle.put(compiled.create_infer_request())
                self._idle[crops] = idle
            return self._idle[crops]

    def __call__(self, images: Tensor) -> list[Tensor]:
        """One (B, C_i, H / stride_i, W / stride_i) map a stride of (B, 3, H, W) uint8 images."""
        b, _, h, w = images.shape
        images = images.contiguous()  # OpenVINO reads our memory: it must live as long as that
        maps = [torch.empty(b, h // s, w // s, c) for s, c in zip(self._strides, self.channels, strict=True)]
        for few, *part in zip(*(torch.split(t, TOGETHER) for t in (images, *maps)), strict=True):
            idle = self._ready(len(few) if (h, w) == (self._crop, self._crop) else 0)
            request = idle.get()
            try:
                request.set_input_tensor(self._tensor(few.numpy(), shared_memory=True))
                for i, m in enumerate(part):
                    request.set_output_tensor(i, self._tensor(m.numpy(), shared_memory=True))
                request.infer()
            finally:
                idle.put(request)
        return [m.permute(0, 3, 1, 2) for m in maps]  # channels last, as the network's own steps want them


def load(model: str) -> tuple[Loaded, Exported | None]:
    """`zoo.load` of a network, without its encoder where the cache has that one's export: both, or None for the export.

    Raises:
        zoo.ModelError: as `zoo.load` does.
    """
    ready: Exported | None = None

    def look_up(entry: Entry, sha256: str) -> Elsewhere | None:
        nonlocal ready
        ready = cached(entry, sha256)
        return None if ready is None else Elsewhere(ready.channels)

    return zoo.load(model, look_up), ready


def export(loaded: Loaded) -> Exported:
    """A network's encoder, preprocessing included, as OpenVINO runs it, and a copy in the cache.

    It is equal to the network's own as far as random pictures tell.

    Args:
        loaded: its network on the CPU, batch norms fused.

    Raises:
        ExportError: OpenVINO is not installed, cannot take this encoder, or comes to other numbers.
    """
    engine.openvino()
    entry, network = loaded.entry, loaded.network
    in_int8 = network.encoder.in_int8
    network.encoder.name_rounding(_in_integers(entry))
    side, any_size = entry.crop, entry.config.form == "light"
    sizes = [(TOGETHER, 3, side, side), *([(1, 3, side + STRIDE, side - STRIDE)] if any_size else [])]
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.randint(0, 256, size, generator=generator).byte() for size in sizes]
    encoder = FromPixels(entry, network).eval()
    graph = convert(encoder, pictures[0])
    exported = Exported(graph)
    with torch.inference_mode():
        for picture in pictures:
            for ours, theirs in zip(encoder(picture), exported(picture), strict=True):
                apart = (ours - theirs.permute(0, 2, 3, 1)).abs()
                if in_int8:
                    same = float(apart.mean()) <= TOLERANCE_INT8 * float(ours.abs().mean())
                else:
                    same = float(apart.max()) <= TOLERANCE * float(ours.abs().max())
                if not same:
                    raise ExportError("OpenVINO comes to other numbers than torch")
    try:
        _keep(name_of(entry, loaded.sha256), graph)
    except OSError as error:  # costs time, not results
        why = f"{error.strerror}: {error.filename}" if error.strerror and error.filename else str(error)
        exported.unkept = f"each start makes anew what the cache cannot keep ({why}); YOTO_CACHE names another folder"
    return exported


def cached(entry: Entry, weights_sha256: str) -> Exported | None:
    """The export of these weights, if it is in the cache and whole, and OpenVINO can run it."""
    from safetensors import SafetensorError, safe_open

    try:
        file = export_cache.folder() / name_of(entry, weights_sha256)
        with safe_open(file, framework="np") as opened:
            facts = json.loads((opened.metadata() or {})["export"])
            parts = opened.get_tensor("text"), opened.get_tensor("weights")
        graph = Graph(*parts, tuple(facts["strides"]), tuple(facts["channels"]), int(facts["crop"]))
        if graph.digest() != facts["digest"]:
            return None
        with contextlib.suppress(OSError):  # a cache that others wrote can be read all the same
            os.utime(file)
        return Exported(graph)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, ExportError):
        return None


def name_of(entry: Entry, weights_sha256: str) -> str:
    """File in the cache: of weights, of how pictures go in, of OpenVINO's version and of how it counts here.

    Raises:
        ExportError: OpenVINO is not installed, or cannot be tried.
    """
    said = json.dumps([FORMAT, weights_sha256, engine.name(), _in_integers(entry), repr(entry)])
    return f"encoder-{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def _in_integers(entry: Entry) -> bool:
    """Whether OpenVINO counts numbers of 8 bits in integers, where the network has any."""
    return entry.config.int8 and engine.counts_right()


def _keep(name: str, graph: Graph) -> None:
    """Put an export into the cache: there whole, or not at all.

    Raises:
        OSError: it cannot be written.
    """
    from safetensors.numpy import save

    facts = {"strides": graph.strides, "channels": graph.channels, "crop": graph.crop, "digest": graph.digest()}
    content = save({"text": graph.text, "weights": graph.weights}, metadata={"export": json.dumps(facts)})
    export_cache.keep(name, content)
