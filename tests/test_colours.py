"""The charts' colours and lines: told apart with every common colour blindness, on light and on dark.

Colour blindness as Machado, Oliveira and Fernandes simulate it ("A Physiologically-based Model for Simulation of Color
Vision Deficiency", IEEE TVCG 15(6), 2009; severity 1.0, on linear RGB). Distances are CIE76 in L*a*b* under D65: 2.3 is
just noticeable between large fields, thin lines need several times as much.
"""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from yoto_video.reports import compare_figures, figures, finding_figures
from yoto_video.reports.clip import Clip

from .synthetic_results import scored

TEMPLATES = Path(figures.__file__).parent / "templates"
Floats = NDArray[np.float64]
Rows = tuple[tuple[float, float, float], ...]
MACHADO: dict[str, Rows] = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
SIGHT = {"usual": np.eye(3)} | {name: np.array(rows) for name, rows in MACHADO.items()}
SRGB = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.072175), (0.0193339, 0.119192, 0.9503041))
XYZ = np.array(SRGB)


def linear(colour: str) -> Floats:
    """Linear RGB of "#rrggbb"."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(colour: str, sight: str) -> Floats:
    """L*a*b* of a colour as somebody sees it."""
    xyz = XYZ @ np.clip(SIGHT[sight] @ linear(colour), 0, 1) / XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of luminances, 1 to 21."""
    low, high = sorted(float(XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def on_dark(colour: str) -> str:
    """The colour as report.js lays it on dark."""
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    return dict(re.findall(r'\["(#[0-9A-Fa-f]{6})", "(#[0-9a-f]{6})"\]', script)).get(colour, colour)


def card(scheme: str) -> str:
    """What charts are drawn on."""
    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return re.findall(r"--card: (#[0-9a-f]{6})", sheet)[scheme == "dark"]


SCHEMES = {"light": lambda colour: colour, "dark": on_dark}


def test_the_matrices_keep_grey_and_the_distance_is_known() -> None:
    for sight in SIGHT:
        assert lab("#808080", sight)[1:] == pytest.approx([0, 0], abs=0.1)
    assert np.linalg.norm(lab("#000000", "usual") - lab("#ffffff", "usual")) == pytest.approx(100, abs=0.01)
    assert lab("#ff0000", "usual") == pytest.approx([53.24, 80.09, 67.20], abs=0.05)  # as published tables have it
    red_green = [np.linalg.norm(lab("#d00000", s) - lab("#508000", s)) for s in ("usual", "deuteranopia")]
    assert red_green[1] < red_green[0] / 3


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("sight", SIGHT)
def test_lines_are_told_apart_by_colour(scheme: str, sight: str) -> None:
    colours = [SCHEMES[scheme](c) for c in (*figures.OKABE_ITO, figures.GREY)]
    near = {pair: np.linalg.norm(lab(pair[0], sight) - lab(pair[1], sight)) for pair in combinations(colours, 2)}
    assert min(near.values()) >= 12, sorted(near.items(), key=lambda item: item[1])[:4]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("sight", SIGHT)
def test_modes_and_severities_are_told_apart(scheme: str, sight: str) -> None:
    for few in (figures.MODE_COLOUR, finding_figures.SEVERITY_COLOUR):
        for one, other in combinations(map(SCHEMES[scheme], few.values()), 2):
            assert np.linalg.norm(lab(one, sight) - lab(other, sight)) >= 15


@pytest.mark.parametrize("scheme", SCHEMES)
def test_lines_stand_out_from_the_card(scheme: str) -> None:
    for colour in (*figures.OKABE_ITO, figures.GREY):
        assert contrast(SCHEMES[scheme](colour), card(scheme)) >= 2, colour
    assert contrast(SCHEMES[scheme](figures.GREY), card(scheme)) >= 4.5


def test_what_shares_a_colour_differs_in_dash_or_mark() -> None:
    clips = [Clip((scored(f"/{c}{i}.mp4", "l", "nr", 50, codec=c).clip,), f"{c}{i}") for c in "abc" for i in range(12)]
    assert len(set(figures.styles(clips).values())) == len(clips)
    sides = compare_figures.styles([f"side {i}" for i in range(30)])
    assert len(set(sides.values())) == len(sides)
    few = list(compare_figures.styles([f"side {i}" for i in range(7)]).values())
    assert len({s.symbol for s in few}) == len(few)  # so few sides are told apart without any colour


def test_the_style_sheet_and_the_script_agree_on_dark() -> None:
    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    swaps = dict(re.findall(r'line\[stroke="(#[0-9a-fA-F]{6})"\] \{ stroke: (#[0-9a-f]{6}); \}', sheet))
    lighter = {colour: on_dark(colour) for colour in (*figures.OKABE_ITO, figures.GREY)}
    assert swaps == {colour: other for colour, other in lighter.items() if other != colour}
