"""What measuring one ladder comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

from .values import ClipResult


@dataclass(frozen=True)
class LadderResult:
    """The rows of one ladder, and where the time went.

    `seconds`: "probe" (content, headers, frame times), "decode" and "inference" (each by itself; they overlap), "wait"
    (for frames), "pictures" (heat maps and files), "wall" (the whole). `frames` is how many the network was given.
    """

    results: list[ClipResult]
    seconds: dict[str, float] = field(default_factory=dict)
    bytes_read: int = 0  # from object stores
    frames: int = 0

    @property
    def retryable(self) -> set[str]:
        """Paths of which another try may change the rows, to be given to `measure_ladder` as `todo`."""
        return {r.clip.path for r in self.results if r.clip.retryable and r.clip.mode != "fr"}

    def corrected(self, again: LadderResult) -> LadderResult:
        """The same with the rows of another result in place of its own of videos that it compared, too, or refused to.

        What could be measured once is not lost because it could not be twice.
        """
        settled = {r.clip.path for r in again.results if r.clip.mode == "fr" or any(f.foreign for f in r.clip.findings)}
        anew = {path: [r for r in again.results if r.clip.path == path] for path in settled}
        rows: dict[str, list[ClipResult]] = {}
        for result in self.results:
            rows.setdefault(result.clip.path, []).append(result)
        results = [row for path, own in rows.items() for row in anew.get(path, own)]
        seconds = {name: spent + again.seconds.get(name, 0.0) for name, spent in self.seconds.items()}
        return LadderResult(results, seconds, self.bytes_read + again.bytes_read, self.frames + again.frames)
