"""The two functions of `import yoto_video`: what the commands of the same names do."""

from __future__ import annotations

import os
from numbers import Integral
from typing import Unpack

from ..pipeline.errors import UsageError
from ..pipeline.values import ClipScore
from . import scan as scanning
from . import score as scoring
from .options import SettingsOptions, make_settings
from .request import Request, ScanResult

StrPath = str | os.PathLike[str]


def _path(given: StrPath, name: str) -> str:
    """A path as text.

    Raises:
        UsageError: it is none.
    """
    found = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(found, str):
        raise UsageError(f"{name} must be a path or URI, as str or os.PathLike, not {type(given).__name__}")
    return found


def _path_or_none(given: StrPath | None, name: str) -> str | None:
    return None if given is None else _path(given, name)


def score(path: StrPath, reference: StrPath | None = None, **settings: Unpack[SettingsOptions]) -> list[ClipScore]:
    """Judge one video or still picture.

    Args:
        path: a file, or a URI of an object store.
        reference: the master it was made from; then it is also compared with it.
        settings: any field of `yoto_video.pipeline.settings.Settings`, such as `display="1920x1080"` or `fps=1`.

    Returns:
        One `ClipScore` a mode ("nr", and "fr" with a reference), or one with mode None whose `reason` says why the
        video could not be scored. `.score` is the mean over frames, 0 to 100; `.pools` holds all others.

    Raises:
        UsageError: a path is not there, or a setting is wrong.
        YotoVideoError: the network cannot be loaded.
    """
    paths = _path(path, "path"), _path_or_none(reference, "reference")
    return scoring.score(*paths, make_settings(**settings))[0]


def scan(
    path: StrPath,
    out: StrPath = "yoto-out",
    *,
    reference: StrPath | None = None,
    mapping: StrPath | None = None,
    resume: bool = True,
    workers: int | None = None,
    address: str | None = None,
    budget: str | None = None,
    **settings: Unpack[SettingsOptions],
) -> ScanResult:
    """Judge every video below a folder or URI; Parquet data sets and a report are written to `out`.

    Args:
        path: a folder, a file, or a `file://`, `s3://`, `gs://` URI.
        out: folder of the results; results it holds already are not measured again.
        reference: the master of what is scanned, where names do not say it.
        mapping: CSV or JSON file that says which videos belong together.
        resume: False measures again what is known.
        workers: processes; None takes one a core where that pays, 0 stays in this process and does without Ray.
        address: of a Ray cluster to work on.
        budget: what this run may cost, "90min", "2h" or "5000frames": a first look at everything, then closer ones.
        settings: any field of `yoto_video.pipeline.settings.Settings`.

    Returns:
        A `ScanResult`: the rows in `clips`, how many are `ok`, `skipped` and `failed`, and where the report is.

    Raises:
        UsageError: the request is wrong; nothing was measured.
        YotoVideoError: the network cannot be loaded, no worker can run, or the disk refused.
    """
    if workers is not None and (not isinstance(workers, Integral) or workers < 0):
        raise UsageError(f"workers must be a whole number, 0 or more, not {workers!r:.80}")
    for name, value in (("address", address), ("budget", budget)):
        if not isinstance(value, str | None):
            raise UsageError(f"{name} must be text, not {value!r:.80}")
    request = Request(
        _path(path, "path"), _path(out, "out"), make_settings(**settings),
        reference=_path_or_none(reference, "reference"),
        mapping=_path_or_none(mapping, "mapping"),
        resume=resume, workers=workers, address=address, budget=budget,
    )  # fmt: skip
    return scanning.scan(request)
