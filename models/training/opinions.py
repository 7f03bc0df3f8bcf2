"""Pseudo-opinions for pictures nobody rated: VMAF, mapped to MOS where people did rate.

VMAF runs in the ffmpeg that the `imageio-ffmpeg` wheel brings (extra `train`); the "NEG" model, which does not reward
sharpening and contrast. Human scores always come last and count more: see `recipe`.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from .distortions import Picture


def vmaf(reference: Picture, versions: Sequence[Picture]) -> list[float]:
    """VMAF NEG (0 to 100) of each picture against the reference, judged as stills (no motion)."""
    import imageio_ffmpeg

    height, width = reference.shape[:2]
    frames = len(versions)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "25"]
    with tempfile.TemporaryDirectory() as folder:
        distorted, pristine, log = (Path(folder, n) for n in ("distorted.rgb", "reference.rgb", "log.json"))
        distorted.write_bytes(b"".join(np.ascontiguousarray(v).tobytes() for v in versions))
        pristine.write_bytes(np.ascontiguousarray(reference).tobytes() * frames)
        measure = f"libvmaf=model=version=vmaf_v0.6.1neg:log_fmt=json:log_path={log}"
        graph = f"[0:v]format=yuv420p[d];[1:v]format=yuv420p[r];[d][r]{measure}"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *raw, "-i", str(distorted), *raw]
        command += ["-i", str(pristine), "-lavfi", graph, "-f", "null", "-"]
        subprocess.run(command, check=True, capture_output=True)
        return [float(f["metrics"]["vmaf"]) for f in json.loads(log.read_text())["frames"]]


def _logistic(v: NDArray[np.float64], low: float, high: float, middle: float, slope: float) -> NDArray[np.float64]:
    out: NDArray[np.float64] = low + (high - low) / (1 + np.exp(-(v - middle) / slope))
    return out


def fit_opinion(measure: Sequence[float], mos: Sequence[float]) -> tuple[float, float, float, float]:
    """The usual logistic from a measure to MOS in 0 to 1: (low, high, middle, slope)."""
    x, y = np.asarray(measure, float), np.asarray(mos, float)
    start = (0.0, 1.0, float(np.median(x)), float(np.std(x)) / 2)
    bounds = ([-0.2, 0.6, -50, 1], [0.2, 1.2, 150, 100])
    fitted, _ = curve_fit(_logistic, x, y, p0=start, bounds=bounds, maxfev=20000)
    return tuple(float(v) for v in fitted)  # type: ignore[return-value]  # four of them


def opinion(measure: float, fitted: tuple[float, float, float, float]) -> float:
    """MOS in 0 to 1 of a measured value."""
    return float(np.clip(_logistic(np.asarray([measure]), *fitted)[0], 0, 1))
