"""Videos are read in step, a few frames ahead, and one that fails does not stop the others."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yoto_video.pipeline.ahead import Ahead, batches
from yoto_video.pipeline.align import Sample
from yoto_video.pipeline.errors import BrokenVideo
from yoto_video.pipeline.lockstep import Reading, in_step
from yoto_video.pipeline.values import Frame


def frame(index: int) -> Frame:
    return Frame(index, Fraction(index, 25), np.zeros((1, 1, 3), np.uint8))


class Stream:
    """Frames of these indices, then perhaps an error. Notices two threads at once."""

    def __init__(self, indices: list[int], error: Exception | None = None, slow_s: float = 0.0) -> None:
        self.indices, self.error, self.slow_s = indices, error, slow_s
        self.given = 0
        self.closed = False
        self._busy = threading.Lock()

    def open(self) -> Iterator[Frame]:
        try:
            for index in self.indices:
                assert self._busy.acquire(blocking=False), "two threads in one decoder"
                time.sleep(self.slow_s)
                self.given += 1
                self._busy.release()
                yield frame(index)
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


def reading(video: int, stream: Stream, steps: list[int] | None = None, frames: list[int] | None = None) -> Reading:
    frames = stream.indices if frames is None else frames
    pairs = zip(frames if steps is None else steps, frames, strict=True)
    return Reading(video, [Sample(step, index) for step, index in pairs], stream.open)


@given(st.lists(st.sets(st.integers(0, 30)), min_size=1, max_size=5), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_every_sample_comes_once_ordered_by_step_and_then_by_video(wanted: list[set[int]], workers: int) -> None:
    streams = [Stream(sorted(indices)) for indices in wanted]
    taken = list(in_step([reading(i, s) for i, s in enumerate(streams)], workers))
    order = [(t.sample.step, t.video) for t in taken]
    assert order == sorted((step, video) for video, steps in enumerate(wanted) for step in steps)
    assert all(t.frame is not None and t.frame.index == t.sample.frame for t in taken)
    assert all(s.closed for s in streams if s.given)


def test_a_frame_that_is_missing_is_said_and_the_next_ones_still_come() -> None:
    stream = Stream([0, 4, 9])
    taken = list(in_step([reading(0, stream, frames=[0, 2, 4, 9, 12])], 1))
    assert [(t.sample.frame, t.frame is not None, t.error) for t in taken] == [
        (0, True, None), (2, False, None), (4, True, None), (9, True, None), (12, False, None),
    ]  # fmt: skip


def test_a_frame_is_let_go_when_it_was_taken_for_the_last_time() -> None:
    again = list(in_step([reading(0, Stream([1, 5]), steps=[0, 1, 2], frames=[1, 1, 5])], 1))
    assert [t.frame.index for t in again if t.frame] == [1, 1, 5]
    waits = reading(0, Stream([1, 5]), steps=[0, 9])
    taken = in_step([waits, reading(1, Stream([1, 2, 3]))], 1)
    first = next(taken)
    assert first.frame is not None
    gone = weakref.ref(first.frame.rgb)
    del first
    assert next(taken).video == 1
    assert gone() is None
    taken.close()  # type: ignore[attr-defined]


def test_a_video_that_fails_says_so_once_and_the_others_go_on() -> None:
    broken = Stream([0, 1], BrokenVideo("b", "it ends"))
    taken = list(in_step([reading(0, Stream(list(range(5)))), reading(1, broken, frames=list(range(5)))], 2))
    assert [t.sample.frame for t in taken if t.video == 0 and t.frame] == [0, 1, 2, 3, 4]
    mine = [t for t in taken if t.video == 1]
    assert [t.frame is not None for t in mine] == [True, True, False]
    assert isinstance(mine[-1].error, BrokenVideo)


def test_an_unexpected_error_on_opening_is_an_error_of_that_video() -> None:
    def refuse() -> Iterator[Frame]:
        raise RuntimeError("no decoder")

    (taken,) = in_step([Reading(3, [Sample(0, 0), Sample(1, 1)], refuse)], 1)
    assert (taken.video, str(taken.error)) == (3, "no decoder")


def test_frames_are_decoded_while_the_reader_works_but_no_more_than_the_depth_allows() -> None:
    stream = Stream(list(range(100)))
    with Ahead(in_step([reading(0, stream)], 1), depth=3) as ahead:
        frames = iter(ahead)
        next(frames)
        time.sleep(0.5)
        assert 1 + 3 <= stream.given <= 1 + 3 + 2  # taken, waiting, the one being handed over and the one after it
    assert stream.closed  # leaving in the middle closes the file


def test_the_time_of_decoding_is_counted_without_the_time_its_reader_takes() -> None:
    stream = Stream(list(range(6)), slow_s=0.02)
    with Ahead(in_step([reading(0, stream)], 1), depth=2) as ahead:
        for _ in ahead:
            time.sleep(0.2)
    assert 0.12 <= ahead.busy_s < 0.8


def test_an_error_in_the_thread_reaches_the_reader() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("lost")

    with Ahead(items(), depth=1) as ahead, pytest.raises(KeyError):
        assert list(ahead)


def test_batches_keep_order_and_all_items() -> None:
    assert list(batches(iter(range(7)), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batches(iter([]), 3)) == []


def test_quick_videos_go_on_while_order_waits_for_a_slow_one() -> None:
    last = threading.Event()

    def slow() -> Iterator[Frame]:
        assert last.wait(10), "the others waited for it"
        yield frame(0)

    def quick(told: threading.Event | None = None) -> Iterator[Frame]:
        if told is not None:
            told.set()
        yield frame(0)

    sample = [Sample(0, 0)]
    opens = [slow, quick, quick, lambda: quick(last)]
    taken = list(in_step([Reading(video, sample, one) for video, one in enumerate(opens)], 2))
    assert [(t.video, t.error) for t in taken] == [(0, None), (1, None), (2, None), (3, None)]
