"""Short names for long paths."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

# A manifest's rendition: what it is called there may hold slashes.
LISTED = re.compile(r"[^/]+\.(?:m3u8?|mpd)#(?P<rendition>.+)$", re.IGNORECASE)


def last_component(path: str) -> str:
    """The file's name; of a manifest's rendition the manifest's name and the rendition."""
    listed = LISTED.search(path)
    return listed[0] if listed else path.rstrip("/").rsplit("/", 1)[-1]


def short_labels(paths: Sequence[str]) -> dict[str, str]:
    """For each path its shortest end, by whole components, that no other path shares."""
    parts = {p: p.rstrip("/").split("/") for p in dict.fromkeys(paths)}
    often = Counter("/".join(own[-depth:]) for own in parts.values() for depth in range(1, len(own) + 1))
    labels = {}
    for path, own in parts.items():
        ends = ("/".join(own[-depth:]) for depth in range(1, len(own)))
        labels[path] = next((end for end in ends if often[end] == 1), "/".join(own))
    return labels


def common_folder(paths: Sequence[str]) -> str:
    """Longest leading folder all paths share, with its final slash; empty when there is none."""
    folders = [p.split("/")[:-1] for p in paths]
    shared = takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False))
    return "".join(level[0] + "/" for level in shared)


def on_chart(words: str) -> str:
    """Words as Plotly's texts take them: it knows `&amp;`, `&lt;` and `&gt;`, and would show `&quot;` as it is."""
    return html.escape(words, quote=False)
