"""What every test may rely on: the shared data where present, no network, one thread, output folders of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from yoto_video.models.judge import Judge

    from .fakes import FakeVideos

ROOT = Path(__file__).resolve().parent.parent

# Read when torch, ray or a hub client is imported, so set before any test does; started commands inherit them.
os.environ["HF_HUB_OFFLINE"] = "1"  # tests never ask the network for weights
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["NO_COLOR"] = "1"  # messages are compared as text
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's too: threads that wait for each other crawl on a busy machine
os.environ["YOTO_CACHE"] = tempfile.mkdtemp(prefix="yoto-cache-")  # exports of networks; not the user's own
atexit.register(shutil.rmtree, os.environ["YOTO_CACHE"], ignore_errors=True)
os.environ["YOTO_DATA"] = str(Path(os.environ.get("YOTO_DATA") or ROOT.parent / "shared" / "data").resolve())


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Let what a test logged be sent on: file names in it may be no UTF-8."""
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the shared data (YOTO_DATA, default ../shared/data); skips, saying so, where it is absent."""
    folder = Path(os.environ["YOTO_DATA"])
    if not folder.is_dir():
        pytest.skip(f"the shared data is not at {folder}: set YOTO_DATA to its folder to run this test")
    return folder


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout's root."""
    return ROOT


@pytest.fixture(scope="session")
def judge() -> Judge:
    """The default network, ready to score."""
    from yoto_video.models.judge import Judge as Network

    return Network.load("yoto_mobilenetv2", device="cpu")


@pytest.fixture
def out_dir(tmp_path: Path) -> Path:
    """A results folder that does not exist yet, as a first run finds it."""
    return tmp_path / "out"


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ladder has a part of its own, as large ones do."""
    monkeypatch.setattr("yoto_video.pipeline.ledger.FRAMES_A_PART", 0)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a clip of `clips.KINDS` once."""
    from . import clips

    os.environ.setdefault("SVT_LOG", "1")
    folder, done = tmp_path_factory.mktemp("clips"), dict[str, Path]()

    def get(name: str) -> Path:
        if name not in done:
            done[name] = clips.make(folder / name, **clips.KINDS[name])
        return done[name]

    return get


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two ladders, a single video, and three files that cannot be scored."""
    from .clips import make

    folder = tmp_path_factory.mktemp("films")
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
def library(films: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(films, tmp_path / "library"))


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeVideos]:
    """Puts made-up videos, by name, in the place of files that the pipeline reads."""
    from .fakes import FakeVideos

    return lambda **videos: FakeVideos({f"/{name}.mp4": video for name, video in videos.items()}, monkeypatch)
