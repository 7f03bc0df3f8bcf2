"""The store as other programs read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from yoto_video.pipeline.runs import RunRow
from yoto_video.pipeline.store import Store

from .stored import both, failed, scored


def sql(query: str) -> list[tuple[Any, ...]]:
    return duckdb.connect().execute(query).fetchall()


READERS: dict[str, Callable[[Path], int]] = {
    "duckdb glob": lambda out: len(sql(f"SELECT pools.p5 FROM '{out}/clips/*.parquet'")),
    "duckdb folder": lambda out: len(sql(f"SELECT pools.p5 FROM read_parquet('{out}/clips')")),
    "polars folder": lambda out: pl.read_parquet(out / "clips").unnest("pools").height,
    "polars glob": lambda out: pl.read_parquet(f"{out}/clips/*.parquet").height,
    "pandas folder": lambda out: len(pd.read_parquet(out / "clips")),
    "pyarrow folder": lambda out: pq.read_table(out / "clips").num_rows,
}


@pytest.mark.parametrize("reader", READERS)
def test_other_readers_see_the_rows_and_no_leftovers(out_dir: Path, reader: str) -> None:
    with Store(out_dir) as store:
        store.commit("a", [*both("/v/1.mp4"), failed("/v/2.mp4")])
        store.commit("b", [failed("/v/3.mp4", "b")])  # a part whose pools are all null
        store.commit_run(RunRow("r", datetime.now(UTC), datetime.now(UTC), "scan", "0", seconds={"decode": 1.0}))
    (out_dir / ".tmp" / "clips-x.parquet").write_bytes(b"PAR1 half a fi")
    assert READERS[reader](out_dir) == 4


@pytest.mark.parametrize("data_set", ["clips", "frames", "runs"])
def test_duckdb_gives_whole_rows_with_their_times(out_dir: Path, data_set: str) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
        store.commit_run(RunRow("r", at, at, "scan", "0", seconds={"decode": 1.5}))
    rows = sql(f"SELECT * FROM '{out_dir}/{data_set}/*.parquet'")
    assert rows
    assert data_set != "runs" or at in rows[0]


def test_values_look_natural_to_other_readers(out_dir: Path) -> None:
    with Store(out_dir) as store:
        store.commit("a", both("/v/1.mp4"))
        store.commit_run(RunRow("r", datetime.now(UTC), datetime.now(UTC), "scan", "0", seconds={"decode": 1.5}))
    clip = scored("/v/1.mp4").clip
    rows = sql(
        f"SELECT score, pools.worst_second, ci95[1], len(findings) FROM '{out_dir}/clips/*.parquet' WHERE mode = 'nr'"
    )
    assert rows == [(clip.score, clip.pools["worst_second"], clip.ci95[0] if clip.ci95 else None, 0)]
    pooled = sql(
        f"SELECT c.score - avg(f.score) FROM '{out_dir}/clips/*.parquet' c JOIN '{out_dir}/frames/*.parquet' f "
        "USING (result_id, path, mode) GROUP BY c.path, c.mode, c.score"
    )
    assert [abs(row[0]) < 1e-9 for row in pooled] == [True, True]
    assert pd.read_parquet(out_dir / "clips")["pools"][0]["mean"] == pytest.approx(clip.score)
    assert "1.5" in str(sql(f"SELECT seconds['decode'] FROM '{out_dir}/runs/*.parquet'"))
    assert pl.read_parquet(out_dir / "runs").height == 1
