"""Fit what NIQE takes for good pictures on the data's photographs (pristine/), and write its model.

YOTO_DATA=data python benchmarks/fit_niqe.py

Kodak, McMaster, Urban100, SunHays80 and the wallpapers; not BSDS500, whose small JPEGs show it. The paper took 125 of
the same kind. Same photographs, same file.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

FOLDERS = ("kodak24", "mcmaster18", "urban100", "sunhays80", "wallpapers")


def main() -> None:
    """Fit, write, say how many."""
    from yoto_video.models.training import niqe

    root = Path(os.environ.get("YOTO_DATA", "../shared/data")) / "pristine"
    paths = [path for name in FOLDERS for path in sorted((root / name).iterdir()) if path.is_file()]
    if not paths:
        raise SystemExit(f"{root}: no photographs; name the data folder in YOTO_DATA")
    found = niqe.fit(np.asarray(Image.open(path).convert("RGB")) for path in paths)
    save_file({"mean": found.mean, "covariance": found.covariance}, niqe.MODEL)
    print(f"{niqe.MODEL}: fitted on {len(paths)} photographs")


if __name__ == "__main__":
    main()
