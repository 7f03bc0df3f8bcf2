"""What was seen of objects is remembered between runs; a cache that is damaged or cannot be written does no harm."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from yoto_video.pipeline import listing, look_cache, touched
from yoto_video.pipeline.errors import TransientVideoError
from yoto_video.pipeline.glance import glance
from yoto_video.pipeline.look_cache import LOOKS, LookCache
from yoto_video.pipeline.looking import Looker
from yoto_video.pipeline.values import VideoRef

from . import s3
from .drifting import scene

FILM = VideoRef("s3://bucket/film.mp4")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3.Server]:
    (tmp_path / "bucket").mkdir()
    scene(tmp_path / "bucket" / "film.mp4", 1)
    (tmp_path / "bucket" / "text.mp4").write_text("not a video")
    for file in (tmp_path / "bucket").iterdir():
        os.utime(file, (time.time() - 1000,) * 2)
    with s3.serving(tmp_path, monkeypatch) as running:
        yield running


def cache(out: Path) -> LookCache:
    return LookCache(str(out)).over({entry.path: entry for entry in listing.walk("s3://bucket")})


def looked(looker: Looker) -> list[object]:
    shots = (looker.opening(FILM), *looker.moments(FILM, 3.0))
    assert None not in [None if shot is None else 1 for shot in shots]
    return [looker.glance(FILM, 9), looker.glance(VideoRef("s3://bucket/text.mp4"), 3), np.stack(shots).tolist()]  # type: ignore[arg-type]


def requests(server: s3.Server) -> list[str]:
    """What was asked for since this was last called, but for listings."""
    asked = [r for r in server.requests if "/bucket/" in f"/{r.split()[1]}/" and not r.startswith("GET bucket ")]
    server.requests.clear()
    return [r for r in asked if ".mp4" in r]


def saved(server: s3.Server, out: Path) -> list[object]:
    """The folder of results, with what was seen in it."""
    (out / ".cache").mkdir(parents=True)
    first = cache(out)
    seen = looked(first)
    assert first.save(out, "s3://bucket")
    assert requests(server)
    return seen


def test_a_second_look_asks_nothing(server: s3.Server, out_dir: Path) -> None:
    seen = saved(server, out_dir)
    again = cache(out_dir)
    assert looked(again) == seen == looked(Looker())
    requests(server)
    looked(again)
    assert not requests(server)
    assert not again.save(out_dir, "s3://bucket")


def test_what_changed_is_looked_at_again(server: s3.Server, out_dir: Path) -> None:
    saved(server, out_dir)
    scene(server.root / "bucket" / "film.mp4", 2, (96, 54))
    again = cache(out_dir)
    found = again.glance(FILM, 9)
    assert found is not None
    assert found.width == 96
    again.save(out_dir, "s3://bucket")  # changed within the clock's tick: it may change again and not show it
    requests(server)
    cache(out_dir).glance(FILM, 9)
    assert requests(server)


def test_what_is_gone_is_left_out(server: s3.Server, out_dir: Path) -> None:
    saved(server, out_dir)
    other = cache(out_dir)
    assert not other.save(out_dir, "s3://elsewhere")
    assert other.save(out_dir, "s3://bucket")  # nothing of it was asked for
    assert (out_dir / LOOKS).read_text() == ""


def test_a_damaged_cache_costs_only_time(server: s3.Server, out_dir: Path) -> None:
    seen = saved(server, out_dir)
    file = out_dir / LOOKS
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 4
    for told in ("x", [1], {}, 5, ["AAAA"], [None] * 5, ["a", "b", "c", "d", "e"], [[]]):
        file.write_text("".join(json.dumps([*line[:5], told]) + "\n" for line in lines))
        requests(server)
        assert looked(cache(out_dir))[2] == seen[2]
        assert requests(server)
    whole = "".join(json.dumps(line) + "\n" for line in lines).encode()
    rnd = random.Random(0)
    for _ in range(20):
        at = rnd.randrange(len(whole))
        file.write_bytes(whole[:at] + rnd.randbytes(3) + whole[at + rnd.randrange(500) :] + b"[" * 100_000 + b"\n[1,{}")
        cache(out_dir)
    file.unlink()
    file.mkdir()
    again = cache(out_dir)
    assert looked(again) == seen
    assert not again.save(out_dir, "s3://bucket")
    assert not again.save(out_dir / "none", "s3://bucket")
    assert looked(LookCache("s3://none/none").over({})) == seen


def test_what_may_pass_is_not_remembered(server: s3.Server, out_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise TransientVideoError(FILM.path, "storage did not answer; try again")

    first = cache(out_dir)
    with monkeypatch.context() as away:
        away.setattr(touched, "suspects", frozenset({FILM.path}))
        assert (first.glance(FILM, 9), first.opening(FILM), first.moments(FILM, 3.0)[0]) == (None, None, None)
    with monkeypatch.context() as away:
        away.setattr(look_cache, "header", fails)
        assert first.glance(FILM, 9) is None
    assert looked(first) == looked(Looker())


def test_headers_of_local_files_are_read_every_time_and_their_pictures_once(out_dir: Path, tmp_path: Path) -> None:
    (out_dir / ".cache").mkdir(parents=True)
    looker = LookCache(str(out_dir))
    ref = scene(tmp_path / "a.mp4", 1)
    os.utime(ref.path, (time.time() - 1000,) * 2)
    assert looker.glance(ref, 1) == glance(ref, 1)
    assert not looker.save(out_dir, str(tmp_path))
    seen = looker.moments(ref, 1.0)
    other = scene(tmp_path / "b.mp4", 2)
    os.utime(other.path, (time.time() - 1000,) * 2)
    assert looker.differ(ref, other) is True
    assert looker.save(out_dir, str(tmp_path))
    with pytest.MonkeyPatch.context() as away:
        away.setattr(look_cache.fingerprint, "moments", lambda *_: pytest.fail("looked at again"))
        away.setattr(look_cache.Looker, "differ", lambda *_: pytest.fail("looked at again"))
        again = LookCache(str(out_dir))
        assert np.array_equal(again.moments(ref, 1.0), seen)
        assert again.differ(ref, other) is True


def test_it_tells_of_looks_that_it_takes_alone(out_dir: Path, tmp_path: Path) -> None:
    (out_dir / ".cache").mkdir(parents=True)
    ref = scene(tmp_path / "a.mp4", 1)
    os.utime(ref.path, (time.time() - 1000,) * 2)
    told = list[int]()
    looker = LookCache(str(out_dir), told.append)
    looker.glance(ref, 1)
    looker.moments(ref, 1.0)
    looker.moments(ref, 1.0)
    assert told == [1, 2]
