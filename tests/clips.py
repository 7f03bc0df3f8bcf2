"""Small real videos, made with PyAV's own encoders, whose frames say their number in their pixels.

`make(path, ...)` writes one; `number_of(rgb)` reads the number back from a decoded frame at any size. So a test of
frame accuracy compares numbers, not hashes, and holds for every codec, container and decoder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

BITS = 16  # 4 x 4 cells, black or white
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov"}
ENCRYPTED = {
    "encryption_scheme": "cenc-aes-ctr",
    "encryption_key": "0123456789abcdef0123456789abcdef",
    "encryption_kid": "0123456789abcdef0123456789abcdef",
}
_SPC = {"bt709": (1, Colorspace.ITU709), "smpte170m": (6, Colorspace.ITU601), "bt2020nc": (9, Colorspace.BT2020)}
_TRC = {"bt709": 1, "smpte170m": 6, "smpte2084": 16, "arib-std-b67": 18}


@dataclass(frozen=True)
class Clip:
    """What to make. `times` are presentation times in ticks of `tick`; by default a constant rate."""

    codec: str = "libx264"
    size: tuple[int, int] = (128, 96)
    frames: int = 30
    rate: Fraction = Fraction(25)
    pix_fmt: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    format: str | None = None
    times: Sequence[int] | None = None
    tick: Fraction | None = None
    first: int = 0  # packets' times are moved back by this many frames: an edit list hides them
    matrix: str | None = None  # tagged and used; None: untagged, bt601 used
    range: str | None = None  # "tv", "pc"
    transfer: str | None = None
    aspect: Fraction | None = None  # of a sample
    display_matrix: Sequence[int] | None = None  # 9 numbers, 16.16
    gop: int = 12
    b_frames: int | None = None
    picture: Callable[[int, int, int], Any] | None = None  # (number, width, height) -> rgb, or a frame in `pix_fmt`


def numbered(number: int, width: int, height: int) -> Any:
    """uint8 (height, width, 3): the number's bits as 4 x 4 black and white cells, most significant first."""
    bits = np.array([(number >> (BITS - 1 - k)) & 1 for k in range(BITS)], np.uint8).reshape(4, 4)
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    return np.repeat((16 + 220 * bits[rows][:, columns])[..., None], 3, axis=2).astype(np.uint8)


def number_of(rgb: Any) -> int:
    """The number in a decoded frame."""
    height, width = rgb.shape[:2]
    gray = rgb.astype(np.float32).mean(axis=2)
    value = 0
    for row in range(4):
        for column in range(4):
            y, x = int((row + 0.5) * height / 4), int((column + 0.5) * width / 4)
            value = value << 1 | int(gray[max(0, y - 1) : y + 1, max(0, x - 1) : x + 1].mean() > 128)
    return value


def make(path: Path, clip: Clip | None = None, **changes: Any) -> Path:
    """Write the clip and give its path back. `changes` are fields of `Clip`."""
    clip = Clip(**changes) if clip is None else clip
    tick = clip.tick or 1 / clip.rate
    with av.open(str(path), "w", format=clip.format, container_options=clip.container_options) as container:
        stream: Any = container.add_stream(clip.codec, rate=clip.rate, options=clip.options)
        stream.width, stream.height, stream.pix_fmt = *clip.size, clip.pix_fmt
        stream.codec_context.time_base = tick
        stream.time_base = tick
        stream.codec_context.gop_size = clip.gop
        stream.codec_context.thread_count = 1
        if clip.b_frames is not None:
            stream.codec_context.max_b_frames = clip.b_frames
        if clip.aspect is not None:
            stream.codec_context.sample_aspect_ratio = clip.aspect
        if clip.matrix:
            stream.codec_context.colorspace = _SPC[clip.matrix][0]
        if clip.range:
            stream.codec_context.color_range = {"tv": 1, "pc": 2}[clip.range]
        if clip.transfer:
            stream.codec_context.color_trc = _TRC[clip.transfer]
        if clip.display_matrix:
            stream.set_display_matrix(list(clip.display_matrix))
        shift = round(clip.first / (clip.rate * tick))
        for number in range(clip.frames):
            frame = _frame(clip, number)
            frame.time_base = tick
            frame.pts = clip.times[number] if clip.times is not None else round(number / (clip.rate * tick))
            _mux(container, stream, stream.encode(frame), shift, tick)
        _mux(container, stream, stream.encode(None), shift, tick)
    return path


def _mux(container: Any, stream: Any, packets: Any, shift: int, tick: Fraction) -> None:
    for packet in packets:
        if shift:
            offset = round(shift * tick / packet.time_base)
            packet.pts -= offset
            packet.dts -= offset
        container.mux(packet)


def _frame(clip: Clip, number: int) -> Any:
    drawn = (clip.picture or numbered)(number, *clip.size)
    if isinstance(drawn, av.VideoFrame):
        return drawn
    rgb = np.ascontiguousarray(drawn)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    if clip.pix_fmt == "rgb24":
        return frame
    matrix = _SPC[clip.matrix][1] if clip.matrix else Colorspace.ITU601
    wide = ColorRange.JPEG if clip.range == "pc" else ColorRange.MPEG
    return frame.reformat(
        format=clip.pix_fmt, dst_colorspace=matrix, src_color_range=ColorRange.JPEG, dst_color_range=wide
    )


NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)


def telecined(
    path: Path, picture: Callable[[int, int, int], Any], frames: int, *, first_field: str = "top", **changes: Any
) -> Path:
    """Write so many film frames as five pictures for four, by libavfilter's `telecine`; `changes` as of `make`."""
    film = Clip(picture=picture, matrix="bt709", range="tv", **changes)
    graph = av.filter.Graph()
    last = graph.add_buffer(width=film.size[0], height=film.size[1], format=film.pix_fmt, time_base=1 / FILM)
    for name, options in (("fps", str(FILM)), ("telecine", f"first_field={first_field}"), ("buffersink", "")):
        added = graph.add(name, options) if options else graph.add(name)
        last.link_to(added)
        last = added
    graph.configure()
    for number in range(frames):
        frame = _frame(film, number)
        frame.pts, frame.time_base = number, 1 / FILM
        graph.push(frame)
    graph.push(None)
    made: list[Any] = []
    with contextlib.suppress(av.error.EOFError):
        while True:
            made.append(graph.pull())
    return make(path, replace(film, picture=lambda n, w, h: made[n], frames=len(made), rate=NTSC))


def flat(red: int, green: int, blue: int) -> Callable[[int, int, int], Any]:
    """A picture of one colour."""
    return lambda number, width, height: np.full((height, width, 3), (red, green, blue), np.uint8)


_X265 = "log-level=none:pools=1"
_OPEN_H264 = {"x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=8:scenecut=0"}
_OPEN_HEVC = {"x265-params": f"{_X265}:keyint=8:min-keyint=8:bframes=3"}
_LAYERS = {"x265-params": f"{_X265}:keyint=16:temporal-layers=3:bframes=7:b-adapt=0"}
_FAST_VPX = {"cpu-used": "8", "deadline": "realtime"}

# Codecs in the containers people put them in, and the shapes of streams that decoders get wrong. By file name.
KINDS: dict[str, dict[str, Any]] = {
    "h264.mp4": {},
    "h264.mkv": {},
    "h264.ts": {},
    "h264.avi": {},
    "h264.h264": {"format": "h264"},
    "h264_fragmented.mp4": {"container_options": FRAGMENTED},
    "h264_open_gop.mp4": {"options": _OPEN_H264},
    "h264_open_gop.ts": {"options": _OPEN_H264},
    "h264_intra_refresh.ts": {"options": {"x264-params": "intra-refresh=1:bframes=0:keyint=10:scenecut=0"}},
    "h264_interlaced.ts": {"options": {"x264-params": "interlaced=1"}},
    "h264_444_odd.mp4": {"size": (33, 17), "pix_fmt": "yuv444p"},
    "h264_tiny.mp4": {"size": (16, 16)},
    "h264_10bit.mp4": {"pix_fmt": "yuv420p10le"},
    "h264_edit_list.mp4": {"first": 5, "container_options": {"avoid_negative_ts": "disabled"}},
    "hevc_10bit.mkv": {"codec": "libx265", "pix_fmt": "yuv420p10le", "options": {"x265-params": _X265}},
    "hevc_open_gop.mp4": {"codec": "libx265", "options": _OPEN_HEVC},
    "hevc_layers.mp4": {"codec": "libx265", "options": _LAYERS},
    "hevc.hevc": {"codec": "libx265", "format": "hevc", "options": {"x265-params": _X265}},
    "vp8.webm": {"codec": "libvpx", "options": {"cpu-used": "8", "auto-alt-ref": "1", "lag-in-frames": "16"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": _FAST_VPX},
    "vp9_hidden.webm": {"codec": "libvpx-vp9", "gop": 60, "options": {"cpu-used": "8", "lag-in-frames": "16"}},
    "av1.mp4": {"codec": "libsvtav1", "options": {"preset": "8", "crf": "18", "svtav1-params": "lp=1"}},
    "prores.mov": {"codec": "prores_ks", "pix_fmt": "yuv422p10le"},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "range": "pc"},
    "mpeg2.ts": {"codec": "mpeg2video", "b_frames": 2},
    "mpeg2.mpg": {"codec": "mpeg2video", "b_frames": 2, "format": "vob"},
    "mpeg4.avi": {"codec": "mpeg4", "b_frames": 2},
    "ffv1_gray.mkv": {"codec": "ffv1", "pix_fmt": "gray"},
    "animated.gif": {"codec": "gif", "pix_fmt": "rgb8"},
}


def tear(path: Path, torn: Path) -> int:
    """Write a copy whose largest packet that is no key frame is all noughts from a third on; the packet's number."""
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size, packet.is_keyframe) for packet in container.demux(video=0) if packet.size]
    hit = max(range(len(packets)), key=lambda i: 0 if packets[i][2] else packets[i][1])  # others refer to it
    start, size, _ = packets[hit]
    data = bytearray(path.read_bytes())
    data[start + size // 3 : start + size] = bytes(size - size // 3)
    torn.write_bytes(data)
    return hit


def silence(path: Path, seconds: float) -> Path:
    """A file of sound alone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        for start in range(0, round(48000 * seconds), 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 48000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def joined(path: Path, parts: Sequence[Path]) -> Path:
    """A file with the first track of each part, as they are."""
    with contextlib.ExitStack() as stack:
        sources = [stack.enter_context(av.open(str(part))) for part in parts]
        target = stack.enter_context(av.open(str(path), "w"))
        tracks = [target.add_stream_from_template(source.streams[0]) for source in sources]  # type: ignore[type-var]
        for source, track in zip(sources, tracks, strict=True):
            for packet in source.demux(source.streams[0]):
                if packet.dts is not None:
                    packet.stream = track
                    target.mux(packet)
    return path
