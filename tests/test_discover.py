"""Finding: folders as people have them, ladders by name, and the plan that is shown."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from yoto_video.pipeline import listing
from yoto_video.pipeline.discover import describe, discover
from yoto_video.pipeline.errors import UsageError
from yoto_video.pipeline.found import STILLS, VIDEOS

from .folders import MPD, SEGMENTS, all_paths, clip, put, shape


def test_names_make_a_ladder(tmp_path: Path) -> None:
    files = ["t_1080p_5000k.mp4", "t-1280x720-2500kbps.mp4", "t_tbr_900k.ts", "t_crf23.mkv", "t_av1_1080p.webm"]
    put(tmp_path, *files, "t_source.mov", "other_1080p.mp4", "alone.mp4")
    plan = discover(str(tmp_path))
    assert shape(plan) == {
        "t": ("name", "t_source.mov", sorted(files)),
        "other_1080p": ("single", None, ["other_1080p.mp4"]),
        "alone": ("single", None, ["alone.mp4"]),
    }
    encodes = plan.ladders[-1].renditions
    assert [r.declared.height for r in encodes[:3]] == [1080, 1080, 720]  # from the largest down
    assert encodes[0].declared.bitrate_kbps == 5000


def test_sources_in_a_folder_of_their_own(tmp_path: Path) -> None:
    put(tmp_path, "sources/a.mp4", "sources/b.mov", "encodes/a_1080p_5000k.mp4", "encodes/a_720p_2500k.mp4",
        "encodes/b/1080p.mp4", "encodes/b/h264/720p.mp4", "encodes/c_720p.mp4", "encodes/c_360p.mp4")  # fmt: skip
    assert shape(discover(str(tmp_path))) == {
        "a": ("name", "sources/a.mp4", ["encodes/a_1080p_5000k.mp4", "encodes/a_720p_2500k.mp4"]),
        "b": ("name", "sources/b.mov", ["encodes/b/1080p.mp4", "encodes/b/h264/720p.mp4"]),
        "c": ("name", None, ["encodes/c_360p.mp4", "encodes/c_720p.mp4"]),  # the highest rung is no source
    }


def test_source_words_that_are_the_title(tmp_path: Path) -> None:
    put(tmp_path, "original_sin_1080p.mp4", "original_sin_720p.mp4", "preference_1080p.mp4", "preference_720p.mp4")
    plan = discover(str(tmp_path))
    assert [ladder.master for ladder in plan.ladders] == [None, None]
    put(tmp_path, "original_sin_master.mov")
    plan = discover(str(tmp_path))
    assert shape(plan)["sin"][1] == "original_sin_master.mov"


def test_several_sources(tmp_path: Path) -> None:
    put(tmp_path, "t_source_720p.mov", "t_mezzanine_1080p.mov", "t_360p.mp4", "t_240p.mp4")
    plan = discover(str(tmp_path))
    assert shape(plan)["t"] == ("name", "t_mezzanine_1080p.mov", ["t_240p.mp4", "t_360p.mp4", "t_source_720p.mov"])
    assert any("several sources" in note and "t_source_720p.mov" in note for note in plan.notes)


def test_pictures_and_posters(tmp_path: Path) -> None:
    put(
        tmp_path,
        "t_1080p.mp4",
        "t_720p.mp4",
        "t.jpg",
        "img_q28_x265.png",
        "img_ref.png",
        "frame_0001.png",
        "frame_0002.png",
        "photo_source.png",
        "photo_q3.jpg",
        "photo_q90.jpg",
        "photo_q100.jpg",
    )
    assert shape(discover(str(tmp_path))) == {
        "t": ("name", None, ["t_1080p.mp4", "t_720p.mp4"]),
        "t.jpg": ("single", None, ["t.jpg"]),
        "img": ("name", "img_ref.png", ["img_q28_x265.png"]),
        "frame_0001": ("single", None, ["frame_0001.png"]),
        "frame_0002": ("single", None, ["frame_0002.png"]),
        "photo": ("name", "photo_source.png", ["photo_q100.jpg", "photo_q3.jpg", "photo_q90.jpg"]),
    }


@pytest.mark.parametrize("ending", sorted(VIDEOS | STILLS))
def test_each_ending_is_found(tmp_path: Path, ending: str) -> None:
    put(tmp_path, f"one.{ending}", f"two.{ending.upper()}", f"no.{ending}x", f"no_{ending}")
    assert len(discover(str(tmp_path)).ladders) == 2


def test_the_field_s_endings_are_known() -> None:
    field = "mp4 m4v mov mkv webm ts m2ts mts mxf avi y4m ivf mpg mpeg vob flv 3gp wmv h264 264 hevc h265 265 obu"
    assert set(field.split()) <= VIDEOS
    assert {"png", "jpg", "jpeg", "webp"} == STILLS


def test_what_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", ".hidden.mp4", ".git/b.mp4", "__MACOSX/a.mp4", "notes.txt", "seg/9.m4s")
    put(tmp_path, "out/pictures/1/frame.png", "earlier/yoto-video.json", "earlier/pictures/1/worst.png")
    (tmp_path / "index.ts").write_text("import { x } from 'y';\n")
    plan = discover(str(tmp_path), exclude=str(tmp_path / "out"))
    assert all_paths(plan.ladders) == [str(tmp_path / "a.mp4")]
    assert any("earlier" in note for note in plan.notes)
    assert any("1 media segments belong to no manifest" in note for note in plan.notes)


def test_videos_that_are_left_out_by_their_names_are_counted(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", ".dot.mp4", ".hidden/h.mp4", ".hidden/.h.MOV", "film", "deep/er/film.d/part")
    junk = (".DS_Store", "._a.mp4", "a.txt", ".a.jpg", ".git/HEAD", "@eaDir/film", "earlier/yoto-video.json")
    put(tmp_path, *junk, "earlier/.b.mp4", "earlier/film", "out/.c.mp4", "out/film")
    (tmp_path / "_SUCCESS").touch()
    said = "left out by their names: 3 hidden videos, 2 files without an ending"
    plan = discover(str(tmp_path), exclude=str(tmp_path / "out"))
    assert [note for note in plan.notes if "left out by" in note] == [said]
    assert all_paths(plan.ladders) == [str(tmp_path / "a.mp4")]

    (tmp_path / "told.csv").write_text("path,ladder,role\nfilm,a,master\n")  # what a mapping names is not left out
    plan = discover(str(tmp_path), exclude=str(tmp_path / "out"), mapping=str(tmp_path / "told.csv"))
    assert "left out by their names: 3 hidden videos, 1 file without an ending" in plan.notes
    put(tmp_path / "plain", "a.mp4", "README.txt", ".DS_Store", "Thumbs.db")
    assert discover(str(tmp_path / "plain")).notes == ()


def test_what_a_manifest_lists_without_an_ending_is_not_left_out(tmp_path: Path) -> None:
    clip(tmp_path / "s.ts", 1)
    (tmp_path / "s.ts").rename(tmp_path / "segment0")
    (tmp_path / "a.m3u8").write_text("#EXTM3U\n#EXTINF:2,\nsegment0\n#EXT-X-ENDLIST\n")
    assert discover(str(tmp_path)).notes == ()


def test_single_files_and_uris(tmp_path: Path) -> None:
    put(tmp_path, "a b.mp4", "c.mp4")
    for root in (str(tmp_path / "a b.mp4"), (tmp_path / "a b.mp4").as_uri()):
        assert all_paths(discover(root).ladders) == [str(tmp_path / "a b.mp4")]
    assert len(discover(tmp_path.as_uri()).ladders) == 2


def test_usage_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "texts", "a.txt")
    put(tmp_path / "videos", "a.mp4", "b.xyz")
    (tmp_path / "empty").mkdir()
    put(tmp_path / "results", "yoto-video.json", "pictures/a.png")
    videos = str(tmp_path / "videos")
    for call, said in [
        (lambda: discover(str(tmp_path / "none")), "no such file or folder"),
        (lambda: discover(str(tmp_path / "empty")), "empty"),
        (lambda: discover(str(tmp_path / "texts")), "none of its 1 files"),
        (lambda: discover(str(tmp_path / "videos/b.xyz")), "not a video"),
        (lambda: discover(str(tmp_path / "results")), "holds results"),
        (lambda: discover(videos, exclude=str(tmp_path)), "--out"),
        (lambda: discover("nosuch://bucket/x"), "nosuch://bucket/x"),
        (lambda: discover(videos, reference=str(tmp_path / "none.mov")), "--reference"),
        (lambda: discover(videos, reference=str(tmp_path / "texts")), "no videos"),
        (lambda: discover(videos, reference=str(tmp_path / "videos/b.xyz")), "not a video"),
        (lambda: discover(videos, reference=videos + "/a.mp4"), "nothing but the reference"),
        (lambda: discover(videos, mapping=str(tmp_path / "none.csv")), "--mapping"),
    ]:
        with pytest.raises(UsageError) as raised:
            call()
        assert said in str(raised.value)
        assert "\n" not in str(raised.value)


def test_description(tmp_path: Path) -> None:
    put(tmp_path, "t_1080p_5000k.mp4", "t_720p.mp4", "t_source.mov")
    clip(tmp_path / "alone.mp4", 1)
    text = "\n".join(describe(discover(str(tmp_path))))
    assert f"{tmp_path}: 4 videos, 1 ladder, 1 alone" in text
    assert "t  (2 encodes, grouped by name)" in text
    assert "master  t_source.mov" in text
    assert "~1080 lines, ~5,000 kbit/s" in text  # declared, not measured: said so
    assert "96x54" in text
    assert re.search(r"alone.mp4 .*file \d+ kbit/s", text)  # with its sound and container: which rate is said


def test_facts_stand_in_a_column_whatever_names_hold(tmp_path: Path) -> None:
    """Control characters are written out, which makes a name longer; some scripts take two columns a character."""
    for name in ("plain.mp4", "bell\x07\x1b[31m.mp4", "two\nlines.mp4", "映画.mp4"):
        clip(tmp_path / name, 1)
    lines = [line for line in describe(discover(str(tmp_path))) if "96x54" in line]
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)
    assert len({cell_len(line[: line.index("96x54")]) for line in lines}) == 1


def test_order_of_the_listing_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "b/t_720p.mp4", "b/t_1080p.mp4", "sources/b.mov", "x.mp4", *(f"d/{name}" for name in SEGMENTS))
    (tmp_path / "d/manifest.mpd").write_text(MPD)
    plan = discover(str(tmp_path))
    walk = listing.walk
    monkeypatch.setattr(listing, "walk", lambda *where: reversed(list(walk(*where))))
    assert discover(str(tmp_path)) == plan


def test_real_folder(data_dir: Path) -> None:
    plan = discover(str(data_dir / "clips"))
    found = shape(plan)
    ladders = {name: row for name, row in found.items() if len(row[2]) > 1 or row[1]}
    manifest = "manifests/dash_low_delay/Manifest.mpd"
    assert ladders == {
        "manifests/dash_low_delay": ("manifest", None, [f"{manifest}#1080", f"{manifest}#360", f"{manifest}#720"]),
        "fr_pairs/carphone": ("name", "fr_pairs/carphone_pristine.mp4", ["fr_pairs/carphone_distorted.mp4"]),
        "fr_pairs/ferris": (
            "folder",
            "fr_pairs/ferris-ref.mp4",
            [f"fr_pairs/ferris-{name}.mp4" for name in ("bicubic-bicubic", "nearest-nearest", "test-sat")],
        ),
    }
    dash = next(ladder for ladder in plan.ladders if ladder.grouped_by == "manifest")
    assert [r.declared.height for r in dash.renditions] == [1080, 720, 360]
    files = {
        str(path) for path in (data_dir / "clips").rglob("*.*") if path.parent.name in ("sdr", "torture", "fr_pairs")
    }
    assert {path for path in all_paths(plan.ladders) if "#" not in path} == files
    assert not plan.rejected


def test_what_cannot_be_seen_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may list every folder, so the refusal is played."""
    put(tmp_path, "a.mp4", "closed/b.mp4")
    (tmp_path / "lost.mp4").symlink_to(tmp_path / "nowhere.mp4")
    (tmp_path / "other.txt").symlink_to(tmp_path / "nowhere.txt")
    os.mkfifo(tmp_path / "pipe_270p.mp4")
    scandir = os.scandir

    def refusing(folder: str) -> object:
        if str(folder).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    plan = discover(str(tmp_path))
    assert list(all_paths(plan.ladders)) == [str(tmp_path / "a.mp4")]
    assert plan.notes == (
        "closed cannot be listed (Permission denied); left out", "lost.mp4 is a link that leads nowhere; left out",
        "pipe_270p.mp4 is a pipe, a device or a socket, no file; left out",
    )  # fmt: skip
