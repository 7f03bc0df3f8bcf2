"""The truth table with real clips, encoders and network; and 100 pairs of clips that are unrelated.

A sample of it: the whole is benchmarks/bench_truth.py and bench_unrelated.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path

import av
import pytest
from yoto_video.models.judge import Judge
from yoto_video.pipeline import decode, probe
from yoto_video.pipeline.luma import Sight
from yoto_video.pipeline.match import match
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import Ladder, Rendition, VideoInfo, VideoRef

from . import clips
from .disturbances import DISTURBED, Table
from .fakes import FakeJudge

TABLES = {
    ("dog_720p.mp4", "libx264"): [
        "trimmed", "late", "rotated", "mirrored", "letterbox", "small letterbox", "cut", "full range", "bt601",
        "aspect", "interlaced", "dropped", "half rate", "left out", "left out early", "shown again",
    ],
    ("coffee_720p.mp4", "libx265"): ["trimmed", "letterbox"],
    ("bigbuckbunny_720p.mp4", "libvpx-vp9"): ["cut", "dropped"],
    ("flower_540p.mp4", "libx264"): ["trimmed"],  # nearly still
    ("coffee_720p.mp4", "libvpx-vp9"): ["letterbox"],  # so starved that its picture bleeds over the bars
}  # fmt: skip


@pytest.fixture(scope="module")
def table(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Table]:
    judge = Judge.load("yoto_mobilenetv2", device="cpu", crops=2)

    @cache
    def table(clip: str, codec: str) -> Table:
        return Table(tmp_path_factory.mktemp("real"), data_dir / "clips" / "sdr" / clip, codec, judge)

    return table


@pytest.mark.parametrize(
    ("clip", "codec", "name"), [(*which, name) for which, names in TABLES.items() for name in names]
)
def test_a_disturbance_costs_no_points(table: Callable[[str, str], Table], clip: str, codec: str, name: str) -> None:
    some = table(clip, codec)
    found = some.row(name)
    assert found.mode == "fr"
    assert found.score == pytest.approx(some.undisturbed(name), abs=2)
    assert found.offset_frames == DISTURBED[name].offset_frames
    assert found.match_confidence is not None
    assert found.match_confidence > 0.8


@pytest.mark.parametrize("crf", [45, 51])
def test_a_starved_encode_is_not_held_for_cropped(data_dir: Path, tmp_path: Path, crf: int) -> None:
    """Its blocks fit better on a master some pixels narrower, where nobody cut anything."""
    with av.open(str(data_dir / "clips" / "sdr" / "bedroom_540p.mp4")) as container:
        shown = [f.reformat(640, 360, "rgb24").to_ndarray() for f in islice(container.decode(video=0), 60)]

    def seen(name: str, preset: str, quality: int) -> Sight:
        options = {"preset": preset, "crf": str(quality)}
        path = clips.make(
            tmp_path / name, size=(640, 360), frames=60, gop=250, options=options, picture=lambda n, *_: shown[n]
        )
        ref = VideoRef(str(path))
        info = probe.probe(ref)
        return Sight(ref, info, decode.frame_times(ref, info))

    encode, master = seen("encode.mp4", "ultrafast", crf), seen("master.mp4", "veryfast", 8)
    found = match(encode, master, (640, 360), (640, 360), (Fraction(25), Fraction(25)))
    assert (found.reason, found.view, found.master_view, found.frames) == (None, None, None, 0)


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
