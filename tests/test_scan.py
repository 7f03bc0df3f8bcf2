"""A scan from plan to report, with a judge that needs no weights: resuming, regrouping, failing, workers."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from yoto_video.jobs import scan as scanning
from yoto_video.jobs.options import make_settings
from yoto_video.jobs.request import Listener, Request, ScanResult, below
from yoto_video.jobs.scan import how_many_workers, scan
from yoto_video.jobs.work import Done, Lost, Station, Task
from yoto_video.pipeline import measure
from yoto_video.pipeline.discover import discover
from yoto_video.pipeline.errors import UsageError, YotoVideoError
from yoto_video.pipeline.settings import Settings
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipScore, Ladder, Rendition, VideoRef

from .clips import make
from .fakes import FakeJudge, load_elsewhere

SETTINGS = make_settings(min_frames=3, worst_frames=1, display="64x48")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two ladders, a single video, and three files that cannot be scored."""
    folder = tmp_path_factory.mktemp("made")
    for film in ("one", "two"):
        (folder / film).mkdir()
        make(folder / film / "film_master.mp4", size=(128, 96), frames=12)
        make(folder / film / "film_96p_100k.mp4", size=(128, 96), frames=12, options={"crf": "30"})
        make(folder / film / "film_48p_50k.mp4", size=(64, 48), frames=12, options={"crf": "40"})
    make(folder / "alone.mkv", size=(64, 48), frames=5)
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("not a video")
    whole = (folder / "alone.mkv").read_bytes()
    (folder / "cut.mkv").write_bytes(whole[: len(whole) // 3])
    for path in folder.rglob("*.m*"):  # files that changed just now are hashed again to be safe
        os.utime(path, (time.time() - 1000,) * 2)
    return folder


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(made, tmp_path / "library"))


class Said(Listener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


def run(root: Path, out: Path, settings: Settings = SETTINGS, **more: Any) -> tuple[ScanResult, FakeJudge, list[str]]:
    judge, said = FakeJudge(), Said()
    more.setdefault("workers", 0)
    result = scan(Request(str(root), str(out), settings, **more), said, load=lambda _: judge)
    return result, judge, said.sentences


def rows(out: Path) -> list[dict[str, object]]:
    """Everything the store holds but when it was measured; floats exactly."""
    with Store(out, read_only=True) as store:
        clips = [asdict(clip) | {"measured_at": None} for clip in store.clips()]
        return [clip | {"frame_rows": store.frames(str(clip["path"]), clip["mode"])} for clip in clips]


def test_every_input_has_a_row_and_every_ladder_a_page(made: Path, out_dir: Path) -> None:
    result, judge, said = run(made, out_dir)
    by_path: dict[str, list[ClipScore]] = {}
    for clip in result.clips:
        by_path.setdefault(str(Path(clip.path).relative_to(made)), []).append(clip)
    assert set(by_path) == {str(p.relative_to(made)) for p in made.rglob("*") if p.is_file()}
    assert sorted(c.mode or "" for c in by_path["one/film_48p_50k.mp4"]) == ["fr", "nr"]
    assert [c.mode for c in by_path["one/film_master.mp4"]] == ["nr"]
    assert [c.mode for c in by_path["alone.mkv"]] == ["nr"]
    assert [(c.status, "0 bytes" in (c.reason or "")) for c in by_path["empty.mp4"]] == [("failed", True)]
    assert by_path["text.mp4"][0].status in ("failed", "skipped")
    assert (result.ok, result.ok + result.skipped + result.failed) == (12, len(result.clips)) or judge.encoded
    assert result.report.is_file()
    assert len(list((result.report.parent / "ladders").glob("*.html"))) >= 3
    assert list((out_dir / "pictures").rglob("*.webp"))
    with Store(out_dir, read_only=True) as store:
        (written,) = store.runs()
    assert (written.ok, written.failed, written.reused) == (result.ok, result.failed, 0)
    assert {"decode", "inference", "wall"} <= set(result.seconds)
    assert said == []


def test_a_second_scan_measures_nothing_and_says_so(library: Path, out_dir: Path) -> None:
    first, *_ = run(library, out_dir)
    before = rows(out_dir)
    second, judge, said = run(library, out_dir)
    assert judge.encoded == 0
    assert said == [f"nothing to measure; up to date: {len(first.clips)} results"]
    assert rows(out_dir) == before
    assert (second.measured, second.up_to_date) == (0, len(first.clips))
    assert (second.ok, second.skipped, second.failed) == (first.ok, first.skipped, first.failed)


def test_only_what_changed_is_measured(library: Path, out_dir: Path) -> None:
    run(library, out_dir)
    before = {(r["path"], r["mode"]): r for r in rows(out_dir)}
    changed = make(library / "one" / "film_48p_50k.mp4", size=(64, 48), frames=12, options={"crf": "20"})
    result, _, said = run(library, out_dir)
    assert result.measured == 2  # its NR and its FR
    assert any("new or changed: 1 video" in sentence for sentence in said)
    after = {(r["path"], r["mode"]): r for r in rows(out_dir)}
    assert after.keys() == before.keys()
    assert {path for path, mode in after if after[path, mode] != before[path, mode]} == {str(changed)}


def test_another_master_changes_the_comparisons(library: Path, out_dir: Path) -> None:
    run(library, out_dir)
    make(library / "one" / "film_master.mp4", size=(128, 96), frames=12, options={"crf": "1"})
    assert run(library, out_dir)[0].measured == 5  # the master, and two encodes in both modes


@pytest.mark.parametrize("change", [{"fps": 4.0}, {"min_frames": 4}, {"display": (32, 24)}, {"seed": 1}, {"crops": 2}])
def test_other_settings_are_other_results(made: Path, out_dir: Path, change: dict[str, Any]) -> None:
    run(made / "one", out_dir)
    settings = make_settings(**(asdict(SETTINGS) | change))
    assert run(made / "one", out_dir, settings)[0].measured == 5


def test_no_resume_measures_everything_again(made: Path, out_dir: Path) -> None:
    run(made / "one", out_dir)
    before = rows(out_dir)
    result, *_ = run(made / "one", out_dir, resume=False)
    assert (result.measured, result.up_to_date) == (5, 0)
    assert rows(out_dir) == before


def test_files_that_are_gone_lose_their_rows_and_new_ones_gain_them(library: Path, out_dir: Path) -> None:
    run(library, out_dir)
    (library / "alone.mkv").rename(library / "renamed.mkv")
    shutil.rmtree(library / "two")
    result, _, said = run(library, out_dir)
    assert "4 videos are no longer there; the results were removed" in said
    left = {Path(str(r["path"])).relative_to(library).as_posix() for r in rows(out_dir)}
    assert left == {p.relative_to(library).as_posix() for p in library.rglob("*") if p.is_file()}
    assert result.measured == 1


def test_a_file_uri_is_the_folder_it_names(made: Path, out_dir: Path) -> None:
    run(made / "one", out_dir)
    result = scan(Request((made / "one").as_uri(), str(out_dir), SETTINGS, workers=0), load=lambda _: FakeJudge())
    assert (result.measured, result.up_to_date) == (0, 5)


def test_results_of_other_folders_stay(made: Path, out_dir: Path) -> None:
    run(made / "one", out_dir)
    result, *_ = run(made / "two", out_dir)
    assert len(rows(out_dir)) == 10
    assert len(result.clips) == 5


def test_a_regrouped_ladder_is_filed_anew_without_measuring(made: Path, out_dir: Path) -> None:
    run(made / "one", out_dir)
    names = {r["ladder"] for r in rows(out_dir)}
    _, judge, _ = run(made, out_dir)  # from one folder higher, the ladder has another name
    mine = [r for r in rows(out_dir) if str(r["path"]).startswith(f"{made}/one/")]
    assert len(mine) == 5
    assert {r["ladder"] for r in mine}.isdisjoint(names)
    again = FakeJudge()
    scan(Request(str(made / "two"), str(out_dir.parent / "other"), SETTINGS, workers=0), load=lambda _: again)
    assert judge.encoded - again.encoded < again.encoded  # only `two` and the single file were judged


def test_killed_at_any_commit_a_rerun_ends_with_the_rows_of_an_undisturbed_run(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(made, tmp_path / "undisturbed")
    expected = rows(tmp_path / "undisturbed")

    class Killed(BaseException):
        """As good as SIGKILL to everything above."""

    real = Store.commit
    for survivors in range(4):
        out, left = tmp_path / f"killed-{survivors}", [survivors]

        def commit(store: Store, *args: Any, left: list[int] = left) -> bool:
            if not left[0]:
                raise Killed
            left[0] -= 1
            return real(store, *args)

        monkeypatch.setattr(Store, "commit", commit)
        with pytest.raises(Killed):
            run(made, out)
        monkeypatch.setattr(Store, "commit", real)
        result, *_ = run(made, out)
        assert rows(out) == expected
        assert bool(result.up_to_date) == bool(survivors)


def test_what_may_pass_is_tried_again_by_the_next_run(
    made: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = measure.measure_ladder, []

    def broken(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        raise MemoryError("no room")

    monkeypatch.setattr("yoto_video.jobs.work.measure_ladder", broken)
    result, *_ = run(made / "alone.mkv", out_dir)
    (clip,) = result.clips
    assert (clip.status, clip.mode, clip.retryable) == ("failed", None, True)
    assert "MemoryError: no room" in (clip.reason or "")
    monkeypatch.setattr("yoto_video.jobs.work.measure_ladder", real)
    (clip,) = run(made / "alone.mkv", out_dir)[0].clips
    assert clip.status == "ok"


def test_a_decoder_that_hangs_is_given_up_and_costs_one_row(
    made: Path, out_dir: Path, monkeypatch: pytest.MonkeyPatch
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
    result, *_ = run(made / "one", out_dir, settings)
    assert time.monotonic() - began < 60
    gate.set()
    status = {Path(c.path).name: c.status for c in result.clips}
    assert status == {"film_master.mp4": "ok", "film_96p_100k.mp4": "ok", "film_48p_50k.mp4": "failed"}
    (lost,) = [c for c in result.clips if c.status == "failed"]
    assert "nothing moved for 2 s" in (lost.reason or "")
    assert {c.mode for c in result.clips if c.path.endswith("96p_100k.mp4")} == {"nr", "fr"}


def test_slow_work_is_not_given_up(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many times the time-out in all, but something moves all the while."""

    class Slow(FakeJudge):
        def encode(self, frames: Any) -> list[Any]:
            for _ in range(30):
                time.sleep(0.05)
            return super().encode(frames)

    monkeypatch.setattr("yoto_video.jobs.work.GRACE_S", 0.1)
    settings = make_settings(**(asdict(SETTINGS) | {"decode_timeout_s": 0.7}))
    video = VideoRef(str(made / "alone.mkv"))
    monkeypatch.setattr(measure, "FRAMES_A_CALL", 1)
    outcome = Station(settings, Slow()).measure(Task(Ladder("alone", (Rendition(video),))))
    assert isinstance(outcome, Done)
    assert outcome.result.results[0].clip.status == "ok"


def test_one_ladder_and_short_clips_need_no_ray(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "cores", lambda: 8)
    plan = discover(str(made))
    tasks = [Task(ladder) for ladder in plan.ladders]

    def workers(tasks: list[Task], **options: Any) -> int | None:
        return how_many_workers(Request(str(made), "out", **options), plan, tasks)

    assert workers(tasks[:1]) == 0
    assert workers(tasks) == 0
    monkeypatch.setattr(scanning, "SMALL_S", 0.5)
    assert workers(tasks) == len(tasks)
    monkeypatch.setattr(scanning, "memory", lambda: 4 << 30)
    assert workers(tasks) == 2
    assert workers(tasks, workers=0) == 0
    assert workers(tasks, workers=3) == 3
    assert workers(tasks[:1], address="auto") is None


def test_the_gate_is_the_comparison_where_there_is_one() -> None:
    def row(path: str, mode: Any, score: float, master: bool = False) -> ClipScore:
        return ClipScore(path, "l", mode, "ok", is_master=master, pools={"mean": score}, frames=1)

    clips = [
        row("/m", "nr", 10, master=True), row("/a", "nr", 20), row("/a", "fr", 80), row("/b", "nr", 90),
        row("/b", "fr", 40), row("/c", "nr", 30), ClipScore("/d", "l", None, "failed", "broken"),
    ]  # fmt: skip
    assert [(c.path, c.mode) for c in below(clips, 50)] == [("/b", "fr"), ("/c", "nr")]
    assert below(clips, 5) == []


def test_wrong_requests_are_refused_before_anything_is_written(made: Path, out_dir: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        run(made / "nowhere", out_dir)
    (out_dir.parent / "hollow").mkdir()
    with pytest.raises(UsageError, match=r"hollow: .*give a folder"):
        run(out_dir.parent / "hollow", out_dir)
    assert not out_dir.exists()
    (out_dir.parent / "file").touch()
    with pytest.raises(UsageError):
        run(made, out_dir.parent / "file" / "out")


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


def test_workers_that_cannot_load_the_network_end_the_scan_with_a_sentence(made: Path, out_dir: Path) -> None:
    def load(_: Settings) -> Any:
        raise YotoVideoError("weights.safetensors: not a readable safetensors file")

    with pytest.raises(YotoVideoError, match="not a readable"):
        scan(Request(str(made), str(out_dir), SETTINGS, workers=0), load=load)


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [("somewhere", UsageError, "HOST:PORT"), ("127.0.0.1:1", YotoVideoError, "no Ray cluster answers at 127.0.0.1:1")],
)
def test_a_cluster_that_is_not_there_is_said_at_once(
    made: Path, out_dir: Path, address: str, error: type[Exception], said: str
) -> None:
    began = time.monotonic()
    with pytest.raises(error, match=said):
        run(made / "alone.mkv", out_dir, workers=None, address=address)
    assert time.monotonic() - began < 30


def test_lost_work_says_which_error_it_was(made: Path) -> None:
    class Odd(FakeJudge):
        @property
        def model_sha256(self) -> str:  # type: ignore[override]
            raise RuntimeError("a fault of ours")

    outcome = Station(SETTINGS, Odd()).measure(Task(Ladder("x", (Rendition(VideoRef(str(made / "alone.mkv"))),))))
    assert isinstance(outcome, Lost)
    assert outcome.how == "error"
    assert "a fault of ours" in outcome.reason
