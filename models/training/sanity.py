"""What any judge of pictures must get right, whatever people say: rules that need no opinions, only pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import torch

from ..encoded import Encoded
from ..judge import Judge
from .distortions import Picture, resize
from .harm import HARMS, compressed, flat, harmed, jpeg, letterboxed

NEAR_TIE = 2.0  # points of 100; NR scores closer than this are a tie
NOTICED = 5.0  # points: a change that moves "little" moves less
BAD = 20.0  # points: "bad" on the five-point scale, with half a step of room
MIDDLING = 25  # JPEG quality
EXACT = 0.01  # points: what rounding in another order of sums may do


@dataclass
class Check:
    """A rule, and how often and how badly it was broken."""

    name: str
    rule: str
    allowed: float  # points by which a comparison may miss
    compared: int = 0
    broken: int = 0
    worst: float = 0.0  # points by which the rule was missed most; infinite for a score that is no number
    where: str = ""  # picture and comparison of the worst

    @property
    def passed(self) -> bool:
        """Whether every comparison kept the rule; one that was never made is not kept."""
        return self.compared > 0 and self.broken == 0

    def note(self, missed_by: float, where: str) -> None:
        """Take down a comparison; below 0 it was won with room to spare."""
        missed_by = math.inf if math.isnan(missed_by) else missed_by
        self.compared += 1
        self.broken += missed_by > self.allowed
        if missed_by > self.worst:
            self.worst, self.where = missed_by, where

    def alike(self, one: float, other: float, where: str) -> None:
        """Take down two scores that should be equal."""
        self.note(abs(one - other), f"{where}: {one:.1f} and {other:.1f}")

    def at_most(self, score: float, bound: float, where: str) -> None:
        """Take down a score that should not lie above another."""
        self.note(score - bound, f"{where}: {score:.1f} above {bound:.1f}")


def rules() -> dict[str, Check]:
    """Every check of the suite by name, nothing compared yet."""
    checks = [
        Check("compression_fr", "more compression never scores higher in FR (all pairs of a codec)", 0.0),
        Check("compression_nr", f"the same in NR, but for near ties of {NEAR_TIE:g}", NEAR_TIE),
        Check("enlarged_nr", "the same in NR where they are shown twice as large as they are stored", NEAR_TIE),
        Check("perfect_copy_fr", "a perfect copy scores 100 in FR", EXACT),
        *(
            Check(f"{kind}_fr", f"{kind} never lifts FR above the perfect copy, nor above a weaker dose", NEAR_TIE / 4)
            for kind in HARMS
        ),
        Check("mirrored", "mirrored frames score alike", NOTICED),
        Check("letterbox", "black bars above and below move scores little", NOTICED),
        Check("flat_frames", f"flat frames: 0 to 100, FR 100 as a copy, below {BAD:g} in place of a photograph", EXACT),
        Check("batch_and_threads", "scores do not depend on how many frames or threads go at once", EXACT),
    ]  # fmt: skip
    return {check.name: check for check in checks}


def examine(judge: Judge, pictures: Mapping[str, Picture], tell: Callable[[str], None] = lambda _: None) -> list[Check]:
    """Put a judge through every check on good pictures, (H, W, 3) uint8 by name.

    Args:
        judge: the network.
        pictures: at least one; about 300 to 2000 pixels a side.
        tell: takes each picture's name when it is done.
    """
    checks = rules()
    for name, picture in pictures.items():
        master = judge.encode([picture])[0]
        _orders(judge, checks, name, picture, master)
        _alike(judge, checks, name, picture, master)
        _flat(judge, checks, name, picture, master)
        tell(name)
    _independence(judge, checks["batch_and_threads"], list(pictures.values()))
    return list(checks.values())


def _scores(judge: Judge, pictures: Sequence[Picture], master: Encoded) -> tuple[list[float], list[float]]:
    """NR and FR of pictures with one reference."""
    encoded = judge.encode(pictures)
    return judge.nr(encoded), judge.fr(encoded, [master] * len(pictures))


def _orders(judge: Judge, checks: Mapping[str, Check], name: str, picture: Picture, master: Encoded) -> None:
    copy = judge.fr([master], [master])[0]
    checks["perfect_copy_fr"].alike(copy, 100.0, f"{name}, itself")
    for codec, versions in compressed(picture).items():
        nr, fr = _scores(judge, versions, master)
        twice = [resize(v, (2 * v.shape[1], 2 * v.shape[0])) for v in versions]
        parts = judge.own(versions, [1.0] * len(versions))
        larger = [part.blended(shown) for part, shown in zip(parts, judge.nr(judge.encode(twice)), strict=True)]
        for weak, strong in combinations(range(len(versions)), 2):
            where = f"{name}, {codec} step {strong + 1} over {weak + 1}"
            checks["compression_fr"].at_most(fr[strong], fr[weak], where)
            checks["compression_nr"].at_most(nr[strong], nr[weak], where)
            checks["enlarged_nr"].at_most(larger[strong], larger[weak], where)
    for kind in HARMS:
        check = checks[f"{kind}_fr"]
        for chain, versions in harmed(picture, kind).items():
            fr = [copy, *judge.fr(judge.encode(versions), [master] * len(versions))]
            for step, (weaker, stronger) in enumerate(pairwise(fr), 1):
                check.at_most(stronger, weaker, f"{name}, {chain} step {step} over {step - 1 or 'the copy'}")
                check.at_most(stronger, copy, f"{name}, {chain} step {step} over the copy")


def _alike(judge: Judge, checks: Mapping[str, Check], name: str, picture: Picture, master: Encoded) -> None:
    shown = {"the good picture": picture, "a compressed one": jpeg(picture, MIDDLING)}
    scores = _scores(judge, list(shown.values()), master)
    for check, change in (("mirrored", _mirrored), ("letterbox", letterboxed)):
        changed = _scores(judge, [change(p) for p in shown.values()], judge.encode([change(picture)])[0])
        for mode, before, after in zip(("NR", "FR"), scores, changed, strict=True):
            for what, one, other in zip(shown, before, after, strict=True):
                checks[check].alike(one, other, f"{name}, {mode} of {what}")


def _mirrored(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[:, ::-1])


def _flat(judge: Judge, checks: Mapping[str, Check], name: str, picture: Picture, master: Encoded) -> None:
    check = checks["flat_frames"]
    height, width = picture.shape[:2]
    for level in (0, 128, 255):
        frame = judge.encode([flat(height, width, level)])
        where = f"{name}'s size, level {level}"
        alone = judge.nr(frame)[0]
        check.note(max(alone - 100, -alone), f"{where}: NR {alone:.1f}")
        check.at_most(judge.fr(frame, [master])[0], BAD, f"{where}, FR in place of the photograph")
        check.alike(judge.fr(frame, frame)[0], 100.0, f"{where}, FR of itself")


def _independence(judge: Judge, check: Check, pictures: Sequence[Picture]) -> None:
    """One frame at a time and one crop a batch on one thread, against all at once on two."""
    pictures = pictures[:2]
    shown = [jpeg(p, MIDDLING) for p in pictures]
    with _running(judge, batch=1, threads=1):
        alone = [_scores(judge, [x], judge.encode([y])[0]) for x, y in zip(shown, pictures, strict=True)]
    for batch, threads in ((judge.batch, 1), (judge.batch, 2), (3, 2)):
        with _running(judge, batch=batch, threads=threads):
            encoded, masters = judge.encode(shown), judge.encode(pictures)
            together = zip(judge.nr(encoded), judge.fr(encoded, masters), strict=True)
        for (nr, fr), (nr_alone, fr_alone) in zip(together, alone, strict=True):
            check.alike(nr, nr_alone[0], f"NR, batches of {batch} on {threads} threads")
            check.alike(fr, fr_alone[0], f"FR, batches of {batch} on {threads} threads")


@contextmanager
def _running(judge: Judge, *, batch: int, threads: int) -> Iterator[None]:
    before = judge.batch, torch.get_num_threads()
    judge.batch = batch
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        judge.batch = before[0]
        torch.set_num_threads(before[1])
