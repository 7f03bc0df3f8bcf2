"""How well scores agree with people: the field's four figures, by data set and mode, beside other measures."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats
from scipy.optimize import OptimizeWarning, curve_fit

from ..judge import Judge
from .making import load_picture
from .tables import Sample

MEASURES = ("vmaf", "psnr", "ssim", "ms_ssim", "height")  # published columns shown beside ours, where a set has them


@dataclass(frozen=True)
class Agreement:
    """Figures of one measure on one set of rows. RMSE is in points of 100; NaN where rows are too few or all equal."""

    n: int
    srocc: float
    plcc: float
    krocc: float
    rmse: float


@dataclass(frozen=True)
class Judged:
    """A rated picture with our scores; `fr` is None where there is no reference."""

    sample: Sample
    nr: float
    fr: float | None


def agreement(scores: Sequence[float], mos: Sequence[float]) -> Agreement:
    """SROCC and KROCC as they are; PLCC and RMSE after the usual four-parameter logistic (VQEG), MOS on 0 to 100."""
    x, y = np.asarray(scores, float), 25 * (np.asarray(mos, float) - 1)
    if len(x) < 5 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Agreement(len(x), math.nan, math.nan, math.nan, math.nan)

    def curve(v: np.ndarray, low: float, high: float, middle: float, slope: float) -> np.ndarray:
        return low + (high - low) / (1 + np.exp(np.clip(-(v - middle) / (abs(slope) + 1e-9), -60, 60)))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)
            start = (y.min(), y.max(), np.median(x), np.std(x) / 2)
            fitted, _ = curve_fit(curve, x, y, p0=start, maxfev=20000)
        mapped = curve(x, *fitted)
    except RuntimeError:  # no fit found: the straight line is the honest remainder
        mapped = np.polyval(np.polyfit(x, y, 1), x)
    srocc, krocc = float(stats.spearmanr(x, y).statistic), float(stats.kendalltau(x, y).statistic)
    plcc = float(np.corrcoef(mapped, y)[0, 1]) if np.ptp(mapped) > 0 else math.nan
    return Agreement(len(x), srocc, plcc, krocc, float(np.sqrt(np.mean((mapped - y) ** 2))))


def judge_samples(
    judge: Judge, samples: Sequence[Sample], tell: Callable[[int], None] = lambda _: None
) -> list[Judged]:
    """Score rated pictures on their display raster; a reference shared by several rows is encoded once."""
    out: list[Judged] = []
    shown: tuple[object, object] = (None, None)
    for sample in sorted(samples, key=lambda s: (s.dataset, str(s.reference), str(s.image))):
        encoded = judge.encode([load_picture(sample.image, sample.display)])
        fr = None
        if sample.reference is not None:
            key = (sample.reference, sample.display)
            if shown[0] != key:
                shown = (key, judge.encode([load_picture(sample.reference, sample.display)]))
            fr = judge.fr(encoded, shown[1])[0]  # type: ignore[arg-type]  # set together with its key
        out.append(Judged(sample, judge.nr(encoded)[0], fr))
        tell(len(out))
    return out


@dataclass(frozen=True)
class Line:
    """One line of the printed table."""

    dataset: str
    mode: str  # which rows: "nr" all of the set, "fr" those with a reference
    measure: str
    agreement: Agreement


def compare_measures(judged: Iterable[Judged]) -> list[Line]:
    """Ours and the published measures on exactly the same rows, by data set and mode."""
    rows = list(judged)
    lines = []
    for dataset in sorted({j.sample.dataset for j in rows}):
        for mode in ("nr", "fr"):
            same = [j for j in rows if j.sample.dataset == dataset and (mode == "nr" or j.fr is not None)]
            if not same:
                continue
            mos = [j.sample.mos for j in same]
            ours = [j.nr if mode == "nr" else float(j.fr or 0.0) for j in same]
            lines.append(Line(dataset, mode, f"yoto {mode}", agreement(ours, mos)))
            for measure in MEASURES:
                if measure not in {k for j in same for k in j.sample.published}:
                    continue
                having = [j for j in same if measure in j.sample.published]
                figures = agreement([j.sample.published[measure] for j in having], [j.sample.mos for j in having])
                lines.append(Line(dataset, mode, measure, figures))
    return lines


def as_json(line: Line) -> dict[str, object]:
    """A line as a JSON object of `type` "agreement"; NaN as null."""
    figures = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(line.agreement).items()}
    return {"type": "agreement", "dataset": line.dataset, "mode": line.mode, "measure": line.measure, **figures}
