"""What tests of `measure_ladder` have in common: ladders of made-up videos, and rows to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yoto_video.pipeline.convert import clip_rows, frame_rows
from yoto_video.pipeline.ladder_result import LadderResult
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipScore, Ladder, Mode, Rendition, VideoRef

from .fakes import FakeJudge, FakeVideos

Make = Callable[..., FakeVideos]


def ladder(*encodes: str, master: str | None = None) -> Ladder:
    return Ladder(
        "title",
        tuple(Rendition(VideoRef(f"/{name}.mp4")) for name in encodes),
        None if master is None else VideoRef(f"/{master}.mp4"),
    )


def rows(result: LadderResult) -> dict[tuple[str, Mode | None], ClipScore]:
    found = {(r.clip.path.strip("/").removesuffix(".mp4"), r.clip.mode): r.clip for r in result.results}
    assert len(found) == len(result.results)
    clip_rows([r.clip for r in result.results])  # every row fits the schema
    frame_rows(result.results)
    return found


def run(some: Ladder, judge: Any = None, settings: Settings | None = None, **rest: Any) -> LadderResult:
    return measure_ladder(some, judge or FakeJudge(), settings or Settings(), **rest)


def notes(clip: ClipScore) -> tuple[str, ...]:
    """What is said of how it was measured, without what was seen in pictures and packets, or of their small size."""
    said = (finding.sentence for finding in clip.findings if finding.kind == "note")
    return tuple(sentence for sentence in said if not sentence.startswith("judged at "))
