"""What a scan would measure: the ladders that were found, and the words to print them with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rich.cells import cell_len

from .errors import VideoError
from .glance import Glance
from .storage import FileEntry
from .text import counted, printable
from .values import Declared, Ladder, VideoInfo, VideoRef

_GROUPED_BY = {
    "manifest": "by its manifest",
    "name": "by name",
    "folder": "by folder, duration and pictures",
    "mapping": "as told",
    "single": "alone",
}


@dataclass(frozen=True)
class Plan:
    """Everything found below a root. Each video is in exactly one ladder."""

    root: str
    ladders: tuple[Ladder, ...]
    rejected: tuple[VideoError, ...] = ()  # manifests, or renditions of them, that cannot be used
    notes: tuple[str, ...] = ()  # what a person should know of the grouping
    probes: dict[str, VideoInfo] = field(default_factory=dict)  # by path, where a file was probed in full
    files: Mapping[str, FileEntry] = field(default_factory=dict)  # by path: everything below the root, as listed
    glances: dict[str, Glance] = field(default_factory=dict)  # by path, where a header was read
    told_s: Mapping[str, float] = field(default_factory=dict)  # by path, where a manifest, or what others last, says it

    @property
    def videos(self) -> int:
        """How many videos there are to score."""
        return sum(len(ladder.videos) for ladder in self.ladders)

    @property
    def stored_bytes(self) -> int:
        """Of the videos below the root."""
        paths = {path for ladder in self.ladders for v in ladder.videos for path in v.parts or (v.path,)}
        return sum(self.files[path].size for path in paths if path in self.files)


def describe(plan: Plan) -> Iterator[str]:
    """The plan as lines for a terminal: ladders with master and encodes, single videos, what was noticed."""
    return map(printable, _lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    ladders = [ladder for ladder in plan.ladders if len(ladder.videos) > 1]
    singles = [ladder for ladder in plan.ladders if len(ladder.videos) == 1]
    yield f"{plan.root}: {counted(plan.videos, 'video')}, {counted(len(ladders), 'ladder')}, {len(singles)} alone"
    for ladder in ladders:
        yield ""
        yield from _ladder(plan, ladder)
    if singles:
        yield ""
        yield f"alone ({counted(len(singles), 'video')}, scored without reference)"
        rows = [(_short(ref, plan.root), facts(plan, ref, said)) for one in singles for _, ref, said in _rows(one)]
        yield from _aligned(rows)
    if plan.rejected:
        yield ""
        yield f"cannot be used ({len(plan.rejected)})"
        for error in plan.rejected:
            yield f"  {error.path.removeprefix(plan.root + '/')}: {error.reason}"
    if plan.notes:
        yield ""
        yield "notes"
        for note in plan.notes:
            yield f"  {note}"


def _ladder(plan: Plan, ladder: Ladder) -> Iterator[str]:
    how = _GROUPED_BY.get(ladder.grouped_by, ladder.grouped_by)
    yield f"{ladder.name}  ({counted(len(ladder.renditions), 'encode')}, grouped {how})"
    yield from _aligned(
        [(f"{role}  {_short(ref, plan.root)}", facts(plan, ref, said)) for role, ref, said in _rows(ladder)]
    )
    if ladder.master is None:
        yield "  no master: scored without reference only (name one with --reference or --mapping)"


def _rows(ladder: Ladder) -> list[tuple[str, VideoRef, Declared]]:
    master = [] if ladder.master is None else [("master", ladder.master, Declared())]
    return master + [("encode", rendition.video, rendition.declared) for rendition in ladder.renditions]


def _aligned(rows: list[tuple[str, str]]) -> Iterator[str]:
    shown = [(printable(first), second) for first, second in rows]  # as wide as they will be
    width = min(max(cell_len(first) for first, _ in shown), 90)  # one long name does not push all facts off the screen
    for first, second in shown:
        yield f"  {first}{' ' * (width - cell_len(first))}  {second}".rstrip()


def facts(plan: Plan, ref: VideoRef, said: Declared) -> str:
    """What is known of a video, in a few words; what only its name or manifest says is marked with ~."""
    seen = plan.glances.get(ref.path) or Glance()
    words = []
    if seen.width and seen.height:
        words.append(f"{seen.width}x{seen.height}")
    elif said.height:
        words.append(f"~{said.width}x{said.height}" if said.width else f"~{said.height} lines")
    if seen.bitrate_kbps:
        words.append(f"file {seen.bitrate_kbps:,.0f} kbit/s")  # the scan measures the video track's own
    elif said.bitrate_kbps:
        words.append(f"~{said.bitrate_kbps:,.0f} kbit/s")
    if said.crf is not None:
        words.append(f"~crf {said.crf:g}")
    if seen.codec or said.codec:
        words.append(seen.codec or f"~{said.codec}")
    if seen.duration_s:
        words.append(f"{seen.duration_s:.1f} s")
    if ref.parts:
        words.append(counted(len(ref.parts), "file"))
    return ", ".join(words)


def _short(ref: VideoRef, root: str) -> str:
    return ref.path.removeprefix(root + "/")
