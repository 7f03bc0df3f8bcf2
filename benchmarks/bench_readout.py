"""What the strength of the readout's regressions is worth: agreement with people, cross-validated.

python benchmarks/bench_readout.py WEIGHTS WEIGHTS WEIGHTS

Takes the weights of folds 1 to 3 (`yoto-video train --fold`). Of each network the readout is fitted anew at several
strengths, on the rated pictures that it was trained on, at twelve places as training does; the AVT frames that it never
saw are then judged at 48. A last line takes for each fold the strength that is best on the two others, so that no frame
has a part in the choice of what it is judged by.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np

STRENGTHS = (0.03, 0.05, 0.07, 0.1, 0.15, 0.3, 1.0, 3.0)
MODES: tuple[Literal["nr", "fr"], ...] = ("nr", "fr")
FITTED_AT, JUDGED_AT = 12, 48  # places
JUDGED = "avt_vqdb_uhd1"


def scores_of(weights: str, data: Path) -> tuple[list[Any], dict[tuple[str, float], dict[int, float]]]:
    """The rated frames in order, and of those that the network never saw scores by mode and strength, by number."""
    import torch
    from yoto_video.models.judge import Judge
    from yoto_video.models.readout import near_and_far
    from yoto_video.models.training.folds import FOLDS, held_out
    from yoto_video.models.training.making import load_picture, rated_samples
    from yoto_video.models.training.recipe import Recipe, Ridge
    from yoto_video.models.training.refit import fit
    from yoto_video.pipeline.colour import rescaled

    judge, recipe = Judge.load(weights), Recipe()
    samples = sorted(rated_samples(data), key=lambda s: (str(s.reference), str(s.image)))
    learnt: dict[str, list[Any]] = {"nr": [], "fr": []}  # figures and opinions
    asked: dict[str, dict[int, Any]] = {"nr": {}, "fr": {}}
    shown: tuple[Any, Any] = (None, None)
    for number, sample in enumerate(samples):
        unseen = sample.content in FOLDS[judge.fold]
        left_out = sample.dataset != JUDGED if unseen else sample.content in held_out(judge.fold)
        if left_out:
            continue
        judge.crops = JUDGED_AT if unseen else FITTED_AT
        encoded = judge.encode([rescaled(load_picture(sample.image), sample.display)])
        said = {"nr": judge.say(encoded)[0]}
        if sample.reference is not None:
            key = sample.reference, sample.display, judge.crops
            if shown[0] != key:
                shown = key, judge.encode([rescaled(load_picture(sample.reference), sample.display)])
            said["fr"] = judge.say(encoded, shown[1])[0]
        for mode, what in said.items():
            if unseen:
                asked[mode][number] = what
            else:
                learnt[mode].append((near_and_far(what.figures, what.afar), (sample.mos - 1) / 4))
    found = {}
    for mode in MODES:
        part = recipe.nr_readout.part if mode == "nr" else recipe.fr_readout.part
        figures, opinions = zip(*learnt[mode], strict=True)
        for strength in STRENGTHS:
            fit(judge.network, mode, torch.cat(figures), np.asarray(opinions), Ridge(strength, part))
            found[mode, strength] = {number: judge.score(said) for number, said in asked[mode].items()}
    return samples, found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", metavar="WEIGHTS", nargs=3)
    options = parser.parse_args()
    data = Path(os.environ.get("YOTO_DATA", "../shared/data"))
    if not (data / "mos").is_dir():
        raise SystemExit(f"{data}: has no rated pictures; name the data folder in YOTO_DATA")
    from yoto_video.models.training.correlation import agreement, split_median

    samples, folds = [], []
    for weights in options.weights:
        samples, found = scores_of(weights, data)
        folds.append(found)

    def srocc(scores: dict[int, float]) -> float:
        return agreement(list(scores.values()), [samples[n].mos for n in scores]).srocc

    def say(mode: str, what: str, scores: dict[int, float]) -> None:
        rows = [samples[n] for n in scores]
        median = split_median(list(scores.values()), [s.mos for s in rows], [s.content for s in rows])
        assert median is not None  # there are enough contents
        print(f"{mode} {what:>22}: SROCC {srocc(scores):.3f}, median of ten splits {median.srocc:.3f}", flush=True)

    for mode in MODES:
        for strength in STRENGTHS:
            say(mode, f"strength {strength:g}", {n: s for fold in folds for n, s in fold[mode, strength].items()})
        best: dict[int, float] = {}
        for fold in folds:
            others = [other for other in folds if other is not fold]
            ranked = {s: srocc({n: v for o in others for n, v in o[mode, s].items()}) for s in STRENGTHS}
            best |= fold[mode, max(ranked, key=ranked.__getitem__)]
        say(mode, "best on the other folds", best)


if __name__ == "__main__":
    main()
