"""Glances at files and comparisons of their pictures, each made once in a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor

from . import closer
from .fingerprint import Alike, Thumbnail, compare, moments, opening, same_picture
from .glance import Glance, glance
from .side_by_side import in_parallel
from .values import VideoRef


class Looker:
    """Looks at files; `look_cache` has one that remembers."""

    def glance(self, ref: VideoRef, size: int = 0) -> Glance | None:
        """A file's header."""
        return glance(ref, size)

    def opening(self, ref: VideoRef) -> Thumbnail | None:
        """Its first frame."""
        return opening(ref)

    def moments(self, ref: VideoRef, duration_s: float) -> tuple[Thumbnail | None, ...]:
        """Frames at `MOMENTS`."""
        return moments(ref, duration_s)

    def differ(self, one: VideoRef, other: VideoRef) -> bool | None:
        """As `closer.differ`."""
        return closer.differ(one, other)


class Looks:
    """Glances and comparisons of one run, made by `looker`.

    Attributes:
        glances: by path, all that were asked for; None where the file could not be opened.
    """

    def __init__(self, looker: Looker | None = None) -> None:
        self._looker = looker or Looker()
        self.glances: dict[str, Glance | None] = {}
        self._openings: dict[str, Thumbnail | None] = {}
        self._moments: dict[tuple[str, float], tuple[Thumbnail | None, ...]] = {}
        self._differ: dict[tuple[str, str], bool] = {}

    def prepare(self, files: Iterable[tuple[VideoRef, int]]) -> None:
        """Glance at many files (reference and size in bytes) side by side."""
        new = [(ref, size) for ref, size in files if ref.path not in self.glances]
        for (ref, _), seen in zip(new, in_parallel(lambda file: self._looker.glance(*file), new), strict=True):
            self.glances[ref.path] = seen

    def glance(self, ref: VideoRef) -> Glance:
        """What was seen of a file; an empty Glance where nothing was."""
        return self.glances.get(ref.path) or Glance()

    def alike(self, one: VideoRef, others: Sequence[VideoRef]) -> list[Alike]:
        """Compare one file with each of the others."""
        new = [ref for ref in (one, *others) if ref.path not in self._openings]
        for ref, thumbnail in zip(new, in_parallel(self._looker.opening, new), strict=True):
            self._openings[ref.path] = thumbnail
        agree = [same_picture(self._openings[one.path], self._openings[ref.path]) for ref in others]
        verdicts = [Alike.DIFFERENT if same is False else Alike.UNKNOWN for same in agree]
        close = [i for i, same in enumerate(agree) if same is not False]
        lengths = [self.glance(ref).duration_s for ref in (one, *(others[i] for i in close))]
        known = [length for length in lengths if length]
        if not close or len(known) < len(lengths):
            # Without durations (still pictures, raw streams) the first picture is all there is to compare.
            return [Alike.SAME_STILL if same else verdict for same, verdict in zip(agree, verdicts, strict=True)]
        # On a grid, so that files of nearly one length are looked at once, not once for each comparison.
        length = floor(min(known) * 4) / 4 or min(known)
        unseen = [ref for ref in (one, *(others[i] for i in close)) if (ref.path, length) not in self._moments]
        for ref, shots in zip(unseen, in_parallel(lambda ref: self._looker.moments(ref, length), unseen), strict=True):
            self._moments[ref.path, length] = shots
        for i in close:
            verdicts[i] = compare(self._moments[one.path, length], self._moments[others[i].path, length])
        return verdicts

    def differ(self, one: VideoRef, other: VideoRef) -> bool:
        """Whether two files that `alike` calls different surely are, whatever their shapes, bars and starts."""
        first, second = sorted((one, other), key=lambda ref: ref.path)
        pair = first.path, second.path
        if pair not in self._differ:
            self._differ[pair] = bool(self._looker.differ(first, second))
        return self._differ[pair]
