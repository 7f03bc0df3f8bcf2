"""The command line's words: every command, its options with units and defaults, its examples."""

from __future__ import annotations

import argparse

from .. import __version__
from .flags import (
    EXIT_CODES,
    Commands,
    Parser,
    add_baseline,
    add_figures,
    add_format,
    add_gate,
    add_judging,
    add_results,
    add_scanning,
    command,
    filled,
    points,
    whole,
)
from .training_arguments import add_evaluate, add_train


def parser() -> Parser:
    """The whole command line."""
    top = Parser(
        prog="yoto-video",
        description=filled(
            "Judge the quality of videos: whole transcoding ladders or single files, with and without a master. Scores "
            "are 0 to 100, higher is better."
        ),
        epilog=f"{EXIT_CODES}\n\nexamples:\n"
        "  yoto-video demo                                    make a small ladder, judge it, show the report\n"
        "  yoto-video scan s3://bucket/vod --out results      judge a bucket, write Parquet and a report\n"
        "  yoto-video score encode.mp4 --reference master.mov judge one video\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"yoto-video {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    _add_scan(commands)
    _add_status(commands)
    _add_score(commands)
    _add_compare(commands)
    _add_report(commands)
    _add_lint(commands)
    _add_export(commands)
    _add_demo(commands)
    add_train(commands)
    add_evaluate(commands)
    return top


def _add_scan(commands: Commands[Parser]) -> None:
    p = command(
        commands, "scan",
        "Judge every video below a folder or URI. Finds ladders (a master and its encodes) by manifest, name, folder "
        "and --mapping, measures what is new or changed, and writes Parquet and a report.",
        "  yoto-video scan encodes/                                   results in yoto-out/\n"
        "  yoto-video scan s3://bucket/vod --out results --dry-run    only show what was found\n"
        "  yoto-video scan encodes/ --fail-under 70 --format json     for a pipeline: exit code 3 below 70\n"
        "  yoto-video scan encodes/ --estimate                        only say what it would take\n"
        "  yoto-video scan encodes/ --budget 90min                    everything once, then closer for so long\n\n"
        "One ladder, or a minute of video in all, is measured in this process at once; for more, workers are\n"
        "started with Ray, which takes about 10 s. Kill it when you like: the same command goes on where it was.\n"
        "Ctrl-C once finishes what is in hand, twice ends at once.\n\n"
        + EXIT_CODES,
    )  # fmt: skip
    p.add_argument("path", metavar="PATH", help="folder, file or URI (file://, s3://, gs://)")
    p.add_argument(
        "--out", metavar="DIR", default="yoto-out", help="folder or URI of the results (default: %(default)s)"
    )
    only = p.add_mutually_exclusive_group()
    only.add_argument("--dry-run", action="store_true", help="show the plan and stop")
    only.add_argument(
        "--estimate", action="store_true",
        help="say what the scan would take (frames, time) and stop; tries a few ladders for up to half a minute",
    )  # fmt: skip
    p.add_argument(
        "--budget", metavar="AMOUNT",
        help="spend so much on this run, 90min, 2h or 5000frames: a first look at everything (few frames, no "
        "reference), then closer ones where scores are low or uncertain; the next run goes on",
    )  # fmt: skip
    add_scanning(p)
    add_gate(p)
    add_baseline(p)
    add_format(p)
    add_judging(p)


def _add_status(commands: Commands[Parser]) -> None:
    p = command(
        commands, "status",
        "Say how far a scan is, while it runs or after. Done, failed, rate and time left; reads one small file beside "
        "the results, from any machine that sees them.",
        "  yoto-video status yoto-out\n"
        "  yoto-video status yoto-out --format json | jq .left_s",
    )  # fmt: skip
    add_results(p)
    add_format(p)


def _add_score(commands: Commands[Parser]) -> None:
    p = command(
        commands, "score", "Judge one video or still picture. Prints a line in each mode it was scored in.",
        "  yoto-video score encode.mp4\n"
        "  yoto-video score encode.mp4 --reference master.mov --display 1920x1080\n"
        "  yoto-video score encode.mp4 --format json | jq .score\n\n" + EXIT_CODES,
    )  # fmt: skip
    p.add_argument("video", metavar="VIDEO", help="file or URI")
    p.add_argument("--reference", metavar="REF", help="the master it was made from: compare with it too")
    add_gate(p)
    add_format(p)
    add_judging(p)


def _add_compare(commands: Commands[Parser]) -> None:
    p = command(
        commands, "compare",
        "Compare encoders on the same titles. Scans each side, pairs the titles, and says with intervals what each "
        "needs for the same quality (BD-rate), where it loses, and which ladder it would make.",
        "  yoto-video compare x264/ x265/ --reference masters/             results in yoto-compare/\n"
        "  yoto-video compare old-results/ new-results/ --labels old,new    of two finished scans\n"
        "  yoto-video compare a/ b/ --import vmaf-logs/ --format json\n\n" + EXIT_CODES,
    )  # fmt: skip
    p.add_argument(
        "sides", metavar="SIDE", nargs="+",
        help="at least two: folder or URI of encodes, or folder of the results of a scan; the first is the anchor",
    )  # fmt: skip
    p.add_argument("--out", metavar="DIR", default="yoto-compare", help="folder of the results (default: %(default)s)")
    p.add_argument("--labels", metavar="A,B", help="names of the sides (default: from their paths)")
    p.add_argument("--times", metavar="FILE", help="CSV with path,seconds: how long each encode took")
    p.add_argument(
        "--import", metavar="FILE", action="append", default=[], dest="imports",
        help="scores of another measure: log of libvmaf or ffmpeg-quality-metrics (JSON), MediaConvert's per-frame "
        "report (CSV), or a folder of them; may be repeated",
    )  # fmt: skip
    add_figures(p, "OUT/compare/figures")
    add_scanning(p)
    add_format(p)
    add_judging(p)


def _add_report(commands: Commands[Parser]) -> None:
    p = command(
        commands, "report", "Build the pages again from Parquet. Prints the path of the first page.",
        "  yoto-video report yoto-out\n"
        "  yoto-video report yoto-out --zip report.zip        one file to mail: pages and the pictures they show\n"
        "  yoto-video report yoto-out --figures svg           also the main charts as files, for slides",
    )  # fmt: skip
    add_results(p)
    add_figures(p, "OUT/report/figures")
    p.add_argument("--zip", metavar="FILE", help="also pack the pages and the pictures they show into one file")


def _add_lint(commands: Commands[Parser]) -> None:
    p = command(
        commands, "lint",
        "Say what is wrong with ladders and their encodes. Rungs that look worse than cheaper ones, rungs nobody tells "
        "apart, gaps between rungs, files that are not what their name or manifest says, and what was found in single "
        "encodes; from Parquet, no video is read.",
        "  yoto-video lint yoto-out\n"
        "  yoto-video lint yoto-out --fail-under 70 --max-drop 15    for a pipeline: exit code 3\n"
        "  yoto-video lint yoto-out --fail-on error,range,offset\n\n" + EXIT_CODES,
    )  # fmt: skip
    add_results(p)
    add_gate(p)
    p.add_argument(
        "--max-drop", metavar="POINTS", type=points,
        help="exit with 3 when an encode's worst second lies more points than this below its mean, or a dearer rung "
        "below a cheaper one",
    )  # fmt: skip
    p.add_argument(
        "--fail-on", metavar="RULE[,RULE]",
        help="exit with 3 when lint says one of these rules (inversion, range, offset, ...; docs/cli.md has them all), "
        "or anything of the severity error, or warning and above",
    )  # fmt: skip
    add_format(p)


def _add_export(commands: Commands[Parser]) -> None:
    p = command(
        commands, "export",
        "Write results for other programs. CSV of clips or of frames, logs as libvmaf writes them, JUnit XML for "
        "continuous integration, OpenMetrics text for monitoring.",
        "  yoto-video export yoto-out --format csv > clips.csv\n"
        "  yoto-video export yoto-out --format libvmaf --to logs/\n"
        "  yoto-video export yoto-out --format junit --to quality.xml --fail-under 70\n\n" + EXIT_CODES,
    )  # fmt: skip
    add_results(p)
    p.add_argument(
        "--format", choices=("csv", "frames", "libvmaf", "junit", "openmetrics"), default="csv",
        help="csv: a line a video and mode; frames: a line a judged frame; libvmaf: a JSON log a video; junit: a test "
        "case a video and mode; openmetrics: gauges (default: %(default)s)",
    )  # fmt: skip
    p.add_argument("--to", metavar="PATH", help="file to write, of libvmaf a folder (default: stdout)")
    add_gate(p)
    add_baseline(p)


def _add_demo(commands: Commands[Parser]) -> None:
    p = command(
        commands, "demo",
        "Make a small ladder and judge it. Draws a moving landscape, encodes it in two codecs at several sizes and "
        "rates, scans the result, and says whether the scores order the ladder as they should. Needs no data.",
        "  yoto-video demo --out /tmp/demo",
    )  # fmt: skip
    p.add_argument(
        "--out", metavar="DIR", default="yoto-demo", help="folder of ladder and results (default: %(default)s)"
    )
    p.add_argument(
        "--workers", metavar="N", type=whole(0), help="worker processes, as of scan (default: in this process)"
    )
