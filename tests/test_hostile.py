"""Files and names that somebody made to do harm: no way out of the folder, no crash, no hang, nothing injected."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yoto_video.jobs.cli import main
from yoto_video.jobs.export import file_name
from yoto_video.pipeline import dash, hls, listing, mapping, names
from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.errors import UsageError, VideoError
from yoto_video.pipeline.manifests import Files, ManifestError, Reading, read
from yoto_video.pipeline.parts import part_name
from yoto_video.pipeline.probe import probe
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import VideoRef
from yoto_video.reports.pages import page_name

from . import s3
from .clips import make

ROOT = "/data/root"
INSIDE = [f"{ROOT}/v/{name}" for name in ("init.mp4", "1.m4s", "2.m4s", "media.m3u8", "all.m3u8", "m.mpd", "a b%20.ts")]
OUTSIDE = "/data/other/secret.mp4"

addresses = st.one_of(
    st.sampled_from([
        "1.m4s", "2.m4s", "init.mp4", "./1.m4s", "../v/1.m4s", "media.m3u8", "all.m3u8", "a b%20.ts", "a%20b%2520.ts",
        "../../other/secret.mp4", "..%2f..%2fother/secret.mp4", "%2e%2e/%2e%2e/other/secret.mp4", OUTSIDE,
        f"file://{OUTSIDE}", f"FILE:{OUTSIDE}", "http://169.254.169.254/latest/meta-data", "//localhost/x", "http://[",
        "s3://bucket/key", "gs://bucket/key", "concat:/etc/passwd|1.m4s", "subfile,,start,0,end,9,,:/etc/passwd",
        "data:video/mp4;base64,AAAA", "\\\\host\\share", "C:\\x", "\x00", "1.m4s\x00.ts", "#", "?", "", "$Number$",
        "$RepresentationID$/../../../other/secret.mp4", "seg-$Number%09d$.m4s", "$Time%0999999999d$",
    ]),
    st.text(max_size=30),
)  # fmt: skip
numbers = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(["0", "1", "-1", "1e999", "nan", "", "PT4S", "PT0S", "P1Y", "-PT4S", "4/0", "25", "10x"]),
)
quoted = st.text(max_size=20)

tags = st.one_of(
    st.builds("#EXTINF:{},\n{}".format, numbers, addresses),
    st.builds('#EXT-X-STREAM-INF:BANDWIDTH={},RESOLUTION={}x{},CODECS="{}"\n{}'.format, numbers, numbers, numbers,
              quoted, addresses),
    st.builds("#EXT-X-MAP:URI=\"{}\",BYTERANGE=\"{}\"".format, addresses, numbers),
    st.builds("#EXT-X-KEY:METHOD={},URI=\"{}\"".format, st.sampled_from(["NONE", "AES-128", "X", ""]), addresses),
    st.builds('#EXT-X-MEDIA:TYPE={},GROUP-ID="a",URI="{}"'.format, st.sampled_from(["AUDIO", "VIDEO"]), addresses),
    st.builds("#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={},URI=\"{}\"".format, numbers, addresses),
    st.builds("#EXT-X-BYTERANGE:{}@{}".format, numbers, numbers),
    st.builds("#EXT-X-TARGETDURATION:{}".format, numbers),
    st.builds("#EXT-X-PART:DURATION={},URI=\"{}\"".format, numbers, addresses),
    st.builds("#EXT-X-PROGRAM-DATE-TIME:{}".format, quoted),
    st.builds("#EXT-X-DATERANGE:ID=\"{}\",START-DATE=\"{}\"".format, quoted, numbers),
    st.builds("#EXT{}:{}".format, quoted, quoted),
    st.sampled_from(["#EXT-X-ENDLIST", "#EXT-X-DISCONTINUITY", "#EXT-X-GAP", "\r", "\x85", "\u2028"]),
)  # fmt: skip
playlists = st.lists(tags, max_size=8).map(lambda lines: "\n".join(["#EXTM3U", *lines]))


def attributes(*named: str) -> st.SearchStrategy[str]:
    one = st.builds('{}="{}"'.format, st.sampled_from(named), (numbers | addresses).map(_escaped))
    return st.lists(one, max_size=5, unique_by=lambda text: text.partition("=")[0]).map(" ".join)


def _escaped(text: str) -> str:
    kept = re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd]", "", text)
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


timelines = st.lists(attributes("t", "d", "r").map("<S {}/>".format), max_size=3).map("".join)
segments = st.one_of(
    st.builds("<BaseURL>{}</BaseURL>".format, addresses.map(_escaped)),
    st.builds("<SegmentTemplate {}><SegmentTimeline>{}</SegmentTimeline></SegmentTemplate>".format,
              attributes("media", "initialization", "timescale", "duration", "startNumber", "endNumber"), timelines),
    attributes("media", "initialization", "timescale", "duration", "startNumber").map("<SegmentTemplate {}/>".format),
    st.builds("<SegmentList {}><SegmentURL {}/></SegmentList>".format, attributes("duration"), attributes("media")),
)  # fmt: skip
representations = st.builds(
    "<Representation {}>{}</Representation>".format,
    attributes("id", "bandwidth", "width", "height", "frameRate", "codecs", "mimeType"), segments,
)  # fmt: skip
sets = st.builds(
    "<AdaptationSet {}>{}{}</AdaptationSet>".format, attributes("contentType", "mimeType", "codecs", "width"), segments,
    st.lists(representations, max_size=2).map("".join),
)  # fmt: skip
mpds = st.builds(
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {}>{}</MPD>'.format, attributes("mediaPresentationDuration", "type"),
    st.lists(st.builds("<Period {}>{}</Period>".format, attributes("start", "duration", "id"), sets), max_size=2)
    .map("".join),
)  # fmt: skip


def check(reading: Reading) -> None:
    """Nothing but what lies in the folder; reasons are one sentence."""
    for stream in reading.streams:
        for rendition in stream.renditions:
            assert set(rendition.video.parts) <= set(INSIDE)
    assert reading.used <= set(INSIDE)
    assert all("\n" not in error.reason for error in reading.rejected)


SOME = settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.too_slow])


@SOME
@given(playlists, playlists)
def test_playlists_lead_nowhere_else(outer: str, inner: str) -> None:
    with pytest.MonkeyPatch.context() as patched:  # every playlist in a playlist is `inner`, itself included
        patched.setattr(hls, "read_text", lambda path: inner)
        try:
            check(hls.read(f"{ROOT}/v/all.m3u8", outer, Files(ROOT, INSIDE)))
        except (ManifestError, VideoError):
            return  # said in one row


@SOME
@given(mpds)
def test_dash_manifests_lead_nowhere_else(text: str) -> None:
    try:
        check(dash.read(f"{ROOT}/v/m.mpd", text, Files(ROOT, INSIDE)))
    except (ManifestError, VideoError):
        return  # said in one row


def test_a_playlist_that_lists_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "a.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n")
    (tmp_path / "b.m3u8").write_text("#EXTM3U\n#EXTINF:4,\nb.m3u8\n")
    files = Files(str(tmp_path), [str(tmp_path / name) for name in ("a.m3u8", "b.m3u8")])
    assert "again a playlist of variants" in read(str(tmp_path / "a.m3u8"), files).rejected[0].reason
    assert read(str(tmp_path / "b.m3u8"), files).streams[0].renditions[0].video.parts == (str(tmp_path / "b.m3u8"),)


LISTS = {
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{}\n#EXT-X-ENDLIST\n",
    "b.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:{}\n#EXT-X-ENDLIST\n",
    "c.ts": "ffconcat version 1.0\nfile '{}'\n",
    "d.mp4": "ffconcat version 1.0\nfile '{}'\n",
    "%05d.mp4": "{}",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_among_the_segments_is_not_followed(tmp_path: Path, name: str) -> None:
    """FFmpeg reads lists too, and opens what they name: none is begun. The secret is a pipe: it tells of readers."""
    (tmp_path / "in").mkdir()
    secret, file = tmp_path / "secret.ts", tmp_path / "in" / name
    os.mkfifo(secret)
    file.write_text(LISTS[name].format(secret))
    over, seen = threading.Event(), []

    def watch() -> None:
        while not over.wait(0.005):
            try:
                os.close(os.open(secret, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:
                continue
            seen.append(1)
            return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with pytest.raises(VideoError):
            probe(VideoRef(f"{tmp_path}/in/master.m3u8#1", (str(file),)), timeout_s=3)
    finally:
        over.set()
        watcher.join()
    assert not seen


@given(st.text(min_size=1, max_size=80) | st.text(min_size=60, max_size=255))
def test_names_stay_names(text: str) -> None:
    """Of tables and pages: one component of ordinary characters; of exports: one component."""
    for made in (part_name(text), page_name(text)):
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,90}\.(parquet|html)", made)
    one = file_name(text)
    assert len(text) > 60 or file_name(text, {one}) != one  # a longer one has its digest anyway
    assert len(f".{one}.json.tmp".encode()) <= 255
    assert one == os.path.basename(one)
    assert one not in ("", ".", "..")
    assert not set(one) & set('<>:"/\\|?*\0')
    names.parse(text)


@SOME
@given(st.text(max_size=200), st.sampled_from([".csv", ".json"]), st.sampled_from(["", "path,ladder,role\n", "[{"]))
def test_mappings_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str, end: str, head: str) -> None:
    file = tmp_path_factory.getbasetemp() / f"mapping{end}"
    file.write_text(head + text, encoding="utf-8", errors="replace")
    try:
        rows = mapping.read(str(file), ROOT, INSIDE, lambda path: False)
    except UsageError:
        return
    assert {row.path for row in rows} <= set(INSIDE)


KEYS = ["../x.mp4", "./x.mp4", "//x.mp4", "a//x.mp4", "a/../../x.mp4", "a/./x.mp4", "a\nb.mp4", "a\x1b[2J.mp4", "x.mp4",
        "<script>.mp4", "a/x.mp4", "é/ü.mp4", "a b/?x#y.mp4", "a%2fb.mp4", "/etc/x.mp4", "a/b/../c.mp4"]  # fmt: skip


def test_keys_of_a_bucket_stay_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hostile").mkdir()
    with s3.serving(tmp_path, monkeypatch) as server:
        server.made_up["hostile"] = sorted(KEYS)
        found = [entry.path for entry in listing.walk("s3://hostile")]
        assert all(path.startswith("s3://hostile/") for path in found)
        assert {"s3://hostile/x.mp4", "s3://hostile/a b/?x#y.mp4", "s3://hostile/a%2fb.mp4"} <= set(found)
        assert len(server.requests) < 100
        assert not any("/etc/" in path or ".." in path for path in found)
        plan = discover("s3://hostile")
        assert {v.path for ladder in plan.ladders for v in ladder.videos} <= set(found)


def test_names_do_not_steer_a_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    make(folder / "a.mp4", size=(64, 48), frames=6).rename(folder / "evil\x1b[2J\x1b]0;owned\x07\r.mp4")
    (folder / "b\x1b[31m\u202e.mp4").write_text("no video")
    words = ["--crops", "1", "--min-frames", "2", "--worst-frames", "0", "--workers", "0"]
    assert main(["scan", str(folder), "--out", str(tmp_path / "out"), *words, "--fail-under", "100"]) == 3
    assert main(["scan", str(folder / "no\x1b[2Jne"), "--out", str(tmp_path / "out")]) == 2
    assert main(["lint", str(tmp_path / "out")]) == 4
    told = "".join(capfd.readouterr())
    assert "evil" in told
    assert not set(told) & set("\x1b\x07\r\u202e")


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="this system's file names are UTF-8")
def test_a_name_that_is_no_utf8_is_judged_like_any_other(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / os.fsdecode(b"ca\xe9"), tmp_path / "out"
    folder.mkdir()
    plain = make(tmp_path / "a.mp4", size=(64, 48), frames=6)
    for name in (b"b\xff_master.mp4", b"b\xff_48p.mp4", b"caf\xe9.mp4"):
        (folder / os.fsdecode(name)).write_bytes(plain.read_bytes())
    (folder / os.fsdecode(b"no\xe9video.mp4")).write_text("no video")
    quick = ["--crops", "1", "--min-frames", "2", "--worst-frames", "0"]
    words = ["scan", str(folder), "--out", str(out), "--workers", "0", *quick]
    for said in (", 0 were up to date", "0 results measured"):
        assert main(words) == 4
        told = "".join(capfd.readouterr())
        assert said in told
        assert "caf\\udce9.mp4" in told
        with Store(out, read_only=True) as store:
            rows = {(Path(row.path).name, row.mode): row.status for row in store.clips()}
        assert rows["caf\\udce9.mp4", "nr"] == rows["b\\udcff_48p.mp4", "fr"] == "ok"
        assert rows["no\\udce9video.mp4", None] != "ok"
    assert "caf\\udce9" in (out / "report" / "index.html").read_text()
    assert main([*words, "--budget", "1000frames", "--no-resume"]) == 4
    assert main(["score", str(folder / os.fsdecode(b"caf\xe9.mp4")), *quick[:4]]) == 0
    assert main(["scan", str(folder), "--out", str(folder / "out")]) == 2
    assert "rename the folder" in capfd.readouterr().err


def test_damaged_media_have_their_rows(project_root: Path, data_dir: Path) -> None:
    """A sample of benchmarks/fuzz_media.py."""
    done = subprocess.run(
        [sys.executable, str(project_root / "benchmarks" / "fuzz_media.py"), "--files", "24", "--seed", "7"],
        capture_output=True, text=True, timeout=280, check=False, env=os.environ | {"YOTO_DATA": str(data_dir)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "24 files with a row, 0 faults" in done.stdout
