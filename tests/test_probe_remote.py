"""Probing objects in a store: little is read, and what cannot be known of so little is not made up."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av.error
import pytest
from yoto_video.pipeline import decode, probe
from yoto_video.pipeline.choose import choose_samples
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.media import explain
from yoto_video.pipeline.packets import packet_table
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.tracks import Track, note_measured
from yoto_video.pipeline.values import VideoRef

from . import clips, s3
from .decoding import probed


@pytest.mark.parametrize("kind", ["h264.h264", "hevc.hevc"])
def test_a_raw_stream_is_read_as_a_local_one(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bucket").mkdir()
    path = clips.make(tmp_path / "bucket" / kind, **clips.KINDS[kind])
    with s3.serving(tmp_path, monkeypatch):
        ref = VideoRef(f"s3://bucket/{kind}")
        info, local = probe.probe(ref), probed(path)
        assert (info.width, info.fps, info.still) == (local.width, local.fps, False)
        assert [clips.number_of(f.rgb) for f in decode.read_frames(ref, info, [0, 17])] == [0, 17]


def test_a_seek_that_is_refused_is_no_lack_of_rights(tmp_path: Path) -> None:
    refused = av.error.PermissionError(1, "Operation not permitted")
    (tmp_path / "a.h264").write_bytes(bytes(100))
    for ref in (VideoRef(str(tmp_path / "a.h264")), VideoRef("m.mpd#1", (str(tmp_path / "a.h264"),))):
        assert "permission" not in explain(ref, refused).reason
    remote = VideoRef("s3://bucket/a.h264")
    assert "permission denied" in explain(remote, PermissionError(13, "Forbidden")).reason
    if os.getuid():
        (tmp_path / "a.h264").chmod(0)
        assert "permission denied" in explain(VideoRef(str(tmp_path / "a.h264")), refused).reason


def clip_of(name: str, folder: Path) -> Path:
    """A clip whose header says little of its length: none, or a nonsense, or an end in place of a length."""
    if name.endswith(".m1v"):
        return clips.make(folder / name, codec="mpeg1video", format="mpeg1video", rate=Fraction(25), frames=50)
    if name.endswith(".h264"):
        return clips.make(folder / name, format="h264", frames=50)
    return clips.make(folder / name, frames=50, times=range(26500, 28500, 40), tick=Fraction(1, 1000))


@pytest.mark.parametrize("name", ["late.mkv", "late.nut", "raw.m1v", "raw.h264"])
def test_what_is_estimated_is_measured_with_frame_times(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bucket").mkdir()
    path = clip_of(name, tmp_path / "bucket")
    local = probed(path)
    assert local.duration_s == pytest.approx(2, abs=0.05)
    assert not [note for note in local.notes if isinstance(note, Finding)]  # that ends so late and is not cut short
    with s3.serving(tmp_path, monkeypatch):
        ref = VideoRef(f"s3://bucket/{name}")
        glance = probe.probe(ref)
        assert glance.duration_s is None or glance.duration_s == pytest.approx(2, abs=0.05)
        track = Track(0, ref, info=glance, findings=list(glance.notes))
        note_measured(track, Settings())
        assert track.info == replace(local, notes=track.info.notes if track.info else ())
        assert sorted(map(str, track.findings)) == sorted(map(str, local.notes))
        told = track.info
        note_measured(track, Settings())
        assert track.info is told


def test_an_object_that_is_cut_short_is_told_once_it_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bucket").mkdir()
    whole = clips.make(tmp_path / "whole.mkv", frames=100).read_bytes()
    (tmp_path / "bucket" / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    with s3.serving(tmp_path, monkeypatch):
        ref = VideoRef("s3://bucket/cut.mkv")
        track = Track(0, ref, info=probe.probe(ref))
        assert track.info is not None
        assert track.info.duration_s == pytest.approx(4)
        choose_samples([track], None, Settings())
        frames = len(packet_table(ref).order)
    (loss,) = [f for f in track.findings if isinstance(f, Finding) and f.kind == "truncated"]
    assert "header says 4.0 s" in loss.sentence
    assert track.info.duration_s == pytest.approx(frames / 25, abs=0.2)  # pictures between the last ones
    assert track.info.duration_s < 3
