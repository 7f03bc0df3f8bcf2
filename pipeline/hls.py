"""HLS playlists (RFC 8216), parsed by the `m3u8` library; what its entries mean for us is here."""

from __future__ import annotations

from typing import Any

import m3u8

from .errors import BrokenVideo, VideoError
from .manifests import (
    Files,
    ManifestError,
    Parts,
    Reading,
    Stream,
    add_rendition,
    codec_name,
    is_audio_only,
    read_text,
)
from .values import Declared, Rendition, VideoRef

_NOT_VIDEO = frozenset({"vtt", "webvtt", "srt", "ttml", "aac", "m4a", "mp3", "ac3", "ec3"})


def read(path: str, text: str, files: Files) -> Reading:
    """One playlist: of variants (a ladder), or of segments (a single rendition).

    Raises:
        ManifestError: it is no playlist, or points outside the scanned folder as a whole.
    """
    playlist = _parse(text)
    reading = Reading(used={path})
    if playlist.is_variant:
        _read_variants(path, playlist, files, reading)
    else:
        _read_alone(path, playlist, files, reading)
    return reading


def _parse(text: str) -> Any:
    if not text.lstrip().startswith("#EXTM3U"):
        raise ManifestError("is not an HLS playlist (it does not begin with #EXTM3U)")
    try:
        return m3u8.loads(text)
    except Exception as error:  # the parser raises whatever a malformed line trips it into: KeyError, ValueError, ...
        raise ManifestError(
            f"cannot be read as an HLS playlist ({type(error).__name__}: {error}); repair it"
        ) from error


def _read_variants(path: str, playlist: Any, files: Files, reading: Reading) -> None:
    base = path.rsplit("/", 1)[0]
    renditions: list[Rendition] = []
    durations: list[float] = []
    variants = {v.uri: v for v in reversed(playlist.playlists) if v.uri}  # a variant stands once for each audio group
    for uri in sorted(variants, key=[v.uri for v in playlist.playlists].index):
        info = variants[uri].stream_info
        if is_audio_only(info.codecs):
            _use(files, base, uri, reading)
            continue
        try:
            parts, duration = _variant_parts(files, base, uri, reading)
        except ManifestError as refused:
            reading.rejected.append(BrokenVideo(f"{path}#{uri}", f"this rendition {refused}"))
            continue
        if duration:
            durations.append(duration)
        width, height = info.resolution or (None, None)
        rate = info.average_bandwidth or info.bandwidth
        declared = Declared(
            width, height, rate / 1000 if rate else None, codec_name(info.codecs),
            fps=info.frame_rate, duration_s=duration,
        )  # fmt: skip
        add_rendition(reading, renditions, path, uri, parts, declared)
    for other in [*playlist.iframe_playlists, *playlist.media]:  # audio, subtitles, trick play: not scored, not listed
        if other.uri:
            _use(files, base, other.uri, reading)
    if renditions:
        reading.streams.append(Stream(path, tuple(renditions), max(durations, default=None)))
    elif not reading.rejected and not reading.absent:
        reading.rejected.append(BrokenVideo(path, "the playlist lists no video"))


def _variant_parts(files: Files, base: str, uri: str, reading: Reading) -> tuple[Parts, float | None]:
    parts = Parts(files, base)
    if not _is_playlist(uri):  # a whole file is the variant
        parts.add(uri)
        return parts, None
    path = files.find(base, uri)
    if path is None:
        parts.missing.append(uri)
        return parts, None
    reading.used.add(path)
    media = _parse(read_text(path))
    if media.is_variant:
        raise ManifestError(f"leads to {uri}, which is again a playlist of variants")
    return _segments(path, media, files, reading)


def _segments(path: str, media: Any, files: Files, reading: Reading) -> tuple[Parts, float | None]:
    """The files of a media playlist in order: each initialisation section, then its segments."""
    parts = Parts(files, path.rsplit("/", 1)[0])
    encrypted = next((key.method for key in media.keys if key and key.method not in (None, "NONE")), None)
    for segment in media.segments:
        if segment.init_section is not None and segment.init_section.uri:
            parts.add(segment.init_section.uri)
        if segment.uri and not segment.gap_tag:
            parts.add(segment.uri)
    reading.used.update(parts.found)
    if encrypted:
        raise ManifestError(f"is encrypted ({encrypted}); decrypt its segments first")
    maps = {s.init_section.uri for s in media.segments if s.init_section is not None}
    if len(maps) > 1:
        reading.notes.append(f"{path}: joins {len(maps)} streams (EXT-X-MAP); the first one's header serves for all")
    return parts, sum(segment.duration or 0.0 for segment in media.segments) or None


def _read_alone(path: str, media: Any, files: Files, reading: Reading) -> None:
    parts, duration = _segments(path, media, files, reading)
    if not parts.found:
        raise ManifestError("lists no file that exists" if parts.missing else "lists no segments")
    if all(part.lower().rsplit(".", 1)[-1] in _NOT_VIDEO for part in parts.found):
        return  # subtitles or sound that no playlist of variants mentions
    video = VideoRef(path, tuple(parts.found), parts.loss())
    reading.notes += [f"{path}: {said}" for said in video.missing]
    reading.streams.append(Stream(path, (Rendition(video),), duration, is_playlist=True))


def _use(files: Files, base: str, uri: str, reading: Reading) -> None:
    """Mark what belongs to the ladder without being scored, so that its files are not taken for videos of their own."""
    try:
        path = files.find(base, uri)
        if path is None:
            return
        reading.used.add(path)
        if _is_playlist(uri):
            _segments(path, _parse(read_text(path)), files, reading)
    except (ManifestError, VideoError):
        return  # nothing of it is scored: not worth a word


def _is_playlist(uri: str) -> bool:
    return uri.partition("?")[0].partition("#")[0].lower().endswith((".m3u8", ".m3u"))
