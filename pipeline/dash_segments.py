"""Where the segments of a DASH representation are (ISO/IEC 23009-1, 5.3.9): a file, a list, a template or a timeline.

That a `SegmentTemplate` of the period serves all its representations, how a `SegmentTimeline` counts, and what
`$Number%05d$` becomes, the `mpegdash` library leaves to its user.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

from . import storage
from .manifests import MAX_SEGMENTS, Files, ManifestError

_VARIABLE = re.compile(r"\$(RepresentationID|Number|Time|Bandwidth|)(?:%0(\d+)d)?\$")


def addresses(
    mpd: Any, period: Any, group: Any, item: Any, length: float | None, files: Files, folder: str
) -> Iterator[str]:
    """Addresses of the initialisation segment and the media segments, relative to the manifest, in order.

    Args:
        mpd, period, group, item: the manifest and the elements below it that lead to a representation.
        length: of the period, seconds.
        folder: of the manifest, canonical.

    Raises:
        ManifestError: they cannot be told, or lie outside.
    """
    levels = [item, group, period]
    base = ""
    for level in (mpd, period, group, item):
        urls = [url.base_url_value for url in level.base_urls or [] if url.base_url_value]
        if urls:
            base = _join(base, urls[0].strip())
    templates = [level.segment_templates[0] for level in levels if level.segment_templates]
    lists = [level.segment_lists[0] for level in levels if level.segment_lists]
    if templates:
        yield from _from_template(templates, item, base, length, files, folder)
    elif lists:
        if (first := _inherit(lists, "initializations")) and first[0].source_url:
            yield _join(base, first[0].source_url)
        for segment in _inherit(lists, "segment_urls") or []:
            yield _join(base, segment.media) if segment.media else base
    elif base and not base.endswith("/"):
        yield base  # one file, with or without a SegmentBase that says where its index is
    else:
        raise ManifestError("has neither segments nor a file of its own in the manifest")


def _from_template(
    templates: Sequence[Any], item: Any, base: str, length: float | None, files: Files, folder: str
) -> Iterator[str]:
    media = _inherit(templates, "media")
    if not media:
        raise ManifestError("has a SegmentTemplate without media addresses")
    initialization = _inherit(templates, "initialization")
    if initialization:
        yield _join(base, _fill(initialization, item, 0, 0))
    scale = _inherit(templates, "timescale") or 1
    first = _inherit(templates, "start_number")
    first = 1 if first is None else first
    timelines, duration = _inherit(templates, "segment_timelines"), _inherit(templates, "duration")
    end = _inherit(templates, "end_number")
    count: int | None = None
    if end is not None:
        count = end - first + 1
    elif duration and length is not None:
        # A rest of under half a segment is rounding of the stated durations, not a segment.
        count = max(1, ceil(length * scale / duration - 0.5))
    if timelines:
        offset = _inherit(templates, "presentation_time_offset") or 0
        stop = None if length is None else offset + length * scale
        for i, time in enumerate(_times(timelines[0].Ss or [], stop)):
            yield _join(base, _fill(media, item, first + i, time))
    elif "$Number" not in media and "$Time" not in media:
        yield _join(base, _fill(media, item, first, 0))  # a template without a variable: one segment
    elif count is not None:
        if count > MAX_SEGMENTS:
            raise ManifestError(f"lists more than {MAX_SEGMENTS:,} segments; split it")
        numbers = range(first, first + count)
        yield from (_join(base, _fill(media, item, n, (n - first) * (duration or 0))) for n in numbers)
        rest = _join(base, _fill(media, item, first + count, count * (duration or 0)))
        if end is None and files.find(folder, rest):
            yield rest  # the last, short one
    else:
        yield from _existing(media, item, base, files, folder)


def _times(entries: Sequence[Any], stop: float | None) -> Iterator[int]:
    """Start times of a `SegmentTimeline`, in its timescale."""
    time: int = 0
    count: int = 0
    for i, entry in enumerate(entries):
        time = entry.t if entry.t is not None else time
        if not entry.d or entry.d < 0:
            raise ManifestError("has a SegmentTimeline with a segment without duration")
        repeats = entry.r or 0
        if repeats < 0:  # until the next entry's time, or the period's end
            following = entries[i + 1].t if i + 1 < len(entries) else stop
            if following is None:
                raise ManifestError("has an open SegmentTimeline and no duration to end it")
            repeats = max(0, ceil((following - time) / entry.d - 0.5) - 1)  # under half a segment is rounding
        count += repeats + 1
        if count > MAX_SEGMENTS:
            raise ManifestError(f"lists more than {MAX_SEGMENTS:,} segments; split it")
        for _ in range(repeats + 1):
            yield time
            time += entry.d


def _existing(media: str, item: Any, base: str, files: Files, folder: str) -> Iterator[str]:
    """A live manifest says how segments are named, not how many there are: those that exist, by number."""
    head, _, tail = media.partition("$Number")
    tail = tail.partition("$")[2]
    before, after = _join(base, _fill(head, item, 0, 0)), _fill(tail, item, 0, 0)
    files.find(folder, before + "0" + after)  # raises for addresses outside
    stem = storage.join(folder, before + "0" + after)[: -len("0" + after)]
    found = []
    for path in files.below(stem):
        number = path[len(stem) : len(path) - len(after)]
        if path.endswith(after) and number.isascii() and number.isdigit():
            found.append((int(number), before + number + after))
    yield from (uri for _, uri in sorted(found))


def _fill(template: str, item: Any, number: int, time: int) -> str:
    values = {"RepresentationID": item.id or "", "Number": number, "Time": time, "Bandwidth": item.bandwidth or 0}

    def put(match: re.Match[str]) -> str:
        name, width = match[1], match[2]
        if not name:
            return "$"
        if width and len(width) > 2:
            raise ManifestError(f"has a template with an absurd number width: {template}")
        return str(values[name]).zfill(int(width)) if width and name != "RepresentationID" else str(values[name])

    return _VARIABLE.sub(put, template)


def _inherit(levels: Sequence[Any], name: str) -> Any:
    """An attribute of the innermost element that has it."""
    return next((value for level in levels if (value := getattr(level, name, None)) is not None), None)


def _join(base: str, uri: str) -> str:
    """RFC 3986 for relative paths, `..` kept as it stands: `Files.find` decides what is outside."""
    if "://" in uri or uri.startswith("/") or not base:
        return uri
    return base.rpartition("/")[0] + "/" + uri if "/" in base else uri
