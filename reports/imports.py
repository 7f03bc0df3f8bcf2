"""Scores of other measures beside ours, and the map that carries a threshold of theirs over to ours.

Read are logs of libvmaf (JSON), of ffmpeg-quality-metrics (JSON) and per-frame reports of AWS Elemental MediaConvert
(CSV, NAME_VMAF.csv: a frame's number and its value a line, a summary at the end).
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression
from scipy.stats import spearmanr

from ..pipeline.errors import UsageError
from .compare import SEED
from .titles import Encode

Floats = NDArray[np.float64]
METRICS = re.compile(r"(float_)?(vmaf|psnr|ssim|ms_ssim|xpsnr|psnr_hvs|cambi|ciede2000|vif)(_.*)?", re.IGNORECASE)
_PLANES = re.compile(r".*_(u|v|cb|cr)", re.IGNORECASE)
LEAST = 4  # encodes a map is fitted to
DRAWS = 400
VMAF_THRESHOLDS = (60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 93.0, 95.0, 97.0)  # those people use


@dataclass(frozen=True)
class Imported:
    """A measure's mean over one video. `video` is what the log calls it, or else is called itself, without ending."""

    file: Path
    video: str
    metric: str
    score: float


@dataclass(frozen=True)
class Map:
    """How a measure and ours go together over the encodes that have both.

    Attributes:
        pairs: (encode, its label, their score) of each.
        knots: (their score, ours) that the monotone map goes through.
        rows: (their threshold, ours, low, high): 95 % interval over the titles, None where it cannot be told.
        srocc: rank correlation.
        rmse: of ours around the map, points.
    """

    metric: str
    mode: str
    pairs: list[tuple[Encode, str, float]]
    knots: list[tuple[float, float]]
    rows: list[tuple[float, float, float | None, float | None]]
    srocc: float
    rmse: float


def read_imports(paths: Sequence[str]) -> list[Imported]:
    """All scores in these files, and in the .json and .csv files of these folders.

    Raises:
        UsageError: a path is not there, or a file named is none of the known logs.
    """
    found: list[Imported] = []
    for text in paths:
        path = Path(text).expanduser().absolute()
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.suffix.lower() in (".json", ".csv") and p.is_file())
            if not files:
                raise UsageError(f"--import {text}: holds no .json or .csv file; give logs of libvmaf or the like")
        elif path.is_file():
            files = [path]
        else:
            raise UsageError(f"--import {text}: no such file or folder")
        for file in files:
            found += _read(file)
    return found


def _read(file: Path) -> list[Imported]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() == ".csv":
            return list(_media_convert(file, text))
        log = json.loads(text)
        if not isinstance(log, dict):
            raise ValueError
        own = list(_libvmaf(file, log) if "frames" in log or "pooled_metrics" in log else _quality_metrics(file, log))
    except OSError as error:
        raise UsageError(f"--import {file}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        own = []
    if not own:
        raise UsageError(
            f"--import {file}: is no log of libvmaf or ffmpeg-quality-metrics (JSON), or per-frame report of "
            "MediaConvert (CSV)"
        )
    return own


def _libvmaf(file: Path, log: Mapping[str, Any]) -> Iterator[Imported]:
    by_metric: dict[str, list[float]] = {}
    for frame in log.get("frames", ()):
        for metric, value in frame["metrics"].items():
            by_metric.setdefault(metric, []).append(float(value))
    means = {m: float(np.mean(v)) for m, v in by_metric.items()}
    means |= {m: float(p["mean"]) for m, p in log.get("pooled_metrics", {}).items()}
    yield from _kept(file, _stem(file.name), means)


def _quality_metrics(file: Path, log: Mapping[str, Any]) -> Iterator[Imported]:
    means: dict[str, float] = {}
    for frames in (log[k] for k in ("vmaf", "psnr", "ssim", "vif", "msad") if isinstance(log.get(k), list)):
        for metric in frames[0] if frames else ():
            if metric != "n":
                means[metric] = float(np.mean([float(f[metric]) for f in frames]))
    for group in log.get("global", {}).values():
        means |= {m: float(stats["average"]) for m, stats in group.items()}
    means = {m.removesuffix("_avg"): v for m, v in means.items()}
    named = log.get("input_file_dist")
    yield from _kept(file, str(named) if named else _stem(file.name), means)


def _media_convert(file: Path, text: str) -> Iterator[Imported]:
    rows = [row for row in csv.reader(text.splitlines()) if len(row) >= 2]
    values = [float(row[1]) for row in rows if row[0].strip().isdigit()]
    name, _, metric = file.stem.rpartition("_")
    for long in ("MS_SSIM", "PSNR_HVS"):
        if file.stem.upper().endswith(f"_{long}"):
            name, metric = file.stem[: -len(long) - 1], long
    if not values or not METRICS.fullmatch(metric):
        raise UsageError(
            f"--import {file}: is no per-frame report of MediaConvert: its name ends with the measure "
            "(NAME_VMAF.csv), its lines hold a frame's number and its value"
        )
    yield from _kept(file, name, {metric.lower(): float(np.mean(values))})


def _kept(file: Path, video: str, means: Mapping[str, float]) -> Iterator[Imported]:
    for metric, score in means.items():
        if METRICS.fullmatch(metric) and not _PLANES.fullmatch(metric) and math.isfinite(score):
            yield Imported(file, video, metric.lower().removeprefix("float_"), score)


def _stem(name: str) -> str:
    """The video's name in a log's: title_crf22.mp4.vmaf.json, title_crf22_vmaf.json, title_crf22.json."""
    base = re.sub(r"\.(json|csv)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"[._-](vmaf|libvmaf|metrics|quality)$", "", base, flags=re.IGNORECASE)


def match(
    imported: Sequence[Imported], encodes: Sequence[tuple[Encode, str]]
) -> tuple[dict[str, list[tuple[Encode, str, float]]], list[str]]:
    """By measure, (encode, label, score) of each log; and the logs that fit no encode, or several, a sentence each.

    A log belongs to the encode of its name; where several sides have it, to the one whose folder or label is in the
    log's own path.
    """
    by_stem: dict[str, list[tuple[Encode, str]]] = {}
    for encode, label in encodes:
        name = PurePosixPath(encode.row.path).name
        for key in {name, PurePosixPath(name).stem}:
            by_stem.setdefault(key, []).append((encode, label))
    found: dict[str, list[tuple[Encode, str, float]]] = {}
    lost: dict[Path, str] = {}
    for one in imported:
        video = PurePosixPath(one.video.replace("\\", "/"))
        near = by_stem.get(video.name) or by_stem.get(video.stem) or []
        parts = {*one.file.parent.parts, *video.parts[:-1]}
        rank = [len(parts & {*PurePosixPath(e.row.path).parent.parts, label}) for e, label in near]
        best = [pair for pair, r in zip(near, rank, strict=True) if r == max(rank)]
        if len(best) == 1:
            found.setdefault(one.metric, []).append((*best[0], one.score))
        else:
            why = f"fits {len(best)} encodes equally well" if best else "there is no encode of this name"
            lost[one.file] = f"{one.file.name}: {why}"
    return found, sorted(lost.values())


def fit(metric: str, mode: str, pairs: Sequence[tuple[Encode, str, float]], title_of: Mapping[str, str]) -> Map | None:
    """The monotone map from a measure to ours; None for fewer than four encodes.

    Isotonic regression (pool adjacent violators) says which encodes count as equal, PCHIP goes through their means:
    monotone as they are, and smooth. Nothing is said beyond the encodes' own range.

    Args:
        title_of: title by path, to draw titles as a whole.
    """
    if len(pairs) < LEAST or len({score for _, _, score in pairs}) < 2:
        return None
    x, y = (np.array(v) for v in ([s for _, _, s in pairs], [e.row.pools["mean"] for e, _, _ in pairs]))
    knots = _knots(x, y)
    curve = _through(knots)
    if metric.startswith("vmaf"):
        wanted = [t for t in VMAF_THRESHOLDS if x.min() <= t <= x.max()]
    else:
        wanted = [float(f"{q:.3g}") for q in np.linspace(x.min(), x.max(), 7)[1:-1]]
    titles = sorted({title_of[e.row.path] for e, _, _ in pairs})
    of = np.array([titles.index(title_of[e.row.path]) for e, _, _ in pairs])
    rng, drawn = np.random.default_rng(SEED), []
    for _ in range(DRAWS):
        if len(titles) > 1:
            picks = np.concatenate([np.flatnonzero(of == t) for t in rng.integers(len(titles), size=len(titles))])
        else:
            picks = rng.integers(len(x), size=len(x))
        if len(np.unique(x[picks])) > 1:
            ends = x[picks].min(), x[picks].max()
            own = _through(_knots(x[picks], y[picks]))
            drawn.append([float(own(t)) if ends[0] <= t <= ends[1] else math.nan for t in wanted])
    rows: list[tuple[float, float, float | None, float | None]] = []
    for i, threshold in enumerate(wanted):
        values = np.array([d[i] for d in drawn if math.isfinite(d[i])])
        bounds = [float(v) for v in np.quantile(values, [0.025, 0.975])] if len(values) > DRAWS / 2 else [None, None]
        rows.append((float(threshold), float(curve(threshold)), bounds[0], bounds[1]))
    rmse = float(np.sqrt(np.mean((curve(x) - y) ** 2)))
    return Map(metric, mode, list(pairs), knots, rows, float(spearmanr(x, y).statistic), rmse)


def curve_of(fitted: Map) -> PchipInterpolator:
    """The map as a function of their score."""
    return _through(fitted.knots)


def _knots(x: Floats, y: Floats) -> list[tuple[float, float]]:
    """Means of the blocks that isotonic regression makes equal, and both ends."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    at = np.unique(x)
    weights = np.array([(x == v).sum() for v in at], float)
    means = np.array([y[x == v].mean() for v in at])
    level = isotonic_regression(means, weights=weights).x
    knots: list[tuple[float, float]] = []
    for value in np.unique(level):
        own = level == value
        knots.append((float(np.average(at[own], weights=weights[own])), float(value)))
    if knots[0][0] > at[0]:
        knots.insert(0, (float(at[0]), knots[0][1]))
    if knots[-1][0] < at[-1]:
        knots.append((float(at[-1]), knots[-1][1]))
    return [a for a, b in pairwise([*knots, (math.inf, 0.0)]) if b[0] > a[0]]


def _through(knots: Sequence[tuple[float, float]]) -> PchipInterpolator:
    return PchipInterpolator(*np.array(knots).T)
