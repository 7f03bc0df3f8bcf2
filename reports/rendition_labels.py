"""What renditions of a manifest are called on pages: "v0 1280×720" rather than "master.m3u8#v0/index.m3u8"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlsplit

from .clip import Clip
from .labels import LISTED

# Playlists whose folder says which rendition they are.
_PLAIN = re.compile(r"/(?:index|playlist|prog_index|stream|media|main|video)\.m3u8?$|\.m3u8?$", re.IGNORECASE)


def said_sizes(clips: Iterable[Clip]) -> dict[str, str]:
    """For each rendition of a manifest, by path: its name there and its size; of several of one size also their rates.

    Renditions of which two would be called the same, or whose size is not known, are left out.
    """
    own = {c.path: (c, _name(found["rendition"])) for c in clips if (found := LISTED.search(c.path))}
    sizes = Counter(c.size for c, _ in own.values())
    labels = {
        path: f"{name} {c.size}" + (f" {c.bitrate_kbps:,.0f} kbit/s" if sizes[c.size] > 1 and c.bitrate_kbps else "")
        for path, (c, name) in own.items()
        if c.size
    }
    several = Counter(labels.values())
    return {path: label for path, label in labels.items() if several[label] == 1}


def _name(rendition: str) -> str:
    """What a manifest calls it: of an address its last folder and file, without what may be a key to it."""
    if "://" in rendition:
        rendition = "/".join(urlsplit(rendition).path.split("/")[-2:])
    return _PLAIN.sub("", rendition)
