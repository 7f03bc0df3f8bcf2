"""Rows of `clips` with their rows of `frames`, which have path, mode and result id in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from .values import ClipScore


class Carried(NamedTuple):
    """Rows that stay as they are, and theirs of `frames`."""

    clips: list[ClipScore]
    frames: pa.Table

    def only(self, clips: Iterable[ClipScore]) -> Carried:
        """Those of these rows that are among `clips`."""
        keys = {row_key(clip) for clip in clips}
        stays = [clip for clip in self.clips if row_key(clip) in keys]
        if len(stays) == len(self.clips):
            return self
        return Carried(stays, self.frames.filter(pc.is_in(row_keys(self.frames), pa.array(keys, pa.string()))))


def row_key(clip: ClipScore) -> str:
    """What a row of `clips` has in common with its rows of `frames`, as one text."""
    return f"{clip.path}\n{clip.mode}\n{clip.result_id}"


def row_keys(frames: pa.Table) -> Any:
    """The same of each row of `frames`: an Arrow array of texts, (n,)."""
    columns = [frames[name].cast(pa.string()) for name in ("path", "mode", "result_id")]
    return pc.binary_join_element_wise(*columns, "\n").combine_chunks()
