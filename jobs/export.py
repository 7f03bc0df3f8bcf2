"""Results for other programs: one file or stdout, or a folder where a form is about one video each."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sys
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from ..pipeline import exports, monitoring
from ..pipeline.errors import UsageError, unwritable
from ..pipeline.store import Store
from ..pipeline.values import ClipResult, ClipScore
from .gates import Gate, nothing_in

STREAMS = ("/dev/std", "/dev/fd/", "/proc/self/fd/")  # what a process has open, by name: files perhaps
LONGEST = 240  # bytes of a log's name; systems take 255, and ".NAME.json.tmp" has ten more


def export(
    out: str, form: str, to: str | None, gate: Gate, tell: Callable[[str], None] = lambda _: None
) -> tuple[list[ClipScore], list[str], bool]:
    """Write results in a form, to stdout where `to` is None; libvmaf's into a folder, a file a video.

    Args:
        out: folder of the results.
        form: csv, frames, libvmaf, junit or openmetrics.
        to: file, or folder.
        gate: what rows have to pass.
        tell: takes what could not be read, or what a baseline has and these results lack, a sentence.

    Returns:
        The rows, why some of them do not pass the gate, a sentence each, and whether all rows could be read.

    Raises:
        UsageError: no results, none of a video, or a form that cannot be written so or there.
        YotoVideoError: the disk is full.
    """
    gate.check(out)
    store = Store(out, read_only=True)
    clips = list(store.clips())
    if not clips:
        raise nothing_in(store.place, store.warnings)
    lacking = list[str]()
    faults = gate.faults(clips, out, lacking.append)
    for said in lacking:
        tell(said)
    writers: dict[str, Callable[[TextIO], object]] = {
        "csv": lambda file: exports.write_clips_csv(clips, file),
        "frames": lambda file: exports.write_frames_csv(_with_frames(store, clips), file),
        "junit": lambda file: monitoring.write_junit(clips, faults, file, lacking),
        "openmetrics": lambda file: monitoring.write_openmetrics(clips, file),
    }
    if form == "libvmaf":
        _libvmaf(store, clips, to)
    else:
        with _opened(to) as file:
            writers[form](file)
    for warning in dict.fromkeys(store.warnings):  # frames are read last
        tell(warning)
    return clips, list(faults.values()), not store.warnings


def _libvmaf(store: Store, clips: Sequence[ClipScore], to: str | None) -> None:
    """One log a video: to stdout where there is one video, else into a folder."""
    scored: dict[str, list[ClipScore]] = {}
    for clip in clips:
        if clip.status == "ok":
            scored.setdefault(clip.path, []).append(clip)
    if to is None and len(scored) > 1:
        raise UsageError(f"--format libvmaf is a log a video, and there are {len(scored)}: name a folder with --to")
    from ..reports.labels import short_labels

    taken = set[str]()
    for path, label in short_labels(list(scored)).items():
        name = file_name(label, taken)
        taken.add(name)
        target = None if to is None else str(Path(to) / f"{name}.json")
        if frames := list(_with_frames(store, scored[path])):
            with _opened(target) as file:
                exports.write_libvmaf_json(frames, file)


def file_name(label: str, taken: Container[str] = ()) -> str:
    """A label as one name on every file system: told apart from those taken, and from others as long, by a digest."""
    name = "".join("_" if c in '<>:"/\\|?*' or ord(c) < 32 else c for c in label).strip(" .") or "video"
    if name not in taken and len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.blake2b(label.encode(), digest_size=8).hexdigest()
    return f"{name.encode()[: LONGEST - 17].decode(errors='ignore')}-{digest}"


def _with_frames(store: Store, clips: Sequence[ClipScore]) -> Iterator[ClipResult]:
    """Those with frames; what has lost its frames, the store's warnings tell."""
    found = (ClipResult(clip, tuple(store.frames(clip.path, clip.mode))) for clip in clips if clip.status == "ok")
    return (result for result in found if result.frames)


@contextlib.contextmanager
def _opened(to: str | None) -> Iterator[TextIO]:
    """A file that appears whole or not at all, or stdout."""
    if to is None:
        yield sys.stdout
        return
    buffer = io.StringIO()
    yield buffer
    # A link stays one; and what is no file, a pipe or a device, is nothing to put a file in the place of.
    straight = os.path.abspath(to).startswith(STREAMS) or (os.path.exists(to) and not os.path.isfile(to))
    try:
        if straight:
            with open(to, "a", encoding="utf-8", newline="") as file:  # what a shell has sent there stays
                file.write(buffer.getvalue())
            return
        target = Path(os.path.realpath(to))
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.tmp")
        aside.write_text(buffer.getvalue(), encoding="utf-8", newline="")
        aside.replace(target)
    except OSError as error:
        raise unwritable(to, error) from None
