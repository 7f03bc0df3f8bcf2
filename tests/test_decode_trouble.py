"""Decoding from storage that is slow and files that are damaged, and leaving a decoder early."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from yoto_video.pipeline import decode, probe, storage
from yoto_video.pipeline.errors import BrokenVideo, TransientVideoError
from yoto_video.pipeline.frames import Loss, as_far_as
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.values import Frame, VideoInfo, VideoRef

from . import clips
from .decoding import look, numbers


class Source(io.RawIOBase):
    """A file in memory that counts what is read, and may take its time for each KiB."""

    def __init__(self, data: bytes, delay_s: float = 0.0) -> None:
        self._file, self._delay_s, self.got = io.BytesIO(data), delay_s, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        time.sleep(self._delay_s)
        data = self._file.read(min(len(buffer), 1024))
        buffer[: len(data)] = data
        self.got += len(data)
        return len(data)

    def close(self) -> None:
        """Is opened again."""


def served_from(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_ref(ref: VideoRef) -> Any:
        source.seek(0)
        return source

    monkeypatch.setattr(storage, "open_ref", open_ref)


def test_nothing_is_read_after_the_last_wanted_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def noise(number: int, width: int, height: int) -> Any:
        return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)

    options = {"movflags": "faststart"}
    path = clips.make(tmp_path / "long.mp4", frames=60, picture=noise, size=(256, 256), container_options=options)
    ref, info, _ = look(path)
    file = Source(path.read_bytes())
    served_from(file, monkeypatch)
    assert len(list(decode.read_frames(ref, info, [0, 3]))) == 2
    assert 0 < file.got < path.stat().st_size / 2


def test_a_source_that_stalls_times_out(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made("h264.mkv")
    ref, info, _ = look(path)
    file = Source(path.read_bytes(), delay_s=0.2)
    served_from(file, monkeypatch)
    began = time.monotonic()
    with pytest.raises(TransientVideoError, match=r"took too long|no frame was decoded|no data came"):
        list(decode.read_frames(ref, info, range(30), timeout_s=0.3))
    with pytest.raises(TransientVideoError, match=r"took too long|no frame was decoded|no data came"):
        probe.probe(ref, timeout_s=0.3)
    assert time.monotonic() - began < 20


def test_a_callers_pause_is_no_stall(made: Any) -> None:
    ref, info, _ = look(made("h264.mp4"))
    for _ in decode.read_frames(ref, info, range(6), timeout_s=0.5):
        time.sleep(0.6)


def until_error(stream: Iterator[Frame]) -> tuple[list[Frame], BrokenVideo]:
    got = []
    try:
        for frame in stream:
            got.append(frame)
    except BrokenVideo as error:
        return got, error
    raise AssertionError("damage was not told")


@pytest.mark.parametrize("cores", [1, 2])
def test_damage_gives_what_decodes_then_says_so(
    cores: int, made: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(made("prores.mov").read_bytes())
    _, info, times = look(made("prores.mov"))
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    (tmp_path / "damaged.mov").write_bytes(data)
    ref = VideoRef(str(tmp_path / "damaged.mov"))
    damaged: set[Fraction] = set()
    got, error = until_error(decode.read_frames(ref, info, range(len(times)), cores=cores, damaged=damaged))
    lost = 30 - len(got)
    assert 0 < lost < 10
    packets = "1 damaged packet" if lost == 1 else f"{lost} damaged packets"
    assert error.reason == f"frames are damaged or missing in the file ({packets}); write the file again"
    assert numbers(got) == [frame.index for frame in got]
    assert damaged == {time for time in times if time not in {frame.pts_s for frame in got}}
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""  # FFmpeg keeps quiet


def test_invalid_unit_costs_its_frame_only(data_dir: Path) -> None:
    ref, info, times = look(data_dir / "clips" / "torture" / "sample_with_invalid_nalu.mp4")
    got, error = until_error(decode.read_frames(ref, info, range(len(times)), raster=(32, 32)))
    assert "damaged" in error.reason
    assert len(got) >= 26


@pytest.mark.parametrize("kind", ["h264.mp4", "h264_fragmented.mp4"])
@pytest.mark.parametrize("cores", [1, 2])
def test_pictures_that_decode_in_part_are_told_with_those_that_only_others_need(
    kind: str, cores: int, made: Any, tmp_path: Path
) -> None:
    path = made(kind)
    ref, info, times = look(path)
    table = packet_table(ref)
    hit = clips.tear(path, tmp_path / path.name)
    at = int(table.pts[hit]) * table.time_base
    after = [n for n, time in enumerate(times) if time > at]
    damaged: set[Fraction] = set()
    broken = VideoRef(str(tmp_path / path.name))
    frames = list(decode.read_frames(broken, info, after, cores=cores, damaged=damaged))
    assert [frame.index for frame in frames] == after
    assert at in damaged
    assert all(at <= time < times[-1] for time in damaged)


LEAVE_EARLY = """
import os, sys
from yoto_video.pipeline.frames import decoded
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.values import VideoRef

ref = VideoRef(sys.argv[1])
table = packet_table(ref)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # FFmpeg's threads run only while ours waits
sys.setswitchinterval(100)  # and ours keeps the interpreter's lock
for last in range(1, 11):
    for taken in (1, 2):
        frames = decoded(ref, table, [0, last, len(table.order) - 1], 60.0)
        for _ in range(taken):
            next(frames)
        frames.close()
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads cannot be kept on one core here")
def test_a_decoder_that_is_left_while_its_threads_let_packets_go_does_not_hang(tmp_path: Path) -> None:
    # Frames that nothing refers to are dropped by a thread of FFmpeg's, which then lets go of the packet's mark.
    params = "log-level=none:bframes=3:b-adapt=0:b-pyramid=0"
    path = clips.make(tmp_path / "b.mp4", codec="libx265", size=(320, 240), options={"x265-params": params})
    subprocess.run([sys.executable, "-c", LEAVE_EARLY, str(path)], check=True, timeout=120)


@pytest.mark.parametrize("kept", [0.35, 0.6, 0.85])
def test_what_a_file_that_is_cut_off_gives_does_not_depend_on_threads(kept: float, tmp_path: Path) -> None:
    scene = np.random.default_rng(0).integers(0, 256, (96, 400, 3), np.uint8)
    whole = clips.make(
        tmp_path / "whole.mp4", frames=60, gop=60, container_options={"movflags": "faststart"},
        picture=lambda number, width, height: np.ascontiguousarray(scene[:height, 3 * number : 3 * number + width]),
    )  # fmt: skip
    data = whole.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: int(len(data) * kept)])
    ref = VideoRef(str(tmp_path / "cut.mp4"))
    table = packet_table(ref)
    found = []
    for threads in (1, 2, 3):
        loss = Loss()
        wanted = list(range(0, len(table.order), 2))
        frames = {n: f.to_ndarray(format="gray") for n, f in as_far_as(ref, table, wanted, 60.0, threads, loss)}
        found.append((frames, loss.frames))
    alone, lost = found[0]
    assert len(alone) >= len(wanted) - 1
    for frames, missing in found[1:]:
        assert (list(frames), missing) == (list(alone), lost)
        assert all(np.array_equal(picture, alone[number]) for number, picture in frames.items())


@pytest.mark.parametrize("codec", ["libx264", "libvpx-vp9", "libsvtav1"])
@pytest.mark.parametrize("hurt", ["noughts", "bits"])
def test_what_a_damaged_key_frame_gives_depends_neither_on_cores_nor_on_what_is_wanted(
    codec: str, hurt: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 256, (96, 400, 3), np.uint8)
    path = clips.make(
        tmp_path / "whole.mkv", codec=codec, frames=40, gop=8, b_frames=0, options=GROUPS_OF_8[codec],
        picture=lambda number, width, height: np.ascontiguousarray(scene[:height, 3 * number : 3 * number + width]),
    )  # fmt: skip
    table = packet_table(VideoRef(str(path)))
    keys = np.flatnonzero(table.afresh)
    assert len(keys) >= 4
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    key = packets[keys[2]]
    broken = bytearray(key)
    if hurt == "noughts":
        broken[len(key) // 3 :] = bytes(len(key) - len(key) // 3)
    else:
        for at in rng.integers(8, len(key), 8):
            broken[at] ^= 1 << int(rng.integers(8))
    (tmp_path / "hurt.mkv").write_bytes(path.read_bytes().replace(key, bytes(broken)))
    ref, info, times = look(tmp_path / "hurt.mkv")
    given, told = everything(ref, info, range(len(times)), 1)
    for wanted in (range(len(times)), range(15, 24), range(1, 40, 3), [int(keys[2]) + 3], [3, 21, 38]):
        for cores in (1, 2, 3):
            some, damaged = everything(ref, info, wanted, cores)
            assert list(some) == [number for number in wanted if number in given], cores
            assert all(np.array_equal(rgb, given[number]) for number, rgb in some.items()), cores
            assert damaged <= told
            assert damaged == told or len(wanted) < len(times)


GROUPS_OF_8 = {
    "libx264": {"x264-params": "scenecut=0"},
    "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime", "lag-in-frames": "0"},
    "libsvtav1": {"preset": "10", "svtav1-params": "lp=1:pred-struct=1:irefresh-type=2"},
}


def everything(
    ref: VideoRef, info: VideoInfo, wanted: Sequence[int], cores: int
) -> tuple[dict[int, Any], set[Fraction]]:
    """The pictures that come of these frames, by number, and when pictures were damaged."""
    damaged: set[Fraction] = set()
    given = {}
    with contextlib.suppress(BrokenVideo):
        for frame in decode.read_frames(ref, info, wanted, cores=cores, damaged=damaged):
            given[frame.index] = frame.rgb
    return given, damaged
