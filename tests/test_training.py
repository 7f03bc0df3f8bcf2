"""Data, distortions, losses, figures, and a run that is interrupted."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from yoto_video.jobs import cli
from yoto_video.models import zoo
from yoto_video.models.training import distortions, loop, saves
from yoto_video.models.training.batches import Batch
from yoto_video.models.training.correlation import agreement
from yoto_video.models.training.folds import FOLDS, held_out
from yoto_video.models.training.losses import order, ranking
from yoto_video.models.training.making import PictureCache, load_picture, rated_samples
from yoto_video.models.training.opinions import MEASURES, fit_opinion, measure, opinion
from yoto_video.models.training.recipe import Phase, Recipe
from yoto_video.models.training.tables import DataError


def photograph(height: int = 240, width: int = 320, seed: int = 0) -> np.ndarray:
    """Structure at several scales, a gradient and a little grain."""
    rng = np.random.default_rng(seed)
    small = [Image.fromarray(rng.integers(0, 255, (height // s, width // s, 3), np.uint8)) for s in (4, 12, 40)]
    return np.mean([np.asarray(s.resize((width, height))) for s in small], 0).astype(np.uint8)


@pytest.mark.parametrize("codec", list(distortions.ENCODERS))
def test_encoders_do_more_harm_at_higher_crf(codec: str) -> None:
    shot = distortions.pan(photograph(), 3, 2)
    size = (shot[0].shape[1], shot[0].shape[0])
    encoded = [distortions.encode(shot, codec, crf, size).astype(int) for crf in (20, 35, 50)]
    harm = [float(np.abs(e - shot[-1]).mean()) for e in encoded]
    assert harm[0] < harm[1] < harm[2]
    assert distortions.encode(shot, codec, 30, (160, 120)).shape == shot[-1].shape


@pytest.mark.parametrize("name", list(distortions.SIMPLE))
def test_plain_distortions_do_more_harm_the_stronger(name: str) -> None:
    picture = photograph()
    weak, strong = (
        float(np.abs(distortions.SIMPLE[name](picture, v).astype(int) - picture).mean()) for v in (0.05, 0.9)
    )
    assert 0 < weak < strong


def test_measures_order_a_chain() -> None:
    pytest.importorskip("imageio_ffmpeg", reason="extra `train` is not installed")
    picture = photograph()
    blurred = [distortions.SIMPLE["blur"](picture, level) for level in (0.2, 0.9)]
    measured = measure(picture, [picture, *blurred])
    for name in MEASURES:
        same, mild, strong = (m[name] for m in measured)
        assert same > mild > strong
    assert measured[0]["vmaf_neg"] > 90
    assert measured[0]["detail"] == 40  # nothing lost: the top of its scale


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12, unique=True))
@settings(max_examples=40)
def test_ranking_loss_is_least_in_the_right_order(opinions: list[float]) -> None:
    right = torch.tensor(opinions)
    ahead = right[:, None] > right[None, :]
    good, bad = ranking(right, ahead), ranking(1 - right, ahead)
    assert float(good) <= float(bad)
    assert float(ranking(right, torch.zeros_like(ahead))) == 0


def test_order_is_certain_within_a_chain_and_careful_elsewhere() -> None:
    none = torch.zeros(4)
    batch = Batch(
        none, none, none, none, none, opinion=torch.tensor([0.50, 0.51, 0.9, 0.1]), weight=none,
        family=torch.tensor([0, 0, 0, 1]), chain=torch.tensor([7, 7, -1, -1]), level=torch.tensor([1.0, 2, 0, 0]),
        with_reference=none,
    )  # fmt: skip
    ahead = order(batch)
    assert ahead[0, 1]  # milder, whatever its opinion
    assert not ahead[1, 0]
    assert ahead[2, 0]
    assert ahead[2, 1]
    assert int(ahead.sum()) == 3  # nothing is said across families


def test_figures_of_agreement() -> None:
    mos = np.linspace(1, 5, 30)
    perfect = agreement(10 + 80 / (1 + np.exp(-(mos - 3))), mos)
    assert perfect.srocc == perfect.krocc == pytest.approx(1)
    assert perfect.plcc > 0.99  # a logistic of a logistic is nearly straight
    assert perfect.rmse < 4
    assert agreement(-mos, mos).srocc == pytest.approx(-1)
    assert math.isnan(agreement([1.0] * 30, mos).srocc)
    assert math.isnan(agreement([1.0, 2.0], [1.0, 2.0]).srocc)
    shuffled = np.random.default_rng(0).permutation(mos)
    assert abs(agreement(shuffled, mos).srocc) < 0.4


def test_pseudo_opinions_rise_with_the_measure() -> None:
    rng = np.random.default_rng(0)
    measured = rng.uniform(0, 100, 200)
    people = 1 / (1 + np.exp(-(measured - 50) / 15)) + rng.normal(0, 0.03, 200)
    fitted = fit_opinion(measured.tolist(), people.tolist())
    curve = [opinion({"a": v, "b": v}, {"a": fitted, "b": fitted}) for v in range(0, 101, 5)]
    assert curve == sorted(curve)
    assert opinion({"a": 50}, {"a": fitted}) == pytest.approx(0.5, abs=0.05)


def test_held_out_contents_are_held_out_of_every_set(data_dir: Path) -> None:
    samples = rated_samples(data_dir)
    contents = {s.content for s in samples}
    assert {s.content for s in samples if s.unseen()} == held_out(0) == FOLDS[0] | {"vegetables"}
    assert {s.dataset for s in samples if s.unseen()} == {"avt_vqdb_uhd1", "uhd_h265_images"}
    assert sorted(c for fold in FOLDS[1:] for c in fold) == sorted(contents)  # each is in one of the folds
    assert all("vegetables" in held_out(fold) for fold in range(len(FOLDS)))  # CC BY-NC: validation only
    unaligned = [s for s in samples if s.content in {"water_netflix", "LeagueOfLegends"}]
    assert unaligned
    assert all(s.reference is None for s in unaligned)


@pytest.fixture
def tiny_data(tmp_path: Path) -> Path:
    """Both rated sets and two photographs, in their published layouts."""
    avt, uhd = tmp_path / "data/mos/avt_vqdb_uhd1", tmp_path / "data/mos/uhd_h265_images"
    for folder in (avt / "frames", avt / "sources", uhd / "images"):
        folder.mkdir(parents=True)
    for name in ("pristine/p", "weights"):
        (tmp_path / "data" / name).mkdir(parents=True)
    source = photograph()
    Image.fromarray(source).save(avt / "sources/s.png")
    head = ["test", "content", "src", "video", "frame", "source_frame", "reference_aligned", "mos"]
    head += ["published_vmaf", "height"]
    with (avt / "labels.csv").open("w") as file:
        rows = csv.writer(file)
        rows.writerow(head)
        for i in range(6):
            Image.fromarray(distortions.SIMPLE["blur"](source, i / 6)).save(avt / f"frames/{i}.png")
            rows.writerow([1, f"c{i % 2}", "s", f"{i}.mp4", f"{i}.png", "s.png", True, 4.5 - 0.6 * i, 95 - 15 * i, 240])
    with (uhd / "labels.csv").open("w") as file:
        file.write("content,frame,crf,height,mos,published_vmaf\na.mkv,a.png,20,96,2.0,40\n")
    Image.fromarray(source[:96, :96]).save(uhd / "images/a.png")
    for i in range(2):
        Image.fromarray(photograph(seed=i + 1)).save(tmp_path / f"data/pristine/p/{i}.png")
    return tmp_path / "data"


SHORT = Recipe(
    pictures=(("p", 2),), phases=(Phase(1, 2, 2, 0, 0), Phase(3, ladders=1, versions=2, rated=2, crops=2)),
    cycles=((3, 1.0), (1, 0.5)),
    crop_sides=(64,), save_every=2, warmup=1, readout_looks=2, settled_on=8,
)  # fmt: skip


def test_an_interrupted_run_ends_in_the_same_place(
    tiny_data: Path, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="extra `train` is not installed")
    (tiny_data / SHORT.imagenet).symlink_to((data_dir / SHORT.imagenet).resolve())
    whole = loop.train(tiny_data, tmp_path / "whole", SHORT, lambda _: None)
    first = torch.load(tmp_path / "whole" / loop.FIRST_PHASE, weights_only=True)
    assert first["step"] == SHORT.phases[0].steps  # kept though no other save falls there
    network = zoo.load(str(whole)).network
    assert network.encoder.in_int8
    for mode, ridge in (("nr", SHORT.nr_readout), ("fr", SHORT.fr_readout), ("own", SHORT.own_readout)):
        assert float(network.readout.get_buffer(f"{mode}_part")) == ridge.part
        assert bool(network.readout.get_buffer(f"{mode}_weight").any())

    real, calls = loop.step_loss, []

    def dies(*args: object) -> object:
        calls.append(args)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "step_loss", dies)
    with pytest.raises(KeyboardInterrupt):
        loop.train(tiny_data, tmp_path / "cut", SHORT, lambda _: None)
    monkeypatch.setattr(loop, "step_loss", real)
    told: list[str] = []
    again = loop.train(tiny_data, tmp_path / "cut", SHORT, told.append)
    assert "going on after step 2" in told
    assert again.read_bytes() == whole.read_bytes()
    logs = [(tmp_path / name / "log.jsonl").read_text() for name in ("whole", "cut")]
    assert logs[0] == logs[1]  # every step once
    assert len(logs[0].splitlines()) == SHORT.steps

    with pytest.raises(DataError, match="another recipe"):
        loop.train(tiny_data, tmp_path / "cut", replace(SHORT, rate=1.0), lambda _: None)
    for damaged in (b"", b"bad\n", b"no save\n", again.read_bytes()[:99]):
        (tmp_path / "cut/save.pt").write_bytes(damaged)
        with pytest.raises(DataError, match=r"save\.pt: this save is damaged; delete it"):
            loop.train(tiny_data, tmp_path / "cut", SHORT, lambda _: None)


def test_a_run_that_ends_between_two_saves_makes_both(tiny_data: Path, data_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="extra `train` is not installed")
    (tiny_data / SHORT.imagenet).symlink_to((data_dir / SHORT.imagenet).resolve())
    first = tmp_path / "run" / loop.FIRST_PHASE
    (first / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        loop.train(tiny_data, tmp_path / "run", SHORT, lambda _: None)
    (first / "in the way").rmdir()
    first.rmdir()
    loop.train(tiny_data, tmp_path / "run", SHORT, lambda _: None)
    assert torch.load(first, weights_only=True)["step"] == SHORT.phases[0].steps


def test_a_save_of_another_network_is_one_sentence(tmp_path: Path) -> None:
    network = torch.nn.Linear(2, 1)
    torch.save({"step": 7, "network": network.state_dict()}, tmp_path / "save.pt")
    assert saves.go_on(tmp_path / "save.pt", {"network": network}) == 7
    known = network.state_dict()
    for other in ({"step": 7, "network": {}}, {"step": 7, "network": 5}, {"step": 7}, {"network": known}, [1]):
        torch.save(other, tmp_path / "save.pt")
        with pytest.raises(DataError, match=r"save\.pt: a save of another network, or another version's; delete it"):
            saves.go_on(tmp_path / "save.pt", {"network": network})


def test_a_log_goes_on_at_its_step_whatever_a_kill_left_of_it(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 0}\n{"step": 1}\nbroken}\n{"step": 2}\n{"step": 3}\n{"st')
    saves.cut_log(log, 3)
    assert log.read_text() == '{"step": 0}\n{"step": 1}\n{"step": 2}\n'


def test_missing_data_is_one_sentence(tiny_data: Path, tmp_path: Path) -> None:
    (tiny_data / "mos/avt_vqdb_uhd1/sources/s.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"s\.png: cannot be read"):
        rated_samples(tiny_data)
    Image.fromarray(photograph()).save(tiny_data / "mos/avt_vqdb_uhd1/sources/s.png")
    (tiny_data / "mos/avt_vqdb_uhd1/frames/0.png").unlink()
    with pytest.raises(DataError, match=r"0\.png: cannot be read"):
        PictureCache(tmp_path / "c").rated(rated_samples(tiny_data)[0])
    with pytest.raises(DataError, match=r"nothing\.png: cannot be read"):
        load_picture(tmp_path / "nothing.png")
    Image.fromarray(photograph()).save(tiny_data / "mos/avt_vqdb_uhd1/frames/0.png")
    (tiny_data / "mos/uhd_h265_images/labels.csv").unlink()
    with pytest.raises(DataError, match="label file is missing"):
        rated_samples(tiny_data)
    with pytest.raises(DataError, match="ImageNet"):
        loop.start(SHORT, tiny_data)
    (tiny_data / SHORT.imagenet).write_bytes(b"no weights")
    with pytest.raises(DataError, match=r"safetensors: not a readable safetensors file"):
        loop.start(SHORT, tiny_data)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "file"], "file: cannot be written (File exists)"),
        (["--out", "file/run"], "file/run: cannot be written (Not a directory)"),
        (["--model", "mine.safetensors"], "begins with a network by name, yoto_mobilenetv2 or yoto_swin_tiny or"),
        (["--model", "yoto_mobilenet"], "did you mean 'yoto_mobilenetv2'?"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence(
    words: list[str], sentence: str, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert cli.main(["train", "--data", str(tiny_data), *words]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1
