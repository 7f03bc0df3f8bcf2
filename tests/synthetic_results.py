"""Results folders as a scan leaves them, made of nothing: for tests of the report and for looking at it.

Run by hand: `python tests/synthetic_results.py OUT [ladders]` writes a results folder and its report.
"""

from __future__ import annotations

import functools
import hashlib
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image
from yoto_video.pipeline.findings import Finding
from yoto_video.pipeline.pool import ci95, pool
from yoto_video.pipeline.runs import RunRow
from yoto_video.pipeline.store import Store
from yoto_video.pipeline.values import ClipResult, ClipScore, FrameScore, Mode, Moment

SHA = "3f1c" * 16
MODEL = {"model": "yoto_mobilenetv2", "model_sha256": SHA}
RUNGS = ((1920, 1080, 5200), (1280, 720, 2600), (960, 540, 1400), (640, 360, 700), (426, 240, 330))
CODECS = {"h264": 1.0, "hevc": 0.62}
HOSTILE = "</script><img src=x onerror=\"document.title='pwned'\"><b>&amp;{{7*7}}'\""


def frame_scores(mean: float, mode: Mode, *, seconds: float, seed: int, dip: float = 12.0) -> tuple[FrameScore, ...]:
    """Two frames a second around a mean, with a slow swing and one bad scene at two thirds: in the third shot."""
    rng = np.random.default_rng(seed)
    n = max(1, round(seconds * 2))
    times = (np.arange(n) + rng.uniform(0, 0.9, n)) / 2
    bad_scene = dip * np.exp(-(((times - 0.66 * seconds) / max(0.5, seconds / 14)) ** 2))
    scores = mean + 3 * np.sin(times / 3 + 1) - bad_scene + rng.normal(0, 1.2, n)
    scores = np.clip(scores, 0, 100)
    shots = np.searchsorted(np.array([0.3, 0.55, 0.78]) * seconds, times)
    each = zip(times, scores, shots, strict=True)
    return tuple(FrameScore(int(t * 25), float(t), float(s), mode, int(shot)) for t, s, shot in each)


def result(clip: ClipScore, frames: tuple[FrameScore, ...]) -> ClipResult:
    """A scored row: pools, interval and frame count are those of the frames."""
    times, scores = [f.pts_time for f in frames], [f.score for f in frames]
    values = {f: getattr(clip, f) for f in clip.__dataclass_fields__}
    values |= {"status": "ok", "pools": pool(times, scores), "ci95": ci95(scores), "frames": len(frames), **MODEL}
    return ClipResult(ClipScore(**values), frames)


def scored(
    path: str, ladder: str, mode: Mode, mean: float, *, seconds: float = 20.0, seed: int = 0, **facts: object
) -> ClipResult:
    """One scored clip in one mode."""
    known: dict[str, object] = {"display": "1920x1080", "fps": 25.0, "duration_s": seconds, "codec": "h264"}
    identity = hashlib.sha256(f"{mode} {path}".encode()).hexdigest()[:32]
    known |= {"width": 1920, "height": 1080, "bitrate_kbps": 4321.0, "result_id": identity}
    made = ClipScore(path, ladder, mode, "failed", "placeholder", **(known | facts))  # type: ignore[arg-type]
    frames = frame_scores(mean, mode, seconds=seconds, seed=seed)
    return result(replace(made, reason=None, status="ok", pools={"mean": 0.0}), frames)


def unscored(path: str, ladder: str, reason: str, *, status: str = "failed", **facts: object) -> ClipResult:
    """A file that could not be scored."""
    return ClipResult(ClipScore(path, ladder, None, status, reason, **facts))  # type: ignore[arg-type]


def ladder(
    name: str, *, root: str = "/media/vod", codecs: Sequence[str] = ("h264", "hevc"), master: str = "ok",
    seconds: float = 20.0, seed: int = 0, quality: float = 0.0, store: Store | None = None,
) -> list[ClipResult]:  # fmt: skip
    """A whole ladder. `master` is "ok", "failed" or "none"; with a store, worst frames get pictures."""
    results: list[ClipResult] = []
    source = f"{root}/{name}/master.mov"
    if master == "ok":
        facts = {"is_master": True, "codec": "prores", "bitrate_kbps": 147_000.0}
        results.append(scored(source, name, "nr", 84 + quality / 2, seconds=seconds, seed=seed, **facts))
    elif master == "failed":
        reason = "the file ends in the middle of its index: copy it again"
        results.append(unscored(source, name, reason, is_master=True))
    for c, codec in enumerate(codecs):
        for r, (width, height, kbps) in enumerate(RUNGS):
            path = f"{root}/{name}/{codec}_{height}p.mp4"
            rate = kbps * CODECS.get(codec, 1.0) * (1 + 0.07 * ((seed * 7 + r * 3) % 5))
            mean = 34 + quality + 21 * math.log(kbps / 300) - 3 * c + (-9 if (seed + r) % 9 == 8 else 0)
            facts = {"codec": codec, "width": width, "height": height, "bitrate_kbps": rate}
            here = seed * 100 + c * 10 + r
            notes = ("colour matrix not stated, bt709 assumed from the height",) if height >= 720 else ()
            modes: list[tuple[Mode, float]] = [("nr", min(88, mean - 2))]
            if master == "ok":
                modes.append(("fr", mean))
            for mode, value in modes:
                extra: dict[str, object] = dict(facts) | {"findings": tuple(map(Finding.of, notes))}
                if height == 360:
                    frozen = Finding("the picture stands still while its master moves", "frozen", "error", 4.25, 7.5)
                    extra["findings"] = (frozen, Finding("3 frames are missing", "cadence", "warning", 9.0, 9.16))
                if mode == "fr":
                    extra |= {"reference": source, "offset_s": 0.0, "offset_frames": 0, "match_confidence": 0.98,
                              "master_score": 84 + quality / 2}  # fmt: skip
                made = scored(path, name, mode, value, seconds=seconds, seed=here, **extra)
                if store and mode == modes[-1][0]:
                    made = with_moments(made, store, reference=mode == "fr")
                results.append(made)
    return results


def with_moments(made: ClipResult, store: Store, *, reference: bool, count: int = 2) -> ClipResult:
    """Keep pictures of the clip's worst frames."""
    worst = sorted(made.frames, key=lambda f: f.score)[:count]
    moments, files = [], dict[str, bytes]()
    for frame in worst:
        names = ["encode", "heat", *(["reference"] if reference else [])]
        at = {n: f"pictures/{made.clip.result_id}/{frame.mode}-{frame.frame_num}-{n}.webp" for n in names}
        files |= {at[name]: picture(name, frame.frame_num % 4) for name in names}
        moments.append(
            Moment(frame.frame_num, frame.pts_time, frame.score, at["encode"], at["heat"], at.get("reference"))
        )
    store.save_pictures(files)
    return ClipResult(replace(made.clip, moments=tuple(moments)), made.frames)


@functools.cache
def picture(kind: str, seed: int) -> bytes:
    """A small landscape: hills under a sky; blocky when encoded, coloured when a heat map."""
    y, x = np.mgrid[0:180, 0:320]
    hills = 110 + 18 * np.sin(x / 37 + seed) + 9 * np.sin(x / 11 + seed / 2)
    ground = (y > hills)[..., None]
    sky = np.stack([120 + y / 2, 160 + y / 3, 210 - y / 6], axis=-1)
    grass = np.stack([60 + 10 * np.sin(x / 3), 110 - (y - 110) / 3, 50 + 0 * y], axis=-1)
    rgb = np.where(ground, grass, sky)
    if kind == "encode":
        rgb = rgb[::8, ::8].repeat(8, 0).repeat(8, 1)[:180, :320]
    if kind == "heat":
        rgb = np.stack([120 + 100 * np.sin(x / 60), 120 + 90 * np.sin(x / 60), 110 - 40 * np.sin(x / 60)], axis=-1)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8)).save(buffer, "WEBP", quality=70)
    return buffer.getvalue()


def run_row(results: Iterable[ClipResult], *, days_ago: int = 0) -> RunRow:
    """The run that measured these."""
    rows = [r.clip.status for r in results]
    end = datetime(2025, 3, 14, 9, 26, tzinfo=UTC) - timedelta(days=days_ago)
    counts = {s: rows.count(s) for s in ("ok", "skipped", "failed")}
    seconds = {"decode": 41.2, "inference": 61.9, "all": 77.0}
    return RunRow(
        f"run-{days_ago}", end - timedelta(seconds=77), end, "scan /media/vod", "0.1.0", seconds=seconds,
        **counts, **MODEL,
    )  # fmt: skip


def write(out: Path, ladders: Sequence[Sequence[ClipResult]]) -> Path:
    """Commit ladders and one run to a results folder."""
    with Store(str(out)) as store:
        for results in ladders:
            store.commit(results[0].clip.ladder, results)
        store.commit_run(run_row([r for results in ladders for r in results]))
    return out


def showcase(out: Path, count: int = 6, *, pictures: bool = True) -> Path:
    """A fleet with everything in it: good and bad ladders, NR only, a broken master, failures, skips, odd names."""
    titles = ("aurora", "harbour", "night market", "regatta", "snow leopard", "vertical/city", "winter light")
    with Store(str(out)) as store:
        made: list[list[ClipResult]] = []
        for i in range(count):
            name = titles[i % len(titles)] + (f" {i // len(titles) + 1:03d}" if i >= len(titles) else "")
            kind = {3: "failed", 4: "none"}.get(i % 7, "ok")
            codecs = ("h264",) if i % 3 == 2 else ("h264", "hevc")
            made.append(
                ladder(
                    name, master=kind, codecs=codecs, seed=i, quality=-11 * ((i * 5) % 4), seconds=20 + 25 * (i % 5),
                    store=store if pictures else None,
                )
            )  # fmt: skip
        odd = "audio file without a video track: nothing to score"
        encrypted = "encrypted (cenc): give the clear file"
        made += [
            [unscored(f"/media/vod/extras/{n}.m4a", f"extras/{n}", odd, status="skipped")]
            for n in ("theme", "voice over", "music")
        ]
        made += [[unscored("/media/vod/extras/promo.mp4", "extras/promo", encrypted, codec="h264")]]
        made += [[unscored("/media/vod/extras/zero.mp4", "extras/zero", "the file is empty: copy it again")]]
        for results in made:
            store.commit(results[0].clip.ladder, results)
        store.commit_run(run_row(made[0], days_ago=7))
        store.commit_run(run_row([r for results in made for r in results]))
    return out


if __name__ == "__main__":
    import sys

    from yoto_video.reports.pages import build_report

    showcase(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 7)
    print(build_report(sys.argv[1]))


def clips() -> list[ClipResult]:
    return [
        scored("/v/a/one.mp4", "a", "nr", 60), scored("/v/a/one.mp4", "a", "fr", 70, seed=1),
        scored("/v/a/two.mp4", "a", "fr", 50, seed=2), unscored("/v/a/three.mp4", "a", "the file is empty"),
        unscored("/v/a/four.m4a", "a", "audio only", status="skipped"),
    ]  # fmt: skip


def lowered(results: list[ClipResult], points: float, **facts: object) -> list[ClipResult]:
    """The same, some points worse in every frame, as of another encode."""
    made = []
    for one in results:
        frames = tuple(replace(f, score=f.score - points) for f in one.frames)
        clip = replace(one.clip, result_id=f"{one.clip.result_id}x" if frames else "", **facts)  # type: ignore[arg-type]
        made.append(replace(result(clip, frames)) if frames else one)
    return made
