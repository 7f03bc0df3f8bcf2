"""The folder results go to (`--out`), local or in a bucket: ours, writable, and written by one run at a time.

OUT/yoto-video.json      says that this folder is ours
OUT/clips, frames, runs  the data sets of schema.py, one part per ladder or run
OUT/pictures/RESULT_ID   worst frames and heat maps
OUT/report               pages
OUT/.tmp, .cache, .lock  ours alone
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import IO

from .. import __version__
from .errors import UsageError
from .mirror import Mirror
from .parts import TEMPORARY
from .schema import SCHEMA_VERSION
from .storage import canonical, is_remote
from .text import plain

MARKER = "yoto-video.json"
DATA_SETS = ("clips", "frames", "runs")
CONTENT_IDS = ".cache/content_ids.jsonl"
BEFORE = ".before"  # the tables before the run in hand
MOVING = ".moving"  # results on their way from one part to another
CARRIED = (f"{BEFORE}/run", MOVING)  # what else a run has to know of an earlier one


def place_of(out: str | os.PathLike[str]) -> str:
    """The folder of results as an absolute path, or as a URI where it is in an object store.

    Raises:
        UsageError: the text is empty, no UTF-8, or a URI with a key in it.
    """
    text = os.fspath(out)
    if not text.strip():
        raise UsageError("the name of the results' folder is empty: give one")
    place = canonical(text)
    if plain(place) != place:  # pyarrow could not open its tables
        raise UsageError(f"{place}: this name is no UTF-8; rename the folder of the results, or choose another")
    return place


def local_path(out: str | os.PathLike[str]) -> Path:
    """The folder as an absolute path; `file://` URIs are taken too.

    Raises:
        UsageError: the text is empty, or a URI of an object store.
    """
    place = place_of(out)
    if is_remote(place):
        raise UsageError(f"{place}: these results go to a local folder; choose one and copy it to the store afterwards")
    return Path(place)


def check_readable(out: Path, place: str | None = None) -> int:
    """The version of the results that are here; `place` is where they are, when `out` is a copy.

    Raises:
        UsageError: there are none, or a newer program wrote them.
    """
    marker, place = out / MARKER, place or str(out)
    try:
        version = json.loads(marker.read_text())["schema_version"]
        if not isinstance(version, int):
            raise TypeError
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{place}: no results of yoto-video here; name a folder that a scan wrote to") from None
    except OSError as error:
        raise UsageError(f"{place}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{place}/{MARKER}: not written by yoto-video; choose another folder for --out") from None
    if version > SCHEMA_VERSION:
        raise UsageError(f"{place}: written by a newer yoto-video (schema {version}); update, or choose another --out")
    return version


def claim(out: Path) -> None:
    """Create the folder, or find it ours.

    Raises:
        UsageError: it cannot be made or written to, is a file, or holds somebody else's files.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        if (out / MARKER).exists():
            if check_readable(out) < SCHEMA_VERSION:
                _write_marker(out)  # what is written from now on an older program cannot read
        else:
            if any(not entry.name.startswith(".") for entry in out.iterdir()):
                raise UsageError(
                    f"{out}: holds files that are not results of yoto-video; choose a new folder for --out"
                )
            _write_marker(out)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{out}: is a file, or lies below one; choose a folder for --out") from None
    except OSError as error:
        raise UsageError(f"{out}: cannot write there ({error.strerror}); choose another folder for --out") from None


def prepare(out: Path) -> None:
    """Claim the folder and create what a scan's results need.

    Raises:
        UsageError: as of `claim`.
    """
    claim(out)
    try:
        for name in (*DATA_SETS, TEMPORARY, ".cache"):
            (out / name).mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out}: cannot write there ({error.strerror}); choose another folder for --out") from None


def prepare_copy(mirror: Mirror, out: Path) -> None:
    """Claim a folder in a bucket, keep other runs from it, and make `out` its working copy.

    Raises:
        UsageError: it cannot be reached or written to, is in use, or holds somebody else's objects.
    """
    names = mirror.names()
    if MARKER not in names and any(not name.startswith(".") for name in names):
        raise UsageError(
            f"{mirror.uri}: holds objects that are not results of yoto-video; choose a new folder for --out"
        )
    mirror.lock()
    try:
        fetch_tables(mirror, out)
        mirror.fetch(out, CONTENT_IDS, *CARRIED)
        before = (out / MARKER).read_bytes() if (out / MARKER).exists() else b""
        prepare(out)
        if (marker := (out / MARKER).read_bytes()) != before:
            mirror.put(MARKER, marker)
    except BaseException:
        mirror.unlock()
        raise


def fetch_tables(mirror: Mirror, out: Path) -> int:
    """Copy the tables from a bucket to `out`; returns their version. Raises as `check_readable`."""
    mirror.fetch(out, MARKER)
    version = check_readable(out, mirror.uri) if (out / MARKER).exists() else 0
    mirror.fetch(out, *DATA_SETS)
    return version


def lock(out: Path) -> IO[str]:
    """Keep other runs from writing here until the returned file is closed or this process ends, however it ends.

    Raises:
        UsageError: another run holds it, or the folder is not writable.
    """
    try:
        file = (out / ".lock").open("a+")
    except OSError as error:
        raise UsageError(f"{out}: cannot write there ({error.strerror}); choose another folder for --out") from None
    try:
        import fcntl  # not on Windows: there, nothing keeps a second run away

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        who = f" (process {holder})" if holder else ""
        raise UsageError(f"{out}: another run is writing there{who}; wait for it, or choose another --out") from None
    except (ImportError, OSError):
        return file  # a file system without locks
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def clear_leftovers(out: Path) -> None:
    """Remove the temporary files of a run that was killed. Only under the lock."""
    shutil.rmtree(out / TEMPORARY, ignore_errors=True)
    (out / TEMPORARY).mkdir(exist_ok=True)


def _write_marker(out: Path) -> None:
    content = {"what": "results of yoto-video", "schema_version": SCHEMA_VERSION, "created_by": __version__}
    temporary = out / f".{MARKER}.tmp"
    temporary.write_text(json.dumps(content) + "\n")
    temporary.replace(out / MARKER)
