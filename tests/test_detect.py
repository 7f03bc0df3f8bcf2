"""What is found beside the scores, in small real videos that have the fault, and not in those that lack it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from yoto_video.pipeline import detect, drops, fades
from yoto_video.pipeline.align import own_samples
from yoto_video.pipeline.findings import Finding, Severity
from yoto_video.pipeline.looks import Look, Watch, contours, luma_of
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.stretches import Stretch, between_samples, merged, of_flags
from yoto_video.pipeline.values import Frame, FrameScore, Ladder, Mode, Rendition, VideoRef

from . import clips
from .fakes import FakeJudge, times
from .scenes import Picture, instead, moving, still

SIZE = (320, 180)


def made(path: Path, picture: Picture = moving, **changes: Any) -> Path:
    facts: dict[str, Any] = {"size": SIZE, "frames": 200, "gop": 50, "matrix": "bt709", "range": "tv"}
    return clips.make(path, picture=picture, **facts | {"options": {"preset": "veryfast", "crf": "20"}} | changes)


def scaled(picture: Picture) -> Picture:
    """The same at another size, as a scaler makes it."""
    return lambda n, w, h: np.asarray(Image.fromarray(picture(n, *SIZE)).resize((w, h), Image.Resampling.BICUBIC))


def found(path: Path, master: Path | None = None, mode: str = "nr", **options: Any) -> dict[str, Finding]:
    """The findings of one clip by kind, notes apart; each kind once."""
    rendition, source = Rendition(VideoRef(str(path))), None if master is None else VideoRef(str(master))
    result = measure_ladder(Ladder("l", (rendition,), source), FakeJudge(), Settings(**options))
    (clip,) = (r.clip for r in result.results if r.clip.mode == mode and r.clip.path == str(path))
    told = [f for f in clip.findings if f.kind not in ("note", "poor_source")]
    assert len({f.kind for f in told}) == len(told), told
    return {f.kind: f for f in told}


def at(finding: Finding, start: float, end: float, within: float = 0.5) -> bool:
    """Whether a finding lies where it should, to a sample."""
    return finding.start_s == pytest.approx(start, abs=within) and finding.end_s == pytest.approx(end, abs=within)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds in which nothing is wrong."""
    return made(tmp_path_factory.mktemp("good") / "good.mp4")


def test_nothing_is_found_where_nothing_is_wrong(good: Path, tmp_path: Path) -> None:
    low = made(tmp_path / "low.mp4", scaled(moving), size=(160, 90), options={"preset": "veryfast", "crf": "38"})
    assert found(good) == {}
    assert found(low, good, "fr") == {}


def test_black_is_told_and_labelled(tmp_path: Path) -> None:
    black = clips.flat(3, 3, 3)
    some = found(made(tmp_path / "some.mp4", instead(75, 150, black)))
    assert list(some) == ["black"]
    assert some["black"].severity == "warning"
    assert at(some["black"], 3.0, 6.0)
    all_of_it = found(made(tmp_path / "all.mp4", black, frames=60))["black"]
    assert (all_of_it.severity, all_of_it.sentence) == ("error", "black throughout")
    assert (all_of_it.start_s, all_of_it.end_s) == (0.0, pytest.approx(2.4))
    assert "black" not in found(made(tmp_path / "cut.mp4", instead(75, 90, black)))


def test_black_and_standstill_are_throughout_only_where_they_are_so_to_the_ends(tmp_path: Path) -> None:
    black = found(made(tmp_path / "head.mp4", instead(0, 300, clips.flat(3, 3, 3)), frames=325))["black"]
    assert (black.severity, black.sentence, black.start_s) == ("warning", "black", 0.0)
    assert at(black, 0.0, 12.0)
    stands = found(made(tmp_path / "stands.mp4", instead(0, 300, still(0)), frames=325))["frozen"]
    assert stands.sentence == "the picture stands still"
    assert at(stands, 0.0, 12.0)
    assert found(made(tmp_path / "still.mp4", still(0)))["frozen"].sentence == "the same picture throughout"


def test_a_freeze_is_the_encodes_own_fault_where_its_master_moves(good: Path, tmp_path: Path) -> None:
    frozen = made(tmp_path / "frozen.mp4", instead(75, 150, still(75)))
    alone = found(frozen)
    assert alone["frozen"].severity == "warning"
    assert at(alone["frozen"], 3.0, 6.0, within=0.6)
    own = found(frozen, good)["frozen"]
    assert (own.severity, own.sentence) == ("error", "the picture stands still while its master moves")
    shared = found(made(tmp_path / "copy.mp4", scaled(instead(75, 150, still(75))), size=(160, 90)), frozen)["frozen"]
    assert (shared.severity, shared.sentence) == ("info", "the picture stands still, as in its master")


@pytest.mark.parametrize("begins", [60, 68, 81, 93])
def test_a_freeze_of_two_seconds_is_seen_wherever_it_begins(good: Path, tmp_path: Path, begins: int) -> None:
    frozen = made(tmp_path / "frozen.mp4", instead(begins, begins + 50, still(begins)))
    own = found(frozen, good, "fr")
    assert own["frozen"].severity == "error"
    assert at(own["frozen"], begins / 25, begins / 25 + 2, within=0.6)
    assert not {"quality_drop", "collapse"} & set(own)  # which the freeze explains
    short = made(tmp_path / "short.mp4", instead(begins, begins + 25, still(begins)))
    assert "frozen" not in found(short, good, "fr")


def test_lost_quality_is_not_told_of_a_black_second(good: Path, tmp_path: Path) -> None:
    fixed = {"preset": "veryfast", "crf": "20", "x264-params": "scenecut=0:keyint=50:min-keyint=50"}
    black = found(made(tmp_path / "black.mp4", instead(100, 130, clips.flat(3, 3, 3)), options=fixed), good, "fr")
    assert "black" in black
    assert not {"quality_drop", "collapse"} & set(black)


@pytest.mark.parametrize(
    ("kind", "severity", "left"),
    [
        ("colour", "warning", 0),
        ("frozen", "warning", 1),
        ("frozen", "info", 1),
        ("frozen", "error", 0),
        ("black", "warning", 0),
    ],
)
def test_only_a_freeze_beside_a_master_that_moves_explains_lost_quality(
    kind: str, severity: Severity, left: int
) -> None:
    """A still card that pumps at its key frames does so."""
    drop = Finding("quality drops at a key frame", "quality_drop", "warning", 4.0, 5.0)
    assert len(detect.unexplained([drop], [Finding("a stretch", kind, severity, 0.0, 10.0)])) == left


def test_a_small_thing_that_moves_is_no_freeze(tmp_path: Path) -> None:
    def clock(number: int, width: int, height: int) -> Any:
        picture = moving(0, width, height).copy()
        picture[60 + number % 60 : 84 + number % 60, 140:180] = 250
        return picture

    assert "frozen" not in found(made(tmp_path / "clock.mp4", clock))


def test_repeats_show_by_their_packets(good: Path, tmp_path: Path) -> None:
    pulled = made(tmp_path / "pulled.mp4", lambda n, w, h: moving(n - n // 5, w, h), rate=Fraction(30))
    repeated = found(pulled)["repeated"]
    assert repeated.severity == "info"
    said = int(repeated.sentence.split()[0])
    assert said == pytest.approx(40, abs=8)  # every fifth of 200
    assert "repeated" not in found(good)


def test_pumping_at_key_frames(good: Path, tmp_path: Path) -> None:
    def starved(number: int, width: int, height: int) -> Any:
        picture = Image.fromarray(np.ascontiguousarray(moving(number, width, height)))
        return np.asarray(picture.filter(ImageFilter.GaussianBlur(12)) if number % 50 < 16 else picture)

    fixed = {"preset": "veryfast", "crf": "20", "x264-params": "scenecut=0:keyint=50:min-keyint=50"}
    pumping = found(made(tmp_path / "pumping.mp4", starved, options=fixed), good, "fr")["quality_drop"]
    assert "FR" in pumping.sentence
    assert "4 of 4 key frames" in pumping.sentence
    assert at(pumping, 0.0, 7.2)


def test_gradients_in_steps_are_banding(tmp_path: Path) -> None:
    def ramp(number: int, width: int, height: int) -> Any:
        x = np.arange(width) * 0.25 + 60 + number * 0.2
        return np.repeat(np.repeat(x[None], height, 0)[..., None], 3, axis=2)

    def above_a_scene(sky: Any, number: int, width: int, height: int) -> Any:
        """A sky alone gives nothing to lay an encode over its master by."""
        sky = sky.astype(np.uint8)
        sky[height * 2 // 3 :] = moving(number, width, height)[height * 2 // 3 :]
        return sky

    def stepped(number: int, width: int, height: int) -> Any:
        return above_a_scene(ramp(number, width, height) // 4 * 4, number, width, height)

    def dithered(number: int, width: int, height: int) -> Any:
        noise = np.random.default_rng(number).uniform(-2, 2, (height, width, 1))
        return above_a_scene(ramp(number, width, height) + noise, number, width, height)

    lossless = {"preset": "veryfast", "crf": "4"}
    master = made(tmp_path / "dithered.mp4", dithered, options=lossless, frames=100)
    banded = made(tmp_path / "stepped.mp4", stepped, options=lossless, frames=100)
    assert "banding" not in found(master)
    assert found(banded)["banding"].severity == "info"
    with_master = [f for f in findings_of(banded, master, "fr") if f.kind == "banding"]
    assert [f.severity for f in with_master] == ["info", "warning"]


def findings_of(path: Path, master: Path, mode: str) -> tuple[Finding, ...]:
    ladder = Ladder("l", (Rendition(VideoRef(str(path))),), VideoRef(str(master)))
    (clip,) = (
        r.clip
        for r in measure_ladder(ladder, FakeJudge(), Settings()).results
        if r.clip.mode == mode and r.clip.path == str(path)
    )
    return clip.findings


def test_clipped_white_and_a_range_that_was_not_stretched(good: Path, tmp_path: Path) -> None:
    def burnt(number: int, width: int, height: int) -> Any:
        return np.clip(moving(number, width, height).astype(np.int16) * 2, 0, 255).astype(np.uint8)

    def washed(number: int, width: int, height: int) -> Any:
        wide = np.clip((moving(number, width, height).astype(np.float32) - 128) * 2.5 + 128, 0, 255)
        return (16 + wide * 219 / 255).astype(np.uint8)

    clipped = findings_of(made(tmp_path / "burnt.mp4", burnt), good, "fr")
    assert [f.severity for f in clipped if f.kind == "clipping"] == ["info", "warning"]
    assert found(made(tmp_path / "washed.mp4", washed))["range"].severity == "warning"


def test_colours_that_differ_from_the_masters(good: Path, tmp_path: Path) -> None:
    def tinted(number: int, width: int, height: int) -> Any:
        return (moving(number, width, height) * np.array([1.0, 1.0, 0.9])).astype(np.uint8)

    blue = found(made(tmp_path / "tinted.mp4", tinted), good, "fr")["colour"]
    assert "blue" in blue.sentence
    assert blue.sentence.endswith(" (levels of 255 in a typical frame)")
    assert (blue.severity, blue.start_s) == ("warning", None)
    grey = lambda n, w, h: np.repeat(moving(n, w, h).mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)  # noqa: E731
    toned = lambda n, w, h: np.clip(moving(n, w, h) + np.array([40, 0, -40]), 0, 255).astype(np.uint8)  # noqa: E731
    plain, colourful = made(tmp_path / "grey.mp4", grey), made(tmp_path / "toned.mp4", toned)
    for master, numbers in ((colourful, True), (good, False)):
        said = found(plain, master, "fr")["colour"].sentence
        assert said.startswith("grey, where its master has colours")
        assert (" blue" in said) == numbers
    assert "colour" not in found(plain, made(tmp_path / "low.mp4", grey, options={"crf": "35"}), "fr")
    full = made(tmp_path / "full.mp4", range="pc", matrix="bt709")
    assert "colour" not in found(full, good, "fr")  # said in its header, and so converted
    half = lambda n, w, h: (16 + moving(n, w, h).astype(np.float32) * 219 / 255).astype(np.uint8)  # noqa: E731
    assert "contrast" in found(made(tmp_path / "flat.mp4", half), good, "fr")["colour"].sentence


def fading(first: int, last: int, way: str = "in") -> Picture:
    """From black, or to it, between two frames."""

    def faded(number: int, width: int, height: int) -> Any:
        gain = min(1.0, max(0.0, (number - first) / (last - first)))
        return (moving(number, width, height) * (gain if way == "in" else 1 - gain)).astype(np.uint8)

    return faded


@pytest.mark.parametrize(("way", "first", "start", "end"), [("in", 0, 0.0, 1.1), ("out", 172, 7.0, 8.0)])
def test_a_fade_that_its_master_has_not_is_told_as_that_and_no_drop_of_quality(
    good: Path, tmp_path: Path, way: str, first: int, start: float, end: float
) -> None:
    faded = made(tmp_path / "faded.mp4", fading(first, first + 28, way))
    seen = found(faded, good, "fr")
    assert not {"quality_drop", "collapse"} & set(seen)
    assert seen["colour"].sentence.startswith("darker than its master, by up to ")
    assert seen["colour"].sentence.endswith(f": it fades {way} where its master does not")
    assert at(seen["colour"], start, end)
    assert not {"quality_drop", "collapse"} & set(found(faded, good, "nr"))  # beside its master it is known there, too
    shared = made(tmp_path / "low.mp4", scaled(fading(first, first + 28, way)), size=(160, 90))
    assert "colour" not in found(shared, faded, "fr")
    assert f"its master fades {way} where it does not" in found(good, faded, "fr")["colour"].sentence


def test_a_dip_is_told_with_its_times_and_other_pictures_are_no_dip(good: Path, tmp_path: Path) -> None:
    dark = lambda n, w, h: (moving(n, w, h) * 0.3).astype(np.uint8)  # noqa: E731
    dip = found(made(tmp_path / "dip.mp4", instead(80, 110, dark)), good, "fr")["colour"]
    assert at(dip, 3.2, 4.4)
    assert "fades" not in dip.sentence
    other = found(made(tmp_path / "card.mp4", instead(80, 110, clips.flat(60, 40, 90))), good, "fr")
    assert "colour" not in other
    assert "collapse" in other


@pytest.mark.parametrize(
    ("way", "change"),
    [
        ("darker", lambda picture: picture * 0.4),
        ("darker", lambda picture: picture - 60),
        ("brighter", lambda picture: picture + 60),
        ("brighter", lambda picture: 255 - 0.2 * (255 - picture)),
    ],
)
def test_a_dip_that_one_sample_shows_is_told_and_one_that_both_have_is_not(
    good: Path, tmp_path: Path, way: str, change: Callable[[Any], Any]
) -> None:
    dips = instead(53, 62, lambda n, w, h: np.clip(change(moving(n, w, h).astype(float)), 0, 255).astype(np.uint8))
    dip = made(tmp_path / "dip.mp4", dips)
    seen = found(dip, good, "fr")["colour"]
    assert seen.sentence.startswith(f"{way} than its master, by up to ")
    assert at(seen, 2.1, 2.6)
    assert "colour" not in found(made(tmp_path / "low.mp4", scaled(dips), size=(160, 90)), dip, "fr")


@pytest.mark.parametrize(("way", "first", "said"), [("in", 0, "in from white"), ("out", 172, "out to white")])
def test_a_fade_from_or_to_white_is_told_as_one_from_black_is(
    good: Path, tmp_path: Path, way: str, first: int, said: str
) -> None:
    def faded(number: int, width: int, height: int) -> Any:
        gain = min(1.0, max(0.0, (number - first) / 28))
        return (255 - (255.0 - moving(number, width, height)) * (gain if way == "in" else 1 - gain)).astype(np.uint8)

    white = made(tmp_path / "white.mp4", faded)
    seen = found(white, good, "fr")
    assert seen["colour"].sentence.startswith("brighter than its master, by up to ")
    assert seen["colour"].sentence.endswith(f": it fades {said} where its master does not")
    assert not {"quality_drop", "collapse"} & set(seen)
    assert found(good, white, "fr")["colour"].sentence.endswith(f": its master fades {said} where it does not")


def watched(gains: Sequence[float], late_s: float = 0.0) -> Watch:
    """A picture, so much dimmed in each sample."""
    watch = Watch()
    for k, gain in enumerate(gains):
        rgb = (moving(0, *SIZE) * gain).astype(np.uint8)
        watch.see(Frame(k, Fraction(k, 2) + Fraction(late_s * (k == 3)).limit_denominator(1000), rgb), Fraction(0))
    return watch


def test_a_sample_is_a_dip_where_it_is_surely_not_another_moment_of_the_master() -> None:
    keys, pairs = np.array([0.0]), [(k, k) for k in range(8)]
    steady, dip = [1.0] * 8, [1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0]
    assert len(fades.of_pairs(watched(dip), detect.Beside(watched(steady), keys, pairs), 4.0)) == 1
    assert fades.of_pairs(watched(dip), detect.Beside(watched(steady), keys, pairs, sure=False), 4.0) == []
    assert fades.of_pairs(watched(dip, 0.02), detect.Beside(watched(steady), keys, pairs), 4.0) == []
    cut = [1.0, 1.0, 1.0, 0.9, 0.5, 0.5, 0.5, 0.5]  # which the encode shows a frame late, or early
    assert fades.of_pairs(watched([*cut[:3], 0.5, *cut[4:]]), detect.Beside(watched(cut), keys, pairs), 4.0) == []
    flashes = [0.5, 0.5, 0.5, 1.0, 0.5, 0.5, 0.5, 0.5]  # of the master, missed by the encode
    assert fades.of_pairs(watched([0.5] * 8), detect.Beside(watched(flashes), keys, pairs), 4.0) == []


def test_frames_are_steady_where_they_surely_are_no_other_moment_of_the_master() -> None:
    keys, pairs = np.array([0.0]), [(k, k) for k in range(8)]
    even, cut = watched([1.0] * 8), watched([1.0] * 4 + [0.5] * 4)
    assert fades.paired(even, detect.Beside(even, keys, pairs)).steady == set(range(1, 7))
    assert fades.paired(cut, detect.Beside(even, keys, pairs)).steady == set(range(1, 7))  # which its master has not
    assert fades.paired(even, detect.Beside(cut, keys, pairs)).steady == {1, 2, 5, 6}
    assert fades.paired(even, detect.Beside(cut, keys, pairs[:4] + pairs[6:])).steady == {1, 2}  # it lies between two
    assert fades.paired(watched([1.0] * 8, 0.02), detect.Beside(even, keys, pairs)).steady == {1, 5, 6}
    assert fades.paired(even, detect.Beside(even, keys, pairs, sure=False)).steady == set()
    assert fades.paired(even, detect.Beside(even, keys, pairs[:2])).steady == set()
    assert fades.paired(even, None) == fades.Paired()


def test_a_sample_that_shows_something_else_is_a_collapse(tmp_path: Path) -> None:
    """A third of a second of another title."""
    slow = lambda n, w, h: moving(n // 12, w, h)  # noqa: E731
    splice = lambda n, w, h: clips.flat(60, 40, 90)(n, w, h) if 53 <= n < 62 else slow(n, w, h)  # noqa: E731
    master, spliced = made(tmp_path / "slow.mp4", slow), made(tmp_path / "spliced.mp4", splice)
    collapse = found(spliced, master, "fr")["collapse"]
    assert collapse.severity == "warning"
    assert at(collapse, 2.1, 2.6)
    assert "collapse" not in found(spliced, master, "nr")
    assert "collapse" not in found(made(tmp_path / "copy.mp4", splice, options={"crf": "35"}), spliced, "fr")


def test_a_key_frame_explains_no_drop_where_brightness_is_another() -> None:
    rows = [FrameScore(i, i / 2, 40.0 if i in (8, 16) else 80.0, "fr") for i in range(24)]
    keys = np.array([0.0, 4.0, 8.0])
    told = drops.quality_drops(rows, keys, 12.0, fades.Paired({i: -60.0 if i == 8 else 0.5 for i in range(24)}))
    assert [f.start_s for f in told if f.kind == "quality_drop"] == [8.0]
    graded = fades.Paired(dict.fromkeys(range(24), -60.0))  # all of it: that is no fade
    assert len([f for f in drops.quality_drops(rows, keys, 12.0, graded) if f.kind == "quality_drop"]) == 2


def test_colours_of_a_picture_that_differ_from_its_masters(tmp_path: Path) -> None:
    picture = moving(0, *SIZE)
    yellow = (picture * np.array([1.0, 1.0, 0.7])).astype(np.uint8)
    for name, pixels in (("master", picture), ("copy", picture), ("yellow", yellow)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    assert "colour" not in found(tmp_path / "copy.png", tmp_path / "master.png", "fr")
    yellow_of_master = found(tmp_path / "yellow.png", tmp_path / "master.png", "fr")["colour"].sentence
    assert "blue" in yellow_of_master
    assert yellow_of_master.endswith(" (levels of 255)")


def test_other_pictures_have_no_starts(tmp_path: Path) -> None:
    for number in (0, 90):
        Image.fromarray(moving(number, *SIZE)).save(tmp_path / f"{number}.png")
    said = found(tmp_path / "0.png", tmp_path / "90.png")["not_compared"].sentence
    assert re.fullmatch(
        r"not compared with its master: they do not show the same picture \(agreement -?0\.\d\d of 1\)", said
    )


def test_shapes_that_differ_from_the_ladders(good: Path, tmp_path: Path) -> None:
    narrow = made(tmp_path / "narrow.mp4", scaled(moving), size=(240, 180), frames=50)
    assert found(narrow, good)["aspect"].severity == "warning"
    turned = made(
        tmp_path / "turned.mp4", lambda n, w, h: moving(n, h, w).transpose(1, 0, 2), size=(180, 320), frames=50
    )
    assert found(turned, good, "fr")["turned"].severity == "warning"  # found in the pictures, and turned back


def test_a_segment_of_another_rung(tmp_path: Path) -> None:
    parts = []
    for k, size in enumerate((SIZE, (160, 90), SIZE)):
        pts = tuple(range(50 * k, 50 * (k + 1)))
        file = made(tmp_path / f"{k}.ts", scaled(moving), size=size, frames=50, tick=Fraction(1, 25), times=pts)
        parts.append(file.read_bytes())
    (tmp_path / "all.ts").write_bytes(b"".join(parts))
    told = found(tmp_path / "all.ts")["resized"]
    assert told.sentence.startswith("stored at 160x90 here, and at 320x180 elsewhere")
    assert at(told, 2.0, 4.0)
    (tmp_path / "same.ts").write_bytes(parts[0] + parts[2])
    assert "resized" not in found(tmp_path / "same.ts")


def test_an_upright_clip_on_a_wide_display_lost_no_rotation(tmp_path: Path) -> None:
    upright = made(tmp_path / "upright.mp4", size=(180, 320), frames=50)
    assert list(found(upright, display=(320, 180))) == ["aspect"]


def test_every_frame_a_key_frame_says_nothing() -> None:
    rows = [FrameScore(i, i * 0.5, 80.0 - 60 * (i % 4 == 0), "nr") for i in range(14_400)]
    assert drops.quality_drops(rows, np.arange(0, 7200, 1 / 60), 7200) == []
    (pumps,) = drops.quality_drops(rows, np.arange(0, 7200, 2.0), 7200)
    assert pumps.sentence.endswith("after 3600 of 3600 key frames than a second on")


# --- parts ------------------------------------------------------------------------------------------------------------

flags = st.lists(st.booleans(), min_size=1, max_size=60).map(np.array)


@settings(deadline=None)
@given(flags)
def test_stretches_hold_every_flagged_frame_and_no_other(flagged: Any) -> None:
    times = np.arange(len(flagged), dtype=float)
    runs = of_flags(flagged, times, times + 1)
    inside = np.zeros(len(flagged), bool)
    for run in runs:
        assert run.end_s - run.start_s == run.frames
        inside[int(run.start_s) : int(run.end_s)] = True
    assert (inside == flagged).all()
    near = merged(runs, within_s=2.0)
    assert sum(s.frames for s in near) == sum(flagged)
    assert all(b.start_s - a.end_s > 2.0 for a, b in pairwise(near))


@settings(deadline=None)
@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50, unique=True).map(sorted), st.floats(0, 2000))
def test_samples_speak_for_the_whole_clip_without_gaps(times: list[float], duration: float) -> None:
    starts, ends = between_samples(np.array(times), duration)
    assert starts[0] == 0
    assert ends[-1] == max(duration, times[-1])
    assert (ends[:-1] == starts[1:]).all()
    assert ((starts <= times) & (times <= ends)).all()


@settings(deadline=None)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=80), st.sampled_from(["nr", "fr"]))
def test_even_scores_never_pump_and_drops_lie_in_the_clip(scores: list[float], mode: Any) -> None:
    rows = [FrameScore(i, i * 0.5, s, mode) for i, s in enumerate(scores)]
    keys = np.arange(0.0, len(scores) * 0.5, 2.0)
    for finding in drops.quality_drops(rows, keys, None):
        assert 0 <= (finding.start_s or 0) < (finding.end_s or 0) <= rows[-1].pts_time
    even = [FrameScore(r.frame_num, r.pts_time, 50.0, mode) for r in rows]
    assert drops.quality_drops(even, keys, None) == []


def test_a_collapse_between_key_frames_that_starve_is_told_beside_them() -> None:
    """A minute that pumps all along hides no five seconds that are broken."""
    scores = [30.0 if 31 <= t <= 35.5 else 65.0 if t % 2 == 0 else 80.0 for t in np.arange(0, 60, 0.5)]
    rows = [FrameScore(i, i / 2, score, "fr") for i, score in enumerate(scores)]
    pumps, broken = drops.quality_drops(rows, np.arange(0, 60, 2.0), 60.0)
    assert pumps.sentence.startswith("quality pumps: FR is 15 points lower")
    assert (broken.start_s, broken.end_s) == (30.75, 35.75)
    assert "collapses: FR is 50 points" in broken.sentence
    assert (pumps.kind, broken.kind) == ("quality_drop", "collapse")


def test_a_new_scene_that_looks_worse_and_stays_so_is_no_pumping() -> None:
    rows = [FrameScore(i, i * 0.5, 80.0 if i < 20 else 40.0, "nr") for i in range(40)]
    assert drops.quality_drops(rows, np.array([0.0, 10.0]), None) == []
    rows[20] = FrameScore(20, 10.0, 20.0, "nr")
    (drop,) = drops.quality_drops(rows, np.array([0.0, 10.0]), None)
    assert (drop.start_s, drop.end_s) == (10.0, 11.0)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 255))
def test_any_size_can_be_looked_at(width: int, height: int, level: int) -> None:
    watch = Watch()
    for i in range(2):
        watch.see(Frame(i, Fraction(i), np.full((height, width, 3), level, np.uint8)), Fraction(0))
    looks = watch.looks
    assert looks.shape == (2, len(Look._fields))
    assert watch.column("contours").max() == 0
    assert abs(watch.column("luma")[0] - level) <= 1
    assert (watch.column("change")[1], watch.column("peak")[1]) == (0, 0)
    assert np.isnan(watch.column("change")[0])


@pytest.mark.parametrize("seed", range(40))
def test_a_black_second_at_either_end_is_found_wherever_two_samples_fall(seed: int) -> None:
    stream = times(250)
    samples = np.array([float(stream[s.frame]) for s in own_samples(stream, fps=2, min_frames=8, seed=seed)])
    bounds = between_samples(samples, 10.0)
    for dark in (samples < 1, samples >= 9):
        assert [f.kind for f in detect._black(dark, bounds)] == ["black"][: int(dark.sum() > 1)]


@pytest.mark.parametrize(("bright", "poor"), [(80.0, False), (45.0, True)])
def test_a_source_is_not_poor_for_its_black(bright: float, poor: bool) -> None:
    watch = Watch()
    for k in range(8):
        watch.see(Frame(k, Fraction(k, 2), np.full((36, 64, 3), 128 * (k > 5), np.uint8)), Fraction(0))
    frames = [FrameScore(k, k / 2, 20.0 if k < 6 else bright, "nr") for k in range(8)]
    said = [finding.sentence for finding in detect.poor_source(frames, watch, of_master=True)]
    assert said == (["a poor source: scores 26 by itself, below 50"] if poor else [])
    assert detect.poor_source(frames[:6], watch, of_master=True) == []  # nothing shows
    assert detect.poor_source([], watch, of_master=False) == []


def test_what_is_seen_in_very_many_places_is_told_once() -> None:
    watch = Watch()
    for i in range(400):  # four black and four grey samples in turn
        level = 0 if i // 4 % 2 else 128
        watch.see(Frame(i, Fraction(i, 2), np.full((36, 64, 3), level, np.uint8)), Fraction(0))
    (black,) = (f for f in detect.of_pictures(watch, np.empty(0), 200.0) if f.kind == "black")
    assert black.sentence == "black, in 50 places"
    assert (black.start_s, black.end_s) == (1.75, 200.0)


def test_contours_of_known_pictures() -> None:
    x = np.arange(640)
    steps = np.repeat(np.repeat((x // 12 * 2 % 200)[None], 320, 0)[..., None], 3, axis=2).astype(np.uint8)
    assert contours(steps) > 0.4  # all rows, no column
    fine = np.repeat(np.repeat((x // 12 % 200)[None], 320, 0)[..., None], 3, axis=2).astype(np.uint8)
    assert contours(fine) == 0  # single levels are what 8 bits give
    assert contours(np.random.default_rng(0).integers(0, 255, (320, 640, 3), dtype=np.uint8)) == 0
    assert luma_of(np.full((1, 1, 3), 255, np.uint8))[0, 0] == 255


def test_stretches_are_values() -> None:
    assert merged([Stretch(3, 4, 1), Stretch(0, 1, 2), Stretch(1.5, 2, 1)], within_s=0.5) == [
        Stretch(0, 2, 3), Stretch(3, 4, 1),
    ]  # fmt: skip


def test_a_collapse_in_the_midst_of_a_group_of_pictures_is_told_with_its_times() -> None:
    def of(scores: list[float], mode: Mode = "fr", span_s: float = 0.0, *, steady: bool = False) -> list[Finding]:
        rows = [FrameScore(12 * k, k / 2, score, mode, 0, span_s * (k > 0)) for k, score in enumerate(scores)]
        paired = fades.Paired(steady={row.frame_num for row in rows} if steady else set())
        return drops.quality_drops(rows, np.array([0.0]), len(scores) / 2, paired)

    good, bad = [80.0] * 12, [30.0] * 2
    (told,) = of(good + bad + good)
    assert (told.kind, told.severity, told.start_s, told.end_s) == ("collapse", "warning", 5.75, 6.75)
    assert "FR is 50 points lower" in told.sentence
    (half,) = of([*good, 55.0, 30.0, 55.0, *good], span_s=0.5)  # two such frames, each seen half in the next one
    assert (half.start_s, half.end_s) == (5.75, 6.75)
    assert of(good + bad[:1] + good) == []  # a single frame, which may be another moment of its master
    (lone,) = of(good + bad[:1] + good, steady=True)
    said = "quality collapses in one sampled frame: FR is 50 points lower than in those beside it"
    assert (lone.kind, lone.severity, lone.sentence) == ("collapse", "warning", said)
    assert (lone.start_s, lone.end_s) == (5.75, 6.25)
    assert len(of(good + bad + good, steady=True)) == 1
    assert of([*good, 41.0, *good], steady=True) == of(good + bad[:1], steady=True) == []
    assert of(good + bad[:1] + good, "nr", steady=True) == []
    assert of(good + bad + good, "nr") == []
    assert of(good + bad * 6 + good[:6]) == []  # half of it: so it looks
    assert of(good + [60.0] * 3 + good) == []
    (many,) = of((good + bad) * (detect.MOST + 1))
    assert many.sentence.endswith(f"median, in {detect.MOST + 1} places")


def test_black_that_compares_perfectly_makes_no_collapse_of_what_is_shown_after_it() -> None:
    rows = [FrameScore(k, k / 2, 100.0 if k < 40 else 70.0, "fr") for k in range(50)]
    assert [f.kind for f in drops.quality_drops(rows, np.array([0.0]), 25.0)] == ["collapse"]
    black = fades.Paired(black=set(range(40)))
    assert drops.quality_drops(rows, np.array([0.0]), 25.0, black) == []
    assert drops.quality_drops(rows[:40], np.array([0.0]), 20.0, black) == []
