"""What recurs is recorded: the same numbers, without Python between the layers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from yoto_video.models import recorded
from yoto_video.models.judge import Judge
from yoto_video.models.layout import Layout
from yoto_video.models.recorded import OFTEN, Recorder

MODEL = "yoto_mobilenetv2"
HERE = (Layout((7, 7), (7, 7)),)


def doubled(_: tuple[Layout, ...], *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return tuple(2 * t for t in tensors)


def test_scores_are_the_same_to_the_last_bit() -> None:
    judge, plain = (Judge.load(MODEL, device="cpu", crops=4) for _ in range(2))
    plain.network.steps = recorded.plainly
    rng = np.random.default_rng(0)
    for number in range(OFTEN + 3):
        frames = [rng.integers(0, 256, (540, 700, 3), np.uint8) for _ in range(3)]
        turn = None if number % 2 else 0  # all of a frame's places, and half of them
        seen, other = (one.encode(frames, [turn] * 3) for one in (judge, plain))
        for mine, theirs in zip(
            (*judge.say(seen), *judge.say(seen[1:], seen[:-1])), (*plain.say(other), *plain.say(other[1:], other[:-1])),
            strict=True,
        ):  # fmt: skip
            assert torch.equal(mine.votes, theirs.votes)
            assert torch.equal(mine.weights, theirs.weights)
            assert mine.figures is not None
            assert theirs.figures is not None
            assert torch.equal(mine.figures, theirs.figures)
    assert judge.fallback is None
    recorder = judge.network.steps
    assert isinstance(recorder, Recorder)
    assert len(recorder.recorded) == 8  # four steps, each of two and of four places


def test_only_what_comes_often_is_recorded() -> None:
    recorder, calls = Recorder(), []

    def step(layouts: tuple[Layout, ...], *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        calls.append(len(tensors))
        return doubled(layouts, *tensors)

    for number in range(2 * OFTEN):
        assert recorder(step, HERE, torch.full((2,), float(number)))[0].tolist() == [2.0 * number] * 2
    assert len(calls) == OFTEN  # the last of them to be recorded
    assert recorder(step, HERE, torch.ones(3))[0].tolist() == [2.0] * 3  # of another size
    assert recorder(step, (Layout((8, 8), (8, 8)),), torch.ones(2))[0].tolist() == [2.0] * 2  # lies otherwise
    assert len(calls) == OFTEN + 2


def test_sizes_without_end_are_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MOST", 2)
    recorder = Recorder()
    for size in range(1, 6):
        for _ in range(OFTEN + 1):
            assert recorder(doubled, HERE, torch.ones(size))[0].tolist() == [2.0] * size
    assert len(recorder.recorded) == 2


def test_a_torch_that_cannot_record_is_said_and_no_other_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch._C, "_create_graph_by_tracing")
    recorder = Recorder()
    for _ in range(2 * OFTEN):
        assert recorder(doubled, HERE, torch.ones(2))[0].tolist() == [2.0, 2.0]
    assert recorder.trouble is not None
    assert recorder.trouble.startswith("torch cannot record its steps (")
    assert Judge.load(MODEL, device="cpu").fallback == recorder.trouble


def test_several_threads_may_ask() -> None:
    recorder = Recorder()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: recorder(doubled, HERE, torch.tensor([float(n)]))[0].item(), range(400)))
    assert found == [2.0 * n for n in range(400)]
    assert len(recorder.recorded) == 1
