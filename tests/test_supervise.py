"""Files that bring their process down, hang or eat memory: each costs its own row, whatever they do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from yoto_video.jobs.options import make_settings
from yoto_video.jobs.work import Done, Lost, Station, Task
from yoto_video.pipeline.errors import BrokenVideo
from yoto_video.pipeline.probe import probe
from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

from .clips import make
from .fakes import FakeJudge

QUICK = ["--worst-frames", "0", "--crops", "1", "--fps", "0.5", "--min-frames", "2", "--format", "json"]


@pytest.mark.timeout(600)
def test_a_decoder_that_crashes_costs_its_own_row(tmp_path: Path) -> None:
    """Workers read with the same fault: it is put where every process of Python starts."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import sys, importlib.abc\n"
        "class Deadly(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name != 'yoto_video.pipeline.media':\n"
        "            return None\n"
        "        sys.meta_path.remove(self)\n"
        "        from importlib import util\n"
        "        spec = util.find_spec(name)\n"
        "        run = spec.loader.exec_module\n"
        "        def patched(module):\n"
        "            run(module)\n"
        "            note = module.touched.noted\n"
        "            def deadly(of):\n"
        "                found = note(of)\n"
        "                if 'deadly' in of:\n"
        "                    import ctypes\n"
        "                    found.__enter__()\n"
        "                    ctypes.string_at(0)\n"
        "                return found\n"
        "            module.touched.noted = deadly\n"
        "        spec.loader.exec_module = patched\n"
        "        return spec\n"
        "sys.meta_path.insert(0, Deadly())\n"
    )
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("fine", "deadly"):
        make(folder / f"{name}.mp4", size=(64, 48), frames=12)
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    command = [str(Path(sys.executable).parent / "yoto-video"), "scan", str(folder), "--out", str(out), *QUICK]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=550, check=False
    )
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert "crashed (Segmentation fault) while it read" in done.stderr
    rows = {Path(o["path"]).name: o for o in map(json.loads, done.stdout.splitlines()) if o["type"] == "clip"}
    assert {name: row["status"] for name, row in rows.items()} == {"fine.mp4": "ok", "deadly.mp4": "failed"}
    assert "the worker judging it died" in rows["deadly.mp4"]["reason"]


CHILD = """
import os, signal, sys, time
from yoto_video.jobs.supervise import supervised
from yoto_video.pipeline import touched
again = supervised()
{act}
"""


def supervise(act: str, **options: Any) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", CHILD.format(act=act)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **options)


def test_an_ordinary_end_is_passed_on() -> None:
    done = supervise("print(again); sys.exit(3)")
    assert (done.returncode, done.stdout, done.stderr) == (3, "False\n", "")


def test_after_a_crash_it_begins_again_and_knows_what_was_read() -> None:
    act = """
if not again:
    with touched.noted("/v/fine.mp4"):
        pass
    with touched.noted("/v/ba\\nd.mp4"), touched.noted("/v/b.mp4"):
        os.kill(os.getpid(), signal.SIGSEGV)
print(sorted(touched.suspects))
"""
    done = supervise(act)
    assert done.returncode == 0
    assert done.stdout == "['/v/b.mp4', '/v/ba\\nd.mp4']\n"
    said = "yoto-video: crashed (Segmentation fault) while it read /v/b.mp4, /v/ba\\nd.mp4; "
    assert done.stderr == f"{said}goes on with workers that may crash\n"


def test_a_glance_that_never_ends_is_like_a_crash() -> None:
    act = """
from yoto_video.pipeline import side_by_side
side_by_side.STUCK_S = 1.0
def glance(path):
    with touched.noted(path):
        if path not in touched.suspects and "stuck" in path:
            time.sleep(60)
    return path
print(side_by_side.in_parallel(glance, ["/v/a.mp4", "/v/stuck.mp4"]))
"""
    done = supervise(act)
    assert (done.returncode, done.stdout) == (0, "['/v/a.mp4', '/v/stuck.mp4']\n")
    said = "yoto-video: stood still while it read /v/stuck.mp4; goes on with workers that may crash\n"
    assert done.stderr == said


def test_what_crashes_whatever_is_done_ends() -> None:
    done = supervise("os.abort()")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 2
    assert done.stderr.splitlines()[-1] == "yoto-video: error: crashed (Aborted) again; what was measured is kept"


@pytest.mark.parametrize("group", [False, True])
def test_an_interrupt_comes_once(group: bool) -> None:
    """Sent to the command alone, or as a terminal does, to everything that it started."""
    act = """
caught = 0
try:
    print("ready", flush=True)
    time.sleep(20)
except KeyboardInterrupt:
    caught += 1
try:
    time.sleep(0.5)
except KeyboardInterrupt:
    caught += 1
print(caught)
sys.exit(130)
"""
    words = [sys.executable, "-c", CHILD.format(act=act)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
    told, _ = process.communicate(timeout=60)
    assert (told, process.returncode) == ("1\n", 130)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with their parent")
def test_killed_it_leaves_nothing_behind() -> None:
    words = [sys.executable, "-c", CHILD.format(act="print(os.getpid(), flush=True); time.sleep(60)")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{child}").exists() and "Z" not in _state(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists() or "Z" in _state(child)
    process.stdout.close()


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


# --- limits ---------------------------------------------------------------------------------------------------------


def measure(path: Path, judge: FakeJudge, **changes: Any) -> Done | Lost:
    settings = make_settings(min_frames=3, worst_frames=0, display="64x48", **changes)
    return Station(settings, judge).measure(Task(Ladder("x", (Rendition(VideoRef(str(path))),))))


def test_a_video_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    class Slow(FakeJudge):
        def encode(self, frames: Any, turns: Any = None) -> list[Any]:
            for _ in range(100):
                time.sleep(0.02)  # something moves all the while
            return super().encode(frames)

    clip = make(tmp_path / "a.mp4", size=(64, 48), frames=12)
    outcome = measure(clip, Slow(), time_limit_s=0.5)
    assert isinstance(outcome, Lost)
    assert (outcome.how, outcome.reason) == ("limit", "it was not done after 0.5 s; raise --time-limit or lower --fps")
    assert isinstance(measure(clip, FakeJudge(), time_limit_s=60), Done)


def test_a_video_that_eats_memory_is_given_up(tmp_path: Path) -> None:
    class Hungry(FakeJudge):
        def encode(self, frames: Any, turns: Any = None) -> list[Any]:
            eaten = [bytearray(os.urandom(1) * (16 << 20)) for _ in range(8)]
            time.sleep(3)
            return super().encode(frames) if eaten else []

    outcome = measure(make(tmp_path / "a.mp4", size=(64, 48), frames=12), Hungry(), memory_limit_mb=64)
    assert isinstance(outcome, Lost)
    assert (outcome.how, "more than 64 MB of memory" in outcome.reason) == ("limit", True)


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at : at + size]))
        at += size
    return found


def with_tracks(clip: Path, count: int) -> None:
    """The same file with its only track listed again and again."""
    outer = boxes(clip.read_bytes())
    inner = boxes(next(box for name, box in outer if name == b"moov")[8:])
    others = b"".join(box for name, box in inner if name != b"trak")
    content = others + count * next(box for name, box in inner if name == b"trak")
    moov = (8 + len(content)).to_bytes(4, "big") + b"moov" + content
    clip.write_bytes(b"".join(box for name, box in outer if name != b"moov") + moov)


def test_a_million_streams_and_a_huge_picture_are_refused_at_once(tmp_path: Path) -> None:
    clip = make(tmp_path / "streams.mp4", size=(64, 48), frames=12)
    with_tracks(clip, 100_000)
    with pytest.raises(BrokenVideo):
        probe(VideoRef(str(clip)))
    for size in ("60000 H60000", "16000 H16000"):
        huge = tmp_path / "huge.y4m"
        huge.write_bytes(f"YUV4MPEG2 W{size} F25:1 Ip A1:1 C420\nFRAME\n".encode() + bytes(1 << 16))
        with pytest.raises(BrokenVideo):
            probe(VideoRef(str(huge)))
