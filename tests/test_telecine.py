"""Film woven into fields: told from video, put together again, and compared with the film it came from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from yoto_video.pipeline import decode, fields, probe, telecine
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

from . import clips
from .fakes import FakeJudge
from .scene import SIZE, scene

FILM_FRAMES = 72  # 90 pictures
GOOD = {"crf": "14", "preset": "veryfast"}
MARKED = GOOD | {"x264-params": "interlaced=1"}
LUMA = np.array([0.2126, 0.7152, 0.0722])


def film(number: int, _width: int = 0, _height: int = 0) -> Any:
    return scene(number / float(clips.FILM), pan=200)


def gray(picture: Any) -> Any:
    return (picture @ LUMA).astype(np.uint8)


def woven(fields_of: list[tuple[int, int]], draw: Any = film) -> list[Any]:
    """Pictures of the upper lines of one film frame and the lower ones of another."""
    made = []
    for upper, lower in fields_of:
        picture = gray(draw(upper))
        picture[1::2] = gray(draw(lower))[1::2]
        made.append(picture)
    return made


def pulldown(count: int, phase: int, upper_first: bool) -> list[tuple[int, int]]:
    """Which film frames' fields each picture holds."""
    cycle = [(0, 0), (1, 1), (1, 2), (2, 3), (3, 3)]
    both = [(4 * (n // 5) + cycle[n % 5][0], 4 * (n // 5) + cycle[n % 5][1]) for n in range(phase, phase + count)]
    return both if upper_first else [(b, a) for a, b in both]


@pytest.mark.parametrize("phase", range(5))
@pytest.mark.parametrize("upper_first", [True, False])
def test_pulldown_is_told_at_every_place_of_its_cycle(phase: int, upper_first: bool) -> None:
    rng = np.random.default_rng(phase)
    pictures = woven(pulldown(telecine.RUN, phase, upper_first))
    assert telecine.shows_film(pictures)
    noisy = [np.clip(p + rng.normal(0, 6, p.shape), 0, 255).astype(np.uint8) for p in pictures]
    assert telecine.shows_film(noisy)


def test_nothing_else_is_taken_for_pulldown() -> None:
    count = telecine.RUN
    progressive = woven([(n, n) for n in range(count)])
    interlaced = woven([(2 * n, 2 * n + 1) for n in range(count)], lambda n: scene(n / 60, pan=200))
    repeated = woven([(k, k) for n in range(count) for k in [4 * (n // 5) + (0, 1, 1, 2, 3)[n % 5]]])
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (64, 96)).astype(np.uint8) for _ in range(count)]
    still = woven([(0, 0)] * count)
    for pictures in (progressive, interlaced, repeated, noise, still, still[:3], []):
        assert not telecine.shows_film(pictures)


@pytest.mark.parametrize(("name", "first_field"), [("t.mp4", "top"), ("t.mp4", "bottom"), ("whole_ms.mkv", "top")])
def test_film_is_read_as_film(tmp_path: Path, name: str, first_field: str) -> None:
    how: dict[str, Any] = {"first_field": first_field, "size": SIZE, "options": MARKED, "gop": 40}
    path = clips.telecined(tmp_path / name, film, FILM_FRAMES, **how)
    ref = VideoRef(str(path))
    assert telecine.is_woven(ref)
    info = replace(probe.probe(ref), telecine=True)
    for shown in decode.read_frames(ref, info, range(4, 80, 5)):
        upper, lower = pulldown(1, shown.index, first_field == "top")[0]
        off = [float(np.abs(shown.rgb.astype(float) - film(n)).mean()) for n in (upper, lower)]
        assert off[0] < 5, (shown.index, off)


def test_progressive_encodes_are_no_film_in_fields(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "p.mp4", picture=film, size=SIZE, frames=60, rate=clips.NTSC, options=GOOD)
    assert not telecine.is_woven(VideoRef(str(path)))


@pytest.mark.parametrize("marked", [True, False])
def test_a_telecined_encode_is_compared_with_its_film(tmp_path: Path, marked: bool) -> None:
    made: dict[str, Any] = {"size": SIZE, "options": GOOD | {"crf": "28"}}
    master = clips.make(
        tmp_path / "master.mp4", picture=film, frames=FILM_FRAMES, rate=clips.FILM, size=SIZE, options=GOOD,
        matrix="bt709", range="tv",
    )  # fmt: skip
    plain = clips.make(
        tmp_path / "plain.mp4", picture=film, frames=FILM_FRAMES, rate=clips.FILM, matrix="bt709", range="tv", **made
    )
    made["options"] |= {"x264-params": "interlaced=1"} if marked else {}
    fielded = clips.telecined(tmp_path / "fielded.mp4", film, FILM_FRAMES, **made)
    ladder = Ladder("t", tuple(Rendition(VideoRef(str(p))) for p in (plain, fielded)), VideoRef(str(master)))
    result = measure_ladder(ladder, FakeJudge(), Settings(fps=4))
    rows = {(Path(r.clip.path).stem, r.clip.mode): r.clip for r in result.results}
    one, two = rows["plain", "fr"], rows["fielded", "fr"]
    assert two.score == pytest.approx(one.score, abs=2)
    assert two.pools["min"] > one.pools["min"] - 4  # a film frame off would cost 6 to 8
    assert two.offset_frames == 0
    (told,) = (f for f in rows["fielded", "nr"].findings if f.kind == "telecine")
    severity = "info" if marked else "warning"
    assert told == Finding(fields.SAID_OF_FILM + ("" if marked else fields.SHOWN_COMBED), "telecine", severity)
    assert not any(f.kind in ("telecine", "offset") for f in (*one.findings, *rows["master", "nr"].findings))
