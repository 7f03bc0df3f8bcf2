"""Text for terminals: names come from other people's files."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey: control characters are written out (\\x1b)."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
