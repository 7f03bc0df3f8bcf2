"""The main figures of a report and of a comparison as files, SVG or PNG: for slides and papers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..pipeline.errors import YotoVideoError
from . import compare_figures, figures, ladder_figures
from .clip import MODES
from .compare import Comparison
from .compare_words import versus
from .figures import Chart
from .pages import page_name
from .results import Results
from .static import Format, draw

Named = tuple[str, str, Chart | None]  # file's stem, title, and the figure where there is one


def write_report_figures(results: Results, folder: Path, form: Format) -> None:
    """Distributions of all clips, and of every ladder quality over bit rate with its hulls.

    Raises:
        YotoVideoError: the folder cannot be written.
    """
    _write(_of_report(results), folder, form)


def write_comparison_figures(comparison: Comparison, folder: Path, form: Format) -> None:
    """BD-rates, savings over quality, and every title's curves.

    Raises:
        YotoVideoError: the folder cannot be written.
    """
    _write(_of_comparison(comparison), folder, form)


def _write(named: Iterator[Named], folder: Path, form: Format) -> None:
    try:
        folder.mkdir(exist_ok=True)
        for stem, title, figure in named:
            if figure is not None:
                draw(figure, title, folder / f"{stem}.{form}")
    except OSError as error:
        raise YotoVideoError(f"{folder}: cannot write figures ({error.strerror or error})") from None


def _of_report(results: Results) -> Iterator[Named]:
    clips = results.fleet.clips
    masters = " (masters hatched in grey)" if any(c.is_master for c in clips) else ""
    yield "distribution", f"Clips by score{masters}", figures.distribution(clips)
    yield "by-size", "Scores by size and codec", figures.by_size_and_codec(clips)
    for ladder in results.fleet.ladders:
        style = figures.styles(ladder.clips)
        for mode in MODES:
            title = f"{ladder.name}: {mode.upper()} score over bit rate"
            yield f"{_stem(ladder.name)}-{mode}", title, ladder_figures.rate_quality(ladder, mode, style)


def _of_comparison(comparison: Comparison) -> Iterator[Named]:
    sides = versus(comparison.labels)
    for mode in comparison.modes:
        title = f"{sides}: BD-rate, {mode.upper()}, 95 % intervals"
        yield f"bd-rate-{mode}", title, compare_figures.forest(comparison, mode)
        title = f"{sides}: bit rate at equal {mode.upper()} score"
        yield f"at-equal-quality-{mode}", title, compare_figures.saving_levels(comparison, mode)
    for one in comparison.titles:
        title = f"{one.name}: {one.mode.upper()} score over bit rate"
        yield f"{_stem(one.name)}-{one.mode}", title, compare_figures.rate_quality(comparison, one)


def _stem(name: str) -> str:
    return page_name(name).removesuffix(".html")
