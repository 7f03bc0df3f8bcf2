"""A ladder made here and judged: what the program does, without any data of anybody's."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..pipeline.encode import Rung, encode
from ..pipeline.errors import UsageError
from ..pipeline.settings import Settings
from ..pipeline.text import counted
from ..pipeline.values import ClipScore
from .output import print_ladder_table
from .request import Request
from .scan import scan
from .scenery import landscape
from .terminal import Terminal

SIZE, FRAMES, FPS = (1280, 720), 96, 24
NEAR = 1.5  # points of NR within which two rungs count as equal: what one cannot see, a network need not order

# A master and two ladders that any eye puts in order: within a codec every rung has more pixels or bits than the last.
Options = tuple[tuple[str, str], ...]
MASTER: tuple[str, Options] = ("libx264", (("preset", "superfast"), ("crf", "8")))
AVC = ((320, 180, 160), (640, 360, 500), (960, 540, 1300), (1280, 720, 3200))
HEVC = ((320, 180, 45), (640, 360, 330), (960, 540, 850), (1280, 720, 2100))


@dataclass(frozen=True)
class Verdict:
    """Whether the scores of one mode rise with the rungs of each codec."""

    mode: str
    pairs: int
    wrong: list[str]  # a sentence for each pair in the wrong order
    ties: int  # pairs the other way round, but nearer than NEAR


def demo(out: str, *, workers: int | None = None, command: str = "yoto-video demo") -> int:
    """Make the ladder below `out`, scan it, print a table and the report's path; the exit code says if FR is in order.

    Raises:
        UsageError: `out` cannot be written to.
        YotoVideoError: encoding or scanning failed.
    """
    began = time.perf_counter()
    folder = Path(out)
    ladder = folder / "ladder"
    if not (ladder / "done").exists():
        print("drawing a landscape and encoding it in two codecs ...", file=sys.stderr, flush=True)
        make_ladder(ladder)
        print(f"made {ladder} in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    result = scan(
        Request(
            str(ladder), str(folder / "results"), Settings(worst_frames=1), workers=workers or 0, command=command
        ),
        Terminal(),
    )  # fmt: skip
    print_ladder_table(result.clips)
    print()
    verdicts = [judge_order(result.clips, mode) for mode in ("fr", "nr")]
    for verdict in verdicts:
        print(sentence(verdict))
    print(f"{time.perf_counter() - began:.0f} s in all; the report:")
    print(result.report)
    return 1 if verdicts[0].wrong or not verdicts[0].pairs else 0


def make_ladder(folder: Path) -> None:
    """Draw the source and encode its master and all rungs in one pass.

    Raises:
        UsageError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "done").touch()
        (folder / "done").unlink()
    except OSError as error:
        raise UsageError(f"{folder}: cannot write there ({error.strerror}); choose another --out") from None
    encoder, options = MASTER
    rungs = [Rung(folder / "landscape_master.mp4", encoder, *SIZE, options=options)]
    avc: Options = (("preset", "veryfast"),)
    hevc: Options = (("preset", "superfast"), ("x265-params", "log-level=none"))
    for name, encoder, sizes, options in (("h264", "libx264", AVC, avc), ("hevc", "libx265", HEVC, hevc)):
        for width, height, kbps in sizes:
            file = folder / f"landscape_{height}p_{kbps}k_{name}.mp4"
            rungs.append(Rung(file, encoder, width, height, kbps, options))
    encode(landscape(*SIZE, FRAMES), rungs, fps=FPS)
    (folder / "done").touch()


def judge_order(clips: Sequence[ClipScore], mode: str) -> Verdict:
    """Compare every two neighbouring rungs of a codec: the one with more bits must have the higher score."""
    wrong, pairs, ties = [], 0, 0
    scored = [c for c in clips if c.mode == mode and c.score is not None and not c.is_master]
    for codec in sorted({clip.codec or "" for clip in scored}):
        rungs = sorted((c for c in scored if c.codec == codec), key=lambda c: c.bitrate_kbps or 0.0)
        for low, high in itertools.pairwise(rungs):
            pairs += 1
            assert low.score is not None
            assert high.score is not None
            if high.score > low.score:
                continue
            if mode == "nr" and low.score - high.score < NEAR:
                ties += 1
                continue
            names = [clip.path.rsplit("/", 1)[-1] for clip in (high, low)]
            wrong.append(f"{names[0]} ({high.score:.1f}) below {names[1]} ({low.score:.1f})")
    return Verdict(mode, pairs, wrong, ties)


def sentence(verdict: Verdict) -> str:
    """The verdict for people."""
    mode = verdict.mode.upper()
    near = f", {verdict.ties} of them near ties" if verdict.ties else ""
    if verdict.wrong:
        return f"{mode} does not order the ladder: {'; '.join(verdict.wrong)}"
    return f"{mode} orders the ladder correctly: {counted(verdict.pairs, 'pair')} of neighbouring rungs{near}"
