"""The command line: parse, run one command, translate the error. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import NoReturn

from ..pipeline.errors import FULL, UsageError, YotoVideoError
from .arguments import parser
from .commands import COMMANDS, complain
from .flags import FAILURE, USAGE
from .process import tune
from .supervise import supervised

__all__ = ["main", "parser"]

DEBUG = "YOTO_DEBUG"  # environment variable: show where an unforeseen error came from
PIPE_CLOSED = 128 + 13  # as shells have it for SIGPIPE, which Windows lacks


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Whatever goes wrong is one line on stderr.

    A traceback is shown only of what nobody foresaw, and only where the environment has YOTO_DEBUG.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        _speak_utf8()
    args = parser().parse_args(words)
    args.line = shlex.join(["yoto-video", *words])
    args.isolate = argv is None and args.command in ("scan", "compare") and supervised()
    heard: list[int] = []  # C code that is interrupted raises a KeyboardInterrupt that does not say by what

    def interrupt(number: int, _: object) -> None:
        heard.append(number)
        raise KeyboardInterrupt(number)

    with contextlib.suppress(ValueError):  # not in the main thread: the caller's signals are not ours
        signal.signal(signal.SIGTERM, interrupt)  # a scheduler's stop is as clean as Ctrl-C
    try:
        if args.command not in ("report", "lint", "status"):
            said = tune()
            if said is not None:
                complain(said)
        code = COMMANDS[args.command](args)
        sys.stdout.flush()
    except KeyboardInterrupt as stop:
        resumes = args.command in ("scan", "compare") and ("://" in args.out or os.path.isdir(args.out))
        kept = f"; what was measured is kept in {args.out}, the same command goes on" if resumes else ""
        complain(f"interrupted{kept}")
        _leave(128 + [*stop.args, *heard, signal.SIGINT][0])
    except BrokenPipeError:  # `| head` has seen enough
        _to_nowhere()
        code = PIPE_CLOSED
    except OSError as error:
        if error.errno not in FULL:
            code = _unforeseen(error)
        else:  # of stdout: what is written elsewhere says where
            _to_nowhere()
            complain(f"error: the output cannot be written ({error.strerror})")
            code = FAILURE
    except YotoVideoError as error:
        complain(f"error: {error}")
        code = USAGE if isinstance(error, UsageError) else FAILURE
    except Exception as error:
        code = _unforeseen(error)
    if argv is None:
        with contextlib.suppress(ValueError):  # as above
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # all is done: Python's own end is not to be interrupted
    if argv is None and any(thread.name == "measure" for thread in threading.enumerate()):
        _leave(code)  # it hangs in a decoder, and an ordinary exit would wait for it; a caller's process is not ours
    return code


def _unforeseen(error: Exception) -> int:
    """Say so of an error that nobody foresaw; only where the environment has YOTO_DEBUG, where it came from."""
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    complain(
        f"error: a fault in yoto-video, not in what you asked for ({type(error).__name__}: {error}); please report "
        f"it with what the same command prints with {DEBUG}=1 set"
    )
    return FAILURE


def _speak_utf8() -> None:
    """Have names of any script pass: a file or pipe gets UTF-8, as JSON is, a terminal what it can show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="backslashreplace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _to_nowhere() -> None:
    """Nobody can take what is still to be written to stdout."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(code: int) -> NoReturn:
    """End at once, whatever threads still run."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
