"""The recipe of the shipped weights, whole: change a number here and `yoto-video train` bakes that."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Phase:
    """A stretch of training and what a step of it is made of."""

    steps: int
    ladders: int  # made ladders a step; of each, the master and `versions` distorted pictures at one place
    versions: int
    rated: int  # pictures with human scores a step
    crops: int  # places a rated picture is seen at; its score pools them, as judging does


@dataclass(frozen=True)
class Ridge:
    """How one mode's readout is fitted (`refit.py`), and how much it says."""

    strength: float  # of the pull to nought, against figures of unit variance, averaged
    part: float  # 0 to 1 of a frame's score; the votes have the rest


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what the weights become, but the data."""

    model: str = "yoto_mobilenetv2"
    imagenet: str = "weights/mobilenetv2_100_imagenet.safetensors"  # below the data folder; its classifier is left out
    seed: int = 1
    pictures: tuple[tuple[str, int], ...] = (  # folders of pristine/ and how many of their pictures become ladders
        ("kodak24", 24), ("mcmaster18", 18), ("urban100", 60), ("sunhays80", 50), ("wallpapers", 24), ("bsds500", 100),
    )  # fmt: skip
    ladders_each: int = 2  # made of every picture; small ones (below 0.3 megapixels) make one
    phases: tuple[Phase, ...] = (
        Phase(1800, ladders=6, versions=3, rated=0, crops=0),  # what distortions look like: no human score at all
        Phase(400, ladders=2, versions=3, rated=8, crops=3),  # what people think of them
    )
    # Warm restarts: the learning rate falls to nothing over each cycle's steps and starts again at a part of its peak.
    cycles: tuple[tuple[int, float], ...] = ((1800, 1.0), (400, 0.6))
    fold: int = 0  # which contents are held out: see `folds.FOLDS`; 0 is what ships
    crop_sides: tuple[int, ...] = (128, 160, 192)  # drawn a step; any size goes in, so no size is learnt by heart
    afar: float = 0.3  # of the made ladders are seen from afar
    encoder_rate: float = 2e-4
    rate: float = 1e-3
    warmup: int = 100  # steps
    decay: float = 0.02  # AdamW's weight decay
    average: float = 0.995  # of the exponential moving average of weights that ships; begins anew with each cycle
    rank_weight: float = 0.5
    modes: tuple[str, ...] = ("nr", "fr")  # what is trained: both at once; one alone is for ablations
    modes_weight: float = 0.2  # NR is drawn to FR
    made_weight: float = 0.5  # of an opinion computed, against 1 of a person's
    pristine_opinion: float = 0.95  # 0 to 1, NR score that a pristine photograph is taught
    nr_readout: Ridge = Ridge(1.0, 0.5)
    fr_readout: Ridge = Ridge(0.07, 0.5)
    own_readout: Ridge = Ridge(3.0, 0.5)  # of pictures as they are stored
    readout_looks: int = 12  # at each rated picture
    settled_on: int = 64  # places of training pictures that the 8-bit ranges are measured on; 0: stay in float32
    save_every: int = 100  # steps

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return sum(phase.steps for phase in self.phases)

    def shortened(self, steps: int) -> Recipe:
        """The same in other proportions: a run of about that many steps."""
        part = steps / self.steps
        return replace(
            self,
            phases=tuple(replace(p, steps=max(1, round(p.steps * part))) for p in self.phases),
            cycles=tuple((max(1, round(n * part)), peak) for n, peak in self.cycles),
        )
