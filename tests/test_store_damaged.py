"""The store after damage to its files: told, and measured again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from yoto_video.pipeline import ledger
from yoto_video.pipeline.errors import YotoVideoError
from yoto_video.pipeline.parts import UnreachablePartError, part_name
from yoto_video.pipeline.store import Store

from .stored import both, check_from_outside, failed, scored, told


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    """A bit of the data, far from the footer: only the page checksums can tell."""
    content = bytearray(path.read_bytes())
    content[40] ^= 0x10
    path.write_bytes(content)


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("damage", [truncate, empty, flip])
@pytest.mark.parametrize("data_set", ["clips", "frames"])
def test_a_damaged_part_is_told_and_measured_again(
    out_dir: Path, data_set: str, damage: Callable[[Path], None]
) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4")])
        store.commit("b", both("/v/3.mp4", "b"))
    part = out_dir / data_set / part_name("a")
    damage(part)
    looked = Store(out_dir, read_only=True)
    looked.frames("/v/1.mp4")
    assert len(looked.warnings) == 1
    assert looked.warnings[0].startswith(f"{part}: ")
    assert part.exists()
    with Store(out_dir) as store:
        if (data_set, damage) == ("frames", flip):  # found when the frames are needed, not before
            store.commit("a", [scored("/v/9.mp4")])
            assert told(store) >= {("/v/9.mp4", "nr", "a", "1"), ("/v/2.mp4", None, "a", "1")}
        assert [w.startswith(f"{part}: ") for w in store.warnings] == [True]
        assert "\n" not in store.warnings[0]
        assert not {"1-1-nr", "1-1-fr"} & set(store.known())
        assert {"3-1-nr", "3-1-fr"} <= set(store.known())
        check_from_outside(out_dir)
        assert pl.read_parquet(out_dir / "clips").height == len(store.clips())
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4")])
        assert {"1-1-nr", "1-1-fr", "2-1-none"} <= set(store.known())
    assert not Store(out_dir).warnings
    check_from_outside(out_dir)


def test_a_missing_frames_part_is_told(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4")])
    (out_dir / "frames" / part_name("a")).unlink()
    with Store(out_dir) as store:
        assert "is missing" in store.warnings[0]
        assert set(store.known()) == {"2-1-none"}


def test_lost_frame_rows_are_told(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), scored("/v/2.mp4")])
    part = out_dir / "frames" / part_name("a")
    pq.write_table(pq.read_table(part).slice(1), part)
    with Store(out_dir) as store:
        assert "lacks rows" in store.warnings[0]
        assert set(store.known()) == {"1-1-nr", "2-1-nr"}
    check_from_outside(out_dir)


def test_a_stranger_among_the_parts_is_left_alone(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
    stranger = out_dir / "clips" / "mine.parquet"
    pq.write_table(pa.table({"x": [1]}), stranger)
    with Store(out_dir) as store:
        assert store.warnings == [f"{stranger}: was not written by yoto-video; what it held is measured again"]
        assert len(store.clips()) == 2
    assert stranger.exists()


def test_copies_of_a_part_are_not_counted_twice(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4")])
    for data_set in ("clips", "frames"):
        shutil.copy(out_dir / data_set / part_name("a"), out_dir / data_set / "copy.parquet")
    assert len(Store(out_dir, read_only=True).clips()) == 3
    with Store(out_dir) as store:
        assert len(store.clips()) == 3
    check_from_outside(out_dir)


def test_rows_that_cannot_be_read_just_now_are_not_written_anew(out_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part holds many ladders: measuring one of them again would take the rows of all others with it."""
    with Store(out_dir) as store:
        for name in ("a", "b", "c"):
            store.commit(name, [scored(f"/v/{name}.mp4", ladder=name)])
        before = told(store)
    real = ledger.read_part

    def failing(path: Path, schema: pa.Schema) -> pa.Table:
        if path.parent.name == "clips":
            raise UnreachablePartError("cannot be read (Input/output error)")
        return real(path, schema)

    monkeypatch.setattr(ledger, "read_part", failing)
    with pytest.raises(YotoVideoError, match=r"clips/.*Input/output error\); run again to resume"):
        Store(out_dir)
    reader = Store(out_dir, read_only=True)  # a report of the rest can be made all the same
    assert any("Input/output error" in warning for warning in reader.warnings)
    monkeypatch.setattr(ledger, "read_part", real)
    with Store(out_dir) as store:
        assert told(store) == before
