"""The sanity suite: that it finds what is wrong with a judge, and what it finds wrong with the default network."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from yoto_video.jobs import cli, sanity
from yoto_video.models.judge import Judge
from yoto_video.models.own_raster import Part
from yoto_video.models.training.harm import HARMS, STEPS, compressed, harmed
from yoto_video.models.training.sanity import Check, examine, rules

from .fakes import FakeJudge


class Sound(FakeJudge):
    """Keeps every rule: FR is PSNR between 10 and 60 dB, NR is FR against a memory of the good picture."""

    batch = 8

    def __init__(self, good: Sequence[Any]) -> None:
        super().__init__()
        self.good = [self.encode([g])[0] for g in good]
        self.good += [g[:, ::-1] for g in self.good]

    def encode(self, frames: Sequence[Any]) -> list[Any]:
        return [f.astype(np.float64) for f in frames]

    def nr(self, encoded: Sequence[Any]) -> list[float]:
        shown = [x[x.any((1, 2))] for x in encoded]  # without bars
        return [max((self.one(x, g) for g in self.good if g.shape == x.shape), default=50.0) for x in shown]

    def fr(self, encoded: Sequence[Any], references: Sequence[Any]) -> list[float]:
        return [self.one(x, y) for x, y in zip(encoded, references, strict=True)]

    def one(self, x: Any, y: Any) -> float:
        psnr = 20 * math.log10(255 / max(1e-3, float(np.sqrt(np.mean((x - y) ** 2)))))
        return min(100.0, max(0.0, 2 * (psnr - 10)))


class Unsound(Sound):
    """Breaks one rule."""

    def __init__(self, good: Sequence[Any], flaw: str) -> None:
        super().__init__(good)
        self.flaw = flaw

    def nr(self, encoded: Sequence[Any]) -> list[float]:
        if self.flaw == "flat_frames":
            return [math.nan if np.ptp(x) == 0 else 50.0 for x in encoded]
        if self.flaw == "batch_and_threads":
            return [s + 0.1 * self.batch + torch.get_num_threads() for s in super().nr(encoded)]
        if self.flaw == "mirrored":
            return [float(x[:, : x.shape[1] // 4].mean()) / 3 for x in encoded]
        return [100 - s if self.flaw == "compression_nr" else s for s in super().nr(encoded)]

    def own(self, pictures: Sequence[Any], octaves: Sequence[float]) -> list[Any]:
        parts = super().own(pictures, octaves)
        return [Part(1.0, 20.0 * step) for step in range(len(parts))] if self.flaw == "enlarged_nr" else parts

    def one(self, x: Any, y: Any) -> float:
        score = super().one(x, y)
        if self.flaw == "compression_fr":
            return 100 - score
        if self.flaw == "perfect_copy_fr":
            return min(score, 99.0)
        if self.flaw == "letterbox":
            return score - 50 * float((x == 0).all((1, 2)).mean())
        rises = {
            "brightness_fr": lambda: float(x.mean() > y.mean() + 20),
            "contrast_fr": lambda: float(x.std() > 1.25 * y.std() and abs(x.mean() - y.mean()) < 12),
            "noise_fr": lambda: float(self.rough(x) > 1.2 * self.rough(y) + 8),
            "sharpening_fr": lambda: float(self.rough(x) > 1.2 * self.rough(y) + 8),
            "blur_fr": lambda: float(self.rough(x) < 0.5 * self.rough(y)),
            "blocking_fr": lambda: float(np.abs(x[:8, :8] - x[:8, :8].mean((0, 1))).max() < 2),
        }  # fmt: skip
        return score + 100 * rises[self.flaw]() if self.flaw in rises else score

    @staticmethod
    def rough(x: Any) -> float:
        return float(np.abs(np.diff(x, axis=1)).mean())


def scene() -> np.ndarray:
    """Hills and houses, small enough for four encoders and two dozen harms in a second."""
    return next(iter(sanity.drawn(1).values()))[150:278, 200:392]


def test_a_sound_judge_passes_every_check() -> None:
    picture = scene()
    checks = examine(Sound([picture]), {"scene": picture})  # type: ignore[arg-type]
    assert {c.name: c.where for c in checks if not c.passed} == {}
    assert [c.name for c in checks] == list(rules())
    assert all(c.compared > 0 for c in checks)


@pytest.mark.parametrize("flaw", list(rules()))
def test_each_flaw_is_found_by_its_check(flaw: str) -> None:
    picture = scene()
    checks = {c.name: c for c in examine(Unsound([picture], flaw), {"scene": picture})}  # type: ignore[arg-type]
    assert not checks[flaw].passed
    assert checks[flaw].broken > 0
    assert checks[flaw].worst > checks[flaw].allowed
    assert checks[flaw].where


def test_the_judge_is_left_as_it_was() -> None:
    picture, threads = scene(), torch.get_num_threads()
    judge = Sound([picture])
    examine(judge, {"scene": picture})  # type: ignore[arg-type]
    assert (judge.batch, torch.get_num_threads()) == (8, threads)


def test_harms_grow_step_by_step() -> None:
    picture = scene()
    chains = compressed(picture) | {k: v for kind in HARMS for k, v in harmed(picture, kind).items()}
    for name, versions in chains.items():
        assert len(versions) == STEPS, name
        harm = [float(((v.astype(float) - picture) ** 2).mean()) for v in [picture, *versions]]
        assert all(a < b for a, b in pairwise(harm)), f"{name}: {harm}"
        assert all(v.shape == picture.shape and v.dtype == np.uint8 for v in versions), name


def test_a_check_needs_comparisons_and_numbers() -> None:
    check = Check("c", "r", allowed=1.0)
    assert not check.passed
    check.at_most(50.5, 50.0, "a")
    assert check.passed
    assert (check.worst, check.where) == (0.5, "a: 50.5 above 50.0")
    check.alike(math.nan, 1.0, "b")
    assert not check.passed
    assert math.isinf(check.worst)


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = scene()
    good = {"scene": picture}
    monkeypatch.setattr(sanity, "drawn", lambda _: good)
    monkeypatch.setenv("YOTO_DATA", str(tmp_path / "none"))
    monkeypatch.setattr(Judge, "load", lambda *_, **__: Sound([picture]))
    assert cli.main(["evaluate", "--sanity", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    objects = [json.loads(line) for line in out.splitlines()]
    assert {o["type"] for o in objects[:-1]} == {"check"}
    assert [o["name"] for o in objects[:-1]] == list(rules())
    assert objects[-1] | {"type": "sanity", "passed": True, "failed": [], "model": "fake"} == objects[-1]
    assert "on drawn pictures alone" in err

    monkeypatch.setattr(Judge, "load", lambda *_, **__: Unsound([picture], "flat_frames"))
    assert cli.main(["evaluate", "--sanity", "--format", "json"]) == 3
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["type"] == "sanity"
    assert last["passed"] is False
    assert "flat_frames" in last["failed"]
    assert cli.main(["evaluate", "--sanity"]) == 3
    assert "failed: " in capsys.readouterr().out

    for words, sentence in (
        (["--data", str(tmp_path / "none")], "no such data folder"),
        (["--data", str(tmp_path)], "has none of the folders"),
        (["--out", "x.csv"], "takes no --out"),
    ):
        assert cli.main(["evaluate", "--sanity", *words]) == 2
        assert sentence in capsys.readouterr().err


@pytest.fixture(scope="module")
def default_network(data_dir: Path) -> dict[str, Check]:
    """The shipped network on the photograph of the suite that it finds hardest: all eight take minutes."""
    judge = Judge.load("yoto_mobilenetv2", device="cpu")
    pictures = {k: v for k, v in sanity.photographs(str(data_dir)).items() if k.startswith("wallpapers/")}
    assert len(pictures) == 1
    return {check.name: check for check in examine(judge, pictures)}


@pytest.mark.timeout(1200)  # a quarter of a minute of a free processor, all of it before the first of them
@pytest.mark.parametrize("name", rules())
def test_the_default_network_passes(name: str, default_network: dict[str, Check]) -> None:
    check = default_network[name]
    assert check.passed, f"{check.rule}: {check.broken} of {check.compared} broken; worst {check.where}"
