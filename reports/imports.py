"""Scores of other measures: read from their own logs, and laid beside ours.

Read are logs of libvmaf (JSON), of ffmpeg-quality-metrics (JSON) and per-frame reports of AWS Elemental MediaConvert
(CSV, NAME_VMAF.csv: a frame's number and its value a line, a summary at the end).
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..pipeline.errors import UsageError
from .titles import Encode

# Not what libvmaf makes its score of: VMAF_integer_feature_motion_sad_score stands in every log of its present version.
METRICS = re.compile(
    r"(?!.*_(?:feature|motion))(float_)?(vmaf|psnr|ssim|ms_ssim|xpsnr|psnr_hvs|cambi|ciede2000|vif)(_.*)?",
    re.IGNORECASE,
)
_PLANES = re.compile(r".*_(u|v|cb|cr)", re.IGNORECASE)
_ENDING = re.compile(r"\.([a-z][a-z0-9]{2,4}|[a-z]{2})", re.IGNORECASE)  # of a video, as .y4m and .ts; .1080p is none


@dataclass(frozen=True)
class Imported:
    """A measure's mean over one video. `video` is what the log calls it, or else is called itself, without ending."""

    file: Path
    video: str
    metric: str
    score: float


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
            own = list(_media_convert(file, text))
        else:
            log = json.loads(text)
            if not isinstance(log, dict):
                raise ValueError
            libvmaf = "frames" in log or "pooled_metrics" in log
            own = list(_libvmaf(file, log) if libvmaf else _quality_metrics(file, log))
    except OSError as error:
        raise UsageError(f"--import {file}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, csv.Error):
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
    imported: Sequence[Imported], encodes: Sequence[tuple[Encode, str]], others: Collection[str] = ()
) -> tuple[dict[str, list[tuple[Encode, str, float]]], list[str]]:
    """By measure, (encode, label, score) of each log; and the logs that fit no encode, or several, a sentence each.

    A log belongs to the encode of its name; where several sides have it, to the one whose folder or label is in the
    log's own path.

    Args:
        imported: scores, as `read_imports` gives them.
        encodes: those that were compared, with their side's label.
        others: paths of those whose title was not.
    """
    apart = {key for path in others for key in _names(path)}
    by_stem: dict[str, list[tuple[Encode, str]]] = {}
    for encode, label in encodes:
        for key in _names(encode.row.path):
            by_stem.setdefault(key, []).append((encode, label))
    found: dict[str, list[tuple[Encode, str, float]]] = {}
    lost: dict[Path, str] = {}
    for one in imported:
        video = PurePosixPath(one.video.replace("\\", "/"))
        stem = video.stem if _ENDING.fullmatch(video.suffix) else video.name
        near = by_stem.get(video.name) or by_stem.get(stem) or []
        parts = {*one.file.parent.parts, *video.parts[:-1]}
        rank = [len(parts & {*PurePosixPath(e.row.path).parent.parts, label}) for e, label in near]
        best = [pair for pair, r in zip(near, rank, strict=True) if r == max(rank)]
        if len(best) == 1:
            found.setdefault(one.metric, []).append((*best[0], one.score))
        else:
            unknown = "its title was not compared" if apart & {video.name, stem} else "there is no encode of this name"
            why = f"fits {len(best)} encodes equally well" if best else unknown
            lost[one.file] = f"{one.file.name}: {why}"
    return found, sorted(lost.values())


def _names(path: str) -> set[str]:
    """What a log may call a video: its name, with its ending or without."""
    name = PurePosixPath(path).name
    return {name, PurePosixPath(name).stem}
