"""How hard videos were looked at, in words for the table and the report."""

from __future__ import annotations

from collections.abc import Sequence

from .values import ClipScore


def looks(clips: Sequence[ClipScore]) -> str | None:
    """How many videos have a score from a full look, from a first one, or none yet; None where all are full ones."""
    told = [clip for clip in clips if clip.status == "ok" or clip.depth == "none"]
    paths = {depth: {clip.path for clip in told if clip.depth == depth} for depth in ("full", "first", "none")}
    if not paths["first"] and not paths["none"]:
        return None
    words = [f"looked at in full: {len(paths['full']):,}", f"at a first look: {len(paths['first']):,}"]
    return ", ".join([*words, f"not yet: {len(paths['none']):,}"] if paths["none"] else words)
