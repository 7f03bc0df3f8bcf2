"""The truth table of full reference: what was done to an encode is found, said, and costs it no points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from yoto_video.pipeline import by_features, suspects
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.overlap import REACH_S
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import ClipScore, Ladder, Rendition, VideoRef

from .fakes import FakeJudge, FakeVideo, FakeVideos, info, times
from .scene import SIZE, barred, drawn, resized

Compare = Callable[..., dict[str | None, ClipScore]]
NTSC = Fraction(30000, 1001)


def video(draw: Any, stream: list[Fraction], size: tuple[int, int] = SIZE) -> FakeVideo:
    gaps = [b - a for a, b in pairwise(stream)]
    rate = 1 / sorted(gaps)[len(gaps) // 2]
    return FakeVideo(stream, info(*size, fps=rate, duration_s=float(stream[-1])), draw=draw)


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> Compare:
    """The rows of one encode, by mode."""

    def compare(encode: FakeVideo, master: FakeVideo | None = None, **how: Any) -> dict[str | None, ClipScore]:
        master = master or video(drawn(noise=0), times(125))
        FakeVideos({"/m.mp4": master, "/a.mp4": encode}, monkeypatch)
        ladder = Ladder("title", (Rendition(VideoRef("/a.mp4")),), VideoRef("/m.mp4"))
        result = measure_ladder(ladder, FakeJudge(), Settings(**how))
        return {r.clip.mode: r.clip for r in result.results if r.clip.path == "/a.mp4"}

    return compare


def said_of(clip: ClipScore) -> tuple[str, ...]:
    """Its findings but those of what the drawn pictures themselves look like."""
    laid = ("note", "not_compared", "offset", "speed", "pairing", "turned", "area", "range")
    return tuple(f.sentence for f in clip.findings if f.kind in laid)


UNDISTURBED = 97.6  # the fake judge's score of an encode to which nothing was done but its noise


def same_score(clip: ClipScore) -> bool:
    assert clip.score is not None
    return abs(clip.score - UNDISTURBED) < 2 and clip.pools["min"] > UNDISTURBED - 1.5


def test_an_undisturbed_encode(compare: Compare) -> None:
    fr = compare(video(drawn(), times(125)))["fr"]
    assert fr.score == pytest.approx(UNDISTURBED, abs=0.3)
    assert (fr.offset_s, fr.offset_frames, fr.rate_ratio, said_of(fr)) == (0.0, 0, 1.0, ())
    assert fr.match_confidence is not None
    assert fr.match_confidence > 0.9


@pytest.mark.parametrize("frames", [-48, -25, -1, 1, 12, 48])
def test_an_offset_is_found_to_the_frame_and_said(compare: Compare, frames: int) -> None:
    fr = compare(video(drawn(shift_s=frames / 25), times(125)))["fr"]
    assert fr.offset_frames == frames
    assert fr.offset_s == pytest.approx(frames / 25)
    assert same_score(fr)
    way = "ahead of its master, whose beginning it lacks" if frames > 0 else "behind its master"
    count = f"{abs(frames)} frame{'s' if abs(frames) > 1 else ''}"
    assert f"runs {count} ({abs(frames) / 25:.2f} s) {way}" in said_of(fr)


@pytest.mark.parametrize("frames", range(14, 25))
@pytest.mark.parametrize("how", ["trim", "lead"])
@pytest.mark.parametrize("side", ["encode", "master"])
def test_an_offset_beyond_what_the_shortest_look_can_try(compare: Compare, frames: int, how: str, side: str) -> None:
    """Half to one second: the first look reaches a little over half a second, and has to see that its best is not it.

    What moves evenly and slowly draws it on from offset to offset, to the last one it can try.
    """

    def changed(noise: float) -> Any:
        scene = drawn(noise=noise, pan=12, shift_s=frames / 30 if how == "trim" else 0.0)
        if how == "trim":
            return scene
        return lambda t, w, h: (
            scene(t - frames / 30, w, h) if t > (frames - 0.5) / 30 else np.zeros((h, w, 3), np.uint8)
        )

    mine = changed(3) if side == "encode" else drawn(pan=12)
    theirs = changed(0) if side == "master" else drawn(pan=12, noise=0)
    fr = compare(video(mine, times(120, 30)), video(theirs, times(120, 30)))["fr"]
    assert fr.offset_frames == (frames if (how == "trim") == (side == "encode") else -frames)
    assert fr.match_confidence is not None
    assert fr.match_confidence > 0.9
    assert fr.display == "320x180"
    assert not any(word in said for said in said_of(fr) for word in ("as fast", "by content", "too little", "bars"))


@pytest.mark.parametrize("frames", [-138, 138, -160, 160])
def test_offsets_at_the_edge_of_the_search_window(compare: Compare, frames: int) -> None:
    """11.04 seconds either way are found; 12.8 are not, and nothing else is taken for them."""
    rate = Fraction(25, 2)
    lost = frames / float(rate)
    assert (abs(lost) < REACH_S) == (abs(frames) == 138)
    encode = video(drawn(shift_s=max(0, lost)), times(200, rate))
    rows = compare(encode, video(drawn(shift_s=max(0, -lost), noise=0), times(200, rate)))
    if abs(lost) < REACH_S:
        assert rows["fr"].offset_frames == frames
        assert same_score(rows["fr"])
    else:
        assert list(rows) == ["nr"]
        assert any("with up to 11 s between their starts" in said for said in said_of(rows["nr"]))


RATES = [Fraction(24), Fraction(25), NTSC, Fraction(30), Fraction(50), 2 * NTSC, Fraction(60)]


PAIRS = [(a, b) if (i + j) % 2 else (b, a) for i, a in enumerate(RATES) for j, b in enumerate(RATES) if i < j]


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_every_pair_of_rates(compare: Compare, mine: Fraction, theirs: Fraction) -> None:
    """The encode shows, at its own rate, the frame of the master that is due; half a second is missing."""
    lost = Fraction(round(theirs / 2)) / theirs  # whole frames of the master
    held = drawn(
        shift_s=float(lost), clock=lambda t: float(round(Fraction(t).limit_denominator(10**6) * theirs) / theirs)
    )
    fr = compare(video(held, times(int(2.4 * mine), mine)), video(drawn(noise=0), times(int(3 * theirs), theirs)))["fr"]
    assert fr.offset_frames == round(lost * theirs)
    assert fr.rate_ratio == 1
    assert same_score(fr)


@pytest.mark.parametrize(("mine", "theirs"), [(25, 24), (24, 25), (30, NTSC), (25, Fraction(24000, 1001))])
def test_an_encode_played_faster_frame_by_frame(compare: Compare, mine: Any, theirs: Any) -> None:
    speed = Fraction(mine) / Fraction(theirs)
    fr = compare(video(drawn(speed=float(speed)), times(125, mine)), video(drawn(noise=0), times(130, theirs)))["fr"]
    assert fr.rate_ratio == pytest.approx(float(speed), abs=1e-4) or abs(speed - 1) < 0.002
    assert fr.offset_frames == 0
    assert same_score(fr)
    if abs(speed - 1) > 0.002:
        assert any("times as fast" in said for said in said_of(fr))


@pytest.mark.parametrize("every", [10, 100])
def test_dropped_frames_with_their_times_kept(compare: Compare, every: int) -> None:
    stream = [t for i, t in enumerate(times(125)) if i % every != 5]
    fr = compare(video(drawn(shift_s=0.2), stream))["fr"]
    assert fr.offset_frames == 5
    assert same_score(fr)


@pytest.mark.parametrize("every", [10, 100])
def test_repeated_frames(compare: Compare, every: int) -> None:
    def clock(moment: float) -> float:
        number = round(moment * 25)
        return (number - (number % every == 5)) / 25

    fr = compare(video(drawn(shift_s=0.2, clock=clock), times(125)))["fr"]
    assert fr.offset_frames == 5
    assert same_score(fr)


def test_pairs_are_counted_as_they_were_made(compare: Compare) -> None:
    """Of two frames that show one of the master's, one has it: the other is judged alone, and counted so."""

    def clock(moment: float) -> float:
        number = round(moment * 25)
        return (number - (number % 5 == 4)) / 25

    found = compare(video(drawn(clock=clock), times(125)), fps=25.0)
    assert found["fr"].matched_frames == found["fr"].frames < found["nr"].frames
    assert found["fr"].matched_frames + found["fr"].unpaired_frames == found["nr"].frames
    assert any("have no counterpart" in said for said in said_of(found["fr"]))


@pytest.mark.parametrize("fade_s", [16.0, 16.5, 17.0, 17.5, 18.0, 19.0])
@pytest.mark.parametrize("level", [16, 128])
def test_a_film_that_ends_on_nothing_is_the_same_film(compare: Compare, fade_s: float, level: int) -> None:
    """Black, or a card: where drift is looked for, near the end, there may be little or nothing to see."""

    def ending(noise: float) -> Any:
        draw = drawn(noise=noise)
        return lambda t, w, h: draw(t, w, h) if t < fade_s else np.full((h, w, 3), level, np.uint8)

    found = compare(video(ending(3), times(500)), video(ending(0), times(500)))
    assert found["fr"].offset_frames == 0


def test_no_shift_goes_unsaid(compare: Compare) -> None:
    master = video(drawn(noise=0), times(75, 25))
    fr = compare(video(drawn(shift_s=0.02), times(150, 50)), master)["fr"]
    assert (fr.offset_s, fr.offset_frames) == (pytest.approx(0.02, abs=1e-3), 0)
    assert any(said.startswith("runs 0.020 s ahead of its master, not a whole frame") for said in said_of(fr))


def test_dropped_frames_that_the_others_close_up_on(compare: Compare) -> None:
    def clock(moment: float) -> float:
        number = round(moment * 25)
        return (number + number // 9) / 25

    fr = compare(video(drawn(clock=clock), times(112)))["fr"]
    assert fr.rate_ratio == pytest.approx(10 / 9, abs=0.01)
    assert same_score(fr)


def test_a_variable_rate(compare: Compare) -> None:
    rng = np.random.default_rng(3)
    stream = [t for t in times(125) if t == 0 or rng.random() < 0.7]
    fr = compare(video(drawn(shift_s=0.48), stream))["fr"]
    assert fr.offset_frames == 12
    assert same_score(fr)


def test_a_leading_slate_is_passed_over(compare: Compare) -> None:
    scene = drawn()

    def with_slate(moment: float, width: int, height: int) -> Any:
        return scene(moment - 1, width, height) if moment >= 1 else np.full((height, width, 3), 16, np.uint8)

    fr = compare(video(with_slate, times(150)))["fr"]
    assert fr.offset_frames == -25
    assert same_score(fr)


@pytest.mark.parametrize("of_master", [False, True])
@pytest.mark.parametrize(("black", "fades", "frames"), [(1, 10, 0), (0, 30, 0), (45, 25, 0), (0, 30, 12)])
def test_a_fade_that_only_one_of_them_has_hides_no_offset(
    compare: Compare, black: int, fades: int, frames: int, of_master: bool
) -> None:
    """Black is far from every picture, and the least mean of distances is where most of it lies outside."""

    def fading(draw: Any) -> Any:
        def faded(moment: float, width: int, height: int) -> Any:
            gain = min(1.0, max(0.0, (25 * moment - black) / fades))
            return (draw(moment, width, height) * gain).astype(np.uint8)

        return faded

    encode, master = drawn(pan=4, shift_s=frames / 25), drawn(pan=4, noise=0)
    encode, master = (encode, fading(master)) if of_master else (fading(encode), master)
    fr = compare(video(encode, times(125)), video(master, times(125)))["fr"]
    assert fr.offset_frames == frames
    assert not any("too little moves" in said for said in said_of(fr))


@pytest.mark.parametrize("leader", ["black", "bars"])
@pytest.mark.parametrize("seed", [0, 5])
def test_behind_a_long_leader_the_pictures_decide(compare: Compare, leader: str, seed: int) -> None:
    """Fifteen seconds of black or bars, the same on both, then the same title ten frames later, or another one."""
    bars = np.repeat(np.repeat(np.linspace(20, 235, 8).astype(np.uint8), 40)[None, :, None], 3, axis=2)

    def led(lasts_s: float, **scene: Any) -> Any:
        draw = drawn(**scene)

        def with_leader(moment: float, width: int, height: int) -> Any:
            if moment >= lasts_s:
                return draw(moment - lasts_s, width, height)
            return np.full((height, width, 3), 16, np.uint8) if leader == "black" else np.repeat(bars, height, axis=0)

        return with_leader

    rate = Fraction(25, 2)
    rows = compare(video(led(15, seed=seed), times(375, rate)), video(led(15.8, noise=0), times(375, rate)))
    if seed:
        assert list(rows) == ["nr"]
        assert any("they do not show the same pictures" in said for said in said_of(rows["nr"]))
    else:
        assert rows["fr"].offset_frames == 10
        assert rows["fr"].pools["min"] > UNDISTURBED - 1.5


def test_where_nothing_moves_equal_start_is_kept_and_said(compare: Compare) -> None:
    fr = compare(video(drawn(pan=0), times(125)), video(drawn(pan=0, noise=0), times(125)))["fr"]
    assert fr.offset_s == 0
    assert said_of(fr) == ("too little moves to find its offset in time: laid over its master at equal start",)
    assert same_score(fr)


@pytest.mark.parametrize("features_tell", [True, False])
def test_an_offset_that_coding_noise_hides_by_a_frame_is_used_and_said(
    compare: Compare, features_tell: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not features_tell:
        monkeypatch.setattr(FakeJudge, "features", lambda _, pictures: np.zeros((len(pictures), 4), np.float32))
    scene, rng = drawn(pan=6, noise=0, shift_s=0.48), np.random.default_rng(0)
    blocks = rng.normal(size=(125, 6, 10)) * 16

    def starved(moment: float, width: int, height: int) -> Any:
        coarse = np.kron(blocks[round(moment * 25)], np.ones((height // 6, width // 10)))
        return np.clip(scene(moment, width, height) + coarse[..., None], 0, 255).astype(np.uint8)

    fr = compare(video(starved, times(100)), video(drawn(pan=6, noise=0), times(125)))["fr"]
    assert fr.offset_frames == 12
    near = "too little moves to find its offset in time to the frame: it may be one frame off"
    assert (by_features.SAID if features_tell else near) in said_of(fr)
    assert fr.match_confidence is not None
    assert (fr.match_confidence > 0.7) == features_tell


def test_unrelated_pictures_are_not_compared(compare: Compare) -> None:
    rows = compare(video(drawn(seed=5), times(125)))
    assert list(rows) == ["nr"]
    (said,) = said_of(rows["nr"])
    assert said.startswith("not compared with its master: they do not show the same pictures")


@pytest.mark.parametrize("seed", [0, 5])
def test_a_second_of_master_at_twice_the_rate_is_found_in_a_longer_encode_or_refused(
    compare: Compare, seed: int
) -> None:
    rows = compare(video(drawn(shift_s=-3), times(200)), video(drawn(seed=seed, noise=0), times(50, 50)))
    if seed:
        assert list(rows) == ["nr"]
    else:
        assert rows["fr"].offset_frames == -150
        assert same_score(rows["fr"])


@pytest.mark.parametrize(
    "skips",
    [
        {10.0: 5}, {10.0: -5}, {3.0: 1, 8.0: 1, 18.0: 1}, {2.0: 2, 15.0: -3}, {12.0: 20},
        {9.0: 6, 10.2: -6}, {5.0: -3, 6.6: 3}, {4.0: 1, 15.0: -1},  # it ends with its master again
    ],
)  # fmt: skip
def test_frames_left_out_or_shown_again_are_told_and_cost_nothing(
    compare: Compare, skips: dict[float, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows them is compared with what it shows, and no other speed is made of them."""
    if not sum(skips.values()):  # which the scores of these pictures are too mild to ask for
        monkeypatch.setattr(suspects, "of_scores", lambda _: frozenset({"/a.mp4"}))

    def clock(moment: float) -> float:
        frame = round(moment * 25)
        shown = frame
        for at, skip in skips.items():
            begins = round(at * 25)
            if frame >= begins:
                shown += skip if skip > 0 else -min(-skip, frame - begins + 1)
        return shown / 25

    rows = compare(video(drawn(clock=clock), times(500)), video(drawn(noise=0), times(500 + sum(skips.values()))))
    fr = rows["fr"]
    assert same_score(fr)
    assert (fr.rate_ratio, fr.offset_frames) == (1.0, 0)
    told = [f for f in fr.findings if f.kind == "pairing" and "of its master, and plays on" in f.sentence]
    said = [
        f"{'leaves out' if n > 0 else 'shows again'} {abs(n)} frame{'s' if abs(n) > 1 else ''} ({abs(n) / 25:.2f} s) "
        "of its master, and plays on"
        for n in skips.values()
    ]
    assert [f.sentence for f in told] == said
    assert all(f.start_s == pytest.approx(at, abs=0.1) for f, at in zip(told, skips, strict=True))


def test_steps_behind_a_head_that_cannot_be_decoded(compare: Compare) -> None:
    """Three frames are left out at four seconds; of the first three nothing can be read."""
    encode = video(drawn(clock=lambda t: t if t < 4 else t + 0.12), times(250))
    encode.missing = frozenset(range(76))
    rows = compare(encode, video(drawn(noise=0), times(253)))
    assert rows["fr"].status == "ok"
    assert "leaves out 3 frames (0.12 s) of its master, and plays on" in said_of(rows["fr"])


@pytest.mark.parametrize("what", ["black", "another film"])
def test_what_was_put_in_is_no_frame_shown_again(compare: Compare, what: str) -> None:
    """Eight tenths of a second, after ten: it refuses the pair, as a longer cut does."""
    film, other = drawn(), drawn(seed=5)

    def spliced(t: float, w: int, h: int) -> Any:
        if 10 <= t < 10.8:
            return np.zeros((h, w, 3), np.uint8) if what == "black" else other(t, w, h)
        return film(t if t < 10 else t - 0.8, w, h)

    rows = compare(video(spliced, times(520)), video(drawn(noise=0), times(500)))
    assert list(rows) == ["nr"]
    assert any("cut out or put in" in said for said in said_of(rows["nr"]))


Parts = Sequence[tuple[float, float]]


def spliced(parts: Parts, noise: float = 3.0) -> Any:
    """Of parts of a calm film, (from, seconds), one after the other; from a negative time on it is another film."""
    film, other = drawn(pan=5, noise=noise), drawn(pan=5, noise=noise, seed=5)

    def draw(t: float, w: int, h: int) -> Any:
        for start, lasts in parts:
            if t < lasts - 0.01:
                return film(start + t, w, h) if start >= 0 else other(t - start, w, h)
            t -= lasts
        raise AssertionError("after its end")

    return video(draw, times(round(25 * sum(lasts for _, lasts in parts))))


CUT_OUT: list[tuple[Parts, float, float]] = [
    ([(0, 3), (6, 6)], 3, 3), ([(0, 6), (9, 11)], 6, 3), ([(0, 5), (3, 7)], 5, -2), ([(0, 9), (5, 11)], 9, -4),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "at", "skip"), CUT_OUT)
def test_seconds_left_out_or_shown_again_within_a_shot_are_told_and_cost_nothing(
    compare: Compare, parts: Parts, at: float, skip: float
) -> None:
    lasts = sum(seconds for _, seconds in parts) + skip
    fr = compare(spliced(parts), spliced([(0, lasts)], noise=0))["fr"]
    assert same_score(fr)
    (told,) = (f for f in fr.findings if f.kind == "pairing" and "plays on" in f.sentence)
    how = "leaves out" if skip > 0 else "shows again"
    assert told.sentence == f"{how} {25 * abs(skip)} frames ({abs(skip):.2f} s) of its master, and plays on"
    assert (told.severity, told.start_s) == ("error", pytest.approx(at, abs=0.1))


@pytest.mark.parametrize(
    ("parts", "lasts"),
    [
        ([(0, 3), (-9, 3), (3, 5)], 8), ([(0, 6), (-9, 3), (6, 14)], 20), ([(0, 10), (-9, 1.2), (10, 10)], 20),
        ([(0, 18.4), (-9, 2), (18.4, 1.6)], 20),  # behind all places that are looked at
        ([(0, 4.4), (7.4, 0.6)], 8), ([(0, 6), (7.2, 0.8)], 8),  # all that is left behind a cut
        ([(0, 10), (-9, 3), (10, 7)], 20), ([(0, 3), (-9, 3), (3, 2)], 8),  # it ends when its master does
    ],
)  # fmt: skip
def test_seconds_put_in_within_a_shot_refuse_the_pair(
    compare: Compare, parts: Parts, lasts: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sum(seconds for _, seconds in parts) == lasts < 15:  # which the scores of these pictures are too mild to ask for
        monkeypatch.setattr(suspects, "of_scores", lambda _: frozenset({"/a.mp4"}))
    rows = compare(spliced(parts), spliced([(0, lasts)], noise=0))
    assert list(rows) == ["nr"]
    (refused,) = (f for f in rows["nr"].findings if f.kind == "not_compared")
    assert refused.severity == "error"
    assert "cut out or put in" in refused.sentence or "it shows other pictures" in refused.sentence


@pytest.mark.parametrize(
    ("parts", "lasts"), [([(0, 5)], 8), ([(0, 10)], 8), ([(2, 4)], 8), ([(-9, 2), (0, 8)], 8), ([(0, 16)], 20)]
)  # fmt: skip
def test_what_ends_or_begins_seconds_apart_is_compared_as_before(compare: Compare, parts: Parts, lasts: float) -> None:
    fr = compare(spliced(parts), spliced([(0, lasts)], noise=0))["fr"]
    assert same_score(fr)
    assert not any("plays on" in said for said in said_of(fr))


def test_a_trimmed_head_that_repeats_is_no_frame_left_out(compare: Compare) -> None:
    """A loop of a second, three times, then the film: a head that lacks 20 frames lies on it at another turn, too."""

    def looped(noise: float, late: float = 0.0) -> Any:
        draw = drawn(noise=noise)
        return lambda t, w, h: draw((t + late) % 1 if t + late < 3 else t + late, w, h)

    fr = compare(video(looped(3, 0.8), times(230)), video(looped(0), times(250)))["fr"]
    assert fr.offset_frames == 20
    assert same_score(fr)
    assert not any("plays on" in said for said in said_of(fr))


def test_more_steps_than_can_be_told_one_by_one_are_not_unsaid(compare: Compare) -> None:
    """Thirteen single frames, and where drift is looked for nothing moves."""
    gone = range(60, 60 + 13 * 55, 55)

    def clock(t: float) -> float:
        number = round(t * 25)
        for one in gone:
            number += number >= one
        return min(number, 880) / 25 if number < 960 else (number - 80) / 25

    def master(t: float) -> float:
        number = round(t * 25)
        return min(number, 880) / 25 if number < 960 else (number - 80) / 25

    rows = compare(video(drawn(clock=clock), times(1000)), video(drawn(noise=0, clock=master), times(1013)))
    said = [one for row in rows.values() for one in said_of(row)]
    assert any("times as fast" in one or "cut out or put in" in one for one in said)


# --- space -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", ["90", "180", "270", "mirrored", "mirrored 90"])
def test_a_turned_or_mirrored_encode_is_turned_back(compare: Compare, turn: str) -> None:
    def change(picture: Any) -> Any:
        if "mirrored" in turn:
            picture = picture[:, ::-1]
        return np.rot90(picture, -int(turn.split()[-1]) // 90 if turn[-1] == "0" else 0)

    size = SIZE[::-1] if turn.endswith(("90", "270")) else SIZE
    fr = compare(video(drawn(change=change, shift_s=0.2), times(125), size))["fr"]
    assert fr.offset_frames == 5
    assert same_score(fr)
    degrees = f"turned clockwise by {turn.split()[-1]} degrees"
    stands = {"mirrored": "mirrored", "mirrored 90": f"mirrored and {degrees}"}.get(turn, degrees)
    assert f"{stands} against its master: turned back to be compared" in said_of(fr)
    assert fr.display == "320x180"


@pytest.mark.parametrize(("top", "left"), [(24, 0), (0, 40)])
def test_bars_laid_over_the_picture_are_left_out(compare: Compare, top: int, left: int) -> None:
    """Not beside a picture that was scaled down: over a part of it."""

    def over(picture: Any) -> Any:
        covered = np.full_like(picture, 16)
        inside = np.s_[top : SIZE[1] - top, left : SIZE[0] - left]
        covered[inside] = picture[inside]
        return covered

    fr = compare(video(drawn(change=over, noise=2), times(125)))["fr"]
    assert fr.score == pytest.approx(UNDISTURBED, abs=2)
    width, height = (int(side) for side in str(fr.display).split("x"))
    assert 0 <= SIZE[0] - 2 * left - width <= 4
    assert 0 <= SIZE[1] - 2 * top - height <= 4
    assert any(f"where both show picture, {fr.display} of" in said for said in said_of(fr))


@pytest.mark.parametrize(("top", "left"), [(23, 0), (0, 40)])
def test_bars_on_one_side_are_left_out(compare: Compare, top: int, left: int) -> None:
    with_bars = video(drawn(change=lambda p: barred(p, top, left)), times(125))
    small = (SIZE[0] - 2 * left, SIZE[1] - 2 * top)
    without = video(drawn(change=lambda p: resized(p, *small), noise=0), times(125), small)
    fr = compare(with_bars, without)["fr"]
    assert same_score(fr)
    assert fr.display == f"{small[0]}x{small[1]}"
    picture = f"{small[0]}x{small[1]} of 320x180, {left} pixels from the left and {top} from the top"
    assert f"compared without its bars: its picture is {picture}" in said_of(fr)

    other = video(drawn(change=lambda p: barred(p, top, left), noise=0), times(125))
    encode = video(drawn(change=lambda p: resized(p, *small)), times(125), small)
    fr = compare(encode, other)["fr"]
    assert same_score(fr)
    assert fr.display == f"{small[0]}x{small[1]}"
    assert any("bars" in said for said in said_of(fr))

    both = compare(with_bars, other)["fr"]
    assert both.display == "320x180"
    assert said_of(both) == ()


@pytest.mark.parametrize("cut", [(2, 2, 2, 2), (16, 16, 16, 16), (0, 3, 4, 0)])
@pytest.mark.parametrize("enlarged", [False, True])
def test_cut_borders_are_found(compare: Compare, cut: tuple[int, int, int, int], enlarged: bool) -> None:
    left, top, right, bottom = cut
    size = (SIZE[0] - left - right, SIZE[1] - top - bottom)

    def change(picture: Any) -> Any:
        inner = picture[top : SIZE[1] - bottom, left : SIZE[0] - right]
        return resized(inner, *SIZE) if enlarged else inner

    fr = compare(video(drawn(change=change), times(125), SIZE if enlarged else size))["fr"]
    assert fr.display == f"{size[0]}x{size[1]}"
    assert same_score(fr)
    assert any(f", {left} pixels from the left and {top} from the top" in said for said in said_of(fr))


# --- colour ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gain", "lift", "word"), [(219 / 255, 16, "squeezed"), (255 / 219, -18.6, "stretched")])
def test_a_range_marked_wrong_is_said_and_counts(compare: Compare, gain: float, lift: float, word: str) -> None:
    wrong = drawn(change=lambda p: np.clip(p * gain + lift, 0, 255).astype(np.uint8))
    fr = compare(video(wrong, times(60)))["fr"]
    assert any(word in said and "marked wrong" in said for said in said_of(fr))
    assert fr.score is not None
    assert fr.score < UNDISTURBED - 1  # shown as it is: nothing was undone


def test_darker_or_flatter_pictures_are_not_taken_for_a_wrong_range(compare: Compare) -> None:
    dim = drawn(change=lambda p: (p * 0.86).astype(np.uint8))
    assert said_of(compare(video(dim, times(125)))["fr"]) == ()
