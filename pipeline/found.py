"""What lies below a root: the files by path, what their names say they are, and a word on what is left out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from . import listing, storage
from .errors import UsageError, VideoError
from .manifests import EXTENSIONS as MANIFESTS
from .media import VIDEO_SUFFIXES
from .results_folder import MARKER
from .storage import FileEntry
from .text import counted

# What a decoder can name but a folder does not hold as a video of its own: media segments without their beginning.
SEGMENTS = frozenset({"m4s", "cmfa", "cmft"})
VIDEOS = (frozenset(s[1:] for s in VIDEO_SUFFIXES) - SEGMENTS) | {"266", "h266", "vvc", "m2p", "tp", "trp", "ogg"}
STILLS = frozenset({"png", "jpg", "jpeg", "webp"})
_NOT_CONTENT = frozenset({"@eaDir", "__MACOSX"})  # what file servers and archives leave beside files


@dataclass
class Found:
    """What a walk saw."""

    folder: str  # canonical; what manifests may name lies below
    single: bool  # the root is a file
    files: dict[str, FileEntry] = field(default_factory=dict)  # every one, by path
    notes: list[str] = field(default_factory=list)
    hidden: int = 0  # videos that are hidden, or lie right in a hidden folder

    def relative(self, path: str) -> str:
        """A path as seen from the scanned folder."""
        return path.removeprefix(self.folder.rstrip("/") + "/")

    def note_unnamed(self, used: Collection[str]) -> None:
        """Say how many files may be videos and are left out by their names alone; `used` are those somebody named."""
        bare = [p for p, entry in self.files.items() if not self.single and entry.size and not ending_of(p)]
        count = len(set(bare).difference(used))
        said = [counted(self.hidden, "hidden video")] * bool(self.hidden)
        said += [f"{counted(count, 'file')} without an ending"] * bool(count)
        if said:
            self.notes.append(f"left out by their names: {', '.join(said)}")


def walk(root: str, path: str, exclude: str | None) -> Found:
    """Every file below a root that may belong to a plan. Arguments as of `discover`; `path` is the canonical `root`.

    Raises:
        UsageError: the root is not there, or is no place for videos.
    """
    out = storage.canonical(exclude) if exclude else None
    if out is not None and (path == out or path.startswith(out + "/")):
        raise UsageError(f"{root}: is inside --out {exclude}, which is never scanned; choose another --out")
    missed: dict[str, str] = {}

    def miss(one: str, why: str) -> None:
        if why != listing.HIDDEN or (ending_of(one) in VIDEOS and "/._" not in one):  # the latter are macOS's notes
            missed[one] = why

    walked = listing.walk(root, miss)
    entries = [entry for entry in walked if out is None or not entry.path.startswith(out + "/")]
    if [entry.path for entry in entries] == [path]:
        folder = path.rsplit("/", 1)[0]
        found = Found(folder, True, {path: entries[0]})
        if ending_of(path) in MANIFESTS:  # its segments lie beside it
            found.files |= {entry.path: entry for entry in listing.walk(folder)}
        elif not is_media(path):
            known = ", ".join(sorted(VIDEOS))
            raise UsageError(f"{root}: is not a video, picture or manifest by its name; known are {known}")
        return found
    found = Found(path, False)
    marked = {entry.path.rsplit("/", 1)[0] + "/" for entry in entries if entry.name == MARKER}
    if path + "/" in marked:
        raise UsageError(f"{root}: holds results of yoto-video, not videos; give the folder of videos, or use `report`")
    for entry in entries:
        parts = found.relative(entry.path).split("/")
        if any(part.startswith(".") or part in _NOT_CONTENT for part in parts):
            continue
        if marked and any(entry.path.startswith(folder) for folder in marked):
            continue
        found.files[entry.path] = entry
    for one, why in sorted(missed.items()):
        if any(one.startswith(folder) for folder in (*marked, *([] if out is None else [out + "/"]))):
            continue
        if why == listing.HIDDEN:
            found.hidden += 1
        elif is_media(one) or "listed" in why:  # of broken links only those that are missed
            found.notes.append(f"{found.relative(one)} {why}; left out")
    for folder in sorted(marked):
        found.notes.append(f"{found.relative(folder)} holds results of an earlier scan and is left out")
    return found


def is_media(path: str) -> bool:
    """True when a file's name says that it is a video or a still picture."""
    return ending_of(path) in VIDEOS or ending_of(path) in STILLS


def is_text(path: str, size: int) -> bool:
    """`.ts` is TypeScript and Qt translations too. Not asked of object stores: a request each would cost more."""
    if storage.is_remote(path) or not size:
        return False
    try:
        with storage.open_binary(path) as file:
            head = file.read(512)
        return b"\0" not in head and head.isascii() and head[:1] != b"G"
    except (VideoError, OSError):
        return False


def ending_of(path: str) -> str:
    """What follows the last dot of a file's name, in small letters."""
    name = path.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[-1].lower() if "." in name else ""
