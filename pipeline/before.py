"""What a results folder held before the run in hand: OUT/.before, a results folder of its own, made of hard links.

Parts are replaced whole and never changed in place, so a link keeps what a part was, and costs no disk until then. In a
bucket they are copies.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from .errors import UsageError, YotoVideoError
from .results_folder import BEFORE, DATA_SETS, MARKER, check_readable
from .store import Store


def keep_before(store: Store) -> None:
    """Keep what the store holds now. What a run that did not end has begun to replace stays kept as it was.

    Nothing is kept where the disk refuses: a run does not fail for it, it only cannot tell what it changed.
    """
    target = store.out / BEFORE
    runs = store.runs()
    newest = runs[-1].run_id if runs else ""
    if not runs or _kept_for(target) == newest:
        return
    aside = store.out / f"{BEFORE}.new"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        for name in DATA_SETS:
            (aside / name).mkdir(parents=True)
            for part in (store.out / name).glob("*.parquet"):
                _link(part, aside / name / part.name)
        _link(store.out / MARKER, aside / MARKER)
        (aside / "run").write_text(newest)
        shutil.rmtree(target, ignore_errors=True)
        aside.replace(target)
        store.replace(BEFORE, last="run")
    except (OSError, YotoVideoError):
        shutil.rmtree(aside, ignore_errors=True)


def folder_before(store: Store) -> Path | None:
    """Results from before the last run that ended; None where there was none, or it cannot be read."""
    with suppress(UsageError):
        store.fetch(BEFORE)
        check_readable(store.out / BEFORE)
        return store.out / BEFORE
    return None


def _kept_for(target: Path) -> str | None:
    """The run whose results are kept; None where none are."""
    with suppress(OSError):
        return (target / "run").read_text()
    return None


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
