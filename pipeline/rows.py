"""A video's tally as rows: pools, interval, findings, and one plain sentence where there is no score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..models.own_raster import Part
from ..models.place_error import SIDE, place_error, with_own
from . import detect, fades, fields, pool
from .colour import OVER_BLACK
from .drops import quality_drops
from .errors import BrokenVideo, VideoError, as_video_error
from .findings import Finding
from .identity import comparison_id
from .looks import Watch
from .score import Judge, Tally
from .stretches import Stretch, merged
from .tracks import Track
from .values import ClipResult, ClipScore, Declared, FrameScore, Ladder, Mode

SMALLER = (
    f"judged at {{}}x{{}}, smaller than one place of {SIDE}x{SIDE} that the network looks at: seen whole, filled up at "
    "its border where need be; --display names what it is shown on"
)


@dataclass(frozen=True)
class Context:
    """What the rows of one ladder have in common."""

    ladder: Ladder
    judge: Judge
    master: Track | None
    tallies: Mapping[int, Tally]  # by place
    watches: Mapping[int, Watch]  # by place, too
    crops: int  # places a frame is judged at


def results_of(track: Track, context: Context) -> list[ClipResult]:
    """The rows of one video: without a reference and, where it was compared, with one; or one that says why not."""
    failure = _failure(track, context.tallies[track.place])
    if failure is None:
        try:
            return _scores(track, context)
        except Exception as error:
            failure = as_video_error(track.ref.path, error, "pooling its scores")
    reason = "; ".join([*track.ref.missing, failure.reason])  # what else it says may come of that
    why: dict[str, Any] = {"status": failure.status, "reason": reason, "retryable": failure.retryable}
    findings = tuple(map(Finding.of, track.findings))
    return [ClipResult(ClipScore(mode=None, findings=findings, **why, **_common(track, context)))]


def _scores(track: Track, context: Context) -> list[ClipResult]:
    tally, common = context.tallies[track.place], _common(track, context)
    findings = [*track.findings, *_partial(track, tally), *_damaged(track)]
    if track.watch.transparent:  # which the format of its pixels does not say
        findings.append(OVER_BLACK)
    if track.interlaced:
        at = float(min(track.interlaced) - track.start_s)
        findings.append(Finding(fields.SAID_OF_A_PART.format(at), "interlaced"))
    lost = None if context.master in (None, track) else _failure_of_master(context)
    if lost is not None and context.master is not None:
        name = context.master.ref.name
        said = f"not compared with its master {name}, which could not be used: {lost.reason}"
        findings.append(Finding(said, "not_compared", "warning"))
    elif any(s.paired for s in track.samples) and not tally.scores["fr"]:
        said = "not compared with its master: of no pair of frames could both be decoded"
        findings.append(Finding(said, "not_compared", "warning"))
    view = None if track.match is None else track.match.view
    width, height = track.raster if view is None else view.raster
    if max(width, height) < SIDE:
        findings.append(SMALLER.format(width, height))
    common |= {
        "display": f"{width}x{height}",
        "retryable": lost is not None and lost.retryable,
        **_means(track.watch, tally.scores["nr"]),
    }
    master = context.master if tally.scores["fr"] and lost is None else None
    beside = None if master is None else _beside(track, master, context)
    seen = detect.of_pictures(track.watch, track.key_times, common["duration_s"], beside)
    findings = [*detect.unexplained(findings, seen), *seen]
    paired = fades.paired(track.watch, beside)
    scores = tally.scores
    if track is context.master:
        findings += detect.poor_source(scores["nr"], track.watch, of_master=True)
    looked_at = (width, height), context.crops
    stored, columns = [look.part for look in tally.looks], common | _told(track, findings, scores["nr"], paired)
    results = [_scored("nr", scores["nr"], looked_at, columns, stored)]
    if master is not None and beside is not None:
        cut = [f for f in map(Finding.of, master.findings) if f.kind == "truncated"]
        of_master = [*cut, *_partial(master, context.tallies[master.place]), *_damaged(master)]
        findings += [*track.fr_findings, *map(_as_source, of_master)]
        dimmed = fades.of_pairs(track.watch, beside, common["duration_s"])
        findings += [*detect.against_master(track.watch, beside), *detect.unexplained(dimmed, findings)]
        of_its_own = context.tallies[master.place].scores["nr"]
        findings += detect.poor_source(of_its_own, master.watch, of_master=False)
        common |= {
            "result_id": comparison_id(track.result_id),
            "reference": master.ref.path,
            "master_score": detect.mean_score(of_its_own),
            "matched_frames": track.paired[0],
            "unpaired_frames": track.paired[1],
        }
        if track.match is not None:
            common |= {
                "offset_s": float(track.match.clock.offset),
                "offset_frames": track.match.frames,
                "rate_ratio": float(track.match.clock.ratio),
                "match_confidence": track.match.confidence,
            }
        results.append(_scored("fr", scores["fr"], looked_at, common | _told(track, findings, scores["fr"], paired)))
    return results


def _beside(track: Track, master: Track, context: Context) -> detect.Beside:
    """The master as this encode was compared with it: of its picture perhaps only the part that the encode shows."""
    return detect.Beside(
        context.watches[track.reference], master.key_times, _pairs(track), _surely_paired(track, master)
    )


def _surely_paired(track: Track, master: Track) -> bool:
    """Whether its offset is known to the frame, or both are as long: then what was not found is none."""
    if track.match is None or (track.match.laid is not None and track.match.laid.offset.sure):
        return True
    lasts, longest = (t.info.duration_s if t.info and t.info.duration_s else 0.0 for t in (track, master))
    fps = float(master.info.fps) if master.info and master.info.fps else 1.0
    return abs(lasts - longest) < 0.5 / fps


def _pairs(track: Track) -> list[tuple[int, int]]:
    """(frame, the master's frame) that show the same instant."""
    return [(s.frame, s.step) for s in track.samples if s.paired]


def _failure(track: Track, tally: Tally) -> VideoError | None:
    """Why nothing is known of this video."""
    if track.failure is not None or tally.failure is not None:
        return track.failure or tally.failure
    if track.samples and not tally.decoded:
        return BrokenVideo(track.ref.path, "none of its sampled frames can be decoded; write the file again")
    return None


def _means(watch: Watch, frames: Sequence[FrameScore]) -> dict[str, float | None]:
    """Of the frames that are judged: of a master others may serve as references."""
    judged = np.isin(watch.column("frame"), [f.frame_num for f in frames])
    return {name: float(watch.column(name)[judged].mean()) if judged.any() else None for name in ("luma", "chroma")}


def _failure_of_master(context: Context) -> VideoError | None:
    return None if context.master is None else _failure(context.master, context.tallies[context.master.place])


def _as_source(finding: Finding) -> Finding:
    """What was found in a master, as its encodes are told."""
    return replace(finding, sentence=f"of its master, {finding.sentence}", kind="poor_source", severity="warning")


def _partial(track: Track, tally: Tally) -> list[Finding]:
    """A finding where decoding did not give every sampled frame."""
    if tally.decoded >= len(track.samples):
        return []
    why = tally.trouble or "the others are damaged or missing in the file"
    said = f"only {tally.decoded} of {len(track.samples)} sampled frames could be decoded: {why}"
    return [Finding(said, "damaged", "warning")]


def _damaged(track: Track) -> list[Finding]:
    """Where pictures of a video cannot be decoded, or only in part: those are judged as the decoder fills them in.

    Later pictures are made of them, up to the next key frame.
    """
    times = sorted(float(time - track.start_s) for time in track.damaged)
    keys = np.append(track.key_times, max([track.info.duration_s or 0.0 if track.info else 0.0, *times]))
    ends = keys[np.searchsorted(keys[:-1], times, "right")].tolist()
    said = "pictures are damaged, up to the next key frame: what cannot be read is judged as the decoder fills it in"
    stretches = merged((Stretch(at, end, 1) for at, end in zip(times, ends, strict=True)), within_s=1.0)
    return detect.few([Finding(said, "damaged", "error", round(s.start_s, 3), round(s.end_s, 3)) for s in stretches])


def _common(track: Track, context: Context) -> dict[str, Any]:
    """Columns that do not depend on the mode."""
    info = track.info
    return {
        "path": track.ref.path,
        "ladder": context.ladder.name,
        "is_master": track is context.master,
        "width": info and info.width,
        "height": info and info.height,
        "fps": float(info.fps) if info and info.fps else None,
        "codec": info and info.codec,
        "bitrate_kbps": info and info.bitrate_kbps,
        "duration_s": info and info.duration_s,
        "declared": _declared(track, context.ladder),
        "model": context.judge.model_name,
        "model_sha256": context.judge.model_sha256,
        "result_id": track.result_id,
        "content_id": track.content_id,
    }


def _declared(track: Track, ladder: Ladder) -> Declared:
    """What is said of an encode; a master is what it is."""
    place = track.place - (ladder.master is not None)
    return ladder.renditions[place].declared if place >= 0 else Declared()


def _scored(
    mode: Mode,
    frames: Sequence[FrameScore],
    looked_at: tuple[tuple[int, int], int],
    columns: Mapping[str, Any],
    own: Sequence[Part] = (),
) -> ClipResult:
    """`looked_at`: the raster, and how many places of it; `own`: what their scores have of pictures as stored."""
    scores, spans = [f.score for f in frames], [f.span_s for f in frames]
    pools = pool.pool([f.pts_time for f in frames], scores)
    shots = shots_worth(frames)
    error = with_own(place_error(mode, pools["mean"], *looked_at, shots), own, len(frames), shots)
    clip = ClipScore(
        mode=mode, status="ok", pools=pools, ci95=pool.ci95(scores, error, spans),
        ci95_frames=pool.ci95(scores, spans=spans), frames=len(frames), **columns,
    )  # fmt: skip
    return ClipResult(clip, tuple(frames))


def shots_worth(frames: Sequence[FrameScore]) -> float:
    """How many shots of equal length these frames are worth; shots that are not told count as one."""
    counts = Counter(f.shot for f in frames).values()
    return sum(counts) ** 2 / sum(n * n for n in counts)


def _told(
    track: Track, findings: Sequence[str | Finding], frames: Sequence[FrameScore], paired: fades.Paired
) -> dict[str, Any]:
    """The column of findings: those, and what the scores of one mode show beside."""
    duration_s = track.info.duration_s if track.info else None
    drops = quality_drops(frames, track.key_times, duration_s, paired)
    return {"findings": tuple(map(Finding.of, [*findings, *detect.unexplained(drops, findings)]))}
