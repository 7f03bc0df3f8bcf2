"""Equal ids, equal scores; and whatever changes a score changes the id."""

from __future__ import annotations

from dataclasses import replace

import pytest
from yoto_video.pipeline.errors import BrokenVideo
from yoto_video.pipeline.identity import comparison_id, display_raster, ladder_ids, result_id
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

from .fakes import FakeVideo, FakeVideos, info

SETTINGS = Settings()
A, B, M = VideoRef("/a.mp4"), VideoRef("/b.mp4"), VideoRef("/m.mp4")


def ladder(*encodes: VideoRef, master: VideoRef | None = None) -> Ladder:
    return Ladder("l", tuple(Rendition(v) for v in encodes), master)


def test_an_id_is_stable_over_runs_and_machines() -> None:
    fixed = result_id("/a.mp4", "content", "reference", "model", {"fps": 2.0, "crops": 6}, "")
    assert fixed == result_id("/a.mp4", "content", "reference", "model", {"crops": 6, "fps": 2.0}, "")
    assert fixed == "56842aafdafc941730a8c5319703b274"  # another value here: every stored result is measured again
    assert comparison_id(fixed) != fixed


@pytest.mark.parametrize("place", range(6))
def test_whatever_changes_a_score_changes_its_id(place: int) -> None:
    what: list[object] = ["/a.mp4", "content", "reference", "model", SETTINGS.identity(), ""]
    other = [*what]
    other[place] = replace(SETTINGS, fps=3.0).identity() if place == 4 else "other"
    assert result_id(*what) != result_id(*other)  # type: ignore[arg-type]
    assert result_id(*what) != result_id(*[None if i == 2 else w for i, w in enumerate(what)])  # type: ignore[arg-type]


def ids(some: Ladder, settings: Settings = SETTINGS, **contents: str) -> dict[str, str]:
    named = {f"/{k}.mp4": v for k, v in ({"a": "1", "b": "2", "m": "3"} | contents).items()}
    return ladder_ids(some, settings, "model", content_ids=named, infos={p: info() for p in named})


def test_another_rung_leaves_the_results_of_a_ladder_with_a_master_as_they_are() -> None:
    one, two = ids(ladder(A, master=M)), ids(ladder(A, B, master=M))
    assert one.items() <= two.items()


def test_a_changed_rung_is_measured_again_alone_and_a_changed_master_with_all_its_encodes() -> None:
    before = ids(ladder(A, B, master=M))
    rung, master = ids(ladder(A, B, master=M), a="9"), ids(ladder(A, B, master=M), m="9")
    assert [p for p in before if rung[p] != before[p]] == ["/a.mp4"]
    assert [p for p in before if master[p] != before[p]] == ["/m.mp4", "/a.mp4", "/b.mp4"]


def test_without_a_master_the_tallest_rung_decides_how_all_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeVideos({"/a.mp4": FakeVideo([], info(640, 360)), "/b.mp4": FakeVideo([], info(1280, 720))}, monkeypatch)
    known = {v.path: FakeVideo([], info(640, 360)).info for v in (A,)}
    assert display_raster(ladder(A, B), SETTINGS, {**known, "/b.mp4": info(1280, 720)}) == (1280, 720)
    contents = {"/a.mp4": "1", "/b.mp4": "2"}
    taller = ladder_ids(ladder(A, B), SETTINGS, "model", content_ids=contents)  # probes what it has to
    alone = ladder_ids(ladder(A), SETTINGS, "model", content_ids=contents)
    assert taller["/a.mp4"] != alone["/a.mp4"]


def test_the_display_is_as_asked_then_the_masters_then_the_tallest() -> None:
    infos = {"/a.mp4": info(1280, 720), "/b.mp4": info(720, 1280), "/m.mp4": info(1920, 800)}
    assert display_raster(ladder(A, B, master=M), replace(SETTINGS, display=(640, 480)), infos) == (640, 480)
    assert display_raster(ladder(A, B, master=M), SETTINGS, infos) == (1920, 800)
    assert display_raster(ladder(A, B), SETTINGS, infos) == (720, 1280)
    assert display_raster(ladder(A, B, master=M), SETTINGS, {**infos, "/m.mp4": None}) == (720, 1280)
    assert display_raster(ladder(A), SETTINGS, {}) is None


def test_a_video_that_cannot_be_probed_has_an_id_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = FakeVideo([], probe_error=BrokenVideo("/b.mp4", "empty"))
    FakeVideos({"/a.mp4": FakeVideo([], info()), "/b.mp4": broken}, monkeypatch)
    assert set(ladder_ids(ladder(A, B), SETTINGS, "model", content_ids={})) == {"/a.mp4", "/b.mp4"}
