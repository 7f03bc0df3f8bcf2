"""Tiny data sets in their published layouts: two contents, a mild and a strong blur of each, one label apiece."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from scipy.io import savemat

MILD, STRONG = 0.8, 6.0  # radii
SIZE = (96, 64)


def picture(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Coarse and fine structure, different for every seed."""
    rng = np.random.default_rng(seed)
    grids = [rng.integers(0, 255, (size[1] // s, size[0] // s, 3), np.uint8) for s in (2, 8)]
    return Image.blend(*(Image.fromarray(g).resize(size) for g in grids), alpha=0.5)


def save(path: Path, seed: int, blur: float = 0.0) -> None:
    """Write a picture, made worse."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = picture(seed)
    (made.filter(ImageFilter.GaussianBlur(blur)) if blur else made).save(path)


def table(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def cell(names: Sequence[str], shape: tuple[int, int]) -> np.ndarray:
    """A MATLAB cell array of strings."""
    made = np.empty(len(names), object)
    made[:] = names
    return made.reshape(shape)


def live(root: Path) -> None:
    scores, originals, references = [], [], []
    for folder in ("jp2k", "jpeg", "wn", "gblur", "fastfading"):
        info = []
        for i, (seed, blur) in enumerate([(1, MILD), (1, STRONG), (2, 0.0)]):
            save(root / folder / f"img{i + 1}.bmp", seed, blur)
            scores.append({MILD: 20.0, STRONG: 80.0, 0.0: 0.0}[blur])
            originals.append(int(blur == 0))
            references.append(f"ref{seed}.bmp")
            info.append(f"ref{seed}.bmp img{i + 1}.bmp {blur}")
        (root / folder / "info.txt").write_text("\n".join(info) + "\n\n")
    for seed in (1, 2):
        save(root / f"refimgs/ref{seed}.bmp", seed)
    savemat(root / "dmos.mat", {"dmos": np.array([scores]), "orgs": np.array([originals])})
    savemat(root / "refnames_all.mat", {"refnames_all": cell(references, (1, -1))})


def csiq_pictures(root: Path) -> list[tuple[str, str, str, int, float]]:
    """(image, type of the workbook, file, level, DMOS)."""
    rows = []
    for seed, image in ((1, "1600"), (2, "boston")):
        save(root / f"src_imgs/{image}.png", seed)
        for level, blur, dmos in ((1, MILD, 0.1), (5, STRONG, 0.9)):
            file = f"{image}.BLUR.{level}.png"
            save(root / "dst_imgs/blur" / file, seed, blur)
            rows.append((image, "blur", file, level, dmos))
    return rows


def csiq(root: Path) -> None:
    lines = [f"{file}\t{dmos}\t{1 - dmos}" for _, _, file, _, dmos in csiq_pictures(root)]
    (root / "csiq_label.txt").write_text("\n".join(["name dmos mos", *lines]))


def csiq_sheet(root: Path) -> list[list[object]]:
    """The workbook's sheet all_by_image: three lines and columns before the table."""
    made: list[list[object]] = [["DMOS of all images"], [], ["higher is worse"]]
    made.append([None, None, None, "image", "dst_idx", "dst_type", "dst_lev", "dmos_std", "dmos"])
    for image, kind, _, level, dmos in csiq_pictures(root):
        made.append([None, None, None, int(image) if image.isdigit() else image, 5, kind, level, 0.1, dmos])
    return made


def csiq_as_csv(root: Path) -> None:
    with (root / "csiq.DMOS.csv").open("w", newline="") as file:
        csv.writer(file).writerows(csiq_sheet(root))


def csiq_as_workbook(root: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.create_sheet("all_by_image")
    for row in csiq_sheet(root):
        sheet.append(row)
    book.save(root / "csiq.DMOS.xlsx")


def tid2013(root: Path) -> None:
    lines = []
    for seed in (1, 2):
        save(root / f"reference_images/I0{seed}.BMP", seed)
        for level, blur, mos in ((1, MILD, 7.2), (5, STRONG, 1.8)):
            save(root / f"distorted_images/i0{seed}_08_{level}.bmp", seed, blur)
            lines.append(f"{mos} I0{seed}_08_{level}.bmp")
    (root / "mos_with_names.txt").write_text("\n".join(lines) + "\n")


def kadid10k(root: Path) -> None:
    rows = []
    for seed in (1, 2):
        save(root / f"images/I0{seed}.png", seed)
        for level, blur, mos in ((1, MILD, 4.2), (5, STRONG, 1.8)):
            save(root / f"images/I0{seed}_01_0{level}.png", seed, blur)
            rows.append((f"I0{seed}_01_0{level}.png", f"I0{seed}.png", mos, 0.5))
    table(root / "dmos.csv", ("dist_img", "ref_img", "dmos", "var"), rows)


def pipal(root: Path) -> None:
    for seed in (1, 2):
        save(root / f"Train_Ref/A000{seed}.bmp", seed)
        lines = []
        for level, blur, elo in ((0, MILD, 1660.0), (1, STRONG, 1090.0)):
            save(root / f"Train_Dist/A000{seed}_00_0{level}.bmp", seed, blur)
            lines.append(f"A000{seed}_00_0{level}.bmp,{elo}")
        (root / f"Train_Label/A000{seed}.txt").parent.mkdir(exist_ok=True)
        (root / f"Train_Label/A000{seed}.txt").write_text("\n".join(lines))


def live_challenge(root: Path) -> None:
    names, scores = [], []
    for i in range(7):
        save(root / f"Images/trainingImages/t{i + 1}.bmp", 9)
        names.append(f"t{i + 1}.bmp")
        scores.append(50.0)
    for i, (seed, blur) in enumerate([(1, MILD), (1, STRONG), (2, MILD), (2, STRONG)]):
        names.append(f"{i + 3}.{'bmp' if i else 'JPG'}")
        save(root / "Images" / names[-1], seed, blur)
        scores.append(80.0 if blur == MILD else 20.0)
    (root / "Data").mkdir()
    savemat(root / "Data/AllImages_release.mat", {"AllImages_release": cell(names, (-1, 1))})
    savemat(root / "Data/AllMOS_release.mat", {"AllMOS_release": np.array([scores])})


def koniq10k(root: Path) -> None:
    rows = []
    for seed in (1, 2):
        for blur, mos in ((MILD, 4.2), (STRONG, 1.8)):
            name = f"{seed}0{int(blur)}.jpg"
            save(root / "512x384" / name, seed, blur)
            rows.append((name, 0, 0, 1, 0, 0, 1, mos, 0.5, 25 * (mos - 1)))
    head = ("image_name", "c1", "c2", "c3", "c4", "c5", "c_total", "MOS", "SD", "MOS_zscore")
    table(root / "koniq10k_scores_and_distributions.csv", head, rows)


def live_fb(root: Path) -> None:
    rows = []
    for seed in (1, 2):
        for blur, mos in ((MILD, 80.0), (STRONG, 20.0)):
            name = f"voc_emotic_ava/{seed}__{int(blur)}.jpg"
            save(root / "database" / name, seed, blur)
            rows.append((name, mos))
    table(root / "labels_image.csv", ("name", "mos"), rows)


BUILDERS: dict[str, Callable[[Path], None]] = {
    "live": live, "csiq": csiq, "tid2013": tid2013, "kadid10k": kadid10k, "pipal": pipal,
    "live-challenge": live_challenge, "koniq10k": koniq10k, "live-fb": live_fb,
}  # fmt: skip
