"""Sound videos of kinds that are rare, read as players show them."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from yoto_video.pipeline import decode, fingerprint
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.matroska import Cropping, croppings
from yoto_video.pipeline.orientation import Orientation

from . import clips
from .decoding import look, probed


def filtered(path: Path, source: Path, filters: str) -> Path:
    """A copy whose packets went through a filter of bit streams."""
    with av.open(str(source)) as whole, av.open(str(path), "w") as target:
        stream = whole.streams.video[0]
        copy = target.add_stream_from_template(stream)
        through = BitStreamFilterContext(filters, stream, copy)
        for packet in whole.demux(stream):
            for changed in through.filter(packet if packet.size else None):
                changed.stream = copy
                target.mux(changed)
    return path


def test_a_turn_that_only_key_frames_ask_for_holds_for_all(tmp_path: Path) -> None:
    plain = clips.make(tmp_path / "plain.mp4", size=(128, 64))
    turned = filtered(tmp_path / "t.mp4", plain, "h264_metadata=display_orientation=insert:rotate=90")
    ref, info, times = look(turned)
    assert (info.width, info.height, info.rotation_degrees) == (64, 128, 270)
    as_stored = [frame.rgb for frame in decode.read_frames(*look(plain)[:2], range(len(times)))]
    for wanted in (range(len(times)), [5], [13, 20]):
        for frame in decode.read_frames(ref, info, wanted):
            assert np.array_equal(frame.rgb, np.rot90(as_stored[frame.index])), frame.index
    small = dict(decode.read_luma(ref, info, [0, 5, 20], (16, 32)))
    for number, luma in small.items():
        level = np.rot90(as_stored[number]).mean(axis=2).reshape(32, 4, 16, 4).mean(axis=(1, 3))
        assert np.abs(luma - level).mean() < 20, number


def test_decord_is_not_asked_for_a_turn_that_it_does_not_know(tmp_path: Path) -> None:
    pytest.importorskip("decord", reason="decord has no build for this system")
    plain = clips.make(tmp_path / "plain.mp4", size=(128, 64))
    turned = filtered(tmp_path / "t.mp4", plain, "h264_metadata=display_orientation=insert:rotate=90")
    assert decode.choose_decoder(*look(turned)[:2], "decord")[0] == "pyav"


@pytest.mark.parametrize("flips", [(x, y) for x in (False, True) for y in (False, True)])
@pytest.mark.parametrize("transpose", [False, True])
def test_a_turn_is_all_that_is_said_of_it(transpose: bool, flips: tuple[bool, bool]) -> None:
    turn = Orientation(transpose, *flips)
    assert Orientation.of(turn.clockwise_degrees, mirrored=turn.mirrored) == turn


def test_sound_that_begins_after_what_was_looked_at_to_open_the_file(tmp_path: Path) -> None:
    def noise(number: int, width: int, height: int) -> np.ndarray:
        return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)

    path = clips.make(tmp_path / "late.flv", size=(512, 512), frames=20, options={"qp": "0"}, picture=noise)
    assert path.stat().st_size > 6 << 20  # FFmpeg looks at 5 MB
    sound = bytes([0x3E]) + bytes(3200)  # linear PCM
    header = bytes([8]) + len(sound).to_bytes(3, "big") + (700).to_bytes(3, "big") + bytes(4)
    with path.open("ab") as file:
        file.write(header + sound + (len(header) + len(sound)).to_bytes(4, "big"))
    ref, info, times = look(path)
    assert len(times) == len(list(decode.read_frames(ref, info, range(20), raster=(16, 16)))) == 20
    assert info.duration_s == pytest.approx(0.8)
    assert [picture is None for picture in fingerprint.moments(ref, 0.8)] == [False, False, False]
    assert fingerprint.moments(ref, 100.0)[-1] is None  # and no error


def cropped(path: Path, source: Path) -> Path:
    """A copy with PixelCropBottom and PixelCropTop of 20 pixels each in place of its Colour element."""
    data = bytearray(source.read_bytes())
    at = data.index(b"\x55\xb0")
    size = 3 + (data[at + 2] & 0x7F)
    crops = b"\x54\xaa\x81\x14\x54\xbb\x81\x14"
    void = size - len(crops) - 2
    data[at : at + size] = crops + bytes([0xEC, 0x80 | void]) + bytes(void)
    path.write_bytes(data)
    return path


def test_what_a_container_wants_cut_off_is_said(tmp_path: Path) -> None:
    plain = clips.make(tmp_path / "plain.mkv", matrix="bt709", range="tv", transfer="bt709")
    path = cropped(tmp_path / "cropped.mkv", plain)
    said = "its container asks players to cut off 20 pixels at the top, 20 at the bottom: judged uncut, as it is coded"
    assert [note for note in probed(path).notes if isinstance(note, Finding)] == [Finding(said, severity="warning")]
    assert [note for note in probed(plain).notes if isinstance(note, Finding)] == []
    whole = path.read_bytes()
    assert croppings(io.BytesIO(whole)) == [Cropping(0, 20, 0, 20)]
    for size in range(0, 800, 7):  # cut anywhere
        assert croppings(io.BytesIO(whole[:size])) in (
            [],
            [Cropping()],
            [Cropping(0, 0, 0, 20)],
            [Cropping(0, 20, 0, 20)],
        )
    rng = np.random.default_rng(0)
    for _ in range(200):  # and of whatever bytes
        noise = bytearray(whole[:800])
        for at in rng.integers(0, 800, 20):
            noise[at] = int(rng.integers(256))
        croppings(io.BytesIO(noise))
