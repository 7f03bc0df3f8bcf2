"""A video's tally as rows: pools, interval, findings, and one plain sentence where there is no score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import pool
from .errors import BrokenVideo, VideoError
from .identity import comparison_id
from .score import Judge, Tally, as_video_error
from .tracks import Track
from .values import ClipResult, ClipScore, FrameScore, Ladder, Mode


@dataclass(frozen=True)
class Context:
    """What the rows of one ladder have in common."""

    ladder: Ladder
    judge: Judge
    raster: tuple[int, int]  # (width, height)
    master: Track | None
    tallies: Mapping[int, Tally]  # by place


def results_of(track: Track, context: Context) -> list[ClipResult]:
    """The rows of one video: without a reference and, where it was compared, with one; or one that says why not."""
    failure = _failure(track, context.tallies[track.place])
    if failure is None:
        try:
            return _scores(track, context)
        except Exception as error:
            failure = as_video_error(track.ref.path, error, "pooling its scores")
    why: dict[str, Any] = {"status": failure.status, "reason": failure.reason, "retryable": failure.retryable}
    return [ClipResult(ClipScore(mode=None, findings=tuple(track.findings), **why, **_common(track, context)))]


def _scores(track: Track, context: Context) -> list[ClipResult]:
    tally, common = context.tallies[track.place], _common(track, context)
    findings = track.findings + _partial(track, tally, "")
    lost = None if context.master in (None, track) else _failure_of_master(context)
    if lost is not None and context.master is not None:
        name = context.master.ref.name
        findings.append(f"not compared with its master {name}, which could not be used: {lost.reason}")
    elif any(s.paired for s in track.samples) and not tally.scores["fr"]:
        findings.append("not compared with its master: of no pair of frames could both be decoded")
    view = None if track.match is None else track.match.view
    width, height = context.raster if view is None else view.raster
    common |= {
        "display": f"{width}x{height}",
        "retryable": lost is not None and lost.retryable,
    }
    results = [_scored("nr", tally.scores["nr"], common | {"findings": tuple(findings)})]
    if tally.scores["fr"] and lost is None and context.master is not None:
        master = context.master
        findings += track.fr_findings + _partial(master, context.tallies[master.place], "of the master, ")
        common |= {
            "findings": tuple(findings),
            "result_id": comparison_id(track.result_id),
            "reference": master.ref.path,
            "matched_frames": track.paired[0],
            "unpaired_frames": track.paired[1],
        }
        if track.match is not None:
            rate = master.info.fps if master.info and master.info.fps else 0
            common |= {
                "offset_s": float(track.match.offset),
                "offset_frames": round(track.match.offset * rate),
                "rate_ratio": float(track.match.ratio),
                "match_confidence": track.match.confidence,
            }
        results.append(_scored("fr", tally.scores["fr"], common))
    return results


def _failure(track: Track, tally: Tally) -> VideoError | None:
    """Why nothing is known of this video."""
    if track.failure is not None or tally.failure is not None:
        return track.failure or tally.failure
    if track.samples and not tally.decoded:
        return BrokenVideo(track.ref.path, "none of its sampled frames can be decoded; write the file again")
    return None


def _failure_of_master(context: Context) -> VideoError | None:
    return None if context.master is None else _failure(context.master, context.tallies[context.master.place])


def _partial(track: Track, tally: Tally, whose: str) -> list[str]:
    """A finding where decoding did not give every sampled frame."""
    if tally.decoded >= len(track.samples):
        return []
    why = tally.trouble or "the others are damaged or missing in the file"
    return [f"{whose}only {tally.decoded} of {len(track.samples)} sampled frames could be decoded: {why}"]


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
        "model": context.judge.model_name,
        "model_sha256": context.judge.model_sha256,
        "result_id": track.result_id,
        "content_id": track.content_id,
    }


def _scored(mode: Mode, frames: Sequence[FrameScore], columns: Mapping[str, Any]) -> ClipResult:
    scores = [f.score for f in frames]
    pools = pool.pool([f.pts_time for f in frames], scores)
    clip = ClipScore(mode=mode, status="ok", pools=pools, ci95=pool.ci95(scores), frames=len(frames), **columns)
    return ClipResult(clip, tuple(frames))
