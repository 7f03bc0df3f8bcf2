"""HDR to SDR by one curve: white, grey and black where the standards put them, and never a step back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from yoto_video.pipeline import decode, probe, tone
from yoto_video.pipeline.values import VideoRef

from . import clips


def grey(signal: float, transfer: str) -> int:
    pixel = np.full((1, 1, 3), round(signal * 65535), np.uint16)
    red, green, blue = tone.to_sdr(pixel, transfer)[0, 0].tolist()
    assert max(red, green, blue) - min(red, green, blue) <= 1  # grey stays grey
    return int(green)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_the_curve_rises_from_black_to_white(transfer: str) -> None:
    values = [grey(s, transfer) for s in np.linspace(0, 1, 65)]
    assert values == sorted(values)
    assert values[0] <= 1
    assert values[-1] == 255


def test_pq_is_exact_below_the_knee_and_rolled_off_above() -> None:
    # 26 cd/m2 (BT.2408's 18 % grey) has the PQ signal 0.38; BT.1886 codes 26/203 as 0.425.
    assert grey(0.38, "smpte2084") == pytest.approx(255 * (26 / 203) ** (1 / 2.4), abs=2)
    assert 210 < grey(0.5807, "smpte2084") < 250  # 203 cd/m2 leaves room for what is brighter
    assert grey(0.7518, "smpte2084") == 255  # 1000 cd/m2


def test_hlg_and_pq_of_one_light_look_alike() -> None:
    assert grey(0.75, "arib-std-b67") == pytest.approx(grey(0.5807, "smpte2084"), abs=3)  # both 203 cd/m2


def test_a_saturated_colour_stays_within_bounds() -> None:
    shown = tone.to_sdr(np.array([[[40000, 0, 0]]], np.uint16), "smpte2084")
    assert shown[0, 0].tolist()[1:] == [0, 0]


def test_an_hdr_video_is_read_through_the_curve(tmp_path: Path) -> None:
    made = {"picture": clips.flat(148, 148, 148), "pix_fmt": "yuv420p10le", "matrix": "bt2020nc", "frames": 3}
    hdr = VideoRef(str(clips.make(tmp_path / "hdr.mp4", transfer="smpte2084", **made)))
    sdr = VideoRef(str(clips.make(tmp_path / "sdr.mp4", transfer="bt709", **made)))
    info = probe.probe(hdr)
    assert "HDR (PQ): tone-mapped from 1000 to 203 cd/m2 (BT.2390) to be judged" in map(str, info.notes)
    (shown,) = decode.read_frames(hdr, info, [1])
    assert shown.rgb.mean() == pytest.approx(grey(148 / 255, "smpte2084"), abs=3)
    (plain,) = decode.read_frames(sdr, probe.probe(sdr), [1])
    assert plain.rgb.mean() == pytest.approx(148, abs=2)
