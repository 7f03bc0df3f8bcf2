"""Manifests: what HLS and DASH playlists of the field become, what is missing, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yoto_video.pipeline.dash import duration_s
from yoto_video.pipeline.manifests import Files, ManifestError, Reading, codec_name, is_audio_only, read
from yoto_video.pipeline.values import Declared


def _folder(root: Path, files: dict[str, str]) -> Files:
    """Write files (an empty text for media nobody opens here) and list them as a walk would."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Files(str(root), [str(path) for path in root.rglob("*") if path.is_file()])


def _read(root: Path, manifest: str, text: str, names: list[str]) -> Reading:
    files = _folder(root, {manifest: text} | dict.fromkeys(names, ""))
    return read(str(root / manifest), files)


def _parts(reading: Reading, root: Path) -> dict[str, list[str]]:
    """Files by rendition, relative, of the first stream."""
    found = reading.streams[0].renditions
    return {r.video.path.partition("#")[2]: [part.removeprefix(f"{root}/") for part in r.video.parts] for r in found}


MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",URI="audio/en.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=5000000,AVERAGE-BANDWIDTH=4500000,RESOLUTION=1920x1080,CODECS="avc1.640028,mp4a.40.2",AUDIO="a"
1080/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1500000,RESOLUTION=640x360,CODECS="hvc1.1.6.L93.B0"
360/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"
audio/only.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100000,URI="iframes.m3u8"
"""
TS = "#EXTM3U\n#EXTINF:4.0,\ns1.ts\n#EXTINF:4.0,\ns2.ts?token=1\n#EXTINF:1.5,\ns%203.ts\n#EXT-X-ENDLIST\n"
FMP4 = '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4.0,\n1.m4s\n#EXTINF:4.0,\n2.m4s\n#EXT-X-ENDLIST\n'


def test_hls_master_playlist(tmp_path: Path) -> None:
    files = _folder(
        tmp_path,
        {"v/master.m3u8": MASTER, "v/1080/index.m3u8": TS, "v/360/index.m3u8": FMP4, "v/audio/en.m3u8": FMP4}
        | dict.fromkeys(["v/1080/s1.ts", "v/1080/s2.ts", "v/1080/s 3.ts"], "")
        | dict.fromkeys(["v/360/init.mp4", "v/360/1.m4s", "v/360/2.m4s", "v/audio/init.mp4", "v/audio/1.m4s"], ""),
    )
    reading = read(str(tmp_path / "v/master.m3u8"), files)
    assert not reading.rejected
    assert _parts(reading, tmp_path) == {
        "1080/index.m3u8": ["v/1080/s1.ts", "v/1080/s2.ts", "v/1080/s 3.ts"],
        "360/index.m3u8": ["v/360/init.mp4", "v/360/1.m4s", "v/360/2.m4s"],
    }
    stream = reading.streams[0]
    assert stream.renditions[0].declared == Declared(1920, 1080, 4500.0, "h264", duration_s=9.5)
    assert stream.renditions[1].declared == Declared(640, 360, 1500.0, "hevc", duration_s=8.0)
    assert stream.duration_s == pytest.approx(9.5)
    assert str(tmp_path / "v/audio/init.mp4") in reading.used  # sound is not scored, and is no video of its own either


def test_hls_byte_ranges_and_whole_files(tmp_path: Path) -> None:
    master = (
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\na.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2000\nb.mp4\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=2000\nb.mp4\n"
    )
    ranges = (
        '#EXTM3U\n#EXT-X-MAP:URI="a.mp4",BYTERANGE="900@0"\n#EXT-X-BYTERANGE:10@900\n#EXTINF:1,\na.mp4\n'
        "#EXT-X-BYTERANGE:10@910\n#EXTINF:1,\na.mp4\n"
    )
    files = _folder(tmp_path, {"m.m3u8": master, "a.m3u8": ranges, "a.mp4": "", "b.mp4": ""})
    assert _parts(read(str(tmp_path / "m.m3u8"), files), tmp_path) == {"a.m3u8": ["a.mp4"], "b.mp4": ["b.mp4"]}


def test_hls_single_playlist(tmp_path: Path) -> None:
    reading = _read(tmp_path, "t_720p.m3u8", TS, ["s1.ts", "s2.ts", "s 3.ts"])
    assert reading.streams[0].is_playlist
    assert reading.streams[0].renditions[0].video.path == str(tmp_path / "t_720p.m3u8")
    assert len(reading.streams[0].renditions[0].video.parts) == 3


def test_hls_encrypted(tmp_path: Path) -> None:
    media = TS.replace("#EXTINF:4.0,\ns1", '#EXT-X-KEY:METHOD=AES-128,URI="key"\n#EXTINF:4.0,\ns1')
    files = _folder(
        tmp_path,
        {"m.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n", "v.m3u8": media, "s1.ts": "", "s2.ts": ""},
    )
    reading = read(str(tmp_path / "m.m3u8"), files)
    assert [error.path for error in reading.rejected] == [str(tmp_path / "m.m3u8#v.m3u8")]
    assert "AES-128" in reading.rejected[0].reason
    assert str(tmp_path / "s1.ts") in reading.used  # not listed as broken videos of their own


def _mpd(body: str, duration: str = "PT8S", head: str = "") -> str:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        f'mediaPresentationDuration="{duration}">{head}<Period>{body}</Period></MPD>'
    )


def _set(inside: str) -> str:
    return f'<AdaptationSet mimeType="video/mp4">{inside}</AdaptationSet>'


REPRESENTATION = '<Representation id="v1" bandwidth="300000" width="640" height="360" codecs="avc1.64001E"/>'


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            '<SegmentTemplate media="$RepresentationID$/$Number%05d$.m4s" initialization="$RepresentationID$/i.mp4" '
            'duration="2" startNumber="0"/>',
            ["v1/i.mp4", "v1/00000.m4s", "v1/00001.m4s", "v1/00002.m4s", "v1/00003.m4s"],
        ),
        (
            '<SegmentTemplate media="$Bandwidth$-$Time$.m4s" initialization="i.mp4" timescale="10"><SegmentTimeline>'
            '<S t="5" d="20" r="1"/><S d="30"/><S d="1" r="-1"/></SegmentTimeline></SegmentTemplate>',
            ["i.mp4", "300000-5.m4s", "300000-25.m4s", "300000-45.m4s", "300000-75.m4s", "300000-76.m4s"],
        ),
        (
            '<SegmentTemplate media="$Number$.m4s" initialization="i.mp4" timescale="10" startNumber="7">'
            '<SegmentTimeline><S t="0" d="20" r="2"/></SegmentTimeline></SegmentTemplate>',
            ["i.mp4", "7.m4s", "8.m4s", "9.m4s"],
        ),
        (
            '<SegmentList><Initialization sourceURL="i.mp4"/><SegmentURL media="a.m4s"/><SegmentURL media="b.m4s"/>'
            "</SegmentList>",
            ["i.mp4", "a.m4s", "b.m4s"],
        ),
        ('<SegmentTemplate media="$RepresentationID$.mp4" duration="8"/>', ["v1.mp4"]),
    ],
)
def test_dash_addresses(tmp_path: Path, template: str, expected: list[str]) -> None:
    reading = _read(tmp_path, "m.mpd", _mpd(_set(template + REPRESENTATION)), expected)
    # An open timeline goes on to the period's end; files that do not exist are missing, the others are all there.
    assert _parts(reading, tmp_path) == {"v1": expected}
    assert reading.streams[0].renditions[0].declared == Declared(640, 360, 300.0, "h264", duration_s=8.0)


def test_dash_base_urls_and_single_files(tmp_path: Path) -> None:
    body = _set(
        "<BaseURL>video/</BaseURL>"
        '<Representation id="hi" bandwidth="2"><BaseURL>hi.mp4</BaseURL><SegmentBase/></Representation>'
        '<Representation id="lo" bandwidth="1"><BaseURL>../lo%20res.mp4</BaseURL></Representation>'
    )
    reading = _read(
        tmp_path, "d/m.mpd", _mpd(body, head="<BaseURL>cdn/</BaseURL>"), ["d/cdn/video/hi.mp4", "d/cdn/lo res.mp4"]
    )
    assert _parts(reading, tmp_path) == {"hi": ["d/cdn/video/hi.mp4"], "lo": ["d/cdn/lo res.mp4"]}


def test_dash_live_manifest_takes_what_exists(tmp_path: Path) -> None:
    template = '<SegmentTemplate media="$RepresentationID$_$Number$.m4s" initialization="i.mp4" duration="2"/>'
    text = _mpd(_set(template + REPRESENTATION)).replace(' mediaPresentationDuration="PT8S"', "")
    reading = _read(tmp_path, "m.mpd", text, ["i.mp4", "v1_9.m4s", "v1_10.m4s", "v1_x.m4s", "v10_1.m4s"])
    assert _parts(reading, tmp_path) == {"v1": ["i.mp4", "v1_9.m4s", "v1_10.m4s"]}


def test_dash_only_pictures(tmp_path: Path) -> None:
    template = '<SegmentTemplate media="$RepresentationID$.m4s" duration="8"/>'
    body = "".join(
        [
            _set(template + REPRESENTATION),
            f'<AdaptationSet mimeType="audio/mp4">{template}<Representation id="a1" bandwidth="1"/></AdaptationSet>',
            f'<AdaptationSet contentType="image">{template}<Representation id="thumb" bandwidth="1"/></AdaptationSet>',
            '<AdaptationSet mimeType="video/mp4">'
            '<EssentialProperty schemeIdUri="http://dashif.org/guidelines/trickmode" '
            f'value="1"/>{template}<Representation id="trick" bandwidth="1"/></AdaptationSet>',
        ]
    )
    reading = _read(tmp_path, "m.mpd", _mpd(body), ["v1.m4s", "a1.m4s", "thumb.m4s", "trick.m4s"])
    assert _parts(reading, tmp_path) == {"v1": ["v1.m4s"]}
    assert {str(tmp_path / name) for name in ("a1.m4s", "thumb.m4s", "trick.m4s")} <= reading.used


def test_dash_periods_are_streams_of_their_own(tmp_path: Path) -> None:
    period = '<Period duration="PT4S">' + _set(
        '<SegmentTemplate media="{}-$Number$.m4s" duration="4"/>' + REPRESENTATION
    )
    text = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">'
        + "".join(period.format(i) + "</Period>" for i in (1, 2))
        + "</MPD>"
    )
    reading = _read(tmp_path, "m.mpd", text, ["1-1.m4s", "2-1.m4s"])
    assert [(s.period, s.duration_s) for s in reading.streams] == [(1, 4.0), (2, 4.0)]
    assert [s.renditions[0].video.path.partition("#")[2] for s in reading.streams] == ["v1", "v1@2"]


def test_missing_segments_are_said(tmp_path: Path) -> None:
    template = '<SegmentTemplate media="$Number$.m4s" initialization="i.mp4" duration="2"/>'
    text = _mpd(
        _set(template + REPRESENTATION + REPRESENTATION.replace("v1", "v2")).replace(
            "$Number", "$RepresentationID$-$Number"
        )
    )
    reading = _read(tmp_path, "m.mpd", text, ["v1-1.m4s", "v1-2.m4s", "v1-4.m4s"])
    video = reading.streams[0].renditions[0].video
    assert len(video.parts) == 3
    assert video.missing == ("2 of 5 files that its manifest lists are missing (i.mp4 first)",)
    assert len(reading.streams[0].renditions) == 1
    assert [error.path for error in reading.rejected] == [f"{tmp_path}/m.mpd#v2"]  # of which there is nothing


def test_a_header_of_all_segments_is_missing_once(tmp_path: Path) -> None:
    text = FMP4.replace("#EXT-X-ENDLIST", '#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4.0,\n3.m4s')
    video = _read(tmp_path, "film.m3u8", text, ["1.m4s", "2.m4s", "3.m4s"]).streams[0].renditions[0].video
    assert video.missing == ("1 of 4 files that its manifest lists are missing (init.mp4 first)",)


def test_an_adaptation_set_that_was_not_made_is_a_note(tmp_path: Path) -> None:
    sets = [
        _set(f'<SegmentTemplate media="{name}.m4s" duration="8"/>' + REPRESENTATION.replace("v1", name))
        for name in ("v1", "low_latency")
    ]
    reading = _read(tmp_path, "m.mpd", _mpd("".join(sets)), ["v1.m4s"])
    assert not reading.rejected
    assert reading.notes == [f"{tmp_path}/m.mpd: left out low_latency, of which no file exists"]


def test_an_adaptation_set_of_one_rung_that_is_gone_has_a_row(tmp_path: Path) -> None:
    sets = [
        _set(
            f'<SegmentTemplate media="v{n}.m4s" duration="8"/><Representation id="v{n}" bandwidth="{n}" height="{n}"/>'
        )
        for n in (360, 720, 1080)
    ]
    reading = _read(tmp_path, "m.mpd", _mpd("".join(sets)), ["v360.m4s", "v1080.m4s"])
    assert [error.path for error in reading.rejected] == [f"{tmp_path}/m.mpd#v720"]


def test_an_hls_variant_without_files_has_a_row(tmp_path: Path) -> None:
    text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2000\nhi.mp4\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nlo.m3u8\n"
    reading = _read(tmp_path, "m.m3u8", text, ["hi.mp4"])
    assert [error.path for error in reading.rejected] == [f"{tmp_path}/m.m3u8#lo.m3u8"]
    assert len(reading.streams[0].renditions) == 1


def test_a_last_segment_that_is_rounding_is_not_missing(tmp_path: Path) -> None:
    text = _mpd(_set('<SegmentTemplate media="$Number$.m4s" duration="2"/>' + REPRESENTATION), "PT8.04S")
    assert not _read(tmp_path, "m.mpd", text, ["1.m4s", "2.m4s", "3.m4s", "4.m4s"]).notes
    assert (
        len(
            _read(tmp_path / "b", "m.mpd", text, [f"{i}.m4s" for i in range(1, 6)]).streams[0].renditions[0].video.parts
        )
        == 5
    )


def test_nothing_exists(tmp_path: Path) -> None:
    reading = _read(
        tmp_path, "m.mpd", _mpd(_set('<SegmentTemplate media="$Number$.m4s" duration="2"/>' + REPRESENTATION)), []
    )
    assert not reading.streams
    assert "exists" in reading.rejected[0].reason


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("../../secret.mp4", "outside"),
        ("a/../../../secret.mp4", "outside"),
        ("%2e%2e/%2e%2e/secret.mp4", "outside"),
        ("/etc/passwd", "absolute"),
        ("file:///etc/passwd", "nothing is fetched"),
        ("https://example.com/v.mp4", "nothing is fetched"),
        ("//example.com/v.mp4", "nothing is fetched"),
        ("s3://bucket/v.mp4", "nothing is fetched"),
    ],
)
@pytest.mark.parametrize("kind", ["hls", "hls segment", "dash"])
def test_nothing_outside_the_root_is_read(tmp_path: Path, uri: str, why: str, kind: str) -> None:
    (tmp_path / "secret.mp4").write_text("x")
    root = tmp_path / "root"
    if kind == "dash":
        name, text = (
            "d/m.mpd",
            _mpd(_set(f'<Representation id="v" bandwidth="1"><BaseURL>{uri}</BaseURL></Representation>')),
        )
    elif kind == "hls":
        name, text = "d/m.m3u8", f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{uri}\n"
    else:
        name, text = "d/m.m3u8", f"#EXTM3U\n#EXTINF:1,\n{uri}\n"
    reading = _read(root, name, text, [])
    assert not reading.streams
    assert not any("secret" in path for path in reading.used)
    assert why in reading.rejected[0].reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.mpd", ""),
        ("m.mpd", "<MPD"),
        ("m.mpd", "<html/>"),
        ("m.mpd", "http://example.com/real.mpd"),
        ("m.mpd", '<!DOCTYPE x [<!ENTITY a "aaaa">]><MPD>&a;</MPD>'),
        ("m.mpd", _mpd(_set('<SegmentTemplate media="x" timescale="many"/>' + REPRESENTATION))),
        ("m.mpd", _mpd(_set('<SegmentTemplate media="$Number%0999999999d$.m4s" duration="2"/>' + REPRESENTATION))),
        ("m.mpd", _mpd(_set('<SegmentTemplate media="$Number$.m4s" duration="1"/>' + REPRESENTATION), "P9999D")),
        (
            "m.mpd",
            _mpd(_set('<SegmentTemplate media="$Time$"><SegmentTimeline><S d="1" r="99999999999"/></SegmentTimeline>'
                      "</SegmentTemplate>" + REPRESENTATION)),
        ),
        ("m.m3u8", ""),
        ("m.m3u8", "not a playlist"),
        ("m.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:RESOLUTION=axb\nv.m3u8\n"),
        ("m.m3u8", "#EXTM3U\n"),
    ],
)  # fmt: skip
def test_malformed_manifests_are_one_sentence(tmp_path: Path, name: str, text: str) -> None:
    reading = _read(tmp_path, name, text, [])
    assert not reading.streams
    assert len(reading.rejected) == 1
    assert "\n" not in reading.rejected[0].reason


def test_binary_and_huge_manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.mpd").write_bytes(b"\xff\xfe\x00\x01")
    assert "UTF-8" in read(str(tmp_path / "m.mpd"), Files(str(tmp_path), [])).rejected[0].reason
    monkeypatch.setattr("yoto_video.pipeline.manifests.MAX_BYTES", 2)
    assert "longer" in read(str(tmp_path / "m.mpd"), Files(str(tmp_path), [])).rejected[0].reason


@given(st.text(max_size=300), st.sampled_from(["m.mpd", "m.m3u8"]), st.sampled_from(["", "#EXTM3U\n", "<MPD>"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gives_a_reading(tmp_path: Path, text: str, name: str, head: str) -> None:
    (tmp_path / name).write_text(head + text, encoding="utf-8")
    assert isinstance(read(str(tmp_path / name), Files(str(tmp_path), [])), Reading)


@given(st.text(max_size=40))
def test_find_gives_nothing_but_what_was_walked(uri: str) -> None:
    files = Files("/data/root", ["/data/root/a/x.ts", "/data/root/b.mp4"])
    try:
        found = files.find("/data/root/a", uri)
    except ManifestError:
        return
    assert found in (None, "/data/root/a/x.ts", "/data/root/b.mp4")


def test_files_on_an_object_store() -> None:
    files = Files("s3://bucket/root", ["s3://bucket/root/a/x.ts", "s3://bucket/root/b.mp4", "s3://bucket/other.mp4"])
    assert files.find("s3://bucket/root/a", "../b.mp4") == "s3://bucket/root/b.mp4"
    with pytest.raises(ManifestError, match="outside"):
        files.find("s3://bucket/root/a", "../../other.mp4")


def test_durations_and_codecs() -> None:
    assert duration_s("PT1H2M3.5S") == 3723.5
    assert duration_s("P1DT1S") == 86401
    assert duration_s("PT0H0M8.000S") == 8
    assert duration_s(None) is None
    assert duration_s("8 seconds") is None
    assert codec_name("mp4a.40.2,av01.0.08M.08") == "av1"
    assert codec_name("mp4a.40.2") is None
    assert is_audio_only("mp4a.40.2")
    assert not is_audio_only("mp4a.40.2,avc1.4d")
    assert not is_audio_only(None)


def test_real_manifest(data_dir: Path) -> None:
    root = data_dir / "clips/manifests"
    files = Files(str(root), [str(path) for path in root.rglob("*") if path.is_file()])
    reading = read(str(root / "dash_low_delay/Manifest.mpd"), files)
    assert [(r.declared.width, r.declared.height) for r in reading.streams[0].renditions] == [
        (1920, 1080), (1280, 720), (640, 360)
    ]  # fmt: skip
    assert all(len(r.video.parts) == 5 for r in reading.streams[0].renditions)
    assert reading.streams[0].duration_s == 8.0
