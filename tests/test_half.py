"""The encoder on a GPU: in 16 bits where scores stay what they are, and in passes that its memory holds."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from yoto_video.jobs.options import make_settings
from yoto_video.models import half, zoo
from yoto_video.models.judge import Judge
from yoto_video.pipeline.measure import measure_ladder
from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

from .clips import make
from .fakes import FakeJudge

MODEL = "yoto_mobilenetv2"
BF16 = torch.bfloat16


@pytest.fixture
def judge() -> Judge:
    """The default network as torch runs it."""
    return Judge.load(MODEL, device="cpu", export=False)


def scores(judge: Judge) -> list[float]:
    frames = [np.random.default_rng(i).integers(0, 256, (260, 300, 3), np.uint8) for i in range(3)]
    encoded = judge.encode(frames)
    return [*judge.nr(encoded), *judge.fr(encoded[1:], encoded[:-1])]


def test_a_cpu_computes_in_32_bits(judge: Judge) -> None:
    assert half.formats(torch.device("cpu")) == ()
    assert judge.runner.half is None


@pytest.mark.parametrize(("major", "found"), [(6, ()), (7, (torch.float16,)), (8, (torch.float16, BF16)), (12, 2)])
def test_formats_that_a_gpu_has_units_for(major: int, found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (major, 0))
    formats = half.formats(torch.device("cuda"))
    assert formats == found or len(formats) == found


def test_16_bits_that_move_scores_are_not_used(judge: Judge) -> None:
    before = scores(judge)
    said = half.settle(judge, [BF16])
    assert said is not None
    assert said.startswith("bfloat16 moves scores by ")
    assert judge.runner.half is None
    assert scores(judge) == before


def test_16_bits_within_the_tolerance_are(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    before = scores(judge)
    monkeypatch.setattr(half, "TOLERANCE", 10.0)
    assert half.settle(judge, [BF16]) is None
    assert judge.runner.half == BF16
    assert {m.dtype for m in judge.runner.maps(torch.zeros(1, 3, 224, 224, dtype=torch.uint8))} == {torch.float32}
    after = scores(judge)
    assert after != before  # it really computed in fewer bits
    assert after == pytest.approx(before, abs=10.0)


@pytest.mark.parametrize(("kind", "said"), [(None, "float32"), (torch.float16, "float16"), (BF16, "bfloat16")])
def test_on_a_gpu_the_engine_says_its_numbers(judge: Judge, kind: torch.dtype | None, said: str) -> None:
    assert judge.engine == f"torch {torch.__version__}"
    judge.runner.device, judge.runner.half = torch.device("cuda"), kind
    assert judge.engine == f"torch {torch.__version__}, {said}"


def test_numbers_too_large_for_a_format_are_noticed() -> None:
    class Overflowing(FakeJudge):
        runner: Any = SimpleNamespace(half=None)

        def nr(self, encoded: Sequence[Any]) -> list[float]:
            return [float("nan") if self.runner.half else 50.0] * len(encoded)

        def fr(self, encoded: Sequence[Any], references: Sequence[Any]) -> list[float]:
            return [50.0] * len(encoded)

    judge = Overflowing()
    assert half.settle(judge, [torch.float16]) == "float16 gives no scores"
    assert judge.runner.half is None


@pytest.mark.parametrize("error", [MemoryError("the GPU's"), torch.cuda.OutOfMemoryError("CUDA out of memory.")])
def test_a_gpu_that_is_full_already_is_a_sentence(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def settle(*_: object) -> None:
        raise error

    monkeypatch.setattr(half, "formats", lambda _: (torch.float16,))
    monkeypatch.setattr(half, "settle", settle)
    with pytest.raises(zoo.ModelError, match=r"^the memory of 'meta' is full; use --device cpu$"):
        Judge.load(MODEL, device="meta")


class Small:
    """A GPU's memory that holds so many crops."""

    def __init__(self, judge: Judge, crops: int) -> None:
        self._encode, self._crops = judge.network.encode, crops
        self.refused = 0
        self.passes: list[int] = []
        judge.network.encode = self

    def __call__(self, images: torch.Tensor) -> list[torch.Tensor]:
        if len(images) > self._crops:
            self.refused += 1
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        self.passes.append(len(images))
        maps: list[torch.Tensor] = self._encode(images)
        return maps


def test_what_does_not_fit_goes_in_smaller_passes_from_then_on(judge: Judge) -> None:
    judge.batch = 64
    before = scores(judge)
    small = Small(judge, crops=3)
    assert scores(judge) == pytest.approx(before, abs=1e-3)
    assert small.refused
    assert max(small.passes) <= 3
    refused = small.refused
    assert scores(judge) == pytest.approx(before, abs=1e-3)
    assert small.refused == refused  # remembered


def test_a_gpu_without_room_for_one_crop_is_said(judge: Judge, tmp_path: Any) -> None:
    Small(judge, crops=0)
    ref = VideoRef(str(make(tmp_path / "a.mp4", frames=4)))
    (row,) = measure_ladder(Ladder("a", (Rendition(ref),)), judge, make_settings(min_frames=2)).results
    assert (row.clip.status, row.clip.retryable) == ("failed", True)
    assert row.clip.reason is not None
    assert row.clip.reason.startswith("memory ran out while judging (the GPU's")
    assert "--workers" in row.clip.reason
