"""Rows gathered to what the pages tell of: ladders of clips. No page and no figure is known here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from ..pipeline.findings import Finding
from ..pipeline.values import ClipScore
from .clip import Clip
from .labels import common_folder, short_labels
from .rendition_labels import said_sizes


@dataclass(frozen=True)
class LadderTable:
    """All clips of one ladder: the master first, then codecs together, tall and fast before small and slow."""

    name: str
    clips: tuple[Clip, ...]

    @property
    def master(self) -> Clip | None:
        """The source, where there is one."""
        return next((c for c in self.clips if c.is_master), None)

    @property
    def renditions(self) -> tuple[Clip, ...]:
        """All but the master."""
        return tuple(c for c in self.clips if not c.is_master)

    @property
    def findings(self) -> list[tuple[Clip, Finding]]:
        """What was found in each clip, notes apart: the gravest first, then by time."""
        found = [(c, f) for c in self.clips for f in c.findings if f.kind != "note"]
        return sorted(found, key=lambda entry: entry[1].order)

    @property
    def notes(self) -> list[tuple[str, list[Clip]]]:
        """Each note once, with the clips it is about."""
        notes: dict[str, list[Clip]] = {}
        for clip in self.clips:
            for finding in clip.findings:
                if finding.kind == "note":
                    notes.setdefault(finding.sentence, []).append(clip)
        return list(notes.items())

    def span(self, mode: str) -> tuple[float, float] | None:
        """Lowest and highest score of the renditions in a mode."""
        scores = [s for c in self.renditions if (s := c.score(mode)) is not None]
        return (min(scores), max(scores)) if scores else None


@dataclass(frozen=True)
class Fleet:
    """Everything one results folder holds, without its frames."""

    ladders: tuple[LadderTable, ...]

    @cached_property
    def clips(self) -> tuple[Clip, ...]:
        """All clips, ladder by ladder."""
        return tuple(c for ladder in self.ladders for c in ladder.clips)

    @cached_property
    def folder(self) -> str:
        """The folder all clips lie below, with its final slash; empty when there is none."""
        return common_folder([c.path for c in self.clips])

    def top_folder(self, clip: Clip) -> str:
        """The first folder of a clip below the common one; its file's name where it lies in that itself."""
        return clip.path.removeprefix(self.folder).partition("/")[0]

    @property
    def folders_group(self) -> bool:
        """Whether folders say more than ladders: not where each ladder has one to itself."""
        pairs = {(c.ladder, self.top_folder(c)) for c in self.clips}
        return len({folder for _, folder in pairs}) < len(pairs)

    def with_status(self, status: str) -> list[Clip]:
        """Clips that are `ok`, `skipped` or `failed`."""
        return [c for c in self.clips if c.status == status]

    def worst(self, mode: str, count: int) -> list[Clip]:
        """The lowest scored clips of a mode, worst first."""
        scored = [(s, c.path, c) for c in self.clips if (s := c.score(mode)) is not None]
        return [c for _, _, c in sorted(scored, key=lambda t: t[:2])[:count]]

    @cached_property
    def models(self) -> list[tuple[str, str]]:
        """(name, sha256) of every model that gave a score."""
        return models(self.clips)

    @cached_property
    def displays(self) -> list[str]:
        """Every display raster a score was judged at."""
        return sorted({d for c in self.clips for d in c.displays})


def models(clips: Iterable[Clip]) -> list[tuple[str, str]]:
    """(name, sha256) of every model that scored one of these."""
    return sorted({(r.model or "unknown model", r.model_sha256 or "") for c in clips for r in c.rows_ok})


def gather(rows: Iterable[ClipScore]) -> Fleet:
    """Group rows of `clips` by ladder and by video; ladders by name."""
    ladders: dict[str, dict[str, list[ClipScore]]] = {}
    for row in rows:
        ladders.setdefault(row.ladder, {}).setdefault(row.path, []).append(row)
    return Fleet(tuple(_ladder(name, ladders[name]) for name in sorted(ladders)))


def _ladder(name: str, by_path: dict[str, list[ClipScore]]) -> LadderTable:
    labels = short_labels(list(by_path))
    clips = [Clip(tuple(rows), labels[path]) for path, rows in by_path.items()]
    listed = said_sizes(clips)
    clips = [replace(clip, label=listed.get(clip.path, clip.label)) for clip in clips]
    clips.sort(key=lambda c: (not c.is_master, c.codec or "~", -(c.height or 0), -(c.bitrate_kbps or 0), c.path))
    return LadderTable(name, tuple(clips))
