"""Decoding: the right frames at the right times, whatever the codec and container."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from yoto_video.pipeline import decode, probe, track_numbers
from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.values import VideoRef

from . import clips
from .decoding import look, numbers, read


@pytest.mark.parametrize("name", clips.KINDS)
def test_every_frame_and_any_few(name: str, made: Any) -> None:
    ref, info, times = look(made(name))
    hidden = clips.KINDS[name].get("first", 0)
    assert len(times) == 30 - hidden
    assert times == sorted(times)
    assert [b - a for a, b in pairwise(times)] == pytest.approx([0.04] * (29 - hidden), abs=1e-3)
    rnd = random.Random(name)
    some = [sorted(rnd.sample(range(len(times)), count)) for count in (1, 1, 2, 5)]
    damaged: set[Fraction] = set()
    for wanted in [list(range(len(times))), [len(times) - 1], *some]:
        frames, in_lanes = (
            list(decode.read_frames(ref, info, wanted, raster=(64, 64), cores=n, damaged=damaged)) for n in (1, 3)
        )
        assert [frame.index for frame in frames] == wanted
        assert numbers(frames) == [index + hidden for index in wanted]
        assert [frame.pts_s for frame in frames] == [times[index] for index in wanted]
        assert [(f.index, f.pts_s, f.rgb.tobytes()) for f in in_lanes] == [
            (f.index, f.pts_s, f.rgb.tobytes()) for f in frames
        ]
    assert not damaged


def test_lanes_share_groups_of_pictures_and_no_work(made: Any) -> None:
    table = packet_table(VideoRef(str(made("h264.mp4"))))
    first, second = table.shares(range(30), 2, most=100)
    assert sorted(first + second) == list(range(30))
    work = [np.count_nonzero(table.plan(table.order[share].tolist())) for share in (first, second)]
    assert work == [24, 6]  # its groups are of 12, 3, 12 and 3 frames
    assert table.shares(range(30), 2, most=2) == [list(range(30))]  # too many of one group to wait for
    assert table.shares([3, 4], 2, most=100) == [[3, 4]]
    open_gop = packet_table(VideoRef(str(made("h264_open_gop.mp4"))))
    assert len(open_gop.shares(range(30), 2, most=100)) == 1


def test_lanes_end_when_nobody_reads_on(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "LANE_FRAMES", 2)
    ref, info, times = look(made("prores.mov"))
    before = threading.active_count()
    frames = decode.read_frames(ref, info, range(len(times)), raster=(16, 16), cores=3)
    assert next(frames).index == 0
    assert threading.active_count() > before
    frames.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(st.integers(0, 29), max_size=12))
def test_frames_come_once_and_ascending(made: Any, wanted: list[int]) -> None:
    frames = read(made("h264.mp4"), wanted)
    assert [f.index for f in frames] == sorted(set(wanted)) == numbers(frames)


def test_frames_that_are_not_there_are_the_callers_mistake(made: Any) -> None:
    with pytest.raises(ValueError, match="of 30"):
        read(made("h264.mp4"), [30])


def test_times_are_exact_and_variable(tmp_path: Path) -> None:
    ticks = [0, 40, 80, 500, 540, 580, 1000, 2000, 2040, 2080]
    path = clips.make(tmp_path / "vfr.mp4", frames=10, times=ticks, tick=Fraction(1, 1000))
    ref, info, times = look(path)
    assert times == [Fraction(t, 1000) for t in ticks]
    assert numbers(read(ref)) == list(range(10))
    assert info.duration_s == pytest.approx(2.12)
    ntsc = clips.make(tmp_path / "ntsc.mp4", frames=90, rate=Fraction(30000, 1001), gop=90)
    assert look(ntsc)[2] == [k * Fraction(1001, 30000) for k in range(90)]  # no rounding that adds up


def test_many_decoders_at_once_keep_their_frames(made: Any) -> None:
    """PyAV mixes up equal packet marks of decoders that run side by side; ours are objects of their own."""
    path = made("vp9.webm")
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: numbers(read(path, [5, 29], raster=(16, 16))), range(60)):
            assert got == [5, 29]


def test_segments_are_one_stream(tmp_path: Path) -> None:
    whole = clips.make(tmp_path / "whole.mp4", container_options=clips.FRAGMENTED).read_bytes()
    cuts = [0, 700, 1500, len(whole)]
    parts = []
    for number, (start, end) in enumerate(pairwise(cuts)):
        (tmp_path / f"{number}.m4s").write_bytes(whole[start:end])
        parts.append(str(tmp_path / f"{number}.m4s"))
    ref = VideoRef("manifest.mpd#1", tuple(parts))
    assert numbers(read(ref)) == list(range(30))
    assert look(ref)[1:] == look(tmp_path / "whole.mp4")[1:]


@pytest.mark.parametrize("remote", [False, True])
def test_pieces_that_are_missing_are_an_error_of_the_video(
    remote: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips.make(tmp_path / "1.ts", frames=20)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:0.8,\n1.ts\n#EXTINF:0.8,\n2.ts\n#EXT-X-ENDLIST\n")
    (ladder,) = discover(str(tmp_path)).ladders
    if remote:  # in an object store the head alone is read
        monkeypatch.setattr(track_numbers, "from_packets", lambda *of, timeout_s: track_numbers._from_head(*of))
    info = probe.probe(ladder.videos[0])
    (loss,) = (note for note in info.notes if isinstance(note, Finding) and note.kind == "truncated")
    assert loss.sentence == "truncated: 1 of 2 files that its manifest lists are missing (2.ts first)"
    assert loss.severity == "error"


def test_pieces_with_times_of_their_own_follow_each_other(tmp_path: Path) -> None:
    def later(number: int, width: int, height: int) -> Any:
        return clips.numbered(number + 20, width, height)

    first = clips.make(tmp_path / "1.ts", frames=20)
    second = clips.make(tmp_path / "2.ts", frames=20, picture=later)
    ref, info, times = look(VideoRef("list.m3u8#1", (str(first), str(second))))
    assert times == [times[0] + Fraction(k, 25) for k in range(40)]
    assert info.duration_s == pytest.approx(1.6)
    assert "time stamps start anew 1 times: the pieces are taken one after the other" in info.notes
    assert numbers(read(ref, [0, 19, 20, 39])) == [0, 19, 20, 39]


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_still_picture_is_a_video_of_one_frame(suffix: str, tmp_path: Path) -> None:
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[:, 20:] = (250, 128, 4)
    Image.fromarray(picture).save(tmp_path / f"a.{suffix}", quality=100)
    ref, info, times = look(tmp_path / f"a.{suffix}")
    assert (info.still, info.fps, info.width, info.height, times) == (True, None, 40, 30, [0])
    (frame,) = decode.read_frames(ref, info, [0])
    assert np.abs(frame.rgb.astype(int) - picture).mean() < 3
    (small,) = decode.read_frames(ref, info, [0], raster=(20, 15))
    assert small.rgb.shape == (15, 20, 3)
