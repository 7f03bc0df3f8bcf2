"""Encodes that do not state their colour matrix are read as their master is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from yoto_video.pipeline.colour import UNSTATED_MATRIX
from yoto_video.pipeline.tracks import Track, share_matrix
from yoto_video.pipeline.values import VideoInfo, VideoRef

from .fakes import info as made


def track(place: int, matrix: str, *, stated: bool) -> Track:
    notes = () if stated else (f"{UNSTATED_MATRIX}, {matrix} assumed", "colour range not stated, limited assumed")
    info: VideoInfo = replace(made(), color_space=matrix, notes=notes)
    return Track(place, VideoRef(f"/v/{place}.mp4"), info=info)


@pytest.mark.parametrize("stated", [True, False])
def test_an_unstated_matrix_is_the_masters(stated: bool) -> None:
    master, rung = track(0, "bt709", stated=stated), track(1, "smpte170m", stated=False)
    share_matrix([master, rung], master)
    assert rung.info is not None
    assert rung.info.color_space == "bt709"
    assert rung.info.notes == (
        f"{UNSTATED_MATRIX}, bt709 taken from its master",
        "colour range not stated, limited assumed",
    )


def test_what_a_file_states_and_what_has_no_matrix_stay() -> None:
    master, rung = track(0, "bt709", stated=True), track(1, "smpte170m", stated=True)
    share_matrix([master, rung], master)
    rgb, other = track(0, "gbr", stated=True), track(1, "smpte170m", stated=False)
    share_matrix([rgb, other], rgb)
    share_matrix([other], None)
    assert [t.info.color_space for t in (rung, other) if t.info] == ["smpte170m", "smpte170m"]
