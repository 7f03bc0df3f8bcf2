"""Which frames of a ladder's videos are judged, and which frame of the master each is compared with."""

from __future__ import annotations

from collections.abc import Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from math import isclose

from . import align, by_content, cadence, decode, fields, match, telecine
from .align import Sample
from .by_features import Features, in_turn
from .colour import UNSTATED_MATRIX
from .errors import SkippedVideo, UsageError, as_video_error
from .findings import Finding
from .geometry import View
from .looks import Watch
from .luma import Sight
from .match import Match
from .packet_table import frame_gap
from .settings import Settings
from .tracks import Track, note_measured, read_in

AT_ONCE = 4  # encodes laid over their master side by side: each may have 200 MB of small pictures


@dataclass
class Extra:
    """The master read once more, for encodes that show another part of its picture than the whole."""

    place: int  # below 0: before all videos of the ladder
    view: View
    samples: list[Sample]
    watch: Watch = field(default_factory=Watch)


def choose_samples(
    tracks: list[Track],
    master: Track | None,
    settings: Settings,
    raster: tuple[int, int] = (1, 1),
    features: Features | None = None,
    workers: int = 1,
    closely: Set[str] = frozenset(),
) -> list[Extra]:
    """Fill in `start_s`, `samples`, `match` and findings of every wanted track, and of the master where needed.

    Up to `workers` videos are looked at side by side, each by itself; `features` is asked by one of them at a time.
    Those whose path is in `closely` are laid over their master with more than the usual care (`suspects`).

    Returns:
        Further readings of the master for encodes that show only a part of its picture.
    """
    if not any(t.wanted for t in tracks):
        return []
    if not settings.compare:  # then a master is a video like the others: only its size mattered
        master = None
    chosen: list[int] = []
    master_times = None if master is None else _times(master, settings)
    ladder: _Master | None = None
    if master is not None and master_times is not None:
        _note_film(master, settings)
        chosen = [s.frame for s in _own(master_times, settings)]
        sight = _sight(master, master_times, settings)
        ladder = _Master(master, master_times, chosen, sight, raster, features and in_turn(features), closely)
    others = [t for t in tracks if t is not master and t.wanted]
    try:
        with ThreadPoolExecutor(max(1, min(workers, AT_ONCE)), thread_name_prefix="match") as pool:
            list(pool.map(partial(_choose, master=ladder, settings=settings), others))  # an error cancels the rest
    finally:
        if ladder is not None:
            ladder.sight.close()
    if master is None or ladder is None:
        return []
    encodes = [t for t in tracks if t is not master]
    usual = [t.samples for t in encodes if t.match is None or t.match.master_view is None]
    compared = any(s.paired for t in encodes for s in t.samples)  # its own score is told beside theirs
    master.samples = align.master_samples(chosen if master.wanted or compared else [], usual)
    views = dict.fromkeys(v for t in encodes if t.match is not None and (v := t.match.master_view) is not None)
    extras = []
    for number, view in enumerate(views, 1):
        mine = [t for t in encodes if t.match is not None and t.match.master_view == view]
        extras.append(Extra(-number, view, align.master_samples([], [t.samples for t in mine])))
        for track in mine:
            track.reference = -number
    return extras


@dataclass(frozen=True)
class _Master:
    """What all encodes of a ladder are laid over."""

    track: Track
    times: Sequence[Fraction]
    chosen: list[int]  # its sampled frames
    sight: Sight
    raster: tuple[int, int]
    features: Features | None
    closely: Set[str]  # paths


def _choose(track: Track, master: _Master | None, settings: Settings) -> None:
    """Samples of one video; whatever goes wrong is its own failure, but for errors of the request."""
    times = _times(track, settings)
    if times is None:
        return
    try:
        # An encode at its master's rate shows what its master shows: only where that is film in fields it may be.
        same = master is not None and isclose(frame_gap(times), frame_gap(master.times), rel_tol=0.01)
        looked = not same or (master is not None and master.track.info is not None and master.track.info.telecine)
        if looked:
            _note_film(track, settings)
        if master is None:
            track.samples = _own(times, settings)
        else:
            _pair(track, times, master, settings)
        if track.foreign and not looked:
            _note_film(track, settings)
    except Exception as error:
        track.failure = as_video_error(track.ref.path, error, "choosing its frames")


def _sight(track: Track, times: Sequence[Fraction], settings: Settings) -> Sight:
    assert track.info is not None
    return Sight(track.ref, track.info, times, timeout_s=settings.decode_timeout_s)


def _pair(track: Track, times: Sequence[Fraction], master: _Master, settings: Settings) -> None:
    """Samples of one encode against its master."""
    info, theirs_info = track.info, master.track.info
    assert info is not None
    assert theirs_info is not None
    length, theirs = float(align.span(times)), float(align.span(master.times))
    if abs(length - theirs) > max(0.5, 0.01 * theirs) and info.still == theirs_info.still:
        track.findings.append(f"lasts {length:.2f} s, its master {theirs:.2f} s")
    gap, master_gap = frame_gap(times), frame_gap(master.times)
    if gap and master_gap and abs(gap / master_gap - 1) > 0.01:
        track.findings.append(f"{float(1 / gap):.2f} frames a second, its master {float(1 / master_gap):.2f}")
    if info.interlaced and not (info.telecine or theirs_info.interlaced or theirs_info.telecine):
        said = "coded as fields, and its master is not: encode it as frames"
        track.fr_findings.append(Finding(said, "interlaced", "warning"))
    reason, foreign = align.why_not_comparable(info, theirs_info), info.still != theirs_info.still
    size, raster, found = (info.width, info.height), master.raster, Match()
    with closing(_sight(track, times, settings)) as mine:
        if reason is None:
            rates = (info.fps or Fraction(0), theirs_info.fps or Fraction(0))
            closely = track.ref.path in master.closely
            found = match.match(mine, master.sight, raster, size, rates, master.features, closely=closely)
            reason, foreign = found.reason, found.foreign
    pairing = align.pair_with_master(times, master.times, master.chosen, found.clock)
    if found.uneven and found.laid is not None:
        samples = by_content.by_content(mine, master.sight, found.laid, pairing.samples)
        pairing = replace(pairing, samples=samples, unpaired=pairing.wanted - sum(s.paired for s in samples))
    track.samples = pairing.samples or _own(times, settings)  # it may end before the first sampled instant
    if reason is None and pairing.unpaired == pairing.wanted:
        reason = "not compared with its master: no sampled frame has a counterpart within half a frame"
    if reason is not None:
        track.samples = _own(times, settings)  # the master's say nothing of it: it may last longer, or be a still
        if foreign:
            _as_a_file_alone(track, settings)
        if raster != size and settings.display is None:  # else it would go unsaid
            how = "at its own {}x{}".format(*size) if foreign else "scaled to its master's {}x{}".format(*raster)
            reason += f"; judged alone, {how} (--display says otherwise)"
        track.findings.append(Finding(reason, "not_compared", found.severity))
        return
    alone = align.outside(_own(times, settings), times, master.times, found.clock)
    if alone:
        track.samples = sorted([*track.samples, *alone], key=lambda sample: sample.frame)
        said = f"{len(alone)} sampled frames lie before or after what its master shows: judged alone, and not compared"
        track.fr_findings.append(Finding(said, "pairing", "warning"))
    track.match, track.paired = found, (pairing.wanted - pairing.unpaired, pairing.unpaired)
    track.fr_findings += [*align.smaller_master(info, theirs_info), *found.findings]
    if pairing.unpaired:
        track.fr_findings.append(
            f"{pairing.unpaired} of {pairing.wanted} sampled frames of the master have no counterpart within half a "
            "frame: left out of the comparison"
        )


def _as_a_file_alone(track: Track, settings: Settings) -> None:
    """Take back what a master decided that is none: the size it is judged at, its colours."""
    assert track.info is not None
    track.foreign = True
    if settings.display is None:
        track.raster = track.info.width, track.info.height
    if track.own_matrix is not None:
        matrix, said = track.own_matrix
        shared = next(str(note) for note in track.info.notes if str(note).startswith(UNSTATED_MATRIX))
        read_in(track, matrix, shared, said)


def _own(times: Sequence[Fraction], settings: Settings) -> list[Sample]:
    return align.own_samples(times, fps=settings.fps, min_frames=settings.min_frames, seed=settings.seed)


def _times(track: Track, settings: Settings) -> Sequence[Fraction] | None:
    """Presentation times of all frames; None, with the track's failure set, where there are none."""
    if track.failure is not None or track.info is None:
        return None
    try:
        times = decode.frame_times(track.ref, track.info, timeout_s=settings.decode_timeout_s)
        note_measured(track, settings)
        rhythm = decode.rhythm(track.ref, track.info, timeout_s=settings.decode_timeout_s)
        track.key_times = rhythm.keys
        track.findings += cadence.findings(rhythm)
        if settings.decoder != "pyav":
            _, said = decode.choose_decoder(
                track.ref, track.info, settings.decoder, timeout_s=settings.decode_timeout_s
            )
            track.findings += [] if said is None else [said]
    except UsageError:
        raise  # about the request, not about this video
    except Exception as error:
        track.failure = as_video_error(track.ref.path, error, "reading its frames' times")
        return None
    track.start_s = times[0] if times else Fraction(0)
    if not times:
        track.failure = SkippedVideo(track.ref.path, "its video track is empty: no frame is stored in it")
    return times or None


def _note_film(track: Track, settings: Settings) -> None:
    """Have film in fields read as film, and say so."""
    if track.info is None or not telecine.is_woven(track.ref, timeout_s=settings.decode_timeout_s):
        return
    combed = not track.info.interlaced
    said = fields.SAID_OF_FILM + (fields.SHOWN_COMBED if combed else "")
    track.findings.append(Finding(said, "telecine", "warning" if combed else "info"))
    track.info = replace(track.info, telecine=True)
