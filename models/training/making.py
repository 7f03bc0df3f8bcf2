"""What training looks at, prepared once on disk: pictures at their display raster, ladders made of photographs."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import zoo
from ..own_raster import octaves
from ..upright import upright_rgb, upright_size
from . import distortions, opinions
from .distortions import Picture
from .recipe import Recipe
from .tables import DATASETS, NOT_A_PICTURE, DataError, Sample

SHOT, PAN = 4, 4  # frames of the shots that ladders are made of, and pixels that one moves a frame, at most
SMALL = 300_000  # pixels; of a photograph with fewer one ladder is made


@dataclass(frozen=True)
class MadeVersion:
    """A distorted picture with what full-reference measures say of it (`opinions.MEASURES`)."""

    file: str
    what: str
    chain: str
    level: float
    measured: dict[str, float]


@dataclass(frozen=True)
class MadeLadder:
    """A photograph and what became of it."""

    reference: str
    versions: tuple[MadeVersion, ...]


def load_picture(path: Path, display: tuple[int, int] | None = None) -> Picture:
    """Upright RGB pixels, as a still picture is scored; bicubic to (width, height) `display`.

    Raises:
        DataError: the file is missing or no picture.
    """
    try:
        with Image.open(path) as opened:
            picture, _ = upright_rgb(opened)
    except NOT_A_PICTURE as error:
        raise DataError(f"{path}: cannot be read as a picture ({error}); fetch or export it again") from error
    if display is not None and (picture.shape[1], picture.shape[0]) != display:
        picture = distortions.resize(picture, display)
    return picture


class PictureCache:
    """Pictures as .npy files of which a crop is read without the rest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, file: str, picture: Picture) -> None:
        """Write atomically, so that an interrupted run leaves no half picture."""
        temporary = self.folder / f".{file}.part"
        with temporary.open("wb") as sink:
            np.save(sink, picture)
        temporary.replace(self.folder / file)

    def get(self, file: str) -> NDArray[np.uint8]:
        """The picture, mapped from disk."""
        mapped: NDArray[np.uint8] = np.load(self.folder / file, mmap_mode="r")
        return mapped

    def rated(self, sample: Sample) -> tuple[str, str | None]:
        """Files of a rated picture and of its reference on their display raster, made when missing."""
        files = []
        for path in (sample.image, sample.reference):
            if path is None:
                continue
            files.append(f"rated-{zlib.crc32(f'{path}{sample.display}'.encode()):08x}-{path.stem[-60:]}.npy")
            if not (self.folder / files[-1]).exists():
                self.put(files[-1], load_picture(path, sample.display))
        return files[0], files[1] if len(files) == 2 else None

    def stored(self, sample: Sample) -> tuple[str, float]:
        """The file of a rated picture as it is stored, made when missing, and how many octaves larger it is shown."""
        file = f"stored-{zlib.crc32(str(sample.image).encode()):08x}-{sample.image.stem[-60:]}.npy"
        if not (self.folder / file).exists():
            self.put(file, load_picture(sample.image))
        height, width = self.get(file).shape[:2]
        return file, octaves((width, height), sample.display)


def _make(job: tuple[Path, int, Path, int]) -> MadeLadder:
    """One ladder: distort, measure, write. A ladder that is complete on disk is read back."""
    path, number, folder, seed = job
    name = f"made-{path.parent.name}-{path.stem}-{number}"
    record = folder / f"{name}.json"
    if record.exists():
        return _from_json(json.loads(record.read_text()))
    cache = PictureCache(folder)
    rng = np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))
    shot = distortions.pan(load_picture(path), frames=SHOT, step=int(rng.integers(0, PAN + 1)))
    versions = distortions.codec_ladder(shot, rng) + distortions.simple_chain(shot[-1], rng)
    measured = opinions.measure(shot[-1], [v.picture for v in versions])
    cache.put(f"{name}.npy", shot[-1])
    made = []
    for i, (version, figures) in enumerate(zip(versions, measured, strict=True)):
        cache.put(f"{name}-{i}.npy", version.picture)
        made.append(MadeVersion(f"{name}-{i}.npy", version.what, version.chain, version.level, figures))
    ladder = MadeLadder(f"{name}.npy", tuple(made))
    record.with_suffix(".part").write_text(json.dumps(asdict(ladder)))
    record.with_suffix(".part").replace(record)
    return ladder


def _from_json(raw: dict[str, object]) -> MadeLadder:
    versions: list[dict[str, object]] = raw["versions"]  # type: ignore[assignment]  # as written above
    return MadeLadder(str(raw["reference"]), tuple(MadeVersion(**v) for v in versions))  # type: ignore[arg-type]


def _photographs(data: Path, recipe: Recipe) -> list[tuple[Path, int]]:
    """The recipe's photographs and how many pixels they have, all of them looked at before any ladder is made."""
    entry = zoo.entry(recipe.model)
    settles = entry.config.int8 and recipe.settled_on > 0
    side = max((*recipe.crop_sides, entry.crop) if settles else recipe.crop_sides)
    least = side + side % 2 + SHOT * PAN  # sides of made pictures are even
    chosen: list[tuple[Path, int]] = []
    named: dict[tuple[str, str], Path] = {}
    for folder, count in recipe.pictures:
        place = data / "pristine" / folder
        found = sorted(p for p in place.glob("*") if p.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp"})
        if not found:
            raise DataError(f"{place}: no photographs here; point --data at the folder that holds pristine/")
        for path in found[:: max(1, len(found) // count)][:count]:
            # What is made of them is named so, and drawn by that name.
            other = named.setdefault((path.parent.name, path.stem), path)
            if other != path:
                raise DataError(f"{other} and {path.name}: two photographs of one name; rename one, or take it away")
            try:
                with Image.open(path) as picture:
                    width, height = upright_size(picture)
            except NOT_A_PICTURE as error:
                raise DataError(f"{path}: cannot be read as a picture; fetch it again, or take it away") from error
            if min(width, height) < least:
                size = f"{width}x{height}"
                raise DataError(f"{path}: is {size}, training needs {least} pixels a side at least; take it away")
            chosen.append((path, width * height))
    return chosen


def make_ladders(
    data: Path, recipe: Recipe, cache: PictureCache, tell: Callable[[str], None], workers: int = 2
) -> list[MadeLadder]:
    """Ladders of the recipe's photographs; those made before are kept.

    Raises:
        DataError: a folder of photographs is missing, or one of them cannot be used.
    """
    jobs = [
        (path, number, cache.folder, recipe.seed)
        for path, pixels in _photographs(data, recipe)
        for number in range(1 if pixels < SMALL else recipe.ladders_each)
    ]
    ladders = []
    with ProcessPoolExecutor(workers) as pool:
        for ladder in pool.map(_make, jobs, chunksize=4):
            ladders.append(ladder)
            if len(ladders) % 50 == 0 or len(ladders) == len(jobs):
                tell(f"made ladders: {len(ladders)} of {len(jobs)}")
    return ladders


def measure_rated(samples: Sequence[Sample], cache: PictureCache) -> list[dict[str, float]]:
    """`opinions.measure` of rated pictures that have a reference; written down once in the cache."""
    record = cache.folder / "rated-measured.json"
    known: dict[str, dict[str, float]] = json.loads(record.read_text()) if record.exists() else {}
    before = len(known)
    for sample in samples:
        file, reference = cache.rated(sample)
        if file not in known:
            assert reference is not None
            known[file] = opinions.measure(cache.get(reference), [cache.get(file)])[0]
    if len(known) > before:
        part = record.with_suffix(f".{os.getpid()}.part")  # two runs may share a cache
        part.write_text(json.dumps(known))
        part.replace(record)
    return [known[cache.rated(s)[0]] for s in samples]


def rated_samples(data: Path) -> list[Sample]:
    """Every human-scored picture of the known sets below `data`."""
    return [s for read in DATASETS.values() for s in read(data)]
