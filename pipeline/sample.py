"""Which moments of a video are looked at: deterministic, jittered, stratified.

The time line from the first frame on is cut into windows of 1/r seconds and one moment is drawn in each, by a hash of
the seed and the window's number. An even stride would always meet the same kind of B-frame; a plain random draw would
leave gaps. Window k's draw depends on nothing but seed and k, so a video and its reference are looked at together.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from math import ceil

_JITTER_BITS = 32


MANY = 16  # moments a frame from which on each frame is taken as the nearest of one


def jitter(seed: int, window: int) -> Fraction:
    """A number in [0, 1), exact, the same on every machine for the same seed and window."""
    digest = hashlib.blake2b(f"{seed}:{window}".encode(), digest_size=_JITTER_BITS // 8).digest()
    return Fraction(int.from_bytes(digest, "big"), 1 << _JITTER_BITS)


def sample_times(duration_s: Fraction | float, *, fps: float, min_frames: int, seed: int) -> list[Fraction]:
    """Moments to look at, in seconds from the video's first frame, ascending.

    Args:
        duration_s: seconds of video; 0 or less (a still picture) gives the one moment 0.
        fps: moments a second.
        min_frames: the rate is raised until there are this many.
        seed: of the jitter.

    Returns:
        One moment in each window [k/r, (k+1)/r), the last window ending at `duration_s`.

    Raises:
        ValueError: `fps` or `min_frames` is not positive.
    """
    if fps <= 0 or min_frames < 1:
        raise ValueError(f"fps and min_frames must be positive, not {fps} and {min_frames}")
    duration = Fraction(duration_s).limit_denominator(10**9)
    if duration <= 0:
        return [Fraction(0)]
    rate = max(Fraction(fps).limit_denominator(10**6), min_frames / duration)
    times = []
    for window in range(ceil(duration * rate)):
        start, end = window / rate, min((window + 1) / rate, duration)
        times.append(start + (end - start) * jitter(seed, window))
    return times


def nearest_frames(
    times: Sequence[Fraction], targets: Sequence[Fraction], tolerance: Fraction | None = None
) -> list[int | None]:
    """For each target the index of the frame nearest in time, or None where none is within `tolerance` (inclusive).

    Args:
        times: presentation times, ascending, seconds.
        targets: moments on the same time line, any order.
        tolerance: farthest allowed distance in seconds, by convention half a frame; None: any distance.

    Of two frames equally near the earlier is taken.
    """
    found: list[int | None] = []
    for target in targets:
        after = bisect_left(times, target)
        around = [i for i in (after - 1, after) if 0 <= i < len(times)]
        best = min(around, key=lambda i: (abs(times[i] - target), i), default=None)
        near = best is not None and (tolerance is None or abs(times[best] - target) <= tolerance)
        found.append(best if near else None)
    return found


def choose_frames(
    times: Sequence[Fraction], duration_s: Fraction | float, *, fps: float, min_frames: int, seed: int
) -> list[int]:
    """Indices of the frames to judge, ascending and distinct: `sample_times`, each moment's nearest frame.

    A clip gives `min_frames` different frames, or all it has when it has fewer; all, too, where `fps` asks for many
    more moments than there are frames.

    Args:
        times: presentation times of all frames, ascending, seconds as in the file.
        duration_s: seconds from the first frame's start to the last one's end.
        fps, min_frames, seed: as in `sample_times`.
    """
    if len(times) <= min_frames or fps * float(duration_s) >= MANY * len(times):
        return list(range(len(times)))
    wanted = min_frames
    while True:
        moments = sample_times(duration_s, fps=fps, min_frames=wanted, seed=seed)
        indices = sorted({i for i in nearest_frames(times, [times[0] + m for m in moments]) if i is not None})
        if len(indices) >= min_frames:
            return indices
        if wanted > 64 * min_frames:  # times bunched together (a frozen stream): fill up evenly, still deterministic
            step = Fraction(len(times), min_frames)
            return sorted({*indices, *(int(k * step) for k in range(min_frames))})
        wanted *= 2
