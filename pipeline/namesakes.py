"""Files that are named alike but are not one content: what is said of them once all are grouped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def told_apart(parts: Sequence[Sequence[str]], groups: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Where each part of a name went: it stays by itself, or is with another title's files, whose pictures it shows.

    Args:
        parts: two or more of files of one name, each of one content.
        groups: by file, the files of the group that it is in now.
    """
    alike = {file for part in parts for file in part}
    # The file of another name whose group each part went to.
    others = [[file for file in groups[part[0]] if file not in alike] for part in parts]
    moved = [
        other[0] if 2 * len(other) >= len(groups[part[0]]) else None for other, part in zip(others, parts, strict=True)
    ]
    home = max(range(len(parts)), key=lambda i: (moved[i] is None, len(parts[i])))  # keeps the name
    for i, part in enumerate(parts):
        host = parts[home if i != home else home - 1][0]
        if (to := moved[i]) is not None:
            yield f"named like {host}, but grouped with {to}, whose pictures it shows: {', '.join(part)}"
        elif i != home and part[0] not in groups[parts[home][0]]:
            yield f"named like {host}, but kept apart, for its pictures or its length are others: {', '.join(part)}"
