"""The installed command on real clips: difficult files, interruptions, resuming, the demo."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from yoto_video.pipeline.pool import POOLS
from yoto_video.pipeline.store import Store

from . import clips, scenes
from .scene import SIZE, scene

COMMAND = str(Path(sys.executable).parent / "yoto-video")
# The least work that still goes all the way; what is judged how well is for other tests.
QUICK = ["--worst-frames", "0", "--crops", "1", "--fps", "0.5", "--min-frames", "2"]
LADDERS = 4  # in `library`

HDR_SAID = "tone-mapped from 1000 to 203 cd/m2 (BT.2390) to be judged"
# What is said of a difficult file as a stream: of all others nothing.
TORTURE_SAYS = {
    "bbb_2500ms.ts": ("cadence", "2 frames are missing"),
    "edit_list_positive_shift.mp4": (
        "edit_list", "its edit list shows the first frame 1.00 s late: times are counted from that frame",
    ),
    "hdr10-av1.mp4": ("hdr", f"HDR (PQ): {HDR_SAID}"),
    "hlg10-color-test.mp4": ("hdr", f"HDR (HLG): {HDR_SAID}"),
    "iibbibb_editlist_videoonly.mp4": ("edit_list", "its edit list leaves out 1 of 13 stored frames"),
    "internal_emulator_transformer_output_270_rotated.mp4": (
        "display_matrix", "turned clockwise by 270 degrees to be shown, as its display matrix asks",
    ),
    "sample_rotate_and_reflect.mp4": (
        "display_matrix", "mirrored and turned clockwise by 270 degrees to be shown, as its display matrix asks",
    ),
}  # fmt: skip

pytestmark = pytest.mark.timeout(900)  # the limits below count on a machine that does something else as well


def run(*words: str, code: int | tuple[int, ...] = 0) -> subprocess.CompletedProcess[str]:
    """Run the command; it must end with this code, and without a traceback."""
    done = subprocess.run([COMMAND, *words], capture_output=True, text=True, timeout=800, stdin=subprocess.DEVNULL)
    codes = code if isinstance(code, tuple) else (code,)
    assert done.returncode in codes, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    return done


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def rows(out: Path) -> list[dict[str, object]]:
    """What the store holds, but when it was measured."""
    with Store(out, read_only=True) as store:
        assert not store.warnings
        clips = [asdict(clip) | {"measured_at": None} for clip in store.clips()]
        return [clip | {"frame_rows": store.frames(str(clip["path"]), clip["mode"])} for clip in clips]


@pytest.fixture(scope="session")
def library(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compared ladder and three single clips, among the shorter ones."""
    folder = tmp_path_factory.mktemp("library")
    shutil.copytree(
        data_dir / "clips" / "fr_pairs", folder / "pairs", ignore=shutil.ignore_patterns("ferris-[bt]*", "car*")
    )
    for name in ("flower_540p.mp4", "friday_480p.mp4", "bikes_640x272.mp4"):
        shutil.copy(data_dir / "clips" / "sdr" / name, folder)
    for path in folder.rglob("*.mp4"):
        os.utime(path, (time.time() - 1000,) * 2)
    return folder


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command; whatever of it is left at the end is killed, and was a mistake."""
    value = uuid.uuid4().hex
    begun: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
            env=os.environ | {"YOTO_TEST": value}, start_new_session=True,
        )  # fmt: skip
        begun.append(process)
        return process

    yield begin
    deadline = time.monotonic() + 30
    while (left := processes_with(f"YOTO_TEST={value}")) and time.monotonic() < deadline:
        time.sleep(0.5)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "processes were left behind"


def processes_with(mark: str) -> list[int]:
    """Processes that inherited this environment variable."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def command_lines(process: subprocess.Popen[str]) -> list[bytes]:
    """Of whatever runs in the session of a process that was started in one of its own."""
    found = []
    for pid in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getsid(int(pid.name)) == process.pid:
                found.append((pid / "cmdline").read_bytes())
    return found


def committed(out: Path) -> int:
    """Ladders that have rows, as any reader finds them."""
    found = set()
    for part in (out / "clips").glob("*.parquet"):
        with part.open("rb") as file:  # once: by its path it is opened twice, and may have been replaced in between
            found.update(pq.read_table(file, columns=["ladder"]).column("ladder").to_pylist())
    return len(found)


def wait_for_ladders(process: subprocess.Popen[str], out: Path, count: int) -> None:
    """Until so many ladders are committed."""
    while committed(out) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_each_difficult_file_gets_its_row_and_the_next_scan_measures_nothing(data_dir: Path, tmp_path: Path) -> None:
    folder, out = data_dir / "clips" / "torture", tmp_path / "out"
    words = ["scan", str(folder), "--out", str(out), *QUICK, "--format", "json"]
    done = run(*words, code=4)
    *clips, summary = objects(done.stdout)
    assert {Path(clip["path"]).name for clip in clips} == {path.name for path in folder.iterdir()}
    by_name = {Path(clip["path"]).name: clip for clip in clips}
    for clip in clips:
        if clip["status"] == "ok":
            assert 0 < clip["score"] <= 100, clip["path"]  # no silent zero
            assert set(clip["pools"]) == set(POOLS)
            assert all(math.isfinite(value) for value in clip["pools"].values())
            assert clip["frames"] > 0
        else:
            assert clip["mode"] is None
            assert len(clip["reason"]) > 10
            assert "\n" not in clip["reason"]
    for name, status, word in (
        ("zero_bytes.mp4", "failed", "0 bytes"),
        ("sample_audio_only.mp4", "skipped", "audio"),
        ("encrypted_clearkey.mp4", "failed", "encrypted"),
    ):
        assert (by_name[name]["status"], word in by_name[name]["reason"]) == (status, True), by_name[name]
    for name in ("hdr10-av1.mp4", "h264_10bits.mp4", "sample_rotate_and_reflect.mp4", "bbb_2500ms.ts", "bt601.mp4"):
        assert by_name[name]["status"] == "ok", by_name[name]
    told = ("hdr", "interlaced", "telecine", "display_matrix", "edit_list", "cadence", "aspect", "rotation")
    said = [(name, f["kind"], f["sentence"]) for name, clip in by_name.items() for f in clip["findings"]]
    assert sorted(one for one in said if one[1] in told) == sorted((name, *one) for name, one in TORTURE_SAYS.items())
    counted = {status: sum(clip["status"] == status for clip in clips) for status in ("ok", "skipped", "failed")}
    assert {name: summary[name] for name in counted} == counted
    before = rows(out)

    again = run(*words, code=4)
    assert f"nothing to measure; up to date: {len(clips)} results" in again.stderr
    assert objects(again.stdout)[:-1] == clips
    assert rows(out) == before


def test_a_dash_manifest_is_one_ladder_of_three_renditions(data_dir: Path, tmp_path: Path) -> None:
    words = ["scan", str(data_dir / "clips" / "manifests"), "--out", str(tmp_path / "out"), *QUICK, "--format", "json"]
    clips = objects(run(*words).stdout)[:-1]
    assert len(clips) == 3
    assert len({clip["ladder"] for clip in clips}) == 1
    assert {(clip["height"], clip["mode"], clip["status"]) for clip in clips} == {
        (1080, "nr", "ok"), (720, "nr", "ok"), (360, "nr", "ok"),
    }  # fmt: skip
    assert {clip["display"] for clip in clips} == {"1920x1080"}


def test_killed_half_way_the_rerun_equals_an_undisturbed_run(
    library: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    words = ["scan", str(library), "--workers", "0", *QUICK]
    run(*words, "--out", str(tmp_path / "undisturbed"))
    expected = rows(tmp_path / "undisturbed")
    out = tmp_path / "killed"
    process = start(*words, "--out", str(out))
    wait_for_ladders(process, out, 2)
    process.kill()
    process.communicate()
    assert 2 <= committed(out) < LADDERS, "it was not killed half way"
    done = run(*words, "--out", str(out))
    assert "up to date: " in done.stderr
    assert rows(out) == expected


@pytest.mark.parametrize(("stop", "workers"), [(signal.SIGINT, "2"), (signal.SIGTERM, "0"), (signal.SIGTERM, "2")])
def test_stopped_by_hand_it_ends_with_a_sentence_and_leaves_nothing_running(
    library: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]], stop: signal.Signals, workers: str
) -> None:
    out = tmp_path / "out"
    words = ["scan", str(library), "--out", str(out), "--workers", workers, *QUICK]
    process = start(*words)
    wait_for_ladders(process, out, 2)  # of which the last may still be under way to the ledger
    if stop == signal.SIGINT:
        os.killpg(process.pid, stop)  # as a terminal does: to the workers as well
    else:
        process.send_signal(stop)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + stop, errors
    assert "Traceback" not in errors
    assert ("what is in hand is finished first" in errors) == (stop == signal.SIGINT)
    last = errors.splitlines()[-1]
    assert last == f"yoto-video: interrupted; what was measured is kept in {out}, the same command goes on"
    if stop == signal.SIGTERM:
        assert [line for line in errors.splitlines() if not line.startswith("starting ")] == [last], errors
    assert rows(out)
    assert run("status", str(out)).stdout.startswith("interrupted; the same command goes on\n")
    if (stop, workers) == (signal.SIGTERM, "2"):
        assert "up to date: " in run(*words, "--workers", "0").stderr
        assert committed(out) == LADDERS


def test_stopped_while_its_workers_start_it_ends_as_ever(
    library: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """Ray, which is starting then, has ways of its own to answer a SIGTERM."""
    process = start("scan", str(library), "--out", str(tmp_path / "out"), "--workers", "2", *QUICK)
    while not any(b"gcs_server" in words for words in command_lines(process)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert errors.splitlines()[-1].startswith("yoto-video: interrupted; ")
    assert len([line for line in errors.splitlines() if not line.startswith("starting ")]) == 1, errors


def test_the_demo_orders_its_ladder_and_ends_with_the_report(tmp_path: Path) -> None:
    done = run("demo", "--out", str(tmp_path / "demo"))
    lines = done.stdout.splitlines()
    assert Path(lines[-1]).is_file()
    assert Path(lines[-1]).name == "index.html"
    assert any(line.startswith("FR orders the ladder correctly") for line in lines)
    assert any(line.startswith("NR orders the ladder correctly") for line in lines)
    clips = rows(tmp_path / "demo" / "results")
    compared = [clip for clip in clips if clip["mode"] == "fr"]
    assert len(compared) >= 5
    assert len({clip["codec"] for clip in compared}) >= 2
    assert len({clip["ladder"] for clip in clips}) == 1
    rates = [float(line.split()[3].replace(",", "")) for line in lines if "landscape_" in line and "hevc" in line]
    assert rates == sorted(rates)


def test_fields_film_and_variable_rates_are_told_and_compared(tmp_path: Path) -> None:
    """Interlaced, of a variable rate, telecined, and turned by its display matrix: each laid over its master."""
    folder = tmp_path / "in"
    folder.mkdir()
    size: dict[str, Any] = {"size": SIZE, "matrix": "bt709", "range": "tv"}
    good, plain = {"options": {"preset": "veryfast", "crf": "12"}}, {"options": {"preset": "veryfast", "crf": "26"}}
    fields = {"options": plain["options"] | {"x264-params": "interlaced=1"}}

    def show(number: int, _width: int, _height: int) -> Any:
        return scene(number / 25, pan=200)

    def halves(number: int, width: int, height: int) -> Any:
        picture = show(number, width, height)
        picture[0::2] = scene((number + 0.5) / 25, pan=200)[0::2]
        return picture

    kept = [n for n in range(60) if n % 5 != 3 and n % 7 != 2]
    clips.make(folder / "show_master.mp4", picture=show, frames=60, **size, **good)
    clips.make(folder / "show_crf25.mp4", picture=show, frames=60, **size, **plain)
    clips.make(folder / "show_crf26.mp4", picture=halves, frames=60, **size, **fields)
    clips.make(
        folder / "show_crf27.mp4", picture=lambda n, w, h: show(kept[n], w, h), times=kept, frames=len(kept), **size,
        **plain,
    )  # fmt: skip
    upside_down = (-65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30)
    clips.make(
        folder / "show_crf28.mp4", picture=lambda n, w, h: show(n, w, h)[::-1, ::-1], frames=60, **size, **plain,
        display_matrix=upside_down,
    )  # fmt: skip
    clips.make(folder / "film_master.mp4", picture=show, frames=72, rate=clips.FILM, **size, **good)
    clips.telecined(folder / "film_crf26.mp4", show, 72, size=SIZE, **fields)
    out = str(tmp_path / "out")
    done = run("scan", str(folder), "--out", out, "--crops", "2", "--workers", "0", "--format", "json")
    found = {Path(o["path"]).stem: o for o in objects(done.stdout) if o.get("mode") == "fr"}
    told = {name: {f["kind"] for f in clip["findings"]} - {"note"} for name, clip in found.items()}
    assert told == {
        "show_crf25": set(),
        "show_crf26": {"interlaced"},
        "show_crf27": {"cadence"},
        "show_crf28": {"display_matrix"},
        "film_crf26": {"interlaced", "telecine", "pairing", "offset"},  # by a part of a frame
    }
    (fields_said,) = (
        f for f in found["show_crf26"]["findings"] if f["kind"] == "interlaced" and f["severity"] == "warning"
    )
    assert fields_said["sentence"] == "coded as fields, and its master is not: encode it as frames"
    assert all(clip["offset_frames"] == 0 for clip in found.values())
    least = found["show_crf25"]["score"] - 10
    assert all(clip["score"] > least for clip in found.values()), {n: c["score"] for n, c in found.items()}


def test_findings_reach_parquet_json_report_and_lint(tmp_path: Path) -> None:
    """A frozen encode, its master, and a black clip, with the network that ships."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    film = {"size": (320, 180), "frames": 150, "options": {"preset": "veryfast"}}
    clips.make(folder / "film_master.mp4", picture=scenes.moving, **film)
    clips.make(folder / "film_180p.mp4", picture=scenes.instead(50, 125, scenes.still(50)), **film)
    clips.make(folder / "slate.mp4", picture=clips.flat(0, 0, 0), **film)
    done = run("scan", str(folder), "--out", str(out), "--crops", "1", "--workers", "0", "--format", "json")
    found = {(Path(o["path"]).name, o["mode"]): o for o in objects(done.stdout) if o["type"] == "clip"}
    black = {f["kind"]: f for f in found["slate.mp4", "nr"]["findings"]}["black"]
    assert black == {"kind": "black", "severity": "error", "start_s": 0, "end_s": 6, "sentence": "black throughout"}
    encode = found["film_180p.mp4", "fr"]
    frozen = {f["kind"]: f for f in encode["findings"]}["frozen"]
    assert (frozen["severity"], frozen["start_s"]) == ("error", pytest.approx(2, abs=0.6))
    assert encode["master_score"] == found["film_master.mp4", "nr"]["score"]
    query = f"SELECT path, unnest(findings, recursive := true) FROM '{out}/clips/*.parquet' WHERE mode = 'nr'"
    told = duckdb.sql(query).fetchall()
    assert (str(folder / "slate.mp4"), *black.values()) in told
    page = (out / "report" / "index.html").read_text()
    assert '<span class="tag found">black</span>' in page
    assert any("while its master moves" in p.read_text() for p in (out / "report" / "ladders").iterdir())
    done = run("lint", str(out), "--fail-under", "100", "--format", "json", code=3)
    assert objects(done.stdout)[-1]["gates"] == 2  # the master is not gated
