"""Every data set that `evaluate` knows by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path

from ..tables import DataError, Label, Listing, avt_vqdb_uhd1, listing, uhd_h265_images
from .in_the_wild import koniq10k, live_challenge, live_fb
from .with_references import csiq, kadid10k, live, pipal, tid2013

PUBLISHED: dict[str, Callable[[Path], Iterator[Label]]] = {  # each from its own folder
    "live": live, "csiq": csiq, "tid2013": tid2013, "kadid10k": kadid10k, "pipal": pipal,
    "live-challenge": live_challenge, "koniq10k": koniq10k, "live-fb": live_fb,
}  # fmt: skip
SHARED: dict[str, Callable[[Path], Iterator[Label]]] = {  # from below the data folder that training reads, too
    "avt_vqdb_uhd1": avt_vqdb_uhd1, "uhd_h265_images": uhd_h265_images,
}  # fmt: skip


def read(name: str, root: Path) -> Listing:
    """The usable pictures of a known set below `root`, and those that are not.

    Raises:
        DataError: an unknown name (the nearest is named), a folder that is not as published, or nothing usable.
    """
    known = PUBLISHED | SHARED
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.0)[0]
        raise DataError(f"there is no data set {name!r}; did you mean {near!r}? Known: {', '.join(known)}")
    return listing(name, known[name](root))
