"""The truth table of real clips: encodes by real encoders, each disturbed in one way, on an undisturbed master."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from yoto_video.pipeline import decode, probe
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipScore, Ladder, Rendition, VideoRef

from . import clips
from .scene import SIZE, resized

FRAMES = 88
TRIM = 12  # frames that the master has before all encodes


def _x264(coarser: bool) -> dict[str, str]:
    return {"preset": "veryfast", "qp": "33" if coarser else "32"}


def _x265(coarser: bool) -> dict[str, str]:
    return {"preset": "veryfast", "x265-params": f"log-level=none:pools=1:qp={35 if coarser else 34}"}


def _vp9(coarser: bool) -> dict[str, str]:
    step = "50" if coarser else "48"
    return {"cpu-used": "8", "deadline": "realtime", "b": "0", "crf": step, "qmin": step, "qmax": step}


# Constant quantisers: a rate control would give frames left out, repeated or longer ones another quality. Coarser ones
# for full range, by as much as it is wider than limited.
CODECS = {"libx264": _x264, "libx265": _x265, "libvpx-vp9": _vp9}


@dataclass(frozen=True)
class Disturbance:
    """What is done to an encode. `shows` are the numbers of the master's frames it holds, `late` black ones before."""

    change: Callable[[Any], Any] = lambda picture: picture
    size: tuple[int, int] = SIZE
    shows: tuple[int, ...] = tuple(range(FRAMES))
    times: tuple[int, ...] | None = None  # of its frames, in frames; None: one after the other
    late: int = 0
    offset_frames: int = 0  # to be found
    made: dict[str, Any] = field(default_factory=dict)  # of the clip beside these
    codec: str | None = None  # the only one that can do it
    against: str = "plain"  # the encode it has to score like


def _turned(quarters: int) -> Callable[[Any], Any]:
    return lambda picture: np.rot90(picture, quarters)


_MOST = tuple(n for n in range(FRAMES) if n % 10 != 5)
_AGAIN = tuple(n - (n % 10 == 5) for n in range(FRAMES))
DISTURBED = {
    "plain": Disturbance(),
    "trimmed": Disturbance(shows=tuple(range(TRIM, TRIM + FRAMES)), offset_frames=TRIM),
    "late": Disturbance(late=10, offset_frames=-10),
    "rotated": Disturbance(_turned(1), SIZE[::-1]),
    "upside down": Disturbance(_turned(2)),
    "mirrored": Disturbance(lambda p: p[:, ::-1]),
    "letterbox": Disturbance(lambda p: np.pad(p, ((22, 22), (0, 0), (0, 0))), (SIZE[0], SIZE[1] + 44)),
    "pillarbox": Disturbance(lambda p: np.pad(p, ((0, 0), (40, 40), (0, 0))), (SIZE[0] + 80, SIZE[1])),
    "cut": Disturbance(lambda p: p[6:-6, 8:-8], (SIZE[0] - 16, SIZE[1] - 12)),
    "cut by two": Disturbance(lambda p: p[2:-2, 2:-2], (SIZE[0] - 4, SIZE[1] - 4)),
    "full range": Disturbance(made={"range": "pc"}),
    "bt601": Disturbance(made={"matrix": "smpte170m"}),
    "narrow": Disturbance(lambda p: resized(p, 240, 180), (240, 180)),
    "aspect": Disturbance(
        lambda p: resized(p, 240, 180), (240, 180), made={"aspect": Fraction(4, 3)}, against="narrow"
    ),
    "interlaced": Disturbance(made={"options": {"x264-params": "interlaced=1"}}, codec="libx264"),
    "dropped": Disturbance(shows=_MOST, times=_MOST),
    "repeated": Disturbance(shows=_AGAIN),
    "half rate": Disturbance(shows=tuple(range(0, FRAMES, 2)), times=tuple(range(0, FRAMES, 2))),
}


class Table:
    """The rows of one clip, encoded by one encoder, judged by one network; each is made once."""

    def __init__(self, folder: Path, clip: Path, codec: str, judge: Any) -> None:
        ref = VideoRef(str(clip))
        info = probe.probe(ref)
        self.codec = codec
        self._folder, self._judge = folder, judge
        self._pictures = [f.rgb for f in decode.read_frames(ref, info, range(FRAMES + TRIM), raster=SIZE)]
        self._known: dict[str, ClipScore] = {}
        self._master = clips.make(
            folder / "master.mp4", size=SIZE, frames=FRAMES + TRIM, options={"crf": "8", "preset": "veryfast"},
            matrix="bt709", range="tv", picture=lambda n, w, h: self._pictures[n],
        )  # fmt: skip

    def row(self, name: str = "plain") -> ClipScore:
        """What is said of the encode disturbed in this way: its comparison, or its row without reference."""
        if name not in self._known:
            path = str(self._encode(name, DISTURBED[name]))
            ladder = Ladder("t", (Rendition(VideoRef(path)),), VideoRef(str(self._master)))
            rows = measure_ladder(ladder, self._judge, Settings(crops=2)).results
            self._known[name] = [r.clip for r in rows if r.clip.path == path][-1]
        return self._known[name]

    def _encode(self, name: str, wanted: Disturbance) -> Path:
        black = np.zeros_like(self._pictures[0])
        shown = [black] * wanted.late + [wanted.change(self._pictures[n]) for n in wanted.shows]
        made = {"matrix": "bt709", "range": "tv"} | wanted.made
        made["options"] = CODECS[self.codec](made["range"] == "pc") | made.get("options", {})
        return clips.make(
            self._folder / f"{name}.mp4", codec=self.codec, size=wanted.size, frames=len(shown), times=wanted.times,
            picture=lambda n, w, h: shown[n], **made,
        )  # fmt: skip
