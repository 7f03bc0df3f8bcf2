"""The truth table with a real clip, real encoders and the real network; and 100 pairs of clips that are unrelated."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from yoto_video.models.judge import Judge
from yoto_video.pipeline import decode, probe
from yoto_video.pipeline.luma import Sight
from yoto_video.pipeline.match import match
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipScore, Ladder, Rendition, VideoInfo, VideoRef

from . import clips
from .fakes import FakeJudge
from .scene import SIZE, resized

FRAMES = 88
TRIM = 12  # frames that the master has before all encodes
Row = Callable[..., ClipScore]


@pytest.fixture(scope="module")
def pictures(data_dir: Path) -> list[Any]:
    ref = VideoRef(str(data_dir / "clips" / "sdr" / "dog_720p.mp4"))
    info = probe.probe(ref)
    return [f.rgb for f in decode.read_frames(ref, info, range(FRAMES + TRIM), raster=SIZE)]


@pytest.fixture(scope="module")
def row(pictures: list[Any], tmp_path_factory: pytest.TempPathFactory) -> Row:
    """The comparison of one encode with the master; without arguments that of the undisturbed encode."""
    folder = tmp_path_factory.mktemp("real")
    judge = Judge.load("yoto_mobilenetv2", device="cpu", crops=2)
    good = {"crf": "8", "preset": "veryfast"}
    master = clips.make(
        folder / "master.mp4", size=SIZE, frames=FRAMES + TRIM, options=good, matrix="bt709", range="tv",
        picture=lambda n, w, h: pictures[n],
    )  # fmt: skip
    known: dict[str, ClipScore] = {}

    def row(
        name: str = "plain", change: Callable[[Any], Any] = lambda p: p, *, trim: int = 0, **options: Any
    ) -> ClipScore:
        if name in known:
            return known[name]
        size = options.pop("size", SIZE)
        extra, kept = options.pop("x264", {}), options.pop("kept", range(FRAMES))
        if len(kept) < FRAMES:
            options |= {"frames": len(kept), "times": kept}
        made: dict[str, Any] = {"matrix": "bt709", "range": "tv", "frames": FRAMES} | options
        lossy = {"crf": "30", "preset": "veryfast"} | extra
        path = clips.make(
            folder / f"{name}.mp4",
            size=size,
            options=lossy,
            picture=lambda n, w, h: change(pictures[kept[n] + trim]),
            **made,
        )
        ladder = Ladder("t", (Rendition(VideoRef(str(path))),), VideoRef(str(master)))
        result = measure_ladder(ladder, judge, Settings(crops=2))
        known[name] = {r.clip.mode: r.clip for r in result.results if r.clip.path == str(path)}["fr"]
        return known[name]

    return row


def turned(quarters: int) -> Callable[[Any], Any]:
    return lambda p: np.rot90(p, quarters)


DISTURBED: dict[str, dict[str, Any]] = {
    "trimmed": {"trim": TRIM},
    "rotated": {"change": turned(1), "size": SIZE[::-1]},
    "mirrored": {"change": lambda p: p[:, ::-1]},
    "letterbox": {"change": lambda p: np.pad(p, ((22, 22), (0, 0), (0, 0))), "size": (SIZE[0], SIZE[1] + 44)},
    "cut": {"change": lambda p: p[6:-6, 8:-8], "size": (SIZE[0] - 16, SIZE[1] - 12)},
    "full_range": {"range": "pc"},
    "bt601": {"matrix": "smpte170m"},
    "aspect": {"change": lambda p: resized(p, 240, 180), "size": (240, 180), "aspect": Fraction(4, 3)},
    "interlaced": {"x264": {"x264-params": "interlaced=1"}},
    "dropped": {"kept": [n for n in range(FRAMES) if n % 10 != 5]},
}


@pytest.mark.parametrize("name", DISTURBED)
def test_a_disturbance_costs_no_points(row: Row, name: str) -> None:
    plain, found = row(), row(name, **DISTURBED[name])
    if name == "aspect":  # against an encode as narrow, whose samples are marked square
        plain = row("narrow", lambda p: resized(p, 240, 180), size=(240, 180))
    assert plain.score is not None
    assert found.score == pytest.approx(plain.score, abs=2)
    assert found.offset_frames == (TRIM if name == "trimmed" else 0)
    assert found.match_confidence is not None
    assert found.match_confidence > 0.8


def short(path: Path) -> tuple[Sight, VideoInfo]:
    """A video's first 0.8 seconds."""
    ref = VideoRef(str(path))
    info = probe.probe(ref)
    times = [t for t in decode.frame_times(ref, info) if t < Fraction(4, 5)]
    return Sight(ref, info, times), info


def test_unrelated_clips_are_refused(data_dir: Path) -> None:
    folder = data_dir / "clips"
    names = [*(f"sdr/{p.name}" for p in sorted((folder / "sdr").glob("*.mp4"))), "fr_pairs/carphone_pristine.mp4"]
    names += ["fr_pairs/ferris-ref.mp4", "torture/bt601.mp4"]
    looks = [short(folder / name) for name in names]
    pairs = [(a, b) for a in looks for b in looks if a is not b]
    assert len(pairs) >= 100
    compared = [
        (a, b)
        for a, b in pairs
        if match(a[0], b[0], (320, 180), (320, 180), (a[1].fps or Fraction(25), b[1].fps or Fraction(25))).reason
        is None
    ]
    assert len(compared) <= len(pairs) // 100


def ladder_of(folder: Path, master: str, *encodes: str) -> Ladder:
    found = tuple(Rendition(VideoRef(str(folder / name))) for name in encodes)
    return Ladder("t", found, VideoRef(str(folder / master)))


def test_the_published_pairs_are_ranked(data_dir: Path) -> None:
    folder, judge = data_dir / "clips" / "fr_pairs", Judge.load("yoto_mobilenetv2", device="cpu", crops=2)
    settings = Settings(crops=2, display=(640, 360), fps=1, min_frames=4)
    worse = ("ferris-bicubic-bicubic.mp4", "ferris-nearest-nearest.mp4", "ferris-test-sat.mp4")
    result = measure_ladder(ladder_of(folder, "ferris-ref.mp4", "ferris-ref.mp4", *worse), judge, settings)
    scores = {r.clip.path.rsplit("/", 1)[-1]: r.clip.score for r in result.results if r.clip.mode == "fr"}
    assert set(scores) == {"ferris-ref.mp4", *worse}
    assert all(scores[name] < scores["ferris-ref.mp4"] for name in worse)  # type: ignore[operator]

    pair = ladder_of(folder, "carphone_pristine.mp4", "carphone_distorted.mp4")
    (poor,) = (r.clip for r in measure_ladder(pair, judge, Settings(crops=2)).results if r.clip.mode == "fr")
    assert poor.score is not None
    assert poor.score < 50


TORTURE = {
    "hdr10-av1.mp4": "HDR (PQ): tone-mapped",
    "hlg10-color-test.mp4": "HDR (HLG): tone-mapped",
    "bbb_2500ms.ts": "",
    "sample_rotate_and_reflect.mp4": "",
    "internal_emulator_transformer_output_270_rotated.mp4": "",
    "edit_list_positive_shift.mp4": "",
    "iibbibb_editlist_videoonly.mp4": "",
    "sample_with_increasing_timestamps_320w_240h_5s.mp4": "",
}


@pytest.mark.parametrize("name", TORTURE)
def test_a_difficult_file_agrees_with_itself(data_dir: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / name
    shutil.copy(data_dir / "clips" / "torture" / name, copy)
    pair = Ladder("t", (Rendition(VideoRef(str(copy))),), VideoRef(str(data_dir / "clips" / "torture" / name)))
    result = measure_ladder(pair, FakeJudge(), Settings(display=(160, 96), min_frames=3, fps=0.5))
    (clip,) = (r.clip for r in result.results if r.clip.mode == "fr")
    assert clip.pools["min"] == 100
    assert clip.offset_frames == 0
    assert any(TORTURE[name] in said for said in (*clip.sentences, ""))
