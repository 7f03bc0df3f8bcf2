"""DASH manifests (ISO/IEC 23009-1), parsed by the `mpegdash` library: periods and the videos they list."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any
from xml.dom import minidom

from mpegdash.nodes import MPEGDASH
from mpegdash.utils import parse_child_nodes

from .dash_segments import addresses
from .errors import BrokenVideo
from .manifests import Files, ManifestError, Parts, Reading, Stream, add_rendition, codec_name, is_audio_only
from .values import Declared, Rendition

_DURATION = re.compile(r"P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def read(path: str, text: str, files: Files) -> Reading:
    """One manifest: a stream for each period.

    Raises:
        ManifestError: it is no DASH manifest.
    """
    mpd = _parse(text)
    reading = Reading(used={path})
    periods = mpd.periods or []
    whole = duration_s(mpd.media_presentation_duration)
    starts = [duration_s(period.start) for period in periods]
    for i, period in enumerate(periods):
        length = duration_s(period.duration)
        end = starts[i + 1] if i + 1 < len(periods) else whole
        if length is None and end is not None and (i == 0 or starts[i] is not None):
            length = end - (starts[i] or 0.0)
        renditions = _read_period(path, mpd, period, length, i, files, reading)
        if renditions:
            reading.streams.append(Stream(path, tuple(renditions), length, period=i + 1))
    if not (reading.streams or reading.rejected or reading.absent or reading.absent_sets):
        reading.rejected.append(BrokenVideo(path, "the manifest lists no video"))
    return reading


def duration_s(text: str | None) -> float | None:
    """Seconds of an xs:duration such as `PT1H2M3.5S`; None when absent or not one (years and months have no length)."""
    match = _DURATION.fullmatch(text or "")
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _parse(text: str) -> Any:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ManifestError("declares XML entities, which a DASH manifest has no need of; it was not read")
    try:
        # Not MPEGDASHParser.parse: that opens its argument as an address when it does not look like a manifest.
        found = parse_child_nodes(minidom.parseString(text.encode()), "MPD", MPEGDASH)
    except Exception as error:  # expat's errors, and whatever a malformed attribute trips the library into
        raise ManifestError(
            f"cannot be read as a DASH manifest ({type(error).__name__}: {error}); repair it"
        ) from error
    if not found:
        raise ManifestError("is not a DASH manifest (it has no MPD element)")
    return found[0]


def _read_period(
    path: str, mpd: Any, period: Any, length: float | None, index: int, files: Files, reading: Reading
) -> list[Rendition]:
    renditions: list[Rendition] = []
    unmade: list[tuple[str, Declared]] = []  # renditions of sets of which nothing is there
    folder = path.rsplit("/", 1)[0]
    for group in period.adaptation_sets or []:
        before, gone = len(renditions), list[tuple[str, Declared]]()
        for item in group.representations or []:
            ident = (item.id or "") + (f"@{index + 1}" if index else "")  # the same ids come again in each period
            parts = Parts(files, folder)
            try:
                for uri in addresses(mpd, period, group, item, length, files, folder):
                    parts.add(uri)
            except ManifestError as refused:
                reading.used.update(parts.found)
                if _is_video(group, item):
                    reading.rejected.append(BrokenVideo(f"{path}#{ident}", f"this rendition {refused}"))
                continue
            if not _is_video(group, item):
                reading.used.update(parts.found)
                continue
            rate = item.bandwidth / 1000 if item.bandwidth else None
            codec = codec_name(item.codecs or group.codecs)
            declared = Declared(
                item.width or group.width, item.height or group.height, rate, codec,
                fps=_rate(item.frame_rate or group.frame_rate), duration_s=length,
            )  # fmt: skip
            if parts.found:
                add_rendition(reading, renditions, path, ident, parts, declared)
            else:
                gone.append((ident, declared))
        if len(renditions) == before:
            unmade += gone
        else:
            reading.absent += [ident for ident, _ in gone]
    # Such a set may be made elsewhere, or later, where another has its sizes: low latency, another codec.
    sizes = {(r.declared.width, r.declared.height) for r in renditions}
    for ident, declared in unmade:
        beside = (declared.width, declared.height) in sizes
        (reading.absent_sets if beside else reading.absent).append(ident)
    return renditions


def _rate(text: str | None) -> float | None:
    """Frames a second of `@frameRate`: "25" or "30000/1001"; None when absent or neither."""
    try:
        return float(Fraction(text or "")) or None
    except (ValueError, ZeroDivisionError):
        return None


def _is_video(group: Any, item: Any) -> bool:
    """Pictures to look at: not audio, text, thumbnails or trick play."""
    properties = [*(group.essential_properties or []), *(item.essential_properties or [])]
    if any("trickmode" in (p.scheme_id_uri or "") or "thumbnail" in (p.scheme_id_uri or "") for p in properties):
        return False
    kind = group.content_type or (item.mime_type or group.mime_type or "").split("/")[0]
    if kind:
        return bool(kind == "video")
    return not is_audio_only(item.codecs or group.codecs)
