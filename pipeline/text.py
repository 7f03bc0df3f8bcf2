"""Text that can be stored and shown: names come from other people's files."""

from __future__ import annotations


def plain(text: str) -> str:
    """Text that UTF-8 can hold. Bytes of a file name that are no UTF-8 (Linux allows them) are shown as \\udcXX."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey: control characters are written out (\\x1b)."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
