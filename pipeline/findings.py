"""What is worth knowing of a video beside its scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]
GREY, COLOURED = 1.5, 6.0  # levels of chroma: no colours any more, and colours that even the poorest encode keeps
GRAVEST_FIRST: tuple[Severity, ...] = ("error", "warning", "info")

PLANNED = frozenset({"kept_apart"})  # kinds that the plan tells: in what is known they are what it says now


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth knowing of a video beside its score, and never part of it.

    `kind` is one of those in docs/schema.md; "note" for an assumption or a fall-back. Without times it
    is about the whole video.
    """

    sentence: str
    kind: str = "note"
    severity: Severity = "info"
    start_s: float | None = None  # seconds from the stream's first frame
    end_s: float | None = None

    def __post_init__(self) -> None:
        if (self.start_s is None) != (self.end_s is None):
            raise ValueError(f"a finding has both times or none: {self.sentence}")

    def __str__(self) -> str:
        return self.sentence

    @property
    def dated(self) -> str:
        """The sentence, and when that is, where it is not the whole video: "black (3.0 to 4.5 s)"."""
        if self.start_s is None or self.end_s is None:
            return self.sentence
        first, last = f"{self.start_s:.1f}", f"{self.end_s:.1f}"
        return f"{self.sentence} ({first} s)" if first == last else f"{self.sentence} ({first} to {last} s)"

    @property
    def foreign(self) -> bool:
        """Whether it says that a video shows other pictures than its master."""
        return self.kind == "not_compared" and self.severity == "error"

    @property
    def order(self) -> tuple[int, float]:
        """To sort by: the gravest first, then by time."""
        return GRAVEST_FIRST.index(self.severity), self.start_s or 0.0

    @classmethod
    def of(cls, said: str | Finding) -> Finding:
        """A plain sentence is a note."""
        return said if isinstance(said, Finding) else cls(said)
