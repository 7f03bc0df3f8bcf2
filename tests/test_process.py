"""How many threads a process of ours may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from yoto_video.jobs.process import cores


@pytest.mark.parametrize(
    ("quota", "period", "expected"),
    [("100000", "100000", 1), ("150000", "100000", 2), ("20000", "100000", 1), ("6400000", "100000", 8), ("-1", "9", 8),
     ("max", "100000", 8), ("100000", "0", 8)],
)  # fmt: skip
@pytest.mark.parametrize("new", [True, False])
def test_a_containers_quota_counts(
    quota: str, period: str, expected: int, new: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert cores(tmp_path) == 8
    if new:
        (tmp_path / "cpu.max").write_text(f"{quota} {period}\n")
    else:
        (tmp_path / "cpu").mkdir()
        (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        (tmp_path / "cpu" / "cpu.cfs_period_us").write_text(f"{period}\n")
    assert cores(tmp_path) == expected
