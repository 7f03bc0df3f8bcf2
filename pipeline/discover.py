"""From a folder, bucket or file to ladders: walk, read manifests, group what is left, print the plan.

Order of authority: the user's mapping, manifests (HLS, DASH), names, then folder with duration and pictures. Every
video found is in exactly one ladder; segments of a manifest are part of its renditions and not listed again. Left out
are hidden files and the results of this program (`--out`, and any folder with its marker).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import drafts as drafting
from . import mapping as mappings
from . import names, storage
from .added_words import added_words
from .drafts import Draft
from .errors import UsageError, VideoError
from .far_masters import join_masters
from .fingerprint import Alike
from .found import SEGMENTS, STILLS, Found, ending_of, is_media, is_text, walk
from .groups import Item, group
from .look_cache import LookCache
from .looking import Looks
from .manifests import EXTENSIONS as MANIFESTS
from .manifests import Files
from .namesakes import part, settle
from .odd_ones import part_odd_ones
from .plan import Plan, describe
from .presentations import Gathered, gather, join_files, stray_segments
from .references import apply_reference, reference_files
from .told_lengths import told_lengths
from .values import Declared, Rendition, VideoRef

__all__ = ["Plan", "describe", "discover", "is_media"]


def discover(
    root: str, *, mapping: str | None = None, exclude: str | None = None, reference: str | None = None,
    looked: LookCache | None = None,
) -> Plan:  # fmt: skip
    """Find the videos below `root` and group them into ladders. Nothing is scored.

    Args:
        root: folder, file, `file://`, `s3://` or `gs://` URI.
        mapping: CSV or JSON file of the user's own grouping (see `mapping`).
        exclude: folder to leave out: where results go.
        reference: master of everything found (a file), or folder of masters matched by title.
        looked: what an earlier run saw of objects in stores.

    Returns:
        The plan: the same for the same files, in whatever order a store lists them.

    Raises:
        UsageError: no such path, nothing to score there, a mapping or reference that cannot be used.
    """
    path = storage.canonical(root)
    found = walk(root, path, exclude)
    masters = reference_files(reference, is_media) if reference is not None else []
    wanted = {path} if found.single else found.files.keys()
    manifests = sorted(p for p in wanted if ending_of(p) in MANIFESTS)
    gathered = gather(manifests, Files(found.folder, found.files), found.relative)
    items = _items(found, sorted(wanted - gathered.used), gathered)
    if not items and not gathered.presentations and not gathered.rejected:
        raise UsageError(_nothing(root, found))
    refs = [item.ref for item in items] + [r.video for one in gathered.presentations for r in one.renditions]
    known = {ref.path: ref for ref in refs}
    rows = [] if mapping is None else mappings.read(mapping, found.folder, known.keys() | found.files.keys(), _is_file)
    placed = {row.path for row in rows}
    found.note_unnamed(gathered.used | placed)
    kept_apart = placed | set(masters)
    items = [item for item in items if item.ref.path not in kept_apart]
    for one in gathered.presentations:
        one.renditions = [r for r in one.renditions if not kept_apart.intersection((r.video.path, *_whole(r.video)))]
    presentations = [one for one in gathered.presentations if one.renditions]

    looks = Looks(looked and looked.over(found.files))
    groups, split, notes = group(items, looks)
    parted, said = part(split, groups, looks)
    notes += said
    groups = join_files(presentations, groups, looks)
    groups, said = join_masters(groups, presentations, looks)
    notes += said
    if reference is None:  # or a master comes yet, which tells
        groups, odd, said = part_odd_ones(groups, looks)
        parted, notes = parted + odd, notes + said
    settled = settle(parted, groups, looks)
    groups, notes = settled.groups, notes + settled.notes
    added, said = added_words(groups, looks)
    notes += said if reference is None else []  # or it has its master
    root_name = found.folder.rstrip("/").rsplit("/", 1)[-1]
    drafts = [one.draft(root_name) for one in presentations] + [drafting.of_group(g, root_name) for g in groups]
    notes += [note for each in groups for note in each.notes]
    drafts = _add_mapped(drafts, rows, known, found)
    if reference is not None:
        if not drafts and not gathered.rejected:
            raise UsageError(f"{root}: holds nothing but the reference; give the folder of its encodes")

        def may_be(one: VideoRef, two: VideoRef) -> bool:
            return looks.alike(one, [two]) != [Alike.DIFFERENT]

        drafts, said = apply_reference(reference, drafts, masters, may_be)
        drafts += _unmatched(masters, drafts, found)
        notes += said
    told, said = told_lengths(drafts, found.files, looks)
    notes += said
    sizes = {p: (g.height or 0, g.bitrate_kbps or 0.0) for p, g in looks.glances.items() if g is not None}
    return Plan(
        root=path,
        ladders=drafting.finish(drafts, sizes, added | settled.findings),
        rejected=tuple(sorted(gathered.rejected, key=lambda error: error.path)),
        notes=tuple(dict.fromkeys(found.relative(note) for note in found.notes + gathered.notes + notes)),
        files=found.files,
        glances={p: g for p, g in sorted(looks.glances.items()) if g is not None},
        told_s=told,
    )


def _items(found: Found, paths: Iterable[str], gathered: Gathered) -> list[Item]:
    """Videos and pictures that no manifest has, and single HLS playlists."""
    items: list[Item] = []
    for path in paths:
        if is_media(path) and not (ending_of(path) == "ts" and is_text(path, found.files[path].size)):
            items.append(_item(VideoRef(path), found.relative(path), found.files[path].size))
    presented = [r for one in gathered.presentations for r in one.renditions]
    presented += [Rendition(ref) for ref, _ in gathered.playlists]
    stray = {item.ref.path for item in stray_segments(presented, items)}
    if stray:
        found.notes.append(
            f"{len(stray):,} segments that no manifest lists lie among listed ones, left out ({min(stray)} first)"
        )
    lonely = [p for p in paths if ending_of(p) in SEGMENTS] if not found.single else []
    if lonely:
        found.notes.append(f"{len(lonely):,} media segments belong to no manifest; left out ({lonely[0]} first)")
    playlists = [_item(ref, relative, 0) for ref, relative in gathered.playlists]
    return [item for item in items if item.ref.path not in stray] + playlists


def _item(ref: VideoRef, relative: str, size: int) -> Item:
    return Item(ref, relative, names.parse(relative), size, ending_of(ref.path) in STILLS)


def _whole(ref: VideoRef) -> tuple[str, ...]:
    """The file a rendition consists of, when it is a single one."""
    return ref.parts if len(ref.parts) == 1 else ()


def _add_mapped(
    drafts: list[Draft], rows: Sequence[mappings.Row], known: dict[str, VideoRef], found: Found
) -> list[Draft]:
    by_name = {draft.name: draft for draft in reversed(drafts)}
    result = list(drafts)
    for row in rows:
        ref = known.get(row.path, VideoRef(row.path))
        draft = by_name.get(row.ladder)
        if draft is None:
            draft = by_name[row.ladder] = Draft(row.ladder, "mapping", title=row.ladder.rsplit("/", 1)[-1])
            result.append(draft)
        draft.by = "mapping"
        if row.role == "master":
            if draft.master is not None:  # what it was taken for by its name gives way
                draft.renditions.append(Rendition(draft.master))
            draft.master = ref
        else:
            said = names.parse(found.relative(row.path)).declared if not ref.parts else Declared()
            draft.renditions.append(Rendition(ref, said))
    return result


def _unmatched(masters: Sequence[str], drafts: Sequence[Draft], found: Found) -> list[Draft]:
    """Reference files below the root that became nobody's master are videos like others."""
    used = {ref.path for draft in drafts for ref in draft.refs}
    lonely = [path for path in masters if path in found.files and path not in used]
    return [Draft(found.relative(path).rsplit(".", 1)[0], "single", [Rendition(VideoRef(path))]) for path in lonely]


def _nothing(root: str, found: Found) -> str:
    if not found.files:
        return f"{root}: the folder is empty; give a folder with videos"
    count = f"{len(found.files):,}"
    return f"{root}: none of its {count} files is a video, picture or manifest by its name; give a folder with videos"


def _is_file(path: str) -> bool:
    try:
        return bool(storage.stat(path))
    except VideoError:
        return False
