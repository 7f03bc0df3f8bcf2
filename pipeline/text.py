"""Text that can be stored and shown: names come from other people's files."""

from __future__ import annotations

import contextlib


def plain(text: str) -> str:
    """Text that UTF-8 can hold. Bytes of a file name that are no UTF-8 (Linux allows them) are shown as \\udcXX."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def safe_cell(value: object) -> object:
    """A value for CSV: text that a spreadsheet would run as a formula gets an apostrophe, as OWASP advises.

    Numbers, also those that stand as text, are as they were.
    """
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return value
    with contextlib.suppress(ValueError):
        float(value)
        return value
    return f"'{value}"


def counted(number: int, noun: str) -> str:
    """A number of things: "1 video", "12,000 videos"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey: control characters are written out (\\x1b)."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
