"""The user's cache of exports: files that are there whole, or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

KEPT = 16  # exports kept, 2.5 to 8 MB each; the ones that were longest not used go


def folder() -> Path:
    """Where exports are kept: YOTO_CACHE, or yoto-video in the place the system has for caches.

    Raises:
        OSError: there is none, for the user has no home folder.
    """
    given = os.environ.get("YOTO_CACHE")
    if given:
        return Path(given)
    systems = {"win32": ("LOCALAPPDATA", "~/AppData/Local"), "darwin": ("", "~/Library/Caches")}
    variable, otherwise = systems.get(sys.platform, ("XDG_CACHE_HOME", "~/.cache"))
    try:
        return Path(os.environ.get(variable) or otherwise).expanduser() / "yoto-video"
    except RuntimeError as error:
        raise FileNotFoundError("no home folder to keep exports in") from error


def keep(name: str, content: bytes) -> None:
    """Put an export into the cache, named "encoder-" and so on; the ones that were longest not used make room.

    Raises:
        OSError: it cannot be written.
    """
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place, suffix=".part", delete=False) as file:
        part = Path(file.name)
        try:
            file.write(content)
            file.close()
            part.chmod(0o644)  # where users share a cache
            part.replace(place / name)
        except OSError:
            part.unlink(missing_ok=True)
            raise
    for old in sorted(place.glob("encoder-*"), key=_last_used, reverse=True)[KEPT:]:
        old.unlink(missing_ok=True)


def _last_used(export: Path) -> float:
    """When it was, seconds; nought where another process has just made room by it."""
    try:
        return export.stat().st_mtime
    except FileNotFoundError:
        return 0.0
