"""How long videos are that grouping had no need to open: what a scan costs, and what goes first, rests on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from .drafts import Draft
from .found import STILLS
from .looking import Looks
from .storage import FileEntry
from .values import VideoRef

HEADERS_LIMIT = 500  # read for this alone; of more a part, spread over all of them, speaks for the rest


def told_lengths(
    drafts: Iterable[Draft], files: Mapping[str, FileEntry], looks: Looks
) -> tuple[dict[str, float], list[str]]:
    """Read the headers of videos that were not looked at yet, side by side.

    Renditions of a manifest are not opened: it says how long they are, and many segments would have to be asked for.
    Nor are still pictures, whose names say what they are.

    Returns:
        Seconds by path of videos whose header is not read; a note where there are too many.
    """
    told: dict[str, float] = {}
    unseen: dict[str, VideoRef] = {}
    for draft in drafts:
        said = {r.video.path: r.declared.duration_s for r in draft.renditions if r.video.parts}
        for ref in draft.refs:
            if ref.path in said:
                if length := said[ref.path]:
                    told[ref.path] = length
            elif PurePosixPath(ref.path).suffix.lower().removeprefix(".") not in STILLS:
                unseen[ref.path] = ref
    rest = [ref for path, ref in sorted(unseen.items()) if path not in looks.glances]
    some = rest if len(rest) <= HEADERS_LIMIT else [rest[i * len(rest) // HEADERS_LIMIT] for i in range(HEADERS_LIMIT)]
    looks.prepare((ref, files[ref.path].size if ref.path in files else 0) for ref in some)
    if len(rest) == len(some):
        return told, []
    known = [length for ref in some if (length := looks.glance(ref).duration_s)]
    usual = sum(known) / len(known) if known else 0.0
    left = [ref.path for ref in rest if ref.path not in looks.glances]
    told |= dict.fromkeys(left, usual) if usual else {}
    what = f"headers of {HEADERS_LIMIT:,} of {len(rest):,} videos were read that grouping did not ask for"
    return told, [f"{what}: the others are taken to be as long as these are on average, {usual:.0f} s"] if usual else []
