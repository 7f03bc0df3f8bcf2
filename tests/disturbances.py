"""The truth table of real clips: encodes by real encoders, each disturbed in one way, on an undisturbed master.

What a disturbance may cost is told by the same encode without it: its own decoded pictures, put back by who knows what
was done to them. A second encode, of undisturbed pictures, is another one: with bars, upside down or as fields an
encoder cuts its blocks elsewhere, and a starved one gains or loses points by that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from yoto_video.pipeline import decode, probe
from yoto_video.pipeline.colour import rescaled
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipResult, ClipScore, Ladder, Rendition, VideoRef

from . import clips
from .scene import SIZE, resized

FRAMES = 88
TRIM = 12  # frames of which an encode was deprived
OFFSETS = range(14, 25, 2)  # half to one second: around what the shortest look at two heads can try
BEHIND = OFFSETS[-1]  # frames that the master has after all other encodes


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


Change = Callable[[Any], Any]


def _as_it_is(picture: Any) -> Any:
    return picture


@dataclass(frozen=True)
class Disturbance:
    """What is done to an encode. `shows` are the numbers of the master's frames it holds, `late` black ones before."""

    change: Change = _as_it_is
    size: tuple[int, int] = SIZE
    shows: tuple[int, ...] = tuple(range(FRAMES))
    times: tuple[int, ...] | None = None  # of its frames, in frames; None: one after the other
    late: int = 0
    offset_frames: int = 0  # to be found
    made: dict[str, Any] = field(default_factory=dict)  # of the clip beside these
    codec: str | None = None  # the only one that can do it
    undo: Change | None = _as_it_is  # the encode's pictures to where they belong; None: it scores like `against`
    kept: Change = _as_it_is  # what there is of the master's pictures in it
    against: str = "plain"  # another encode, of pictures that are not disturbed so


def _turned(quarters: int) -> Change:
    return lambda picture: np.rot90(picture, quarters)


def _bars(top: int, left: int) -> dict[str, Any]:
    """Of `Disturbance`: black bars so many pixels wide."""
    return {
        "change": lambda p: np.pad(p, ((top, top), (left, left), (0, 0))),
        "size": (SIZE[0] + 2 * left, SIZE[1] + 2 * top),
        "undo": lambda p: p[top : top + SIZE[1], left : left + SIZE[0]],
    }


def _cut(top: int, left: int) -> dict[str, Any]:
    """Of `Disturbance`: borders cut away."""
    size = (SIZE[0] - 2 * left, SIZE[1] - 2 * top)

    def inner(picture: Any) -> Any:
        return picture[top : top + size[1], left : left + size[0]]

    return {"change": inner, "size": size, "kept": inner}


_SMALL = (212, 120)  # a picture of another shape by less than a line, as tools that round to even sizes make them
_MOST = tuple(n for n in range(FRAMES) if n % 10 != 5)
_AGAIN = tuple(n - (n % 10 == 5) for n in range(FRAMES))
DISTURBED = {
    "plain": Disturbance(),
    **{f"trimmed by {n}": Disturbance(shows=tuple(range(n, n + FRAMES)), offset_frames=n) for n in OFFSETS},
    **{f"late by {n}": Disturbance(late=n, offset_frames=-n) for n in OFFSETS},
    "trimmed": Disturbance(shows=tuple(range(TRIM, TRIM + FRAMES)), offset_frames=TRIM),
    "late": Disturbance(late=10, offset_frames=-10),
    "rotated": Disturbance(_turned(1), SIZE[::-1], undo=_turned(-1)),
    "upside down": Disturbance(_turned(2), undo=_turned(2)),
    "mirrored": Disturbance(lambda p: p[:, ::-1], undo=lambda p: p[:, ::-1]),
    "letterbox": Disturbance(**_bars(22, 0)),
    "letterbox, trimmed": Disturbance(**_bars(22, 0), shows=tuple(range(TRIM, TRIM + FRAMES)), offset_frames=TRIM),
    "letterbox, late": Disturbance(**_bars(22, 0), late=20, offset_frames=-20),
    "pillarbox": Disturbance(**_bars(0, 40)),
    "small letterbox": Disturbance(
        lambda p: np.pad(resized(p, *_SMALL), ((15, 15), (0, 0), (0, 0))), (_SMALL[0], _SMALL[1] + 30),
        undo=lambda p: rescaled(p[15:-15], SIZE), against="small",
    ),
    "cut": Disturbance(**_cut(6, 8)),
    "cut by two": Disturbance(**_cut(2, 2)),
    "cut, enlarged": Disturbance(
        lambda p: resized(p[6:-6, 8:-8], *SIZE), undo=lambda p: rescaled(p, (304, 168)), kept=lambda p: p[6:-6, 8:-8]
    ),
    "full range": Disturbance(made={"range": "pc"}, undo=None),
    "bt601": Disturbance(made={"matrix": "smpte170m"}, undo=None),
    "aspect": Disturbance(
        lambda p: resized(p, 240, 180), (240, 180), made={"aspect": Fraction(4, 3)}, undo=None, against="narrow"
    ),
    "interlaced": Disturbance(made={"options": {"x264-params": "interlaced=1"}}, codec="libx264"),
    "dropped": Disturbance(shows=_MOST, times=_MOST),
    "repeated": Disturbance(shows=_AGAIN),
    "left out": Disturbance(shows=(*range(50), *range(53, FRAMES + 3))),
    "left out early": Disturbance(shows=(*range(20), *range(21, FRAMES + 1))),
    "shown again": Disturbance(shows=(*range(60), 59, 59, *range(60, FRAMES - 2))),
    "half rate": Disturbance(shows=tuple(range(0, FRAMES, 2)), times=tuple(range(0, FRAMES, 2))),
}  # fmt: skip
_OTHERS = {
    "narrow": Disturbance(lambda p: resized(p, 240, 180), (240, 180)),
    "small": Disturbance(lambda p: resized(p, *_SMALL), _SMALL),
}


class Table:
    """The rows of one clip, encoded by one encoder, judged by one network; each is made once."""

    def __init__(self, folder: Path, clip: Path, codec: str, judge: Any) -> None:
        ref = VideoRef(str(clip))
        info = probe.probe(ref)
        self.codec = codec
        self._folder, self._judge = folder, judge
        self._pictures = [f.rgb for f in decode.read_frames(ref, info, range(FRAMES + BEHIND), raster=SIZE)]
        self._known: dict[str, ClipResult] = {}
        path = clips.make(
            folder / "master.mp4", size=SIZE, frames=FRAMES + BEHIND, options={"crf": "8", "preset": "veryfast"},
            matrix="bt709", range="tv", picture=lambda n, w, h: self._pictures[n],
        )  # fmt: skip
        self._master = VideoRef(str(path))

    def row(self, name: str = "plain") -> ClipScore:
        """What is said of the encode disturbed in this way: its comparison, or its row without reference."""
        return self._result(name).clip

    def undisturbed(self, name: str) -> float:
        """The same encode's score without the disturbance: the mean over the frames that were compared.

        Where that cannot be undone exactly (range, matrix, sample aspect ratio), the score of another encode, of the
        same pictures without it.
        """
        wanted = DISTURBED[name]
        if wanted.undo is None:
            return self.row(wanted.against).score or 0.0
        numbers = [row.frame_num for row in self._result(name).frames]
        stands_for = [wanted.shows[n - wanted.late] if n >= wanted.late else 0 for n in numbers]  # 0: black; wrong
        ref = VideoRef(self.row(name).path)
        info = replace(probe.probe(ref), interlaced=False)
        mine = self._judge.encode([np.ascontiguousarray(wanted.undo(p)) for p in _read(ref, info, numbers)])
        pictures = _read(self._master, probe.probe(self._master), stands_for)
        theirs = self._judge.encode([np.ascontiguousarray(wanted.kept(p)) for p in pictures])
        return float(np.mean(self._judge.fr(mine, theirs)))

    def _result(self, name: str) -> ClipResult:
        if name not in self._known:
            path = str(self._encode(name, (DISTURBED | _OTHERS)[name]))
            ladder = Ladder("t", (Rendition(VideoRef(path)),), self._master)
            rows = measure_ladder(ladder, self._judge, Settings(crops=2)).results
            self._known[name] = [r for r in rows if r.clip.path == path][-1]
        return self._known[name]

    def _encode(self, name: str, wanted: Disturbance) -> Path:
        black = np.zeros_like(wanted.change(self._pictures[0]))
        shown = [black] * wanted.late + [wanted.change(self._pictures[n]) for n in wanted.shows]
        made = {"matrix": "bt709", "range": "tv"} | wanted.made
        made["options"] = CODECS[self.codec](made["range"] == "pc") | made.get("options", {})
        return clips.make(
            self._folder / f"{name}.mp4", codec=self.codec, size=wanted.size, frames=len(shown), times=wanted.times,
            picture=lambda n, w, h: shown[n], **made,
        )  # fmt: skip


def _read(ref: VideoRef, info: Any, numbers: list[int]) -> list[Any]:
    """Pictures of these frames of a video, in this order."""
    shown = {f.index: f.rgb for f in decode.read_frames(ref, info, numbers)}
    return [shown[n] for n in numbers]
