"""Probing objects in a store: little is read, and what cannot be known of so little is not made up."""

from __future__ import annotations

import os
from pathlib import Path

import av.error
import pytest
from yoto_video.pipeline import decode, probe
from yoto_video.pipeline.media import explain
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
