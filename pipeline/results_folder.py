"""The folder results go to (`--out`): ours, writable, and written by one run at a time.

OUT/yoto-video.json      says that this folder is ours
OUT/clips, frames, runs  the data sets of schema.py, one part per ladder or run
OUT/pictures/RESULT_ID   worst frames and heat maps
OUT/report               pages
OUT/.tmp, .cache, .lock  ours alone
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from .. import __version__
from .errors import UsageError, YotoVideoError
from .parts import TEMPORARY
from .schema import SCHEMA_VERSION

MARKER = "yoto-video.json"
DATA_SETS = ("clips", "frames", "runs")


class PictureFolder:
    """OUT/pictures: one folder per result, so that pictures go when their result goes."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def folder(self, result_id: str) -> Path:
        """The folder of a result, created.

        Raises:
            ValueError: the id cannot be a folder's name.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", result_id):
            raise ValueError(f"{result_id!r} is no result id")
        folder = self._out / "pictures" / result_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def save(self, result_id: str, name: str, content: bytes) -> str:
        """Write one picture of a result; returns its path relative to OUT, with forward slashes.

        Raises:
            YotoVideoError: the disk refused.
        """
        target = self.folder(result_id) / name
        try:
            target.write_bytes(content)
        except OSError as error:
            raise YotoVideoError(f"{target}: cannot write ({error.strerror}); run again to resume") from None
        return f"pictures/{result_id}/{name}"


def local_path(out: str | os.PathLike[str]) -> Path:
    """The folder as an absolute path; `file://` URIs are taken too.

    Raises:
        UsageError: the text is empty, or an object-store URI.
    """
    text = os.fspath(out)
    if not text.strip():
        raise UsageError("--out is empty: name a folder for the results")
    if text.lower().startswith("file://"):
        text = unquote(urlsplit(text).path)
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        raise UsageError(f"{text}: results go to a local folder; choose one and copy it to the store afterwards")
    return Path(text).expanduser().absolute()


def check_readable(out: Path) -> int:
    """The version of the results that are here.

    Raises:
        UsageError: there are none, or a newer program wrote them.
    """
    marker = out / MARKER
    try:
        version = json.loads(marker.read_text())["schema_version"]
        if not isinstance(version, int):
            raise TypeError
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{out}: no results of yoto-video here; name a folder that a scan wrote to") from None
    except OSError as error:
        raise UsageError(f"{out}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{marker}: not written by yoto-video; choose another folder for --out") from None
    if version > SCHEMA_VERSION:
        raise UsageError(f"{out}: written by a newer yoto-video (schema {version}); update, or choose another --out")
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
