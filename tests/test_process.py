"""How many threads a process of ours may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from yoto_video.jobs.process import THREADS, cores, tune


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


@pytest.mark.parametrize(
    ("given", "then", "said"),
    [
        (None, "3", None), ("", "3", None), (" ", "3", None), ("2", "2", None), ("2,1", "2,1", None),
        (" 16 ", " 16 ", None),
        ("99999999999", "3", "is no number"), ("1.5", "3", "=1.5 is no"), ("-1", "3", "=-1 is no"),
        ("0", "3", "OMP_NUM_THREADS=0 is no number of threads; 3 taken"), ("abc", "3", "=abc is no"),
    ],
)  # fmt: skip
def test_threads_are_as_many_as_asked_for_or_as_there_are_cores(
    given: str | None, then: str, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yoto_video.jobs.process.cores", lambda: 3)
    monkeypatch.setattr("yoto_video.jobs.process.ctypes.CDLL", lambda _: None)  # this process keeps its memory's ways
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setenv(THREADS, given or "")
    if given is None:
        monkeypatch.delenv(THREADS)
    found = tune()
    assert os.environ[THREADS] == then
    assert found is None if said is None else said in (found or "")
