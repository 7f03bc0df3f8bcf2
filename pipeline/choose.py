"""Which frames of a ladder's videos are judged, and which frame of the master each is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from . import align, by_content, cadence, decode, fields, match, telecine
from .align import Sample
from .by_features import Features
from .errors import SkippedVideo, UsageError
from .geometry import View
from .looks import Watch
from .luma import Sight
from .match import Match
from .score import as_video_error
from .settings import Settings
from .tracks import Track
from .values import Finding


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
) -> list[Extra]:
    """Fill in `start_s`, `samples`, `match` and findings of every wanted track, and of the master where needed.

    Returns:
        Further readings of the master for encodes that show only a part of its picture.
    """
    if not any(t.wanted for t in tracks):
        return []
    if not settings.compare:  # then a master is a video like the others: only its size mattered
        master = None
    chosen: list[int] = []
    master_times = None if master is None else _times(master, settings)
    if master is not None and master_times is not None:
        _note_film(master, settings)
        chosen = [s.frame for s in _own(master_times, settings)]
    sight: Sight | None = None
    for track in tracks:
        if track is master or not track.wanted or (times := _times(track, settings)) is None:
            continue
        try:
            # An encode at its master's rate shows what its master shows: only where that is film in fields it may be.
            same = master_times is not None and align.frame_gap(times) == align.frame_gap(master_times)
            if not same or (master is not None and master.info is not None and master.info.telecine):
                _note_film(track, settings)
            if master is None or master_times is None:
                track.samples = _own(times, settings)
            else:
                sight = sight or _sight(master, master_times, settings)
                _pair(track, times, master, master_times, chosen, settings, sight, raster, features)
        except Exception as error:
            track.failure = as_video_error(track.ref.path, error, "choosing its frames")
    if sight is not None:
        sight.close()
    if master is None or master_times is None:
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


def _sight(track: Track, times: Sequence[Fraction], settings: Settings) -> Sight:
    assert track.info is not None
    return Sight(track.ref, track.info, times, timeout_s=settings.decode_timeout_s)


def _pair(
    track: Track,
    times: Sequence[Fraction],
    master: Track,
    master_times: Sequence[Fraction],
    chosen: list[int],
    settings: Settings,
    sight: Sight,
    raster: tuple[int, int],
    features: Features | None,
) -> None:
    """Samples of one encode against its master."""
    assert track.info is not None
    assert master.info is not None
    length, theirs = float(align.span(times)), float(align.span(master_times))
    if abs(length - theirs) > max(0.5, 0.01 * theirs):
        track.findings.append(f"lasts {length:.2f} s, its master {theirs:.2f} s")
    gap, master_gap = align.frame_gap(times), align.frame_gap(master_times)
    if gap and master_gap and abs(gap / master_gap - 1) > 0.01:
        track.findings.append(f"{float(1 / gap):.2f} frames a second, its master {float(1 / master_gap):.2f}")
    reason = align.why_not_comparable(track.info, master.info)
    mine, found = _sight(track, times, settings), Match()
    if reason is None:
        rates = (track.info.fps or Fraction(0), master.info.fps or Fraction(0))
        found = match.match(mine, sight, raster, (track.info.width, track.info.height), rates, features)
        mine.close()
        reason = found.reason
    pairing = align.pair_with_master(times, master_times, chosen, found.offset, found.ratio)
    if found.uneven and found.laid is not None:
        pairing = replace(pairing, samples=by_content.by_content(mine, sight, found.laid, pairing.samples))
    track.samples = pairing.samples or _own(times, settings)  # it may end before the first sampled instant
    if reason is None and pairing.unpaired == pairing.wanted:
        reason = "not compared with its master: no sampled frame has a counterpart within half a frame"
    if reason is not None:
        track.samples = align.without_references(track.samples)
        if raster != (track.info.width, track.info.height):  # a wrong master's size would do so unsaid
            reason += f"; judged alone, scaled to {raster[0]}x{raster[1]} as its ladder is (--display says otherwise)"
        track.findings.append(Finding(reason, "not_compared", "warning"))
        return
    track.match, track.paired = found, (pairing.wanted - pairing.unpaired, pairing.unpaired)
    track.fr_findings += found.findings
    if pairing.unpaired:
        track.fr_findings.append(
            f"{pairing.unpaired} of {pairing.wanted} sampled frames of the master have no counterpart within half a "
            "frame: left out of the comparison"
        )


def _own(times: Sequence[Fraction], settings: Settings) -> list[Sample]:
    return align.own_samples(times, fps=settings.fps, min_frames=settings.min_frames, seed=settings.seed)


def _times(track: Track, settings: Settings) -> Sequence[Fraction] | None:
    """Presentation times of all frames; None, with the track's failure set, where there are none."""
    if track.failure is not None or track.info is None:
        return None
    try:
        times = decode.frame_times(track.ref, track.info, timeout_s=settings.decode_timeout_s)
        rhythm = decode.rhythm(track.ref, track.info, timeout_s=settings.decode_timeout_s)
        track.key_times = rhythm.keys
        track.findings += cadence.findings(rhythm)
        if settings.decoder != "pyav":
            _, instead = decode.choose_decoder(
                track.ref, track.info, settings.decoder, timeout_s=settings.decode_timeout_s
            )
            track.findings += [] if instead is None else [instead]
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
