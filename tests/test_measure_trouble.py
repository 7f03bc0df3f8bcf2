"""One ladder in which something goes wrong: a row for each video all the same, and a sentence that says why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from yoto_video.pipeline.errors import BrokenVideo, SkippedVideo, TransientVideoError
from yoto_video.pipeline.values import Mode

from .fakes import FakeJudge, FakeVideo, info, times
from .measuring import Make, ladder, notes, rows, run


@pytest.mark.parametrize(
    ("broken", "status", "retryable"),
    [
        (FakeVideo([], probe_error=SkippedVideo("/b.mp4", "audio only")), "skipped", False),
        (FakeVideo([], probe_error=BrokenVideo("/b.mp4", "encrypted")), "failed", False),
        (FakeVideo([], times_error=BrokenVideo("/b.mp4", "truncated")), "failed", False),
        (FakeVideo([], probe_error=KeyError("surprise")), "failed", True),
        (FakeVideo(times(50), breaks_at=0), "failed", False),
        (
            FakeVideo(times(50), breaks_at=20, decode_error=TransientVideoError("/b.mp4", "no frame in 60 s")),
            "failed",
            True,
        ),
        (FakeVideo(times(50), breaks_at=20, decode_error=MemoryError()), "failed", True),
        (FakeVideo(times(50), missing=frozenset(range(50))), "failed", False),
        (FakeVideo([]), "skipped", False),
    ],
)
def test_a_video_that_cannot_be_scored_is_one_row_and_the_others_go_on(
    make: Make, broken: FakeVideo, status: str, retryable: bool
) -> None:
    make(m=FakeVideo(times(50)), a=FakeVideo(times(50)), b=broken)
    result = run(ladder("a", "b", master="m"))
    found = rows(result)
    assert list(found) == [("m", "nr"), ("a", "nr"), ("a", "fr"), ("b", None)]
    clip = found["b", None]
    assert (clip.status, clip.retryable, clip.frames, clip.score, clip.display) == (status, retryable, 0, None, None)
    assert clip.reason
    assert "\n" not in clip.reason
    assert "/b.mp4" not in clip.reason
    assert result.retryable == ({clip.result_id} if retryable else set())


def test_a_surprise_is_said_in_one_sentence_with_its_kind(make: Make) -> None:
    make(a=FakeVideo([], probe_error=KeyError("surprise")))
    clip = rows(run(ladder("a")))["a", None]
    assert clip.reason == "unexpected error while reading its header (KeyError: 'surprise')"


def test_a_partly_decodable_video_is_scored_on_what_decoded(make: Make) -> None:
    make(m=FakeVideo(times(100)), a=FakeVideo(times(100), breaks_at=50))
    found = rows(run(ladder("a", master="m")))
    for mode in ("nr", "fr"):
        clip = found["a", mode]  # type: ignore[index]
        assert (clip.status, clip.frames) == ("ok", 4)
        said = "only 4 of 8 sampled frames could be decoded: the file ends in the middle of a frame"
        assert notes(clip) == (said,)


@pytest.mark.parametrize(
    ("master", "reason"),
    [
        (FakeVideo([], probe_error=BrokenVideo("/m.mp4", "truncated")), "truncated"),
        (FakeVideo(times(100), times_error=BrokenVideo("/m.mp4", "corrupt")), "corrupt"),
        (FakeVideo(times(100), breaks_at=0), "the file ends in the middle of a frame"),
    ],
)
def test_without_its_master_an_encode_is_judged_alone_and_says_why(make: Make, master: FakeVideo, reason: str) -> None:
    make(m=master, a=FakeVideo(times(100)))
    found = rows(run(ladder("a", master="m")))
    assert list(found) == [("m", None), ("a", "nr")]
    assert found["m", None].is_master
    assert found["m", None].reason == reason
    assert found["a", "nr"].sentences == (f"not compared with its master m.mp4, which could not be used: {reason}",)
    assert found["a", "nr"].frames >= 8


def test_a_master_lost_for_a_passing_reason_has_its_encodes_tried_again(make: Make) -> None:
    late = FakeVideo(times(100), breaks_at=60, decode_error=TransientVideoError("/m.mp4", "no frame came in 60 s"))
    media = make(m=late, a=FakeVideo(times(100)))
    first = run(ladder("a", master="m"))
    found = rows(first)
    assert list(found) == [("m", None), ("a", "nr")]  # no comparison over half of the frames
    assert found["a", "nr"].retryable
    assert first.retryable == {found["m", None].result_id, found["a", "nr"].result_id}

    media.videos["/m.mp4"].breaks_at = None
    again = rows(run(ladder("a", master="m"), todo=first.retryable))
    assert list(again) == [("m", "nr"), ("a", "nr"), ("a", "fr")]
    assert not again["a", "nr"].retryable


def test_a_partly_decodable_master_is_a_reference_as_far_as_it_goes(make: Make) -> None:
    make(m=FakeVideo(times(100), breaks_at=50), a=FakeVideo(times(100)))
    found = rows(run(ladder("a", master="m")))
    assert (found["a", "nr"].frames, found["a", "fr"].frames) == (8, 4)
    assert found["a", "fr"].sentences[0].startswith("of the master, only 4 of 8 sampled frames")


def test_hdr_and_sdr_are_not_compared(make: Make) -> None:
    make(m=FakeVideo(times(100), info(color_transfer="smpte2084")), a=FakeVideo(times(100)))
    found = rows(run(ladder("a", master="m")))
    assert list(found) == [("m", "nr"), ("a", "nr")]
    assert found["a", "nr"].sentences[0].startswith("not compared with its master: this is SDR, the master HDR (PQ)")


class Nan(FakeJudge):
    def fr(self, encoded: Sequence[Any], references: Sequence[Any]) -> list[float]:
        return [math.nan] * len(encoded)


class Refusing(FakeJudge):
    def encode(self, frames: Sequence[Any]) -> list[Any]:
        raise RuntimeError("out of memory")


class Unpoolable(FakeJudge):
    def nr(self, encoded: Sequence[Any]) -> list[float]:
        return [-5.0] * len(encoded)


@pytest.mark.parametrize(
    ("judge", "rows_found", "said"),
    [
        (Nan(), [("m", "nr"), ("a", None)], "the network gave no number (nan, fr)"),
        (Refusing(), [("m", None), ("a", None)], "unexpected error while judging (RuntimeError: out of memory)"),
        (Unpoolable(), [("m", None), ("a", None)], "unexpected error while pooling its scores (ValueError"),
    ],
)
def test_a_judge_that_fails_makes_failed_rows_and_never_a_zero(
    make: Make, judge: FakeJudge, rows_found: list[tuple[str, Mode | None]], said: str
) -> None:
    make(m=FakeVideo(times(100)), a=FakeVideo(times(100)))
    found = rows(run(ladder("a", master="m"), judge))
    assert list(found) == rows_found
    assert said in (found["a", None].reason or "")
