"""One ladder, from files to rows: what is scored, what is decoded, and what is said of what could not be."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from yoto_video.pipeline import decode, detect, measure, probe
from yoto_video.pipeline.convert import clip_json, clip_rows, frame_rows
from yoto_video.pipeline.errors import BrokenVideo, SkippedVideo, TransientVideoError
from yoto_video.pipeline.measure import LadderResult, ladder_ids, measure_ladder
from yoto_video.pipeline.pictures import PictureSink
from yoto_video.pipeline.pool import pool
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipScore, Ladder, Mode, Rendition, VideoRef

from .fakes import FakeJudge, FakeVideo, FakeVideos, info, times

Make = Callable[..., FakeVideos]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    return lambda **videos: FakeVideos({f"/{name}.mp4": video for name, video in videos.items()}, monkeypatch)


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
    """What is said of how it was measured, without what was seen in pictures and packets."""
    return tuple(finding.sentence for finding in clip.findings if finding.kind == "note")


def test_a_ladder_gives_a_row_a_mode_for_each_encode_and_one_for_its_master(make: Make) -> None:
    media = make(
        m=FakeVideo(times(100), info(128, 96)),
        high=FakeVideo(times(100), info(128, 96), noise=20),
        low=FakeVideo(times(100), info(64, 48), noise=80),
    )
    judge = FakeJudge()
    result = run(ladder("high", "low", master="m"), judge)
    found = rows(result)
    assert list(found) == [("m", "nr"), ("high", "nr"), ("high", "fr"), ("low", "nr"), ("low", "fr")]
    assert all(c.status == "ok" and c.display == "128x96" and notes(c) == () for c in found.values())
    assert [c.is_master for c in found.values()] == [True, False, False, False, False]
    assert judge.sizes == {(96, 128)}  # one raster for all
    assert judge.encoded == 3 * found["m", "nr"].frames  # N + 1 passes, though each encode is judged in two modes
    assert max(judge.calls) <= measure.FRAMES_A_CALL
    assert media.alive == 0  # every file was closed

    fr = found["low", "fr"]
    assert fr.score is not None
    assert fr.score < found["high", "fr"].score  # type: ignore[operator]
    assert (fr.reference, fr.offset_frames, fr.offset_s, fr.rate_ratio) == ("/m.mp4", 0, 0.0, 1.0)
    assert (fr.matched_frames, fr.unpaired_frames) == (fr.frames, 0)
    assert fr.match_confidence is not None
    assert fr.match_confidence > 0.9
    assert fr.ci95 is not None
    assert fr.ci95 == fr.ci95_frames  # six places cover 128x96 pixels: nothing is left to them
    assert (fr.codec, fr.width, fr.height, fr.bitrate_kbps, fr.duration_s, fr.fps) == (
        "h264",
        64,
        48,
        1000.0,
        4.0,
        25.0,
    )
    assert (fr.model, fr.model_sha256) == ("fake", "0" * 64)
    assert fr.content_id == "content of /low.mp4"
    nr = clip_json(found["m", "nr"])
    assert [nr[k] for k in ("offset_frames", "offset_s", "match_confidence")] == [None] * 3
    assert len({c.result_id for c in found.values()}) == 5


def test_pools_can_be_computed_again_from_the_frame_rows(make: Make) -> None:
    make(m=FakeVideo(times(100)), a=FakeVideo(times(100), noise=60))
    for r in run(ladder("a", master="m")).results:
        assert r.clip.frames == len(r.frames)
        assert r.clip.pools == pool([f.pts_time for f in r.frames], [f.score for f in r.frames])
        assert all(f.mode == r.clip.mode for f in r.frames)
        assert [f.frame_num for f in r.frames] == sorted({f.frame_num for f in r.frames})


def test_the_same_frames_and_scores_every_time_whatever_is_measured_beside_them(make: Make) -> None:
    make(m=FakeVideo(times(100)), a=FakeVideo(times(100), noise=60), slow=FakeVideo(times(50, Fraction(25, 2))))
    alone, beside = rows(run(ladder("a", master="m"))), rows(run(ladder("slow", "a", master="m")))
    for key in (("a", "nr"), ("a", "fr"), ("m", "nr")):
        assert replace(alone[key], ladder="") == replace(beside[key], ladder="")


def test_an_equal_copy_scores_100_against_its_master_wherever_its_clock_starts(make: Make) -> None:
    make(m=FakeVideo(times(100)), a=FakeVideo(times(100, start=Fraction(7, 3))))
    assert rows(run(ladder("a", master="m")))["a", "fr"].pools["min"] == 100


def test_half_the_frame_rate_is_compared_at_the_frames_both_have(make: Make) -> None:
    make(m=FakeVideo(times(240, 60)), a=FakeVideo(times(120, 30)))
    clip = rows(run(ladder("a", master="m")))["a", "fr"]
    assert clip.pools["min"] == 100
    assert notes(clip) == ("30.00 frames a second, its master 60.00",)


def test_the_masters_own_score_stands_beside_the_comparison_also_when_only_an_encode_is_new(make: Make) -> None:
    make(m=FakeVideo(times(100), noise=90), a=FakeVideo(times(100), noise=90), b=FakeVideo(times(100), noise=5))
    both = ladder("a", "b", master="m")
    found = rows(run(both))
    own = found["m", "nr"].score
    assert own is not None
    assert own > detect.POOR_SOURCE
    assert {found[name, "fr"].master_score for name in "ab"} == {own}
    assert {found[name, "nr"].master_score for name in "mab"} == {None}
    ids = ladder_ids(
        both, Settings(), FakeJudge.model_sha256, content_ids={f"/{n}.mp4": f"content of /{n}.mp4" for n in "mab"}
    )
    again = rows(run(both, todo={ids["/b.mp4"]}))
    assert list(again) == [("b", "nr"), ("b", "fr")]
    assert again["b", "fr"] == found["b", "fr"]


def test_a_poor_source_is_told_from_a_bad_encode(make: Make) -> None:
    make(m=FakeVideo(times(100), noise=1), a=FakeVideo(times(100), noise=1))
    found = rows(run(ladder("a", master="m")))
    labels = {key: [f.severity for f in clip.findings if f.kind == "poor_source"] for key, clip in found.items()}
    assert labels == {("m", "nr"): ["warning"], ("a", "nr"): [], ("a", "fr"): ["warning"]}
    assert found["a", "fr"].score == 100
    assert "below 50" in found["a", "fr"].sentences[-1]


def test_dropped_frames_are_judged_alone_and_counted(make: Make) -> None:
    master = times(100)
    make(m=FakeVideo(master), a=FakeVideo([t for i, t in enumerate(master) if i % 4], noise=9))
    found = rows(run(ladder("a", master="m"), settings=Settings(fps=10)))
    nr, fr = found["a", "nr"], found["a", "fr"]
    missing = found["m", "nr"].frames - fr.frames
    assert missing > 0
    assert fr.frames < nr.frames
    (said,) = notes(fr)
    assert said.startswith(f"{missing} of {found['m', 'nr'].frames} sampled frames of the master have no counterpart")
    assert notes(nr) == ()


def test_without_a_master_all_are_shown_like_the_tallest(make: Make) -> None:
    make(a=FakeVideo(times(100), info(64, 48)), b=FakeVideo(times(100), info(128, 96)))
    judge = FakeJudge()
    found = rows(run(ladder("a", "b"), judge))
    assert list(found) == [("a", "nr"), ("b", "nr")]
    assert judge.sizes == {(96, 128)}


def test_the_display_may_be_asked_for_and_a_stretched_picture_is_said(make: Make) -> None:
    make(m=FakeVideo(times(100), info(128, 96)), wide=FakeVideo(times(100), info(128, 72)))
    found = rows(run(ladder("wide", master="m")))
    assert notes(found["m", "nr"]) == ()
    assert "stretched" in found["wide", "fr"].sentences[0]
    asked = rows(run(ladder("wide", master="m"), settings=Settings(display=(64, 48))))
    assert {c.display for c in asked.values()} == {"64x48"}


def test_an_interval_counts_the_places_that_frames_are_judged_at(make: Make) -> None:
    make(m=FakeVideo(times(100)), a=FakeVideo(times(100), noise=60))
    widths = []
    for crops in (6, 12):
        found = rows(run(ladder("a", master="m"), settings=Settings(display=(1280, 720), crops=crops)))["a", "fr"]
        assert found.ci95 is not None
        assert found.ci95_frames is not None
        assert found.ci95[0] < found.ci95_frames[0] <= found.ci95_frames[1] < found.ci95[1]
        widths.append(found.ci95[1] - found.ci95[0])
    assert widths[0] > widths[1] + 1


def test_a_still_picture_is_a_video_of_one_frame(make: Make) -> None:
    still = info(fps=None, duration_s=None, still=True)
    make(m=FakeVideo([Fraction(0)], still), a=FakeVideo([Fraction(0)], still, noise=3))
    found = rows(run(ladder("a", master="m"), pictures=PictureSink()))
    assert {(c.frames, c.ci95, c.duration_s, c.fps) for c in found.values()} == {(1, None, None, None)}
    assert len(found["a", "fr"].moments) == 1


def test_what_probing_assumed_is_a_finding(make: Make) -> None:
    make(a=FakeVideo(times(50), info(notes=("colour matrix not stated, bt709 assumed",))))
    assert rows(run(ladder("a")))["a", "nr"].sentences == ("colour matrix not stated, bt709 assumed",)


# --- what goes wrong -------------------------------------------------------------------------------------------------


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


# --- what is not done ------------------------------------------------------------------------------------------------


def test_only_what_is_missing_is_measured_and_only_what_that_needs_is_decoded(make: Make) -> None:
    media = make(m=FakeVideo(times(100)), a=FakeVideo(times(100)), b=FakeVideo(times(100), noise=40))
    both = ladder("a", "b", master="m")
    full = rows(run(both))
    contents = {v.path: f"content of {v.path}" for v in both.videos}
    ids = ladder_ids(both, Settings(), FakeJudge.model_sha256, content_ids=contents)
    assert {full["m", "nr"].result_id, full["a", "nr"].result_id, full["b", "nr"].result_id} == set(ids.values())

    media.read.clear()
    judge = FakeJudge()
    part = rows(run(both, judge, todo={ids["/b.mp4"]}))
    assert list(part) == [("b", "nr"), ("b", "fr")]
    assert sorted(media.read) == ["/b.mp4", "/m.mp4"]
    assert part["b", "fr"] == full["b", "fr"]
    assert judge.encoded == 2 * part["b", "fr"].frames

    media.read.clear()
    assert run(both, todo=set()).results == []
    assert list(rows(run(both, todo={ids["/m.mp4"]}))) == [("m", "nr")]
    assert media.read == ["/m.mp4"]


def test_what_is_known_already_is_not_looked_up_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make(a=FakeVideo(times(50)))

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("looked up again")

    monkeypatch.setattr(probe, "probe", refuse)
    monkeypatch.setattr("yoto_video.pipeline.storage.content_id", refuse)
    found = rows(run(ladder("a"), infos={"/a.mp4": info()}, content_ids={"/a.mp4": "known"}))
    assert found["a", "nr"].content_id == "known"


def test_settings_of_decoding_reach_the_decoder(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make(a=FakeVideo(times(50)))
    seen: dict[str, Any] = {}
    inner = decode.read_frames
    monkeypatch.setattr(decode, "read_frames", lambda *a, **k: (seen.update(k), inner(*a, **k))[1])
    found = rows(run(ladder("a"), settings=Settings(decoder="decord", decode_timeout_s=7, display=(32, 24))))
    assert found["a", "nr"].sentences == ("read with PyAV, not decord: there is no file",)
    assert seen == {"raster": (32, 24), "decoder": "decord", "timeout_s": 7}


def test_the_worst_frames_are_kept_with_their_reference_beside_them(make: Make, out_dir: Path) -> None:
    def damaged(instant: float, width: int, height: int) -> Any:
        value = 200 if 2.0 <= instant < 2.5 else 100
        return np.full((height, width, 3), value, np.uint8)

    def clean(instant: float, width: int, height: int) -> Any:
        return np.full((height, width, 3), 100, np.uint8)

    make(m=FakeVideo(times(250), draw=clean), a=FakeVideo(times(250), draw=damaged))
    found = rows(run(ladder("a", master="m"), settings=Settings(fps=4), pictures=PictureSink(out_dir)))
    moments = found["a", "fr"].moments
    assert len(moments) == 2
    assert 2.0 <= moments[0].pts_time < 2.5
    assert moments[0].score == 0 < moments[1].score
    assert abs(moments[0].pts_time - moments[1].pts_time) >= 1
    assert found["a", "nr"].moments == ()
    assert len(found["m", "nr"].moments) == 2
    assert found["m", "nr"].moments[0].reference is None
    files = {p for m in moments for p in (m.encode, m.heat_map, m.reference)}
    assert len(files) == 6
    assert all((out_dir / str(p)).is_file() for p in files)
    none = rows(run(ladder("a", master="m"), settings=Settings(worst_frames=0), pictures=PictureSink(out_dir)))
    assert not any(c.moments for c in none.values())


def test_time_is_told_by_stage(make: Make) -> None:
    make(m=FakeVideo(times(100)), a=FakeVideo(times(100)))
    seconds = run(ladder("a", master="m"), pictures=PictureSink()).seconds
    assert set(seconds) == {"probe", "decode", "wait", "inference", "pictures", "wall"}
    assert all(0 <= s <= seconds["wall"] for s in seconds.values())


# --- real clips ------------------------------------------------------------------------------------------------------


def real(folder: Path, *names: str, master: str | None = None) -> Ladder:
    found = tuple(Rendition(VideoRef(str(folder / name))) for name in names)
    return Ladder(folder.name, found, VideoRef(str(folder / master)) if master else None)


def by_name(result: LadderResult) -> dict[tuple[str, Mode | None], ClipScore]:
    rows(result)
    return {(r.clip.path.rsplit("/", 1)[-1], r.clip.mode): r.clip for r in result.results}


def test_real_encodes_are_decoded_in_step_with_their_master(data_dir: Path, out_dir: Path) -> None:
    names = ("ferris-bicubic-bicubic.mp4", "ferris-nearest-nearest.mp4", "ferris-test-sat.mp4")
    some = real(data_dir / "clips" / "fr_pairs", *names, master="ferris-ref.mp4")
    judge = FakeJudge()
    found = by_name(run(some, judge, Settings(display=(320, 180)), pictures=PictureSink(out_dir)))
    assert len(found) == 7
    frames = {c.frames for c in found.values()}
    assert len(frames) == 1  # none was lost, though four decoders ran side by side
    assert judge.encoded == 4 * frames.pop()
    assert not any("could be decoded" in said for c in found.values() for said in c.sentences)
    assert all(c.score is not None and 80 < c.score < 100 for (_, mode), c in found.items() if mode == "fr")
    assert all((out_dir / m.heat_map).stat().st_size > 500 for c in found.values() for m in c.moments)


def test_a_real_copy_of_the_master_scores_100_in_every_frame(data_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    shutil.copy(data_dir / "clips" / "fr_pairs" / "carphone_pristine.mp4", copy)
    some = real(data_dir / "clips" / "fr_pairs", "carphone_distorted.mp4", str(copy), master="carphone_pristine.mp4")
    found = by_name(run(some))
    assert found["copy.mp4", "fr"].pools["min"] == 100
    assert found["carphone_distorted.mp4", "fr"].pools["mean"] < 99


def test_a_manifests_renditions_are_scored_from_their_segments(data_dir: Path) -> None:
    folder = data_dir / "clips" / "manifests" / "dash_low_delay"
    parts = ("init.mp4", "1.m4s", "2.m4s", "3.m4s", "4.m4s")
    videos = [
        VideoRef(f"{folder}/Manifest.mpd#{height}", tuple(str(folder / height / part) for part in parts))
        for height in ("1080", "720", "360")
    ]
    result = run(Ladder("dash", tuple(map(Rendition, videos))), settings=Settings(display=(320, 180)))
    assert [(r.clip.status, r.clip.frames, r.clip.duration_s) for r in result.results] == [("ok", 16, 8.0)] * 3
    assert len({tuple(f.frame_num for f in r.frames) for r in result.results}) == 1  # one encoder, the same instants


def test_every_difficult_file_gets_its_row(data_dir: Path) -> None:
    files = [f for f in sorted((data_dir / "clips" / "torture").iterdir()) if f.name != "long_180p_av1.mp4"]
    unscored = {}
    for file in files:
        result = run(real(file.parent, file.name), settings=Settings(display=(64, 48), min_frames=3, fps=0.5))
        rows(result)
        (only,) = result.results
        assert not only.clip.retryable, only.clip.reason
        if only.clip.status != "ok":
            unscored[file.name] = only.clip.reason or ""
    assert set(unscored) == {"encrypted_clearkey.mp4", "sample_audio_only.mp4", "zero_bytes.mp4"}
    assert "encrypted" in unscored["encrypted_clearkey.mp4"]
    assert "audio" in unscored["sample_audio_only.mp4"]
    assert "empty" in unscored["zero_bytes.mp4"]


MEMORY = """
import resource, sys
import numpy as np
import pytest
from fakes import FakeJudge, FakeVideo, FakeVideos, info, times
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.pictures import PictureSink
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

class Glance(FakeJudge):
    def encode(self, frames):
        return super().encode([f[:8, :8] for f in frames])

seconds = int(sys.argv[1])
size = info(640, 360, duration_s=float(seconds))
draw = lambda instant, width, height: np.full((height, width, 3), int(instant * 7) % 251, np.uint8)
videos = {f"/{i}.mp4": FakeVideo(times(2 * seconds, 2), size, draw=draw) for i in range(4)}
with pytest.MonkeyPatch.context() as patch:
    FakeVideos(videos, patch)
    refs = [VideoRef(p) for p in videos]
    ladder = Ladder("l", tuple(Rendition(r) for r in refs[1:]), refs[0])
    result = measure_ladder(ladder, Glance(), Settings(), pictures=PictureSink())
print(sum(r.clip.frames for r in result.results), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_length_of_the_videos() -> None:
    """A frame here is 0.7 MB: of four videos of two minutes 660 MB are sampled."""

    def peak(seconds: int) -> tuple[int, int]:
        command = [sys.executable, "-c", MEMORY, str(seconds)]
        search = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        where = os.environ | {"PYTHONPATH": os.pathsep.join(search)}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=where)
        frames, kilobytes = map(int, done.stdout.split())
        return frames, kilobytes

    short, long = peak(8), peak(120)
    assert long[0] > 10 * short[0]
    assert long[1] - short[1] < 60_000
