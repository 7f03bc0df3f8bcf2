"""What a run was asked to do. Frozen, and part of every result's identity."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

Decoder = Literal["pyav", "decord"]


@dataclass(frozen=True)
class Settings:
    """How frames are chosen, decoded and judged."""

    model: str = "yoto_mobilenetv2"  # a name of models.zoo, or a path of a .safetensors file
    fps: float = 2.0  # sampled frames a second of video
    min_frames: int = 8  # a clip is sampled denser than `fps` until it gives this many (or has no more)
    display: tuple[int, int] | None = None  # (width, height) of the raster frames are judged at; None: display_raster
    decoder: Decoder = "pyav"
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1": where the network runs
    crops: int = 6  # places of 224x224 a frame is judged at
    worst_frames: int = 2  # worst frames of a clip whose pictures and heat maps are kept
    decode_timeout_s: float = 60.0  # longest wait for the next frame of one file
    seed: int = 0  # of the sampling jitter and the crop places
    time_limit_s: float = 3600.0  # longest time one video may take in all
    memory_limit_mb: int = 4096  # most memory that measuring a ladder may add to its process
    compare: bool = True  # with the master too, where there is one; False: without reference alone

    def identity(self) -> dict[str, object]:
        """The settings that change a score, JSON-ready: part of a result's id. Device and limits are not."""
        limits = {"decode_timeout_s", "time_limit_s", "memory_limit_mb"}
        drop = {"device", "worst_frames", "model", *limits}  # the model counts by its weights' sha256
        if self.compare:
            drop.add("compare")  # the ids of results from before there was the choice stay
        return {k: v for k, v in asdict(self).items() if k not in drop}

    def first_look(self) -> Settings:
        """What a scan with a budget begins with: a frame in ten seconds, without reference, no pictures kept."""
        return replace(self, fps=min(self.fps, 0.1), min_frames=min(self.min_frames, 4), compare=False, worst_frames=0)
