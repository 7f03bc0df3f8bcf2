"""Do two videos show other pictures? Laid over each other as an encode and its master are, where thumbnails say so.

Thumbnails of the same moments differ for a second that one of them lacks, for bars or borders, or a turn, too. To lay
the one over the other takes a second or more, so it is asked of few.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from fractions import Fraction

from .align import why_not_comparable
from .laid import LEAST_AGREEMENT, registered
from .luma import Sight
from .overlap import Question, look
from .packets import packet_table
from .probe import probe
from .values import VideoRef


def differ(one: VideoRef, other: VideoRef) -> bool | None:
    """Whether two videos show other pictures, whatever their shapes, bars and starts; None where that is not seen."""
    try:
        (small, encode), (large, master) = sorted(
            ((probe(ref), ref) for ref in (one, other)), key=lambda looked: looked[0].height
        )
        if why_not_comparable(small, large) is not None:
            return None
        with ExitStack() as stack:
            mine, theirs = (
                stack.enter_context(closing(Sight(ref, info, packet_table(ref).times)))
                for ref, info in ((encode, small), (master, large))
            )
            raster, size = (large.width, large.height), (small.width, small.height)
            asked = Question(mine, theirs, raster, size, (small.fps or Fraction(0), large.fps or Fraction(0)))
            if (seen := look(asked)) is None:
                return None
            laid = registered(*seen, asked.gap, raster, size)
    except Exception:  # of whatever kind: who decodes them to judge meets it again, and says so
        return None
    return laid.agreement < LEAST_AGREEMENT
