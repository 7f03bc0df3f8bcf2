"""Text that can be stored: names come from other people's files."""

from __future__ import annotations


def plain(text: str) -> str:
    """Text that UTF-8 can hold. Bytes of a file name that are no UTF-8 (Linux allows them) are shown as \\udcXX."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
