"""One number for a clip from the scores of its frames. Over frames always, never over other clips' pools.

Every pool is written for every clip, and each can be computed again from the rows of `frames`. Percentiles
interpolate linearly, as NumPy and libvmaf's Python tools do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit  # quantile of Student's t; scipy.stats has it too and takes a second to import

Floats = NDArray[np.float64]
Spans = Sequence[float | None] | Floats | None  # `FrameScore.span_s` of frames; None: they share nothing

MEMORY_S = 2.0  # tau of the hysteresis pool: how long a viewer remembers, and looks ahead, in seconds
CURRENT_SHARE = 0.8  # alpha of the hysteresis pool: weight of what is seen now against what is remembered
_CHI_SQUARED_MEDIAN = 0.4549  # with one degree of freedom
_NORMAL_975 = 1.96
SAME_TIME_S = 1e-6  # presentation times closer than this are the same instant written as two floats


def harmonic_mean(pts: Floats, scores: Floats) -> float:
    """libvmaf's harmonic mean: of scores + 1, less 1. So a frame at 0 counts as 0 and does not make all of it 0."""
    if scores.min() <= -1:
        raise ValueError("the harmonic mean needs scores above -1")
    return float(len(scores) / np.sum(1.0 / (scores + 1.0)) - 1.0)


def one_second_means(pts: Floats, scores: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Means over one second: of the seconds that begin at a frame and end inside the clip, and of the clip's last one.

    The clip ends a median step after its last frame. The rows of frames say nothing else of it; a sampled clip's own
    end may come sooner, and its last second hold a frame less.

    Returns:
        The frame each second begins at, and its mean. None begin in a clip shorter than a second.
    """
    end = pts[-1] + (float(np.median(np.diff(pts))) if len(pts) > 1 else 0.0)  # stands for that long
    first = np.flatnonzero(pts + 1.0 <= end + SAME_TIME_S)
    if not len(first):
        return first, np.empty(0)
    last = min(int(np.searchsorted(pts, end - 1.0 - SAME_TIME_S)), len(pts) - 1)  # shown longer than a second: alone
    starts = np.append(first, last)
    stops = np.append(np.searchsorted(pts, pts[first] + 1.0 - SAME_TIME_S), len(pts))
    sums = np.concatenate([[0.0], np.cumsum(scores)])
    return starts, (sums[stops] - sums[starts]) / (stops - starts)


def worst_second(pts: Floats, scores: Floats) -> float:
    """Lowest of `one_second_means`.

    A clip shorter than a second is one window. Never above the mean: with sparse, uneven frames every whole second may
    lie above it.
    """
    mean = float(scores.mean())
    lowest = float(np.min(one_second_means(pts, scores)[1], initial=mean))
    return max(lowest, float(scores.min()))  # the running sums round in the last digits


def hysteresis(pts: Floats, scores: Floats) -> float:
    """Temporal hysteresis pooling: viewers punish a drop at once and forgive slowly.

    Seshadrinathan and Bovik, "Temporal hysteresis model of time varying subjective video quality", ICASSP 2011: at each
    frame the lowest score of the past 2 s (memory) is mixed, 0.2 to 0.8, with the scores of the next 2 s
    sorted upwards and weighted by the falling half of a Gaussian (its deviation is a sixth of the full
    window, as published implementations have it); the clip's pool is the mean over frames. The windows are
    taken by presentation time, so that unevenly sampled frames are treated alike.
    """
    here = np.arange(len(pts))
    past = here - np.searchsorted(pts, pts - MEMORY_S - SAME_TIME_S)  # frames in [t - 2 s, t)
    ahead = np.searchsorted(pts, pts + MEMORY_S - SAME_TIME_S) - here  # frames in [t, t + 2 s)
    memory, current = scores.copy(), scores.copy()  # the first frame remembers itself
    for size, at in _by_size(past):
        memory[at] = scores[at[:, None] - np.arange(1, size + 1)].min(axis=1)
    for size, at in _by_size(ahead):
        weights = np.exp(-0.5 * (np.arange(size) / ((2 * size - 1) / 6.0)) ** 2)
        current[at] = np.sort(scores[at[:, None] + np.arange(size)], axis=1) @ weights / weights.sum()
    pooled = float(np.mean(CURRENT_SHARE * current + (1.0 - CURRENT_SHARE) * memory))
    return min(max(pooled, float(scores.min())), float(scores.max()))  # the weights' sum rounds in the last digits


def _percentile(q: float) -> Callable[[Floats, Floats], float]:
    return lambda pts, scores: float(np.percentile(scores, q))


_POOLS: dict[str, Callable[[Floats, Floats], float]] = {
    "mean": lambda pts, scores: float(scores.mean()),
    "harmonic_mean": harmonic_mean,
    "median": _percentile(50),
    "min": lambda pts, scores: float(scores.min()),
    "p1": _percentile(1),
    "p5": _percentile(5),
    "p10": _percentile(10),
    "p20": _percentile(20),
    "worst_second": worst_second,
    "hysteresis": hysteresis,
}
POOLS: tuple[str, ...] = tuple(_POOLS)


def pool(pts: Sequence[float], scores: Sequence[float]) -> dict[str, float]:
    """All pools of one clip.

    Args:
        pts: presentation times of the frames, seconds, in any order; (n,) with n >= 1.
        scores: the frames' scores, 0 to 100; (n,).

    Raises:
        ValueError: no frames, unequal lengths, or a time or score that is not a finite number.
    """
    times, values = _checked(pts, "times"), _checked(scores, "scores")
    if len(times) != len(values):
        raise ValueError(f"{len(times)} times for {len(values)} scores")
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    return {name: compute(times, values) for name, compute in _POOLS.items()}


def ci95(
    scores: Sequence[float], place_error: float = 0.0, spans: Spans = None, *, scale: tuple[float, float] = (0.0, 100.0)
) -> tuple[float, float] | None:
    """95 % confidence interval of the mean over frames, from the frames' own spread and what is known of the places.

    Frames are drawn one from each of equal stretches of the clip, so what chance does to their mean is what happens
    within a stretch: half the mean squared difference of neighbours (Wolter, "Introduction to Variance Estimation",
    chapter 8), with Student's t. Their spread over the whole clip would count a slow change, which every draw shows
    alike, as doubt. It says how far the mean would move with other frames of the same clip and other places in them;
    the network's own error is not in it.

    Args:
        scores: in presentation order; (n,).
        place_error: standard deviation of the mean over the choice of places (`models.place_error`), points; 0: the
            frames alone.
        spans: `FrameScore.span_s` of the frames; None: they share nothing.
        scale: that the interval is cut to, where all scores lie on it.

    Returns:
        (low, high), or None for fewer than two frames.
    """
    values = _checked(scores, "scores")
    n = len(values)
    if n < 2:
        return None
    mean = float(values.mean())
    variance = float(_squared_steps(values, spans).mean()) / 2
    half = math.hypot(float(stdtrit(n - 1, 0.975)) * math.sqrt(variance / n), _NORMAL_975 * place_error)
    low, high = mean - half, mean + half
    if values.min() >= scale[0] and values.max() <= scale[1]:
        low, high = max(low, scale[0]), min(high, scale[1])
    return low, high


def alone(scores: ArrayLike, spans: Spans) -> Floats:
    """(n,) what each frame's own picture would score, as far as its score tells that shares half with the one before.

    Args:
        scores: in presentation order; (n,).
        spans: as for `ci95`.
    """
    found = np.array(scores, np.float64)
    if spans is not None:
        found[1:] += np.diff(found) * (np.nan_to_num(np.asarray(spans[1:], np.float64)) > 0)
    return found


def _squared_steps(scores: Floats, spans: Spans) -> Floats:
    """(n - 1,) squared differences of neighbours, as they would be of frames that share nothing.

    A frame that is judged with half of the places of the one before differs from it by half of what it differs by from
    the one before that, at the same places: a quarter of the square.
    """
    steps = np.diff(scores)
    if spans is not None:
        steps[np.nan_to_num(np.asarray(spans[1:], np.float64)) > 0] *= 2
    squares: Floats = steps * steps
    return squares


def worst_second_ci95(pts: ArrayLike, scores: ArrayLike, spans: Spans = None) -> tuple[float, float] | None:
    """95 % confidence interval of `worst_second` as an estimate of the lowest second over all of the clip's frames.

    A second holds few sampled frames; how far their mean would move with other frames of it is told by the spread
    between neighbouring frames, everywhere in the clip: half of the median of their squared differences, over 0.455,
    the median of chi-squared with one degree of freedom, so that cuts do not widen it. Blocks drawn again (a bootstrap)
    tell it badly: no draw holds a second worse than the worst. Rather wide than narrow: on simulated clips of 10 to
    60 s at two frames a second it held the lowest second of all frames 99 times of 100, such a bootstrap about 50.

    Args:
        pts: presentation times, seconds, ascending; (n,).
        scores: 0 to 100; (n,).
        spans: as for `ci95`.

    Returns:
        (low, high) inside 0 to 100, or None with fewer than four frames that lie no more than a second apart.
    """
    times, values = _checked(pts, "times"), _checked(scores, "scores")
    steps = _squared_steps(values, spans)[np.diff(times) <= 1.0]
    if len(steps) < 3:
        return None
    lowest = worst_second(times, values)
    starts, means = one_second_means(times, values)
    inside = len(values)  # of a clip shorter than a second
    if len(means) and means.min() <= values.mean():
        first = times[starts[int(means.argmin())]]
        inside = int(((times >= first) & (times < first + 1.0 - SAME_TIME_S)).sum())
    spread = math.sqrt(float(np.median(steps)) / 2 / _CHI_SQUARED_MEDIAN)
    half = float(stdtrit(len(steps) - 1, 0.975)) * spread / math.sqrt(inside)
    return max(0.0, lowest - half), min(100.0, lowest + half)


def _by_size(sizes: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Positions that share a window size above 0, at most 4096 at a time: what fits in memory as a matrix."""
    for size in np.unique(sizes[sizes > 0]):
        at = np.flatnonzero(sizes == size)
        for i in range(0, len(at), 4096):
            yield int(size), at[i : i + 4096]


def _checked(values: ArrayLike, what: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"no {what} to pool")
    if not np.isfinite(array).all():
        raise ValueError(f"the {what} to pool hold a value that is no finite number")
    return array
