"""What a process reads, noted for who finds it crashed; and files that are closed as soon as their reading is left."""

from __future__ import annotations

import contextlib
import gc
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import GeneratorType

import pytest
from yoto_video.pipeline import touched
from yoto_video.pipeline.decode import read_frames
from yoto_video.pipeline.probe import probe
from yoto_video.pipeline.values import VideoRef

from .clips import make


@pytest.fixture
def note(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        monkeypatch.setattr(touched, "_note", None)
        touched.note_in(file.fileno())
        yield file.fileno()


def test_a_note_holds_what_is_open_now(note: int) -> None:
    with touched.noted("/v/a.mp4"), touched.noted("/v/b.mp4"):
        with touched.noted("/v/a.mp4"):
            assert touched.read_note(note) == {"/v/a.mp4", "/v/b.mp4"}
        assert touched.read_note(note) == {"/v/a.mp4", "/v/b.mp4"}
    assert touched.read_note(note) == set()


def test_a_forgotten_file_may_be_collected_while_another_is_noted(note: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector runs when it likes, in the midst of `noted` too: one thread would take a lock there twice."""

    class Forgotten:
        def __init__(self) -> None:
            self.itself = self  # only the collector finds it
            self.open = contextlib.ExitStack()
            self.open.enter_context(touched.noted("/v/forgotten.mp4"))

        def __del__(self) -> None:
            self.open.close()

    write = os.pwrite

    def collected_first(descriptor: int, content: bytes, at: int) -> int:
        monkeypatch.setattr(os, "pwrite", write)
        gc.collect()
        return write(descriptor, content, at)

    seen: list[frozenset[str]] = []

    def read() -> None:
        with touched.noted("/v/a.mp4"):
            seen.append(touched.read_note(note))

    Forgotten()
    monkeypatch.setattr(os, "pwrite", collected_first)
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(10)
    assert seen == [{"/v/a.mp4"}]


def test_a_reading_that_is_left_early_closes_its_file_at_once(note: int, tmp_path: Path) -> None:
    video = make(tmp_path / "a.mp4", size=(64, 48), frames=24)
    ref = VideoRef(str(video))
    frames = read_frames(ref, probe(ref), range(24))
    waiting = next(frames)
    held = [frame for frame in gc.get_objects() if isinstance(frame, GeneratorType)]  # nothing goes with its last user
    assert touched.read_note(note) == {str(video)}
    frames.close()
    assert touched.read_note(note) == set()
    assert waiting.index == 0
    assert held


def test_nothing_is_noted_without_a_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(touched, "_note", None)
    monkeypatch.setattr(os, "pwrite", None)
    with touched.noted("/v/a.mp4"):
        pass
