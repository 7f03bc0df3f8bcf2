"""One ladder, from files to rows: what is scored, and what is decoded for it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from yoto_video.pipeline import decode, detect, measure, probe
from yoto_video.pipeline.convert import clip_json
from yoto_video.pipeline.identity import ladder_ids
from yoto_video.pipeline.pictures import PictureSink
from yoto_video.pipeline.pool import pool
from yoto_video.pipeline.settings import Settings

from .fakes import FakeJudge, FakeVideo, info, times
from .measuring import Make, ladder, notes, rows, run


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


def test_a_master_smaller_than_its_encodes_is_told_of_those_that_are_compared(make: Make) -> None:
    make(m=FakeVideo(times(100)), a=FakeVideo(times(100), info(128, 96)), b=FakeVideo(times(100), info(66, 50)))
    found = rows(run(ladder("a", "b", master="m")))
    kinds = {key: {f.kind for f in clip.findings} for key, clip in found.items()}
    assert [key for key, own in kinds.items() if "smaller_master" in own] == [("a", "fr")]
    assert found["a", "fr"].pools["min"] == 100


def test_the_masters_own_score_stands_beside_the_comparison_also_when_only_an_encode_is_new(make: Make) -> None:
    make(m=FakeVideo(times(100), noise=90), a=FakeVideo(times(100), noise=90), b=FakeVideo(times(100), noise=5))
    both = ladder("a", "b", master="m")
    found = rows(run(both))
    own = found["m", "nr"].score
    assert own is not None
    assert own > detect.POOR_SOURCE
    assert {found[name, "fr"].master_score for name in "ab"} == {own}
    assert {found[name, "nr"].master_score for name in "mab"} == {None}
    again = rows(run(both, todo={"/b.mp4"}))
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
    assert notes(rows(run(ladder("a")))["a", "nr"]) == ("colour matrix not stated, bt709 assumed",)


def test_only_what_is_missing_is_measured_and_only_what_that_needs_is_decoded(make: Make) -> None:
    media = make(m=FakeVideo(times(100)), a=FakeVideo(times(100)), b=FakeVideo(times(100), noise=40))
    both = ladder("a", "b", master="m")
    full = rows(run(both))
    contents = {v.path: f"content of {v.path}" for v in both.videos}
    ids = ladder_ids(both, Settings(), FakeJudge.model_sha256, content_ids=contents)
    assert {full["m", "nr"].result_id, full["a", "nr"].result_id, full["b", "nr"].result_id} == set(ids.values())

    media.read.clear()
    judge = FakeJudge()
    part = rows(run(both, judge, todo={"/b.mp4"}))
    assert list(part) == [("b", "nr"), ("b", "fr")]
    assert sorted(media.read) == ["/b.mp4", "/m.mp4"]
    assert part["b", "fr"] == full["b", "fr"]
    assert judge.encoded == 2 * part["b", "fr"].frames

    media.read.clear()
    assert run(both, todo=set()).results == []
    assert list(rows(run(both, todo={"/m.mp4"}))) == [("m", "nr")]
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
    monkeypatch.setenv("OMP_NUM_THREADS", "2,1")  # OpenMP takes a list
    seen: dict[str, Any] = {}
    inner = decode.read_frames
    monkeypatch.setattr(decode, "read_frames", lambda *a, **k: (seen.update(k), inner(*a, **k))[1])
    found = rows(run(ladder("a"), settings=Settings(decoder="decord", decode_timeout_s=7, display=(32, 24))))
    assert notes(found["a", "nr"]) == ("read with PyAV, not decord: there is no file",)
    noted = {"damaged": set(), "interlaced": set(), "combs": {}, "own": False}
    assert seen == {"raster": (32, 24), "decoder": "decord", "timeout_s": 7, "cores": 2, **noted}


def test_the_worst_frames_are_kept_with_their_reference_beside_them(make: Make, out_dir: Path) -> None:
    def damaged(instant: float, width: int, height: int) -> Any:
        value = 200 if 2.0 <= instant < 2.5 else 120 if 6.0 <= instant < 6.5 else 100
        return np.full((height, width, 3), value, np.uint8)

    def clean(instant: float, width: int, height: int) -> Any:
        return np.full((height, width, 3), 100, np.uint8)

    make(m=FakeVideo(times(250), draw=clean), a=FakeVideo(times(250), draw=damaged))
    found = rows(run(ladder("a", master="m"), settings=Settings(fps=4, worst_frames=3), pictures=PictureSink(out_dir)))
    moments = found["a", "fr"].moments
    assert len(moments) == 2
    assert 2.0 <= moments[0].pts_time < 2.5
    assert 6.0 <= moments[1].pts_time < 6.5  # and no third one, that would be as good as the rest
    assert moments[0].score == 0 < moments[1].score
    assert abs(moments[0].pts_time - moments[1].pts_time) >= 1
    assert found["a", "nr"].moments == ()
    assert len(found["m", "nr"].moments) == 3
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
