"""Judge rated pictures and say how well scores agree with people, beside other measures on exactly the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from ..encoded import Encoded
from ..judge import Judge
from ..own_raster import octaves
from . import peers
from .correlation import Agreement, agreement, intervals, split_median
from .distortions import Picture
from .making import load_picture
from .scale import Bin, Noticed, calibration, noticed
from .tables import NOT_A_PICTURE, Sample, Skipped

PUBLISHED = ("vmaf", "psnr", "ssim", "ms_ssim")  # a data set's own whole-video or whole-picture figures
UNSUITED = "its weights do not suit this picture, try another --model"
COMPUTED = ("psnr", "ssim", "ms_ssim", "brisque", "niqe")  # from the same pixels that we judged


@dataclass(frozen=True)
class Judged:
    """A rated picture with our scores; `fr` is None where there is no reference, or one of another picture."""

    sample: Sample
    nr: float
    fr: float | None
    peers: dict[str, float] = field(default_factory=dict)  # other measures by name
    foreign: bool = False  # its reference shows another picture

    @property
    def not_compared(self) -> str | None:
        """A sentence where it has a reference and was not compared with it."""
        reference = self.sample.reference
        if reference is None or not self.foreign:
            return None
        return (
            f"not compared with its reference {reference.name}: they do not show the same picture; name the right one"
        )


def judge_samples(
    judge: Judge,
    samples: Sequence[Sample],
    tell: Callable[[int], None] = lambda _: None,
    *,
    scaled: Callable[[Picture, tuple[int, int]], Picture],
    with_peers: bool = False,
    is_foreign: Callable[[Picture, Picture], bool] = lambda *_: False,
) -> tuple[list[Judged], list[Skipped]]:
    """Score rated pictures on their display raster; a reference shared by several rows is encoded once.

    Args:
        judge: the network.
        samples: what to judge.
        tell: takes the number of pictures done.
        scaled: brings a picture to a display raster (width, height), as scoring does; DataError or ValueError, a
            sentence, where it cannot. Training does it with Pillow,
            and is left at that: the shipped weights learnt so. Their scores were seen to be up to 1.3 points apart.
        with_peers: whether to compute `COMPUTED`, too, beside the network in a thread of their own.
        is_foreign: asked of a picture and its reference, whether they show different things; then `fr` is None, and
            the reference's size decides nothing.

    Returns:
        What was judged, and what was not because its pixels or its reference's cannot be read, or because the network
        gave no number.
    """
    out: list[tuple[Sample, float, float | None, bool, Future[dict[str, float]] | None]] = []
    skipped: list[Skipped] = []
    shown: tuple[object, Picture, Encoded] | None = None
    with ThreadPoolExecutor(1) as aside:
        for done, sample in enumerate(sorted(samples, key=lambda s: (s.dataset, str(s.reference), str(s.image))), 1):
            try:
                stored = load_picture(sample.image)
                picture, reference = scaled(stored, sample.display), None
                key = (sample.reference, sample.display)
                if sample.reference is not None and (shown is None or shown[0] != key):
                    reference = scaled(load_picture(sample.reference), sample.display)
            except NOT_A_PICTURE as error:
                skipped.append(Skipped(sample.image, str(error)))
                tell(done)
                continue
            if sample.reference is None:
                shown = None
            elif reference is not None:
                shown = (key, reference, judge.encode([reference])[0])
            foreign = shown is not None and is_foreign(picture, shown[1])
            beside = None if foreign else shown
            if foreign and sample.as_reference:
                picture = stored
            encoded = judge.encode([picture])
            larger = octaves((stored.shape[1], stored.shape[0]), (picture.shape[1], picture.shape[0]))
            nr = judge.own([stored], [larger])[0].blended(judge.nr(encoded)[0])
            fr = None if beside is None else judge.fr(encoded, [beside[2]])[0]
            none = [f"{score}, {mode}" for score, mode in ((nr, "nr"), (fr, "fr")) if not math.isfinite(score or 0.0)]
            if none:
                skipped.append(Skipped(sample.image, f"the network gave no number ({none[0]}): {UNSUITED}"))
                tell(done)
                continue
            asked = aside.submit(peers.measure, picture, beside[1] if beside else None) if with_peers else None
            out.append((sample, nr, fr, foreign, asked))
            if len(out) > 2 and (earlier := out[-3][4]) is not None:
                earlier.result()  # so that no more than a few pictures wait in memory
            tell(done)
    return [Judged(s, nr, fr, asked.result() if asked else {}, foreign) for s, nr, fr, foreign, asked in out], skipped


@dataclass(frozen=True)
class Line:
    """One measure on one set of rows."""

    dataset: str
    mode: str  # which rows: "nr" all, "fr" those with a reference
    group: str | None  # codec, distortion or test; None: all of the set
    measure: str
    agreement: Agreement
    ci95: dict[str, tuple[float, float]] | None  # of each figure, by content
    splits: Agreement | None  # medians over the test parts of ten splits by content


def compare_measures(judged: Iterable[Judged]) -> list[Line]:
    """Ours, computed and published measures on exactly the same rows, by data set, mode and group."""
    rows = list(judged)
    lines = []
    for dataset in sorted({j.sample.dataset for j in rows}):
        for mode in ("nr", "fr"):
            same = [j for j in rows if j.sample.dataset == dataset and (mode == "nr" or j.fr is not None)]
            groups = sorted({j.sample.group for j in same})
            for group in [None, *(groups if len(groups) > 1 else [])]:
                part = [j for j in same if group in (None, j.sample.group)]
                for measure, values in _measures(part, mode).items():
                    lines.append(_line(dataset, mode, group, measure, values, part))
    return lines


def _line(
    dataset: str, mode: str, group: str | None, measure: str, values: Sequence[float | None], rows: Sequence[Judged]
) -> Line:
    """The figures of one measure, `values` of it for these rows; rows without one are left out."""
    having = [(v, j.sample) for v, j in zip(values, rows, strict=True) if v is not None]
    scores, mos, contents = [v for v, _ in having], [s.mos for _, s in having], [s.content for _, s in having]
    ci95 = intervals(scores, mos, contents) if having else None
    splits = split_median(scores, mos, contents) if group is None else None
    return Line(dataset, mode, group, measure, agreement(scores, mos), ci95, splits)


def _measures(rows: Sequence[Judged], mode: str) -> dict[str, list[float | None]]:
    """Values by measure for these rows; a measure that none of them has is left out."""
    found: dict[str, list[float | None]] = {f"yoto {mode}": [j.nr if mode == "nr" else j.fr for j in rows]}
    found |= {name: [j.peers.get(name) for j in rows] for name in COMPUTED}
    found |= {f"published {name}": [j.sample.published.get(name) for j in rows] for name in PUBLISHED}
    found["height"] = [j.sample.published.get("height") for j in rows]
    # What other people said of the same pictures: more agreement than that is not to be had.
    found["another panel"] = [j.sample.published.get("crowd_mos") for j in rows]
    return {name: values for name, values in found.items() if any(v is not None for v in values)}


@dataclass(frozen=True)
class Meaning:
    """What our scores of one data set and mode mean."""

    dataset: str
    mode: str
    bins: list[Bin]
    noticed: Noticed | None


def meaning(judged: Iterable[Judged]) -> list[Meaning]:
    """Calibration and noticed differences, by data set and mode."""
    rows, out = list(judged), []
    for dataset in sorted({j.sample.dataset for j in rows}):
        for mode in ("nr", "fr"):
            having = [(j.nr if mode == "nr" else j.fr, j.sample) for j in rows if j.sample.dataset == dataset]
            scores = [score for score, _ in having if score is not None]
            samples = [sample for score, sample in having if score is not None]
            if scores:
                found = noticed(scores, samples)
                out.append(Meaning(dataset, mode, calibration(scores, [s.mos for s in samples]), found))
    return out


def finite(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures for JSON; NaN as null."""
    return {k: _known(v) for k, v in figures.items()}


def plain(figures: Agreement | None) -> dict[str, Any] | None:
    """An agreement's figures for JSON."""
    return None if figures is None else finite(asdict(figures))


def plain_intervals(ci95: dict[str, tuple[float, float]] | None) -> dict[str, list[float | None]] | None:
    """Intervals for JSON; NaN as null."""
    return None if ci95 is None else {name: [_known(low), _known(high)] for name, (low, high) in ci95.items()}


def as_json(line: Line) -> dict[str, object]:
    """A line as a JSON object of `type` "agreement"."""
    where = {"dataset": line.dataset, "mode": line.mode, "group": line.group, "measure": line.measure}
    figures = plain(line.agreement) or {}
    return {"type": "agreement", **where, **figures, "ci95": plain_intervals(line.ci95), "splits": plain(line.splits)}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
