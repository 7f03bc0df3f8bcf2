"""Where a scan works: in this process or in Ray workers, and what it does when that hangs, dies or is not there."""

from __future__ import annotations

import ctypes
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from yoto_video.jobs import scan as scans
from yoto_video.jobs.options import make_settings
from yoto_video.jobs.request import Request
from yoto_video.jobs.scan import how_many_workers, scan
from yoto_video.jobs.work import Done, Lost, Station, Task
from yoto_video.pipeline import measure
from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.errors import UsageError, YotoVideoError
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

from .clips import make
from .fakes import FakeJudge, load_elsewhere
from .scanning import SETTINGS, Said, rows, run


def test_a_decoder_that_hangs_is_given_up_and_costs_one_row(
    films: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a decoder's C code does: no Python runs, no exception gets in."""
    import threading

    real, gate = measure.measure_ladder, threading.Event()

    def hangs(ladder: Ladder, *args: Any, **kwargs: Any) -> Any:
        if any(v.path.endswith("film_48p_50k.mp4") for v in ladder.videos):
            gate.wait()
        return real(ladder, *args, **kwargs)

    monkeypatch.setattr("yoto_video.jobs.work.measure_ladder", hangs)
    monkeypatch.setattr("yoto_video.jobs.work.GRACE_S", 0.5)
    settings = make_settings(**(asdict(SETTINGS) | {"decode_timeout_s": 1.5}))
    began = time.monotonic()
    result, *_ = run(films / "one", out_dir, settings)
    assert time.monotonic() - began < 60
    gate.set()
    status = {Path(c.path).name: c.status for c in result.clips}
    assert status == {"film_master.mp4": "ok", "film_96p_100k.mp4": "ok", "film_48p_50k.mp4": "failed"}
    (lost,) = [c for c in result.clips if c.status == "failed"]
    assert "nothing moved for 2 s" in (lost.reason or "")
    assert {c.mode for c in result.clips if c.path.endswith("96p_100k.mp4")} == {"nr", "fr"}


def test_slow_work_is_not_given_up(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than the time-out in all, but something moves all the while."""

    class Slow(FakeJudge):
        def encode(self, frames: Any, turns: Any = None) -> list[Any]:
            for _ in range(30):
                time.sleep(0.05)
            return super().encode(frames)

    monkeypatch.setattr("yoto_video.jobs.work.GRACE_S", 0.1)
    settings = make_settings(**(asdict(SETTINGS) | {"decode_timeout_s": 1.4}))
    video = VideoRef(str(films / "alone.mkv"))
    monkeypatch.setattr(measure, "FRAMES_A_CALL", 1)
    outcome = Station(settings, Slow()).measure(Task(Ladder("alone", (Rendition(video),))))
    assert isinstance(outcome, Done)
    assert outcome.result.results[0].clip.status == "ok"


def test_one_ladder_and_short_clips_need_no_ray(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "cores", lambda: 8)
    plan = discover(str(films))
    tasks = [Task(ladder) for ladder in plan.ladders]

    def workers(tasks: list[Task], **options: Any) -> int | None:
        return how_many_workers(Request(str(films), "out", **options), plan, tasks)

    assert workers(tasks[:1]) == 0
    assert workers(tasks) == 0
    monkeypatch.setattr(scans, "SMALL_S", 0.5)
    assert workers(tasks) == len(tasks)
    monkeypatch.setattr(scans, "memory", lambda: 4 << 30)
    assert workers(tasks) == 2
    assert workers(tasks, workers=0) == 0
    assert workers(tasks, workers=3) == 3
    assert workers(tasks[:1], address="auto") is None


@pytest.fixture
def ray_tidied() -> Iterator[None]:
    """Whatever a test leaves behind of Ray goes."""
    yield
    import ray

    ray.shutdown()


@pytest.mark.usefixtures("ray_tidied")
def test_workers_give_the_same_rows_and_survive_poisonous_files(
    library: Path, out_dir: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real Ray workers; one file's pixels make the judge kill its process, as a crash in a decoder would.

    Another's make it stand still with the interpreter's lock held, so that nothing else in its process runs.
    """
    from .clips import flat

    make(library / "two" / "film_72p_70k.mp4", size=(96, 72), frames=12, picture=flat(255, 0, 255))
    make(library / "stuck.mkv", size=(96, 72), frames=12, picture=flat(0, 255, 0))
    monkeypatch.setattr("yoto_video.jobs.workers.STUCK_S", 0.0)
    limited = make_settings(**(asdict(SETTINGS) | {"time_limit_s": 25.0}))

    def harm(frames: Any) -> None:
        for frame in frames:
            red, green, blue = frame.reshape(-1, 3).mean(axis=0)
            if red > 200 and blue > 200 and green < 60:
                os._exit(9)
            if green > 200 and red < 60 and blue < 60:
                ctypes.PyDLL(None).sleep(1000)  # unlike CDLL, this keeps the lock

    said = Said()
    result = scan(Request(str(library), str(out_dir), limited, workers=2), said, load=load_elsewhere(harm))
    lost = {Path(c.path).name: str(c.reason) for c in result.clips if c.retryable}
    assert lost.keys() == {"film_72p_70k.mp4", "stuck.mkv"}
    assert "died" in lost["film_72p_70k.mp4"]
    assert "no longer answered" in lost["stuck.mkv"]
    assert any("starting 2 workers" in sentence for sentence in said.sentences)
    assert capfd.readouterr() == ("", "")  # Ray keeps its chatter, also about a dead worker, to itself

    (library / "two" / "film_72p_70k.mp4").unlink()
    (library / "stuck.mkv").unlink()
    run(library, out_dir.parent / "here")
    plain = [{k: v for k, v in r.items() if k != "moments"} for r in rows(out_dir.parent / "here")]
    with_workers = [{k: v for k, v in r.items() if k != "moments"} for r in rows(out_dir)]
    with_workers = [r for r in with_workers if not str(r["path"]).endswith(("72p_70k.mp4", "stuck.mkv"))]
    assert json.dumps(with_workers, default=str) == json.dumps(plain, default=str)


def test_workers_that_cannot_load_the_network_end_the_scan_with_a_sentence(films: Path, out_dir: Path) -> None:
    def load(_: Settings) -> Any:
        raise YotoVideoError("weights.safetensors: not a readable safetensors file")

    with pytest.raises(YotoVideoError, match="not a readable"):
        scan(Request(str(films), str(out_dir), SETTINGS, workers=0), load=load)


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [("somewhere", UsageError, "HOST:PORT"), ("127.0.0.1:1", YotoVideoError, "no Ray cluster answers at 127.0.0.1:1")],
)
def test_a_cluster_that_is_not_there_is_said_at_once(
    films: Path, out_dir: Path, address: str, error: type[Exception], said: str
) -> None:
    began = time.monotonic()
    with pytest.raises(error, match=said):
        run(films / "alone.mkv", out_dir, workers=None, address=address)
    assert time.monotonic() - began < 30


def test_lost_work_says_which_error_it_was(films: Path) -> None:
    class Odd(FakeJudge):
        @property
        def model_sha256(self) -> str:  # type: ignore[override]
            raise RuntimeError("a fault of ours")

    outcome = Station(SETTINGS, Odd()).measure(Task(Ladder("x", (Rendition(VideoRef(str(films / "alone.mkv"))),))))
    assert isinstance(outcome, Lost)
    assert outcome.how == "error"
    assert "a fault of ours" in outcome.reason
