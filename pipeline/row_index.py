"""What the store holds, in memory: committed rows of `clips` by part, path and result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .values import ClipScore, Mode

_Where = dict[str, tuple[str, ...]]  # parts by path, ladder or result: nearly always one, and a set takes 216 bytes


class RowIndex(Mapping[str, list[ClipScore]]):
    """Part name to its rows, and where a path or a result is without looking through all of them."""

    def __init__(self) -> None:
        self._rows: dict[str, list[ClipScore]] = {}
        self._paths: _Where = {}
        self._ladders: _Where = {}
        self._results: _Where = {}

    def __getitem__(self, part: str) -> list[ClipScore]:
        return self._rows[part]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, part: str, rows: list[ClipScore]) -> None:
        """The part holds these rows now, and no others; without rows it is gone."""
        for clip in self._rows.pop(part, ()):
            _leave(self._paths, clip.path, part)
            _leave(self._ladders, clip.ladder, part)
            _leave(self._results, clip.result_id, part)
        alone = (part,)
        for clip in rows:
            _enter(self._paths, clip.path, alone)
            _enter(self._ladders, clip.ladder, alone)
            _enter(self._results, clip.result_id, alone)
        if rows:
            self._rows[part] = rows

    def rows(self) -> Iterator[ClipScore]:
        """All rows."""
        for rows in self._rows.values():
            yield from rows

    def parts_of(self, path: str) -> list[str]:
        """Names of the parts with a row of this path, sorted."""
        return sorted(self._paths.get(path, ()))

    def parts_with(self, ladder: str) -> list[str]:
        """Names of the parts with a row of this ladder, sorted."""
        return sorted(self._ladders.get(ladder, ()))

    def holds(self, result_id: str) -> bool:
        """Whether a row has this result."""
        return result_id in self._results

    def find(self, result_id: str, mode: Mode | None) -> tuple[str, ClipScore] | None:
        """A part and its row with this result, if there is one."""
        for part in sorted(self._results.get(result_id, ())):
            for clip in self._rows[part]:
                if (clip.result_id, clip.mode) == (result_id, mode):
                    return part, clip
        return None


def _enter(where: _Where, key: str, alone: tuple[str]) -> None:
    parts = where.get(key, alone)
    where[key] = parts if alone[0] in parts else (*parts, *alone)


def _leave(where: _Where, key: str, part: str) -> None:
    parts = tuple(other for other in where.get(key, ()) if other != part)
    if parts:
        where[key] = parts
    else:
        where.pop(key, None)
