"""Same pictures or not: encodes of one moving scene against other scenes, stills, black and broken files."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from yoto_video.pipeline import probe
from yoto_video.pipeline.fingerprint import Alike, compare, moments, opening, same_picture
from yoto_video.pipeline.glance import glance
from yoto_video.pipeline.looking import Looks
from yoto_video.pipeline.values import VideoRef

from . import clips
from .drifting import scene

TURNED = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
FLIPPED = (1 << 16, 0, 0, 0, -(1 << 16), 0, 0, 0, 1 << 30)


def _looks(*refs: VideoRef) -> Looks:
    looks = Looks()
    looks.prepare((ref, 0) for ref in refs)
    return looks


def test_encodes_of_one_scene(tmp_path: Path) -> None:
    one = scene(tmp_path / "one.mp4", 1, (320, 180), crf=18)
    others = [
        scene(tmp_path / "small.mp4", 1, (96, 54), crf=40),
        scene(tmp_path / "faster.mkv", 1, fps=24),
        scene(tmp_path / "stream.ts", 1),
        scene(tmp_path / "mpeg4.avi", 1, codec="mpeg4"),
        scene(tmp_path / "darker.mp4", 1, level=0.8),
    ]
    assert _looks(one, *others).alike(one, others) == [Alike.SAME] * len(others)


def test_other_scenes(tmp_path: Path) -> None:
    one, *others = [scene(tmp_path / f"{seed}.mp4", seed) for seed in range(8)]
    assert _looks(one, *others).alike(one, others) == [Alike.DIFFERENT] * len(others)


def test_where_nothing_moves_it_says_so(tmp_path: Path) -> None:
    one, two = (scene(tmp_path / f"{crf}.mp4", 1, crf=crf, moves=False) for crf in (18, 35))
    other = scene(tmp_path / "o.mp4", 1)
    assert _looks(one, two, other).alike(one, [two, other]) == [Alike.SAME_STILL, Alike.DIFFERENT]


def test_black_tells_nothing(tmp_path: Path) -> None:
    one, two = (scene(tmp_path / f"{crf}.mp4", 1, crf=crf, level=0.0) for crf in (18, 35))
    assert _looks(one, two).alike(one, [two]) == [Alike.UNKNOWN]


def test_unreadable_files_are_unknown(tmp_path: Path) -> None:
    good, bad = scene(tmp_path / "g.mp4", 1), VideoRef(str(tmp_path / "bad.mp4"))
    (tmp_path / "bad.mp4").write_bytes(b"not a video")
    assert glance(bad) is None
    assert glance(VideoRef(str(tmp_path / "none.mp4"))) is None
    assert opening(bad) is None
    assert moments(bad, 3.0) == (None, None, None)
    assert _looks(good, bad).alike(good, [bad]) == [Alike.UNKNOWN]


def test_glance_reads_the_header(tmp_path: Path) -> None:
    ref = scene(tmp_path / "a.mp4", 1, (320, 180))
    seen = glance(ref, (tmp_path / "a.mp4").stat().st_size)
    assert seen is not None
    assert (seen.width, seen.height, seen.codec) == (320, 180, "h264")
    assert seen.duration_s == pytest.approx(3.0)
    assert seen.bitrate_kbps == pytest.approx((tmp_path / "a.mp4").stat().st_size * 8 / 3000, rel=1e-6)


@pytest.mark.parametrize("matrix", [TURNED, FLIPPED, None])
@pytest.mark.parametrize("more", [{}, {"container_options": clips.FRAGMENTED}, {"aspect": Fraction(2)}])
def test_a_turned_video_is_planned_as_it_is_shown(
    matrix: Sequence[int] | None, more: dict[str, Any], tmp_path: Path
) -> None:
    path = clips.make(tmp_path / "turned.mp4", size=(64, 32), frames=3, display_matrix=matrix, **more)
    shown = probe.probe(VideoRef(str(path)))
    data, parts = path.read_bytes(), [tmp_path / "1.mp4", tmp_path / "2.m4s"]
    for part, some in zip(parts, (data[:900], data[900:]), strict=True):
        part.write_bytes(some)
    one, two = glance(VideoRef(str(path))), glance(VideoRef("list.m3u8#1", tuple(map(str, parts))))
    assert one is not None
    assert two is not None
    assert (one.width, one.height) == (two.width, two.height) == (shown.width, shown.height)
    assert (one.width, one.height) == ((64 * more.get("aspect", 1), 32)[:: 1 if matrix is not TURNED else -1])


def test_the_plan_says_the_size_that_the_row_will_have(data_dir: Path) -> None:
    for name in ("sample_rotate_and_reflect.mp4", "internal_emulator_transformer_output_270_rotated.mp4"):
        seen = glance(VideoRef(str(data_dir / "clips" / "torture" / name)))
        shown = probe.probe(VideoRef(str(data_dir / "clips" / "torture" / name)))
        assert seen is not None
        assert (seen.width, seen.height) == (shown.width, shown.height)


def test_moments_are_those_moments(tmp_path: Path) -> None:
    """The seeking reader gives the frames that reading everything gives."""
    ref = scene(tmp_path / "a.mp4", 3, fps=12, seconds=5)
    with av.open(ref.path) as container:
        frames = [f.reformat(32, 18, "gray", interpolation="AREA").to_ndarray() for f in container.decode(video=0)]
    for part, found in zip((0.2, 0.5, 0.8), moments(ref, 5.0), strict=True):
        expected = frames[round(part * 60)].astype(np.float32)
        assert found is not None
        assert np.abs(found - expected).max() < 6  # deblocking is skipped
        nearest = min(range(60), key=lambda i: float(np.abs(frames[i] - found).mean()))
        assert nearest == round(part * 60)


def test_comparison_is_symmetric_and_forgives_missing_moments() -> None:
    rng = np.random.default_rng(0)
    a = [rng.uniform(0, 255, (18, 32)).astype(np.float32) for _ in range(3)]
    b = [0.7 * x + 20 + rng.normal(0, 5, x.shape).astype(np.float32) for x in a]
    assert compare(a, b) is compare(b, a) is Alike.SAME
    assert compare(a, [None, *b[1:]]) is Alike.SAME
    assert compare(a, [None, None, b[2]]) is Alike.UNKNOWN
    assert compare(a, [b[1], b[0], b[2]]) is Alike.DIFFERENT
    assert same_picture(a[0], None) is None
    assert same_picture(a[0], b[0])
    assert not same_picture(a[0], a[1])


@pytest.mark.parametrize("level", [0.0, 0.1])
def test_a_dark_moment_of_one_parts_nothing(level: float) -> None:
    """A second of black is to be found, not to cost an encode its master."""
    rng = np.random.default_rng(0)
    a, other = ([rng.uniform(0, 255, (18, 32)).astype(np.float32) for _ in range(3)] for _ in range(2))
    for dark in range(3):
        b = [level * x if number == dark else x for number, x in enumerate(a)]
        assert compare(a, b) is compare(b, a) is Alike.SAME
        assert compare(other, b) is Alike.DIFFERENT
    assert compare(a, [a[0], 0.0 * a[1], 0.0 * a[2]]) is Alike.UNKNOWN  # one moment tells nothing of change


@pytest.mark.parametrize("contrast", [0.15, 0.37, 0.6])
def test_less_contrast_throughout_parts_nothing(contrast: float) -> None:
    """As HDR has it beside SDR."""
    rng = np.random.default_rng(0)
    a, other = ([rng.uniform(0, 255, (18, 32)).astype(np.float32) for _ in range(3)] for _ in range(2))
    b = [60 + contrast * (1 + 0.1 * number) * x for number, x in enumerate(a)]
    assert compare(a, b) is compare(b, a) is Alike.SAME
    assert compare(other, b) is Alike.DIFFERENT


def test_real_pairs_and_strangers(data_dir: Path) -> None:
    """Every pair of real clips: the two known contents agree among themselves and with nothing else."""
    pairs = sorted((data_dir / "clips/fr_pairs").glob("*.mp4"))
    strangers = [
        data_dir / "clips/sdr" / name for name in ("friday_480p.mp4", "bikes_640x272.mp4", "nasa_multistream.mp4")
    ]
    refs = [VideoRef(str(path)) for path in (*pairs, *strangers)]
    looks = _looks(*refs)
    for i, one in enumerate(refs):
        expected = [Alike.SAME if _content(one) == _content(two) else Alike.DIFFERENT for two in refs[:i]]
        assert looks.alike(one, refs[:i]) == expected, one.name


def _content(ref: VideoRef) -> str:
    return ref.name.replace("_", "-").split("-")[0]
