"""What a few codecs' bytes tell: where decoding can start afresh, what is never shown, what may be left undecoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

_H264_IDR, _H264_SLICE = 5, 1
_HEVC_RESET = range(16, 21)  # BLA and IDR pictures; a CRA (21) keeps counting picture order, and is none
# Key frames of these start afresh, whatever came before. Others (VC-1, RealVideo, ...) are never trusted to.
_KEY_IS_RESET = frozenset({
    "vp9", "av1", "prores", "mjpeg", "dnxhd", "ffvhuff", "huffyuv", "utvideo", "rawvideo", "cfhd",
})  # fmt: skip
_MPEG_INTRA = 1  # picture_coding_type
_FFV1_HALF = 0x7F80  # its range coder's first bit, as likely one as none, says key frame: one from here on


def starts_afresh(codec: str, data: bytes, extradata: bytes | None) -> bool:
    """True when a decoder needs nothing before this key packet to decode it and all that follows and is shown later."""
    if codec == "h264":
        for nal in _nal_types(data, _length_size(codec, extradata), shift=0, mask=31):
            if nal in (_H264_IDR, _H264_SLICE):
                return nal == _H264_IDR
        return False
    if codec == "hevc":
        for nal in _nal_types(data, _length_size(codec, extradata), shift=1, mask=63):
            if nal < 32:  # the first slice
                return nal in _HEVC_RESET
        return False
    return _IS_INTRA[codec](data) if codec in _IS_INTRA else codec in _KEY_IS_RESET


def _mpeg12_is_intra(data: bytes) -> bool:
    at = data.find(b"\x00\x00\x01\x00") + 4  # then 10 bits of temporal reference, and 3 of type
    return 4 <= at < len(data) - 1 and data[at + 1] >> 3 & 7 == _MPEG_INTRA


def _mpeg4_is_intra(data: bytes) -> bool:
    """Of a packet with a B-picture packed behind (DivX in AVI), too, it is not true: that one refers to what was."""
    first, _, packed = data.partition(b"\x00\x00\x01\xb6")[2].partition(b"\x00\x00\x01\xb6")
    return len(first) > 0 and first[0] >> 6 == 0 and not packed


def _h263_is_intra(data: bytes) -> bool:
    """Start code (22 bits), temporal reference (8), five flags, format (3), type (1), or PLUSPTYPE."""
    bits = f"{int.from_bytes(data[:8].ljust(8), 'big'):064b}"
    if bits[35:38] != "111":
        return bits[38] == "0"
    at = 59 if bits[38:41] == "001" else 41  # with OPPTYPE, or without
    return bits[at : at + 3] == "000"


# Where the picture's own header is looked into: containers that know no key frames mark all packets as such
# (MP4 without `stss`, H.263 in Matroska).
_IS_INTRA: dict[str, Callable[[bytes], bool]] = {
    "mpeg1video": _mpeg12_is_intra,
    "mpeg2video": _mpeg12_is_intra,
    "mpeg4": _mpeg4_is_intra,
    "h263": _h263_is_intra,
    "vp8": lambda data: not data[0] & 1,
    "theora": lambda data: data[0] >> 6 == 0,
    "ffv1": lambda data: int.from_bytes(data[:2], "big") >= _FFV1_HALF,
}


def may_drop_nonref(codec: str, extradata: bytes | None) -> bool:
    """True when frames that no other refers to can be left undecoded without changing any other frame.

    So in H.264 and MPEG-1/2/4. In HEVC a "sub-layer non-reference" frame may be referred to from a higher temporal
    layer: only where the header says there is a single layer. VP9 and AV1 learn probabilities from frames nothing
    refers to.
    """
    if codec == "hevc":
        return extradata is not None and len(extradata) > 21 and extradata[0] == 1 and (extradata[21] >> 3) & 7 == 1
    return codec in ("h264", "mpeg1video", "mpeg2video", "mpeg4")


def is_hidden(codec: str, first_byte: int) -> bool:
    """True for a VP8 packet that is only referred to and never shown: bit 4 of the first byte is `show_frame`."""
    return codec == "vp8" and not first_byte >> 4 & 1


def _length_size(codec: str, extradata: bytes | None) -> int:
    """Bytes of the length before each NAL unit (MP4, Matroska); 0 for start codes (MPEG-TS, raw streams)."""
    if not extradata or extradata[0] != 1:
        return 0
    at = 4 if codec == "h264" else 21
    return (extradata[at] & 3) + 1 if len(extradata) > at else 0


def _nal_types(data: bytes, length_size: int, *, shift: int, mask: int) -> Iterator[int]:
    position = 0
    while True:
        if length_size:
            start = position + length_size
            if start >= len(data):
                return
            position = start + int.from_bytes(data[position:start], "big")
        else:
            start = data.find(b"\x00\x00\x01", position) + 3
            if start < 3 or start >= len(data):
                return
            position = start
        yield data[start] >> shift & mask
