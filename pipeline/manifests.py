"""HLS and DASH manifests as ladders, read from files that were found below the scanned root and from nowhere else.

`read` turns one manifest into renditions whose `parts` are its segments. A manifest is text somebody else wrote: it may
name files that do not exist, point outside the scanned folder or at the network. So every address goes through
`Files.find`, which answers only with files that the walk found. Nothing is ever fetched from a network address.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from . import storage
from .errors import BrokenVideo, VideoError
from .values import Declared, Rendition, VideoRef

EXTENSIONS = frozenset({"m3u8", "mpd"})
MAX_BYTES = 32 << 20  # a manifest that is longer is not one
MAX_SEGMENTS = 100_000  # of a rendition: two days; a line of a manifest may ask for billions


@dataclass(frozen=True)
class Stream:
    """The renditions of one presentation: a whole manifest, or one period of it."""

    path: str  # the manifest
    renditions: tuple[Rendition, ...]
    duration_s: float | None = None  # as declared
    period: int = 1
    is_playlist: bool = False  # a single HLS media playlist: one rendition that knows nothing of others


@dataclass
class Reading:
    """What came of reading one manifest."""

    streams: list[Stream] = field(default_factory=list)
    used: set[str] = field(default_factory=set)  # files that belong to it, audio and subtitles too
    rejected: list[VideoError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)  # renditions of which no file exists
    absent_sets: list[str] = field(default_factory=list)  # those of sets of which no file exists, beside others


class ManifestError(ValueError):
    """A manifest asks for something that is not given; `str()` says what, as the rest of a sentence."""


class Files:
    """The files found below the root: the only ones a manifest can name.

    Args:
        root: canonical path of the scanned folder.
        paths: canonical paths of all files below it.
    """

    def __init__(self, root: str, paths: Collection[str]) -> None:
        self.root = root.rstrip("/")
        self._paths = frozenset(paths)
        self._sorted = sorted(self._paths)

    def find(self, base: str, uri: str) -> str | None:
        """The file at `uri` seen from the folder `base`, or None when there is none.

        Raises:
            ManifestError: the address is not a relative one, or leads out of the scanned folder.
        """
        try:
            split = urlsplit(uri)
        except ValueError as error:
            raise ManifestError(f"holds {uri!r}, which is no address ({error})") from None
        if split.scheme or split.netloc:
            raise ManifestError(
                f"points to {uri}, which is not below the scanned folder; nothing is fetched from other places"
            )
        if uri.startswith(("/", "\\")) or "\0" in uri:
            raise ManifestError(f"holds the absolute path {uri!r}; only relative ones are followed")
        # As written first: a file's own name may hold % or ?.
        for relative in dict.fromkeys((uri, split.path, unquote(split.path))):
            path = storage.join(base, relative)
            if not path.startswith(self.root + "/"):
                raise ManifestError(
                    f"points to {uri}, which is outside the scanned folder; scan a folder further up to include it"
                )
            if path in self._paths:
                return path
        return None

    def below(self, prefix: str) -> Iterator[str]:
        """All files whose path begins with `prefix`, sorted."""
        for i in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            if not self._sorted[i].startswith(prefix):
                return
            yield self._sorted[i]


def read(path: str, files: Files) -> Reading:
    """Read one manifest. Never raises for what stands in it: what cannot be used is in `rejected`."""
    from . import dash, hls  # they need Files and Reading from here

    try:
        text = read_text(path)
        reading: Reading = (dash if path.lower().endswith(".mpd") else hls).read(path, text, files)
        if not reading.streams and not reading.rejected and (reading.absent or reading.absent_sets):
            said = "none of the files that this manifest lists exists; copy them too"
            return Reading(used=reading.used, rejected=[BrokenVideo(path, said)])
        said = "none of its files, which the manifest lists, exists; copy them, or package the title again"
        reading.rejected += [BrokenVideo(f"{path}#{ident}", said) for ident in reading.absent]
        if reading.absent_sets:
            reading.notes.append(f"{path}: left out {', '.join(reading.absent_sets)}, of which no file exists")
        return reading
    except ManifestError as refused:
        return Reading(rejected=[BrokenVideo(path, f"the manifest {refused}")])
    except VideoError as error:
        return Reading(rejected=[error])


def read_text(path: str) -> str:
    """A manifest's text.

    Raises:
        ManifestError: too long, or not text.
        VideoError: the storage does not give it.
    """
    with storage.open_binary(path) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ManifestError(f"is longer than {MAX_BYTES >> 20} MB and was not read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ManifestError("is not UTF-8 text; repair or remove it") from None


@dataclass
class Parts:
    """A rendition's files, gathered in order."""

    files: Files
    base: str
    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, uri: str) -> None:
        """Add what `uri` names; a file named again (byte ranges of one file, one header of all segments) is one."""
        path = self.files.find(self.base, uri)
        name = uri if path is None else path
        if name not in self._seen:
            self._seen.add(name)
            (self.missing if path is None else self.found).append(name)
        if len(self.found) + len(self.missing) > MAX_SEGMENTS:
            raise ManifestError(f"lists more than {MAX_SEGMENTS:,} segments for one rendition; split it")

    def loss(self) -> tuple[str, ...]:
        """What is missing, a sentence; nothing where all is there."""
        if not self.missing:
            return ()
        total, first = len(self.found) + len(self.missing), self.missing[0]
        return (f"{len(self.missing)} of {total} files that its manifest lists are missing ({first} first)",)

    def __post_init__(self) -> None:
        self._seen: set[str] = set()


def add_rendition(
    reading: Reading, renditions: list[Rendition], manifest: str, ident: str, parts: Parts, declared: Declared
) -> None:
    """List a rendition with what exists of it; say what is missing."""
    reading.used.update(parts.found)
    if not parts.found:
        reading.absent.append(ident)
        return
    video = VideoRef(f"{manifest}#{ident}", tuple(parts.found), parts.loss())
    reading.notes += [f"{video.path}: {said}" for said in video.missing]
    renditions.append(Rendition(video, declared))


def codec_name(codecs: str | None) -> str | None:
    """FFmpeg's name of the first video codec in an RFC 6381 list (`avc1.640028,mp4a.40.2`), None for none known."""
    for entry in (codecs or "").split(","):
        family = entry.strip().split(".")[0].lower()
        for name, families in _FAMILIES.items():
            if family in families:
                return name
    return None


def is_audio_only(codecs: str | None) -> bool:
    """True when the list names only audio or text codecs."""
    families = [entry.strip().split(".")[0].lower() for entry in (codecs or "").split(",") if entry.strip()]
    return bool(families) and all(family in _NOT_VIDEO for family in families)


_FAMILIES = {
    "h264": ("avc1", "avc2", "avc3", "avc4"),
    "hevc": ("hvc1", "hev1", "dvh1", "dvhe"),
    "av1": ("av01", "dav1"),
    "vp9": ("vp09", "vp9"),
    "vp8": ("vp08", "vp8"),
    "vvc": ("vvc1", "vvi1"),
    "mpeg4": ("mp4v",),
}
_NOT_VIDEO = frozenset(
    (
        "mp4a",
        "ac-3",
        "ec-3",
        "ac-4",
        "opus",
        "flac",
        "alac",
        "mp3",
        "vorbis",
        "stpp",
        "wvtt",
        "dtsc",
        "dtse",
        "dtsx",
        "mhm1",
    )
)
