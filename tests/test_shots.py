"""Scene cuts between sampled frames: real cuts are found, motion, fades and coding are none; clips vote."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yoto_video.jobs.scenery import landscape
from yoto_video.pipeline.encode import Rung, encode
from yoto_video.pipeline.looks import Watch
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import RGB, Frame, Ladder, Rendition, VideoRef
from yoto_video.reports.shots import cuts, shots_of, spans

from .fakes import FakeJudge

SDR = Path("clips") / "sdr"


def shots(frames: list[RGB]) -> list[int]:
    """Numbers of the shots of frames shown half a second apart."""
    watch = Watch()
    return [watch.see(Frame(i, Fraction(i, 2), rgb), Fraction(0)) for i, rgb in enumerate(frames)]


def scene(count: int = 4) -> list[RGB]:
    """Frames of a moving landscape, half a second apart."""
    return list(landscape(320, 180, 12 * count))[::12]


def other(frames: list[RGB]) -> list[RGB]:
    """Another scene: on its head, in other colours."""
    return [np.ascontiguousarray(f[::-1, :, ::-1]) for f in frames]


def test_frames_that_are_not_scored_begin_no_shot() -> None:
    """Which there are depends on the other rungs of a ladder."""
    watch, one = Watch(), scene()
    pictures = [one[0], *other(one[:1]), one[1], *other(one[1:2])]
    found = [watch.see(Frame(i, Fraction(i, 2), p), Fraction(0), scored=i != 1) for i, p in enumerate(pictures)]
    assert found == [0, 0, 0, 1]


def test_other_scenes_are_other_shots_and_motion_is_none() -> None:
    one = scene()
    assert shots(one) == [0] * 4
    assert shots([*one, *other(one), *one[:1]]) == [0] * 4 + [1] * 4 + [2]


def test_fades_and_lights_are_no_cuts() -> None:
    one = scene()
    fading = [(f * share).astype(np.uint8) for f, share in zip(one, (1.0, 0.7, 0.4, 0.2), strict=True)]
    assert shots(fading) == [0] * 4
    grey = [np.full((180, 320, 3), level, np.uint8) for level in (0, 40, 120, 250)]
    assert shots(grey) == [0] * 4


def test_frames_of_any_size_and_a_single_one_have_a_shot() -> None:
    assert shots([np.zeros((1, 1, 3), np.uint8)]) == [0]
    assert shots([np.zeros((2, 3, 3), np.uint8), np.full((2, 3, 3), 255, np.uint8)]) == [0, 0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bikes_640x272.mp4", [1.6, 3.1, 5.7, 7.8, 9.9]), ("coffee_720p.mp4", []), ("dog_720p.mp4", []),
        ("flower_540p.mp4", []), ("bigbuckbunny_720p.mp4", []), ("bedroom_540p.mp4", []),
    ],
)  # fmt: skip
def test_cuts_of_real_clips(data_dir: Path, name: str, expected: list[float]) -> None:
    """Against what eyes see: the first sample of each new shot, at two frames a second."""
    watch, numbers, after = Watch(), [], -1.0
    with av.open(str(data_dir / SDR / name)) as container:
        for i, frame in enumerate(container.decode(video=0)):
            at = Fraction(frame.pts * frame.time_base)
            if at - after >= Fraction(1, 2):
                shown = Frame(i, at, frame.reformat(640, 360, "rgb24").to_ndarray())
                numbers.append(watch.see(shown, Fraction(0)))
                after = float(at)
    times = watch.column("time_s")
    assert times[1:][np.diff(numbers) > 0] == pytest.approx(expected, abs=0.3)


def test_every_frame_row_has_its_shot_also_of_a_poor_encode(tmp_path: Path) -> None:
    first = list(landscape(320, 180, 48))
    frames = [*first, *other(first)]
    qualities = (("master", "4"), ("good", "20"), ("poor", "48"))
    rungs = [Rung(tmp_path / f"{n}.mp4", "libx264", 320, 180, options=(("crf", q),)) for n, q in qualities]
    encode(frames, rungs, fps=24, threads=1)
    ladder = Ladder(
        "two scenes",
        tuple(Rendition(VideoRef(str(tmp_path / f"{n}.mp4"))) for n in ("good", "poor")),
        VideoRef(str(tmp_path / "master.mp4")),
    )
    results = measure_ladder(ladder, FakeJudge(), Settings()).results
    assert len(results) == 5
    for result in results:
        assert {f.shot for f in result.frames} == {0, 1}
        assert all(f.shot == int(f.frame_num >= 48) for f in result.frames)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=30), st.integers(1, 7))
def test_clips_that_agree_keep_their_cuts(steps: list[int], clips: int) -> None:
    steps = [0, *steps]
    times = np.arange(len(steps), dtype=float)
    found = cuts([(times, np.cumsum(steps))] * clips)
    assert found == [(i - 1.0, float(i)) for i, step in enumerate(steps) if step]
    whole = spans(found, 0.0, float(len(steps)))
    assert len(whole) == len(found) + 1
    assert sum(b - a for a, b in whole) == pytest.approx(len(steps))


def test_a_cut_that_few_see_is_none_and_unlike_samples_meet_in_the_middle() -> None:
    early, late = np.array([0.0, 1.0, 2.0]), np.array([0.4, 1.4, 2.4])
    two = np.array([0, 1, 1])
    assert cuts([(early, two), (late, two)]) == [(0.4, 1.0)]
    assert cuts([(early, two), (late, np.zeros(3, int))]) == []
    assert cuts([(early, None), (late, two)]) == [(0.4, 1.4)]  # older results say nothing of shots
    assert cuts([]) == []
    assert shots_of([0, None]) is None
    assert shots_of([]) is None
