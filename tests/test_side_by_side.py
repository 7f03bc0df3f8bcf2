"""Work on many files on a few threads, one of which may never come back."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from yoto_video.pipeline import side_by_side, touched
from yoto_video.pipeline.errors import YotoVideoError
from yoto_video.pipeline.side_by_side import in_parallel


def test_results_keep_their_order() -> None:
    assert in_parallel(lambda x: x * 2, range(50)) == [x * 2 for x in range(50)]
    assert in_parallel(str, []) == []


def test_an_error_is_raised_and_ends_the_rest() -> None:
    begun = []

    def work(number: int) -> float:
        begun.append(number)
        time.sleep(0.01)
        return 1 / number

    with pytest.raises(ZeroDivisionError):
        in_parallel(work, [1, 0, *range(2, 500)])
    time.sleep(0.1)
    assert len(begun) < 400  # the rest is not worked on in vain


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "STUCK_S", 1.5)
    monkeypatch.setattr(side_by_side, "_LOOK_S", 0.1)
    monkeypatch.setattr(touched, "_open", {})
    monkeypatch.setattr(touched, "_note", None)


@pytest.mark.usefixtures("impatient")
def test_what_stands_still_is_given_up_and_named() -> None:
    answer = threading.Event()

    def read(path: str) -> str:
        with touched.noted(path):
            if "stuck" in path:
                answer.wait(30)
        return path

    try:
        with pytest.raises(YotoVideoError, match=r"^/v/stuck\.mp4: nothing moved for 1\.5 s while it was opened"):
            in_parallel(read, ["/v/a.mp4", "/v/stuck.mp4", "/v/b.mp4"])
    finally:
        answer.set()


@pytest.mark.usefixtures("impatient")
def test_what_is_slow_but_moves_is_waited_for() -> None:
    def read(count: int) -> int:
        for _ in range(count):
            time.sleep(0.05)
        return count

    for _ in range(5):  # threads that end hand their number on: those of the next call are others
        assert in_parallel(read, [0, 0, 0, 0, 0]) == [0] * 5
    assert in_parallel(read, [1, 60]) == [1, 60]


def test_what_stands_still_keeps_no_process_from_ending() -> None:
    code = (
        "import threading\n"
        "from yoto_video.pipeline import side_by_side\n"
        "side_by_side.STUCK_S = 0.5\n"
        "side_by_side.in_parallel(lambda seconds: threading.Event().wait(seconds), [60])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=40, check=False)
    assert done.returncode == 1
    assert "nothing moved for 0.5 s" in done.stderr
