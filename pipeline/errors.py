"""What can go wrong with an input, as a tree; every error says what, which file and what to do in one sentence.

YotoVideoError                 anything this package raises on purpose; the command line prints it and exits
├── ScalingError               a picture cannot be brought to the display raster; becomes its video's BrokenVideo
├── UsageError                 the request itself is wrong (exit code 2): missing path, unknown name, bad flag
└── VideoError                 about one video; becomes a row with `status` and `reason`, the batch goes on
    ├── SkippedVideo           nothing here to score: no video track, not a video at all
    ├── BrokenVideo            should have been scorable, and is not: truncated, corrupt, encrypted, unknown codec
    └── TransientVideoError    may work next time (time-out, storage error, lost worker): retried, then recorded
"""

from __future__ import annotations

import errno

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})  # of a disk


class YotoVideoError(Exception):
    """Anything this package raises on purpose. `str(error)` is one sentence without a traceback."""


class UsageError(YotoVideoError):
    """The request is wrong: nothing was measured. The command line exits with 2."""


class ScalingError(YotoVideoError, ValueError):
    """A picture cannot be scaled to a display raster.

    Args:
        own, wanted: "WIDTHxHEIGHT" of the picture as it is stored, and of the raster.
    """

    def __init__(self, own: str, wanted: str) -> None:
        super().__init__(own, wanted)

    def __str__(self) -> str:
        own, wanted = self.args
        return f"its pictures of {own} pixels cannot be scaled to {wanted}; choose another --display"


def unwritable(place: object, error: OSError) -> YotoVideoError:
    """A file that cannot be written where the user wants it: a failure where the disk is full, else a wrong request."""
    kind = YotoVideoError if error.errno in FULL else UsageError
    return kind(f"{place}: cannot be written ({error.strerror or error})")


class VideoError(YotoVideoError):
    """One video cannot be scored.

    Args:
        path: the video's path or URI, as it stands in the `path` column.
        reason: one clear sentence for the `reason` column: what is wrong and what to do, without the path.
    """

    status = "failed"
    retryable = False

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)  # both in args, so that the error survives pickling between Ray workers
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class SkippedVideo(VideoError):
    """There is nothing to score in this file: an audio file, an empty track list, not a media file."""

    status = "skipped"


class BrokenVideo(VideoError):
    """The file claims to be a video and cannot be decoded: truncated, corrupt, encrypted, an unknown codec."""


class TransientVideoError(VideoError):
    """A time-out, a storage error or a lost worker: tried again now, and by the next run if it stays."""

    retryable = True


def as_video_error(path: str, error: Exception, doing: str) -> VideoError:
    """Any exception as an error of this video. What nobody foresaw may have passing reasons: worth a retry."""
    if isinstance(error, VideoError):
        return error
    if isinstance(error, ScalingError):
        return BrokenVideo(path, str(error))
    said = str(error).strip().splitlines()
    if isinstance(error, MemoryError):
        where = f" ({said[0]})" if said else ""
        return TransientVideoError(path, f"memory ran out while {doing}{where}; fewer --workers leave more to each")
    what = type(error).__name__ + (f": {said[0]}" if said else "")
    return TransientVideoError(path, f"unexpected error while {doing} ({what})")
