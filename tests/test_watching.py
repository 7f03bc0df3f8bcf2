"""Progress, status, logs and Ctrl-C: what a scan says while it runs, and what it leaves when it is stopped."""

from __future__ import annotations

import _thread
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.jobs import cli
from yoto_video.jobs.heartbeat import NAME, Heartbeat
from yoto_video.jobs.log import log_to
from yoto_video.jobs.progress import Progress, duration
from yoto_video.jobs.request import Request
from yoto_video.jobs.scan import make_plan, scan
from yoto_video.jobs.status import SILENT_S, lines, status
from yoto_video.pipeline.errors import UsageError, YotoVideoError
from yoto_video.pipeline.plan import describe
from yoto_video.pipeline.store import Store

from . import s3
from .fakes import FakeJudge
from .scanning import SETTINGS, rows, run


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_time_left_goes_by_work_and_not_by_files() -> None:
    clock = Clock()
    at = Progress(4, 100.0, clock)
    assert (at.rate, at.left_s, str(at)) == (None, None, "")
    clock.now += 60
    at.advance(1, 75.0)  # the long film
    assert (at.rate, at.left_s) == (1.0, pytest.approx(20.0))
    assert str(at) == "1.0 videos a minute, 20 s left"
    at.advance(9, 75.0)  # tried again: no more than all
    assert (at.done, at.left_s) == (4, 0.0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1000), st.floats(0, 1000)), max_size=20))
def test_progress_stays_within_bounds(steps: list[tuple[int, float, float]]) -> None:
    clock = Clock()
    at = Progress(10, 500.0, clock)
    for videos, work, seconds in steps:
        clock.now += seconds
        at.advance(videos, work)
        assert 0 <= at.done <= 10
        assert at.left_s is None or at.left_s >= 0
        assert "nan" not in str(at)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (99, "99 s"), (100, "2 min"), (5940, "99 min"), (7500, "2 h 05 min"), (200_000, "2 days 7 h")],
)
def test_durations_read_well(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_finished_scan_says_so(films: Path, out_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result, judge, _ = run(films, out_dir)
    said = status(str(out_dir))
    assert (said["state"], said["pid"]) == ("finished", os.getpid())
    assert (said["ok"], said["skipped"], said["failed"]) == (result.ok, result.skipped, result.failed)
    assert (said["done"], said["videos"], said["left_s"]) == (10, 10, 0)
    assert said["frames"] == judge.encoded
    assert len(said["failures"]) == 3
    assert cli.main(["status", str(out_dir), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "finished"
    assert cli.main(["status", str(out_dir)]) == 0
    shown = capsys.readouterr().out
    assert "10 of 10 videos, 100 %" in shown
    assert f"results     {result.ok} rows scored, {result.skipped} skipped, {result.failed} failed" in shown
    assert any(line == "rate        85.2 videos a minute" for line in lines(said | {"videos_a_minute": 85.19}))


def test_all_but_a_few_are_not_all(out_dir: Path) -> None:
    said = status(told(out_dir, stage="judging", videos=2000, done=1995))
    assert "judging     1,995 of 2,000 videos, 99 %" in lines(said)


def test_what_was_found_is_counted_as_the_plan_counts(films: Path, out_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    with log_to(str(file)):
        run(films, out_dir)
    planned = next(
        record for line in file.read_text().splitlines() if (record := json.loads(line))["event"] == "planned"
    )
    plan = make_plan(Request(str(films), str(out_dir)))
    assert f": {planned['message']}" in next(describe(plan))
    assert (planned["ladders"] + planned["alone"], planned["alone"] > 0) == (len(plan.ladders), True)


def test_failures_are_told_though_an_earlier_scan_met_them(films: Path, out_dir: Path) -> None:
    run(films, out_dir)
    first = status(str(out_dir))["failures"]
    assert len(first) == 3
    result, _, _ = run(films, out_dir)
    assert result.measured == 0
    again = status(str(out_dir))
    assert again["failed"] == len(first)
    assert sorted(again["failures"]) == sorted(first)


def test_another_process_sees_a_scan_that_runs(films: Path, out_dir: Path) -> None:
    seen: list[dict[str, Any]] = []
    code = "import json, sys; from yoto_video.jobs.status import status; print(json.dumps(status(sys.argv[1])))"

    class Watched(FakeJudge):
        def encode(self, frames: Any, turns: Any = None) -> Any:
            if not seen and self.encoded > 6:  # in the second ladder or later
                command = [sys.executable, "-c", code, str(out_dir)]
                asked = subprocess.run(command, capture_output=True, text=True, timeout=60)
                seen.append(json.loads(asked.stdout))
            return super().encode(frames)

    scan(Request(str(films), str(out_dir), SETTINGS, workers=0), load=lambda _: Watched())
    assert seen[0]["state"] == "running"
    assert (seen[0]["stage"], seen[0]["videos"]) == ("judging", 10)
    assert seen[0]["done"] < 10


def told(folder: Path, **changes: Any) -> str:
    """A folder whose scan says these things."""
    with Store(folder) as store:
        Heartbeat(store, "yoto-video scan x")._write()
    said = json.loads((folder / NAME).read_text()) | changes
    (folder / NAME).write_text(json.dumps(said))
    return str(folder)


def test_who_died_is_told_from_who_works(films: Path, out_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(films / "alone.mkv", out_dir)
    assert status(told(out_dir))["state"] == "running"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert status(told(out_dir, pid=gone.pid))["state"] == "died"
    assert status(told(out_dir, pid=gone.pid, host="elsewhere"))["state"] == "running"  # no way to see it from here
    long_ago = (datetime.now(UTC) - timedelta(seconds=SILENT_S + 5)).isoformat()
    said = status(told(out_dir, host="elsewhere", updated_at=long_ago))
    assert said["state"] == "died"
    assert next(lines(said)) == "not running: it ended without a word; the same command goes on"
    (out_dir / NAME).write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        status(str(out_dir))
    whole = {"updated_at": "2026-01-01T00:00:00+00:00", "videos": 5, "state": "running", "done": 1}
    for lacks in (["state"], ["done"], ["state", "done"], ["updated_at"]):
        (out_dir / NAME).write_text(json.dumps({name: value for name, value in whole.items() if name not in lacks}))
        assert cli.main(["status", str(out_dir)]) == 2
        assert "cannot be read; the next scan writes it anew" in capsys.readouterr().err
    for wrong in ({"done": "1"}, {"ok": "1"}, {"failures": 1}, {"state": 1}, {"left_s": "1"}):
        (out_dir / NAME).write_text(json.dumps(whole | wrong))
        with pytest.raises(UsageError, match="cannot be read"):
            status(str(out_dir))
    (out_dir / NAME).write_text(json.dumps(whole))
    assert cli.main(["status", str(out_dir)]) == 0
    (out_dir / NAME).unlink()
    with pytest.raises(UsageError, match="no scan has told"):
        status(str(out_dir))
    with pytest.raises(UsageError, match="no results of yoto-video here"):
        status(str(films))


def test_a_scan_that_fails_says_why(films: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise YotoVideoError("the disk is full")

    monkeypatch.setattr(Store, "commit_run", refuse)
    with pytest.raises(YotoVideoError):
        run(films / "alone.mkv", out_dir)
    said = status(str(out_dir))
    assert said["state"] == "failed"
    assert "the disk is full" in next(lines(said))


def test_the_log_has_a_line_for_each_ladder_and_each_failure(films: Path, out_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    with log_to(str(file)):
        result, *_ = run(films, out_dir)
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert all({"time", "level", "event", "message"} <= record.keys() for record in records)
    by_event: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_event.setdefault(record["event"], []).append(record)
    assert len({record["ladder"] for record in by_event["ladder"]}) == 6
    assert {"decode", "wait", "inference", "wall"} <= by_event["ladder"][0]["seconds"].keys()
    assert {Path(r["path"]).name for r in by_event["not_scored"]} == {"empty.mp4", "text.mp4", "cut.mkv"}
    assert by_event["ended"][0]["ok"] == result.ok
    assert {"decode", "wait", "inference", "store"} <= by_event["ended"][0]["seconds"].keys()
    assert logging.getLogger("yoto_video").level == logging.NOTSET
    with pytest.raises(UsageError, match="cannot be written"), log_to(str(tmp_path)):
        pass


def interrupting(times: int, after: int = 9) -> FakeJudge:
    """A judge during whose second ladder, or after so many frames, Ctrl-C is pressed."""

    class Interrupting(FakeJudge):
        left = times

        def encode(self, frames: Any, turns: Any = None) -> Any:
            if self.encoded > after:
                while self.left:
                    self.left -= 1
                    _thread.interrupt_main(signal.SIGINT)  # real signals: test_end_to_end, in a process of its own
                    time.sleep(0.3)  # two at once would count as one
            return super().encode(frames)

    return Interrupting()


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Listened to as in a terminal: a shell's background jobs are started deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_one_ctrl_c_finishes_what_is_in_hand(films: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(films, tmp_path / "undisturbed")
    out, judge = tmp_path / "out", interrupting(1)
    with pytest.raises(KeyboardInterrupt):
        scan(Request(str(films), str(out), SETTINGS, workers=0), load=lambda _: judge)
    assert "what is in hand is finished first" in capfd.readouterr().err
    said = status(str(out))
    assert said["state"] == "interrupted"
    assert 0 < said["done"] < 10
    kept = rows(out)
    assert said["done"] == len({row["path"] for row in kept})
    assert judge.encoded == sum(len(row["frame_rows"]) for row in kept if row["mode"] == "nr")  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    result, again, _ = run(films, out)
    assert rows(out) == rows(tmp_path / "undisturbed")
    assert result.up_to_date >= len(kept) - 3
    assert again.encoded > 0


@pytest.mark.usefixtures("ctrl_c")
def test_what_was_there_before_an_interrupted_scan_counts(films: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for after in (9, 0):
        judge = interrupting(1, after)
        with pytest.raises(KeyboardInterrupt):
            scan(Request(str(films), str(out), SETTINGS, workers=0), load=lambda _, judge=judge: judge)  # type: ignore[misc]
        said = status(str(out))
        assert said["ok"] + said["skipped"] + said["failed"] == len(rows(out))


@pytest.mark.usefixtures("ctrl_c")
def test_two_end_at_once(films: Path, tmp_path: Path) -> None:
    run(films, tmp_path / "undisturbed")
    out, judge = tmp_path / "out", interrupting(2)
    with pytest.raises(KeyboardInterrupt):
        scan(Request(str(films), str(out), SETTINGS, workers=0), load=lambda _: judge)
    assert status(str(out))["state"] == "interrupted"
    run(films, out)
    assert rows(out) == rows(tmp_path / "undisturbed")


def test_results_in_a_bucket_tell_it_there(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stores" / "bucket").mkdir(parents=True)
    with s3.serving(tmp_path / "stores", monkeypatch):
        with pytest.raises(UsageError, match="no results of yoto-video here"):
            status("s3://bucket/out")
        request = Request(str(films / "one"), "s3://bucket/out", SETTINGS, workers=0)
        result = scan(request, load=lambda _: FakeJudge())
        said = status("s3://bucket/out")
    assert (said["state"], said["ok"]) == ("finished", result.ok)
