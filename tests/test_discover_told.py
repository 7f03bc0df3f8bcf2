"""Ladders that somebody spells out: manifests, --mapping and --reference."""

from __future__ import annotations

from pathlib import Path

from yoto_video.pipeline.discover import describe, discover
from yoto_video.pipeline.values import VideoRef

from .folders import MPD, SEGMENTS, all_paths, clip, put, shape


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
