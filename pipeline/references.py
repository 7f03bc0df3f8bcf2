"""`--reference PATH`: one file is the master of everything found; a folder holds masters, matched by title."""

from __future__ import annotations

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


def apply_reference(reference: str, drafts: Sequence[Draft], files: Sequence[str]) -> tuple[list[Draft], list[str]]:
    """Give ladders their masters. Ladders of one master become one: its features are computed once, and scored once.

    Args:
        reference: as the user wrote it.
        drafts: what was found; the reference files themselves must not be among their videos.
        files: of `reference_files`.

    Returns:
        The ladders, and notes on what did not match.
    """
    if len(files) == 1 and storage.canonical(reference) == files[0]:
        return _under(VideoRef(files[0]), list(drafts)), []
    folder = storage.canonical(reference) + "/"  # named once by the user: notes say what is below it
    masters: dict[str, str] = {}
    notes: list[str] = []
    for path in files:
        title = names.title_key(names.parse(path.removeprefix(folder)))
        if title in masters:
            other, taken = path.removeprefix(folder), masters[title].removeprefix(folder)
            notes.append(f"--reference: {other} has the same title as {taken}, which is taken")
        else:
            masters[title] = path
    matched: dict[str, list[Draft]] = {}
    result: list[Draft] = []
    for draft in drafts:
        if draft.title.casefold() in masters:
            matched.setdefault(masters[draft.title.casefold()], []).append(draft)
        else:
            result.append(draft)
    lonely = sorted(draft.name for draft in result if draft.master is None)
    if lonely:
        notes.append(
            f"--reference: no master of the same title for {len(lonely)} of {len(drafts)} ladders ({_shortly(lonely)})"
        )
    for path, same in matched.items():
        result += _under(VideoRef(path), same)
    used = set(matched) | {draft.master.path for draft in result if draft.master is not None}
    spare = [path.removeprefix(folder) for path in files if path not in used]
    if spare:
        notes.append(f"--reference: nothing has the title of {_shortly(spare)}")
    return result, notes


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
