"""The whole path of one ladder: probe, choose frames, decode in step, score, pool. Top to bottom.

Every video is decoded once, and every frame encoded once but for few (`turns`), the master's for all its encodes: N + 1
passes for N encodes.
Frames never accumulate: decoders run a few frames ahead of the network, and only the worst ones are kept for pictures.
Nothing that one file does is raised: it becomes that file's row.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from . import combs, decode, suspects
from .ahead import Ahead, batches
from .align import Clock, Sample
from .choose import Extra, choose_samples
from .geometry import View
from .identity import display_raster
from .ladder_result import LadderResult
from .lockstep import Reading, in_step
from .looks import Watch
from .object_store import TRAFFIC
from .own_raster import Due
from .pictures import PictureSink, WorstFrames, apart, with_pictures
from .rows import Context, results_of
from .score import Judge, Scorer, Tally
from .settings import Settings
from .tracks import Track, note_aspect, open_tracks, share_matrix
from .values import Frame, Ladder, VideoInfo

FRAMES_A_CALL = 8  # frames encoded at once, and as many wait for the network meanwhile
BYTES_A_CORE = 50 << 20  # of these frames, where they are large, for one core or two that judge
MOST_CORES = 4  # for decoding one video: the network wants cores too


def measure_ladder(
    ladder: Ladder,
    judge: Judge,
    settings: Settings,
    *,
    todo: Set[str] | None = None,
    pictures: PictureSink | None = None,
    infos: Mapping[str, VideoInfo] | None = None,
    content_ids: Mapping[str, str] | None = None,
    moments: int | None = None,
) -> LadderResult:
    """Score every video of a ladder without a reference, and every encode against its master where there is one.

    Encodes whose scores say that they may leave their place on the master for a while are laid over it once more, with
    a closer look at that; and judged once more where they do.

    Args:
        ladder: what belongs together.
        judge: the loaded network.
        settings: how frames are chosen, shown and judged.
        todo: paths of the videos to measure; None: all. Other videos are decoded only as far as these need them.
        pictures: where pictures of the worst frames go; None: none are made.
        infos: by path, what was probed before.
        content_ids: by path, of files whose content was identified before.
        moments: only so many of the first sampled moments, to see what the whole will take: rows that are no results.

    Returns:
        One result without reference and, where there is a master, one with it for each encode; one for the master; one
        without a mode for a video that could not be scored; in the ladder's order.
    """
    laid = partial(_laid, ladder, judge, settings, infos=infos or {}, content_ids=content_ids or {}, moments=moments)
    first = laid(todo=todo)
    result = _scored(first, judge, settings, pictures)
    astray = suspects.of_scores(result.results) if moments is None else frozenset[str]()
    if not astray:
        return result
    again = laid(todo=astray, closely=astray)
    if again.clocks == {path: clock for path, clock in first.clocks.items() if path in astray}:
        return result.corrected(LadderResult([], again.seconds, again.bytes_read))
    return result.corrected(_scored(again, judge, settings, pictures))


@dataclass(frozen=True)
class _Laid:
    """A ladder whose frames are chosen and laid over its master, and what that took."""

    ladder: Ladder
    tracks: list[Track]
    extras: list[Extra]
    seconds: dict[str, float]
    bytes_read: int

    @property
    def clocks(self) -> dict[str, Clock]:
        """Of encodes that were laid over their master, by path."""
        return {t.ref.path: t.match.clock for t in self.tracks if t.wanted and t.match is not None}


def _laid(
    ladder: Ladder,
    judge: Judge,
    settings: Settings,
    *,
    todo: Set[str] | None,
    infos: Mapping[str, VideoInfo],
    content_ids: Mapping[str, str],
    moments: int | None,
    closely: Set[str] = frozenset(),
) -> _Laid:
    began, read_before = time.perf_counter(), TRAFFIC.read
    tracks = open_tracks(ladder, settings, judge.model_sha256, todo=todo, infos=infos, content_ids=content_ids)
    master = tracks[0] if ladder.master is not None else None
    share_matrix(tracks, master)
    raster = display_raster(ladder, settings, {t.ref.path: t.info for t in tracks}) or (1, 1)
    for track in tracks:
        track.raster = raster
    extras = choose_samples(tracks, master, settings, raster, judge.features, workers=_cores(), closely=closely)
    note_aspect(tracks)
    if moments is not None:
        _shorten([*tracks, *extras], moments)
    spent = time.perf_counter() - began
    seconds = {"probe": spent, "wall": spent}
    return _Laid(ladder, tracks, extras, seconds, TRAFFIC.read - read_before)


def _scored(laid: _Laid, judge: Judge, settings: Settings, pictures: PictureSink | None) -> LadderResult:
    began, read_before = time.perf_counter(), TRAFFIC.read
    tracks, extras = laid.tracks, laid.extras
    master = tracks[0] if laid.ladder.master is not None else None
    videos = len([t for t in tracks if t.samples]) + len(extras)
    share = min(MOST_CORES, _cores() // max(1, videos))
    readings = [
        Reading(t.place, t.samples, partial(_read, t, t.samples, _view(t), t.watch, settings, share, judge.sees_own))
        for t in tracks
        if t.samples
    ]
    tallies = {t.place: Tally(t.ref.path, t.start_s, _keeper(t, settings, pictures)) for t in tracks}
    for extra in extras:
        assert master is not None
        readings.append(
            Reading(
                extra.place,
                extra.samples,
                partial(_read, master, extra.samples, extra.view, extra.watch, settings, share),
            )
        )
        tallies[extra.place] = Tally(master.ref.path, master.start_s, WorstFrames(0, 0.0))
    references = {t.place: t.reference for t in tracks if t is not master} if master is not None else {}
    scorer = Scorer(judge, tallies, references)
    at_once = _at_once(max(t.raster[0] * t.raster[1] for t in tracks))
    with Ahead(in_step(readings, workers=min(_cores(), max(1, videos))), depth=at_once) as decoded:
        for batch in batches(iter(decoded), at_once):
            scorer.add(batch)
            batch.clear()  # or its frames would live on while the next batch fills
    for track in tracks:
        if track.wanted and combs.are_shown(track.ref, track.combs, timeout_s=settings.decode_timeout_s):
            track.findings.append(combs.FOUND)
    scored = time.perf_counter()

    watches = {t.place: t.watch for t in tracks} | {e.place: e.watch for e in extras}
    context = Context(laid.ladder, judge, master, tallies, watches, settings.crops)
    found = [(result, tallies[t.place].worst) for t in tracks if t.wanted for result in results_of(t, context)]
    results = [result for result, _ in found]
    if pictures is not None:
        with ThreadPoolExecutor(_cores(), thread_name_prefix="pictures") as pool:
            results = list(pool.map(lambda one: with_pictures(one[0], one[1], judge.heat_map, pictures), found))
    done = time.perf_counter()
    seconds = laid.seconds | {"decode": decoded.busy_s, "wait": decoded.waited_s, "inference": scorer.seconds}
    seconds |= {"pictures": done - scored, "wall": laid.seconds["wall"] + done - began}
    frames = sum(tally.decoded for tally in tallies.values())
    return LadderResult(results, seconds, laid.bytes_read + TRAFFIC.read - read_before, frames)


def _shorten(read: Sequence[Track | Extra], moments: int) -> None:
    """Leave the first moments that any video is sampled at."""
    steps = sorted({sample.step for one in read for sample in one.samples})[:moments]
    for one in read:
        one.samples = [sample for sample in one.samples if sample.step in steps]


def _view(track: Track) -> View | None:
    return None if track.match is None else track.match.view


def _read(
    track: Track,
    samples: Sequence[Sample],
    view: View | None,
    watch: Watch,
    settings: Settings,
    share: int,
    enlarged: bool = False,
) -> Iterator[Frame]:
    """The stream of these frames of a track, on its raster or as a view shows them; `watch` sees each pass.

    With `enlarged` those that are `Due` come with what is stored of them.
    """
    assert track.info is not None
    scored, due = {s.frame for s in samples if s.scored}, Due()
    decoded = decode.read_frames(
        track.ref,
        track.info,
        [s.frame for s in samples],
        raster=track.raster if view is None else view.read_size,
        decoder=settings.decoder,
        timeout_s=settings.decode_timeout_s,
        cores=max(1, share),
        damaged=track.damaged,
        interlaced=track.interlaced,
        combs=track.combs,
        own=enlarged,
    )
    with closing(decoded) as frames:
        for frame in frames:
            own = frame.own if view is None or not enlarged else view.own(frame)
            shown = replace(frame, rgb=frame.rgb if view is None else view.apply(frame.rgb), own=own)
            shown = replace(shown, shot=watch.see(shown, track.start_s, scored=frame.index in scored))
            own = shown.own.converted() if shown.own and frame.index in scored and due(shown) else None
            given = [replace(shown, own=own)]
            del frame, shown  # none waits here while the caller works: they are large
            yield given.pop()


def _keeper(track: Track, settings: Settings, pictures: PictureSink | None) -> WorstFrames:
    """What keeps a track's worst frames."""
    count = settings.worst_frames if pictures is not None and track.wanted else 0
    duration = track.info.duration_s if track.info and track.info.duration_s else 0.0
    return WorstFrames(count, apart(count, duration))


def _cores() -> int:
    """Cores this process may use (Ray says it in OMP_NUM_THREADS)."""
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # it may be a list, by depth of nesting
    return int(given) if given.isdigit() and int(given) else os.cpu_count() or 1


def _at_once(pixels: int) -> int:
    """Frames of this size that are encoded at once."""
    return max(2, min(FRAMES_A_CALL, min(2, _cores()) * BYTES_A_CORE // (3 * pixels)))
