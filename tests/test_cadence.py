"""What packet times and sizes tell of motion."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.pipeline import cadence, decode, probe
from yoto_video.pipeline.cadence import Rhythm
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.values import VideoRef

from . import clips

RATES = [Fraction(n, d) for n, d in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (50, 1), (60000, 1001), (120, 1))]


def of(times: list[Fraction]) -> list[Finding]:
    return cadence.findings(Rhythm.of_times(times))


@settings(deadline=None)
@given(st.sampled_from(RATES), st.integers(1, 300), st.sampled_from([None, Fraction(1, 1000), Fraction(1, 90000)]))
def test_a_constant_rate_is_no_finding_however_times_are_rounded(
    rate: Fraction, count: int, tick: Fraction | None
) -> None:
    times = [i / rate for i in range(count)]
    assert of([round(t / tick) * tick for t in times] if tick else times) == []


@settings(deadline=None)
@given(st.sampled_from(RATES), st.sets(st.integers(1, 298), min_size=1, max_size=20))
def test_every_missing_frame_is_counted(rate: Fraction, missing: set[int]) -> None:
    found = of([i / rate for i in range(300) if i not in missing])
    assert {f.kind for f in found} == {"cadence"}
    assert sum(int(f.sentence.split()[0]) for f in found) == len(missing)
    for f in found:
        assert any((f.start_s or 0) < float(i / rate) < (f.end_s or 0) for i in missing)


def test_one_in_ten_and_a_hole_of_two_seconds() -> None:
    drops = of([Fraction(i, 25) for i in range(200) if i % 10 != 5])
    assert [(f.sentence, f.severity) for f in drops] == [("20 frames are missing", "warning")]
    (hole,) = of([Fraction(i, 25) for i in range(200) if not 50 <= i < 100])
    assert (hole.sentence, hole.severity) == ("50 frames are missing", "error")
    assert (hole.start_s, hole.end_s) == (1.96, 4.0)
    many = of([Fraction(i, 25) for i in range(2000) if i % 100 != 5])
    assert [f.sentence for f in many] == ["20 frames are missing"]  # too many places to tell one by one


def test_flagged_telecine_is_no_variable_rate() -> None:
    fields = np.cumsum([0] + [2, 3] * 30)
    (told,) = of([Fraction(int(n) * 1001, 60000) for n in fields])
    assert told.kind == "telecine"
    (other,) = of([Fraction(int(n), 50) for n in fields])  # not film on a 59.94 Hz raster
    assert other.kind == "cadence"


def test_uneven_and_doubled_times() -> None:
    rng = np.random.default_rng(1)
    uneven = np.cumsum(rng.uniform(0.02, 0.09, 200))
    (variable,) = of([Fraction(float(t)).limit_denominator(90000) for t in uneven])
    assert variable.sentence.startswith("variable frame rate")
    assert (variable.severity, variable.start_s) == ("info", None)
    times = [Fraction(i, 25) for i in range(100)]
    times[50] = times[49]
    assert next(f.severity for f in of(times)) == "warning"
    late = [Fraction(i, 25) + (Fraction(1, 60) if i == 40 else 0) for i in range(100)]
    assert [f.sentence for f in of(late)] == ["2 of 99 frames are shown early or late"]


def test_a_recording_of_changes_has_a_rate_that_varies() -> None:
    """A screen recording: on a grid of 30 frames a second, but only where something moves."""
    steps = ([1] * 8 + [7, 2, 7, 4, 7]) * 6
    (told,) = of([Fraction(int(n), 30) for n in np.cumsum([0, *steps])])
    said = "variable frame rate: 4.29 to 30 frames a second (5th to 95th percentile), or frames are missing"
    assert told.sentence == said  # a grid of which most was lost looks the same
    assert (told.kind, told.severity, told.start_s) == ("cadence", "warning", None)
    rng = np.random.default_rng(1)
    dropped = [Fraction(i, 30) for i in range(600) if rng.random() > 0.2]  # one in five, anywhere
    assert [(f.severity, f.sentence.split(" ", 1)[1]) for f in of(dropped)] == [("warning", "frames are missing")]
    one_place = [1] * 90 + [7, 2, 5, 4, 7, 3, 9, 6] * 4 + [1] * 90
    (told,) = of([Fraction(int(n), 30) for n in np.cumsum([0, *one_place])])
    assert (told.severity, told.sentence) == ("warning", "140 frames are missing")


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "h264.ts", "vp9.webm", "hevc_10bit.mkv", "h264_open_gop.mp4"])
def test_real_files_have_their_key_frames_and_an_even_cadence(tmp_path: Path, name: str) -> None:
    ref = VideoRef(str(clips.make(tmp_path / name, **clips.KINDS[name])))
    info = probe.probe(ref)
    rhythm = decode.rhythm(ref, info)
    assert len(rhythm.times) == 30
    assert rhythm.keys[0] == 0
    assert set(rhythm.keys) <= set(rhythm.times)
    assert len(rhythm.sizes) == (30 if info.codec in ("h264", "hevc") else 0)
    assert [f for f in cadence.findings(rhythm) if f.kind == "cadence"] == []


def test_a_still_picture_has_no_rhythm(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    ref = VideoRef(str(tmp_path / "a.png"))
    rhythm = decode.rhythm(ref, probe.probe(ref))
    assert (len(rhythm.keys), cadence.findings(rhythm)) == (0, [])
