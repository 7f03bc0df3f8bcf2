"""Settings from what a caller said, checked before anything is measured. Shared by the commands and by Python."""

from __future__ import annotations

import difflib
import math
import os
import re
from dataclasses import fields
from numbers import Integral, Real
from operator import index
from typing import Any, TypedDict

from ..pipeline.errors import UsageError
from ..pipeline.settings import Decoder, Settings


class SettingsOptions(TypedDict, total=False):
    """Keyword arguments of `score` and `scan`; each has the meaning and default of its field in `Settings`."""

    model: str
    fps: float
    min_frames: int
    display: str | tuple[int, int] | None
    decoder: Decoder
    device: str
    crops: int
    worst_frames: int
    decode_timeout_s: float
    time_limit_s: float
    memory_limit_mb: int
    seed: int
    compare: bool


def make_settings(**options: Any) -> Settings:
    """Checked settings; what is not given keeps its default, and so does None.

    Raises:
        UsageError: an unknown name (the nearest is named), or a value of another kind or out of range.
    """
    names = [field.name for field in fields(Settings)]
    for name in options:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(names)}"
            raise UsageError(f"there is no setting {name!r}{hint}")
    given = {name: value for name, value in options.items() if value is not None}
    if "display" in given:
        given["display"] = parse_display(given["display"])
    given |= {name: _of_kind(name, value) for name, value in given.items() if name != "display"}
    settings = Settings(**given)
    if not (math.isfinite(settings.fps) and settings.fps > 0):
        raise UsageError(f"fps must be a number above 0, not {settings.fps}")
    if not (math.isfinite(settings.decode_timeout_s) and settings.decode_timeout_s > 0):
        raise UsageError(f"the decode time-out must be a number of seconds above 0, not {settings.decode_timeout_s}")
    if not (math.isfinite(settings.time_limit_s) and settings.time_limit_s > 0):
        raise UsageError(f"the time limit must be a number of seconds above 0, not {settings.time_limit_s}")
    for name, least in (("min_frames", 1), ("memory_limit_mb", 64), ("crops", 1), ("worst_frames", 0), ("seed", 0)):
        if getattr(settings, name) < least:
            raise UsageError(f"{name} must be at least {least}, not {getattr(settings, name)}")
    if settings.decoder not in ("pyav", "decord"):
        raise UsageError(f"there is no decoder {settings.decoder!r}; known are pyav and decord")
    return settings


def _of_kind(name: str, value: Any) -> object:
    """The value, as JSON can hold it; one that is not of the default's kind is refused."""
    default = getattr(Settings(), name)
    if isinstance(default, bool):
        kind, fits = "True or False", isinstance(value, bool)
    elif isinstance(default, str):
        value = os.fspath(value) if isinstance(value, os.PathLike) else value
        kind, fits = "text", isinstance(value, str)
    else:
        whole = isinstance(default, int)
        kind = "a whole number" if whole else "a number"
        fits = isinstance(value, Integral if whole else Real) and not isinstance(value, bool)
        if fits and not isinstance(value, (int, float)):  # NumPy's numbers and fractions
            value = type(default)(value)
    if not fits:
        raise UsageError(f"{name} must be {kind}, not {value!r:.80}")
    return value


def parse_display(value: str | tuple[int, int]) -> tuple[int, int]:
    """(width, height) in pixels from "1920x1080" or a pair.

    Raises:
        UsageError: neither, or a side outside 16 to 16384.
    """
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,6})[xX×](\d{1,6})", value.strip())
        if match is None:
            raise UsageError(f"the display raster must be WIDTHxHEIGHT in pixels, like 1920x1080, not {value!r}")
        value = (int(match[1]), int(match[2]))
    try:
        width, height = map(index, value)
    except (TypeError, ValueError):
        raise UsageError(f'the display raster must be "WIDTHxHEIGHT" or two whole numbers, not {value!r:.80}') from None
    if not (16 <= width <= 16384 and 16 <= height <= 16384):
        raise UsageError(f"the display raster's sides must be 16 to 16384 pixels, not {width}x{height}")
    return width, height
