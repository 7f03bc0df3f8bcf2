"""What goes on, as records of the logger `yoto_video`: programs that use the library get them like any other's.

Every record has an `event`, and fields of its own beside the sentence. `--log FILE` writes them as JSON lines.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ..pipeline.discover import Plan
from ..pipeline.errors import UsageError
from ..pipeline.score import Judge
from ..pipeline.text import counted
from .request import End, Listener, ScanResult
from .work import Done, Lost, slower

LOGGER = logging.getLogger("yoto_video")
LOGGER.addHandler(logging.NullHandler())


class Log(Listener):
    """Turns what a scan tells into records."""

    def say(self, sentence: str) -> None:
        """A note."""
        _record(logging.INFO, "note", sentence)

    def loaded(self, judge: Judge) -> None:
        """A note where the network takes longer than it is meant to."""
        if (sentence := slower(judge)) is not None:
            self.say(sentence)

    def planned(self, plan: Plan) -> None:
        """What was found."""
        ladders = sum(len(ladder.videos) > 1 for ladder in plan.ladders)  # as the plan counts
        alone = len(plan.ladders) - ladders
        said = f"{counted(plan.videos, 'video')}, {counted(ladders, 'ladder')}, {alone:,} alone"
        _record(
            logging.INFO, "planned", said, root=plan.root, videos=plan.videos, ladders=ladders, alone=alone,
            rejected=len(plan.rejected),
        )  # fmt: skip

    @contextlib.contextmanager
    def stage(self, what: str, total: int, work: float | None = None) -> Iterator[None]:
        """A stage's beginning and end."""
        _record(logging.INFO, "stage", f"{what}: {counted(total, 'video')}", stage=what, videos=total)
        yield

    def measured(self, done: Done) -> None:
        """A ladder, and each of its videos that has no score."""
        rows = [result.clip for result in done.result.results]
        counts = {status: sum(row.status == status for row in rows) for status in ("ok", "skipped", "failed")}
        name = done.task.ladder.name
        _record(
            logging.INFO, "ladder", f"{name}: {counts['ok']} of {len(rows)} rows ok", ladder=name, **counts,
            frames=done.result.frames, seconds={k: round(v, 3) for k, v in done.result.seconds.items()},
            first_look=done.task.first_look,
        )  # fmt: skip
        for row in rows:
            if row.status != "ok":
                level = logging.WARNING if row.status == "failed" else logging.INFO
                said = f"{row.path}: {row.reason}"
                _record(level, "not_scored", said, path=row.path, status=row.status, reason=row.reason)

    def lost(self, lost: Lost) -> None:
        """A worker's death, or another end without an answer."""
        videos = [video.path for video in lost.task.ladder.videos]
        name = lost.task.ladder.name
        _record(logging.WARNING, "lost", f"{name}: {lost.reason}", ladder=name, how=lost.how, paths=videos)

    def ended(self, how: End, result: ScanResult | None = None, reason: str | None = None) -> None:
        """The end, with what it came to."""
        came_to: dict[str, Any] = {"how": how}
        if result is not None:
            came_to |= {"ok": result.ok, "skipped": result.skipped, "failed": result.failed}
            came_to |= {"measured": result.measured, "seconds": {k: round(v, 3) for k, v in result.seconds.items()}}
        sentence = {"finished": "the scan is done", "interrupted": "the scan was interrupted"}.get(how)
        level = logging.ERROR if sentence is None else logging.INFO
        _record(level, "ended", sentence or f"the scan failed: {reason}", **came_to)


@contextlib.contextmanager
def log_to(file: str | None) -> Iterator[None]:
    """Append records to a file as JSON lines; None: do not.

    Raises:
        UsageError: the file cannot be written.
    """
    if file is None:
        yield
        return
    try:
        handler = _File(file, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(f"--log {file}: cannot be written ({error.strerror})") from None
    handler.setFormatter(_JsonLines())
    before = LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(before)
        handler.close()


class _File(logging.FileHandler):
    """A file whose disk may fill up: that is said once, and the scan goes on."""

    _said = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say that a record could not be written."""
        if not self._said:
            self._said = True
            said = f"--log {self.baseFilename}: cannot be written any more; the scan goes on"
            print(f"yoto-video: {said}", file=sys.stderr)

    def close(self) -> None:
        """Close it, whatever is still to be written."""
        with contextlib.suppress(OSError):
            super().close()


class _JsonLines(logging.Formatter):
    """One object a line: when, how grave, which event, the sentence, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {"time": when, "level": record.levelname.lower(), "event": getattr(record, "event", "note")}
        return json.dumps(head | {"message": record.getMessage()} | getattr(record, "fields", {}), default=str)


def _record(level: int, event: str, sentence: str, **fields: Any) -> None:
    LOGGER.log(level, "%s", sentence, extra={"event": event, "fields": fields})
