"""What was seen of objects when files were grouped, kept from one scan to the next: an unchanged one is not opened."""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np

from . import fingerprint, storage
from .bucket import Bucket
from .content_cache import RACY_NS
from .errors import TransientVideoError, VideoError, YotoVideoError
from .fingerprint import HEIGHT, WIDTH, Thumbnail
from .glance import Glance, header
from .looking import Looker
from .results_folder import place_of
from .storage import FileEntry
from .values import VideoRef

LOOKS = ".cache/looks.jsonl"
_MADE_BY = f"1 {av.__version__}"  # raise the number where a look would tell something else of the same file
_DAMAGED = (ValueError, TypeError, RecursionError, zlib.error)

_Key = tuple[str, str]  # (path, what was looked at)
_Stamp = tuple[int, int, int]  # (bytes, nanoseconds of its time and of its last change)


class LookCache(Looker):
    """Looks at pictures once, as long as size and times of their file are the same; at headers so in stores alone.

    Args:
        out: folder of the results, or URI of one in a bucket; it need not be there. What cannot be read of it is passed
            over: the worst that happens is that a file is looked at once more.
        tell: takes the number of looks taken so far, from whichever thread took the last one.
    """

    def __init__(self, out: str, tell: Callable[[int], None] = lambda _: None) -> None:
        self._tell, self._taken = tell, 0
        self._files: Mapping[str, FileEntry] = {}
        self._began_ns = time.time_ns()  # sizes and times were not looked at before this
        self._known: dict[_Key, tuple[_Stamp, Any]] = {}
        self._used, self._new = set[_Key](), False
        with suppress(OSError, YotoVideoError):
            for line in _lines(out):
                with suppress(*_DAMAGED):
                    made_by, path, what, size, mtime_ns, changed_ns, told = json.loads(line)
                    if made_by == _MADE_BY and isinstance(path, str) and isinstance(what, str):
                        self._known[path, what] = (size, mtime_ns, changed_ns), told

    def over(self, files: Mapping[str, FileEntry]) -> LookCache:
        """Itself, told what a listing said, by path; a store is asked about other files."""
        self._files = files
        return self

    def glance(self, ref: VideoRef, size: int = 0) -> Glance | None:
        """As `glance.glance`."""
        key, stamp = (ref.path, f"glance {size}"), self._stamp(ref) if storage.is_remote(ref.path) else None
        if (told := self._get(key, stamp)) is not None:
            with suppress(*_DAMAGED):
                return _glance_of(told)
        self._count()
        try:
            seen = header(ref, size)
        except TransientVideoError:
            return None
        except VideoError as error:
            if isinstance(error.__cause__, PermissionError):
                return None  # rights may be given, and the object stays as it is
            seen = None
        self._put(key, stamp, [] if seen is None else list(astuple(seen)))
        return seen

    def opening(self, ref: VideoRef) -> Thumbnail | None:
        """As `fingerprint.opening`."""
        return self._thumbnails(ref, "opening", 1, lambda: (fingerprint.opening(ref),))[0]

    def moments(self, ref: VideoRef, duration_s: float) -> tuple[Thumbnail | None, ...]:
        """As `fingerprint.moments`."""
        look, count = partial(fingerprint.moments, ref, duration_s), len(fingerprint.MOMENTS)
        return self._thumbnails(ref, f"moments {duration_s!r}", count, look)

    def differ(self, one: VideoRef, other: VideoRef) -> bool | None:
        """As `closer.differ`."""
        mine, theirs = self._stamp(one), self._stamp(other)
        stamp = None
        if mine is not None and theirs is not None:
            stamp = mine[0] + theirs[0], max(mine[1], theirs[1]), max(mine[2], theirs[2])
        key = one.path, f"differs from {other.path}"
        if isinstance(told := self._get(key, stamp), bool):
            return told
        self._count()
        seen = super().differ(one, other)
        if seen is not None:
            self._put(key, stamp, seen)
        return seen

    def save(self, out: Path, root: str) -> bool:
        """Write what is known now to a folder of results, but for what this scan did not ask of what is below its root.

        Returns:
            False where nothing is new, or it cannot be written, which costs time, not results.
        """
        stays = {k: v for k, v in self._known.items() if k in self._used or not k[0].startswith(f"{root}/")}
        if not self._new and len(stays) == len(self._known):
            return False
        temporary = out / f"{LOOKS}.tmp"
        try:
            with temporary.open("w", encoding="ascii") as file:
                for key, (stamp, told) in stays.items():
                    file.write(json.dumps([_MADE_BY, *key, *stamp, told]) + "\n")
            temporary.replace(out / LOOKS)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            return False
        return True

    def _thumbnails(
        self, ref: VideoRef, what: str, count: int, look: Callable[[], tuple[Thumbnail | None, ...]]
    ) -> tuple[Thumbnail | None, ...]:
        key, stamp = (ref.path, what), self._stamp(ref)
        if (told := self._get(key, stamp)) is not None:
            with suppress(*_DAMAGED):
                return _thumbnails_of(told, count)
        self._count()
        shots = look()
        there = [shot for shot in shots if shot is not None]
        if len(there) == len(shots):  # where one is missing, the store may not have answered
            self._put(key, stamp, [base64.b64encode(zlib.compress(shot.tobytes())).decode() for shot in there])
        return shots

    def _count(self) -> None:
        self._taken += 1
        self._tell(self._taken)

    def _stamp(self, ref: VideoRef) -> _Stamp | None:
        """Bytes and times of a file, of all its parts; None where they are not told."""
        paths = ref.parts or (ref.path,)
        try:
            entries = [self._files.get(path) or storage.stat(path) for path in paths]
        except VideoError:
            return None
        times = [entry.mtime_ns for entry in entries]
        changed_ns = max(entry.changed_ns for entry in entries)
        return (sum(entry.size for entry in entries), max(times), changed_ns) if all(times) else None

    def _get(self, key: _Key, stamp: _Stamp | None) -> Any:
        then, told = self._known.get(key, (None, None))
        if stamp is None or then != stamp:
            return None
        self._used.add(key)
        return told

    def _put(self, key: _Key, stamp: _Stamp | None, told: Any) -> None:
        if stamp is not None and self._began_ns - stamp[1] > RACY_NS:
            self._known[key] = stamp, told
            self._used.add(key)
            self._new = True


def _lines(out: str) -> Iterable[str]:
    place = place_of(out)
    if storage.is_remote(place):
        return (Bucket(place).read(LOOKS) or b"").decode("ascii", "replace").splitlines()
    return (Path(place) / LOOKS).read_text("ascii", "replace").splitlines()


def _glance_of(told: Any) -> Glance | None:
    if told == []:
        return None
    seen = Glance(*told)
    numbers = seen.width, seen.height, seen.duration_s, seen.bitrate_kbps
    if all(n is None or isinstance(n, int | float) for n in numbers) and isinstance(seen.codec, str | None):
        return seen
    raise ValueError("no glance")


def _thumbnails_of(told: Any, count: int) -> tuple[Thumbnail, ...]:
    packed = [zlib.decompress(base64.b64decode(one)) for one in told]
    return tuple(np.frombuffer(b"".join(packed), np.float32).reshape(count, HEIGHT, WIDTH))
