"""The command line's words for who trains a network or holds one to people's opinions: `train` and `evaluate`."""

from __future__ import annotations

import argparse

from .flags import (
    DEFAULT,
    EVALUATE_CROPS,
    EXIT_CODES,
    Commands,
    Parser,
    add_data,
    add_format,
    add_network,
    command,
    whole,
)


def add_train(commands: Commands[Parser]) -> None:
    """`yoto-video train`."""
    p = command(
        commands, "train",
        "Train a network, in both modes at once. From ImageNet weights, on people's scores and on ladders made here; "
        "the defaults are the recipe of the shipped weights. Interrupted, the same command goes on from the last save.",
        "  yoto-video train --out runs/mine\n"
        "  yoto-video score encode.mp4 --model runs/mine/weights.safetensors",
    )  # fmt: skip
    add_data(p)
    p.add_argument("--out", metavar="DIR", default="runs/train", help="folder of this run (default: %(default)s)")
    p.add_argument("--model", metavar="NAME", default=DEFAULT.model, help="network of the zoo (default: %(default)s)")
    p.add_argument("--steps", metavar="N", type=whole(1), help="optimiser steps (default: the recipe's)")
    p.add_argument(
        "--mode",
        choices=("both", "nr", "fr"),
        default="both",
        help="train both modes at once, or one alone, to compare (default: %(default)s)",
    )
    p.add_argument(
        "--fold", type=int, choices=range(4), default=0,
        help="rated contents to hold out: 0 the shipped weights' few, 1 to 3 a third each, for cross-validation "
        "(default: %(default)s)",
    )  # fmt: skip


def add_evaluate(commands: Commands[Parser]) -> None:
    """`yoto-video evaluate`."""
    p = command(
        commands, "evaluate",
        "Compare scores with people's. Prints rank (SROCC, KROCC) and linear (PLCC) correlation and the error (RMSE, "
        "points of 100) by data set, mode and distortion, with intervals, beside other measures on the same pictures.",
        "  yoto-video evaluate\n"
        "  yoto-video evaluate --model runs/mine/weights.safetensors --format json\n"
        "  yoto-video evaluate --dataset kadid10k --data ~/kadid10k --plot kadid10k.html\n"
        "  yoto-video evaluate --table rated.csv --out scored.csv\n"
        "  yoto-video evaluate --sanity\n\n" + EXIT_CODES,
    )  # fmt: skip
    what = p.add_mutually_exclusive_group()
    what.add_argument(
        "--dataset", metavar="NAME",
        help="a known data set: live, csiq, tid2013, kadid10k, pipal, live-challenge, koniq10k or live-fb, with "
        "--data; avt_vqdb_uhd1 or uhd_h265_images (default: these two)",
    )  # fmt: skip
    what.add_argument(
        "--table", metavar="CSV", help="any rated pictures: columns image, reference, mos (1 to 5), content, display"
    )
    what.add_argument(
        "--sanity", action="store_true",
        help="no opinions: check what every judge must get right (more compression never scores higher, a perfect copy "
        "scores 100, ...); exit with 3 when a check fails",
    )  # fmt: skip
    add_data(p, "the data set's own folder; of the two default ones the folder with mos/")
    p.add_argument(
        "--contents", choices=("held-out", "trained", "all"), default="held-out",
        help="which contents of the two default sets: held-out ones, which training never saw, give the honest figures "
        "(default: %(default)s)",
    )  # fmt: skip
    p.add_argument(
        "--peers", action=argparse.BooleanOptionalAction, default=True,
        help="compute NIQE and, where installed, PSNR, SSIM, MS-SSIM and BRISQUE on the same pixels (default)",
    )  # fmt: skip
    p.add_argument("--out", metavar="CSV", help="write the rows with two columns more, nr and fr")
    p.add_argument("--plot", metavar="HTML", help="write a scatter plot of scores and opinions")
    add_format(p)
    p.add_argument(
        "--cross", metavar="FILE", nargs="+", default=(),
        help="cross-validation: weights of several folds (train --fold) in place of --model; each judges the contents "
        "of its fold",
    )  # fmt: skip
    add_network(p, crops=EVALUATE_CROPS)
