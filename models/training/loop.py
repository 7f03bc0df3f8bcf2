"""Training once, in both modes: every step judges its pictures without and, where a master is there, with it."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .. import int8, zoo
from ..yoto import Yoto
from .batches import Batch, Batches
from .folds import VALIDATION_ONLY, held_out
from .losses import agreement, order, ranking
from .making import PictureCache, make_ladders, measure_rated, rated_samples
from .opinions import MEASURES, fit_opinion
from .recipe import Recipe
from .refit import refit
from .saves import cut_log, go_on, write_save
from .tables import DataError

Tell = Callable[[str], None]
FIRST_PHASE = "first-phase.pt"  # the save at its end, before any human score: other folds may go on from a copy of it


def start(recipe: Recipe, data: Path) -> Yoto:
    """The recipe's network with ImageNet weights in its encoder.

    They come from the recipe's file below `data`, else from timm's hub where the machine reaches it.

    Raises:
        DataError: neither is to be had, or the file is damaged.
    """
    torch.manual_seed(recipe.seed)
    entry = zoo.entry(recipe.model)
    network = Yoto(entry.config)
    path = data / recipe.imagenet
    if path.is_file() and entry.config.encoder in path.name:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            state = load_file(path)
        except SafetensorError as error:
            raise DataError(f"{path}: not a readable safetensors file ({error})") from error
        backbone = network.encoder.backbone
        missing = backbone.load_state_dict(state, strict=False).missing_keys
        if missing:
            raise DataError(f"{path}: not the weights of {entry.config.encoder}: {missing[0]} is missing")
        return network
    try:
        network.encoder.load_pretrained()
    except Exception as error:
        raise DataError(
            f"no ImageNet weights for {entry.config.encoder}: none at {path}, and timm's hub cannot be reached "
            f"({type(error).__name__}); put the file there"
        ) from error
    return network


def frozen_statistics(network: nn.Module) -> None:
    """Train all layers, but keep batch norms' running statistics: a step is too small and mixed to estimate them."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def _pool(network: Yoto, x: list[Tensor], y: list[Tensor] | None, afar: Tensor, frame: Tensor, frames: int) -> Tensor:
    """(F,) frame scores: sums of s * w and of w over all crops of a frame, then their ratio, as judging does."""
    maps = network.compare(network.see(x, afar), None if y is None else network.see(y, afar))
    top = x[0].new_zeros(frames).index_add(0, frame, (maps.scores * maps.weights).mean(1))
    return top / x[0].new_zeros(frames).index_add(0, frame, maps.weights.mean(1)).clamp_min(1e-9)


def step_loss(network: Yoto, batch: Batch, entry: zoo.Entry, recipe: Recipe) -> tuple[Tensor, dict[str, float]]:
    """Loss of one step, NR and FR from the same encoded crops, and its parts for the log."""
    maps = network.encode(entry.normalise(batch.crops).contiguous(memory_format=torch.channels_last))
    frames = len(batch.opinion)
    nr = _pool(network, [m[batch.judged] for m in maps], None, batch.afar, batch.frame_of, frames)
    paired = batch.masters >= 0
    x, y = [m[batch.judged[paired]] for m in maps], [m[batch.masters[paired]] for m in maps]
    fr = _pool(network, x, y, batch.afar[paired], batch.frame_of[paired], frames)

    ahead, both = order(batch), batch.with_reference
    parts = {
        "nr": agreement(nr, batch.opinion, batch.weight),
        "fr": agreement(fr[both], batch.opinion[both], batch.weight[both]),
        # One scale: without a master the network is to say what it would say with one.
        "modes": agreement(nr[both], fr[both].detach(), batch.weight[both]),
        "nr_rank": ranking(nr, ahead),
        "fr_rank": ranking(fr, ahead & both[:, None] & both[None, :]),
    }
    # Agreement is about 0.01 late in training and ranking about 0.3; the factor puts them on one footing.
    loss = sum((parts[m] + 0.05 * recipe.rank_weight * parts[f"{m}_rank"] for m in recipe.modes), nr.new_zeros(()))
    if len(recipe.modes) > 1:
        loss = loss + recipe.modes_weight * parts["modes"]
    return loss, {name: float(value.detach()) for name, value in parts.items()}


def train(data: Path, out: Path, recipe: Recipe, tell: Tell) -> Path:
    """Train as the recipe says and write `out/weights.safetensors`. Interrupted, it goes on from its last save.

    Args:
        data: folder with mos/, pristine/ and weights/.
        out: folder of this run: prepared pictures, saves, log.jsonl, weights.
        recipe: what to do.
        tell: takes progress lines.

    Raises:
        DataError: data is missing or broken, or `out` holds a run of another recipe.
    """
    out.mkdir(parents=True, exist_ok=True)
    settings = out / "recipe.json"
    if settings.exists() and settings.read_text() != json.dumps(asdict(recipe)):
        raise DataError(f"{out}: holds a run of another recipe; choose another --out or delete it")
    settings.write_text(json.dumps(asdict(recipe)))
    cache = PictureCache(out / "cache")
    ladders = make_ladders(data, recipe, cache, tell)
    samples = [s for s in rated_samples(data) if s.content not in VALIDATION_ONLY]
    referenced = [s for s in samples if s.reference is not None]
    tell(f"measuring {len(referenced)} rated pictures with references")
    measured = measure_rated(referenced, cache)
    people = [(s.mos - 1) / 4 for s in referenced]
    fitted = {name: fit_opinion([m[name] for m in measured], people) for name in MEASURES}
    rated = [s for s in samples if s.content not in held_out(recipe.fold)]
    tell(f"{len(ladders)} made ladders, {len(rated)} rated pictures")
    batches = Batches(recipe, cache, ladders, rated, fitted)

    entry = zoo.entry(recipe.model)
    network = start(recipe, data)
    average = copy.deepcopy(network)
    groups = [
        {"params": list(network.encoder.parameters()), "lr": recipe.encoder_rate},
        {"params": [p for n, p in network.named_parameters() if not n.startswith("encoder.")], "lr": recipe.rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, recipe))
    kept: dict[str, Any] = {"network": network, "average": average, "optimiser": optimiser, "schedule": schedule}
    save, done = out / "save.pt", 0
    if save.exists():
        done = go_on(save, kept)
        tell(f"going on after step {done}")

    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a tenth faster on CPUs
    frozen_statistics(network)
    cut_log(out / "log.jsonl", done)
    began = time.monotonic()
    with ThreadPoolExecutor(1) as reader, (out / "log.jsonl").open("a") as log:
        upcoming = reader.submit(batches.draw, done)
        for step in range(done, recipe.steps):
            batch, upcoming = upcoming.result(), reader.submit(batches.draw, step + 1)
            torch.manual_seed(recipe.seed * 1_000_003 + step)  # dropout too is the same after an interruption
            loss, parts = step_loss(network, batch, entry, recipe)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            since = step - _cycle(step, recipe)[0]
            _follow(average, network, min(recipe.average, (since + 1) / (since + 10)))
            log.write(json.dumps({"step": step, "loss": float(loss.detach()), **parts}) + "\n")
            if (step + 1) % 20 == 0:
                pace = (time.monotonic() - began) / (step + 1 - done)
                left = pace * (recipe.steps - step - 1) / 60
                now = f"step {step + 1} of {recipe.steps}, loss {float(loss.detach()):.4f}"
                tell(f"{now}, {pace:.2f} s a step, {left:.0f} min left")
            first = step + 1 == recipe.phases[0].steps
            if (step + 1) % recipe.save_every == 0 or first or step + 1 == recipe.steps:
                log.flush()
                state = {"step": step + 1} | {name: part.state_dict() for name, part in kept.items()}
                if first:  # before the other: a run that is killed between the two comes by here again
                    write_save(state, out / FIRST_PHASE)
                write_save(state, save)
    average.eval()
    if average.config.int8 and recipe.settled_on:
        images = entry.normalise(batches.typical(recipe.settled_on, entry.crop))
        int8.settle(
            average.encoder.backbone, lambda: average.encode(images.contiguous(memory_format=torch.channels_last))
        )
    zoo.round_off(average)  # the readout is to be fitted on what ships
    if average.config.readout:
        refit(average, entry, rated, cache, recipe, tell)
    weights = out / "weights.safetensors"
    digest = zoo.save(average, recipe.model, weights, half=True, fold=recipe.fold)
    tell(f"{weights} written, sha256 {digest}")
    return weights


def _cycle(step: int, recipe: Recipe) -> tuple[int, int, float]:
    """First step, end and peak of the cycle that a step falls into."""
    begin = 0
    for steps, peak in recipe.cycles:
        if step < begin + steps:
            return begin, begin + steps, peak
        begin += steps
    return begin, begin + 1, 0.0


def _rate(step: int, recipe: Recipe) -> float:
    """Warm-up, then half a cosine down to nothing, once for each cycle."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    begin, end, peak = _cycle(step, recipe)
    begin = max(begin, recipe.warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - begin) / max(1, end - begin)))


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, keep: float) -> None:
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - keep)
