"""What several commands' words have in common: the parser, groups of options, and what their values may be."""

from __future__ import annotations

import argparse
import contextlib
import textwrap
from collections.abc import Callable
from math import inf
from typing import Any, NoReturn, TypeVar

from ..pipeline.errors import UsageError
from ..pipeline.settings import Settings
from .options import parse_display

N = TypeVar("N", int, float)

DEFAULT = Settings()
EVALUATE_CROPS = 48  # people saw all of a picture, and it has no other frames as a clip has: see docs/model-card.md
OK, FAILURE, USAGE, GATE, INCOMPLETE = 0, 1, 2, 3, 4
EXIT_CODES = """exit codes:
  0 all well                    3 a quality gate failed
  1 failure                     4 finished, but some inputs could not be scored
  2 wrong usage                   or compared, or show other pictures than their master
                                130 interrupted, 143 by SIGTERM"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; usage is what --help is for."""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with 2."""
        self.exit(USAGE, f"yoto-video: error: {message} (see {self.prog} --help)\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Complain here of what a command does not know, and so point to the command's own help."""
        known, rest = super().parse_known_args(args, namespace)
        if rest and self._subparsers is None:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return known, rest


Commands = argparse._SubParsersAction  # what add_subparsers returns has no public name


def command(commands: Commands[Parser], name: str, what: str, examples: str) -> Parser:
    """A sub-command; `what` begins with a short sentence, which is its line in the list of commands."""
    made = commands.add_parser(
        name, help=what[0].lower() + what[1:].split(". ")[0].rstrip("."), description=filled(what),
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    return made


def filled(text: str) -> str:
    """Text for a terminal."""
    return textwrap.fill(text, 100)


def add_results(p: Parser) -> None:
    """What a finished scan wrote."""
    p.add_argument("out", metavar="OUT", help="folder or URI of the results, as --out of scan was")


def add_data(p: Parser, what: str = "folder with mos/, pristine/, weights/") -> None:
    """Where data sets are."""
    p.add_argument("--data", metavar="DIR", help=f"{what} (default: $YOTO_DATA, ../shared/data)")


def add_scanning(p: Parser) -> None:
    """What belongs together in a scan, and how it works."""
    p.add_argument(
        "--reference", metavar="REF",
        help="the master of what is scanned, or a folder of masters, where names do not say it",
    )  # fmt: skip
    p.add_argument("--mapping", metavar="FILE", help="CSV or JSON file that says which videos belong together")
    p.add_argument(
        "--resume", action=argparse.BooleanOptionalAction, default=True,
        help="measure only what is new or changed (default), or with --no-resume everything",
    )  # fmt: skip
    p.add_argument(
        "--workers", metavar="N", type=whole(0),
        help="worker processes (default: one a core where that pays; 0: in this process, without Ray)",
    )  # fmt: skip
    p.add_argument("--log", metavar="FILE", help="append what goes on to this file, one JSON object a line")
    p.add_argument("--address", metavar="HOST:PORT", help="work on this Ray cluster ('auto': the one of this machine)")
    p.add_argument(
        "--worst-frames", metavar="N", type=whole(0), default=DEFAULT.worst_frames,
        help="worst frames of a video kept as pictures for the report (default: %(default)s)",
    )  # fmt: skip


def add_figures(p: Parser, where: str) -> None:
    """Charts as files."""
    p.add_argument("--figures", choices=("svg", "png"), help=f"also draw the main charts as files, in {where}")


def add_gate(p: Parser) -> None:
    """The least score that passes."""
    p.add_argument(
        "--fail-under", metavar="SCORE", type=score,
        help="exit with 3 when a video's FR mean, or NR mean where there is no FR, is below this (0 to 100)",
    )  # fmt: skip


def add_baseline(p: Parser) -> None:
    """The gate against a run before."""
    p.add_argument("--baseline", metavar="OUT", help="results of an earlier scan of the same videos, to compare with")
    p.add_argument(
        "--max-regression", metavar="POINTS", type=points,
        help="exit with 3 when a video's score is lower than in --baseline by more than this, and its frames show it; "
        "also when the two cannot be compared",
    )  # fmt: skip


def add_format(p: Parser) -> None:
    """For people or for programs."""
    p.add_argument(
        "--format",
        choices=("table", "json"),
        default="table",
        help="table, or one JSON object a line (default: %(default)s)",
    )


def add_network(p: argparse._ActionsContainer, crops: int = DEFAULT.crops) -> None:
    """Which network judges, where, and at how many places."""
    p.add_argument(
        "--model", metavar="NAME", default=DEFAULT.model, help="network, or .safetensors file (default: %(default)s)"
    )
    p.add_argument(
        "--device", metavar="DEVICE", default=DEFAULT.device, help="auto, cpu, cuda, cuda:1 (default: %(default)s)"
    )
    p.add_argument(
        "--crops", metavar="N", type=whole(1), default=crops,
        help="places of 224x224 pixels a frame is judged at (default: %(default)s)",
    )  # fmt: skip


def add_judging(p: Parser) -> None:
    """All that decides a score."""
    g = p.add_argument_group("how videos are judged")
    add_network(g)
    g.add_argument(
        "--display", metavar="WxH", type=display,
        help="raster in pixels that frames are scaled to before they are judged "
        "(default: the master's size, else the tallest encode's)",
    )  # fmt: skip
    g.add_argument(
        "--fps", metavar="RATE", type=above_zero, default=DEFAULT.fps,
        help="frames judged a second (default: %(default)g)",
    )  # fmt: skip
    g.add_argument(
        "--min-frames", metavar="N", type=whole(1), default=DEFAULT.min_frames,
        help="frames judged of a short video at least (default: %(default)s)",
    )  # fmt: skip
    g.add_argument(
        "--decoder",
        choices=("pyav", "decord"),
        default=DEFAULT.decoder,
        help="what decodes frames (default: %(default)s)",
    )
    g.add_argument(
        "--decode-timeout", metavar="S", type=above_zero, default=DEFAULT.decode_timeout_s, dest="decode_timeout_s",
        help="longest wait for the next frame of a video, seconds (default: %(default)g)",
    )  # fmt: skip
    g.add_argument(
        "--time-limit", metavar="S", type=above_zero, default=DEFAULT.time_limit_s, dest="time_limit_s",
        help="longest time one video may take in all, seconds (default: %(default)g)",
    )  # fmt: skip
    g.add_argument(
        "--memory-limit", metavar="MB", type=whole(64), default=DEFAULT.memory_limit_mb, dest="memory_limit_mb",
        help="most memory that judging a ladder may add to its process, MB (default: %(default)s)",
    )  # fmt: skip
    g.add_argument(
        "--seed", metavar="N", type=whole(0), default=DEFAULT.seed,
        help="of the frames and places that are drawn; equal seeds, equal scores (default: %(default)s)",
    )  # fmt: skip


def whole(least: int) -> Callable[[str], int]:
    """A converter to whole numbers of `least` or more."""
    return _converter(int, f"a whole number of {least} or more", lambda value: value >= least)


def real(what: str, fits: Callable[[float], bool]) -> Callable[[str], float]:
    """A converter to numbers that fit; `what` says which do."""
    return _converter(float, what, fits)


def _converter(number: Callable[[str], N], what: str, fits: Callable[[N], bool]) -> Callable[[str], N]:
    def converted(text: str) -> N:
        with contextlib.suppress(ValueError):
            if fits(value := number(text)):
                return value
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")

    return converted


score = real("a score of 0 to 100", lambda value: 0 <= value <= 100)
points = real("a number of points, 0 or more", lambda value: 0 <= value < inf)
above_zero = real("a number above 0", lambda value: 0 < value < inf)


def display(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT."""
    try:
        return parse_display(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
