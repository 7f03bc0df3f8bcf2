"""Where pictures of one stream are stored at another size than most: mostly a segment of another rung."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .findings import Finding

Size = tuple[int, int]  # width and height in pixels, as decoded


def of_sizes(sizes: Sequence[tuple[float, Size]], end_s: float) -> list[Finding]:
    """A warning a stretch that is not of the size which lasts longest.

    Args:
        sizes: from when on, seconds, pictures were of which size; ascending.
        end_s: of the video.
    """
    if len(sizes) < 2:
        return []
    stretches = [(at, until, size) for (at, size), (until, _) in pairwise([*sizes, (end_s, sizes[-1][1])])]
    lasts = dict.fromkeys((size for *_, size in stretches), 0.0)
    for at, until, size in stretches:
        lasts[size] += max(0.0, until - at)
    usual = max(lasts, key=lambda size: lasts[size])
    said = "stored at {}x{} here, and at {}x{} elsewhere: parts of several encodes in one stream; package it anew"
    return [
        Finding(said.format(*size, *usual), "resized", "warning", round(at, 3), round(max(at, until), 3))
        for at, until, size in stretches
        if size != usual
    ]
