"""Brackets of a name from which words are taken: those that hold what is kept stay, in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_CLOSES = {"(": ")", "[": "]", "{": "}"}


def cut_out(text: str, kept: Sequence[tuple[int, int]], *, whole: bool) -> str:
    """The kept parts of a text with the brackets that they stand in; of brackets around nothing kept, nothing.

    Args:
        text: with brackets or without.
        kept: begin and end of each part, in order, at least one; no part has brackets.
        whole: what stands between the parts is kept as it is; else the brackets there alone, and a space.
    """
    first, last = kept[0][0], kept[-1][1]
    closing, _ = _halves(text[last:])
    _, opening = _halves(text[:first])
    if whole:
        return opening + text[first:last] + closing
    said = text[first : kept[0][1]]
    for (_, end), (begin, after) in pairwise(kept):
        closed, opened = _halves(text[end:begin])
        said += f"{closed} {opened}{text[begin:after]}"
    return opening + said + closing


def _halves(text: str) -> tuple[str, str]:
    """Brackets closed here that were opened before, and those opened here that are closed later."""
    closed, opened = "", ""
    for character in text:
        if character in _CLOSES:
            opened += character
        elif character in _CLOSES.values():
            if opened and _CLOSES[opened[-1]] == character:
                opened = opened[:-1]
            else:
                closed += character
    return closed, opened
