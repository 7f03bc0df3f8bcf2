"""`--reference PATH`: one file is the master of everything found; a folder holds masters, matched by title."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from . import listing, names, storage
from .drafts import Draft
from .errors import UsageError
from .values import Declared, Rendition, VideoRef


def reference_files(reference: str, is_video: Callable[[str], bool]) -> list[str]:
    """Canonical paths of the videos a reference names: itself, or all below the folder.

    Raises:
        UsageError: nothing there, or nothing that is a video.
    """
    path = storage.canonical(reference)
    try:
        found = [entry.path for entry in listing.walk(path)]
    except UsageError as error:
        raise UsageError(f"--reference {error}") from error
    if found == [path]:
        if not is_video(path):
            raise UsageError(f"--reference {reference}: not a video or picture by its name; give the master itself")
        return found
    videos = [one for one in found if is_video(one)]
    if not videos:
        raise UsageError(f"--reference {reference}: no videos in this folder; give a master file or a folder of them")
    return sorted(videos)


def apply_reference(
    reference: str, drafts: Sequence[Draft], files: Sequence[str], alike: Callable[[VideoRef, VideoRef], bool]
) -> tuple[list[Draft], list[str]]:
    """Give ladders their masters. Ladders of one master become one: its features are computed once, and scored once.

    Args:
        reference: as the user wrote it.
        drafts: what was found; the reference files themselves must not be among their videos.
        files: of `reference_files`.
        alike: whether two videos may show the same pictures; asked where titles and folders do not tell.

    Returns:
        The ladders, and notes on what did not match.
    """
    if len(files) == 1 and storage.canonical(reference) == files[0]:
        return _under(VideoRef(files[0]), list(drafts)), []
    folder = storage.canonical(reference) + "/"  # named once by the user: notes say what is below it
    masters: dict[str, list[str]] = defaultdict(list)
    for path in files:
        masters[names.title_key(names.parse(path.removeprefix(folder)))].append(path)
    homes: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        homes[draft.title.casefold()].append(draft)
    matched: dict[str, list[Draft]] = {}
    result: list[Draft] = []
    other: list[str] = []
    for draft in drafts:
        title = draft.title.casefold()
        chosen = _master_of(draft, masters.get(title, []), folder, alone=len(homes[title]) == 1, alike=alike)
        if chosen is not None:
            matched.setdefault(chosen, []).append(draft)
            continue
        result.append(draft)
        if draft.master is None:
            other += [draft.name] if title in masters else []
    notes: list[str] = []
    if other:
        notes.append(f"--reference: masters of the title of {_shortly(sorted(other))} show other pictures")
    lonely = sorted({draft.name for draft in result if draft.master is None} - set(other))
    if lonely:
        notes.append(
            f"--reference: no master of the same title for {len(lonely)} of {len(drafts)} ladders ({_shortly(lonely)})"
        )
    for path, same in matched.items():
        result += _under(VideoRef(path), same)
    used = set(matched) | {draft.master.path for draft in result if draft.master is not None}
    for known, said in ((False, "nothing has the title of"), (True, "ladders have other masters of the title of")):
        left = [p for title in masters if (title in homes) is known for p in masters[title] if p not in used]
        if left:
            notes.append(f"--reference: {said} {_shortly(sorted(path.removeprefix(folder) for path in left))}")
    return result, notes


def _master_of(
    draft: Draft, candidates: Sequence[str], folder: str, *, alone: bool, alike: Callable[[VideoRef, VideoRef], bool]
) -> str | None:
    """Of the masters of its title the ladder's own; None where there is none.

    A single one is taken by its title alone, if the ladder is the only one of it. Of several the folders that both lie
    in tell (s1/e01, s2/e01); else the pictures.
    """
    if alone and len(candidates) == 1:
        return candidates[0]
    own = {part.casefold() for part in draft.refs[-1].path.split("/")[:-1]}

    def shared(path: str) -> int:
        return len({part.casefold() for part in path.removeprefix(folder).split("/")[:-1]} & own)

    ranked = sorted(candidates, key=shared, reverse=True)
    if len(ranked) > 1 and shared(ranked[0]) > shared(ranked[1]):
        return ranked[0]
    return next((path for path in ranked if alike(VideoRef(path), draft.refs[-1])), None)


def _shortly(several: Sequence[str]) -> str:
    return ", ".join(several[:5]) + (f" and {len(several) - 5:,} more" if len(several) > 5 else "")


def _under(master: VideoRef, drafts: list[Draft]) -> list[Draft]:
    """One ladder of all these, below a master."""
    encodes: list[Rendition] = []
    for draft in drafts:
        encodes += draft.renditions
        if draft.master is not None and draft.master.path != master.path:
            encodes.append(Rendition(draft.master, Declared()))  # the user's word goes before its name
    if not encodes:
        return drafts
    only = drafts[0] if len(drafts) == 1 else None
    stem = names.parse(master.name).title or master.name.rsplit(".", 1)[0]
    by = only.by if only is not None and only.by != "single" else "mapping"
    name, title = (stem, stem) if only is None else (only.name, only.title)
    return [Draft(name, by, encodes, master, title)]
