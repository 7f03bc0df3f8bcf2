"""Frames left out at one place and as many shown again at another: told to the frame, and nothing of what is clean."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.pipeline import decode, probe
from yoto_video.pipeline.luma import HEIGHT, WIDTH, Sight
from yoto_video.pipeline.match import Match, match
from yoto_video.pipeline.values import VideoRef

from . import clips
from .fakes import info, times

FRAMES = 150


class Held(Sight):
    """Of pictures that are in memory."""

    def __init__(self, luma: Any, rate: Fraction = Fraction(25)) -> None:
        super().__init__(VideoRef("/held.mp4"), info(), times(len(luma), rate))
        self._luma = luma

    def _read(self, first: int, last: int) -> Any:
        return self.stream(list(range(first, min(last, len(self._luma)))))

    def stream(self, numbers: list[int]) -> Any:
        return ((n, self._luma[n]) for n in numbers)


def film(pace: float, seed: int) -> Any:
    """(150, 180, 320) a camera that goes over a landscape, not evenly; pixels a frame."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = rng.uniform(0.01, 0.15, (12, 2)), rng.uniform(0, 6, 12)
    way = pace * (np.arange(FRAMES) + 6 * np.sin(np.arange(FRAMES) / 9))
    pictures = [sum(np.sin(a * (columns + x) + b * rows + c) for (a, b), c in zip(*waves, strict=True)) for x in way]
    return np.clip(128 + 20 * np.array(pictures), 0, 255).astype(np.uint8)


def swapped(at: int, stretch: int, frames: int, *, first_again: bool, of: int = FRAMES) -> list[int]:
    """The frames shown, where some are left out and as many shown again."""
    shown = list(range(of))
    if first_again:
        shown[at:at] = [at - 1] * frames
        del shown[at + frames + stretch : at + 2 * frames + stretch]
    else:
        del shown[at : at + frames]
        shown[at + stretch : at + stretch] = [shown[at + stretch - 1]] * frames
    return shown


def laid(encode: Sight, master: Sight) -> Match:
    rate = Fraction(25)
    return match(encode, master, (WIDTH, HEIGHT), (WIDTH, HEIGHT), (rate, rate), closely=True)


@given(
    at=st.integers(40, 60),  # behind the head that is looked at first
    stretch=st.integers(25, 50),
    frames=st.sampled_from([1, 2, 3, 6]),
    first_again=st.booleans(),
    pace=st.sampled_from([1.5, 3.0, 6.0]),
    seed=st.integers(0, 5),
)
@settings(max_examples=12, deadline=None, derandomize=True)
def test_what_is_left_out_and_shown_again_later_is_found(
    at: int, stretch: int, frames: int, first_again: bool, pace: float, seed: int
) -> None:
    pictures = film(pace, seed)
    noise = np.random.default_rng(seed).normal(0, 4, pictures.shape)
    shown = swapped(at, stretch, frames, first_again=first_again)
    found = laid(Held(np.clip(pictures[shown] + noise, 0, 255).astype(np.uint8)), Held(pictures))
    assert found.reason is None
    moments = [found.clock.of_master(time) * 25 for time in times(FRAMES)]
    assert sum(abs(one - other) > 0.5 for one, other in zip(moments, shown, strict=True)) <= 2
    assert sum("plays on" in getattr(one, "sentence", "") for one in found.findings) == 2
    clean = laid(Held(np.clip(pictures + noise, 0, 255).astype(np.uint8)), Held(pictures))
    assert clean.findings == ()
    assert not clean.clock.steps


def test_a_frame_left_out_at_half_the_rate_is_two_of_the_master() -> None:
    pictures = film(3.0, 1)
    encode, master = Held(pictures[[*range(0, 80, 2), *range(82, FRAMES, 2)]], Fraction(25, 2)), Held(pictures)
    size = (WIDTH, HEIGHT)
    found = match(encode, master, size, size, (Fraction(25, 2), Fraction(25)), closely=True)
    assert found.reason is None
    assert found.clock.ratio == 1
    assert any("leaves out 2 frames (0.08 s)" in str(getattr(one, "sentence", one)) for one in found.findings)


def test_frames_of_a_real_clip(data_dir: Path, tmp_path: Path) -> None:
    """Three are left out after 1.2 s and three shown again after 2.6 s: its length tells nothing of it."""
    ref = VideoRef(str(data_dir / "clips/sdr/bikes_640x272.mp4"))
    pictures = [f.rgb for f in decode.read_frames(ref, probe.probe(ref), range(100), raster=(320, 136))]
    sights = []
    for name, shown, crf in (("m", list(range(100)), "10"), ("e", swapped(30, 35, 3, first_again=False, of=100), "30")):
        path = clips.make(
            tmp_path / f"{name}.mp4", size=(320, 136), frames=100, options={"crf": crf, "preset": "veryfast"},
            picture=lambda n, w, h, shown=shown: pictures[shown[n]],
        )  # fmt: skip
        one = VideoRef(str(path))
        about = probe.probe(one)
        sights.append(Sight(one, about, decode.frame_times(one, about)))
    found = laid(sights[1], sights[0])
    assert [str(getattr(one, "sentence", one)) for one in found.findings] == [
        "leaves out 3 frames (0.12 s) of its master, and plays on",
        "shows again 3 frames (0.12 s) of its master, and plays on",
    ]
