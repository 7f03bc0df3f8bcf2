"""Pseudo-opinions for pictures nobody rated: full-reference measures, each mapped to MOS where people did rate.

Two measures of libvmaf, in the ffmpeg that the `imageio-ffmpeg` wheel brings (extra `train`): VMAF's "NEG" model, which
does not reward sharpening and contrast, and its detail loss at the third scale (ADM 2), whose error across contents is
the smallest of all that libvmaf computes. Human scores always come last and count more: see `recipe`.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from .distortions import Picture

MEASURES = ("vmaf_neg", "detail")
Map = tuple[float, float, float, float]  # a logistic: low, high, middle, slope


def measure(reference: Picture, versions: Sequence[Picture]) -> list[dict[str, float]]:
    """Each of `MEASURES` for each picture against the reference, judged as stills (no motion).

    "vmaf_neg" is 0 to 100; "detail" is -10 log10(1 - ADM 2), about 2 to 40.
    """
    import imageio_ffmpeg

    height, width = reference.shape[:2]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "25"]
    with tempfile.TemporaryDirectory() as folder:
        distorted, pristine, log = (Path(folder, n) for n in ("distorted.rgb", "reference.rgb", "log.json"))
        distorted.write_bytes(b"".join(np.ascontiguousarray(v).tobytes() for v in versions))
        pristine.write_bytes(np.ascontiguousarray(reference).tobytes())
        vmaf = f"libvmaf=model=version=vmaf_v0.6.1neg:log_fmt=json:log_path={log}"
        repeated = "[1:v]format=yuv420p,loop=loop=-1:size=1[r]"
        graph = f"[0:v]format=yuv420p[d];{repeated};[d][r]{vmaf}:shortest=1"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *raw, "-i", str(distorted), *raw]
        command += ["-i", str(pristine), "-lavfi", graph, "-f", "null", "-"]
        subprocess.run(command, check=True, capture_output=True)
        frames = [f["metrics"] for f in json.loads(log.read_text())["frames"]]
    return [{"vmaf_neg": float(f["vmaf"]), "detail": _decibels(float(f[_detail_key(f)]))} for f in frames]


def _detail_key(metrics: Mapping[str, float]) -> str:
    """ADM of the third scale, with or without the suffix that the NEG model's gain limit gives it."""
    return next(k for k in sorted(metrics) if k.startswith("integer_adm_scale2"))


def _decibels(kept: float) -> float:
    return float(-10 * np.log10(np.clip(1 - kept, 1e-4, 1)))


def _logistic(v: NDArray[np.float64], low: float, high: float, middle: float, slope: float) -> NDArray[np.float64]:
    out: NDArray[np.float64] = low + (high - low) / (1 + np.exp(-(v - middle) / slope))
    return out


def fit_opinion(measured: Sequence[float], mos: Sequence[float]) -> Map:
    """The usual logistic from a measure to MOS in 0 to 1."""
    x, y = np.asarray(measured, float), np.asarray(mos, float)
    mean, spread = float(x.mean()), float(x.std()) or 1.0
    bounds = ([-0.2, 0.6, -5, 0.02], [0.2, 1.2, 5, 5])
    fitted, _ = curve_fit(_logistic, (x - mean) / spread, y, p0=(0.0, 1.0, 0.0, 0.5), bounds=bounds, maxfev=20000)
    low, high, middle, slope = (float(v) for v in fitted)
    return low, high, mean + spread * middle, spread * slope


def opinion(measured: Mapping[str, float], maps: Mapping[str, Map]) -> float:
    """MOS in 0 to 1 of what was measured: the mean over the measures."""
    each = [_logistic(np.asarray([measured[name]]), *maps[name])[0] for name in maps]
    return float(np.clip(np.mean(each), 0, 1))
