"""Make the figures of `test_niqe.GOLDEN` with deepinv's NIQE, an independent one after the authors' MATLAB program.

pip install deepinv==0.5.0 && python -m tests.golden_niqe
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SLOPES = tuple(0.8 + 0.04 * i for i in range(12))  # of the spectra of the pictures that it is fitted on
JUDGED = {"natural": (1.0, 0.0), "blurred": (1.8, 0.0), "noisy": (1.0, 20.0)}  # slope, deviation of added noise


def natural(seed: int, slope: float, noise: float = 0.0, size: tuple[int, int] = (500, 400)) -> NDArray[np.uint8]:
    """A grey picture whose spectrum falls as photographs' do, 1 / frequency^slope; contrast comes and goes over it."""
    rng = np.random.Generator(np.random.PCG64(seed))
    width, height = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf

    def field(power: float) -> NDArray[np.float64]:
        made = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(height, width))) / frequency**power, s=(height, width))
        return made / made.std()

    made = 128 + 30 * field(slope) * np.exp(0.2 * field(2.0)) + noise * rng.normal(size=(height, width))
    return np.repeat(np.clip(np.rint(made), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def main() -> None:
    """Fit, judge, print."""
    import torch
    from deepinv.loss.metric import NIQE

    def tensor(picture: NDArray[np.uint8]) -> torch.Tensor:
        return torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)

    metric = NIQE(weights_path=None, round_tensor=True)
    metric.create_weights([tensor(natural(i, slope)) for i, slope in enumerate(SLOPES)])
    for name, (slope, noise) in JUDGED.items():
        print(f'    "{name}": {float(metric(tensor(natural(99, slope, noise))[None])):.4f},')


if __name__ == "__main__":
    main()
