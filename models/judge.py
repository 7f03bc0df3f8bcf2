"""Frames in, scores out: a loaded network with its preprocessing, its crops and its scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from . import exported, half, lanes, products, zoo
from .crops import Look, in_turn, picture_looks, tiles
from .encoded import Encoded, Picture, View
from .heads import TokenMaps
from .mosaic import mosaic
from .own_raster import LEAST, NONE, Part
from .pixels import padded, pixels, together
from .place_error import place_error
from .recorded import Recorder, plainly
from .runner import Runner, present
from .said import Said, joined

T = TypeVar("T")
U = TypeVar("U")
BATCH = 8  # crops a forward pass on a CPU: their maps stay in its caches, and one frame's crops go together
GPU_BATCH = 64  # fewer where a GPU's memory runs out
FEWER_OWN = 3  # times fewer places of a frame as it is stored: they are more of it, and differ less
WHOLE = 960  # pixels a side up to which a network that takes any size sees a frame in one piece for its heat map


class Judge:
    """Scores frames with one network. Frames are on the display raster already.

    A frame's score pools the tokens of all its crops at once (sum(s * w) / sum(w) over the frame), so that a crop in
    which the network sees nothing worth judging weighs little. Black bars at its edges are not looked at.

    Arguments and errors are those of `load`, but of a network that is loaded already; torch runs it in float32. It
    belongs to the judge from then on: its steps are recorded, and weights changed afterwards give wrong scores.
    """

    def __init__(self, loaded: zoo.Loaded, *, device: str = "auto", crops: int = 6, seed: int = 0) -> None:
        self.runner = Runner(loaded, device)
        self.device, self.network = self.runner.device, loaded.network
        self.batch = BATCH if self.device.type == "cpu" else GPU_BATCH
        self._lanes = lanes.Lanes()
        self._recorder: Recorder | None = None
        if self.device.type == "cpu" and loaded.entry.config.form == "light":  # the paper's steps are few and large
            self.network.requires_grad_(False)  # a recording holds the weights as they are
            self._recorder = Recorder()
        self.network.steps = self._recorder or plainly
        self.entry, self.model_name = loaded.entry, loaded.entry.name
        self.model_sha256 = loaded.sha256
        self.fold = loaded.fold
        self.crops, self.seed = crops, seed

    @classmethod
    def load(cls, model: str, *, device: str = "auto", crops: int = 6, seed: int = 0, export: bool = True) -> Judge:
        """A judge by model name or weights file.

        Args:
            model: a name of the zoo, or the path of a .safetensors file.
            device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1".
            crops: places of a frame that are looked at, at most.
            seed: of the places.
            export: on a CPU OpenVINO runs the encoder, where it can; the scores are the same within 1e-3 points, in 8
                bits within a few tenths as a rule. On a GPU it computes in 16 bits, where that keeps scores within half
                a point (`half`). Without: torch, in float32.

        Raises:
            zoo.ModelError: an unknown name, a bad file or a device that is not there; one sentence.
        """
        elsewhere = export and present(device) == "cpu"
        loaded, ready = exported.load(model) if elsewhere else (zoo.load(model), None)
        if loaded.entry.config.form == "paper":
            # The whole process computes so from here on. Denormals in its sharp attention, which the default network's
            # never is, cost a factor of three; its products, all large, may take twice as long in MKL as in oneDNN.
            torch.set_flush_denormal(True)
            products.ask_onednn()
        judge = cls(loaded, device=device, crops=crops, seed=seed)
        if elsewhere:
            judge.runner.export(ready)
        elif export and (kinds := half.formats(judge.device)):
            try:
                judge.runner.fallback = half.settle(judge, kinds)
            except (MemoryError, torch.cuda.OutOfMemoryError) as error:
                raise zoo.ModelError(f"the memory of {str(judge.device)!r} is full; use --device cpu") from error
        return judge

    @property
    def engine(self) -> str:
        """What runs the encoder: `Runner.engine`."""
        return self.runner.engine

    @property
    def fallback(self) -> str | None:
        """Why it is slower than it is meant to be on this device, a few words; None where it is not."""
        return self.runner.fallback or (None if self._recorder is None else self._recorder.trouble)

    def encode(self, frames: Sequence[Picture], turns: Sequence[int | None] | None = None) -> list[Encoded]:
        """What the network needs to know of each (H, W, 3) uint8 frame, for either side of a comparison.

        `turns`: of each frame, 0 or 1 for half of its places (`crops.in_turn`), None for all; None: all of all frames.
        """
        looks = zip(frames, turns or [None] * len(frames), strict=True)
        return self._encode_at([self._view(frame, self.crops, turn) for frame, turn in looks])

    def _view(self, frame: Picture, places: int, turn: int | None = None) -> View:
        overview = self.network.config.overview
        grid = picture_looks(frame, places, self.entry.crop, overview=overview, seed=self.seed)
        return View(frame, grid, in_turn(grid, turn))

    def _encode_at(self, views: Sequence[View]) -> list[Encoded]:
        if self._at_once() > 1 and len(views) > 1:  # a frame goes all the way in one lane, and waits for no other
            return self._each(lambda view: self._see(self.runner.maps(self._cut(view)), view), views)
        parts = list(together(self._each(self._cut, views), self.batch))
        if len(parts) == 1 < self._at_once():  # one lane would do it all: its crops are shared out
            shares = self._each(self.runner.maps, torch.chunk(torch.cat(parts[0]), self._at_once()))
            encoded = [[torch.cat(stage) for stage in zip(*shares, strict=True)]]
        else:
            encoded = self._each(lambda part: self.runner.maps(torch.cat(part)), parts)
        maps = [
            list(mine)
            for part, stages in zip(parts, encoded, strict=True)
            for mine in zip(*(torch.split(stage, [len(crops) for crops in part]) for stage in stages), strict=True)
        ]
        return self._each(lambda which: self._see(*which), list(zip(maps, views, strict=True)))

    def _cut(self, view: View) -> Tensor:
        return pixels(view.frame, view.places, self.entry.crop, self.entry)

    def _see(self, maps: list[Tensor], view: View) -> Encoded:
        afar = torch.tensor([look.step > 1 for look in view.places], device=self.device)
        return Encoded(self.network.see(maps, afar), view)

    def _at_once(self) -> int:
        """How many frames are computed side by side (`lanes`); the paper's large layers share threads well."""
        light = self.device.type == "cpu" and self.entry.config.form == "light"
        return min(torch.get_num_threads(), lanes.MOST) if light else 1

    def _each(self, function: Callable[[T], U], items: Sequence[T]) -> list[U]:
        """The function of every item, in order."""
        return self._lanes.each(torch.inference_mode()(function), items, self._at_once())

    def nr(self, encoded: Sequence[Encoded]) -> list[float]:
        """No-reference scores, 0 to 100."""
        return list(map(self.score, self.say(encoded)))

    def fr(self, encoded: Sequence[Encoded], references: Sequence[Encoded]) -> list[float]:
        """Full-reference scores, 0 to 100; arguments and errors are those of `say`."""
        return list(map(self.score, self.say(encoded, references)))

    def say(self, encoded: Sequence[Encoded], references: Sequence[Encoded] | None = None) -> list[Said]:
        """What the network makes of frames alone, or each against the reference at the same position of the list.

        Raises:
            ValueError: a frame and its reference differ in size, or the lists in length.
        """
        pairs: list[tuple[Encoded, Encoded | None]] = [(x, None) for x in encoded]
        if references is not None:
            if len(encoded) != len(references):
                raise ValueError(f"{len(encoded)} frames for {len(references)} references")
            pairs = [(self._where(y.view, x), y) for x, y in zip(encoded, references, strict=True)]
        return self._each(lambda pair: self._say(*pair), pairs)

    def _where(self, reference: View, x: Encoded) -> Encoded:
        """An encode as it is looked at where its master was.

        Bars may have been seen in one of them only, or end a line apart, or it was not these places' turn.
        """
        if x.view.size != reference.size:
            sizes = f"a frame of {x.view.size} against a reference of {reference.size}"
            raise ValueError(f"{sizes}: scale both to one raster")
        if x.view.places == reference.places:
            return x
        return self._encode_at([View(x.view.frame, reference.grid, reference.places)])[0]

    def _say(self, x: Encoded, y: Encoded | None) -> Said:
        return self.network.say(x.seen, None if y is None else y.seen, x.view.places, x.view.grid)

    @torch.inference_mode()
    def score(self, said: Said, *, stored: bool = False) -> float:
        """What that comes to, 0 to 100. `stored`: it was said of a picture as it is stored, that is shown larger."""
        return float(self.entry.score(self.network.frame(said, stored=stored)))

    @property
    def sees_own(self) -> bool:
        """Whether `own` makes anything of pictures that are shown larger than they are stored."""
        return self.entry.own is not None

    def own(self, pictures: Sequence[Picture], octaves: Sequence[float]) -> list[Part]:
        """What pictures as they are stored have in their no-reference scores, each shown larger by so many octaves."""
        made_up, found = self.entry.own, [NONE] * len(pictures)
        if made_up is not None:
            larger = [k for k, much in enumerate(octaves) if much >= LEAST]
            count = max(1, self.crops // FEWER_OWN)
            views = [self._view(pictures[k], count) for k in larger]
            for k, said in zip(larger, self.say(self._encode_at(views)), strict=True):
                part = made_up.of(self.score(said, stored=True), octaves[k])
                found[k] = part._replace(error=place_error("own", part.score, pictures[k].shape[1::-1], count))
        return found

    def joined(self, said: Said, before: Said | None) -> Said | None:
        """What was said of a frame, and of an earlier one of the same video at the places whose turn it was not.

        None where that leaves places out: the earlier one was looked at elsewhere, for bars came or went.
        """
        return joined(said, before, self.entry.crop)

    @torch.inference_mode()
    def features(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        """(n, d) the encoder's first maps of n pictures of one size, d values each: what tells alike moments apart.

        Halved a side, for they are large. A network that takes one size alone sees the middle of the pictures.
        """
        height, width = pictures[0].shape[:2]
        side = self.entry.crop if self.network.config.form == "paper" else max(height, width)
        spot = Look(max(0, (height - side) // 2), max(0, (width - side) // 2))
        seen = torch.cat([pixels(picture, [spot], side, self.entry) for picture in pictures])
        maps = F.avg_pool2d(self.runner.maps(seen)[0], 2)
        return np.asarray(maps.flatten(1).cpu().numpy(), np.float32)

    @torch.inference_mode()
    def heat_map(self, frame: Picture, reference: Picture | None = None) -> NDArray[np.float32]:
        """Where a frame looks bad: (h, w) scores 0 to 100 on a coarse grid over the whole frame.

        The frame is judged everywhere, not only at its crops; with a reference the scores are full-reference.
        """
        side = self.entry.crop if self.network.config.form == "paper" else WHOLE
        height, width = frame.shape[:2]
        spots = [Look(*place) for place in tiles(height, width, side)]
        batch = max(1, self.batch * self.entry.crop**2 // min(side**2, height * width))
        parts = [spots[start : start + batch] for start in range(0, len(spots), batch)]
        see = self.network.see

        def judge(part: list[Look]) -> tuple[Tensor, Tensor]:
            x = see(self.runner.maps(pixels(frame, part, side, self.entry)))
            y = None if reference is None else see(self.runner.maps(pixels(reference, part, side, self.entry)))
            said: TokenMaps = self.network.compare(x, y)
            return said.heat()

        found = list(zip(parts, self._each(judge, parts), strict=True))
        step = padded(min(side, height), self.entry) // found[0][1][0].shape[1]  # pixels a side of one cell
        cells = (
            (look, s, w)
            for part, (votes, weights) in found
            for look, s, w in zip(part, self.entry.score(votes).cpu().numpy(), weights.cpu().numpy(), strict=True)
        )
        return np.clip(mosaic(cells, (height, width), step), 0, 100)
