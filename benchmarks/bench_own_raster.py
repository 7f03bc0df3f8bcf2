"""What the look at the own pixels of pictures that are shown larger than they are stored is worth, and what it misses.

python benchmarks/bench_own_raster.py [--cross WEIGHTS ...]

Three real clips, their first 4 s, are encoded by x264 at five sizes and three CRFs, and once more at 360 lines, fading
in. NR of the 45 rungs is held against their FR, for several shares of the own pixels in it. NR of what is
enlarged is then held against a closer look: six frames a second, the own pixels of each; `ci95_frames` has to hold that
at the same places, `ci95` that at four others, which takes five of both. `--cross` takes the weights of folds 1
to 3 (`yoto-video train --fold`) and says how NR of each share agrees with people, on contents that they never saw.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

CLIPS, SECONDS, FPS = ("bigbuckbunny_720p.mp4", "coffee_720p.mp4", "dog_720p.mp4"), 4, 25
LOOKS, CLOSER_FPS = 5, 6.0
HEIGHTS, CRFS, FADED = (720, 480, 360, 240, 160), (24, 30, 36), 360
SHARES = ("as shown alone", 0.0), ("as shipped", None), ("a larger share", 0.8), ("own pixels alone", 1.0)


def ladders(data: Path, folder: Path) -> tuple[list[Any], list[Any]]:
    """The clips' ladders, and the ladders of one encode that fade in."""
    from yoto_video.pipeline.decode import read_frames
    from yoto_video.pipeline.encode import Rung, encode
    from yoto_video.pipeline.probe import probe
    from yoto_video.pipeline.values import Ladder, Rendition, VideoRef

    whole, fading = [], []
    for clip in CLIPS:
        ref, to = VideoRef(str(data / "clips/sdr" / clip)), folder / Path(clip).stem
        info = probe(ref)
        frames = [f.rgb for f in read_frames(ref, info, range(SECONDS * FPS))]

        def rung(name: str, height: int, crf: int, to: Path = to, shape: Any = frames[0].shape) -> Rung:
            width = round(shape[1] * height / shape[0] / 2) * 2
            return Rung(to / f"{name}.mp4", "libx264", width, height, None, (("crf", str(crf)), ("preset", "veryfast")))

        master = rung("master", info.height, 4)
        encodes = [rung(f"{h}p_crf{crf}", h, crf) for h in HEIGHTS for crf in CRFS]
        encode(frames, [master, *encodes], fps=FPS)
        fade = rung("fade", FADED, 30)
        encode(_faded(frames), [fade], fps=FPS)
        refs = [Rendition(VideoRef(str(each.file))) for each in (*encodes, fade)]
        whole.append(Ladder(to.name, tuple(refs[:-1]), VideoRef(str(master.file))))
        fading += [Ladder(f"{to.name}, fading", (refs[-1],))]
    return whole, fading


def _faded(frames: list[Any]) -> Iterator[Any]:
    for number, frame in enumerate(frames):
        yield (frame * min(1.0, number / FPS)).astype(np.uint8)


def nr_and_fr(ladder: Any, judge: Any, **settings: Any) -> dict[str, dict[str, Any]]:
    """Clips by mode, by path."""
    from yoto_video.pipeline.measure import measure_ladder
    from yoto_video.pipeline.settings import Settings

    found: dict[str, dict[str, Any]] = {}
    for result in measure_ladder(ladder, judge, Settings(display=(1280, 720), **settings)).results:
        found.setdefault(result.clip.path, {})[str(result.clip.mode)] = result.clip
    return found


def beside_fr(judge: Any, whole: list[Any], share: str) -> None:
    """NR of rungs against their FR."""
    from scipy.stats import spearmanr

    clips = [c for ladder in whole for c in nr_and_fr(ladder, judge).values() if "fr" in c]
    nr, fr, height = (
        np.array(v) for v in zip(*((c["nr"].score, c["fr"].score, c["nr"].height) for c in clips), strict=True)
    )
    by_height = ", ".join(f"{h}: {np.mean((nr - fr)[height == h]):+.1f}" for h in HEIGHTS)
    rho, rmse = spearmanr(nr, fr)[0], float(np.sqrt(np.mean((nr - fr) ** 2)))
    print(
        f"{share:18} {len(clips)} rungs: rank correlation with FR {rho:.3f}, RMSE {rmse:.1f}; {by_height}", flush=True
    )


def beside_a_closer_look(judge: Any, ladders: list[Any]) -> None:
    """NR of what is enlarged as it is against that of more frames, all looked at as they are stored."""
    from yoto_video.pipeline import own_raster

    scans: list[list[Any]] = []  # of each look, the rows of all encodes
    closer: list[list[float]] = []
    alone, within_s = [replace(ladder, master=None) for ladder in ladders], own_raster.WITHIN_S
    for judge.seed in range(LOOKS):
        for own_raster.WITHIN_S, fps in ((within_s, 2.0), (0, CLOSER_FPS)):
            found = [clips["nr"] for ladder in alone for clips in nr_and_fr(ladder, judge, fps=fps).values()]
            small = [clip for clip in found if clip.height < 720]
            if own_raster.WITHIN_S:
                scans.append(small)
            else:
                closer.append([clip.score for clip in small])
    judge.seed = 0
    here = np.array(closer)  # (looks, encodes)
    elsewhere = (here.sum(0) - here) / (LOOKS - 1)
    score, both, frames = (
        np.array([[getattr(clip, name) for clip in scan] for scan in scans])
        for name in ("score", "ci95", "ci95_frames")
    )
    print(
        f"{here.size} scans of {here.shape[1]} enlarged encodes lie {np.abs(score - here).mean():.2f} points on average"
        f" from a closer look at the same places, {np.abs(score - here).max():.2f} at most,"
        f" {np.abs(score - elsewhere).mean():.2f} from one at others"
    )
    for name, interval, held in (("ci95", both, elsewhere), ("ci95_frames", frames, here)):
        inside = (interval[..., 0] <= held) & (held <= interval[..., 1])
        wide = (interval[..., 1] - interval[..., 0]).mean()
        print(f"{name} holds it in {inside.mean():.1%} of cases, {wide:.1f} points wide")


def beside_people(weights: list[str], data: Path) -> None:
    """SROCC of NR by share, all rows and the median of ten splits, cross-validated."""
    from yoto_video.models.judge import Judge
    from yoto_video.models.training.correlation import agreement, split_median
    from yoto_video.models.training.evaluation import judge_samples
    from yoto_video.models.training.folds import FOLDS
    from yoto_video.models.training.making import rated_samples
    from yoto_video.pipeline.colour import rescaled

    class Noting(Judge):
        """Keeps what pictures score as shown."""

        def nr(self, encoded: Any) -> list[float]:
            shown.append(super().nr(encoded)[0])
            return shown[-1:]

    shown: list[float] = []
    judged: list[Any] = []
    for file in weights:
        judge = Noting.load(file, crops=48)
        shipped = judge.entry.own
        judge.entry = replace(judge.entry, own=shipped._replace(share=1.0))
        mine = [s for s in rated_samples(data) if s.content in FOLDS[judge.fold]]
        judged += judge_samples(judge, mine, scaled=rescaled)[0]
    for share, part in SHARES:
        part = shipped.share if part is None else part
        for dataset in sorted({j.sample.dataset for j in judged}):
            rows = [
                (s + part * (j.nr - s), j.sample)
                for s, j in zip(shown, judged, strict=True)
                if j.sample.dataset == dataset
            ]
            scores, mos, contents = [s for s, _ in rows], [x.mos for _, x in rows], [x.content for _, x in rows]
            median = split_median(scores, mos, contents)
            assert median is not None  # there are enough contents
            print(f"{share:18} {dataset}: SROCC {agreement(scores, mos).srocc:.3f}, median {median.srocc:.3f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cross", metavar="WEIGHTS", nargs="+", default=[])
    options = parser.parse_args()
    data = Path(os.environ.get("YOTO_DATA", "../shared/data"))
    if not (data / "clips").is_dir():
        raise SystemExit(f"{data}: has no clips; name the data folder in YOTO_DATA")
    from yoto_video.models.judge import Judge

    judge = Judge.load("yoto_mobilenetv2")
    shipped = judge.entry
    with tempfile.TemporaryDirectory() as folder:
        whole, fading = ladders(data, Path(folder))
        for share, part in SHARES:
            own = shipped.own if part is None else shipped.own._replace(share=part)
            judge.entry = replace(shipped, own=own)
            beside_fr(judge, whole, share)
        judge.entry = shipped
        beside_a_closer_look(judge, [*whole, *fading])
    if options.cross:
        beside_people(options.cross, data)


if __name__ == "__main__":
    main()
