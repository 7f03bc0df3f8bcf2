"""One ladder in which something goes wrong: a row for each video all the same, and a sentence that says why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from yoto_video.pipeline import decode, telecine
from yoto_video.pipeline.colour import UNSTATED_MATRIX
from yoto_video.pipeline.errors import BrokenVideo, SkippedVideo, TransientVideoError, UsageError
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import Mode, VideoInfo, VideoRef

from .fakes import FakeJudge, FakeVideo, info, picture, times
from .measuring import Make, ladder, rows, run


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
    assert result.retryable == ({clip.path} if retryable else set())


def test_rungs_laid_over_their_master_side_by_side_fare_as_one_after_the_other(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(
        m=FakeVideo(times(100)),
        plain=FakeVideo(times(100), noise=9),
        late=FakeVideo(times(80), draw=lambda t, w, h: picture(t + 0.8, 9, w, h)),
        half=FakeVideo(times(50, Fraction(25, 2)), noise=20),
        empty=FakeVideo([]),
        cut=FakeVideo(times(100), breaks_at=30),
        untimed=FakeVideo([], times_error=BrokenVideo("/untimed.mp4", "truncated")),
        other=FakeVideo(times(100), draw=lambda t, w, h: picture(0, 90, h, w).transpose(1, 0, 2)),
        surprise=FakeVideo(times(100)),
    )
    real = decode.read_luma

    def read(ref: VideoRef, *args: Any, **rest: Any) -> Any:
        if ref.path == "/surprise.mp4":
            raise KeyError("surprise")
        return real(ref, *args, **rest)

    monkeypatch.setattr(decode, "read_luma", read)
    names = ("plain", "late", "half", "empty", "cut", "untimed", "other", "surprise")
    found = []
    for threads in (1, 2, 8):
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        found.append([(result.clip, result.frames) for result in run(ladder(*names, master="m")).results])
    assert found[0] == found[1] == found[2]
    clips = {(clip.path, clip.mode): clip for clip, _ in found[0]}
    assert clips["/late.mp4", "fr"].offset_frames == 20
    assert ("/plain.mp4", "fr") in clips
    assert ("/other.mp4", "fr") not in clips
    reason = clips["/surprise.mp4", None].reason
    assert reason == "unexpected error while choosing its frames (KeyError: 'surprise')"


def test_what_is_wrong_with_the_request_is_no_rungs_fault(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make(m=FakeVideo(times(50)), a=FakeVideo(times(50)), b=FakeVideo(times(50)))

    def missing(ref: VideoRef, *_: Any, **__: Any) -> Any:
        if ref.path == "/m.mp4":
            return "pyav", None
        raise UsageError("decord is not installed")

    monkeypatch.setattr(decode, "choose_decoder", missing)
    with pytest.raises(UsageError, match="decord"):
        run(ladder("a", "b", master="m"), settings=Settings(decoder="decord"))


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
        assert (clip.findings[0].sentence, clip.findings[0].kind) == (said, "damaged")


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
    said = f"not compared with its master m.mp4, which could not be used: {reason}"
    assert [f for f in found["a", "nr"].findings if f.kind != "note"] == [Finding(said, "not_compared", "warning")]
    assert found["a", "nr"].frames >= 8


def test_videos_of_which_no_pair_of_frames_can_be_decoded_are_not_compared(make: Make) -> None:
    first, last = frozenset(range(50)), frozenset(range(50, 100))
    make(m=FakeVideo(times(100), missing=first), a=FakeVideo(times(100), missing=last))
    found = rows(run(ladder("a", master="m")))
    assert list(found) == [("m", "nr"), ("a", "nr")]
    (said,) = (finding for finding in found["a", "nr"].findings if finding.kind == "not_compared")
    sentence = "not compared with its master: of no pair of frames could both be decoded"
    assert said == Finding(sentence, "not_compared", "warning")


def test_a_master_lost_for_a_passing_reason_has_its_encodes_tried_again(make: Make) -> None:
    late = FakeVideo(times(100), breaks_at=60, decode_error=TransientVideoError("/m.mp4", "no frame came in 60 s"))
    media = make(m=late, a=FakeVideo(times(100)))
    first = run(ladder("a", master="m"))
    found = rows(first)
    assert list(found) == [("m", None), ("a", "nr")]  # no comparison over half of the frames
    assert found["a", "nr"].retryable
    assert first.retryable == {"/m.mp4", "/a.mp4"}

    media.videos["/m.mp4"].breaks_at = None
    again = rows(run(ladder("a", master="m"), todo=first.retryable))
    assert list(again) == [("m", "nr"), ("a", "nr"), ("a", "fr")]
    assert not again["a", "nr"].retryable


def test_a_partly_decodable_master_is_a_reference_as_far_as_it_goes(make: Make) -> None:
    make(m=FakeVideo(times(100), breaks_at=50), a=FakeVideo(times(100)))
    found = rows(run(ladder("a", master="m")))
    assert (found["a", "nr"].frames, found["a", "fr"].frames) == (8, 4)
    assert any(said.startswith("of its master, only 4 of 8 sampled frames") for said in found["a", "fr"].sentences)


def test_an_encode_is_told_that_its_master_is_truncated(make: Make) -> None:
    cut = Finding("truncated: 9 of 109 frames are missing from the file", "truncated", "error")
    make(m=FakeVideo(times(100), info(notes=(cut,))), a=FakeVideo(times(100)))
    found = rows(run(ladder("a", master="m")))
    said = Finding(f"of its master, {cut.sentence}", "poor_source", "warning")
    assert said in found["a", "fr"].findings
    assert said not in found["a", "nr"].findings
    assert cut in found["m", "nr"].findings


def test_hdr_and_sdr_are_not_compared(make: Make) -> None:
    make(m=FakeVideo(times(100), info(color_transfer="smpte2084")), a=FakeVideo(times(100)))
    found = rows(run(ladder("a", master="m")))
    assert list(found) == [("m", "nr"), ("a", "nr")]
    assert found["a", "nr"].sentences[0].startswith("not compared with its master: this is SDR, the master HDR (PQ)")


def test_an_encode_is_judged_as_a_whole_beside_a_master_that_is_shorter_or_other(make: Make) -> None:
    make(
        m=FakeVideo(times(200)), a=FakeVideo(times(400)),
        still=FakeVideo(times(1), info(still=True)), b=FakeVideo(times(400)),
    )  # fmt: skip
    alone = rows(run(ladder("b")))["b", "nr"]
    found = rows(run(ladder("a", master="m")))
    assert found["a", "fr"].frames < found["a", "nr"].frames
    assert abs(found["a", "nr"].frames - alone.frames) <= 1
    assert any("lie before or after what its master shows" in said for said in found["a", "fr"].sentences)
    other = rows(run(ladder("b", master="still")))
    assert ("b", "fr") not in other
    assert other["b", "nr"].frames == alone.frames


def other_pictures(t: float, width: int, height: int) -> Any:
    return picture(0, 90, height, width).transpose(1, 0, 2)


UNSTATED = {"color_space": "smpte170m", "notes": (f"{UNSTATED_MATRIX}, smpte170m assumed",)}


@pytest.mark.parametrize("display", [None, (96, 72)])
@pytest.mark.parametrize("still", [False, True])
def test_beside_a_master_of_other_pictures_an_encode_is_judged_as_a_file_alone_is(
    make: Make, monkeypatch: pytest.MonkeyPatch, still: bool, display: tuple[int, int] | None
) -> None:
    settings = Settings(display=display)
    make(
        m=FakeVideo(times(1 if still else 100), info(160, 90, still=still), draw=other_pictures),
        a=FakeVideo(times(100), info(**UNSTATED), noise=9),
        b=FakeVideo(times(100), info(32, 24), noise=9),
    )
    alone = {name: rows(run(ladder(name), settings=settings))[name, "nr"] for name in "ab"}
    matrices, looked_for_film, read = list[tuple[str, str]](), list[str](), decode.read_frames

    def noted(ref: VideoRef, known: VideoInfo, *args: Any, **rest: Any) -> Any:
        matrices.append((ref.path, known.color_space))
        return read(ref, known, *args, **rest)

    def looked(ref: VideoRef, **_: Any) -> bool:
        looked_for_film.append(ref.path)
        return False

    monkeypatch.setattr(decode, "read_frames", noted)
    monkeypatch.setattr(telecine, "is_woven", looked)
    found = rows(run(ladder("a", "b", master="m"), settings=settings))
    assert list(found) == [("m", "nr"), ("a", "nr"), ("b", "nr")]
    assert ("/a.mp4", "smpte170m") in matrices
    assert sorted(looked_for_film) == ["/a.mp4", "/b.mp4", "/m.mp4"]
    for name, by_itself in alone.items():
        row = found[name, "nr"]
        assert (row.display, row.pools, row.ci95) == (by_itself.display, by_itself.pools, by_itself.ci95)
        (refused,) = (f for f in row.findings if f.kind == "not_compared")
        assert ("at its own" in refused.sentence) == (display is None)
        assert "ladder" not in refused.sentence
        assert {f.sentence for f in by_itself.findings} <= set(row.sentences)
        others = {f.kind for f in row.findings} - {f.kind for f in by_itself.findings}
        assert others <= {"not_compared", "note"}
        assert not any("taken from its master" in said for said in row.sentences)
    assert found["m", "nr"].display == ("160x90" if display is None else "96x72")


def test_an_encode_says_that_it_is_read_in_its_masters_matrix(make: Make) -> None:
    make(m=FakeVideo(times(100)), a=FakeVideo(times(100), info(**UNSTATED)))
    said = rows(run(ladder("a", master="m")))["a", "nr"].sentences
    assert [each for each in said if each.startswith(UNSTATED_MATRIX)] == [
        f"{UNSTATED_MATRIX}, bt709 taken from its master"
    ]


def test_an_encode_that_a_right_master_cannot_be_compared_with_keeps_its_display(make: Make) -> None:
    light = info(160, 90, color_transfer="smpte2084")
    make(m=FakeVideo(times(100), light), a=FakeVideo(times(100)))
    found = rows(run(ladder("a", master="m")))
    assert found["a", "nr"].display == "160x90"
    assert "judged alone, scaled to its master's 160x90" in found["a", "nr"].sentences[0]


class Nan(FakeJudge):
    def fr(self, encoded: Sequence[Any], references: Sequence[Any]) -> list[float]:
        return [math.nan] * len(encoded)


class Refusing(FakeJudge):
    def encode(self, frames: Sequence[Any], turns: Any = None) -> list[Any]:
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
