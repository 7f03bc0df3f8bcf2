"""Storage: paths, walking, ranged reads of a real S3 protocol, files read as one, and names for content."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.pipeline import listing, storage
from yoto_video.pipeline.errors import BrokenVideo, SkippedVideo, TransientVideoError, UsageError
from yoto_video.pipeline.kept import Pieces
from yoto_video.pipeline.streams import Concatenated, Ranged
from yoto_video.pipeline.values import VideoRef

from . import s3


def test_canonical_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert storage.canonical("a/../b.mp4") == str(tmp_path / "b.mp4")
    assert storage.canonical("file:///x/a%20b.mp4") == "/x/a b.mp4"
    assert storage.canonical("s3://bucket/a b/") == "s3://bucket/a b"
    assert [storage.is_remote(path) for path in ("/x", "file:///x", "gs://b/x")] == [False, False, True]


@pytest.mark.parametrize(
    ("base", "relative", "joined"),
    [
        ("/a/b", "c/1.ts", "/a/b/c/1.ts"),
        ("/a/b", "../c.ts", "/a/c.ts"),
        ("/a/b", "/c.ts", "/c.ts"),
        ("s3://k/a/b", "../c d.ts", "s3://k/a/c d.ts"),
        ("s3://k/a", "s3://l/x.ts", "s3://l/x.ts"),
    ],
)
def test_join(base: str, relative: str, joined: str) -> None:
    assert storage.join(base, relative) == joined


def test_walk_is_sorted_and_leaves_out_what_it_says(tmp_path: Path) -> None:
    for name in ["b/2.mp4", "b/1.mp4", "a.mp4", ".hidden/x.mp4", "b/._1.mp4", "c d/é ü.mp4"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nothing")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "a.mp4")
    found = list(listing.walk(str(tmp_path)))
    assert [os.path.relpath(e.path, tmp_path) for e in found] == [
        "a.mp4", "b/1.mp4", "b/2.mp4", "c d/é ü.mp4", "link.mp4",
    ]  # fmt: skip
    assert {e.size for e in found} == {5}
    assert found[0].mtime_ns == (tmp_path / "a.mp4").stat().st_mtime_ns
    assert [e.path for e in listing.walk(f"file://{tmp_path}/a.mp4")] == [str(tmp_path / "a.mp4")]


def test_a_folder_that_links_lead_to_is_listed_once_where_it_lies_if_it_does(tmp_path: Path) -> None:
    for name in ["root/2026/deep/1.mp4", "away/2.mp4", "away/deep/3.mp4"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    root, away = tmp_path / "root", tmp_path / "away"
    for name, target in [("1st", root / "2026"), ("a", away / "deep"), ("b", away), ("c", away), ("d", away / "deep")]:
        (root / name).symlink_to(target)
    missed: dict[str, str] = {}
    found = [os.path.relpath(e.path, root) for e in listing.walk(str(root), missed.__setitem__)]
    assert found == ["2026/deep/1.mp4", "a/3.mp4", "b/2.mp4"]
    assert {os.path.relpath(path, root) for path in missed} == {"1st", "c", "d"}
    assert set(missed.values()) == {"is a link to a folder that is listed without it"}


def test_walk_of_nothing_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no-such-folder: no such file or folder"):
        list(listing.walk(str(tmp_path / "no-such-folder")))
    with pytest.raises(UsageError, match=r"ftp9://x/y: this storage cannot be opened: .*s3:// and gs:// work"):
        list(listing.walk("ftp9://x/y"))


def test_an_empty_path_is_not_the_folder_one_is_in() -> None:
    for use in (storage.canonical, lambda path: list(listing.walk(path))):
        with pytest.raises(UsageError, match="a path is empty"):
            use("")


def test_stat_and_open_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SkippedVideo, match="no such file"):
        storage.stat(str(tmp_path / "x.mp4"))
    with pytest.raises(SkippedVideo, match="a folder"):
        storage.stat(str(tmp_path))
    with pytest.raises(SkippedVideo, match="no such file"):
        storage.open_binary(str(tmp_path / "x.mp4"))
    with pytest.raises(SkippedVideo, match="a folder"):
        storage.open_binary(str(tmp_path))


@pytest.mark.parametrize("use", [storage.stat, storage.open_binary])
def test_a_place_that_cannot_be_reached_is_named_once_with_its_reason(
    use: Callable[[str], object], tmp_path: Path
) -> None:
    (tmp_path / "self.mp4").symlink_to("self.mp4")
    with pytest.raises(TransientVideoError) as caught:
        use(str(tmp_path / "self.mp4"))
    assert caught.value.reason.startswith("cannot be read (Too many levels of symbolic links); check ")
    with pytest.raises(TransientVideoError) as caught:
        use("http://x/y.mp4")
    assert caught.value.reason == (
        "this storage cannot be opened: not http:// but local paths, file://, s3:// and gs:// work"
    )
    if os.getuid() != 0:  # root may read everything
        (tmp_path / "secret.mp4").touch(mode=0)
        with pytest.raises(BrokenVideo, match="permission denied"):
            storage.open_binary(str(tmp_path / "secret.mp4"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.integers(0, 10**6))
def test_concatenated_reads_like_one_file(pieces: list[bytes], seed: int) -> None:
    names = [str(k) for k in range(len(pieces))]
    whole = b"".join(pieces)
    opener = dict(zip(names, pieces, strict=True))
    joined = io.BufferedReader(
        Concatenated(names, [len(p) for p in pieces], lambda name: io.BytesIO(opener[name])), buffer_size=8
    )
    assert joined.read() == whole
    rnd = random.Random(seed)
    for _ in range(10):
        at, count = rnd.randint(0, len(whole) + 2), rnd.randint(0, 30)
        joined.seek(at)
        assert joined.read(count) == whole[at : at + count]
    assert joined.seek(0, os.SEEK_END) == len(whole)


def test_a_part_that_shrank_is_transient() -> None:
    joined = Concatenated(["a"], [10], lambda name: io.BytesIO(b"123"))
    assert joined.read(8) == b"123"
    with pytest.raises(TransientVideoError, match="became shorter"):
        joined.read(8)


class _Native:
    """Stands for a pyarrow file and notes the ranges it was asked for."""

    def __init__(self, data: bytes) -> None:
        self._file, self.asked = io.BytesIO(data), list[tuple[int, int]]()

    def size(self) -> int:
        return len(self._file.getvalue())

    def seek(self, offset: int) -> int:
        return self._file.seek(offset)

    def read(self, count: int) -> bytes:
        self.asked.append((self._file.tell(), count))
        return self._file.read(count)

    def close(self) -> None:
        self._file.close()


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.integers(0, 10**6))
def test_ranged_reads_like_the_object(data: bytes, seed: int) -> None:
    native = _Native(data)
    file = io.BufferedReader(Ranged(native, block_size=16, blocks=3), 4)
    rnd = random.Random(seed)
    for _ in range(20):
        at, count = rnd.randint(0, len(data) + 5), rnd.randint(1, 50)
        file.seek(at)
        assert file.read(count) == data[at : at + count]
    assert all(at % 16 == 0 and count == 16 for at, count in native.asked)


def test_blocks_are_not_asked_for_twice() -> None:
    native = _Native(bytes(160))
    file = Ranged(native, block_size=16, blocks=10)
    for at in [0, 150, 5, 155, 3, 0]:  # a head and a tail, as demuxers jump
        file.seek(at)
        file.read(4)
    assert len(native.asked) == 2


def _asked(data: bytes, pieces: Pieces, version: int | None) -> int:
    """Bytes that another reader of the object asks for: from the middle to the end, then all."""
    native = _Native(data)
    file = Ranged(native, block_size=32, pieces=pieces, version=version)
    file.seek(40)
    assert file.readall() == data[40:]
    file.seek(0)
    assert file.readall() == data
    return sum(min(count, len(data) - at) for at, count in native.asked)


def test_readers_of_one_version_share_what_they_read() -> None:
    pieces, old, new = Pieces(), b"o" * 100, b"n" * 100
    asked = [_asked(*each) for each in ((old, pieces, 1), (old, pieces, 1), (new, pieces, 2), (new, pieces, None))]
    assert asked == [100, 0, 100, 100]


def test_what_is_kept_of_objects_is_bounded() -> None:
    pieces = Pieces(most=100)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda i: pieces.put(i % 3, i % 40, bytes(10)), range(3000)))
    assert sum(pieces.has(version, number) for version in range(3) for number in range(40)) == 10
    pieces.put("a", 1, bytes(45))
    pieces.put("a", 2, bytes(45))
    assert pieces.get("a", 1)
    pieces.put("a", 3, bytes(20))
    assert [pieces.has("a", number) for number in (1, 2, 3)] == [True, False, True]


def test_an_object_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its content's id, its header and its packets need bytes of it several times; what replaces it is read anew."""
    (tmp_path / "bucket").mkdir()
    file, ref = tmp_path / "bucket" / "x.bin", VideoRef("s3://bucket/x.bin")
    data = random.Random(1).randbytes(3_000_000)
    file.write_bytes(data)
    with s3.serving(tmp_path, monkeypatch) as server:
        first = storage.content_id(ref)
        assert server.sent <= 4 << 16
        for _ in range(3):
            with storage.open_binary(ref.path) as opened:
                assert opened.read() == data
        assert storage.content_id(ref) == first
        assert server.sent == len(data)
        with storage.open_binary(ref.path) as old:
            changed = data[::-1]
            aside = tmp_path / "aside"
            aside.write_bytes(changed)
            os.utime(aside, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))  # of the same size and second
            aside.replace(file)
            with storage.open_binary(ref.path) as opened:
                assert opened.read() == changed
            assert old.read() == data


def test_content_id_is_of_the_content(tmp_path: Path) -> None:
    a, b, c = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    a.write_bytes(b"x" * 100_000)
    b.write_bytes(b"x" * 100_000)
    c.write_bytes(b"x" * 50_000 + b"y" + b"x" * 49_999)
    of = {p: storage.content_id(VideoRef(str(p))) for p in (a, b, c)}
    assert of[a] == of[b] != of[c]
    os.utime(b, (1, 1))
    assert storage.content_id(VideoRef(str(b))) == of[a]
    ab, ba = VideoRef("m#1", (str(a), str(c))), VideoRef("m#1", (str(c), str(a)))
    assert len({storage.content_id(ab), storage.content_id(ba), of[a]}) == 3


def test_an_object_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bucket" / "a b"
    folder.mkdir(parents=True)
    data = random.Random(0).randbytes(3_000_000)
    (folder / "x.bin").write_bytes(data)
    (folder / "y.bin").write_bytes(b"yy")
    (tmp_path / "bucket" / "top.bin").write_bytes(b"t")
    with s3.serving(tmp_path, monkeypatch) as server:
        assert [(e.path, e.size) for e in listing.walk("s3://bucket")] == [
            ("s3://bucket/a b/x.bin", 3_000_000), ("s3://bucket/a b/y.bin", 2), ("s3://bucket/top.bin", 1),
        ]  # fmt: skip
        assert next(listing.walk("s3://bucket/a b/")).path == "s3://bucket/a b/x.bin"
        assert storage.size(VideoRef("m#1", ("s3://bucket/a b/x.bin", "s3://bucket/a b/y.bin"))) == 3_000_002
        server.sent = 0
        with storage.open_binary("s3://bucket/a b/x.bin") as file:
            assert file.seek(0, os.SEEK_END) == len(data)
            file.seek(1_500_000)
            assert file.read(1000) == data[1_500_000:1_501_000]
        assert 0 < server.sent <= storage.READ_SIZE
        with open_parts("s3://bucket/a b/y.bin", "s3://bucket/a b/x.bin") as joined:
            assert joined.read() == b"yy" + data
        server.sent = 0
        first = storage.content_id(VideoRef("s3://bucket/a b/x.bin"))
        assert server.sent < len(data)
        (folder / "x.bin").write_bytes(data[:-1] + b"?")
        assert storage.content_id(VideoRef("s3://bucket/a b/x.bin")) != first
        with pytest.raises(SkippedVideo, match="no such file"):
            storage.stat("s3://bucket/none.mp4")
        with pytest.raises(UsageError, match="no such object or folder"):
            list(listing.walk("s3://bucket/none"))


def open_parts(*paths: str) -> io.BufferedIOBase:
    opened = storage.open_ref(VideoRef("m#1", paths))
    assert isinstance(opened, io.BufferedIOBase)
    return opened


@pytest.mark.parametrize("flat", [False, True])
def test_a_listing_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flat: bool) -> None:
    """What was listed comes before the whole bucket was asked for; every key comes once, though requests fail."""
    count, folder = 40_000, 100_000 if flat else 500
    (tmp_path / "vod").mkdir()
    with s3.serving(tmp_path, monkeypatch) as server:
        keys = sorted(f"t{i // folder:05d}/{i:07d} é.ts" for i in range(count))
        server.made_up["vod"] = keys
        server.failing = 0.05
        entries = listing.walk("s3://vod")
        first = next(entries)
        assert len(server.requests) < (count // 1000 * 1.5 if flat else 20)
        found = [first.path, *(entry.path for entry in entries)]
    assert [path.removeprefix("s3://vod/") for path in found] == keys
    assert server.failed
