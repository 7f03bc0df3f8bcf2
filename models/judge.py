"""Frames in, scores out: a loaded network with its preprocessing, its crops and its scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from . import zoo
from .crops import Look, cut, picture_looks, tiles

Picture = NDArray[np.uint8]  # (H, W, 3) RGB
BATCH = 16  # crops a forward pass on a CPU: their maps stay in its caches, 32 at once take a third as long again
GPU_BATCH = 64
WHOLE = 960  # pixels a side up to which a network that takes any size sees a frame in one piece for its heat map


@dataclass(frozen=True)
class Encoded:
    """One frame as the network's encoder sees it, at the places it looks at. Opaque outside this module."""

    maps: list[Tensor]  # one (places, C, h, w) an encoder stage
    afar: Tensor  # (places,) bool: which of them are overviews
    places: list[Look]
    frame: Picture

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frame."""
        return self.frame.shape[0], self.frame.shape[1]


class Judge:
    """Scores frames with one network. Frames are on the display raster already.

    A frame's score pools the tokens of all its crops at once (sum(s * w) / sum(w) over the frame), so that a crop in
    which the network sees nothing worth judging weighs little. Black bars at its edges are not looked at.
    """

    def __init__(self, loaded: zoo.Loaded, *, device: str = "auto", crops: int = 6, seed: int = 0) -> None:
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        loaded.network.encoder.fuse()
        try:
            self.device = torch.device(device)
            # Channels last: this encoder's convolutions take half the time on CPUs, and no more on GPUs.
            self.network = loaded.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        except (RuntimeError, AssertionError) as error:
            raise zoo.ModelError(f"the device {device!r} cannot be used: {str(error).splitlines()[0]}") from error
        self.batch = BATCH if self.device.type == "cpu" else GPU_BATCH
        self.entry = loaded.entry
        self.model_name = loaded.entry.name
        self.model_sha256 = loaded.sha256
        self.fold = loaded.fold
        self.crops = crops
        self.seed = seed

    @classmethod
    def load(cls, model: str, *, device: str = "auto", crops: int = 6, seed: int = 0) -> Judge:
        """A judge by model name or weights file.

        Args:
            model: a name of the zoo, or the path of a .safetensors file.
            device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1".
            crops: places of a frame that are looked at, at most.
            seed: of the places.

        Raises:
            zoo.ModelError: an unknown name, a bad file or a device that is not there; one sentence.
        """
        loaded = zoo.load(model)
        if loaded.entry.config.form == "paper":
            # Denormals in its sharp attention cost a factor of three. The whole process computes so from here on, which
            # is why the default network, whose attention is never that sharp, does without.
            torch.set_flush_denormal(True)
        return cls(loaded, device=device, crops=crops, seed=seed)

    def encode(self, frames: Sequence[Picture]) -> list[Encoded]:
        """What the network needs to know of each (H, W, 3) uint8 frame, for either side of a comparison."""
        crop, overview = self.entry.crop, self.network.config.overview
        places = [picture_looks(f, self.crops, crop, overview=overview, seed=self.seed) for f in frames]
        return self._encode_at(frames, places)

    @torch.inference_mode()
    def _encode_at(self, frames: Sequence[Picture], places: Sequence[list[Look]]) -> list[Encoded]:
        crop = self.entry.crop
        cuts = [self._cut(f, place, crop) for f, spots in zip(frames, places, strict=True) for place in spots]
        encoded = self._encode(cuts)
        out, start = [], 0
        for frame, spots in zip(frames, places, strict=True):
            mine = encoded[start : start + len(spots)]
            afar = torch.tensor([look.step > 1 for look in spots], device=self.device)
            out.append(Encoded(self._stack(mine), afar, spots, frame))
            start += len(spots)
        return out

    def nr(self, encoded: Sequence[Encoded]) -> list[float]:
        """No-reference scores, 0 to 100."""
        return self._scores(encoded, None)

    def fr(self, encoded: Sequence[Encoded], references: Sequence[Encoded]) -> list[float]:
        """Full-reference scores, 0 to 100, each frame against the reference at the same position of the list.

        Raises:
            ValueError: a frame and its reference differ in size, or the lists in length.
        """
        if len(encoded) != len(references):
            raise ValueError(f"{len(encoded)} frames for {len(references)} references")
        for x, y in zip(encoded, references, strict=True):
            if x.size != y.size:
                raise ValueError(f"a frame of {x.size} against a reference of {y.size}: scale both to one raster")
        # Where bars were seen in one of them only, or end a line apart, the encode is looked at where its master was.
        pairs = list(zip(encoded, references, strict=True))
        return self._scores(
            [x if x.places == y.places else self._encode_at([x.frame], [y.places])[0] for x, y in pairs], references
        )

    @torch.inference_mode()
    def heat_map(self, frame: Picture, reference: Picture | None = None) -> NDArray[np.float32]:
        """Where a frame looks bad: (h, w) scores 0 to 100 on a coarse grid over the whole frame.

        The frame is judged everywhere, not only at its crops; with a reference the scores are full-reference.
        """
        side = self.entry.crop if self.network.config.form == "paper" else WHOLE
        height, width = frame.shape[:2]
        spots = [Look(*place) for place in tiles(height, width, side)]
        batch = max(1, self.batch * self.entry.crop**2 // min(side**2, height * width))
        total: NDArray[np.float32] | None = None
        for start in range(0, len(spots), batch):
            part = spots[start : start + batch]
            x = self._stack(self._encode([self._cut(frame, p, side) for p in part]))
            y = None if reference is None else self._stack(self._encode([self._cut(reference, p, side) for p in part]))
            score, weight = self.network.compare(x, y).heat()
            score = self.entry.score(score)
            step = self._padded(min(side, height)) // score.shape[1]  # pixels a side of one cell
            if total is None:
                total = np.zeros((2, -(-height // step), -(-width // step)), np.float32)
            for (top, left, _), s, w in zip(part, score.cpu().numpy(), weight.cpu().numpy(), strict=True):
                # Rounded up: the last tile ends with the frame, and its last cells with the map.
                row, column = -(-top // step), -(-left // step)
                cell = total[:, row : row + s.shape[0], column : column + s.shape[1]]
                rows, cols = cell.shape[1:]
                cell[0] += (s * w)[:rows, :cols]
                cell[1] += w[:rows, :cols]
        assert total is not None
        heat: NDArray[np.float32] = np.clip(total[0] / np.maximum(total[1], 1e-6), 0, 100).astype(np.float32)
        return heat

    def _padded(self, side: int) -> int:
        """Pixels of an axis of `side` pixels as the network sees it."""
        return self.entry.crop if self.network.config.form == "paper" else -(-side // 32) * 32

    def _cut(self, frame: Picture, look: Look, side: int) -> Tensor:
        """One place as (3, h, w) uint8; what is too small for the network is repeated at its border."""
        seen = torch.from_numpy(cut(frame, look, side).copy()).permute(2, 0, 1)
        h, w = seen.shape[1:]
        pad = (0, self._padded(w) - w, 0, self._padded(h) - h)
        if any(pad):
            seen = F.pad(seen[None].float(), pad, mode="replicate")[0].to(torch.uint8)
        return seen

    def _encode(self, cuts: list[Tensor]) -> list[list[Tensor]]:
        """Encoder maps of each crop, in order; crops of one shape go together."""
        out: list[list[Tensor]] = [[] for _ in cuts]
        shapes: dict[tuple[int, ...], list[int]] = {}
        for i, seen in enumerate(cuts):
            shapes.setdefault(tuple(seen.shape), []).append(i)
        for same in shapes.values():
            for start in range(0, len(same), self.batch):
                part = same[start : start + self.batch]
                batch = self.entry.normalise(torch.stack([cuts[i] for i in part]).to(self.device))
                maps = self.network.encode(batch.contiguous(memory_format=torch.channels_last))
                for row, i in enumerate(part):
                    out[i] = [m[row : row + 1] for m in maps]  # still (1, C, h, w), which keeps channels last
        return out

    @staticmethod
    def _stack(encoded: list[list[Tensor]]) -> list[Tensor]:
        return [torch.cat([e[i] for e in encoded]) for i in range(len(encoded[0]))]

    @torch.inference_mode()
    def _scores(self, encoded: Sequence[Encoded], references: Sequence[Encoded] | None) -> list[float]:
        out: list[float] = []
        for i, x in enumerate(encoded):
            score = self.network.frame(x.maps, None if references is None else references[i].maps, x.afar)
            out.append(float(self.entry.score(score)))
        return out
