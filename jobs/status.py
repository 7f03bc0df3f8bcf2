"""`yoto-video status`: how far the scan that writes to a folder is, told from the file that it keeps there."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..pipeline.bucket import Bucket
from ..pipeline.errors import UsageError
from ..pipeline.results_folder import MARKER, place_of
from ..pipeline.storage import is_remote
from ..pipeline.text import counted
from .heartbeat import BUCKET_EVERY_S, NAME
from .progress import duration
from .request import STATUSES

SILENT_S = 60.0  # without a word, after which a scan is taken for dead: a busy file system is slow, clocks differ


def status(out: str) -> dict[str, Any]:
    """What the scan in a folder says of itself. `state` is "running", "finished", "interrupted", "failed" or "died".

    Raises:
        UsageError: no results there, or of a version that said nothing yet.
    """
    place = place_of(out)
    content = _read(place, NAME)
    if content is None and _read(place, MARKER) is None:
        raise UsageError(f"{place}: no results of yoto-video here; name a folder that a scan wrote to")
    if content is None:
        raise UsageError(f"{place}: no scan has told how far it is; its results are in the report")
    try:
        said: dict[str, Any] = json.loads(content)
        age = (datetime.now(UTC) - datetime.fromisoformat(said["updated_at"])).total_seconds()
        _check(said)
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{place}/{NAME}: cannot be read; the next scan writes it anew") from None
    if said["state"] == "running" and (age > SILENT_S or _gone(said)):
        said |= {"state": "died", "left_s": None}
    return {"type": "status", **said, "age_s": round(max(0.0, age), 1)}


def lines(said: Mapping[str, Any]) -> Iterator[str]:
    """For people."""
    words = {"died": "not running: it ended without a word; the same command goes on", "failed": "failed"}
    state = words.get(said["state"], said["state"])
    if said["state"] == "interrupted":
        state += "; the same command goes on"
    yield f"{state}{': ' + said['reason'] if said.get('reason') else ''}"
    where = f"process {said.get('pid')} on {said.get('host')}"
    yield f"command     {said.get('command')} ({where}, since {said.get('started_at')})"
    if said.get("videos") is not None:
        share = f", {100 * said['done'] // said['videos']} %" if said["videos"] else ""  # 100 % is all of them
        yield f"{said.get('stage', ''):<11} {said['done']:,} of {counted(said['videos'], 'video')}{share}"
    counts = [f"{said.get(status, 0):,} {word}" for status, word in STATUSES.items()]
    counts[0] = f"{counted(said.get('ok', 0), 'row')} scored"  # a video has one in each mode
    yield f"results     {', '.join(counts)}"
    if said.get("videos_a_minute"):
        left = f", {duration(said['left_s'])} left" if said.get("left_s") is not None else ""
        yield f"rate        {said['videos_a_minute']:,.1f} videos a minute{left if said['state'] == 'running' else ''}"
    if said["age_s"] > BUCKET_EVERY_S:
        yield f"last word   {duration(said['age_s'])} ago"
    for failure in said.get("failures", ()):
        yield f"failed      {failure}"


def _check(said: Mapping[str, Any]) -> None:
    """See that what is told of is there, as numbers and words.

    Raises:
        KeyError, TypeError: it is not.
    """
    wanted: dict[str, type | tuple[type, ...]] = {"state": str}
    if said.get("videos") is not None:
        wanted |= {"videos": int, "done": int}
    for name in (*STATUSES, "videos_a_minute", "left_s", "failures"):
        if said.get(name) is not None:
            wanted[name] = list if name == "failures" else (int, float)
    for name, kind in wanted.items():
        if not isinstance(said[name], kind):
            raise TypeError(name)


def _read(place: str, name: str) -> bytes | None:
    """A file of the folder; None where there is none."""
    if is_remote(place):
        return Bucket(place).read(name)
    try:
        return (Path(place) / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{place}/{name}: cannot be read ({error.strerror})") from None


def _gone(said: Mapping[str, Any]) -> bool:
    """Whether its process is no more; not to be told from another machine."""
    if said.get("host") != socket.gethostname():
        return False
    try:
        os.kill(int(said["pid"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, KeyError):
        return False
    return False
