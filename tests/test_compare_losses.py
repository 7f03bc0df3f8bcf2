"""The pictures of where an encoder loses: of encodes that lose there, and none where no two show it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from yoto_video.pipeline.values import ClipResult
from yoto_video.reports.compare_time import LEAST_LOSS, Loss, losses, over_time

from .synthetic_results import result
from .test_compare import compared, encodes, side


def told(folder: Path, ours: list[ClipResult], theirs: list[ClipResult]) -> tuple[float, list[Loss]]:
    """The furthest that b falls behind, and the pictures of it."""
    there = compared({"a": side(folder / "a", ours), "b": side(folder / "b", theirs)})
    return float(min(over_time(there.titles[0], 0, 1)[1])), losses(there.titles, 0, 1)


def lowered(own: list[ClipResult], points: float, only: str = "") -> list[ClipResult]:
    """Encodes that look worse by these points: all, or the one of this rate."""
    return [
        result(one.clip, tuple(replace(f, score=f.score - points) for f in one.frames))
        if only in one.clip.path
        else one
        for one in own
    ]


def at_rates(own: list[ClipResult], *rates: float) -> list[ClipResult]:
    """The same pictures at other rates, two rows (NR and FR) each."""
    known = [rate for rate in rates for _ in range(2)]
    return [replace(r, clip=replace(r.clip, bitrate_kbps=kbps)) for r, kbps in zip(own, known, strict=True)]


def test_the_encode_that_makes_the_loss_is_shown(tmp_path: Path) -> None:
    """The others are as good as the anchor's, and as near to it in rate."""
    _, found = told(tmp_path, encodes("a", "sea"), lowered(encodes("b", "sea"), 25, only="_1000k"))
    assert found
    for loss in found:
        assert (loss.anchor.rate, loss.test.rate) == (1000, 1000)
        assert loss.anchor.scores[loss.anchor_frame] - loss.test.scores[loss.test_frame] > 24


def test_what_fewer_bits_explain_is_no_loss(tmp_path: Path) -> None:
    """Where b looks worse it is by less than its fewer bits are worth, but for one that looks awful."""
    rates = (200.0, 400.0, 800.0, 1600.0, 3200.0)  # 2.9 points below the anchor's, by their bits
    fair = at_rates(lowered(encodes("b", "sea"), 2.9), *rates)
    assert told(tmp_path / "fair", encodes("a", "sea"), fair)[1] == []
    _, found = told(tmp_path / "one", encodes("a", "sea"), lowered(fair, 20, only="_2000k"))
    assert {loss.test.rate for loss in found} == {1600}


def test_a_loss_that_no_two_encodes_show_has_no_picture(tmp_path: Path) -> None:
    anchor = at_rates(encodes("a", "sea"), 100, 400, 1600, 6400, 25600)
    test = at_rates(lowered(encodes("b", "sea"), 10), 200, 800, 3200, 12800, 51200)  # twice and half the anchor's
    worst, found = told(tmp_path, anchor, test)
    assert worst < -LEAST_LOSS
    assert found == []
    (tmp_path / "near").mkdir()
    _, found = told(tmp_path / "near", anchor, at_rates(test, 110, 440, 1760, 7040, 28160))
    assert found
    for loss in found:
        assert loss.test.scores[loss.test_frame] < loss.anchor.scores[loss.anchor_frame] - 8
