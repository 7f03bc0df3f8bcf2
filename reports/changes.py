"""What the last run changed, for the overview: the drift over all videos with a test, and those that moved most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..pipeline.before import folder_before
from . import bootstrap
from .clip import MODES
from .compare import SEED
from .drift import Change, Drift, drift
from .results import Results, load

MOST = 12  # changes listed


def since_before(results: Results, links: Mapping[str, str]) -> dict[str, object] | None:
    """What the overview tells of the run before; None where there is none.

    Args:
        results: as they are now.
        links: by ladder, the address of its page.
    """
    folder = folder_before(results.store)
    if folder is None:
        return None
    found = drift(results, load(folder))
    changed = [c for c in found.changes if c.difference or c.now.result_id != c.before.result_id]
    ranked = sorted(changed, key=lambda c: (not c.shown, -abs(c.difference), c.now.path))
    return {
        "same": len(found.changes) - len(changed), "changed": len(changed),
        "worse": sum(c.shown and c.difference < 0 for c in changed),
        "better": sum(c.shown and c.difference > 0 for c in changed),
        "modes": [said for mode in MODES if (said := _of_mode(mode, changed)) is not None],
        "listed": [{"change": c, "link": links.get(c.now.ladder), "why": _why(c)} for c in ranked[:MOST]],
        "hidden": max(0, len(ranked) - MOST), "apart": _apart(found),
        "paths": {
            "New": found.new, "Gone": found.gone, "Scored before, not now": found.failed,
            "Scored now, not before": found.mended,
        },
    }  # fmt: skip


def _of_mode(mode: str, changed: Sequence[Change]) -> dict[str, object] | None:
    """Mean change of the videos measured anew in a mode, its 95 % interval over their ladders, and what that shows."""
    by_ladder: dict[str, list[float]] = {}
    for c in changed:
        if c.now.mode == mode:
            by_ladder.setdefault(c.now.ladder, []).append(c.difference)
    if not by_ladder:
        return None
    means = [float(np.mean(own)) for own in by_ladder.values()]
    mean = float(np.mean(means))
    drawn = bootstrap.over_titles([np.full(1, m) for m in means], np.random.default_rng(SEED))
    found = bootstrap.interval(mean, drawn, len(means))
    if found is None:
        verdict = "cannot be told"
    else:
        verdict = "no drift shown" if found.low <= 0 <= found.high else "worse" if mean < 0 else "better"
    return {"mode": mode, "mean": mean, "interval": found, "ladders": len(means), "verdict": verdict}


def _why(change: Change) -> str:
    """What differs between the two measurements."""
    if change.now.content_id != change.before.content_id:
        return "the file changed"
    return "its master or the settings changed"


def _apart(found: Drift) -> dict[str, int]:
    """How many rows cannot be compared, by reason."""
    counts: dict[str, int] = {}
    for _, why in found.incomparable:
        counts[why] = counts.get(why, 0) + 1
    return counts
