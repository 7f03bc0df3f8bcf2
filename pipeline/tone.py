"""One tone map from HDR (PQ and HLG, BT.2020) to the SDR picture that networks know: BT.2390's curve, then BT.709.

A channel's light is taken from the signal (ITU-R BT.2100; HLG with the system gamma 1.2 of a 1000 cd/m2 display),
rolled off from 1000 to 203 cd/m2 (the diffuse white of BT.2408) by the EETF of ITU-R BT.2390-10, 5.4.1, turned to
BT.709 primaries, and coded for BT.1886 (gamma 2.4). The same for every video, whatever its metadata says: scores stay
comparable.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from .values import RGB

PEAK, WHITE = 1000.0, 203.0  # cd/m2: of the graded picture, and of SDR's white
HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}  # by FFmpeg's name of the transfer
SAID = "tone-mapped from 1000 to 203 cd/m2 (BT.2390) to be judged"

_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_TO_709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]], np.float32
)
_CODES = 1 << 12  # steps of the last table
_AT_ONCE = 1 << 18  # pixels


def to_sdr(rgb: NDArray[np.uint16], transfer: str) -> RGB:
    """(height, width, 3) full-range 16-bit R'G'B' of an HDR transfer to 8-bit SDR."""
    sdr = np.empty(rgb.shape, np.uint8)
    rows = max(1, _AT_ONCE // rgb.shape[1])
    for top in range(0, len(rgb), rows):  # whole 4K pictures as float32 would take 400 MB
        sdr[top : top + rows] = _band(rgb[top : top + rows], transfer)
    return sdr


def _band(rgb: NDArray[np.uint16], transfer: str) -> RGB:
    light = _light(transfer)[rgb >> 4]
    if transfer == "arib-std-b67":  # the system gamma acts on luminance
        luminance = light @ np.array([0.2627, 0.6780, 0.0593], np.float32)
        light *= (np.maximum(luminance, 1e-6) ** 0.2)[..., None]
        light = _roll_off()[np.minimum(light * (_CODES - 1), _CODES - 1).astype(np.uint16)]
    codes = np.clip(light @ _TO_709.T * (_CODES - 1), 0, _CODES - 1).astype(np.uint16)
    return np.asarray(_bt1886()[codes])


@cache
def _light(transfer: str) -> NDArray[np.float32]:
    """(4096,) signal to light: of HLG's scene, 0 to 1; of PQ's display, rolled off already, 1 at SDR's white."""
    signal = np.linspace(0, 1, 1 << 12)
    if transfer == "arib-std-b67":
        low = signal**2 / 3
        return np.asarray(np.where(signal <= 0.5, low, (np.exp((signal - _C) / _A) + _B) / 12), np.float32)
    return np.asarray(_eetf(signal), np.float32)


@cache
def _roll_off() -> NDArray[np.float32]:
    """(4096,) light of a display of 1000 cd/m2, 0 to 1, to that of SDR, 0 to 1."""
    return np.asarray(_eetf(_pq(np.linspace(0, PEAK, _CODES))), np.float32)


@cache
def _bt1886() -> NDArray[np.uint8]:
    return np.asarray(np.rint(255 * np.linspace(0, 1, _CODES) ** (1 / 2.4)), np.uint8)


def _pq(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """cd/m2 to PQ signal."""
    y = np.clip(light / 10000, 0, 1) ** _M1
    return np.asarray(((_C1 + _C2 * y) / (1 + _C3 * y)) ** _M2)


def _eetf(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """PQ signal to light in units of SDR's white, 0 to 1: BT.2390's spline between its knee and the target's peak."""
    top = float(_pq(np.array(PEAK)))
    e = np.clip(signal / top, 0, 1)
    most = float(_pq(np.array(WHITE))) / top
    knee = 1.5 * most - 0.5
    t = np.clip((e - knee) / (1 - knee), 0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    p = (np.where(e < knee, e, spline) * top) ** (1 / _M2)
    light = 10000 * (np.maximum(p - _C1, 0) / (_C2 - _C3 * p)) ** (1 / _M1)
    return np.asarray(np.clip(light / WHITE, 0, 1))
