"""A ladder's videos on their way through `measure_ladder`: identified, probed, and read as they are meant."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from . import probe, storage, track_numbers
from .align import Sample
from .colour import UNSTATED_MATRIX
from .errors import VideoError, as_video_error
from .findings import Finding
from .identity import ladder_ids
from .looks import Watch
from .match import Match
from .settings import Settings
from .stretches import Floats
from .values import Ladder, VideoInfo, VideoRef


@dataclass
class Track:
    """One video of a ladder on its way through `measure_ladder`."""

    place: int  # in Ladder.videos
    ref: VideoRef
    content_id: str = ""
    result_id: str = ""  # of its score without reference, or of its failure
    wanted: bool = True  # False: only decoded as a reference
    info: VideoInfo | None = None
    raster: tuple[int, int] = (1, 1)  # (width, height) its whole picture is judged at
    own_matrix: tuple[str, str] | None = None  # assumed of it alone, where its master's was taken, and what was said
    foreign: bool = False  # its master is of something else: nothing is taken from it
    start_s: Fraction = Fraction(0)  # exact presentation time of the first frame
    samples: list[Sample] = field(default_factory=list)
    findings: list[str | Finding] = field(default_factory=list)  # a plain sentence is a note
    fr_findings: list[str | Finding] = field(default_factory=list)  # about the comparison alone
    key_times: Floats = field(default_factory=lambda: np.empty(0))  # of key frames, seconds from the first frame
    watch: Watch = field(default_factory=Watch)  # what its sampled frames look like
    damaged: set[Fraction] = field(default_factory=set)  # when pictures are shown that cannot be decoded as a whole
    interlaced: set[Fraction] = field(default_factory=set)  # from when on, where it does not begin so
    combs: dict[int, float] = field(default_factory=dict)  # `combs.part_combed` of its sampled frames, by number
    match: Match | None = None  # how it lies over its master, where it could be laid over it
    reference: int = 0  # place of the reading of the master it is compared with
    paired: tuple[int, int] = (0, 0)  # sampled instants of the master with and without a counterpart
    failure: VideoError | None = None


def open_tracks(
    ladder: Ladder,
    settings: Settings,
    model_sha256: str,
    *,
    todo: Set[str] | None,
    infos: Mapping[str, VideoInfo],
    content_ids: Mapping[str, str],
) -> list[Track]:
    """One track a video, identified, and probed where it matters: the wanted ones, their master, else every rung."""
    tracks = [Track(place, ref, info=infos.get(ref.path)) for place, ref in enumerate(ladder.videos)]
    contents = {ref.path: content_ids.get(ref.path) or _content_id(ref) for ref in ladder.videos}
    if ladder.master is None:  # the tallest decides how all are shown
        for track in tracks:
            _probe(track, settings)
    probed: dict[str, VideoInfo | None] = {t.ref.path: t.info for t in tracks}
    ids = ladder_ids(ladder, settings, model_sha256, content_ids=contents, infos=probed)
    for track in tracks:
        track.content_id, track.result_id = contents[track.ref.path], ids[track.ref.path]
        track.wanted = todo is None or track.ref.path in todo
    for track, rendition in zip(tracks[len(tracks) - len(ladder.renditions) :], ladder.renditions, strict=True):
        track.findings += rendition.findings
    for track in tracks:
        if track.wanted or (track.ref == ladder.master and any(t.wanted for t in tracks)):
            _probe(track, settings)
        track.findings += track.info.notes if track.info else ()
    return tracks


def _content_id(ref: VideoRef) -> str:
    """The content's id; "" when it cannot be read, and probing will say why."""
    try:
        return storage.content_id(ref)
    except (VideoError, OSError):
        return ""


def _probe(track: Track, settings: Settings) -> None:
    if track.info is None and track.failure is None:
        try:
            track.info = probe.probe(track.ref, timeout_s=settings.decode_timeout_s)
        except Exception as error:
            track.failure = as_video_error(track.ref.path, error, "reading its header")


def note_measured(track: Track, settings: Settings) -> None:
    """Have what was estimated of an object in a store measured, and said: for frame times all its packets are read."""
    assert track.info is not None
    before = track.info.notes
    track.info = track_numbers.measured(track.ref, track.info, timeout_s=settings.decode_timeout_s)
    gone = [note for note in before if note not in track.info.notes]
    track.findings = [said for said in track.findings if said not in gone]
    track.findings += [note for note in track.info.notes if note not in before]


def share_matrix(tracks: list[Track], master: Track | None) -> None:
    """Read encodes that do not state their colour matrix as their master is read.

    Scalers keep the matrix and encoders drop the tag, so the guess by size that suits a file alone would tint the small
    rungs of a ladder and take points from them.
    """
    if master is None or master.info is None:
        return
    theirs = master.info.color_space
    if theirs == "gbr":
        return  # no matrix to take over
    for track in tracks:
        info = track.info
        if track is master or info is None or info.color_space == theirs:
            continue
        said = next((str(note) for note in info.notes if str(note).startswith(UNSTATED_MATRIX)), None)
        if said is not None:
            track.own_matrix = info.color_space, said
            read_in(track, theirs, said, f"{UNSTATED_MATRIX}, {theirs} taken from its master")


def read_in(track: Track, matrix: str, before: str, said: str) -> None:
    """Have a track read in this colour matrix, and say so in place of what was said `before`."""
    assert track.info is not None
    notes = tuple(said if note == before else note for note in track.info.notes)
    track.info = replace(track.info, color_space=matrix, notes=notes)
    track.findings = [said if note == before else note for note in track.findings]


def note_aspect(tracks: list[Track]) -> None:
    """Say where a picture's shape differs from the display's by more than 1 %: it is stretched as a whole."""
    shapes = {t.place: t.info.width / t.info.height for t in tracks if t.info is not None and t.failure is None}
    shown = {t.place: t.raster[0] / t.raster[1] for t in tracks}
    fits = any(abs(own / shown[place] - 1) <= 0.01 for place, own in shapes.items())  # not so of a display asked for
    for track in tracks:
        viewed = track.match is not None and track.match.view is not None
        if track.info is None or track.place not in shapes or viewed:
            continue
        own, wanted = shapes[track.place], shown[track.place]
        if abs(own / wanted - 1) <= 0.01:
            continue
        said = (
            f"aspect ratio {own:.3f} ({track.info.width}x{track.info.height}) against the display's {wanted:.3f} "
            f"({track.raster[0]}x{track.raster[1]}): the picture was stretched"
        )
        if fits and not track.foreign and abs(own * wanted - 1) <= 0.02:
            track.findings.append(Finding(f"{said}; it lies on its side: a rotation was lost", "rotation", "error"))
        else:
            track.findings.append(Finding(said, "aspect", "warning"))
