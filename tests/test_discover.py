"""Finding and grouping: folders as people have them, every file in exactly one ladder, the same whatever the order."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from yoto_video.pipeline import names
from yoto_video.pipeline.discover import STILLS, VIDEOS, Plan, describe, discover
from yoto_video.pipeline.errors import UsageError
from yoto_video.pipeline.fingerprint import Alike, Glance
from yoto_video.pipeline.groups import Item, group
from yoto_video.pipeline.values import Ladder, VideoRef


def put(root: Path, *files: str) -> Path:
    """Files that hold no video: what their names say is all there is to group by."""
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0")
    return root


def clip(path: Path, seed: int, size: tuple[int, int] = (96, 54), *, crf: int = 25, seconds: float = 2.0) -> Path:
    """A small moving scene; `seed` is the content."""
    rng = np.random.default_rng(seed)
    big = rng.integers(30, 220, (9, 48), np.uint8)
    rows, columns = np.arange(size[1]) * 9 // size[1], np.arange(size[0]) * 16 / size[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": str(crf), "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        for i in range(round(seconds * 10)):
            window = big[rows][:, (columns + i * 1.2).astype(int) % 48]  # a wall of patches that passes by
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.repeat(window[:, :, None], 3, axis=2)), "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def shape(plan: Plan) -> dict[str, tuple[str, str | None, list[str]]]:
    """Ladders as name -> (grouped by, master, encodes), paths relative to the root."""

    def short(ref: VideoRef) -> str:
        return ref.path.removeprefix(plan.root + "/")

    return {
        ladder.name: (
            ladder.grouped_by,
            None if ladder.master is None else short(ladder.master),
            sorted(short(r.video) for r in ladder.renditions),
        )
        for ladder in plan.ladders
    }


def all_paths(ladders: Iterable[Ladder]) -> list[str]:
    return [ref.path for ladder in ladders for ref in ladder.videos]


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


def test_content_overrules_weak_names(tmp_path: Path) -> None:
    """clip_360 and clip_480 may be rungs of one clip, or numbers of two."""
    clip(tmp_path / "rungs/clip_360.mp4", 1)
    clip(tmp_path / "rungs/clip_480.mp4", 1, crf=40)
    clip(tmp_path / "numbers/clip_360.mp4", 2)
    clip(tmp_path / "numbers/clip_480.mp4", 3)
    clip(tmp_path / "shapes/clip_360p.mp4", 4)
    clip(tmp_path / "shapes/clip_480p.mp4", 5, (96, 96))
    assert {name: len(row[2]) for name, row in shape(discover(str(tmp_path))).items()} == {
        "rungs/clip": 2, "numbers/clip_360": 1, "numbers/clip_480": 1, "shapes/clip_360p": 1, "shapes/clip_480p": 1
    }  # fmt: skip


def test_another_length_is_another_content(tmp_path: Path) -> None:
    for name, seconds in [("t_1080p.mp4", 4.0), ("t_720p.mp4", 4.0), ("t_360p.mp4", 3.2), ("t_high.mp4", 1.0)]:
        clip(tmp_path / name, 1, seconds=seconds)
    plan = discover(str(tmp_path))
    assert shape(plan)["t"][2] == ["t_1080p.mp4", "t_360p.mp4", "t_720p.mp4"]
    assert any("t_360p.mp4 lasts 3.2 s" in note for note in plan.notes)
    assert any("t_high.mp4" in note and "kept apart" in note for note in plan.notes)


def test_folder_duration_and_pictures(tmp_path: Path) -> None:
    """Names that say nothing: encodes of one content come together, others of the same length do not."""
    clip(tmp_path / "a/upload.mp4", 1, (192, 108), crf=10)
    clip(tmp_path / "a/x17.mp4", 1, crf=30)
    clip(tmp_path / "a/foo.mkv", 1, (64, 36), crf=30)
    clip(tmp_path / "a/stranger.mp4", 2)
    clip(tmp_path / "a/short.mp4", 1, seconds=1.0)
    clip(tmp_path / "b/copy one.mp4", 3)
    shutil.copy(tmp_path / "b/copy one.mp4", tmp_path / "b/two.mp4")  # copies are no ladder
    clip(tmp_path / "c/show-ref.mp4", 4)
    clip(tmp_path / "c/show-try-a.mp4", 4, crf=35)
    clip(tmp_path / "c/show-try-b.mp4", 4, crf=45)
    assert shape(discover(str(tmp_path))) == {
        "a": ("folder", None, ["a/foo.mkv", "a/upload.mp4", "a/x17.mp4"]),
        "a/stranger": ("single", None, ["a/stranger.mp4"]),
        "a/short": ("single", None, ["a/short.mp4"]),
        "b/copy one": ("single", None, ["b/copy one.mp4"]),
        "b/two": ("single", None, ["b/two.mp4"]),
        "c/show": ("folder", "c/show-ref.mp4", ["c/show-try-a.mp4", "c/show-try-b.mp4"]),
    }


def test_a_stranger_by_name_joins_its_ladder(tmp_path: Path) -> None:
    clip(tmp_path / "t_1080p.mp4", 1, (192, 108))
    clip(tmp_path / "t_720p.mp4", 1)
    clip(tmp_path / "final cut source.mp4", 1, (192, 108), crf=5)
    clip(tmp_path / "bonus.mp4", 2)
    plan = shape(discover(str(tmp_path)))
    assert plan["t"] == ("name", "final cut source.mp4", ["t_1080p.mp4", "t_720p.mp4"])
    assert len(plan) == 2


MPD = """<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period>
<AdaptationSet mimeType="video/mp4"><SegmentTemplate media="$RepresentationID$/$Number$.m4s"
 initialization="$RepresentationID$/init.mp4" duration="1"/>
<Representation id="hi" width="96" height="54" bandwidth="200000"/>
<Representation id="lo" height="36" bandwidth="100000"/>
</AdaptationSet></Period></MPD>"""
SEGMENTS = [f"{folder}/{name}" for folder in ("hi", "lo") for name in ("init.mp4", "1.m4s", "2.m4s")]


def test_manifests_take_their_segments_and_the_master_beside_them(tmp_path: Path) -> None:
    put(tmp_path, *(f"a/{name}" for name in SEGMENTS), *(f"b/{name}" for name in SEGMENTS), "a/hi/3.m4s")
    (tmp_path / "a/manifest.mpd").write_text(MPD)
    (tmp_path / "b/title.mpd").write_text(MPD)
    put(tmp_path, "sources/a.mov", "b/title_source.mov", "b/title_1080p.mp4", "b/other.mp4")
    assert shape(discover(str(tmp_path))) == {
        "a": ("manifest", "sources/a.mov", ["a/manifest.mpd#hi", "a/manifest.mpd#lo"]),
        "b/title": ("manifest", "b/title_source.mov", ["b/title.mpd#hi", "b/title.mpd#lo", "b/title_1080p.mp4"]),
        "b/other": ("single", None, ["b/other.mp4"]),
    }


def test_a_master_of_another_name_beside_a_manifest(tmp_path: Path) -> None:
    put(tmp_path, *SEGMENTS)
    (tmp_path / "manifest.mpd").write_text(MPD)
    clip(tmp_path / "shoot 7 master.mp4", 1)
    clip(tmp_path / "shoot 8.mp4", 1, crf=40)
    plan = shape(discover(str(tmp_path)))
    assert plan[tmp_path.name][1] is None or plan[tmp_path.name][1] == "shoot 7 master.mp4"
    clip(tmp_path / "shoot 7 master.mp4", 1, seconds=5.0)  # another length is another title
    assert shape(discover(str(tmp_path)))[tmp_path.name][1] is None


def test_hls_and_dash_over_the_same_files_are_scored_once(tmp_path: Path) -> None:
    put(tmp_path, *(f"t/{name}" for name in SEGMENTS), "t/sd.mp4")
    (tmp_path / "t/manifest.mpd").write_text(MPD)
    (tmp_path / "t/hi.m3u8").write_text(
        '#EXTM3U\n#EXT-X-MAP:URI="hi/init.mp4"\n#EXTINF:1,\nhi/1.m4s\n#EXTINF:1,\nhi/2.m4s\n'
    )
    (tmp_path / "t/master.m3u8").write_text(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\nhi.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=8\nsd.mp4\n"
    )
    plan = discover(str(tmp_path))
    assert len(plan.ladders) == 1
    assert sum(len(r.video.parts) for r in plan.ladders[0].renditions) == 7
    assert any("scored once" in note for note in plan.notes)


def test_playlists_without_a_master_playlist_go_by_name(tmp_path: Path) -> None:
    put(tmp_path, *(f"{rung}_{i}.ts" for rung in ("t_720p", "t_360p") for i in range(5)), "t_source.mov")
    for rung in ("t_720p", "t_360p"):
        (tmp_path / f"{rung}.m3u8").write_text(
            "#EXTM3U\n" + "".join(f"#EXTINF:1,\n{rung}_{i}.ts\n" for i in range(1, 4))
        )
    plan = discover(str(tmp_path))
    assert shape(plan) == {"t": ("name", "t_source.mov", ["t_360p.m3u8", "t_720p.m3u8"])}
    assert any("4 segments that no manifest lists" in note for note in plan.notes)  # of a live window that moved on


def test_a_manifest_by_itself(tmp_path: Path) -> None:
    put(tmp_path, *SEGMENTS, "other.mp4")
    (tmp_path / "m.mpd").write_text(MPD)
    plan = discover(str(tmp_path / "m.mpd"))
    assert [ladder.grouped_by for ladder in plan.ladders] == ["manifest"]
    assert len(plan.ladders[0].renditions) == 2
    assert len(plan.ladders[0].renditions[0].video.parts) == 3


def test_a_broken_manifest_is_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4")
    (tmp_path / "m.mpd").write_text("<MPD")
    plan = discover(str(tmp_path))
    assert [error.path for error in plan.rejected] == [str(tmp_path / "m.mpd")]
    assert len(plan.ladders) == 1
    assert any("m.mpd: the manifest cannot be read" in line for line in describe(plan))


def test_mapping_overrides(tmp_path: Path) -> None:
    put(
        tmp_path,
        "t_1080p.mp4",
        "t_720p.mp4",
        "t_source.mov",
        "x1.mp4",
        "x2.mp4",
        "u_1080p.mp4",
        "u_720p.mp4",
        "grade.mov",
    )
    (tmp_path / "map.csv").write_text(
        "path,ladder,role\nx1.mp4,x,rendition\nt_source.mov,x,master\nt_720p.mp4,x,\ngrade.mov,u,master\n"
    )
    assert shape(discover(str(tmp_path), mapping=str(tmp_path / "map.csv"))) == {
        "x": ("mapping", "t_source.mov", ["t_720p.mp4", "x1.mp4"]),
        "t_1080p": ("single", None, ["t_1080p.mp4"]),
        "x2": ("single", None, ["x2.mp4"]),
        "u": ("mapping", "grade.mov", ["u_1080p.mp4", "u_720p.mp4"]),  # joins what was found under that name
    }


def test_mapping_of_a_manifest_s_rendition(tmp_path: Path) -> None:
    put(tmp_path, *SEGMENTS, "a.mov")
    (tmp_path / "m.mpd").write_text(MPD)
    (tmp_path / "map.csv").write_text("path,ladder,role\nm.mpd#lo,z,\na.mov,z,master\n")
    plan = discover(str(tmp_path), mapping=str(tmp_path / "map.csv"))
    assert shape(plan) == {"m": ("manifest", None, ["m.mpd#hi"]), "z": ("mapping", "a.mov", ["m.mpd#lo"])}
    assert len(plan.ladders[1].renditions[0].video.parts) == 3


def test_reference_file_is_the_master_of_everything(tmp_path: Path) -> None:
    put(tmp_path, "e/t_1080p.mp4", "e/t_720p.mp4", "e/t_source.mov", "e/other.mp4", "m/grade.mov")
    plan = discover(str(tmp_path / "e"), reference=str(tmp_path / "m/grade.mov"))
    assert len(plan.ladders) == 1
    assert plan.ladders[0].master == VideoRef(str(tmp_path / "m/grade.mov"))
    assert len(plan.ladders[0].renditions) == 4  # what its name calls a source is an encode then
    inside = discover(str(tmp_path), reference=str(tmp_path / "e/t_source.mov"))
    assert len(all_paths(inside.ladders)) == 5


def test_reference_folder_matches_titles(tmp_path: Path) -> None:
    put(tmp_path, "e/a_1080p.mp4", "e/a_720p.mp4", "e/b.mp4", "e/c_720p.mp4", "m/A_master.mov", "m/b.mov", "m/zzz.mov")
    plan = discover(str(tmp_path / "e"), reference=str(tmp_path / "m"))
    masters = {ladder.name: None if ladder.master is None else ladder.master.name for ladder in plan.ladders}
    assert masters == {"a": "A_master.mov", "b": "b.mov", "c_720p": None}
    assert "--reference: nothing has the title of zzz.mov" in plan.notes  # below the folder that was named
    assert any("c_720p" in note for note in plan.notes)
    # Masters below the root that match nothing are videos like others.
    inside = discover(str(tmp_path), reference=str(tmp_path / "m"))
    assert sorted(all_paths(inside.ladders)) == sorted(str(p) for p in tmp_path.rglob("*.m*") if p.is_file())


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


class _Imagined:
    """Contents made up by a number for each file."""

    def __init__(self, contents: dict[str, int]) -> None:
        self.contents = contents

    def prepare(self, files: Iterable[tuple[VideoRef, int]]) -> None:
        list(files)

    def glance(self, ref: VideoRef) -> Glance:
        content = self.contents[ref.path]
        if content == 0:
            return Glance()
        size = sum(ref.path.encode()) % 3 + 1
        return Glance(160 * size, 90 * size, 10.0 + content // 3, 100.0 * size, "h264")

    def alike(self, one: VideoRef, others: Sequence[VideoRef]) -> list[Alike]:
        same = [self.contents[one.path] == self.contents[ref.path] for ref in others]
        return [Alike.SAME if yes else Alike.DIFFERENT for yes in same]


_WORDS = st.sampled_from(["a", "b", "1080p", "720", "500k", "high", "source", "ref", "x264", "sources", "encodes"])
_NAMES = st.builds(
    lambda folders, words, ending: "/".join([*folders, "_".join(words) + ending]),
    st.lists(_WORDS, max_size=2),
    st.lists(_WORDS, min_size=1, max_size=4),
    st.sampled_from([".mp4", ".mkv", ".png"]),
)


@given(st.dictionaries(_NAMES, st.integers(0, 6), max_size=14), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_grouping_is_a_partition_whatever_the_order(contents: dict[str, int], random: object) -> None:
    looks = _Imagined(contents)
    items = [Item(VideoRef(name), name, names.parse(name), 1, name.endswith(".png")) for name in contents]
    found, notes = group(items, looks)
    assert sorted(item.relative for each in found for item in each.items) == sorted(contents)
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again, more = group(shuffled, looks)
    assert again == found
    assert more == notes
    for each in found:
        assert each.master is None or each.master in each.items
        if each.by == "folder":  # never different contents
            assert len({contents[item.relative] for item in each.items}) == 1


def test_too_many_to_compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Reading thousands of headers for a plan is avoided, and said."""
    put(tmp_path, *(f"x{i}y.mp4" for i in range(12)))
    monkeypatch.setattr("yoto_video.pipeline.groups.FOLDER_LIMIT", 10)
    plan = discover(str(tmp_path))
    assert len(plan.ladders) == 12
    assert not plan.glances
    assert any("12 files" in note and "--mapping" in note for note in plan.notes)


def test_order_of_the_listing_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from yoto_video.pipeline import listing

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
    )  # fmt: skip
